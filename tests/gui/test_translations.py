"""Every string in the window can be translated, and a translation reaches the widgets."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from PySide6.QtCore import QLocale, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.common.errors import SpecError
from engine.common.text import Text
from engine.recipe.networks import NETWORKS
from engine.recipe.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES, StepLR
from gui.core.language import install
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.run_bar.transport import Transport
from gui.widgets.forms import SpecForm
from resources.translations import extract

ROOT = Path(__file__).parents[2]
ESPERANTO = QLocale(QLocale.Language.Esperanto)
REFRESH = "the strings have changed; run `python -m resources.translations.extract` and commit what it writes"


def literals(annotation: Any) -> Iterator[str]:
    """The words that a field of this type can hold."""
    for item in get_args(annotation):
        if isinstance(item, str):
            yield item
        yield from literals(item)


# PyTorch's and the recipe's own names, Qt's names of the tab bar's arrows, and a menu of pyqtgraph's that is not shown.
NAMES = {
    *(kind.__name__ for kind in SCHEDULES),
    *OPTIMIZERS,
    *(
        str(value)
        for kind in extract.form_specs()
        for f in kind.model_fields.values()
        for value in literals(f.annotation)
    ),
    *NETWORKS,
    *("Tiller", "0.95**epoch"),
    *("Scroll Left", "Scroll Right", "Export", "Export..."),
}


def translated(text: str) -> str:
    return f"⟦{text}⟧"


def compiled(folder: Path, catalogue: str, language: str = "eo") -> Path:
    """Make ``tiller_<language>.qm`` in ``folder`` with Qt's own tool, as a translator does."""
    source = folder / f"tiller_{language}.ts"
    source.write_text(catalogue, encoding="utf-8")
    code = "from PySide6.scripts.pyside_tool import lrelease; lrelease()"
    done = subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return source.with_suffix(".qm")


@pytest.fixture(scope="module")
def texts() -> set[str]:
    return extract.strings()


@pytest.fixture(scope="module")
def whole(texts: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a translation of every string, into a made-up language."""
    folder = tmp_path_factory.mktemp("whole")
    compiled(folder, extract.catalogue(texts, "eo", {text: translated(text) for text in texts}))
    return folder


@pytest.fixture
def use(qapp: QApplication) -> Iterator[Callable[[Path], None]]:
    """Installs the Esperanto of a folder until the end of the test."""
    before = qapp.findChildren(QTranslator)

    def begin(folder: Path) -> None:
        assert install(qapp, ESPERANTO, folder)

    yield begin
    for translator in qapp.findChildren(QTranslator):
        if translator not in before:
            qapp.removeTranslator(translator)
            translator.deleteLater()


# -- what there is to translate


def test_a_new_language_starts_with_every_string(texts: set[str], tmp_path: Path) -> None:
    assert extract.main(["eo"], tmp_path) == 0
    assert (tmp_path / "tiller_eo.ts").read_text(encoding="utf-8") == extract.catalogue(texts, "eo")


def test_every_language_matches_the_present_sources(texts: set[str]) -> None:
    for path in extract.FOLDER.glob("tiller_*.ts"):
        old = path.read_text(encoding="utf-8")
        assert old == extract.renewed(old, texts), f"{path.name}: {REFRESH}"


@pytest.mark.parametrize(
    "text",
    [
        "Run 1 epoch",  # tr("...") in the window
        "at least {bound}",  # a table that tr(...) reads
        "epoch {least} is reached already; epochs must be at least that",  # Words(...) in the engine
        "Data set not found in {folder}. Press Download, or put its files there.",  # Words(a name)
        StepLR.formula,
        StepLR.when,
        "Epochs between two reductions of the LR.",  # a field's description
        "Batch size",  # a field's title
        "the run is still loading",  # the lifecycle's reason
        "must be at least {ge}",  # the specs' sentence
        "needs a momentum above 0 and a dampening of 0",  # SpecError's literal
    ],
)
def test_each_kind_of_string_is_collected(texts: set[str], text: str) -> None:
    assert text in texts


def test_a_string_that_cannot_be_collected_is_reported_with_its_line() -> None:
    with pytest.raises(extract.Unreadable, match=r"gui/some\.py:2: tr\(f'a \{b\}'\)"):
        extract.of_source("b = 1\ntr(f'a {b}')", "gui/some.py")


def test_an_update_keeps_the_translations_that_still_apply() -> None:
    old = extract.catalogue({"a < b", "gone"}, "eo", {"a < b": "A & B", "gone": "G"})
    new = extract.renewed(old, {"a < b", "new"})
    tree = ET.fromstring(new)
    assert tree.get("language") == "eo"
    found = {
        m.findtext("source"): (m.findtext("translation"), m.find("translation[@type]")) for m in tree.iter("message")
    }
    assert list(found) == ["a < b", "new"]
    assert found["a < b"] == ("A & B", None)
    assert found["new"][1] is not None


# -- nothing is left out


def shown(widget: QWidget) -> Iterator[str]:
    """Every text of ``widget`` and what is in it."""
    for one in [widget, *widget.findChildren(QWidget)]:
        yield from (one.toolTip(), one.accessibleName(), one.windowTitle())
        if isinstance(one, (QLabel, QAbstractButton)):
            yield one.text()
        elif isinstance(one, QLineEdit):
            yield one.placeholderText()
        elif isinstance(one, QComboBox):
            yield from (one.itemText(i) for i in range(one.count()))
        elif isinstance(one, QMenu):
            yield one.title()
    for action in widget.findChildren(QAction):
        yield from (action.text(), action.toolTip())


def test_with_a_complete_translation_no_english_is_left_in_the_window(
    qtbot: QtBot, use: Callable[[Path], None], whole: Path
) -> None:
    use(whole)
    window = MainWindow()
    qtbot.addWidget(window)
    texts = {re.sub(r"<[^>]*>", "", text) for text in shown(window)}
    english = {text for text in texts if re.search(r"[^\W\d_]{2}", text) and "⟦" not in text}
    assert english - NAMES == set()
    assert len(texts) > 100  # they were checked


# -- a language in use


@pytest.mark.parametrize(
    ("text", "values"),
    [("the LR of {group}", {"group": "head"}), ("{n} d {n:>3} h", {"n": 2}), ("{x!r}", {"x": "a"})],
)
def test_the_fields_of_a_sentence_are_filled_in(text: str, values: dict[str, object]) -> None:
    assert tr(text, **values) == text.format(**values)


def test_a_made_up_language_reaches_the_widgets(qtbot: QtBot, use: Callable[[Path], None], tmp_path: Path) -> None:
    done = {
        "Start": "Komenci",
        "Batch size": "Grando",
        "Epochs between two reductions of the LR.": "Epokoj inter du malaltigoj.",
    }
    compiled(tmp_path, extract.catalogue(set(done), "eo", done))
    use(tmp_path)
    bar, form = Transport(), SpecForm(StepLR)
    for widget in (bar, form):
        qtbot.addWidget(widget)
    assert "Komenci" in [b.text() for b in bar.findChildren(QPushButton)]
    assert "Stop" in [b.text() for b in bar.findChildren(QPushButton)]  # what is not translated stays English
    assert any("Epokoj inter du malaltigoj." in text for text in shown(form))


def test_texts_of_the_engine_are_translated_with_their_values(use: Callable[[Path], None], tmp_path: Path) -> None:
    done = {
        "no group {group!r}; the groups are {names}": "la grupoj estas {names}; {group!r} mankas",
        "{field}: {problem}": "{field} – {problem}",
        "is required": "mankas",
        "not saved: {error}": "ne konservita: {error}",
    }
    compiled(tmp_path, extract.catalogue(set(done), "eo", done))
    use(tmp_path)
    inner = Text("no group {group!r}; the groups are {names}", group="x", names="a, b")
    assert said(inner) == "la grupoj estas a, b; 'x' mankas"
    assert said(Text("not saved: {error}", error=inner)) == "ne konservita: la grupoj estas a, b; 'x' mankas"
    assert said(SpecError("optimizer.lr", "is required")) == "optimizer.lr – mankas"
    assert said(SpecError("", inner)) == said(inner)
    assert str(inner) == "no group 'x'; the groups are a, b"  # the engine's own stays English


@pytest.mark.parametrize(
    "slip", ["{grupo} frosta", "{group", "{group.nomo}", "{group:d}", "{0}", "{group[a]}", "{group!x}"]
)
def test_a_mistake_in_a_translation_shows_the_english(slip: str, use: Callable[[Path], None], tmp_path: Path) -> None:
    compiled(tmp_path, extract.catalogue({"Freeze {group}"}, "eo", {"Freeze {group}": slip}))
    use(tmp_path)
    assert tr("Freeze {group}", group="head") == "Freeze head"


def test_qts_own_texts_are_in_the_same_language(qapp: QApplication, tmp_path: Path) -> None:
    before = qapp.findChildren(QTranslator)
    compiled(tmp_path, extract.catalogue({"Start"}, "de", {"Start": "Los"}), "de")
    try:
        assert install(qapp, QLocale("de_AT"), tmp_path)
        assert tr("Start") == "Los"
        assert qapp.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    finally:
        for translator in set(qapp.findChildren(QTranslator)) - set(before):
            qapp.removeTranslator(translator)
            translator.deleteLater()
    assert tr("Start") == "Start"


class Languages(QLocale):
    """The user's list of languages, as in the system's settings."""

    def __init__(self, *names: str) -> None:
        super().__init__("C")
        self.names = list(names)

    def uiLanguages(self, *_: object) -> list[str]:  # noqa: N802 - Qt's name
        return self.names


@pytest.mark.parametrize(
    "languages", [("en-GB", "en", "eo"), ("C",), ("fr-FR", "fr", "en-US", "eo"), ("xx",), ()], ids=lambda n: " ".join(n)
)
def test_english_is_used_if_preferred_or_if_no_translation_fits(
    languages: tuple[str, ...], qapp: QApplication, whole: Path
) -> None:
    assert not install(qapp, Languages(*languages), whole)
    assert tr("Start") == "Start"


def test_a_damaged_translation_is_ignored(qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / "tiller_eo.qm").write_bytes(b"not one")
    assert not install(qapp, ESPERANTO, tmp_path)
    assert tr("Start") == "Start"


def test_the_language_is_set_before_the_first_widget_is_created() -> None:
    (run,) = [
        node
        for node in ast.parse((ROOT / "gui" / "app.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "run"
    ]
    calls = [ast.unparse(n.func) for n in ast.walk(run) if isinstance(n, ast.Call)]
    assert "language.install" in calls
    lines = {ast.unparse(n.func): n.lineno for n in ast.walk(run) if isinstance(n, ast.Call)}
    assert lines["QApplication"] < lines["language.install"] < lines["App"]

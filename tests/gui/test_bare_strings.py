"""No module of the window passes an untranslated English string to something that shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Calls whose arguments are shown: Qt's, and the window's own.
_READ = """
setText setPlainText setHtml setToolTip setStatusTip setWhatsThis setWindowTitle setPlaceholderText setTitle
setAccessibleName setAccessibleDescription setInformativeText setDetailedText setLabelText setPrefix setSuffix
setTabText setTabToolTip setItemText setSpecialValueText setHeaderLabels showMessage drawText addAction
addItem addItems addMenu addTab addRow addButton insertItem insertTab QLabel QPushButton QToolButton QCheckBox
QRadioButton QGroupBox QAction QMenu QDockWidget QMessageBox about question information warning critical
getOpenFileName getSaveFileName getExistingDirectory ElidedLabel CheckEditor LineEditor add_button segment_button say
set_problem set_warnings set_data_status show_at show_failure show_text show_title show_warning show_loading as_tip
reserve
"""
SETTERS = set(_READ.split())
# The program's name, and an expression: both are the same in every language.
THE_SAME_EVERYWHERE = {"Tiller", " – Tiller", "0.95**epoch"}


def bare(value: ast.expr) -> Iterator[str]:
    """The literals with letters in ``value`` that are shown as they are; markup is not counted."""
    if isinstance(value, ast.Constant):
        if isinstance(value.value, str) and re.search(r"[^\W\d_]", re.sub(r"<[^>]*>|&\w+;", "", value.value)):
            yield value.value
    elif isinstance(value, ast.JoinedStr):
        for part in value.values:
            yield from bare(part)
    elif isinstance(value, ast.FormattedValue):
        yield from bare(value.value)
    elif isinstance(value, ast.IfExp):
        yield from bare(value.body)
        yield from bare(value.orelse)
    elif isinstance(value, ast.BinOp):
        yield from bare(value.left)
        yield from bare(value.right)
    elif isinstance(value, (ast.BoolOp, ast.List, ast.Tuple)):
        for part in value.values if isinstance(value, ast.BoolOp) else value.elts:
            yield from bare(part)
    elif (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("join", "format")
    ):
        for part in (value.func.value, *value.args):
            yield from bare(part)


def bare_strings(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SETTERS:
                values = [*node.args, *(k.value for k in node.keywords)]
                found += [f"line {node.lineno}: {name}({text!r})" for value in values for text in bare(value)]
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "gui").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_bare_string_is_shown(path: Path) -> None:
    found = bare_strings(path.read_text(encoding="utf-8"))
    assert [f for f in found if not any(f.endswith(f"({same!r})") for same in THE_SAME_EVERYWHERE)] == []


@pytest.mark.parametrize(
    "line", ["b.setText('Go')", "QLabel('Go', self)", "b.setToolTip(f'<b>{n}</b> epochs')", "b.setText(x or 'no' + y)"]
)
def test_a_bare_string_is_found(line: str) -> None:
    assert bare_strings(line)


@pytest.mark.parametrize("line", ["b.setText(tr('Go'))", "QLabel(f'<b>{n}</b>')", "b.setText('–' if n else '· 3')"])
def test_translated_strings_and_strings_without_words_pass(line: str) -> None:
    assert not bare_strings(line)

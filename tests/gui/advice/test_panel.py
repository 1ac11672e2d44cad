"""The lines of advice: three at a time, with a reason, a button that applies them, and one that dismisses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.advice import Advice
from engine.common.text import Text
from engine.messages.commands import ScaleLR
from gui.advice.panel import AdvicePanel
from gui.theme.theme import Theme

LEFT = Qt.MouseButton.LeftButton
REASON = (
    "Past the bottom the cosine climbs back as slowly as it fell. If one landing is meant, make it as long as the run."
)


def advice(key: str, text: str = "", do: bool = True) -> Advice:
    words = Text("{text}", text=text or f"advice on {key}")
    return Advice(key, words, Text(REASON), ScaleLR(factor=0.1) if do else None, Text("LR 0.001") if do else None)


@pytest.fixture
def panel(qtbot: QtBot, qapp: QApplication) -> Iterator[AdvicePanel]:
    """The panel at the width of the right column, 300 pixels, with the program's style."""
    sheet, colours = qapp.styleSheet(), qapp.palette()
    Theme().apply(qapp)
    column = QWidget()
    column.setFixedWidth(300)
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    made = AdvicePanel()
    layout.addWidget(made)
    layout.addStretch(1)
    qtbot.addWidget(column)
    column.resize(300, 600)
    with qtbot.waitExposed(column):
        column.show()
    yield made
    qapp.setStyleSheet(sheet)
    qapp.setPalette(colours)


def texts(panel: AdvicePanel) -> list[str]:
    """All texts, from top to bottom."""
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def button(panel: AdvicePanel, name: str) -> QAbstractButton:
    (found,) = [
        b for b in panel.findChildren(QAbstractButton) if b.isVisible() and name in (b.accessibleName(), b.text())
    ]
    return found


def test_without_advice_the_panel_is_hidden(panel: AdvicePanel) -> None:
    assert panel.isHidden()
    panel.show_advice([advice("a")])
    assert panel.isVisible()
    panel.show_advice([])
    assert panel.isHidden()


def test_three_lines_are_shown_at_a_time_in_order(panel: AdvicePanel) -> None:
    panel.show_advice([advice(key) for key in "abcde"])
    assert texts(panel) == ["Advice", "advice on a", "advice on b", "advice on c"]


def test_dismissed_advice_is_hidden_for_this_run_and_the_next_is_shown(panel: AdvicePanel, qtbot: QtBot) -> None:
    heard: list[str] = []
    panel.dismissed.connect(heard.append)
    panel.show_advice([advice(key) for key in "abcd"])
    qtbot.mouseClick(button(panel, "Dismiss: advice on b"), LEFT)
    assert heard == ["b"]
    assert [a.key for a in panel.shown()] == ["a", "c", "d"]
    panel.show_advice([advice("b", "the same rule with other numbers")])
    assert panel.isHidden()
    panel.forget()
    panel.show_advice([advice("b")])
    assert [a.key for a in panel.shown()] == ["b"]


def test_the_button_shows_its_effect_and_emits_the_advice(panel: AdvicePanel, qtbot: QtBot) -> None:
    heard: list[Advice] = []
    panel.do_wanted.connect(heard.append)
    wanted = advice("a")
    panel.show_advice([wanted])
    do = button(panel, "Do it")
    assert "LR 0.001" in do.toolTip()
    qtbot.mouseClick(do, LEFT)
    assert heard == [wanted]
    assert not do.hasFocus()  # a click leaves Space to start and pause


def test_without_a_command_there_is_no_button(panel: AdvicePanel, qtbot: QtBot) -> None:
    panel.show_advice([advice("a", do=False)])
    qtbot.mouseClick(button(panel, "Why: advice on a"), LEFT)
    shown = {b.text() for b in panel.findChildren(QAbstractButton) if b.isVisible()}
    assert shown == {"", "✕"}


def test_a_click_on_the_line_unfolds_the_reason_and_the_effect(panel: AdvicePanel, qtbot: QtBot) -> None:
    heard: list[Advice] = []
    panel.do_wanted.connect(heard.append)
    panel.show_advice([advice("a", "A sentence that is far too long for the narrow column that it stands in")])
    line = panel.findChildren(QLabel)[1]
    assert REASON in line.toolTip()
    folded = panel.height()
    qtbot.mouseClick(line, LEFT)
    assert REASON in texts(panel)
    assert panel.height() > folded
    qtbot.mouseClick(button(panel, "LR 0.001"), LEFT)
    assert [a.key for a in heard] == ["a"]
    words = next(label for label in panel.findChildren(QLabel) if label.text() == REASON)
    qtbot.mouseClick(words, LEFT)
    assert REASON not in texts(panel)


def test_unfolded_texts_are_shown_in_full(panel: AdvicePanel, qtbot: QtBot) -> None:
    panel.show_advice(
        [advice(key, "A sentence that is far too long for the narrow column it stands in") for key in "abc"]
    )
    for arrow in [b for b in panel.findChildren(QAbstractButton) if b.accessibleName().startswith("Why")]:
        qtbot.mouseClick(arrow, LEFT)
    qtbot.waitUntil(lambda: panel.height() > 300)
    for label in [w for w in panel.findChildren(QLabel) if w.isVisible() and w.wordWrap()]:
        assert label.height() >= label.heightForWidth(label.width()), label.text()
        right = label.mapTo(panel, QPoint(label.width(), 0)).x()
        assert right <= 300


def test_advice_whose_numbers_change_stays_unfolded_and_keeps_the_focus(panel: AdvicePanel, qtbot: QtBot) -> None:
    panel.show_advice([advice("a", "5 epochs"), advice("b")])
    arrow = button(panel, "Why: 5 epochs")
    qtbot.mouseClick(arrow, LEFT)
    arrow.setFocus()
    panel.show_advice([advice("b"), advice("a", "6 epochs")])
    assert [a.key for a in panel.shown()] == ["b", "a"]
    assert REASON in texts(panel)
    assert "6 epochs" in texts(panel)
    assert button(panel, "Why: 6 epochs") is arrow
    assert arrow.hasFocus()


def test_the_keyboard_reaches_everything_in_order(panel: AdvicePanel, qtbot: QtBot) -> None:
    panel.show_advice([advice("a"), advice("b")])
    button(panel, "Why: advice on a").setFocus()
    order = []
    for _ in range(6):
        focus = QApplication.focusWidget()
        assert focus is not None
        order.append(focus.accessibleName().split(":")[0])
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert order == ["Why", "Do it", "Dismiss"] * 2


def test_texts_are_never_shown_as_markup(panel: AdvicePanel) -> None:
    panel.show_advice([advice("a", "<b>bold</b>: LR too high?")])
    line = panel.findChildren(QLabel)[1]
    assert line.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;b&gt;" in line.toolTip()

"""Advice: at most three short lines, each with its reason, a button that applies it, and one that dismisses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui.core.translation import said, tr
from gui.widgets.labels import ElidedLabel, as_tip, button_text, label

if TYPE_CHECKING:
    from engine.advice import Advice

MOST: Final = 3
"""Lines shown at a time; others follow as these are applied or dismissed."""


class AdvicePanel(QWidget):
    """The advice that was not dismissed, the most urgent first. Hidden while there is none.

    Signals:
        do_wanted(Advice): the user wants this advice applied.
        dismissed(str): the user dismissed the advice with this key; it is hidden already.
    """

    do_wanted = Signal(object)
    dismissed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._advice: list[Advice] = []
        self._away: set[str] = set()
        self._lines: list[_Line] = []
        self._title = label(tr("Advice"), "hint")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 4, 8, 8)
        self._column.setSpacing(4)
        self._column.addWidget(self._title)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._column.addLayout(self._rows)
        self._column.addStretch(1)  # where there is more space than needed, the lines stay together
        self.hide()

    def show_advice(self, advice: Sequence[Advice]) -> None:
        """Show the first three of ``advice``, the most urgent first, without what was dismissed."""
        self._advice = list(advice)
        self._refresh()

    def forget(self) -> None:
        """Forget what was dismissed and show nothing, for another run."""
        self._away.clear()
        self.show_advice([])

    def shown(self) -> list[Advice]:
        """The advice that is shown."""
        return [line.advice for line in self._lines]

    def minimumSizeHint(self) -> QSize:
        """Any width: the lines are elided."""
        return QSize(0, super().minimumSizeHint().height())

    def _refresh(self) -> None:
        wanted = [a for a in self._advice if a.key not in self._away][:MOST]
        if wanted == self.shown():
            return  # an unchanged line is kept, with its focus and its unfolded reason
        before = {line.advice.key: line for line in self._lines}
        self._lines = []
        for advice in wanted:
            line = before.pop(advice.key, None) or self._new_line()
            line.show_advice(advice)
            self._rows.addWidget(line)  # an existing line moves to its new place
            self._lines.append(line)
        for line in before.values():
            self._rows.removeWidget(line)
            line.hide()
            line.deleteLater()
        previous: QWidget | None = None
        for line in self._lines:
            for control in line.controls():
                if previous is not None:
                    QWidget.setTabOrder(previous, control)
                previous = control
        self.setVisible(bool(self._lines))

    def _new_line(self) -> _Line:
        line = _Line(self)
        line.done.connect(self._do)
        line.closed.connect(self._dismiss)
        return line

    def _do(self, advice: Advice) -> None:
        self.do_wanted.emit(advice)

    def _dismiss(self, advice: Advice) -> None:
        self._away.add(advice.key)
        self._refresh()
        self.dismissed.emit(advice.key)


class _Line(QFrame):
    """A piece of advice: a line with its buttons, and below it the reason, which the arrow or a click unfolds.

    Signals: ``done(Advice)``, ``closed(Advice)``.
    """

    done = Signal(object)
    closed = Signal(object)
    advice: Advice

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._arrow, self._close = QToolButton(), QToolButton()
        self._arrow.setCheckable(True)
        self._close.setText("✕")
        for button in (self._arrow, self._close):
            button.setProperty("role", "quiet")
            button.setAutoRaise(True)
            button.setFixedWidth(24)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._words = ElidedLabel()
        self._do = QToolButton()
        self._do.setText(tr("Do it"))
        self._do.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._whole, self._reason = label("", wrap=True), label("", "hint", wrap=True)
        self._effect = QPushButton()
        self._effect.setAutoDefault(False)
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self._arrow, 0, Qt.AlignmentFlag.AlignTop)
        top.addSpacing(3)
        top.addWidget(self._words, 1)
        top.addWidget(self._whole, 1)
        top.addWidget(self._do)
        top.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._more = QWidget()
        below = QVBoxLayout(self._more)
        below.setContentsMargins(27, 0, 8, 6)
        below.setSpacing(5)
        below.addWidget(self._reason)
        below.addWidget(self._effect, 0, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._more)
        self._arrow.toggled.connect(self._unfold)
        self._do.clicked.connect(lambda: self.done.emit(self.advice))
        self._effect.clicked.connect(lambda: self.done.emit(self.advice))
        self._close.clicked.connect(lambda: self.closed.emit(self.advice))
        self._unfold(False)

    def controls(self) -> tuple[QWidget, ...]:
        """The widgets that take the focus, in order."""
        return self._arrow, self._do, self._close, self._effect

    def show_advice(self, advice: Advice) -> None:
        """Show ``advice``; the line stays folded or unfolded."""
        self.advice = advice
        text, reason = said(advice.text), said(advice.reason)
        effect = said(advice.action_label) if advice.action_label else ""
        self._words.setText(text)
        self._words.setToolTip(as_tip(tr("{advice}. {reason}", advice=text, reason=reason)))
        self._whole.setText(text)
        self._reason.setText(reason)
        self._effect.setText(button_text(effect))
        self._do.setToolTip(as_tip(effect))
        self._do.setAccessibleName(tr("Do it: {effect}", effect=effect))
        self._arrow.setAccessibleName(tr("Why: {advice}", advice=text))
        self._arrow.setToolTip(as_tip(tr("Why?")))
        self._close.setToolTip(as_tip(tr("Dismiss this advice for the rest of the run.")))
        self._close.setAccessibleName(tr("Dismiss: {advice}", advice=text))
        self._unfold(self._arrow.isChecked())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Accept a press on the text, which begins a click."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Fold or unfold on a click beside the buttons."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self._arrow.toggle()

    def _unfold(self, unfolded: bool) -> None:
        """Show the whole sentence and the reason while unfolded; the tooltip of the button shows what it does."""
        can = bool(self._effect.text())
        self._arrow.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self._more.setVisible(unfolded)
        self._words.setVisible(not unfolded)
        self._whole.setVisible(unfolded)
        self._effect.setVisible(can)
        self._do.setVisible(can and not unfolded)

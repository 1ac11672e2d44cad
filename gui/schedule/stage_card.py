"""One stage of a composed schedule: a line of words, which unfolds to what edits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.schedules import ComposedSpec, ScheduleSpec, SequentialLR
from engine.schedules.base import form_metadata
from gui.core.translation import tr
from gui.schedule.stage_editor import StageEditor
from gui.widgets.field_text import to_text
from gui.widgets.hint_label import HintLabel

INSET: Final = 8
NARROW: Final = 22


def in_short(spec: ScheduleSpec) -> str:
    """The values of ``spec`` that are its own: those that it requires, that count, or that are not PyTorch's."""
    if isinstance(spec, ComposedSpec):
        names = [type(stage).__name__ for stage in spec.schedulers]
        return (" -> " if isinstance(spec, SequentialLR) else " × ").join(names)
    parts = []
    for name, info in type(spec).model_fields.items():
        value = getattr(spec, name)
        if name in ("name", "interval", "points") or value is None:
            continue
        if info.is_required() or form_metadata(info).get("counts") or value != info.default:
            parts.append(f"{name} {to_text(value)}")
    return ", ".join(parts)


class _Summary(HintLabel):
    """Words in one line that can be clicked."""

    clicked = Signal()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell of a click."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class _Title(QToolButton):
    """The stage's number and name; painted shortened where the column is narrow."""

    def __init__(self) -> None:
        super().__init__()
        bold = self.font()
        bold.setBold(True)
        self.setFont(bold)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """The arrow, and the beginning of the text."""
        return QSize(90, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button with as much of its text as fits."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        missing = max(0, self.sizeHint().width() - self.width())
        if missing:
            room = option.fontMetrics.horizontalAdvance(option.text) - missing
            option.text = option.fontMetrics.elidedText(option.text, Qt.TextElideMode.ElideRight, room)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        painter.end()


class StageCard(QFrame):
    """Shows one stage, folded to a line or open to be edited.

    Signals:
        fold_wanted(): the line was clicked.
        edited(): the person changed the stage.
        earlier_wanted(), later_wanted(), remove_wanted(): the buttons.
    """

    fold_wanted = Signal()
    edited = Signal()
    earlier_wanted = Signal()
    later_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, editor: StageEditor, spec: ScheduleSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.editor = editor
        editor.set_value(spec)
        self._number = 1
        self.fold = _Title()
        self.summary, self.problem = _Summary(), HintLabel(lines=0)
        self.earlier, self.later, self.remove = QToolButton(), QToolButton(), QToolButton()
        for button, text in ((self.earlier, "↑"), (self.later, "↓"), (self.remove, "✕")):
            button.setText(text)
            button.setFixedWidth(NARROW)
        line = QHBoxLayout()
        line.setSpacing(2)
        line.addWidget(self.fold)
        line.addWidget(self.summary, 1)
        for button in (self.fold, self.earlier, self.later, self.remove):
            button.setAutoRaise(True)
            button.setProperty("role", "quiet")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
            if button is not self.fold:
                line.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(INSET, 3, INSET // 2, 3)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(editor)
        column.addWidget(self.problem)
        self.problem.hide()
        self.fold.clicked.connect(self.fold_wanted)
        self.summary.clicked.connect(self.fold_wanted)
        self.earlier.clicked.connect(self.earlier_wanted)
        self.later.clicked.connect(self.later_wanted)
        self.remove.clicked.connect(self.remove_wanted)
        editor.changed.connect(self._changed)
        self.open(False)

    def open(self, unfolded: bool) -> None:
        """Show what edits the stage, or only its line."""
        self._open = unfolded
        self.editor.setVisible(unfolded)
        self.show_words()

    def is_open(self) -> bool:
        """Whether what edits the stage is shown."""
        return self._open

    def set_number(self, number: int) -> None:
        """Where the stage stands, from 1."""
        self._number = number
        for button, text in (
            (self.earlier, tr("Move stage {number} up", number=number)),
            (self.later, tr("Move stage {number} down", number=number)),
            (self.remove, tr("Remove stage {number}", number=number)),
        ):
            button.setAccessibleName(text)
        self.show_words()

    def allow(self, why_not: Mapping[str, str]) -> None:
        """Enable the buttons, but for those of which ``why_not`` says why they cannot work: earlier, later, remove."""
        for name, button in (("earlier", self.earlier), ("later", self.later), ("remove", self.remove)):
            button.setEnabled(name not in why_not)
            button.setToolTip(why_not.get(name, button.accessibleName()))

    def set_error(self, problem: str | None) -> None:
        """Say what is wrong with this stage."""
        self.problem.show_text(problem or "", error=problem is not None)
        self.problem.setVisible(problem is not None)

    def show_words(self) -> None:
        """Say what the stage is."""
        spec, kind = self.editor.value(), self.editor.kind.__name__
        self.fold.setText(f"{'▾' if self._open else '▸'} {self._number}  {kind}")
        self.fold.setAccessibleName(tr("Stage {number}: {kind}", number=self._number, kind=kind))
        self.fold.setToolTip(tr("Fold this stage") if self._open else tr("Edit this stage"))
        text = in_short(spec) if spec is not None else tr("not finished")
        self.summary.show_text("" if self._open else text, error=spec is None)

    def _changed(self) -> None:
        self.show_words()
        self.edited.emit()

"""One stage of a composed schedule: a line of text that unfolds to the stage's editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
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
from gui.schedule.context import Context
from gui.widgets.field_text import to_text
from gui.widgets.hint_label import HintLabel

INSET: Final = 8
NARROW: Final = 22


def in_short(spec: ScheduleSpec) -> str:
    """The values of ``spec`` in short: of fields that are required, that are counts, or that are not at the default."""
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


class StageEditor(QWidget):
    """What a stage card needs of the editor of its schedule. ``ScheduleEditor`` implements it.

    Signals:
        changed(): after every edit, also one after which the schedule is not valid.
        opening(): a list of schedules is about to show, so its curves should be requested.
    """

    changed = Signal()
    opening = Signal()

    @property
    def kind(self) -> type[ScheduleSpec]:
        """The chosen class."""
        raise NotImplementedError

    def value(self) -> ScheduleSpec | None:
        """The edited schedule, or None while it is not valid."""
        raise NotImplementedError

    def set_value(self, spec: ScheduleSpec) -> None:
        """Show ``spec``. No signal."""
        raise NotImplementedError

    def set_context(self, context: Context, follow: bool) -> bool:
        """Set what the schedule is edited for; returns whether the schedule changed. No signal.

        Args:
            context: the run, and where in it the schedule would start.
            follow: whether fields that the user did not edit get the values that fit it.
        """
        raise NotImplementedError

    def set_unavailable(self, unavailable: Mapping[type[ScheduleSpec], str]) -> None:
        """Set the schedules that cannot be chosen, and why."""
        raise NotImplementedError

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """Show the curve of the schedule ``name``: LRs ``lr`` [points] or [points, groups], each from ``x`` on."""
        raise NotImplementedError


class _Summary(HintLabel):
    """A line of text that can be clicked."""

    clicked = Signal()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Emit ``clicked``."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class _Title(QToolButton):
    """The stage's number and name, elided if the column is narrow."""

    def __init__(self) -> None:
        super().__init__()
        bold = self.font()
        bold.setBold(True)
        self.setFont(bold)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Room for the arrow and the start of the text."""
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
    """Shows one stage, folded to a line or unfolded with its editor.

    Signals:
        fold_wanted(): the line was clicked.
        edited(): the user changed the stage.
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
        """Show the stage's editor, or only its line."""
        self._open = unfolded
        self.editor.setVisible(unfolded)
        self.show_texts()

    def is_open(self) -> bool:
        """Whether the stage's editor is shown."""
        return self._open

    def set_number(self, number: int) -> None:
        """Set the stage's number, from 1."""
        self._number = number
        for button, text in (
            (self.earlier, tr("Move stage {number} up", number=number)),
            (self.later, tr("Move stage {number} down", number=number)),
            (self.remove, tr("Remove stage {number}", number=number)),
        ):
            button.setAccessibleName(text)
        self.show_texts()

    def allow(self, why_not: Mapping[str, str]) -> None:
        """Enable the buttons ``earlier``, ``later`` and ``remove``, except those in ``why_not``, which says why."""
        for name, button in (("earlier", self.earlier), ("later", self.later), ("remove", self.remove)):
            button.setEnabled(name not in why_not)
            button.setToolTip(why_not.get(name, button.accessibleName()))

    def set_error(self, problem: str | None) -> None:
        """Show what is wrong with this stage; None hides it."""
        self.problem.show_text(problem or "", error=problem is not None)
        self.problem.setVisible(problem is not None)

    def show_texts(self) -> None:
        """Show the stage's number, name and values."""
        spec, kind = self.editor.value(), self.editor.kind.__name__
        self.fold.setText(f"{'▾' if self._open else '▸'} {self._number}  {kind}")
        self.fold.setAccessibleName(tr("Stage {number}: {kind}", number=self._number, kind=kind))
        self.fold.setToolTip(tr("Fold this stage") if self._open else tr("Edit this stage"))
        text = in_short(spec) if spec is not None else tr("not finished")
        self.summary.show_text("" if self._open else text, error=spec is None)

    def _changed(self) -> None:
        self.show_texts()
        self.edited.emit()

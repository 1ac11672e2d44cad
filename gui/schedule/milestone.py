"""A milestone, at which a SequentialLR changes to the next stage."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from gui.core.translation import tr
from gui.widgets.fields import EMPTY, IntegerEditor
from gui.widgets.hint_label import HintLabel

WIDTH = 76
"""Width of the field in pixels: seven digits."""


class MilestoneRow(QWidget):
    """One milestone, and the epoch of the run that it is.

    Signals:
        edited(): the user changed it.
    """

    edited = Signal()

    def __init__(self, milestone: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self.note = QLabel(), HintLabel()
        self.field = IntegerEditor(1, 10_000_000, "")
        self.field.setFixedWidth(WIDTH)
        self.field.edit.setAccessibleName(tr("Milestone"))
        self.field.edit.setToolTip(tr("The milestone: after this many, the next stage begins."))
        self._label.setBuddy(self.field.edit)
        line = QHBoxLayout(self)
        line.setContentsMargins(10, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self._label)
        line.addWidget(self.field)
        line.addWidget(self.note, 1)
        self._per_epoch, self._done, self._problem = True, 0, ""
        self.field.show_value(milestone)
        self.field.edited.connect(self.edited)
        self._show()

    def raw(self) -> Any:
        """The milestone as typed."""
        raw = self.field.raw()
        return "" if raw is EMPTY else raw

    def show_milestone(self, milestone: int) -> None:
        """Show ``milestone``. No signal."""
        self.field.show_value(milestone)

    def show_epoch(self, per_epoch: bool, done: int) -> None:
        """Set whether the milestone counts epochs (or steps), and the number of epochs before the schedule."""
        self._per_epoch, self._done = per_epoch, done
        self._show()

    def set_error(self, problem: str | None) -> None:
        """Show what is wrong with it; None hides it."""
        self._problem = problem or ""
        self.field.set_problem(problem)
        self._show()

    def _show(self) -> None:
        self._label.setText(tr("↓ after epoch") if self._per_epoch else tr("↓ after step"))
        raw, epoch = self.raw(), ""
        if self._per_epoch and self._done and isinstance(raw, int):
            epoch = tr("= epoch {epoch} of the run", epoch=self._done + raw)
        self.note.show_text(self._problem or epoch, error=bool(self._problem))

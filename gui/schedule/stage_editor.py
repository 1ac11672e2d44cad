"""What a composed schedule's form needs of the editor of one of its stages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from engine.schedules import ScheduleSpec
from gui.schedule.context import Context


class StageEditor(QWidget):
    """Chooses one schedule and fills it in.

    Signals:
        changed(): after every edit of the person's, also one that leaves the schedule unfinished.
        opening(): a list of schedules is about to show; a good moment to ask for its curves.
    """

    changed = Signal()
    opening = Signal()

    @property
    def kind(self) -> type[ScheduleSpec]:
        """The class that is chosen."""
        raise NotImplementedError

    def value(self) -> ScheduleSpec | None:
        """The schedule as edited, or None while it is wrong."""
        raise NotImplementedError

    def set_value(self, spec: ScheduleSpec) -> None:
        """Show ``spec``. No signal."""
        raise NotImplementedError

    def set_context(self, context: Context, follow: bool) -> bool:
        """What the schedule is for now; returns whether it became another one. No signal.

        Args:
            context: the run, and where in it the schedule would begin.
            follow: whether counts that nobody edited fit themselves to it.
        """
        raise NotImplementedError

    def set_refused(self, refused: Mapping[type[ScheduleSpec], str]) -> None:
        """The schedules that cannot be chosen, and why."""
        raise NotImplementedError

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """The curve of the schedule ``name``: LRs ``lr`` [points] or [points, groups] from the positions ``x`` on."""
        raise NotImplementedError

"""The story of a run as it is told: lines in the log, markers in the plots, the latest act at the bottom."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject, Signal

from engine.messages.commands import SetLR
from engine.messages.events import CommandEvent, Event, ScheduleEvent, StartEvent
from gui.core.translation import said
from gui.main_window import MainWindow
from gui.plots.items import MarkerKind
from gui.widgets.intervention_text import CHANGING, describe, restore_lr_commands
from gui.widgets.labels import as_tip

_QUIET = ("start", "pause", "resume", "run_epoch", "save", "withdraw", "find_lr", "cancel_find", "cancel_rewind")
_MARKED = CHANGING | {"note"}


class LogController(QObject):
    """Tells what happens.

    Signals:
        put_back_wanted(SetLR): a rate from before an act is wanted back.
        marked(Event, int): the event has a marker in the plots and the line with this id in the log.
        cleared(): the markers are gone.
    """

    put_back_wanted = Signal(object)
    marked = Signal(object, int)
    cleared = Signal()

    def __init__(self, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._groups: list[str] = []
        self._batches = 1
        window.log.put_back.connect(self._put_back)
        window.action_line.put_back.connect(self._put_back)
        window.plots.marker_clicked.connect(self._marker_clicked)

    def begin(self, event: StartEvent, goes_on: bool = False) -> None:
        """A run begins, with what its hand did so far; or the one that is told of already ``goes_on``."""
        self._groups, self._batches = event.groups, event.batches_per_epoch
        if not goes_on:
            self.forget()
            self._window.log.show_groups(event.groups)
            self.retell(event.interventions)

    def forget(self) -> None:
        """There is no run."""
        self._window.log.clear()
        self._clear_markers()
        self._window.action_line.clear()

    def retell(self, interventions: list[CommandEvent]) -> None:
        """Mark what the hand did on the road that the run is on, and nothing else."""
        self._clear_markers()
        log = self._window.log
        for intervention in interventions:
            line = log.line_of(intervention)
            self._mark(intervention, log.add(intervention, None) if line is None else line)

    def tell(self, event: Event) -> None:
        """Something happened."""
        line = self._window.log.add(event, datetime.now())
        if isinstance(event, ScheduleEvent):
            self._add_marker(event, "schedule", said(event.text), line)
        elif isinstance(event, CommandEvent):
            self._mark(event, line)
            if event.name not in _QUIET and event.status != "queued":
                changed = event.status == "applied" and event.name in CHANGING
                self._window.action_line.show_action(event, self._groups, can_go_back=changed)

    def _mark(self, event: CommandEvent, line: int | None) -> None:
        if event.status == "applied" and event.name in _MARKED:
            self._add_marker(event, "intervention", describe(event), line)

    def _add_marker(self, event: CommandEvent | ScheduleEvent, kind: MarkerKind, text: str, line: int | None) -> None:
        if line is not None:  # a note about an act stands with that act
            self._window.plots.add_marker(self._x(event.epoch, event.batch), kind, as_tip(text), line)
            self.marked.emit(event, line)

    def _clear_markers(self) -> None:
        self._window.plots.clear_markers()
        self.cleared.emit()

    def _x(self, epoch: int, batch: int) -> float:
        return epoch - 1 + batch / self._batches

    def _put_back(self, event: CommandEvent) -> None:
        for command in restore_lr_commands(event, self._groups):
            assert isinstance(command, SetLR)
            self.put_back_wanted.emit(command)

    def _marker_clicked(self, line: object) -> None:
        if isinstance(line, int):
            self._window.show_log.setChecked(True)
            self._window.log.select(line)

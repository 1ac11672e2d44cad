"""The events of a run: lines in the log, markers in the plots, the newest command in the action line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from engine.messages.events import (
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    Event,
    SavedEvent,
    ScheduleEvent,
    StartEvent,
    WarningEvent,
)
from gui.core.current_run import CurrentRun
from gui.core.translation import said
from gui.log.panel import LogPanel
from gui.plots.items import MarkerKind
from gui.plots.stack import PlotStack
from gui.run_bar.action_line import ActionLine
from gui.widgets.intervention_text import CHANGING, command_text, restore_lr_commands
from gui.widgets.labels import as_tip

_NOT_IN_ACTION_LINE = (
    "start",
    "pause",
    "resume",
    "run_epoch",
    "save",
    "withdraw",
    "find_lr",
    "cancel_find",
    "cancel_rewind",
)
_MARKED = CHANGING | {"note"}


class LogController(QObject):
    """Shows events in the log, the plots and the action line, and posts the commands that restore an LR.

    Signals:
        marked(Event, int): the event has a marker in the plots, and the line with this id in the log.
        cleared(): the markers are gone.
    """

    marked = Signal(object, int)
    cleared = Signal()

    def __init__(
        self, log: LogPanel, show_log: QAction, action_line: ActionLine, plots: PlotStack, current_run: CurrentRun
    ) -> None:
        """``show_log`` is checked while the log is visible."""
        super().__init__(log)
        self._log, self._show_log, self._action_line, self._plots = log, show_log, action_line, plots
        self._current_run, self._model = current_run, current_run.model
        log.restore_lr.connect(self._restore_lr)
        action_line.restore_lr.connect(self._restore_lr)
        plots.marker_clicked.connect(self._on_marker_clicked)
        self._model.changed.connect(self._on_changed)
        current_run.listen(self._on_start, StartEvent)
        current_run.listen(self._on_branch, BranchEvent)
        current_run.listen(self._on_event, SavedEvent, ScheduleEvent, WarningEvent, DivergedEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(self._on_end, EndEvent)

    def _on_changed(self) -> None:
        if not self._model.shown:
            self._clear()

    def _clear(self) -> None:
        self._log.clear()
        self._clear_markers()
        self._action_line.clear()

    def _on_start(self, event: StartEvent) -> None:
        if not self._model.continued:
            self._clear()
            self._log.show_groups(event.groups)
            self._mark_all(event.interventions)

    def _on_branch(self, event: BranchEvent) -> None:
        self._mark_all(event.interventions)

    def _mark_all(self, interventions: Sequence[CommandEvent]) -> None:
        """Mark the interventions of the run's branch, and nothing else; those without a line get one."""
        self._clear_markers()
        for intervention in interventions:
            line = self._log.line_of(intervention)
            self._mark(intervention, self._log.add(intervention, None) if line is None else line)

    def _on_event(self, event: Event) -> int | None:
        """Add a line for ``event``, if it has one; returns the line's id."""
        line = self._log.add(event, datetime.now())
        if isinstance(event, ScheduleEvent):
            self._add_marker(event, "schedule", said(event.text), line)
        return line

    def _on_command(self, event: CommandEvent) -> None:
        if self._model.loading:
            return  # a stop that came before the run
        self._mark(event, self._on_event(event))
        if event.name not in _NOT_IN_ACTION_LINE and event.status != "queued":
            changed = event.status == "applied" and event.name in CHANGING
            self._action_line.show_action(event, self._model.groups, can_go_back=changed)

    def _on_end(self, event: EndEvent) -> None:
        if self._model.end is event:  # else the run was not loaded
            self._on_event(event)

    def _mark(self, event: CommandEvent, line: int | None) -> None:
        if event.status == "applied" and event.name in _MARKED:
            self._add_marker(event, "intervention", command_text(event), line)

    def _add_marker(self, event: CommandEvent | ScheduleEvent, kind: MarkerKind, text: str, line: int | None) -> None:
        if line is not None:  # a note about an intervention is shown with that intervention
            x = self._model.epochs_completed(event.position)
            self._plots.add_marker(x, kind, as_tip(text), line)
            self.marked.emit(event, line)

    def _clear_markers(self) -> None:
        self._plots.clear_markers()
        self.cleared.emit()

    def _restore_lr(self, event: CommandEvent) -> None:
        for command in restore_lr_commands(event, self._model.groups):
            self._current_run.post(command)

    def _on_marker_clicked(self, line: object) -> None:
        if isinstance(line, int):
            self._show_log.setChecked(True)
            self._log.select(line)

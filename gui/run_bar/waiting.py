"""What takes a moment while it trains: the validation, and commands that wait for it or for the next batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer

from engine.common.position import Position
from engine.messages.commands import Command
from engine.messages.events import CommandEvent, EndEvent, EpochEvent, Event, StartEvent, StateEvent, StepsEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import tr
from gui.main_window import MainWindow
from gui.widgets.intervention_text import describe

PATIENCE_MS: Final = 250
"""What is answered within this time is not worth a word."""
_ELSEWHERE: Final = ("find_lr", "cancel_find", "withdraw")


class WaitingController(QObject):
    """Shows in the action line what was sent and waits, and beside the progress that the validation is under way."""

    def __init__(self, window: MainWindow, runs: CurrentRun) -> None:
        super().__init__(window)
        self._line = window.action_line
        self._later: set[int] = set()  # meant for a moment of their own: who sent them says so
        self._waiting: dict[int, CommandEvent] = {}
        self._batches, self._epoch = 0, 1
        self._training = self._validating = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PATIENCE_MS)
        self._timer.timeout.connect(self._show)
        self._long = QTimer(self)
        self._long.setSingleShot(True)
        self._long.setInterval(PATIENCE_MS)
        self._long.timeout.connect(self._say_validating)
        self._window = window
        runs.posted.connect(self._posted)
        runs.listen(self._happened, StartEvent, StepsEvent, EpochEvent, StateEvent, CommandEvent, EndEvent)
        runs.gone.connect(self._forget)

    def _posted(self, number: int, _command: Command, at: Position | None) -> None:
        if at is not None:
            self._later.add(number)

    def _happened(self, event: Event) -> None:
        match event:
            case StartEvent():
                self._batches = event.batches_per_epoch
                self._validate(False)
            case StepsEvent():
                self._epoch = event.epoch
                self._validate(event.batch + len(event.loss) >= self._batches)
            case EpochEvent():
                self._validate(False)
            case StateEvent():
                self._training = event.state == "training"
                self._validate(False)
            case CommandEvent(status="queued"):
                if self._batches and event.id not in self._later and event.name not in _ELSEWHERE:
                    self._waiting[event.id] = event
                    if not self._timer.isActive():
                        self._timer.start()
            case CommandEvent():
                self._later.discard(event.id)
                if self._waiting.pop(event.id, None) is not None and not self._waiting:
                    self._timer.stop()
                    self._line.show_waiting(None)
            case EndEvent():
                self._forget()

    def _validate(self, validating: bool) -> None:
        if validating != self._validating:
            self._validating = validating
            if validating:
                self._long.start()
            else:
                if not self._long.isActive():  # it took long enough to be told
                    self._window.transport.show_validating(None)
                self._long.stop()
            if self._waiting and not self._timer.isActive():
                self._show()

    def _say_validating(self) -> None:
        self._window.transport.show_validating(self._epoch)

    def _forget(self) -> None:
        self._later.clear()
        self._waiting.clear()
        self._batches = 0
        self._validate(False)
        self._timer.stop()
        self._line.show_waiting(None)

    def _show(self) -> None:
        if not self._waiting:
            return
        event = next(reversed(self._waiting.values()))
        newest = describe(replace(event, status="applied"))
        if self._validating:
            self._line.show_waiting(tr("{intervention}: waits for the validation to end.", intervention=newest))
        elif self._training and event.name != "save":
            self._line.show_waiting(tr("{intervention}: sent, acts at the next batch.", intervention=newest))
        else:
            self._line.show_waiting(tr("{intervention}: under way…", intervention=newest))

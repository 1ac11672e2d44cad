"""What takes a while during training: validation, and commands that wait for it or for the next batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer

from engine.common.position import Position
from engine.messages.commands import Command
from engine.messages.events import CommandEvent, EndEvent, EpochEvent, StartEvent, StateEvent, StepsEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import tr
from gui.run_bar.action_line import ActionLine
from gui.run_bar.transport import Transport
from gui.widgets.intervention_text import command_text

PATIENCE_MS: Final = 250
"""Validation that takes less time is not shown."""
_SHOWN_ELSEWHERE: Final = ("find_lr", "cancel_find", "withdraw")


class WaitingController(QObject):
    """Shows pending commands in the action line, and validation in the run bar.

    A command for a later position is not shown here but where it was sent.
    """

    def __init__(self, transport: Transport, action_line: ActionLine, current_run: CurrentRun) -> None:
        super().__init__(action_line)
        self._transport, self._line, self._model = transport, action_line, current_run.model
        self._sent: set[int] = set()  # commands that may be shown, by id
        self._validating: int | None = None  # the epoch
        self._command_timer, self._validation_timer = QTimer(self), QTimer(self)
        for timer, show in ((self._command_timer, self._show_command), (self._validation_timer, self._show_validating)):
            timer.setSingleShot(True)
            timer.setInterval(PATIENCE_MS)
            timer.timeout.connect(show)
        current_run.posted.connect(self._on_posted)
        current_run.listen(self._on_steps, StepsEvent)
        current_run.listen(lambda _: self._validate(None), StartEvent, EpochEvent, StateEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(lambda _: self._clear(), EndEvent)
        current_run.gone.connect(self._clear)

    def _on_posted(self, number: int, command: Command, at: Position | None) -> None:
        event = self._model.queued.get(number)
        ready = self._model.shown and not self._model.loading
        if ready and at is None and event is not None and event.name not in _SHOWN_ELSEWHERE:
            self._sent.add(number)
            if not self._command_timer.isActive():
                self._command_timer.start()

    def _on_command(self, event: CommandEvent) -> None:
        if event.status != "queued" and event.id in self._sent:
            self._sent.remove(event.id)
            if not self._sent:
                self._command_timer.stop()
                self._line.show_waiting(None)

    def _on_steps(self, event: StepsEvent) -> None:
        self._validate(event.epoch if self._model.position.batch == 0 else None)

    def _validate(self, epoch: int | None) -> None:
        """Validation of ``epoch`` began; None: none goes on."""
        if epoch == self._validating:
            return
        self._validating = epoch
        if epoch is not None:
            self._validation_timer.start()
        else:
            if not self._validation_timer.isActive():  # it took long enough to be shown
                self._transport.show_validating(None)
            self._validation_timer.stop()
        if self._sent and not self._command_timer.isActive():
            self._show_command()

    def _show_validating(self) -> None:
        self._transport.show_validating(self._validating)

    def _clear(self) -> None:
        self._sent.clear()
        self._validate(None)
        self._command_timer.stop()
        self._line.show_waiting(None)

    def _show_command(self) -> None:
        if not self._sent:
            return
        event = self._model.queued[max(self._sent)]
        newest = command_text(replace(event, status="applied"))
        if self._validating is not None:
            self._line.show_waiting(tr("{command}: waiting for validation to end", command=newest))
        elif self._model.state == "training" and event.name != "save":
            self._line.show_waiting(tr("{command}: sent, applied at the next batch", command=newest))
        else:
            self._line.show_waiting(tr("{command}…", command=newest))

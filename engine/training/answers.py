"""Where interventions are applied, and where every command gets its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine.common.errors import Cancelled, Rejected
from engine.common.position import Position
from engine.common.text import Text
from engine.library import CheckpointResult
from engine.messages.commands import Intervention, Save, Stop
from engine.messages.commands_file import command_json
from engine.messages.events import CommandEvent, Event, Status
from engine.messages.queue import CommandQueue, PostedCommand
from engine.training.apply import CHANGES, apply
from engine.training.loop import Loop
from engine.training.recorder import RunRecorder

Outcome = Literal["applied", "rejected", "stop"]


def answer(posted: PostedCommand, status: Status, position: Position, reason: str | None = None) -> CommandEvent:
    """The answer to a command that changed nothing."""
    return CommandEvent(
        id=posted.number,
        command=command_json(posted.command),
        status=status,
        reason=reason,
        epoch=position.epoch,
        batch=position.batch,
    )


def _stops(posted: PostedCommand) -> bool:
    return posted.at is None and isinstance(posted.command, Stop)


class Answers:
    """Applies interventions to a run; publishes and records the answer to every command.

    A checkpoint is saved before each intervention that changes training.
    """

    def __init__(
        self, loop: Loop, recorder: RunRecorder, queue: CommandQueue, publish: Callable[[Event], None]
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._recorder = recorder
        self._publish = publish

    def apply(self, posted: PostedCommand, intervention: Intervention) -> Outcome:
        """Apply ``intervention``, which ``posted`` holds, and answer it."""
        state = self._loop.state
        if isinstance(intervention, Save):
            self._save(posted, intervention)
            return "applied"
        if isinstance(intervention, Stop):
            self._recorder.record_answer(posted, self._answer(posted, "applied"), None)
            return "stop"
        before = state.lr_control.current()
        try:
            undo = state.capture() if self._recorder.has_library and isinstance(intervention, CHANGES) else None
            warning = apply(intervention, state, lambda: self._queue.peek(_stops) is not None)
        except Rejected as refusal:
            self.reject(posted, refusal.reason, hold=refusal.hold)
            return "rejected"
        except Cancelled:
            self.reject(posted, Text("the run was stopped before the schedule was run forward to now"))
            return "rejected"
        if undo is not None:
            self._recorder.autosave(undo, "before")
        self.applied(posted, before, warning=warning)
        self._loop.publish_lrs()
        return "applied"

    def reject(self, posted: PostedCommand, reason: str, *, hold: bool = False) -> None:
        """Answer that ``posted`` is rejected; ``hold``: an LR that would have been accepted, had it been held."""
        self._recorder.record_answer(posted, self._answer(posted, "rejected", reason=reason, hold=hold), None)

    def confirm(self, posted: PostedCommand) -> None:
        """Answer that ``posted``, which is no intervention, is applied."""
        self._answer(posted, "applied")

    def applied(
        self, posted: PostedCommand, before: list[float], *, warning: str | None = None, at: Position | None = None
    ) -> None:
        """Answer that the intervention in ``posted`` is applied, and add it to the run's interventions.

        Args:
            posted: the intervention.
            before: the LR of each group before it.
            warning: what the person should know although it was applied.
            at: where it was applied, if that is not the run's position.
        """
        event = self._answer(posted, "applied", warning=warning, before=before, at=at)
        interventions = self._loop.state.interventions
        interventions.append(event)
        self._recorder.record_answer(posted, event, len(interventions) - 1)

    def _answer(
        self,
        posted: PostedCommand,
        status: Status,
        *,
        reason: str | None = None,
        warning: str | None = None,
        before: list[float] | None = None,
        at: Position | None = None,
        hold: bool = False,
    ) -> CommandEvent:
        at, lrs = at or self._loop.state.position, self._loop.state.lr_control.current()
        event = CommandEvent(
            id=posted.number,
            command=command_json(posted.command),
            status=status,
            reason=reason,
            epoch=at.epoch,
            batch=at.batch,
            warning=warning,
            lr=lrs,
            lr_before=lrs if before is None else before,
            hold=hold,
        )
        self._publish(event)
        return event

    def _save(self, posted: PostedCommand, intervention: Save) -> None:
        """Save the run as it is now, and answer on the writer thread, once the file is written or has failed."""
        at, lrs = self._loop.state.position, self._loop.state.lr_control.current()

        def written(result: CheckpointResult) -> None:
            event = CommandEvent(
                id=posted.number,
                command=command_json(intervention),
                status="applied" if result.error is None else "rejected",
                reason=None if result.error is None else Text("not saved: {error}", error=result.error),
                epoch=at.epoch,
                batch=at.batch,
                lr=lrs,
                lr_before=lrs,
            )
            self._recorder.record_answer(posted, event, None)  # first, so that a listener finds it in the library
            self._publish(event)

        self._recorder.store(
            self._loop.state.capture(), "asked", written, intervention.path, overwrite=bool(intervention.overwrite)
        )

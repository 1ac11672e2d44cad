"""Where interventions are carried out and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine.common.text import Text
from engine.messages.commands import Intervention, Position, Save, Stop
from engine.messages.commands_file import command_json
from engine.messages.events import CommandEvent, Event, Status
from engine.messages.queue import AnyCommand, PostedCommand
from engine.models.optimizers import Rejected
from engine.training.apply import CHANGES, apply
from engine.training.loop import Loop
from engine.training.recorder import RunRecorder

Outcome = Literal["done", "refused", "stop"]


class Answers:
    """Carries out acts on a run, saves the moment before each, and answers every one of them."""

    def __init__(self, loop: Loop, recorder: RunRecorder, emit: Callable[[Event], None]) -> None:
        self._loop = loop
        self._recorder = recorder
        self._emit = emit

    def intervention(self, posted: PostedCommand, intervention: Intervention) -> Outcome:
        """Carry out ``act``, which came in ``letter``, and answer it."""
        state, number = self._loop.state, posted.number
        if isinstance(intervention, Save):
            self._save(posted, intervention)
            return "done"
        before = state.lr_control.lrs()
        try:
            if isinstance(intervention, Stop):
                self._recorder.answered(posted, self.answer(number, intervention, "applied"), None)
                return "stop"
            undo = state.capture() if self._recorder.keeps and isinstance(intervention, CHANGES) else None
            warning = apply(intervention, state)
        except Rejected as refusal:
            answer = self.answer(number, intervention, "rejected", reason=refusal.reason, hold=refusal.hold)
            self._recorder.answered(posted, answer, None)
            return "refused"
        if undo is not None:
            self._recorder.autosave(undo, "before")
        self.applied(posted, self.answer(number, intervention, "applied", warning=warning, before=before))
        self._loop.publish_lrs()
        return "done"

    def refuse(self, number: int, intervention: AnyCommand, reason: str) -> None:
        """Answer that ``act`` was not carried out."""
        self.answer(number, intervention, "rejected", reason=reason)

    def turn_down(self, posted: PostedCommand, reason: str) -> None:
        """Answer that the intervention in ``letter`` was not carried out, and keep that."""
        answer = self.answer(posted.number, posted.command, "rejected", reason=reason)
        self._recorder.answered(posted, answer, None)

    def done(self, number: int, intervention: AnyCommand) -> None:
        """Answer that ``act`` was carried out."""
        self.answer(number, intervention, "applied")

    def answer(
        self,
        number: int,
        intervention: AnyCommand,
        status: Status,
        *,
        reason: str | None = None,
        warning: str | None = None,
        before: list[float] | None = None,
        at: Position | None = None,
        hold: bool = False,
    ) -> CommandEvent:
        """Say what became of ``act``: ``before`` are the rates before it, ``at`` is where it was if not here."""
        at, lrs = at or self._loop.state.position, self._loop.state.lr_control.lrs()
        answer = CommandEvent(
            id=number,
            command=command_json(intervention),
            status=status,
            reason=reason,
            epoch=at.epoch,
            batch=at.batch,
            warning=warning,
            lr=lrs,
            lr_before=lrs if before is None else before,
            hold=hold,
        )
        self._emit(answer)
        return answer

    def applied(self, posted: PostedCommand, answer: CommandEvent) -> None:
        """From here on the act belongs to the run."""
        interventions = self._loop.state.interventions
        interventions.append(answer)
        self._recorder.answered(posted, answer, len(interventions) - 1)

    def _save(self, posted: PostedCommand, intervention: Save) -> None:
        """Save what is now, and answer when it is written or has failed (on the writer thread)."""
        at, lrs = self._loop.state.position, self._loop.state.lr_control.lrs()

        def written(where: object, error: str | None) -> None:
            answer = CommandEvent(
                id=posted.number,
                command=command_json(intervention),
                status="applied" if error is None else "rejected",
                reason=None if error is None else Text("not saved: {error}", error=error),
                epoch=at.epoch,
                batch=at.batch,
                lr=lrs,
                lr_before=lrs,
            )
            self._recorder.answered(posted, answer, None)  # first, so that who hears the answer finds it in the library
            self._emit(answer)

        self._recorder.store(self._loop.state.capture(), "asked", written, intervention.path)

"""Where the hand's acts are carried out and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine.carry_out import CHANGES, carry_out
from engine.commands import At, HandCommand, Save, Stop
from engine.events import CommandEvent, Event, Status
from engine.hand import command_json
from engine.keeper import Keeper
from engine.loop import Loop
from engine.mailbox import AnyCommand, Letter
from engine.optimizers import Rejected
from engine.words import Words

Outcome = Literal["done", "refused", "stop"]


class Desk:
    """Carries out acts on a run, saves the moment before each, and answers every one of them."""

    def __init__(self, loop: Loop, keeper: Keeper, emit: Callable[[Event], None]) -> None:
        self._loop = loop
        self._keeper = keeper
        self._emit = emit

    def act(self, letter: Letter, act: HandCommand) -> Outcome:
        """Carry out ``act``, which came in ``letter``, and answer it."""
        state, number = self._loop.state, letter.number
        if isinstance(act, Save):
            self._save(letter, act)
            return "done"
        before = state.rate.rates()
        try:
            if isinstance(act, Stop):
                self._keeper.answered(letter, self.answer(number, act, "applied"), None)
                return "stop"
            undo = state.capture() if self._keeper.keeps and isinstance(act, CHANGES) else None
            warning = carry_out(act, state)
        except Rejected as refusal:
            answer = self.answer(number, act, "rejected", reason=refusal.reason, hold=refusal.hold)
            self._keeper.answered(letter, answer, None)
            return "refused"
        if undo is not None:
            self._keeper.autosave(undo, "before")
        self.applied(letter, self.answer(number, act, "applied", warning=warning, before=before))
        self._loop.say_rates()
        return "done"

    def refuse(self, number: int, act: AnyCommand, reason: str) -> None:
        """Answer that ``act`` was not carried out."""
        self.answer(number, act, "rejected", reason=reason)

    def turn_down(self, letter: Letter, reason: str) -> None:
        """Answer that the act of the hand in ``letter`` was not carried out, and keep that."""
        answer = self.answer(letter.number, letter.command, "rejected", reason=reason)
        self._keeper.answered(letter, answer, None)

    def done(self, number: int, act: AnyCommand) -> None:
        """Answer that ``act`` was carried out."""
        self.answer(number, act, "applied")

    def answer(
        self,
        number: int,
        act: AnyCommand,
        status: Status,
        *,
        reason: str | None = None,
        warning: str | None = None,
        before: list[float] | None = None,
        at: At | None = None,
        hold: bool = False,
    ) -> CommandEvent:
        """Say what became of ``act``: ``before`` are the rates before it, ``at`` is where it was if not here."""
        at, rates = at or self._loop.state.position, self._loop.state.rate.rates()
        answer = CommandEvent(
            id=number,
            command=command_json(act),
            status=status,
            reason=reason,
            epoch=at.epoch,
            batch=at.batch,
            warning=warning,
            lr=rates,
            lr_before=rates if before is None else before,
            hold=hold,
        )
        self._emit(answer)
        return answer

    def applied(self, letter: Letter, answer: CommandEvent) -> None:
        """From here on the act belongs to the run."""
        hand = self._loop.state.hand
        hand.append(answer)
        self._keeper.answered(letter, answer, len(hand) - 1)

    def _save(self, letter: Letter, act: Save) -> None:
        """Save what is now, and answer when it is written or has failed (on the writer thread)."""
        at, rates = self._loop.state.position, self._loop.state.rate.rates()

        def written(where: object, error: str | None) -> None:
            answer = CommandEvent(
                id=letter.number,
                command=command_json(act),
                status="applied" if error is None else "rejected",
                reason=None if error is None else Words("not saved: {error}", error=error),
                epoch=at.epoch,
                batch=at.batch,
                lr=rates,
                lr_before=rates,
            )
            self._keeper.answered(letter, answer, None)  # first, so that who hears the answer finds it in the library
            self._emit(answer)

        self._keeper.store(self._loop.state.capture(), "asked", written, act.path)

"""Where the hand's acts are carried out and answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Literal

from engine import snapshot
from engine.carry_out import CHANGES, carry_out
from engine.commands import At, HandCommand, Rewind, Save, Stop
from engine.events import BranchEvent, CommandEvent, Event, Status
from engine.hand import WaitingHand, command_json
from engine.keeper import Keeper
from engine.loop import Loop
from engine.mailbox import AnyCommand
from engine.optimizers import Rejected
from engine.run_state import RunState
from engine.words import Words

Outcome = Literal["done", "refused", "stop", "rewound"]


class Desk:
    """Carries out acts on a run, saves the moment before each, and answers every one of them."""

    def __init__(self, loop: Loop, keeper: Keeper, waiting: WaitingHand, emit: Callable[[Event], None]) -> None:
        self._loop = loop
        self._keeper = keeper
        self._waiting = waiting
        self._emit = emit

    def act(self, number: int, act: HandCommand) -> Outcome:
        """Carry out ``act``, posted as ``number`` (0: a line of a hand's file), and answer it."""
        state = self._loop.state
        if isinstance(act, Save):
            self._save(number, act)
            return "done"
        before = state.rate.rates()
        try:
            if isinstance(act, Rewind):
                self._rewind(number, act, before)
                self._loop.say_rates()
                return "rewound"
            if isinstance(act, Stop):
                self._answer(number, act, "applied")
                return "stop"
            undo = state.capture() if self._keeper.keeps and isinstance(act, CHANGES) else None
            warning = carry_out(act, state)
        except Rejected as refusal:
            self._answer(number, act, "rejected", reason=refusal.reason, hold=refusal.hold)
            return "refused"
        if undo is not None:
            self._keeper.autosave(undo, "before")
        state.hand.append(self._answer(number, act, "applied", warning=warning, before=before))
        self._loop.say_rates()
        return "done"

    def refuse(self, number: int, act: AnyCommand, reason: str) -> None:
        """Answer that ``act`` was not carried out."""
        self._answer(number, act, "rejected", reason=reason)

    def done(self, number: int, act: AnyCommand) -> None:
        """Answer that ``act`` was carried out."""
        self._answer(number, act, "applied")

    def _answer(
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

    def _save(self, number: int, act: Save) -> None:
        """Save what is now, and answer when it is written or has failed (on the writer thread)."""
        at, rates = self._loop.state.position, self._loop.state.rate.rates()

        def written(where: object, error: str | None) -> None:
            self._emit(
                CommandEvent(
                    id=number,
                    command=command_json(act),
                    status="applied" if error is None else "rejected",
                    reason=None if error is None else Words("not saved: {error}", error=error),
                    epoch=at.epoch,
                    batch=at.batch,
                    lr=rates,
                    lr_before=rates,
                )
            )

        self._keeper.store(self._loop.state.capture(), "asked", written, act.path)

    def _rewind(self, number: int, act: Rewind, before: list[float]) -> None:
        state = self._loop.state
        target = At(epoch=act.epoch + 1, batch=act.batch or 0)
        now, epochs, hand = state.position, state.epochs, state.hand
        go_back(state, target, self._keeper)
        parent = self._keeper.run
        self._keeper.leave(now, epochs)
        self._keeper.begin(None, self._keeper.name, parent, state, self._waiting.to_json())
        self._emit(
            BranchEvent(
                run=self._keeper.run,
                parent=parent,
                epoch=target.epoch,
                batch=target.batch,
                history=list(state.history),
                hand=list(state.hand),
            )
        )
        # What the hand did since is undone, but that it went back is not: a resumed run must not go back once more.
        state.hand += [c for c in hand[len(state.hand) :] if c.name == act.command]
        state.hand.append(self._answer(number, act, "applied", before=before, at=now))
        self._keeper.keep_beginning(state)


def go_back(state: RunState, target: At, keeper: Keeper) -> None:
    """Put ``state`` where the run stood at ``target``, from the snapshot that stands right there.

    Raises:
        Rejected: the target is not behind, or no snapshot stands there, or it cannot be read.
    """
    if not target < state.position:
        raise Rejected(Words("{target} is not behind: the run is at {now}", target=target, now=state.position))
    try:
        path, kept = keeper.find(target), keeper.positions()
    except (OSError, sqlite3.Error) as error:
        raise Rejected(Words("the run library cannot be read: {error}", error=error)) from None
    if path is None:
        stand = ", ".join(f"{epoch - 1}" if batch == 0 else f"{epoch - 1} + batch {batch}" for epoch, batch in kept)
        raise Rejected(
            Words(
                "no snapshot stands at the end of epoch {epoch}{batch}; there are some at the end of epoch {stand}",
                epoch=target.epoch - 1,
                batch=f", batch {target.batch}" if target.batch else "",
                stand=stand or "none",
            )
        )
    try:
        state.restore(snapshot.read(path))
    except snapshot.SnapshotError as error:
        raise Rejected(Words("{problem}", problem=error.problem)) from None
    state.training_mode()

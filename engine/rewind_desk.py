"""Where going back is carried out, called off and answered."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from engine.agenda import Agenda
from engine.carry_out import check_behind, target_of
from engine.commands import At, CancelRewind, Pause, Rewind, Stop
from engine.data import Cancelled
from engine.desk import Desk
from engine.events import BranchEvent, Event, GoingBackEvent, WarningEvent
from engine.keeper import Keeper
from engine.loop import Loop
from engine.mailbox import Letter, Mailbox
from engine.optimizers import Rejected
from engine.recompute import go_to
from engine.remarks import stands
from engine.words import Words

_EVERY: Final = 0.1  # seconds between two words of how far it is


class RewindDesk:
    """Carries out ``Rewind`` on the training thread, between two batches, and answers it and ``CancelRewind``.

    Where no snapshot stands at the moment that is wanted, it is computed again, which takes as long as it took to
    train. That is called off by what waits in the mailbox meanwhile: a ``CancelRewind``, or a ``Stop`` or ``Pause``
    that is due, which are carried out in their turn.
    """

    def __init__(
        self,
        loop: Loop,
        desk: Desk,
        keeper: Keeper,
        agenda: Agenda,
        mailbox: Mailbox,
        emit: Callable[[Event], None],
    ) -> None:
        self._loop, self._desk, self._keeper = loop, desk, keeper
        self._agenda, self._mailbox, self._emit = agenda, mailbox, emit
        self._calling_off = 0

    def carry_out(self, letter: Letter, command: Rewind | CancelRewind) -> Literal["rewound", "stayed"]:
        """Do and answer ``command``, which came in ``letter``."""
        number = letter.number
        if isinstance(command, Rewind):
            return self._rewind(letter, command)
        if number == self._calling_off:
            self._desk.done(number, command)
        else:
            self._desk.refuse(number, command, Words("nothing is being computed again"))
        return "stayed"

    def _rewind(self, letter: Letter, act: Rewind) -> Literal["rewound", "stayed"]:
        state, before = self._loop.state, self._loop.state.rate.rates()
        target = target_of(act)
        now, epochs, hand = state.position, state.epochs, state.hand
        try:
            check_behind(target, now, state.batches.per_epoch)
            left = state.capture()
            warning = go_to(state, target, left, self._kept(target), self._progress(letter.number), self._called_off)
        except Rejected as refusal:
            self._desk.turn_down(letter, refusal.reason)
            return "stayed"
        except Cancelled:
            self._desk.turn_down(letter, Words("going back was called off"))
            return "stayed"
        undone = [c for c in hand if c not in state.hand]
        state.hand += [
            replace(c, epoch=target.epoch, batch=target.batch) for c in undone if stands(c, hand, state.hand)
        ]
        parent = self._keeper.run
        self._keeper.autosave(left, "stop")  # the road that is left can be taken up again
        self._keeper.leave(now, epochs)
        lines = self._agenda.file_json(rest=True)
        self._keeper.begin(None, self._keeper.name, parent, state, lines, self._agenda.rows())
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
        state.hand += [c for c in undone if c.name == act.command]
        self._desk.applied(letter, self._desk.answer(letter.number, act, "applied", before=before, at=now))
        if warning is not None:
            self._emit(WarningEvent(text=warning))
        self._keeper.keep_beginning(state)
        self._loop.say_rates()
        return "rewound"

    def _kept(self, target: At) -> list[Path]:
        """Snapshots from which the target can be reached; none where the library cannot be read."""
        try:
            return self._keeper.on_the_way_to(target)
        except (OSError, sqlite3.Error):
            return []  # it is computed again from the beginning

    def _progress(self, number: int) -> Callable[[int, int], None]:
        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told >= _EVERY:
                told = time.monotonic()
                self._emit(GoingBackEvent(id=number, done=done, total=total))

        return progress

    def _called_off(self) -> bool:
        letter = self._mailbox.peek(self._calls_off)
        if letter is not None and isinstance(letter.command, CancelRewind):
            self._calling_off = letter.number
        return letter is not None

    def _calls_off(self, letter: Letter) -> bool:
        return letter.at is None and isinstance(letter.command, (CancelRewind, Pause, Stop))

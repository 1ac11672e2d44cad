"""Where the search for a rate is carried out, called off and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.carry_out import check_not_over
from engine.commands import CancelFind, FinderCommand, FindLR, Pause, Stop
from engine.data import Cancelled
from engine.desk import Desk
from engine.events import Event, FinderProgressEvent
from engine.finder import sweep
from engine.lifecycle import State
from engine.loop import Loop
from engine.mailbox import Letter, Mailbox
from engine.optimizers import Rejected
from engine.words import Words

SEARCHED: Final[frozenset[State]] = frozenset({"ready", "training", "paused"})


class FinderDesk:
    """Carries out ``FindLR`` on the training thread, between two batches, and answers it and ``CancelFind``.

    A search is called off by what waits in the mailbox meanwhile: a ``CancelFind``, or a ``Pause`` or ``Stop`` that is
    due, which are carried out in their turn.
    """

    def __init__(self, loop: Loop, desk: Desk, mailbox: Mailbox, emit: Callable[[Event], None]) -> None:
        self._loop = loop
        self._desk = desk
        self._mailbox = mailbox
        self._emit = emit
        self._calling_off = 0

    def carry_out(self, number: int, command: FinderCommand, lifecycle: State) -> None:
        """Do and answer ``command``, posted as ``number``, in the state ``lifecycle``."""
        if isinstance(command, FindLR):
            self._find(number, command, lifecycle)
        elif number == self._calling_off:
            self._desk.done(number, command)
        else:
            self._desk.refuse(number, command, Words("no search for a rate is under way"))

    def _find(self, number: int, command: FindLR, lifecycle: State) -> None:
        if lifecycle not in SEARCHED:
            why = Words("the loss diverged: go back or resume, and search then")
            self._desk.refuse(number, command, why)
            return
        state = self._loop.state

        def progress(done: int, total: int) -> None:
            self._emit(FinderProgressEvent(id=number, done=done, total=total))

        try:
            check_not_over(state.position, state.rate)
            found = sweep(state, command, progress, self._called_off)
        except Rejected as refusal:
            self._desk.refuse(number, command, refusal.reason)
            return
        except Cancelled:
            self._desk.refuse(number, command, Words("the search was called off"))
            return
        self._emit(found.event(number, state))
        self._desk.done(number, command)

    def _called_off(self) -> bool:
        letter = self._mailbox.peek(self._calls_off)
        if letter is not None and isinstance(letter.command, CancelFind):
            self._calling_off = letter.number
        return letter is not None

    def _calls_off(self, letter: Letter) -> bool:
        due = letter.at is None or letter.at <= self._loop.state.position
        return due and isinstance(letter.command, (CancelFind, Pause, Stop))

"""Where the search for a rate is carried out, called off and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.common.lifecycle import State
from engine.common.text import Text
from engine.data.sets import Cancelled
from engine.messages.commands import CancelFind, FinderCommand, FindLR, Pause, Stop
from engine.messages.events import Event, FinderProgressEvent
from engine.messages.queue import CommandQueue, PostedCommand
from engine.models.optimizers import Rejected
from engine.training.answers import Answers
from engine.training.apply import check_not_over
from engine.training.loop import Loop
from engine.training.range_test import sweep

SEARCHED: Final[frozenset[State]] = frozenset({"ready", "training", "paused"})


class RangeTestCommand:
    """Carries out ``FindLR`` on the training thread, between two batches, and answers it and ``CancelFind``.

    A search is called off by what waits in the mailbox meanwhile: a ``CancelFind``, or a ``Pause`` or ``Stop`` that is
    due, which are carried out in their turn.
    """

    def __init__(self, loop: Loop, answers: Answers, queue: CommandQueue, emit: Callable[[Event], None]) -> None:
        self._loop = loop
        self._answers = answers
        self._queue = queue
        self._emit = emit
        self._calling_off = 0

    def apply(self, number: int, command: FinderCommand, lifecycle: State) -> None:
        """Do and answer ``command``, posted as ``number``, in the state ``lifecycle``."""
        if isinstance(command, FindLR):
            self._find(number, command, lifecycle)
        elif number == self._calling_off:
            self._answers.done(number, command)
        else:
            self._answers.refuse(number, command, Text("no search for a rate is under way"))

    def _find(self, number: int, command: FindLR, lifecycle: State) -> None:
        if lifecycle not in SEARCHED:
            why = Text("the loss diverged: go back or resume, and search then")
            self._answers.refuse(number, command, why)
            return
        state = self._loop.state

        def progress(done: int, total: int) -> None:
            self._emit(FinderProgressEvent(id=number, done=done, total=total))

        try:
            check_not_over(state.position, state.lr_control)
            found = sweep(state, command, progress, self._called_off)
        except Rejected as refusal:
            self._answers.refuse(number, command, refusal.reason)
            return
        except Cancelled:
            self._answers.refuse(number, command, Text("the search was called off"))
            return
        self._emit(found.event(number, state))
        self._answers.done(number, command)

    def _called_off(self) -> bool:
        posted = self._queue.peek(self._calls_off)
        if posted is not None and isinstance(posted.command, CancelFind):
            self._calling_off = posted.number
        return posted is not None

    def _calls_off(self, posted: PostedCommand) -> bool:
        due = posted.at is None or posted.at <= self._loop.state.position
        return due and isinstance(posted.command, (CancelFind, Pause, Stop))

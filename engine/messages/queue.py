"""Commands on their way to the trainer: a queue that can be closed, so that none is ever left unanswered."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from engine.messages.commands import CancelRewind, FinderCommand, Intervention, Position, TransportCommand, Withdraw

AnyCommand = Intervention | TransportCommand | Withdraw | FinderCommand | CancelRewind


# Where a command came from: a hand's file, a person for a moment to come, a person at once, or a checkpoint's hand.
Source = Literal["file", "posted", "direct", "held"]


class PostedCommand(NamedTuple):
    """A command under its id (0: a line of a hand's file), to be carried out at once or not before ``at``.

    ``ticket`` is what the library knows it by, 0 while it does not.
    """

    number: int
    command: AnyCommand
    at: Position | None = None
    source: Source = "direct"
    ticket: int = 0


class CommandQueue:
    """A queue from any thread to the training thread. Each command gets an id, from 1."""

    def __init__(self) -> None:
        self._letters: deque[PostedCommand] = deque()
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._closed = False

    def post(
        self,
        command: AnyCommand,
        at: Position | None,
        queued: Callable[[int], None],
        refused: Callable[[int], None],
    ) -> int:
        """Add ``command`` and return its id.

        ``queued`` is called with the id before the training thread can see the command, or ``refused`` where the
        mailbox is closed.
        """
        with self._changed:
            number = next(self._ids)
            if self._closed:
                refused(number)
                return number
            queued(number)
            self._letters.append(PostedCommand(number, command, at))
            self._changed.notify()
            return number

    def number(self) -> int:
        """A new id, for a command that is not sent but found waiting."""
        with self._changed:
            return next(self._ids)

    def take(self, wait: bool) -> PostedCommand | None:
        """The oldest command; None where there is none, or waits for one with ``wait``."""
        with self._changed:
            while wait and not self._letters:
                self._changed.wait()
            return self._letters.popleft() if self._letters else None

    def peek(self, wanted: Callable[[PostedCommand], bool]) -> PostedCommand | None:
        """The oldest command that is ``wanted``, which stays where it is; None where there is none."""
        with self._changed:
            return next(filter(wanted, self._letters), None)

    def close(self) -> list[PostedCommand]:
        """Accept no more commands; returns those that were never taken."""
        with self._changed:
            self._closed = True
            left = list(self._letters)
            self._letters.clear()
            return left

"""The queue of commands to the trainer. It can be closed, so that every command gets an answer."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from engine.common.position import Position
from engine.messages.commands import CancelRewind, Intervention, RangeTestCommand, TransportCommand, Withdraw

AnyCommand = Intervention | TransportCommand | Withdraw | RangeTestCommand | CancelRewind

Source = Literal["file", "posted", "direct", "checkpoint"]
"""Where a command comes from.

A commands file (``file``), a user for a later position (``posted``) or for the next batch (``direct``), or the
interventions that a checkpoint holds (``checkpoint``).
"""


class PostedCommand(NamedTuple):
    """A command on its way to the trainer.

    Attributes:
        number: its id; 0 for a line of a commands file.
        command: the command.
        at: the first position at which it may be applied; None: the next batch.
        source: where it comes from.
        ticket: its key in the library; 0 if the library does not know it.
    """

    number: int
    command: AnyCommand
    at: Position | None = None
    source: Source = "direct"
    ticket: int = 0


class CommandQueue:
    """A queue from any thread to the training thread. Each command gets an id, counted from 1."""

    def __init__(self) -> None:
        self._commands: deque[PostedCommand] = deque()
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._closed = False

    def post(
        self,
        command: AnyCommand,
        at: Position | None,
        queued: Callable[[int], None],
        rejected: Callable[[int], None],
    ) -> int:
        """Add a command and return its id.

        Args:
            command: the command.
            at: the first position at which it may be applied; None: the next batch.
            queued: called with the id before the training thread can take the command.
            rejected: called with the id instead if the queue is closed.
        """
        with self._changed:
            number = next(self._ids)
            if self._closed:
                rejected(number)
                return number
            queued(number)
            self._commands.append(PostedCommand(number, command, at))
            self._changed.notify()
            return number

    def number(self) -> int:
        """A new id, for a command that does not pass through the queue."""
        with self._changed:
            return next(self._ids)

    def take(self, wait: bool) -> PostedCommand | None:
        """Take the oldest command. If there is none, return None or, with ``wait``, wait for one."""
        with self._changed:
            while wait and not self._commands:
                self._changed.wait()
            return self._commands.popleft() if self._commands else None

    def peek(self, wanted: Callable[[PostedCommand], bool]) -> PostedCommand | None:
        """The oldest command for which ``wanted`` is true, without taking it; None if there is none."""
        with self._changed:
            return next(filter(wanted, self._commands), None)

    def close(self) -> list[PostedCommand]:
        """Reject all commands from now on; returns those that were not taken."""
        with self._changed:
            self._closed = True
            remaining = list(self._commands)
            self._commands.clear()
            return remaining

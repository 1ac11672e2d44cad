"""What the hand still has to do, each thing at its moment: posted commands, lines of a file, acts to be done anew."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

from engine.common.position import Position
from engine.library import InterventionRow, record
from engine.messages.commands import CommandAt, Intervention, Rewind
from engine.messages.commands_file import WaitingCommands
from engine.messages.events import CommandEvent
from engine.messages.queue import CommandQueue, PostedCommand


class PendingCommands:
    """The commands that wait.

    At one moment posted ones come first, then the file's lines, then acts that were carried out at once: in that order
    a run was trained, and so a run that goes on after a crash does them again in it.
    """

    def __init__(self) -> None:
        self._file = WaitingCommands(())
        self._tickets: deque[int] = deque()
        self._later: list[PostedCommand] = []
        self._again: deque[PostedCommand] = deque()
        self._last = 0

    def begin(
        self,
        file: WaitingCommands,
        recorded: Iterable[InterventionRow],
        now: Position,
        held: Sequence[CommandEvent],
        queue: CommandQueue,
    ) -> list[CommandEvent]:
        """Wait for the lines of ``file`` and for what the library has ``recorded`` and the run does not know yet.

        The run stands at ``now``, and ``held`` is its hand. What waited for a moment before that is over, though the
        library may never have heard of it (its disk was full). Returns what belongs to the hand but is not done again:
        that it went back, in a branch.
        """
        there = [c.command for c in held if (c.epoch, c.batch) == (now.epoch, now.batch)]
        self._file = file
        self._tickets = deque(self.ticket() for _ in file.rest())
        undone: list[CommandEvent] = []
        for row in recorded:
            lost = row.state == "applied" and row.place is not None and row.place >= len(held)
            if row.source == "file" or not (lost or row.state == "waiting"):
                continue
            line = row.line()
            if row.state == "waiting" and (line.at < now or (line.at == now and row.command in there)):
                continue
            if isinstance(line.intervention, Rewind) and lost:
                undone += [CommandEvent(**row.answer)] if row.answer else []
            elif row.source == "posted":
                at = row.at or line.at
                self._later.append(PostedCommand(queue.number(), line.intervention, at, "posted", row.ticket))
            else:
                self._again.append(PostedCommand(0, line.intervention, line.at, "direct", row.ticket))
        return undone

    def ticket(self) -> int:
        """A number that no other command of this run has, greater than all before."""
        self._last = max(self._last + 1, time.time_ns())
        return self._last

    def add(self, posted: PostedCommand) -> PostedCommand:
        """Wait with a posted command for its moment; returns it as the library shall know it."""
        known = posted._replace(source="posted", ticket=self.ticket())
        self._later.append(known)
        return known

    def next(self, now: Position) -> PostedCommand | None:
        """Take what is due, the first of it, or None."""
        for posted in self._later:
            if posted.at is None or posted.at <= now:
                self._later.remove(posted)
                return posted
        line = self._file.due(now)
        if line is not None:
            return self._posted(line, self._tickets.popleft())
        if self._again and self._again[0].at is not None and self._again[0].at <= now:
            return self._again.popleft()
        return None

    def withdraw(self, number: int) -> PostedCommand | None:
        """Take out the posted command with the id ``number``; None where it does not wait (any more)."""
        found = next((posted for posted in self._later if posted.number == number), None)
        if found is not None:
            self._later.remove(found)
        return found

    @property
    def posted(self) -> list[PostedCommand]:
        """Posted commands that wait."""
        return list(self._later)

    def rest(self) -> list[PostedCommand]:
        """All that still waits: lines of the file, acts to be done again, posted commands."""
        return [*self.lines(), *self._again, *self._later]

    def rows(self) -> list[InterventionRow]:
        """Of what still waits the interventions, as the library keeps them: what a resumed run must know of."""
        return [record.waiting(posted) for posted in self.rest() if isinstance(posted.command, Intervention)]

    def lines(self) -> list[PostedCommand]:
        """The file's lines that still wait."""
        return [self._posted(line, ticket) for line, ticket in zip(self._file.rest(), self._tickets, strict=True)]

    def file_json(self, *, rest: bool = False) -> str:
        """The file's lines as COMMANDS.jsonl text: all of them, from which a resume finds its place, or those left."""
        return (WaitingCommands(self._file.rest()) if rest else self._file).to_json()

    @staticmethod
    def _posted(line: CommandAt, ticket: int) -> PostedCommand:
        return PostedCommand(0, line.intervention, line.at, "file", ticket)

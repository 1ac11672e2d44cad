"""The commands of a run that are not due yet: posted ones, lines of the commands file, and those to apply again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

from engine.common.position import Position
from engine.library import InterventionRow, statements
from engine.messages.commands import CommandAt, Intervention, Rewind
from engine.messages.commands_file import WaitingCommands
from engine.messages.events import CommandEvent
from engine.messages.queue import CommandQueue, PostedCommand


class PendingCommands:
    """Holds commands until their position is reached.

    At one position, posted ones come first, then the file's lines, then interventions that were applied as soon as they
    were posted: a run that resumes after a crash applies them again in the order of the first time.
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
        """Take the lines of ``file``, and of what the library has ``recorded`` all that the run does not hold yet.

        What was recorded as pending for a position before ``now`` is over, though the library may not know (its disk
        was full).

        Args:
            file: the commands file.
            recorded: the run's interventions, from the library.
            now: the run's position.
            held: the run's interventions, from the checkpoint.
            queue: gives ids to posted commands.

        Returns:
            rewinds that belong to the run's interventions but are not applied again.
        """
        here = [c.command for c in held if (c.epoch, c.batch) == (now.epoch, now.batch)]
        self._file = file
        self._tickets = deque(self.ticket() for _ in file.rest())
        rewinds: list[CommandEvent] = []
        for row in recorded:
            lost = row.state == "applied" and row.ordinal is not None and row.ordinal >= len(held)
            if row.source == "file" or not (lost or row.state == "pending"):
                continue
            line = row.line()
            if row.state == "pending" and (line.at < now or (line.at == now and row.command in here)):
                continue
            if isinstance(line.intervention, Rewind) and lost:
                rewinds += [row.answer] if row.answer else []
            elif row.source == "posted":
                at = row.at or line.at
                self._later.append(PostedCommand(queue.number(), line.intervention, at, "posted", row.ticket))
            else:
                self._again.append(PostedCommand(0, line.intervention, line.at, "direct", row.ticket))
        return rewinds

    def ticket(self) -> int:
        """A number that is greater than those of all commands of this run so far."""
        self._last = max(self._last + 1, time.time_ns())
        return self._last

    def add(self, posted: PostedCommand) -> PostedCommand:
        """Add a posted command that has a position; returns it with its ticket, as it is recorded."""
        known = posted._replace(source="posted", ticket=self.ticket())
        self._later.append(known)
        return known

    def next(self, now: Position) -> PostedCommand | None:
        """Remove and return the first command that is due, or None."""
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
        """Remove and return the posted command with the id ``number``; None where it is not pending."""
        found = next((posted for posted in self._later if posted.number == number), None)
        if found is not None:
            self._later.remove(found)
        return found

    @property
    def posted(self) -> list[PostedCommand]:
        """The posted commands."""
        return list(self._later)

    def rest(self) -> list[PostedCommand]:
        """All pending commands: lines of the file, those to apply again, posted ones."""
        return [*self.lines(), *self._again, *self._later]

    def rows(self) -> list[InterventionRow]:
        """The pending interventions as the library stores them, for a resumed run."""
        return [statements.pending(posted) for posted in self.rest() if isinstance(posted.command, Intervention)]

    def lines(self) -> list[PostedCommand]:
        """The pending lines of the file."""
        return [self._posted(line, ticket) for line, ticket in zip(self._file.rest(), self._tickets, strict=True)]

    def file_json(self, *, rest: bool = False) -> str:
        """The file's lines as JSON lines: all of them, of which a resumed run skips those applied, or those pending."""
        return (WaitingCommands(self._file.rest()) if rest else self._file).to_json()

    @staticmethod
    def _posted(line: CommandAt, ticket: int) -> PostedCommand:
        return PostedCommand(0, line.intervention, line.at, "file", ticket)

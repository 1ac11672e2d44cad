"""What the hand still has to do, each thing at its moment: posted commands, lines of a file, acts to be done anew."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

from engine.commands import At, HandCommand, HandLine, Rewind
from engine.events import CommandEvent
from engine.hand import WaitingHand
from engine.library import HandRow, record
from engine.mailbox import Letter, Mailbox


class Agenda:
    """The commands that wait.

    At one moment posted ones come first, then the file's lines, then acts that were carried out at once: in that order
    a run was trained, and so a run that goes on after a crash does them again in it.
    """

    def __init__(self) -> None:
        self._file = WaitingHand(())
        self._tickets: deque[int] = deque()
        self._later: list[Letter] = []
        self._again: deque[Letter] = deque()
        self._last = 0

    def begin(
        self, file: WaitingHand, recorded: Iterable[HandRow], now: At, held: Sequence[CommandEvent], mailbox: Mailbox
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
            if isinstance(line.act, Rewind) and lost:
                undone += [CommandEvent(**row.answer)] if row.answer else []
            elif row.source == "posted":
                at = row.at or line.at
                self._later.append(Letter(mailbox.number(), line.act, at, "posted", row.ticket))
            else:
                self._again.append(Letter(0, line.act, line.at, "direct", row.ticket))
        return undone

    def ticket(self) -> int:
        """A number that no other command of this run has, greater than all before."""
        self._last = max(self._last + 1, time.time_ns())
        return self._last

    def add(self, letter: Letter) -> Letter:
        """Wait with a posted command for its moment; returns it as the library shall know it."""
        known = letter._replace(source="posted", ticket=self.ticket())
        self._later.append(known)
        return known

    def next(self, now: At) -> Letter | None:
        """Take what is due, the first of it, or None."""
        for letter in self._later:
            if letter.at is None or letter.at <= now:
                self._later.remove(letter)
                return letter
        line = self._file.due(now)
        if line is not None:
            return self._letter(line, self._tickets.popleft())
        if self._again and self._again[0].at is not None and self._again[0].at <= now:
            return self._again.popleft()
        return None

    def withdraw(self, number: int) -> Letter | None:
        """Take out the posted command with the id ``number``; None where it does not wait (any more)."""
        found = next((letter for letter in self._later if letter.number == number), None)
        if found is not None:
            self._later.remove(found)
        return found

    @property
    def posted(self) -> list[Letter]:
        """Posted commands that wait."""
        return list(self._later)

    def rest(self) -> list[Letter]:
        """All that still waits: lines of the file, acts to be done again, posted commands."""
        return [*self.lines(), *self._again, *self._later]

    def rows(self) -> list[HandRow]:
        """Of what still waits the acts of the hand, as the library keeps them: what a resumed run must know of."""
        return [record.waiting(letter) for letter in self.rest() if isinstance(letter.command, HandCommand)]

    def lines(self) -> list[Letter]:
        """The file's lines that still wait."""
        return [self._letter(line, ticket) for line, ticket in zip(self._file.rest(), self._tickets, strict=True)]

    def file_json(self, *, rest: bool = False) -> str:
        """The file's lines as HAND.jsonl text: all of them, from which a resume finds its place, or those left."""
        return (WaitingHand(self._file.rest()) if rest else self._file).to_json()

    @staticmethod
    def _letter(line: HandLine, ticket: int) -> Letter:
        return Letter(0, line.act, line.at, "file", ticket)

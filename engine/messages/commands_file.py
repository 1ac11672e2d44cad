"""The commands file (JSON lines): reading it, and keeping its lines until they are due."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.common.errors import SpecError
from engine.common.json_text import read_json, read_text
from engine.common.position import Position
from engine.common.spec import parse
from engine.messages.commands import AnyIntervention, CommandAt, Rewind, Save, Stop
from engine.messages.events import CommandEvent


def read_commands(path: str | Path) -> list[CommandAt]:
    """Read a commands file.

    Raises:
        SpecError: the file cannot be read, or as ``parse_commands``.
    """
    return parse_commands(read_text(path, "commands"))


def parse_commands(text: str) -> list[CommandAt]:
    """Read the text of a commands file. Empty lines are skipped.

    Raises:
        SpecError: a line is invalid, or ``at`` decreases without a rewind; names the line (from 1) and the field.
    """
    lines: list[CommandAt] = []
    for number, raw in enumerate(text.split("\n"), start=1):  # splitlines() would also split inside a JSON string
        if not raw.strip():
            continue
        try:
            line = _line(raw)
        except SpecError as error:
            raise SpecError(".".join(filter(None, (f"commands line {number}", error.field))), error.problem) from None
        if lines and line.at < lines[-1].at and not isinstance(lines[-1].intervention, Rewind):
            raise SpecError(
                f"commands line {number}.at", f"must not decrease: {line.at} comes after {lines[-1].at} in the file"
            )
        lines.append(line)
    return lines


def _line(raw: str) -> CommandAt:
    loaded = read_json(raw)
    if not isinstance(loaded, dict):
        raise SpecError("", 'must be an object such as {"at": {"epoch": 4}, "command": "set_lr", "lr": 0.05}')
    if "at" not in loaded:
        raise SpecError("at", 'is required, such as {"epoch": 4, "batch": 0}')
    try:
        at: Position = parse(Position, json.dumps(loaded.pop("at")))
    except SpecError as error:
        raise SpecError(".".join(filter(None, ("at", error.field))), error.problem) from None
    return CommandAt(at=at, intervention=parse(AnyIntervention, json.dumps(loaded)))


class WaitingCommands:
    """The lines of a commands file that are not due yet, in file order.

    On a resume, the lines up to the last rewind that the checkpoint contains are skipped. After them, up to the next
    rewind, the lines before ``start`` are skipped, and of those at ``start`` the ones that the checkpoint contains. A
    ``save`` or ``stop`` at ``start`` is skipped too: it is what wrote the checkpoint or ended the run there.

    Args:
        lines: the lines of the file.
        start: the position at which the run resumes; None for a new run, which skips nothing.
        applied: the interventions that the checkpoint contains.
    """

    def __init__(
        self, lines: Iterable[CommandAt], start: Position | None = None, applied: Sequence[CommandEvent] = ()
    ) -> None:
        self._all = tuple(lines)
        self._lines = deque(self._all if start is None else _not_skipped(self._all, start, applied))

    def due(self, now: Position) -> CommandAt | None:
        """Take the next line if its position is reached or passed, else return None."""
        if self._lines and self._lines[0].at <= now:
            return self._lines.popleft()
        return None

    def rest(self) -> list[CommandAt]:
        """The lines that are not due yet."""
        return list(self._lines)

    def to_json(self) -> str:
        """All lines, including those already taken, as the text of a commands file: what a resume needs."""
        return "".join(json.dumps(line.to_dict()) + "\n" for line in self._all)


def _not_skipped(lines: Sequence[CommandAt], start: Position, applied: Sequence[CommandEvent]) -> Iterator[CommandAt]:
    """The ``lines`` that a run that resumes at ``start`` has yet to apply."""
    done = [(event.position, event.command) for event in applied]
    rewinds = [entry for entry in done if entry[1]["command"] == "rewind"]
    done_at_start = [command for at, command in done if at == start and command["command"] != "rewind"]
    skipped = 0
    for count, line in enumerate(lines, start=1):
        entry = (line.at, command_json(line.intervention))
        if entry in rewinds:
            del rewinds[: rewinds.index(entry) + 1]
            skipped = count
    after_rewind = False  # positions after a rewind that is still to come cannot be compared with ``start``
    for line in lines[skipped:]:
        command = command_json(line.intervention)
        if not after_rewind and line.at == start and command in done_at_start:
            done_at_start.remove(command)
        elif after_rewind or start < line.at or (line.at == start and not isinstance(line.intervention, (Save, Stop))):
            after_rewind = after_rewind or isinstance(line.intervention, Rewind)
            yield line


def command_json(intervention: Any) -> dict[str, Any]:
    """A command as JSON data, without the keys whose value is None."""
    data: dict[str, Any] = intervention.model_dump(mode="json", exclude_none=True)
    return data

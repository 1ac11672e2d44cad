"""The hand as lines of COMMANDS.jsonl: read, waiting, and skipped where a checkpoint holds them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.common.spec import SpecError, parse
from engine.messages.commands import AnyIntervention, CommandAt, Position, Rewind, Save, Stop
from engine.messages.events import CommandEvent


def read_commands(path: str | Path) -> list[CommandAt]:
    """Read a COMMANDS.jsonl file.

    Raises:
        SpecError: the file cannot be read, or a line is bad; names the line and the field.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError("commands", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SpecError("commands", f"{path} is not text in UTF-8") from None
    return parse_commands(text)


def parse_commands(text: str) -> list[CommandAt]:
    """Read the lines of a hand; empty lines are passed over.

    Raises:
        SpecError: a line is bad, or ``at`` decreases without a rewind; names the line (from 1) and the field.
    """
    lines: list[CommandAt] = []
    for number, raw in enumerate(text.split("\n"), start=1):  # a JSON string may hold what splitlines() breaks at
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
    try:
        loaded = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise SpecError("", f"is not JSON: {error}") from None
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
    """Lines that wait for their moment, in file order.

    Args:
        lines: the lines of the file, or what is left of them.
        start: where the run begins or resumes.
        held: commands that the resumed checkpoint holds already.

    On a resume, lines up to the last rewind that the checkpoint holds are skipped. Of the rest, up to the next rewind,
    those before ``start`` are skipped, and so are those at ``start`` that the checkpoint holds. A ``save`` or ``stop``
    at ``start`` itself is what made the checkpoint, or ended the run there: the file resumes as if neither had been.
    """

    def __init__(
        self, lines: Iterable[CommandAt], start: Position | None = None, held: Sequence[CommandEvent] = ()
    ) -> None:
        self._all = tuple(lines)
        self._lines = deque(self._all if start is None else _left(self._all, start, held))

    def due(self, now: Position) -> CommandAt | None:
        """Take the next line if its moment has come (or is past), else None."""
        if self._lines and self._lines[0].at <= now:
            return self._lines.popleft()
        return None

    def rest(self) -> list[CommandAt]:
        """The lines that still wait."""
        return list(self._lines)

    def to_json(self) -> str:
        """All lines, those that were due already too, as COMMANDS.jsonl text: what a resume needs to know its place."""
        return "".join(json.dumps(line.to_dict()) + "\n" for line in self._all)


def _left(lines: Sequence[CommandAt], start: Position, held: Sequence[CommandEvent]) -> Iterator[CommandAt]:
    """The ``lines`` that are not over for a run that resumes at ``start``."""
    done = [(Position(epoch=c.epoch, batch=c.batch), c.command) for c in held]
    rewinds = [intervention for intervention in done if intervention[1]["command"] == "rewind"]
    there = [command for at, command in done if at == start and command["command"] != "rewind"]
    over = 0
    for count, line in enumerate(lines, start=1):
        intervention = (line.at, command_json(line.intervention))
        if intervention in rewinds:
            del rewinds[: rewinds.index(intervention) + 1]
            over = count
    ahead = False  # behind a rewind that is still to come, positions say nothing
    for line in lines[over:]:
        command = command_json(line.intervention)
        if not ahead and line.at == start and command in there:
            there.remove(command)
        elif ahead or start < line.at or (line.at == start and not isinstance(line.intervention, (Save, Stop))):
            ahead = ahead or isinstance(line.intervention, Rewind)
            yield line


def command_json(intervention: Any) -> dict[str, Any]:
    """A command as plain JSON data, without the keys that are not given."""
    data: dict[str, Any] = intervention.model_dump(mode="json", exclude_none=True)
    return data

"""The hand as lines of HAND.jsonl: read, waiting, and skipped where a snapshot holds them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.commands import AnyHandCommand, At, HandLine, Rewind, Save, Stop
from engine.events import CommandEvent
from engine.spec import SpecError, parse


def read_hand(path: str | Path) -> list[HandLine]:
    """Read a HAND.jsonl file.

    Raises:
        SpecError: the file cannot be read, or a line is bad; names the line and the field.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError("hand", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SpecError("hand", f"{path} is not text in UTF-8") from None
    return parse_hand(text)


def parse_hand(text: str) -> list[HandLine]:
    """Read the lines of a hand; empty lines are passed over.

    Raises:
        SpecError: a line is bad, or ``at`` decreases without a rewind; names the line (from 1) and the field.
    """
    lines: list[HandLine] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip():
            continue
        try:
            line = _line(raw)
        except SpecError as error:
            raise SpecError(".".join(filter(None, (f"hand line {number}", error.field))), error.problem) from None
        if lines and line.at < lines[-1].at and not isinstance(lines[-1].act, Rewind):
            raise SpecError(
                f"hand line {number}.at", f"must not decrease: {line.at} comes after {lines[-1].at} in the file"
            )
        lines.append(line)
    return lines


def _line(raw: str) -> HandLine:
    try:
        loaded = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise SpecError("", f"is not JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise SpecError("", 'must be an object such as {"at": {"epoch": 4}, "command": "set_lr", "lr": 0.05}')
    if "at" not in loaded:
        raise SpecError("at", 'is required, such as {"epoch": 4, "batch": 0}')
    try:
        at: At = parse(At, json.dumps(loaded.pop("at")))
    except SpecError as error:
        raise SpecError(".".join(filter(None, ("at", error.field))), error.problem) from None
    return HandLine(at=at, act=parse(AnyHandCommand, json.dumps(loaded)))


class WaitingHand:
    """Lines that wait for their moment, in file order.

    Args:
        lines: the lines of the file, or what is left of them.
        start: where the run begins or resumes.
        held: commands that the resumed snapshot holds already.

    On a resume, lines before ``start`` are over, and so are those at ``start`` that the snapshot holds. A ``save`` or
    ``stop`` at ``start`` itself is what made the snapshot, or ended the run there: the file resumes as if neither had
    been.
    """

    def __init__(self, lines: Iterable[HandLine], start: At | None = None, held: Sequence[CommandEvent] = ()) -> None:
        self._lines = deque(lines)
        if start is None:
            return
        there = [c.command for c in held if (c.epoch, c.batch) == (start.epoch, start.batch)]
        kept: list[HandLine] = []
        for line in self._lines:
            if line.at < start:
                continue
            if line.at == start:
                command = line.act.model_dump(mode="json", exclude_none=True)
                if command in there:
                    there.remove(command)
                    continue
                if isinstance(line.act, (Save, Stop)):
                    continue
            kept.append(line)
        self._lines = deque(kept)

    def due(self, now: At) -> HandLine | None:
        """Take the next line if its moment has come (or is past), else None."""
        if self._lines and self._lines[0].at <= now:
            return self._lines.popleft()
        return None

    def rest(self) -> list[HandLine]:
        """The lines that still wait."""
        return list(self._lines)

    def to_json(self) -> str:
        """The waiting lines as HAND.jsonl text."""
        return "".join(json.dumps(line.to_dict()) + "\n" for line in self._lines)


def command_json(act: Any) -> dict[str, Any]:
    """A command as plain JSON data, without the keys that are not given."""
    data: dict[str, Any] = act.model_dump(mode="json", exclude_none=True)
    return data

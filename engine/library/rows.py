"""What the library knows, as values: runs, their checkpoints, the hand with the state of each command."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import CommandAt
from engine.messages.commands_file import parse_commands
from engine.messages.queue import Source

Kind = Literal["epoch", "timed", "before", "asked", "stop"]
KINDS: Final[tuple[Kind, ...]] = ("epoch", "timed", "before", "asked", "stop")
CommandState = Literal["waiting", "applied", "rejected"]
Done = Callable[[Path | None, str | None], None]
Warned = Callable[[Text], None]
# States of a run that somebody must be at: without its owner it was interrupted.
UNDER_WAY: Final = frozenset({"loading", "ready", "training", "paused"})


def new_run_id() -> str:
    """A name for a run that no other run has; letters and digits."""
    return secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run as the library knows it; times are Unix seconds.

    ``state`` is the lifecycle's, or ``interrupted`` where its process is gone, or ``left`` for a branch of it.
    ``waiting`` is all of its hand's lines, due or not. ``live``: some process is at it. ``deleted`` is when it was put
    into the bin, or None. ``bytes`` is what its checkpoints take on the disk.
    """

    id: str
    name: str
    state: str
    created: float
    updated: float
    epochs_done: int
    epochs: int
    parent: str | None
    branch_epoch: int | None
    branch_batch: int | None
    recipe: str
    waiting: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    deleted: float | None = None
    batches_per_epoch: int = 0
    live: bool = False
    bytes: int = 0

    @property
    def branch(self) -> tuple[int, int] | None:
        """Where it left its parent, as (epoch, batch), or None."""
        if self.parent is None or self.branch_epoch is None:
            return None
        return self.branch_epoch, self.branch_batch or 0


STORED: Final = (
    "id",
    "name",
    "state",
    "created",
    "updated",
    "epochs_done",
    "epochs",
    "parent",
    "branch_epoch",
    "branch_batch",
    "recipe",
    "waiting",
    "notes",
    "tags",
    "deleted",
    "batches_per_epoch",
)


@dataclass(frozen=True, kw_only=True)
class CheckpointRow:
    """A checkpoint's file; it stands before ``batch`` of ``epoch``.

    ``metrics`` are those of the epoch that ended there.
    """

    path: Path
    run: str
    kind: Kind
    epoch: int
    batch: int
    created: float
    bytes: int
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InterventionRow:
    """One command of the hand and what became of it.

    ``ticket`` tells it from the run's others. ``at`` is the moment it was asked for (None: at once).
    ``epoch`` and ``batch`` say where it was answered, ``place`` its index among the commands that changed the run, and
    ``answer`` is the event that answered it, as JSON data, ``answered`` when that was (Unix seconds).
    """

    ticket: int
    source: Source
    at: Position | None
    command: dict[str, Any]
    state: CommandState
    reason: str | None = None
    epoch: int | None = None
    batch: int | None = None
    place: int | None = None
    answer: dict[str, Any] | None = None
    answered: float | None = None

    def line(self) -> CommandAt:
        """The command as a line of a hand: at the moment where it was answered, or else for which it waits."""
        at = (
            Position(epoch=self.epoch, batch=self.batch or 0)
            if self.epoch is not None
            else self.at or Position(epoch=1)
        )
        (line,) = parse_commands(json.dumps({"at": at.model_dump(), **self.command}))
        return line

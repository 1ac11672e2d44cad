"""What the library holds, as values: runs, checkpoints, interventions."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from engine.common.position import AtPosition, Position
from engine.messages.commands import CommandAt
from engine.messages.commands_file import parse_commands
from engine.messages.queue import Source

Kind = Literal["epoch", "timed", "before", "asked", "stop"]
KINDS: Final[tuple[Kind, ...]] = ("epoch", "timed", "before", "asked", "stop")
CommandState = Literal["pending", "applied", "rejected"]
RUNNING: Final = frozenset({"loading", "ready", "training", "paused"})
"""States of a run that a process has open; where none has, the run was interrupted."""


def new_run_id() -> str:
    """A random id for a run, of letters and digits."""
    return secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run; times are Unix seconds.

    Args:
        id: of the run.
        name: what the person calls it.
        state: the lifecycle's; ``interrupted``: its process ended early; ``abandoned``: it continued as a branch.
        created: when it began.
        updated: when it last trained or changed its state; naming or tagging it leaves this as it is.
        epochs_done: epochs completed.
        epochs: its length.
        parent: the run that it branched from.
        branch_epoch: the position of the branch, with ``branch_batch``.
        branch_batch: see ``branch_epoch``.
        recipe: as JSON.
        commands: its commands file, all lines, as JSON lines.
        notes: the person's.
        tags: the person's.
        deleted: when it was put into the recycle bin, or None.
        batches_per_epoch: 0 where it is not known.
        live: whether a process has it open.
        bytes: what its checkpoints take on disk.
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
    commands: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    deleted: float | None = None
    batches_per_epoch: int = 0
    live: bool = False
    bytes: int = 0

    @property
    def branch(self) -> Position | None:
        """Where it branched from its parent, or None."""
        if self.parent is None or self.branch_epoch is None:
            return None
        return Position(epoch=self.branch_epoch, batch=self.branch_batch or 0)


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
    "commands",
    "notes",
    "tags",
    "deleted",
    "batches_per_epoch",
)
"""The columns of the table of runs."""


@dataclass(frozen=True, kw_only=True)
class CheckpointRow(AtPosition):
    """A checkpoint file; the run resumes from it before ``batch`` of ``epoch``.

    ``metrics`` are those of the epoch that ended there; empty where none did.
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
    """An intervention, and what became of it.

    Args:
        ticket: unique within the run.
        source: where it came from.
        at: the position that it was posted for; None: the next batch.
        command: as JSON data.
        state: whether it is pending, applied or rejected.
        reason: why it was rejected.
        epoch: where it was answered, with ``batch``.
        batch: see ``epoch``.
        ordinal: its index in the run's interventions, if it is one of them.
        answer: the event that answered it, as JSON data.
        answered: when that was (Unix seconds).
    """

    ticket: int
    source: Source
    at: Position | None
    command: dict[str, Any]
    state: CommandState
    reason: str | None = None
    epoch: int | None = None
    batch: int | None = None
    ordinal: int | None = None
    answer: dict[str, Any] | None = None
    answered: float | None = None

    def line(self) -> CommandAt:
        """The intervention at the position where it was answered, or else for which it is pending."""
        at = (
            Position(epoch=self.epoch, batch=self.batch or 0)
            if self.epoch is not None
            else self.at or Position(epoch=1)
        )
        (line,) = parse_commands(json.dumps({"at": at.model_dump(), **self.command}))
        return line

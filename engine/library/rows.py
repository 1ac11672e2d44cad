"""What the library holds, as values: runs, checkpoints, interventions."""

from __future__ import annotations

import json
import secrets
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from engine.common.lifecycle import STATES
from engine.common.position import AtPosition, Position
from engine.common.run_id import RunId
from engine.common.spec import LARGEST
from engine.messages.commands import CommandAt, to_intervention
from engine.messages.commands_file import parse_commands
from engine.messages.events import CommandEvent
from engine.messages.queue import Source

Kind = Literal["epoch", "timed", "before", "asked", "stop"]
KINDS: Final[tuple[Kind, ...]] = ("epoch", "timed", "before", "asked", "stop")
CommandState = Literal["pending", "applied", "rejected"]
RUNNING: Final = frozenset({"loading", "ready", "training", "paused"})
"""States of a run that a process has open; where none has, the run was interrupted."""


_STATES: Final = "|".join([*STATES, "interrupted", "abandoned"])
_STRICT: Final = ConfigDict(strict=True, arbitrary_types_allowed=True)  # rows may come from anywhere
RunStateName = Annotated[str, Field(pattern=f"^({_STATES})$")]
Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Epoch = Annotated[int, Field(ge=1, le=LARGEST)]


def _known(command: dict[str, Any]) -> dict[str, Any]:
    to_intervention(command)
    return command


def new_run_id() -> str:
    """A random id for a run, of letters and digits."""
    return secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
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

    id: RunId
    name: str
    state: RunStateName
    created: Time
    updated: Time
    epochs_done: Count
    epochs: Epoch
    parent: RunId | None
    branch_epoch: Epoch | None
    branch_batch: Count | None
    recipe: str
    commands: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    deleted: Time | None = None
    batches_per_epoch: Count = 0
    live: bool = False
    bytes: Count = 0

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


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CheckpointRow(AtPosition):
    """A checkpoint file; the run resumes from it before ``batch`` of ``epoch``.

    ``metrics`` are those of the epoch that ended there; empty where none did.
    """

    path: Path
    run: RunId
    kind: Kind
    epoch: Epoch
    batch: Count
    created: Time
    bytes: Count
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
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
        answer: the event that answered it.
        answered: when that was (Unix seconds).
    """

    ticket: int
    source: Source
    at: Position | None
    command: Annotated[dict[str, Any], AfterValidator(_known)]
    state: CommandState
    reason: str | None = None
    epoch: Epoch | None = None
    batch: Count | None = None
    ordinal: Count | None = None
    answer: CommandEvent | None = None
    answered: Time | None = None

    def line(self) -> CommandAt:
        """The intervention at the position where it was answered, or else for which it is pending."""
        at = (
            Position(epoch=self.epoch, batch=self.batch or 0)
            if self.epoch is not None
            else self.at or Position(epoch=1)
        )
        (line,) = parse_commands(json.dumps({"at": at.model_dump(), **self.command}))
        return line

"""What is written of a run, as SQL statements for the library's writer thread; and batches as they are stored."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.common.position import Position
from engine.library.rows import STORED, CommandState, InterventionRow, Kind, RunRow
from engine.messages.commands_file import command_json
from engine.messages.events import CommandEvent, EpochEvent, StepsEvent
from engine.messages.queue import PostedCommand

Statement = tuple[str, Any]
"""SQL, and its parameters."""
_CHANGED_ON_RESUME: Final = ("state", "updated", "epochs", "epochs_done", "commands", "batches_per_epoch")


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A run as it begins or resumes ``at`` a position: what happened until then, and what is pending."""

    row: RunRow
    at: Position
    history: Sequence[EpochEvent] = ()
    interventions: Sequence[CommandEvent] = ()
    pending: Sequence[InterventionRow] = ()


def begin(beginning: Beginning) -> list[Statement]:
    """Add a run, or resume one: what it did after the position from which it resumes is removed."""
    row, at, run = beginning.row, beginning.at, beginning.row.id
    columns, marks = ", ".join(STORED), ", ".join(f":{name}" for name in STORED)
    update = ", ".join(f"{name} = :{name}" for name in _CHANGED_ON_RESUME)
    made: list[Statement] = [
        (f"INSERT INTO runs ({columns}) VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {update}", columns_of(row)),
        ("DELETE FROM epochs WHERE run = ? AND epoch >= ?", (run, at.epoch)),
        ("DELETE FROM steps WHERE run = ? AND (epoch, batch) >= (?, ?)", (run, at.epoch, at.batch)),
        (
            "DELETE FROM interventions WHERE run = ? AND (state = 'pending' OR ordinal >= ?)",
            (run, len(beginning.interventions)),
        ),
        (
            "DELETE FROM interventions"
            " WHERE run = ? AND source = 'file' AND ordinal IS NULL AND (epoch, batch) >= (?, ?)",
            (run, at.epoch, at.batch),
        ),
    ]
    made += [epoch(run, event) for event in beginning.history]
    for ordinal, answer in enumerate(beginning.interventions):
        known = InterventionRow(
            ticket=ordinal + 1, source="checkpoint", at=None, command=answer.command, state="applied"
        )
        made.append(_intervention(run, answered(known, answer, ordinal, None), "INSERT OR IGNORE"))
    return made + [intervention(run, row) for row in beginning.pending]


def columns_of(row: RunRow) -> dict[str, Any]:
    """The values of ``row``, by column."""
    return {name: getattr(row, name) for name in STORED} | {"tags": json.dumps(row.tags)}


def update(run: str, **values: Any) -> Statement:
    """Set columns of a run."""
    if "tags" in values:
        values["tags"] = json.dumps(list(values["tags"]))
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    return f"UPDATE runs SET {assignments} WHERE id = :id", {**values, "id": run}


def checkpoint(
    path: str, run: str, kind: Kind, at: Position, created: float, size: int, metrics: Mapping[str, float]
) -> Statement:
    """Add a checkpoint file."""
    query = "INSERT OR REPLACE INTO checkpoints (path, run, kind, epoch, batch, created, bytes, metrics)"
    values = (path, run, kind, at.epoch, at.batch, created, size, json.dumps(dict(metrics)))
    return f"{query} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values


# -- metrics


def epoch(run: str, event: EpochEvent) -> Statement:
    """Add the metrics of an epoch."""
    return (
        "INSERT OR REPLACE INTO epochs VALUES (?, ?, ?)",
        (run, event.epoch, json.dumps(dataclasses.asdict(event))),
    )


def steps(run: str, event: StepsEvent) -> Statement:
    """Add consecutive batches of one epoch."""
    count = len(event.loss)
    lrs = np.asarray(event.lr, "<f8").reshape(count, -1)
    blobs = [zlib.compress(a.tobytes(), 1) for a in (np.asarray(event.loss, "<f4"), lrs)]
    return (
        "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run, event.epoch, event.batch, count, lrs.shape[1], *blobs),
    )


def whole_epoch(run: str, event: StepsEvent) -> list[Statement]:
    """Replace the parts of an epoch by one row with all its batches."""
    query = "DELETE FROM steps WHERE run = ? AND epoch = ? AND batch >= ?"
    return [(query, (run, event.epoch, event.batch)), steps(run, event)]


def joined(events: Sequence[StepsEvent]) -> StepsEvent:
    """Consecutive reports of one epoch as one."""
    first = events[0]
    return StepsEvent(
        epoch=first.epoch,
        batch=first.batch,
        loss=np.concatenate([e.loss for e in events]),
        lr=np.concatenate([e.lr for e in events]),
        images_per_second=events[-1].images_per_second,
        skipped=sum(e.skipped for e in events),
    )


def steps_of(rows: Iterable[tuple[int, int, int, int, bytes, bytes]]) -> list[StepsEvent]:
    """Rows of (epoch, batch, count, groups, loss, lr) as reports; unreadable ones are left out."""
    found: list[StepsEvent] = []
    for epoch_, batch, count, groups, loss, lr in rows:
        try:
            losses = np.frombuffer(_unpacked(loss, 4 * count), "<f4").astype(np.float32)
            lrs = np.frombuffer(_unpacked(lr, 8 * count * groups), "<f8").astype(np.float64).reshape(count, groups)
            Position(epoch=epoch_, batch=batch)
        except (zlib.error, ValueError, TypeError):
            continue
        if found and found[-1].epoch == epoch_:  # batches that were trained again after a crash replace the old ones
            kept = batch - found[-1].batch
            found[-1] = dataclasses.replace(found[-1], loss=found[-1].loss[:kept], lr=found[-1].lr[:kept])
        found.append(StepsEvent(epoch=epoch_, batch=batch, loss=losses, lr=lrs, images_per_second=0.0))
    return found


def _unpacked(packed: bytes, size: int) -> bytes:
    """``packed`` unpacked, where it has ``size`` bytes then: a few packed bytes could have any number.

    Raises:
        ValueError, TypeError, zlib.error: it has not.
    """
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(packed, size + 1)
    if not unpacker.eof or len(unpacked) != size:
        raise ValueError
    return unpacked


def cut(event: StepsEvent, at: Position) -> StepsEvent | None:
    """The part of a report from before ``at``."""
    if event.epoch != at.epoch:
        return event if event.epoch < at.epoch else None
    kept = at.batch - event.batch
    if kept <= 0:
        return None
    return dataclasses.replace(event, loss=event.loss[:kept], lr=event.lr[:kept])


# -- interventions


def pending(posted: PostedCommand) -> InterventionRow:
    """The row of an intervention that is pending."""
    command = command_json(posted.command)
    return InterventionRow(ticket=posted.ticket, source=posted.source, at=posted.at, command=command, state="pending")


def answered(row: InterventionRow, answer: CommandEvent, ordinal: int | None, when: float | None) -> InterventionRow:
    """``row`` once it is applied or rejected, at the time ``when`` (Unix seconds; None: not known)."""
    state: CommandState = "applied" if answer.status == "applied" else "rejected"
    return dataclasses.replace(
        row,
        state=state,
        reason=answer.reason,
        epoch=answer.epoch,
        batch=answer.batch,
        ordinal=ordinal,
        answer=answer,
        answered=when,
    )


def intervention(run: str, row: InterventionRow) -> Statement:
    """Add or replace an intervention."""
    return _intervention(run, row, "INSERT OR REPLACE")


def _intervention(run: str, row: InterventionRow, verb: str) -> Statement:
    at = (row.at.epoch, row.at.batch) if row.at else (None, None)
    answer = json.dumps(dataclasses.asdict(row.answer)) if row.answer is not None else None
    values = (run, row.ticket, row.source, *at, json.dumps(row.command), row.state, row.reason)
    return (
        f"{verb} INTO interventions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, row.epoch, row.batch, row.ordinal, answer, row.answered),
    )


def remove_pending(run: str) -> Statement:
    """Remove the pending interventions of a run that continues as a branch, which has them now."""
    return "DELETE FROM interventions WHERE run = ? AND state = 'pending'", (run,)

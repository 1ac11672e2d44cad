"""What is written of a run, as statements for the writer thread."""

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
_TAKEN_UP: Final = ("state", "updated", "epochs", "epochs_done", "waiting", "batches_per_epoch")


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Where a run begins or is taken up: what holds at that moment, and what still waits."""

    row: RunRow
    at: Position
    history: Sequence[EpochEvent] = ()
    interventions: Sequence[CommandEvent] = ()
    waiting: Sequence[InterventionRow] = ()


def begin(beginning: Beginning) -> list[Statement]:
    """Add a run, or take one up: what it did after the moment from which it goes on is done anew, and so forgotten."""
    begun, at, run = beginning.row, beginning.at, beginning.row.id
    columns, marks = ", ".join(STORED), ", ".join(f":{name}" for name in STORED)
    update = ", ".join(f"{name} = :{name}" for name in _TAKEN_UP)
    made: list[Statement] = [
        (f"INSERT INTO runs ({columns}) VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {update}", stored(begun)),
        ("DELETE FROM epochs WHERE run = ? AND epoch >= ?", (run, at.epoch)),
        ("DELETE FROM steps WHERE run = ? AND (epoch, batch) >= (?, ?)", (run, at.epoch, at.batch)),
        (
            "DELETE FROM commands WHERE run = ? AND (state = 'waiting' OR place >= ?)",
            (run, len(beginning.interventions)),
        ),
        (
            "DELETE FROM commands WHERE run = ? AND source = 'file' AND place IS NULL AND (epoch, batch) >= (?, ?)",
            (run, at.epoch, at.batch),
        ),
    ]
    made += [epoch(run, event) for event in beginning.history]
    for place, answer in enumerate(beginning.interventions):
        known = InterventionRow(ticket=place + 1, source="held", at=None, command=answer.command, state="applied")
        held = answered(known, answer, place, None)
        made.append(_command(run, held, "INSERT OR IGNORE"))
    return made + [command(run, row) for row in beginning.waiting]


def stored(row: RunRow) -> dict[str, Any]:
    """The values of a row, as they are stored."""
    return {name: getattr(row, name) for name in STORED} | {"tags": json.dumps(row.tags)}


def epoch(run: str, event: EpochEvent) -> Statement:
    """The metrics of an epoch."""
    return (
        "INSERT OR REPLACE INTO epochs VALUES (?, ?, ?)",
        (run, event.epoch, json.dumps(dataclasses.asdict(event))),
    )


def steps(run: str, event: StepsEvent) -> Statement:
    """Batches of one epoch that follow one another."""
    count = len(event.loss)
    lrs = np.asarray(event.lr, "<f8").reshape(count, -1)
    blobs = [zlib.compress(a.tobytes(), 1) for a in (np.asarray(event.loss, "<f4"), lrs)]
    return (
        "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run, event.epoch, event.batch, count, lrs.shape[1], *blobs),
    )


def whole_epoch(run: str, event: StepsEvent) -> list[Statement]:
    """All that is known of an epoch's batches, in place of its parts."""
    query = "DELETE FROM steps WHERE run = ? AND epoch = ? AND batch >= ?"
    return [(query, (run, event.epoch, event.batch)), steps(run, event)]


def joined(events: Sequence[StepsEvent]) -> StepsEvent:
    """Reports that follow one another within an epoch, as one."""
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
    """Rows of (epoch, batch, count, groups, loss, lr) as reports; what cannot be read is left out."""
    found: list[StepsEvent] = []
    for epoch_, batch, count, groups, loss, lr in rows:
        try:
            losses = np.frombuffer(zlib.decompress(loss), "<f4").astype(np.float32)
            lrs = np.frombuffer(zlib.decompress(lr), "<f8").astype(np.float64).reshape(count, groups)
        except (zlib.error, ValueError):
            continue
        if found and found[-1].epoch == epoch_:  # trained anew after a crash: in place of the old ones
            kept = batch - found[-1].batch
            found[-1] = dataclasses.replace(found[-1], loss=found[-1].loss[:kept], lr=found[-1].lr[:kept])
        found.append(StepsEvent(epoch=epoch_, batch=batch, loss=losses, lr=lrs, images_per_second=0.0))
    return found


def cut(event: StepsEvent, at: Position) -> StepsEvent | None:
    """The part of a report that lies before ``at``."""
    if event.epoch != at.epoch:
        return event if event.epoch < at.epoch else None
    kept = at.batch - event.batch
    if kept <= 0:
        return None
    return dataclasses.replace(event, loss=event.loss[:kept], lr=event.lr[:kept])


def waiting(posted: PostedCommand) -> InterventionRow:
    """A command that waits."""
    command_ = command_json(posted.command)
    return InterventionRow(ticket=posted.ticket, source=posted.source, at=posted.at, command=command_, state="waiting")


def answered(row: InterventionRow, answer: CommandEvent, place: int | None, when: float | None) -> InterventionRow:
    """The same command, carried out or refused, at the time ``when`` (None: not known)."""
    state: CommandState = "applied" if answer.status == "applied" else "rejected"
    return dataclasses.replace(
        row,
        state=state,
        reason=answer.reason,
        epoch=answer.epoch,
        batch=answer.batch,
        place=place,
        answer=dataclasses.asdict(answer),
        answered=when,
    )


def command(run: str, row: InterventionRow) -> Statement:
    """A command and what became of it so far."""
    return _command(run, row, "INSERT OR REPLACE")


def _command(run: str, row: InterventionRow, verb: str) -> Statement:
    at = (row.at.epoch, row.at.batch) if row.at else (None, None)
    answer = json.dumps(row.answer) if row.answer is not None else None
    values = (run, row.ticket, row.source, *at, json.dumps(row.command), row.state, row.reason)
    return (
        f"{verb} INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, row.epoch, row.batch, row.place, answer, row.answered),
    )


def nothing_waits(run: str) -> Statement:
    """What waits goes with a branch, and waits here no longer."""
    return "DELETE FROM commands WHERE run = ? AND state = 'waiting'", (run,)


def update(run: str, **values: Any) -> Statement:
    """Other values in columns of a run."""
    if "tags" in values:
        values["tags"] = json.dumps(list(values["tags"]))
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    return f"UPDATE runs SET {assignments} WHERE id = :id", {**values, "id": run}


def checkpoint(
    path: str,
    run: str,
    kind: Kind,
    at: tuple[int, int],
    created: float,
    size: int,
    metrics: Mapping[str, float],
) -> Statement:
    """A checkpoint's file."""
    query = "INSERT OR REPLACE INTO checkpoints (path, run, kind, epoch, batch, created, bytes, metrics)"
    return f"{query} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (path, run, kind, *at, created, size, json.dumps(dict(metrics)))

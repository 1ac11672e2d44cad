"""Reading the library, from any thread: readers never wait for the writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from engine.common.position import Position
from engine.library import record
from engine.library.lock import is_live
from engine.library.rows import STORED, UNDER_WAY, CheckpointRow, InterventionRow, RunRow
from engine.library.schema import connect
from engine.messages.events import EpochEvent, StepsEvent

_CHECKPOINT: Final = "path, run, kind, epoch, batch, created, bytes, metrics"
_INTERVENTIONS: Final = (
    "ticket, source, at_epoch, at_batch, command, state, reason, epoch, batch, place, answer, answered"
)


class Reader:
    """Questions to the library in ``root``. Each opens a connection of its own.

    ``immutable``: nobody can write there, and no file beside the index can be made to read it.

    Raises:
        sqlite3.Error: the index cannot be read (any of the methods).
    """

    def __init__(self, root: Path, *, immutable: bool = False) -> None:
        self.root = root
        self._immutable = immutable

    # -- runs

    def runs(self, *, deleted: bool = False) -> list[RunRow]:
        """All runs, oldest first; with ``deleted`` those in the bin instead."""
        which = "NOT NULL" if deleted else "NULL"
        return [self._run(row) for row in self._rows(f"{_RUNS} WHERE deleted IS {which} {_ORDER}")]

    def run(self, run: str) -> RunRow | None:
        """The run with the id ``run``, also from the bin, or None."""
        found = self._rows(f"{_RUNS} WHERE id = ?", run)
        return self._run(found[0]) if found else None

    def disk_use(self) -> int:
        """Bytes that all checkpoints take, the bin's too."""
        ((total,),) = self._rows("SELECT COALESCE(SUM(bytes), 0) FROM checkpoints")
        return int(total)

    def figures(self) -> dict[str, tuple[float | None, float | None, tuple[float, ...]]]:
        """Of each run with an epoch: its best validation accuracy and loss, and the rates of its newest epoch."""
        newest = self._rows("SELECT run, MAX(epoch), event FROM epochs GROUP BY run")
        best = {run: values for run, *values in self._rows(_BEST)}
        found: dict[str, tuple[float | None, float | None, tuple[float, ...]]] = {}
        for run, _, event in newest:
            accuracy, loss = best.get(run, (None, None))
            found[run] = (accuracy, loss, tuple(json.loads(event)["lr"]))
        return found

    # -- what happened in a run

    def history(self, run: str) -> list[EpochEvent]:
        """The metrics of each epoch of ``run`` so far, those before it branched too."""
        rows = self._rows("SELECT event FROM epochs WHERE run = ? ORDER BY epoch", run)
        return [EpochEvent(**json.loads(event)) for (event,) in rows]

    def steps(self, run: str, before: Position | None = None) -> list[StepsEvent]:
        """Loss and rates of each batch of ``run``, up to ``before``, those before it branched too, in order.

        Each entry holds batches that follow one another; between two of them some may be missing.
        """
        found: list[StepsEvent] = []
        for row, until in self._line_of(run, before):
            query = "SELECT epoch, batch, count, groups, loss, lr FROM steps WHERE run = ? ORDER BY epoch, batch"
            own = record.steps_of(self._rows(query, row.id))
            found = [*(c for e in own if (c := record.cut(e, until) if until else e) is not None), *found]
        return found

    def interventions(self, run: str) -> list[InterventionRow]:
        """The hand of ``run``: what was carried out or refused in its order, then what waits, by its moment."""
        rows = [_hand(row) for row in self._rows(f"SELECT {_INTERVENTIONS} FROM commands WHERE run = ?", run)]
        done = _in_order([r for r in rows if r.state != "waiting"])
        waiting = sorted((r for r in rows if r.state == "waiting"), key=lambda r: (_moment(r.at), r.ticket))
        return [*done, *waiting]

    # -- checkpoints

    def checkpoints(self, run: str) -> list[CheckpointRow]:
        """The checkpoints of ``run``, oldest first."""
        rows = self._rows(f"SELECT {_CHECKPOINT} FROM checkpoints WHERE run = ? ORDER BY rowid", run)
        return [self._checkpoint(row) for row in rows]

    def newest_checkpoint(self, run: str) -> Path | None:
        """The checkpoint that resumes ``run`` where it was left, or None."""
        return next((s.path for s in reversed(self.checkpoints(run)) if s.path.exists()), None)

    def left_at(self, file: Path) -> str | None:
        """The run, not in the bin, whose newest checkpoint is ``file``, or None."""
        stored = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        query = "SELECT run FROM checkpoints JOIN runs ON runs.id = run WHERE path = ? AND deleted IS NULL"
        found = [run for (run,) in self._rows(query, str(stored)) if self.newest_checkpoint(run) == file]
        return found[0] if found else None

    def to_go_on_from(self, run: str) -> list[Path]:
        """All checkpoints from which ``run`` can be taken up, the best first: its own, then its ancestors'.

        The hand leads from any of them to where the run was left. Of an ancestor only what lies before the branch
        counts, and right at the branch only what stood there first.
        """
        found = [s.path for s in reversed(self.checkpoints(run))]
        for row, until in self._line_of(run, None):
            if until is None:
                continue
            place = (until.epoch, until.batch)
            own = self.checkpoints(row.id)
            found += [s.path for s in own if (s.epoch, s.batch) == place][:1]
            before = [s for s in own if (s.epoch, s.batch) < place]
            found += [s.path for s in sorted(before, key=lambda s: (s.epoch, s.batch), reverse=True)]
        return [path for path in found if path.exists()]

    def checkpoints_up_to(self, run: str, epoch: int, batch: int) -> list[Path]:
        """Checkpoints of ``run`` and its ancestors that stand at (epoch, batch) or before it, the nearest first.

        Of those at one place the oldest comes first. Of an ancestor only what lies before the branch counts: what came
        after it is another story.
        """
        found: list[CheckpointRow] = []
        for row, until in self._line_of(run, Position(epoch=epoch, batch=batch)):
            place = (until.epoch, until.batch) if until else (epoch, batch)
            own = self.checkpoints(row.id)
            found += [s for s in own if (s.epoch, s.batch) < place]
            there = [s for s in own if (s.epoch, s.batch) == place]
            found += there if row.id == run else there[:1]
        found.sort(key=lambda s: (s.epoch, s.batch), reverse=True)  # and of equals the older one stays before
        return [s.path for s in found if s.path.exists()]

    def positions(self, run: str) -> list[tuple[int, int]]:
        """Where checkpoints of ``run`` stand, as (epoch, batch), in order."""
        return sorted({(s.epoch, s.batch) for s in self.checkpoints(run)})

    # -- within

    def _line_of(self, run: str, before: Position | None) -> list[tuple[RunRow, Position | None]]:
        """``run`` and its ancestors, each with the moment up to which it counts (None: whole)."""
        known = {row.id: row for row in (self._run(r) for r in self._rows(_RUNS))}
        line: list[tuple[RunRow, Position | None]] = []
        row, until = known.get(run), before
        while row is not None and row.id not in (seen.id for seen, _ in line):
            line.append((row, until))
            if row.branch is None:
                break
            branch = Position(epoch=row.branch[0], batch=row.branch[1])
            until = branch if until is None or branch < until else until
            row = known.get(row.parent or "")
        return line

    def _connect(self) -> sqlite3.Connection:
        return connect(self.root, immutable=self._immutable)

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as db:
            return db.execute(query, values).fetchall()

    def _run(self, row: Sequence[Any]) -> RunRow:
        values = dict(zip(STORED, row, strict=False)) | {"bytes": row[-1]}
        values["tags"] = tuple(json.loads(values["tags"]))
        found = RunRow(**values)
        live = is_live(self.root, found.id)
        state = "interrupted" if found.state in UNDER_WAY and not live else found.state
        return RunRow(**{**values, "live": live, "state": state})

    def _checkpoint(self, row: Sequence[Any]) -> CheckpointRow:
        path, run, kind, epoch, batch, created, size, metrics = row
        return CheckpointRow(
            path=self.root / path,
            run=run,
            kind=kind,
            epoch=epoch,
            batch=batch,
            created=created,
            bytes=size,
            metrics=json.loads(metrics),
        )


_BYTES: Final = "(SELECT COALESCE(SUM(bytes), 0) FROM checkpoints WHERE run = runs.id)"
_RUNS: Final = f"SELECT {', '.join(STORED)}, {_BYTES} FROM runs"
# An epoch whose numbers are not finite is no valid JSON, and none of the best.
_BEST: Final = """
SELECT run, MAX(json_extract(event, '$.val_accuracy')), MIN(json_extract(event, '$.val_loss'))
FROM epochs WHERE json_valid(event) GROUP BY run
"""
_ORDER: Final = "ORDER BY created, rowid"


def _hand(row: Sequence[Any]) -> InterventionRow:
    ticket, source, at_epoch, at_batch, command, state, reason, epoch, batch, place, answer, answered = row
    return InterventionRow(
        ticket=ticket,
        source=source,
        at=Position(epoch=at_epoch, batch=at_batch) if at_epoch is not None else None,
        command=json.loads(command),
        state=state,
        reason=reason,
        epoch=epoch,
        batch=batch,
        place=place,
        answer=json.loads(answer) if answer else None,
        answered=answered,
    )


def _in_order(rows: Sequence[InterventionRow]) -> list[InterventionRow]:
    """Answered commands as they came: those that changed the run by their place, the others among them by the clock.

    What was learned from a checkpoint has no moment of its own: it came no earlier than what stands before it.
    """
    placed = sorted((r for r in rows if r.place is not None), key=lambda r: r.place or 0)
    moments = accumulate((r.answered or 0.0 for r in placed), max)
    keys = {r.ticket: (moment, 0, r.place or 0) for r, moment in zip(placed, moments, strict=True)}
    return sorted(rows, key=lambda r: keys.get(r.ticket, (r.answered or 0.0, 1, r.ticket)))


def _moment(at: Position | None) -> tuple[int, int]:
    return (at.epoch, at.batch) if at is not None else (0, 0)

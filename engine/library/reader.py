"""Reading the library from any thread; readers never wait for the writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.common.position import Position
from engine.common.spec import LARGEST
from engine.library import statements
from engine.library.lock import is_live
from engine.library.rows import RUNNING, STORED, CheckpointRow, InterventionRow, RunRow
from engine.library.schema import connect
from engine.messages.events import EpochEvent, StepsEvent
from engine.messages.stored import command_from_json, epoch_from_json

T = TypeVar("T")
_CHECKPOINT: Final = "path, run, kind, epoch, batch, created, bytes, metrics"
_INTERVENTIONS: Final = (
    "ticket, source, at_epoch, at_batch, command, state, reason, epoch, batch, ordinal, answer, answered"
)


class Reader:
    """Reads the library in ``root``. Each method opens a connection of its own, and raises sqlite3.Error.

    Args:
        root: the library's folder.
        immutable: whether the folder is read-only, so that SQLite cannot create its files beside the index.
    """

    def __init__(self, root: Path, *, immutable: bool = False) -> None:
        self.root = root
        self._immutable = immutable

    # -- runs

    def runs(self, *, deleted: bool = False) -> list[RunRow]:
        """All runs, oldest first; with ``deleted`` those in the recycle bin instead."""
        which = "NOT NULL" if deleted else "NULL"
        return _sound(map(self._run, self._rows(f"{_RUNS} WHERE deleted IS {which} {_ORDER}")))

    def run(self, run: str) -> RunRow | None:
        """The run with the id ``run``, also from the recycle bin, or None."""
        found = self._rows(f"{_RUNS} WHERE id = ?", run)
        return self._run(found[0]) if found else None

    def disk_use(self) -> int:
        """Bytes that all checkpoints take, including those in the recycle bin."""
        ((total,),) = self._rows(f"SELECT {_SUM} FROM checkpoints")
        return int(total)

    def figures(self) -> dict[str, tuple[float | None, float | None, tuple[float, ...]]]:
        """Of each run with an epoch: its best validation accuracy and loss, and the LRs of its newest batch."""
        newest = self._rows("SELECT run, MAX(epoch), event FROM epochs GROUP BY run")
        best = {run: values for run, *values in self._rows(_BEST)}
        found: dict[str, tuple[float | None, float | None, tuple[float, ...]]] = {}
        for run, epoch, event in newest:
            accuracy, loss = best.get(run, (None, None))
            steps = statements.steps_of(self._rows(_NEWEST_STEPS, run))
            batches = bool(steps) and steps[-1].epoch >= epoch and len(steps[-1].lr) > 0  # else they were not saved
            lr = steps[-1].lr[-1].tolist() if batches else json.loads(event)["lr"]
            found[run] = (accuracy, loss, tuple(lr))
        return found

    # -- what happened in a run

    def history(self, run: str) -> list[EpochEvent]:
        """The metrics of each epoch of ``run`` so far, including those before it branched."""
        rows = self._rows("SELECT event FROM epochs WHERE run = ? ORDER BY epoch", run)
        return _sound(_epoch(event) for (event,) in rows)

    def steps(self, run: str, before: Position | None = None) -> list[StepsEvent]:
        """Loss and LRs of each batch of ``run`` before ``before``, including those before it branched, in order.

        Each entry holds consecutive batches; batches may be missing between two entries.
        """
        found: list[StepsEvent] = []
        for row, until in self._lineage(run, before):
            own = statements.steps_of(self._rows(f"{_STEPS} epoch, batch", row.id))
            found = [*(c for e in own if (c := statements.cut(e, until) if until else e) is not None), *found]
        return found

    def interventions(self, run: str) -> list[InterventionRow]:
        """The interventions of ``run``: those answered, in their order, then those pending, by their position."""
        found = self._rows(f"SELECT {_INTERVENTIONS} FROM interventions WHERE run = ?", run)
        rows = _sound(map(_intervention, found))
        answered = _in_order([r for r in rows if r.state != "pending"])
        pending = sorted((r for r in rows if r.state == "pending"), key=lambda r: (_key(r.at), r.ticket))
        return [*answered, *pending]

    # -- checkpoints

    def checkpoints(self, run: str) -> list[CheckpointRow]:
        """The checkpoints of ``run``, oldest first."""
        rows = self._rows(f"SELECT {_CHECKPOINT} FROM checkpoints WHERE run = ? ORDER BY rowid", run)
        return _sound(map(self._checkpoint, rows))

    def newest_checkpoint(self, run: str) -> Path | None:
        """The newest checkpoint of ``run`` whose file exists, or None."""
        return next((s.path for s in reversed(self.checkpoints(run)) if _is_file(s.path)), None)

    def run_at(self, file: Path) -> str | None:
        """The run, not in the recycle bin, whose newest checkpoint is ``file``, or None."""
        stored = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        query = "SELECT run FROM checkpoints JOIN runs ON runs.id = run WHERE path = ? AND deleted IS NULL"
        found = [run for (run,) in self._rows(query, str(stored)) if self.newest_checkpoint(run) == file]
        return found[0] if found else None

    def resumable_from(self, run: str) -> list[Path]:
        """All checkpoints from which ``run`` can be resumed, the best first: its own, then its ancestors'.

        From each of them the run's interventions lead to where it was left. Of an ancestor, only checkpoints from
        before the branch count, and right at the branch only the oldest.
        """
        found = [s.path for s in reversed(self.checkpoints(run))]
        for row, until in self._lineage(run, None):
            if until is None:
                continue
            own = self.checkpoints(row.id)
            found += [s.path for s in own if s.position == until][:1]
            before = [s for s in own if s.position < until]
            found += [s.path for s in sorted(before, key=lambda s: s.position, reverse=True)]
        return [path for path in found if _is_file(path)]

    def checkpoints_up_to(self, run: str, position: Position) -> list[Path]:
        """Checkpoints of ``run`` and its ancestors at ``position`` or before it, the nearest first.

        Of those at one position, the oldest comes first. Of an ancestor, only checkpoints from before the branch count.
        """
        found: list[CheckpointRow] = []
        for row, until in self._lineage(run, position):
            last = until or position
            own = self.checkpoints(row.id)
            found += [s for s in own if s.position < last]
            there = [s for s in own if s.position == last]
            found += there if row.id == run else there[:1]
        found.sort(key=lambda s: s.position, reverse=True)  # stable: of equal positions the older is first
        return [s.path for s in found if _is_file(s.path)]

    def positions(self, run: str) -> list[Position]:
        """Positions of the checkpoints of ``run``, in order."""
        return sorted({s.position for s in self.checkpoints(run)})

    # -- within

    def _lineage(self, run: str, before: Position | None) -> list[tuple[RunRow, Position | None]]:
        """``run`` and its ancestors, each with the position up to which it counts (None: all of it)."""
        known = {row.id: row for row in _sound(map(self._run, self._rows(_RUNS)))}
        lineage: list[tuple[RunRow, Position | None]] = []
        row, until = known.get(run), before
        while row is not None and row.id not in (seen.id for seen, _ in lineage):
            lineage.append((row, until))
            if row.branch is None:
                break
            until = row.branch if until is None or row.branch < until else until
            row = known.get(row.parent or "")
        return lineage

    def _connect(self) -> sqlite3.Connection:
        return connect(self.root, immutable=self._immutable)

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as db:
            return db.execute(query, values).fetchall()

    def _run(self, row: Sequence[Any]) -> RunRow | None:
        values = dict(zip(STORED, row, strict=False)) | {"bytes": row[-1]}
        try:
            values["tags"] = tuple(json.loads(values["tags"]))
            found = RunRow(**values)
        except (ValueError, TypeError, RecursionError):
            return None
        live = is_live(self.root, found.id)
        state = "interrupted" if found.state in RUNNING and not live else found.state
        return replace(found, live=live, state=state)

    def _checkpoint(self, row: Sequence[Any]) -> CheckpointRow | None:
        path, run, kind, epoch, batch, created, size, metrics = row
        if not isinstance(path, str) or "\0" in path:
            return None
        try:
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
        except (ValueError, TypeError, RecursionError):
            return None


_SUM: Final = f"MAX(0, MIN(CAST(TOTAL(bytes) AS INTEGER), {LARGEST}))"
_BYTES: Final = f"(SELECT {_SUM} FROM checkpoints WHERE run = runs.id)"
_RUNS: Final = f"SELECT {', '.join(STORED)}, {_BYTES} FROM runs"
# An epoch whose numbers are not finite is not valid JSON, and not among the best.
_BEST: Final = """
SELECT run, MAX(json_extract(event, '$.val_accuracy')), MIN(json_extract(event, '$.val_loss'))
FROM epochs WHERE json_valid(event) GROUP BY run
"""
_STEPS: Final = "SELECT epoch, batch, count, groups, loss, lr FROM steps WHERE run = ? ORDER BY"
_NEWEST_STEPS: Final = f"{_STEPS} epoch DESC, batch DESC LIMIT 1"
_ORDER: Final = "ORDER BY created, rowid"


# A row that is not what a library writes is skipped, and all others are there. The index is a file like any other.


def _sound(rows: Iterable[T | None]) -> list[T]:
    return [row for row in rows if row is not None]


def _epoch(text: Any) -> EpochEvent | None:
    try:
        return epoch_from_json(text)
    except (ValueError, TypeError):
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _intervention(row: Sequence[Any]) -> InterventionRow | None:
    ticket, source, at_epoch, at_batch, command, state, reason, epoch, batch, ordinal, answer, answered = row
    try:
        return InterventionRow(
            ticket=ticket,
            source=source,
            at=Position(epoch=at_epoch, batch=at_batch) if at_epoch is not None else None,
            command=json.loads(command),
            state=state,
            reason=reason,
            epoch=epoch,
            batch=batch,
            ordinal=ordinal,
            answer=command_from_json(answer) if answer else None,
            answered=answered,
        )
    except (ValueError, TypeError, RecursionError):
        return None


def _in_order(rows: Sequence[InterventionRow]) -> list[InterventionRow]:
    """Answered interventions in their order: the run's own by their ordinal, the others between them by their time.

    One that was read from a checkpoint has no time: it counts as answered when the one before it was.
    """
    own = sorted((r for r in rows if r.ordinal is not None), key=lambda r: r.ordinal or 0)
    times = accumulate((r.answered or 0.0 for r in own), max)
    keys = {r.ticket: (time, 0, r.ordinal or 0) for r, time in zip(own, times, strict=True)}
    return sorted(rows, key=lambda r: keys.get(r.ticket, (r.answered or 0.0, 1, r.ticket)))


def _key(at: Position | None) -> tuple[int, int]:
    return (at.epoch, at.batch) if at is not None else (0, 0)

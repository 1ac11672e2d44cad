"""What a person does with whole runs: into the recycle bin and out of it, removed for good, imported."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.checkpoints.header import read_header
from engine.common.errors import SpecError
from engine.common.files import open_regular, replacing
from engine.common.text import Text
from engine.library import statements
from engine.library.folder import checkpoints_of, has_place, lock_of
from engine.library.index_writer import IndexWriter
from engine.library.lock import RunLock
from engine.library.reader import Reader
from engine.library.recovery import beginning_of
from engine.library.rows import RunRow, new_run_id
from engine.library.statements import Statement

_OF_A_RUN: Final = ("checkpoints", "epochs", "steps", "interventions")


def delete(reader: Reader, index: IndexWriter, run: str) -> None:
    """Put ``run`` into the recycle bin; nothing is removed yet.

    Raises:
        SpecError: it is not there, or is open.
    """
    row = _known(reader, run)
    if row.live:
        raise SpecError("run", Text("“{name}” is running: stop it first", name=row.name or run))
    index.call(lambda: index.execute([statements.update(run, deleted=time.time())]))


def restore(reader: Reader, index: IndexWriter, run: str) -> None:
    """Take ``run`` out of the recycle bin. Raises SpecError where it is not there."""
    _known(reader, run)
    index.call(lambda: index.execute([statements.update(run, deleted=None)]))


def empty(reader: Reader, index: IndexWriter, runs: Iterable[str]) -> list[str]:
    """Remove those of ``runs`` that are in the recycle bin, for good; returns the ids of those removed.

    Branches of them that stay keep the batches that they share with them.
    """
    removed = []
    for row in [r for r in reader.runs(deleted=True) if r.id in set(runs)]:
        try:
            lock = RunLock(reader.root, row.id)
        except SpecError:
            continue
        try:
            index.call(lambda row=row: _remove(reader, index, row))  # type: ignore[misc]
            removed.append(row.id)
        finally:
            lock.release()
        with suppress(OSError):
            lock_of(reader.root, row.id).unlink()
    return removed


def import_checkpoint(reader: Reader, index: IndexWriter, file: Path) -> str:
    """Copy the checkpoint ``file`` into the library as a new run; returns its id.

    Raises:
        SpecError: it is no checkpoint, or damaged.
        OSError: it cannot be copied.
    """
    header = read_header(file)
    run = new_run_id()
    target = checkpoints_of(reader.root, run) / f"{time.time_ns():x}-0-stop-{header.epoch}-{header.batch}.tiller"
    now = time.time()
    beginning = beginning_of(header, run, "finished" if header.over else "stopped", now)
    origin = reader.run(header.run)
    row = replace(beginning.row, parent=None, branch_epoch=None, branch_batch=None, updated=now)
    if origin is not None:
        row = replace(row, parent=origin.id, branch_epoch=header.epoch, branch_batch=header.batch)

    def work() -> None:
        _copy(file, target)
        metrics = header.history[-1].metrics() if header.history and header.batch == 0 else {}
        path, at, size = str(target.relative_to(reader.root)), header.position, target.stat().st_size
        checkpoint = statements.checkpoint(path, run, "stop", at, now, size, metrics)
        index.execute([*statements.begin(replace(beginning, row=row)), checkpoint])

    index.call(work)
    return run


def _known(reader: Reader, run: str) -> RunRow:
    row = reader.run(run)
    if row is None:
        raise SpecError("run", Text("there is no run {run} in {root}", run=run, root=reader.root))
    return row


def _remove(reader: Reader, index: IndexWriter, row: RunRow) -> None:
    shared = [s for child in _children(reader, row.id) for s in _copied_steps(reader, child)]
    for checkpoint in reader.checkpoints(row.id):
        if has_place(reader.root, row.id, checkpoint.path):  # a file that a person saved elsewhere is theirs
            with suppress(FileNotFoundError, IsADirectoryError):
                checkpoint.path.unlink()
    shutil.rmtree(checkpoints_of(reader.root, row.id), ignore_errors=True)
    rows = [(f"DELETE FROM {table} WHERE run = ?", (row.id,)) for table in _OF_A_RUN]
    index.execute([*shared, *rows, ("DELETE FROM runs WHERE id = ?", (row.id,))])


def _children(reader: Reader, run: str) -> list[RunRow]:
    return [r for deleted in (False, True) for r in reader.runs(deleted=deleted) if r.parent == run]


def _copied_steps(reader: Reader, child: RunRow) -> list[Statement]:
    """The batches that ``child`` shares with its ancestors, as its own."""
    return [statements.steps(child.id, event) for event in reader.steps(child.id)]


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_regular(file) as source, replacing(target) as copied:
        shutil.copyfileobj(source, copied)

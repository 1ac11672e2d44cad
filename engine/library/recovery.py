"""Opening a library: its index is checked, made anew where it is damaged or gone, and what a crash left is cleared."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from engine.checkpoints.digest import CheckpointError
from engine.checkpoints.header import Header, read_header
from engine.common.file_lock import lock
from engine.common.position import Position
from engine.common.text import Text
from engine.library import record
from engine.library.disk_errors import is_damage
from engine.library.lock import is_live
from engine.library.record import Beginning, Statement
from engine.library.rows import KINDS, Kind, RunRow
from engine.library.schema import BACKUP, BUSY_SECONDS, INDEX, TABLES, NewerError, connect, migrate, version

_PARTS: Final = ("", "-wal", "-shm")
_QUICK: Final = 16_000_000  # bytes that are checked in less than a tenth of a second
SUFFIX: Final = ".tiller"


def open_index(root: Path, busy: float = BUSY_SECONDS, *, anew: bool = False) -> list[Text]:
    """Make the index in ``root`` or bring it up to date; returns what a person should know of that.

    A damaged index is kept aside, and a new one is built from what can still be read in it, its newest copy and the
    checkpoints. An index that is gone is rebuilt from the copy and the checkpoints.

    ``anew`` makes a new one from a sound index too, for a person who asks for it.

    Raises:
        OSError, sqlite3.Error: it cannot be done.
        NewerError: the index was made by a newer Tiller.
    """
    remarks: list[Text] = []
    aside: Path | None = None
    was_there = (root / INDEX).exists() and (root / INDEX).stat().st_size > 0
    damaged = was_there and is_damaged(root, busy)
    if damaged or (was_there and anew):
        aside = _set_aside(root, "damaged" if damaged else "old")
    with closing(connect(root, make=True, busy=busy)) as db:
        migrate(db)
        if aside is not None:
            _salvage(aside, db)
        copied = (damaged or not was_there) and (root / BACKUP).exists()
        if copied:
            _salvage(root / BACKUP, db)
        found = _adopt(root, db)
        if anew:
            _forget_missing(root, db)
    if aside is not None and not damaged:
        remarks.append(Text("the library's index was made anew; the old one is kept as {name}", name=aside.name))
    elif aside is not None:
        text = "the library's index was damaged and was made anew; the damaged file is kept as {name}"
        remarks.append(Text(text, name=aside.name))
    elif copied:
        remarks.append(Text("the library's index was gone and was made anew from its copy and the checkpoints"))
    elif found and not was_there:
        text = "the library's index was gone and was made anew from {count} checkpoints, without tags and notes"
        remarks.append(Text(text, count=found))
    _sweep(root)
    return remarks


def is_damaged(root: Path, busy: float = BUSY_SECONDS) -> bool:
    """Whether the index in ``root`` cannot be trusted. Raises sqlite3.Error where that cannot be found out.

    All of it is looked at where it is small, or where its last process was killed; a large one that was closed well is
    believed until something in it cannot be read.
    """
    killed = (root / f"{INDEX}-wal").exists()
    try:
        with closing(connect(root, busy=busy)) as db:
            version(db)
            if not killed and (root / INDEX).stat().st_size > _QUICK:
                db.execute("SELECT COUNT(*) FROM runs").fetchone()
                return False
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as error:
        if is_damage(error):
            return True
        raise


def _set_aside(root: Path, what: str) -> Path:
    stem = f"runs.{what} {time.strftime('%Y-%m-%d %H.%M.%S')}"
    aside = root / f"{stem}.sqlite"
    number = 1
    while aside.exists():
        number += 1
        aside = root / f"{stem} {number}.sqlite"
    for part in _PARTS:
        with suppress(FileNotFoundError):
            (root / f"{INDEX}{part}").rename(root / f"{aside.name}{part}")
    return aside


def _salvage(aside: Path, db: sqlite3.Connection) -> None:
    """Copy what can still be read of the damaged index."""
    try:
        old = sqlite3.connect(f"{aside.as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error:
        return
    db.execute("BEGIN IMMEDIATE")
    with closing(old):
        for table in TABLES:
            known = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
            for row in _readable(old, table):
                values = {name: value for name, value in row.items() if name in known}
                marks = ", ".join(f":{name}" for name in values)
                with suppress(sqlite3.Error):
                    db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({marks})", values)
    db.execute("COMMIT")


def _readable(old: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    try:
        cursor = old.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))
    except sqlite3.Error:
        return  # the rest of this table is lost


# -- checkpoints that the index does not know


def _adopt(root: Path, db: sqlite3.Connection) -> int:
    """Take up checkpoints that stand in the folder but not in the index; returns how many."""
    known = {path for (path,) in db.execute("SELECT path FROM checkpoints WHERE run IN (SELECT id FROM runs)")}
    runs = {run for (run,) in db.execute("SELECT id FROM runs")}
    strange: dict[str, list[tuple[float, Path]]] = {}
    for folder in _folders(root / "checkpoints"):
        files = [f for f in folder.glob(f"*{SUFFIX}") if str(f.relative_to(root)) not in known]
        if files and not is_live(root, folder.name):
            strange[folder.name] = sorted((_made(f), f) for f in files)
    count = 0
    for run, dated in strange.items():
        count += _adopt_run(root, db, run, dated, run in runs)
    for file in (root / "saved").glob(f"*{SUFFIX}"):
        if str(file.relative_to(root)) not in known:
            with suppress(CheckpointError, OSError):
                header = read_header(file, check=False)
                statements = [_checkpoint(root, header.run, file, "asked", header)]
                _write(db, statements)
                count += 1
    return count


def _adopt_run(root: Path, db: sqlite3.Connection, run: str, dated: list[tuple[float, Path]], known: bool) -> int:
    statements: list[Statement] = []
    newest: Header | None = None
    for _, file in dated:
        try:
            header = read_header(file, check=False)  # the seal is checked when it is used
        except CheckpointError:
            continue
        newest = header
        statements.append(_checkpoint(root, run, file, _kind(file), header))
    if newest is None:
        return 0
    if known:
        query = "UPDATE runs SET epochs_done = :done WHERE id = :run AND epochs_done < :done"
        statements.append((query, {"run": run, "done": newest.epoch - 1}))
    else:
        state = "finished" if newest.over else "stopped" if _kind(dated[-1][1]) == "stop" else "interrupted"
        statements = record.begin(beginning_of(newest, run, state, dated[0][0])) + statements
    _write(db, statements)
    return len(dated)


def beginning_of(header: Header, run: str, state: str, created: float) -> Beginning:
    """The run ``run`` as the checkpoint with ``header`` knows it."""
    row = RunRow(
        id=run,
        name=header.name,
        state=state,
        created=created,
        updated=header.made or created,
        epochs_done=header.epoch - 1,
        epochs=header.epochs,
        parent=header.parent,
        branch_epoch=header.branch[0] if header.branch else None,
        branch_batch=header.branch[1] if header.branch else None,
        recipe=header.recipe,
        waiting="",
        batches_per_epoch=header.batches_per_epoch,
    )
    at = Position(epoch=header.epoch, batch=header.batch)
    return Beginning(row=row, at=at, history=header.history, interventions=header.interventions)


def _forget_missing(root: Path, db: sqlite3.Connection) -> None:
    """Forget checkpoints whose files are gone."""
    gone = [path for (path,) in db.execute("SELECT path FROM checkpoints") if not (root / path).exists()]
    _write(db, [("DELETE FROM checkpoints WHERE path = ?", (path,)) for path in gone])


def _checkpoint(root: Path, run: str, file: Path, kind: Kind, header: Header) -> Statement:
    metrics = header.history[-1].metrics() if header.history and header.batch == 0 else {}
    place = (header.epoch, header.batch)
    return record.checkpoint(str(file.relative_to(root)), run, kind, place, _made(file), file.stat().st_size, metrics)


def _write(db: sqlite3.Connection, statements: list[Statement]) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement, values in statements:
        db.execute(statement, values)
    db.execute("COMMIT")


def _folders(root: Path) -> list[Path]:
    return [Path(entry.path) for entry in os.scandir(root) if entry.is_dir()] if root.is_dir() else []


def _made(file: Path) -> float:
    """When a checkpoint was made: its name says it, or else its file's time."""
    stamp = file.name.partition("-")[0]
    try:
        return int(stamp, 16) / 1e9
    except ValueError:
        return file.stat().st_mtime


def _kind(file: Path) -> Kind:
    parts = file.name.split("-")
    return next((kind for kind in KINDS if len(parts) > 2 and parts[2] == kind), "asked")


def _sweep(root: Path) -> None:
    """Remove what a process left half-written when it was killed."""
    for pattern in ("checkpoints/*/.*.part", "saved/.*.part", f"{BACKUP}.*.part"):
        for part in root.glob(pattern):
            with suppress(OSError), part.open("r+b") as file:
                if lock(file):  # nobody is writing it
                    part.unlink()


__all__ = ["NewerError", "beginning_of", "is_damaged", "open_index"]

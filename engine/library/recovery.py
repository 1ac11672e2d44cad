"""Opening a library: its index is checked, rebuilt where it is damaged or missing, and leftovers of a crash removed."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from engine.checkpoints.header import Header, read_header
from engine.common.errors import CheckpointError
from engine.common.file_lock import lock
from engine.common.run_id import is_run_id
from engine.common.text import Text
from engine.library import statements
from engine.library.disk_errors import is_damage
from engine.library.folder import CHECKPOINTS, SAVED
from engine.library.lock import is_live
from engine.library.rows import KINDS, Kind, RunRow
from engine.library.schema import BACKUP, BUSY_SECONDS, INDEX, TABLES, connect, create_tables, has_tables
from engine.library.statements import Beginning, Statement

_PARTS: Final = ("", "-wal", "-shm")
_QUICK: Final = 16_000_000  # bytes that are checked in less than a tenth of a second
SUFFIX: Final = ".tiller"


def open_index(root: Path, busy: float = BUSY_SECONDS, *, rebuild: bool = False) -> list[Text]:
    """Create the index in ``root``, or rebuild it where that is needed; returns what a person should know of that.

    A damaged index is kept under another name, and a new one is built from what can still be read in it, from its
    newest copy and from the checkpoints. A missing one is rebuilt from the copy and the checkpoints.

    Args:
        root: the library's folder.
        busy: seconds to wait for a lock.
        rebuild: whether to rebuild it although it is sound.

    Raises:
        OSError, sqlite3.Error: it cannot be done.
        VersionError: the index was made by another version of Tiller.
    """
    remarks: list[Text] = []
    aside: Path | None = None
    was_there = (root / INDEX).exists() and (root / INDEX).stat().st_size > 0
    damaged = was_there and is_damaged(root, busy)
    if damaged or (was_there and rebuild):
        aside = _set_aside(root, "damaged" if damaged else "old")
    with closing(connect(root, create=True, busy=busy)) as db:
        create_tables(db)
        if aside is not None:
            _copy_rows(aside, db)
        copied = (damaged or not was_there) and (root / BACKUP).exists()
        if copied:
            _copy_rows(root / BACKUP, db)
        found = _add_unknown_checkpoints(root, db)
        if rebuild:
            _remove_missing_checkpoints(root, db)
    if aside is not None and not damaged:
        remarks.append(Text("the library's index was rebuilt; the old one is kept as {name}", name=aside.name))
    elif aside is not None:
        text = "the library's index was damaged and has been rebuilt; the damaged file is kept as {name}"
        remarks.append(Text(text, name=aside.name))
    elif copied:
        remarks.append(Text("the library's index was missing and has been rebuilt from its copy and the checkpoints"))
    elif found and not was_there:
        text = "the library's index was missing and has been rebuilt from {count} checkpoints, without tags and notes"
        remarks.append(Text(text, count=found))
    _remove_partial_files(root)
    return remarks


def is_damaged(root: Path, busy: float = BUSY_SECONDS) -> bool:
    """Whether the index in ``root`` is damaged.

    It is checked as a whole where it is small, or where its last process was killed. A large one that was closed
    properly is trusted until reading it fails.

    Raises:
        sqlite3.Error: it cannot be checked.
        VersionError: it was made by another version of Tiller.
    """
    killed = (root / f"{INDEX}-wal").exists()
    try:
        with closing(connect(root, busy=busy)) as db:
            has_tables(db)
            if not killed and (root / INDEX).stat().st_size > _QUICK:
                db.execute("SELECT COUNT(*) FROM runs").fetchone()
                return False
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as error:
        if is_damage(error):
            return True
        raise


def _set_aside(root: Path, what: str) -> Path:
    """Rename the index and its side files; returns its new path."""
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


def _copy_rows(source: Path, db: sqlite3.Connection) -> None:
    """Copy what can be read of another index, without replacing rows."""
    try:
        old = sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error:
        return
    db.execute("BEGIN IMMEDIATE")
    with closing(old):
        for table in TABLES:
            known = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
            for row in _readable_rows(old, table):
                values = {name: value for name, value in row.items() if name in known}
                marks = ", ".join(f":{name}" for name in values)
                with suppress(sqlite3.Error):
                    db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({marks})", values)
    db.execute("COMMIT")


def _readable_rows(old: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    try:
        cursor = old.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))
    except sqlite3.Error:
        return  # the rest of this table is lost


# -- checkpoints that the index does not know


def _add_unknown_checkpoints(root: Path, db: sqlite3.Connection) -> int:
    """Add checkpoints that are in the folder but not in the index; returns how many."""
    known = {path for (path,) in db.execute("SELECT path FROM checkpoints WHERE run IN (SELECT id FROM runs)")}
    runs = {run for (run,) in db.execute("SELECT id FROM runs")}
    unknown: dict[str, list[tuple[float, Path]]] = {}
    for folder in _entries(root / CHECKPOINTS):
        if folder.is_dir(follow_symlinks=False) and is_run_id(folder.name) and not is_live(root, folder.name):
            files = [f for f in _files(Path(folder.path)) if str(f.relative_to(root)) not in known]
            if files:
                unknown[folder.name] = sorted((_created(f), f) for f in files)
    count = 0
    for run, dated in unknown.items():
        count += _add_checkpoints(root, db, run, dated, run in runs)
    for file in _files(root / SAVED):
        if str(file.relative_to(root)) not in known:
            with suppress(CheckpointError, OSError):
                header = read_header(file, check=False)
                _write(db, [_checkpoint(root, header.run, file, "asked", header)])
                count += 1
    return count


def _add_checkpoints(root: Path, db: sqlite3.Connection, run: str, dated: list[tuple[float, Path]], known: bool) -> int:
    """Add checkpoints of ``run``, oldest first, and the run itself where it is not ``known``; returns how many."""
    made: list[Statement] = []
    newest: Header | None = None
    for _, file in dated:
        try:
            header = read_header(file, check=False)  # the digest is checked when the file is used
            made.append(_checkpoint(root, run, file, _kind(file), header))
        except (CheckpointError, OSError):
            continue
        newest = header
    if newest is None:
        return 0
    if known:
        query = "UPDATE runs SET epochs_done = :done WHERE id = :run AND epochs_done < :done"
        made.append((query, {"run": run, "done": newest.epoch - 1}))
    else:
        state = "finished" if newest.over else "stopped" if _kind(dated[-1][1]) == "stop" else "interrupted"
        made = statements.begin(beginning_of(newest, run, state, dated[0][0])) + made
    _write(db, made)
    return len(dated)


def beginning_of(header: Header, run: str, state: str, created: float) -> Beginning:
    """The run ``run`` as the checkpoint with ``header`` knows it."""
    row = RunRow(
        id=run,
        name=header.name,
        state=state,
        created=created,
        updated=header.created or created,
        epochs_done=header.epoch - 1,
        epochs=header.epochs,
        parent=header.parent,
        branch_epoch=header.branch.epoch if header.branch else None,
        branch_batch=header.branch.batch if header.branch else None,
        recipe=header.recipe,
        commands="",
        batches_per_epoch=header.batches_per_epoch,
    )
    return Beginning(row=row, at=header.position, history=header.history, interventions=header.interventions)


def _remove_missing_checkpoints(root: Path, db: sqlite3.Connection) -> None:
    """Remove checkpoints from the index whose files are missing."""
    missing = [path for (path,) in db.execute("SELECT path FROM checkpoints") if not os.path.lexists(root / path)]
    _write(db, [("DELETE FROM checkpoints WHERE path = ?", (path,)) for path in missing])


def _checkpoint(root: Path, run: str, file: Path, kind: Kind, header: Header) -> Statement:
    metrics = header.history[-1].metrics() if header.history and header.batch == 0 else {}
    path, at, size = str(file.relative_to(root)), header.position, file.stat().st_size
    return statements.checkpoint(path, run, kind, at, _created(file), size, metrics)


def _write(db: sqlite3.Connection, made: list[Statement]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement, values in made:
            db.execute(statement, values)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(OSError):
        return list(os.scandir(folder))
    return []


def _files(folder: Path) -> list[Path]:
    """The checkpoints in ``folder``: regular files, of names that can be stored."""
    return [
        Path(entry.path)
        for entry in _entries(folder)
        if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False) and _is_text(entry.name)
    ]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # of bytes that are not UTF-8
        return False
    return True


def _created(file: Path) -> float:
    """When a checkpoint was written: according to its name, or else to its file's time."""
    stamp = file.name.partition("-")[0]
    if re.fullmatch("[0-9a-f]{1,16}", stamp):
        return int(stamp, 16) / 1e9
    try:
        return max(0.0, file.stat().st_mtime)
    except OSError:  # it was removed meanwhile
        return 0.0


def _kind(file: Path) -> Kind:
    parts = file.name.split("-")
    return next((kind for kind in KINDS if len(parts) > 2 and parts[2] == kind), "asked")


def _remove_partial_files(root: Path) -> None:
    """Remove files that a killed process had not finished writing."""
    for pattern in ("checkpoints/*/.*.part", "saved/.*.part", f".{BACKUP}.*.part"):
        for part in root.glob(pattern):
            if not part.is_symlink() and part.is_file():
                with suppress(OSError), part.open("r+b") as file:
                    if lock(file):  # no process is writing it
                        part.unlink()

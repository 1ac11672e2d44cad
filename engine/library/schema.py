"""The index of the library: its tables, and how a connection to it is made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

INDEX: Final = "runs.sqlite"
BACKUP: Final = "runs.backup.sqlite"  # a copy of the index, never much older
BUSY_SECONDS: Final = 10.0
VERSION: Final = 1

_CREATE: Final = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
        epochs_done INTEGER NOT NULL, epochs INTEGER NOT NULL, batches_per_epoch INTEGER NOT NULL, parent TEXT,
        branch_epoch INTEGER, branch_batch INTEGER, recipe TEXT NOT NULL, commands TEXT NOT NULL, notes TEXT NOT NULL,
        tags TEXT NOT NULL, deleted REAL
    )
    """,
    """
    CREATE TABLE checkpoints (
        path TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(id), kind TEXT NOT NULL, epoch INTEGER NOT NULL,
        batch INTEGER NOT NULL, created REAL NOT NULL, bytes INTEGER NOT NULL, metrics TEXT NOT NULL
    )
    """,
    "CREATE INDEX checkpoints_of_run ON checkpoints(run, created)",
    """
    CREATE TABLE epochs (
        run TEXT NOT NULL, epoch INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (run, epoch)
    )
    """,
    # A row holds consecutive batches of one epoch; the blobs are zlib-compressed little-endian numbers:
    # loss float32 [count], lr float64 [count, groups].
    """
    CREATE TABLE steps (
        run TEXT NOT NULL, epoch INTEGER NOT NULL, batch INTEGER NOT NULL, count INTEGER NOT NULL,
        groups INTEGER NOT NULL, loss BLOB NOT NULL, lr BLOB NOT NULL, PRIMARY KEY (run, epoch, batch)
    )
    """,
    """
    CREATE TABLE interventions (
        run TEXT NOT NULL, ticket INTEGER NOT NULL, source TEXT NOT NULL, at_epoch INTEGER, at_batch INTEGER,
        command TEXT NOT NULL, state TEXT NOT NULL, reason TEXT, epoch INTEGER, batch INTEGER, ordinal INTEGER,
        answer TEXT, answered REAL, PRIMARY KEY (run, ticket)
    )
    """,
    "CREATE UNIQUE INDEX interventions_in_order ON interventions(run, ordinal) WHERE ordinal IS NOT NULL",
)
TABLES: Final = ("runs", "checkpoints", "epochs", "steps", "interventions")


class VersionError(Exception):
    """The index was made by another version of Tiller, and is left as it is."""


def connect(
    root: Path, *, create: bool = False, immutable: bool = False, busy: float = BUSY_SECONDS
) -> sqlite3.Connection:
    """A connection to the index in ``root``, without implicit transactions.

    Args:
        root: the library's folder.
        create: whether to create the file where it is missing.
        immutable: whether to read it where nothing can be written beside it.
        busy: seconds to wait for a lock.

    Raises:
        sqlite3.Error: it is not there, or cannot be opened.
    """
    mode = "ro&immutable=1" if immutable else "rwc" if create else "rw"  # "rwc" would replace a deleted one, empty
    address = f"{(root / INDEX).as_uri()}?mode={mode}"
    db = sqlite3.connect(address, uri=True, timeout=busy, isolation_level=None, check_same_thread=False)
    db.text_factory = _text
    return db


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")  # or one text that is not UTF-8 would make all rows of a question unreadable


def create_tables(db: sqlite3.Connection) -> None:
    """Create the tables in a new index, all or none.

    Raises:
        sqlite3.Error: it could not be done.
        VersionError: there are tables of another version.
    """
    if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        db.execute("PRAGMA journal_mode = WAL")
    if has_tables(db):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        if not has_tables(db):  # another process may have created them meanwhile
            for statement in _CREATE:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def has_tables(db: sqlite3.Connection) -> bool:
    """Whether the tables are there. Raises VersionError where they are of another version, and sqlite3.Error."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found not in (0, VERSION):
        raise VersionError("it was made by another version of Tiller")
    return bool(found == VERSION)


def is_readable(root: Path) -> bool:
    """Whether the index in ``root`` is there and can be read, though nothing may be written there."""
    try:
        with closing(connect(root, immutable=True)) as db:
            return has_tables(db)
    except (sqlite3.Error, VersionError):
        return False

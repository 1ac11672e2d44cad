"""The index of the library: its tables, by version, and how a connection to it is made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

INDEX: Final = "runs.sqlite"
BACKUP: Final = "runs.backup.sqlite"  # a copy of the index, never much older
BUSY_SECONDS: Final = 10.0

# Each entry leads from the version before it to its own; what was published is never changed, only added to.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
            epochs_done INTEGER NOT NULL, epochs INTEGER NOT NULL, parent TEXT, branch_epoch INTEGER,
            branch_batch INTEGER, recipe TEXT NOT NULL, waiting TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE checkpoints (
            path TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(id), kind TEXT NOT NULL, epoch INTEGER NOT NULL,
            batch INTEGER NOT NULL, created REAL NOT NULL, bytes INTEGER NOT NULL
        )
        """,
        "CREATE INDEX checkpoints_of_run ON checkpoints(run, created)",
    ),
    (
        "ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE runs ADD COLUMN deleted REAL",
        "ALTER TABLE runs ADD COLUMN batches_per_epoch INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE checkpoints ADD COLUMN metrics TEXT NOT NULL DEFAULT '{}'",
        """
        CREATE TABLE epochs (
            run TEXT NOT NULL, epoch INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (run, epoch)
        )
        """,
        # One row holds batches that follow one another within an epoch; blobs are zlib of little-endian numbers:
        # loss float32 [count], lr float64 [count, groups].
        """
        CREATE TABLE steps (
            run TEXT NOT NULL, epoch INTEGER NOT NULL, batch INTEGER NOT NULL, count INTEGER NOT NULL,
            groups INTEGER NOT NULL, loss BLOB NOT NULL, lr BLOB NOT NULL, PRIMARY KEY (run, epoch, batch)
        )
        """,
        """
        CREATE TABLE commands (
            run TEXT NOT NULL, ticket INTEGER NOT NULL, source TEXT NOT NULL, at_epoch INTEGER, at_batch INTEGER,
            command TEXT NOT NULL, state TEXT NOT NULL, reason TEXT, epoch INTEGER, batch INTEGER, place INTEGER,
            answer TEXT, answered REAL, PRIMARY KEY (run, ticket)
        )
        """,
        "CREATE UNIQUE INDEX commands_in_place ON commands(run, place) WHERE place IS NOT NULL",
    ),
)
TABLES: Final = ("runs", "checkpoints", "epochs", "steps", "commands")


def connect(
    root: Path, *, make: bool = False, immutable: bool = False, busy: float = BUSY_SECONDS
) -> sqlite3.Connection:
    """A connection to the index in ``root``; transactions are begun by hand. It is made only where ``make`` says so.

    ``immutable`` reads it where nothing can be written beside it.

    Raises:
        sqlite3.Error: it is not there, or cannot be opened.
    """
    mode = (
        "ro&immutable=1" if immutable else "rwc" if make else "rw"
    )  # or one that was deleted under us would be made anew, empty
    address = f"{(root / INDEX).as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=busy, isolation_level=None, check_same_thread=False)


def migrate(db: sqlite3.Connection) -> None:
    """Make the tables, or bring those of an older version up to this one, all or nothing.

    Raises:
        sqlite3.Error: it could not be done.
        NewerError: they were made by a newer Tiller.
    """
    if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        db.execute("PRAGMA journal_mode = WAL")
    if version(db) == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")  # another process may be at it too
    try:
        for statements in MIGRATIONS[version(db) :]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def is_readable(root: Path) -> bool:
    """Whether the index in ``root`` is there and of this version, though nothing may be written there."""
    try:
        with closing(connect(root, immutable=True)) as db:
            return version(db) == len(MIGRATIONS)
    except (sqlite3.Error, NewerError):
        return False


class NewerError(Exception):
    """The index was made by a newer Tiller, and is left alone."""


def version(db: sqlite3.Connection) -> int:
    """The version of the tables. Raises NewerError."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > len(MIGRATIONS):
        raise NewerError("it was made by a newer Tiller")
    return int(found)

"""The run library: a folder with ``runs.sqlite`` and ``snapshots/``, written by one thread.

The training thread hands over clones and goes on; every write, and every failure of one, is answered through a callback
on the writer thread.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

import platformdirs

from engine.spec import SpecError

Kind = Literal["epoch", "before", "asked", "stop"]
Done = Callable[[Path | None, str | None], None]
EPOCHS_KEPT: Final = 3

_MIGRATIONS: Final = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
        epochs_done INTEGER NOT NULL, epochs INTEGER NOT NULL, parent TEXT, branch_epoch INTEGER,
        branch_batch INTEGER, recipe TEXT NOT NULL, waiting TEXT NOT NULL
    );
    CREATE TABLE snapshots (
        path TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(id), kind TEXT NOT NULL, epoch INTEGER NOT NULL,
        batch INTEGER NOT NULL, created REAL NOT NULL, bytes INTEGER NOT NULL
    );
    CREATE INDEX snapshots_of_run ON snapshots(run, created);
    """,
)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run as the library knows it; times are Unix seconds. ``waiting`` is all of its hand's lines, due or not."""

    id: str
    name: str
    state: str
    created: float
    updated: float
    epochs_done: int
    epochs: int
    parent: str | None
    branch_epoch: int | None
    branch_batch: int | None
    recipe: str
    waiting: str


def default_root() -> Path:
    """Where the library lives: TILLER_LIBRARY, or the platform's folder for user data."""
    return Path(os.environ.get("TILLER_LIBRARY") or platformdirs.user_data_path("tiller", appauthor=False) / "library")


def new_run_id() -> str:
    """A name for a run that no other run has; letters and digits."""
    return secrets.token_hex(4)


class Library:
    """The library in ``root``, made if it is not there.

    Raises:
        SpecError: the folder cannot be made or written, or its index cannot be used.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._epoch_jobs: list[Future[None]] = []
        try:
            (self.root / "snapshots").mkdir(parents=True, exist_ok=True)
            self._writer.submit(self._migrate).result()
        except (OSError, sqlite3.Error) as error:
            self._writer.shutdown()
            reason = getattr(error, "strerror", None) or error
            raise SpecError("library", f"{self.root} cannot be used: {reason}; choose another with --library") from None

    # -- reading, from any thread

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        with closing(self._connect()) as db:
            columns = ", ".join(f.name for f in fields(RunRow))
            rows = db.execute(f"SELECT {columns} FROM runs ORDER BY created, rowid").fetchall()
        return [RunRow(**dict(zip((f.name for f in fields(RunRow)), row, strict=True))) for row in rows]

    def run(self, run: str) -> RunRow | None:
        """The run with the id ``run``, or None."""
        return next((row for row in self.runs() if row.id == run), None)

    def newest_snapshot(self, run: str) -> Path | None:
        """The snapshot that resumes ``run`` where it was left, or None."""
        return self._one("SELECT path FROM snapshots WHERE run = ? ORDER BY rowid DESC", (run,))

    def snapshot_at(self, run: str, epoch: int, batch: int) -> Path | None:
        """The oldest snapshot of ``run`` or its ancestors that stands right at (epoch, batch), or None.

        Of an ancestor only what lies before the branch counts: what came after it is another story.
        """
        known = {row.id: row for row in self.runs()}
        row = known.get(run)
        while row is not None:
            query = "SELECT path FROM snapshots WHERE run = ? AND epoch = ? AND batch = ? ORDER BY rowid"
            found = self._one(query, (row.id, epoch, batch))
            if found is not None:
                return found
            if (epoch, batch) > (row.branch_epoch or 0, row.branch_batch or 0):
                return None
            row = known.get(row.parent or "")
        return None

    def snapshots_up_to(self, run: str, epoch: int, batch: int) -> list[Path]:
        """Snapshots of ``run`` and its ancestors that stand at (epoch, batch) or before it, the nearest first.

        Of those at one place the oldest comes first. Of an ancestor only what lies before the branch counts: what came
        after it is another story.
        """
        known = {row.id: row for row in self.runs()}
        row, most, found = known.get(run), (epoch, batch), list[tuple[int, int, int, Path]]()
        with closing(self._connect()) as db:
            while row is not None:
                query = "SELECT epoch, batch, rowid, path FROM snapshots WHERE run = ? AND (epoch, batch) <= (?, ?)"
                for at_epoch, at_batch, order, path in db.execute(query, (row.id, *most)):
                    found.append((-at_epoch, -at_batch, order, self.root / str(path)))
                most = min(most, (row.branch_epoch or 0, row.branch_batch or 0))
                row = known.get(row.parent or "")
        return [path for *_, path in sorted(found) if path.exists()]

    def positions(self, run: str) -> list[tuple[int, int]]:
        """Where snapshots of ``run`` stand, as (epoch, batch), in order."""
        with closing(self._connect()) as db:
            rows = db.execute("SELECT DISTINCT epoch, batch FROM snapshots WHERE run = ? ORDER BY 1, 2", (run,))
            return [(int(epoch), int(batch)) for epoch, batch in rows]

    # -- writing, in the order of the calls

    def begin(self, row: RunRow) -> None:
        """Add a run, or take up one that is there; returns when it is written.

        Raises:
            OSError, sqlite3.Error: it could not be written.
        """
        values = {f.name: getattr(row, f.name) for f in fields(RunRow)}
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        update = ", ".join(f"{name} = :{name}" for name in ("state", "updated", "epochs", "waiting"))
        self._writer.submit(
            self._execute,
            f"INSERT INTO runs ({columns}) VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {update}",
            values,
        ).result()

    def update(self, run: str, failed: Callable[[str], None], **values: Any) -> None:
        """Change columns of a run later; ``failed`` hears why it could not be done."""
        values["updated"] = time.time()
        assignments = ", ".join(f"{name} = :{name}" for name in values)

        def work() -> None:
            try:
                self._execute(f"UPDATE runs SET {assignments} WHERE id = :id", {**values, "id": run})
            except (OSError, sqlite3.Error) as error:
                failed(f"the run library could not be written: {error}")

        self._writer.submit(work)

    def store(self, content: dict[str, Any], run: str, kind: Kind, at: tuple[int, int], path: Path, done: Done) -> None:
        """Write a snapshot to ``path`` later, note it, and thin the epoch ends to the last three.

        ``done`` hears the path, or why it could not be written. An epoch end that waits behind three newer ones is
        not written at all.
        """

        from engine import snapshot  # brings torch, which readers of the library do without

        def work() -> None:
            snapshot.write(content, path)
            values = (self._stored(path), run, kind, *at, time.time(), path.stat().st_size)
            self._execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            if kind == "epoch":
                self._thin(run)

        def answer(job: Future[None]) -> None:
            error = None if job.cancelled() else job.exception()
            if error is not None:
                done(None, snapshot.why(error))
            elif not job.cancelled():
                done(path, None)

        job = self._writer.submit(work)
        job.add_done_callback(answer)
        if kind == "epoch":
            self._epoch_jobs = [*(j for j in self._epoch_jobs if not j.done()), job]
            for late in self._epoch_jobs[:-EPOCHS_KEPT]:
                late.cancel()

    def flush(self) -> None:
        """Wait until everything handed over so far is written and answered."""
        self._writer.submit(lambda: None).result()

    def close(self) -> None:
        """Write what waits, and end the writer thread."""
        self._writer.shutdown(wait=True)

    # -- within

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.root / "runs.sqlite", timeout=10)

    def _one(self, query: str, values: tuple[Any, ...]) -> Path | None:
        with closing(self._connect()) as db:
            for (path,) in db.execute(query, values):
                found: Path = self.root / str(path)
                if found.exists():
                    return found
        return None

    def _stored(self, path: Path) -> str:
        """A path within the library is kept relative, so that the folder can be moved."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path.absolute())

    def _execute(self, statement: str, values: Any) -> None:
        with closing(self._connect()) as db, db:
            db.execute(statement, values)

    def _migrate(self) -> None:
        with closing(self._connect()) as db, db:
            if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")  # another process may be at it too
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise sqlite3.DatabaseError("it was made by a newer Tiller")
            for statement in ";".join(_MIGRATIONS[version:]).split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")

    def _thin(self, run: str) -> None:
        with closing(self._connect()) as db, db:
            query = "SELECT path FROM snapshots WHERE run = ? AND kind = 'epoch' ORDER BY rowid DESC"
            for (path,) in db.execute(query, (run,)).fetchall()[EPOCHS_KEPT:]:
                with suppress(FileNotFoundError):
                    (self.root / path).unlink()
                db.execute("DELETE FROM snapshots WHERE path = ?", (path,))

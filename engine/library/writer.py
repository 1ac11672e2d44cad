"""The library's one writer thread: statements and checkpoints in the order in which they were handed over."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.common.text import Text
from engine.library.backup import Backup
from engine.library.disk_errors import is_lost, may_pass, why
from engine.library.record import Statement
from engine.library.rows import Done, Kind, Warned
from engine.library.schema import INDEX, connect

T = TypeVar("T")
ComparedRun = Callable[[str | None], None]
MOST_OWED: Final = 20_000  # statements that wait for a disk, a folder or a lock to come back
REPLACEABLE: Final[tuple[Kind, ...]] = ("epoch", "timed")  # a newer one does as well
EPOCHS_WAITING: Final = 3


def _nobody(_: Text) -> None:
    pass


@dataclass(eq=False, kw_only=True)
class CheckpointWrite:
    """A checkpoint on its way to the disk. ``metrics`` are those of the epoch that ended at ``at`` = (epoch, batch).

    ``done`` hears the path or why it could not be written, ``warn`` what a person should know, on the writer thread.
    """

    content: dict[str, Any]
    run: str
    kind: Kind
    at: tuple[int, int]
    path: Path
    done: Done
    warn: Warned = _nobody
    metrics: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bytes = _size(self.content)


class Writer:
    """Writes to the library in ``root`` on a thread of its own. No call but those that say so waits for the disk.

    ``heal`` is called on that thread where the index is damaged or gone, and says whether it is there again.
    """

    def __init__(self, root: Path, busy: float, heal: Callable[[], bool]) -> None:
        self._root, self._busy, self._heal = root, busy, heal
        self._backup = Backup(root)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._changed = threading.Lock()
        self._parcels: list[CheckpointWrite] = []
        self._being_written = 0
        self._pending: list[Statement] = []
        self._told: ComparedRun = _ignore
        self._broken = False
        self._db: sqlite3.Connection | None = None
        self._opened: tuple[int, int] = (0, 0)
        self._owed: deque[Statement] = deque()  # touched on the writer thread alone

    def now(self, work: Callable[[], T]) -> T:
        """Do ``work`` on the writer thread, and wait for it. Raises what it raises."""
        return self._pool.submit(work).result()

    def later(self, work: Callable[[], None]) -> Future[None]:
        """Do ``work`` on the writer thread."""
        return self._pool.submit(work)

    # -- statements

    def write(self, statements: Sequence[Statement], told: ComparedRun) -> None:
        """Write ``statements`` soon, together with others that wait.

        Where a full disk, a missing folder or a lock is in the way, ``told`` hears of it, and they are written when
        that is over; then it hears None.
        """
        with self._changed:
            first = not self._pending
            self._pending += statements
            self._told = told
        if first:
            self._pool.submit(self._write_pending)

    def execute(self, statements: Sequence[Statement]) -> None:
        """Write what is owed and ``statements``, all or nothing, on the writer thread itself.

        Raises:
            OSError, sqlite3.Error: it could not be done.
        """
        every = [*self._owed, *statements]
        try:
            db = self._transact(every)
        except (OSError, sqlite3.Error) as error:
            if not is_lost(error) or not self._heal():
                raise
            db = self._transact([*self._backup.since, *every])
        self._owed.clear()
        self._backup.wrote(every, db)

    def _transact(self, statements: Sequence[Statement]) -> sqlite3.Connection:
        try:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in statements:
                    db.execute(statement, values)
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
        except (OSError, sqlite3.Error):
            self._disconnect()  # a connection that failed may go on failing
            raise
        return db

    def query(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read on the writer thread itself. Raises OSError, sqlite3.Error."""
        return self._connection().execute(query, values).fetchall()

    def let_go(self) -> None:
        """Close the index, on the writer thread itself; what is written next opens it again."""
        self._disconnect()

    def owe(self, statements: Sequence[Statement]) -> None:
        """Keep ``statements`` for the next write, on the writer thread itself."""
        self._owed.extend(statements[: max(0, MOST_OWED - len(self._owed))])

    def _write_pending(self) -> None:
        with self._changed:
            statements, self._pending = self._pending, []
            told = self._told
        try:
            self.execute(statements)
        except (OSError, sqlite3.Error) as error:
            if may_pass(error):
                self.owe(statements)
            self._broken = True
            told(why(error))
        else:
            if self._broken:
                told(None)
            self._broken = False

    # -- checkpoints

    def store(
        self,
        parcel: CheckpointWrite,
        write: Callable[[CheckpointWrite], None],
        best: Callable[[Sequence[CheckpointWrite]], Sequence[CheckpointWrite]],
    ) -> None:
        """Have ``write`` called with ``parcel`` on the writer thread, and answer it.

        Of a run's epoch ends that wait only the newest few stay, and those that are ``best``.
        """
        with self._changed:
            self._parcels.append(parcel)
            ends = [p for p in self._parcels if p.kind == "epoch" and p.run == parcel.run]
            spared = best(ends)
            self._drop([p for p in ends[:-EPOCHS_WAITING] if p not in spared])
        self._pool.submit(self._write_parcel, parcel, write)

    def make_room(self, parcel: CheckpointWrite, memory: int) -> bool:
        """Let go of checkpoints that a newer one replaces until ``parcel`` fits into ``memory``; whether it does."""
        with self._changed:
            for old in [p for p in self._parcels if p.kind in REPLACEABLE]:
                if self._waiting() + parcel.bytes <= memory:
                    break
                self._drop([old])
            return not self._waiting() or self._waiting() + parcel.bytes <= memory

    @property
    def waiting(self) -> int:
        """Bytes of checkpoints that wait in memory, the one being written included."""
        with self._changed:
            return self._waiting()

    def _waiting(self) -> int:
        return self._being_written + sum(p.bytes for p in self._parcels)

    def _drop(self, parcels: Sequence[CheckpointWrite]) -> None:
        for parcel in parcels:
            self._parcels.remove(parcel)
            parcel.content = {}

    def _write_parcel(self, parcel: CheckpointWrite, write: Callable[[CheckpointWrite], None]) -> None:
        with self._changed:
            if parcel not in self._parcels:
                return  # a newer one does as well
            self._parcels.remove(parcel)
            self._being_written = parcel.bytes
        problem: str | None = None
        try:
            write(parcel)
        except Exception as error:  # noqa: BLE001 - answered, whatever it is; the writer lives on
            problem = why(error)
        parcel.content = {}
        with self._changed:
            self._being_written = 0
        parcel.done(None if problem else parcel.path, problem)

    # -- the end

    def flush(self) -> None:
        """Wait until everything handed over so far is written and answered."""
        self._pool.submit(_nothing).result()

    def close(self) -> None:
        """Write what waits and what is owed, and end the thread."""

        def last() -> None:
            if self._owed:
                with suppress(OSError, sqlite3.Error):
                    self.execute(())
            if self._db is not None:
                self._backup.copy(self._db)
            self._disconnect()

        with suppress(RuntimeError):  # it was closed before
            self._pool.submit(last)
        self._pool.shutdown(wait=True)

    # -- the connection of the writer thread

    def _connection(self) -> sqlite3.Connection:
        found = os.stat(self._root / INDEX)  # noqa: PTH116 - asked at every write
        place = (found.st_dev, found.st_ino)
        if self._db is None or place != self._opened:  # somebody put another file in its place
            self._disconnect()
            self._db, self._opened = connect(self._root, busy=self._busy), place
        return self._db

    def _disconnect(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None


def _size(value: Any) -> int:
    """Bytes that the tensors and texts in ``value`` take."""
    if isinstance(value, dict):
        return sum(_size(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_size(item) for item in value)
    return int(getattr(value, "nbytes", 0)) or (len(value) if isinstance(value, (str, bytes)) else 0)


def _ignore(_: str | None) -> None:
    pass


def _nothing() -> None:
    pass

"""The library's one writer thread, and what it writes to the index."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from engine.common.text import Text
from engine.library.backup import Backup
from engine.library.disk_errors import is_lost, may_pass, why
from engine.library.recovery import open_index
from engine.library.schema import INDEX, VersionError, connect
from engine.library.statements import Statement

T = TypeVar("T")
MAX_UNWRITTEN: Final = 20_000  # statements that are kept until a disk, a folder or a lock is available again


class IndexWriter:
    """Writes to the index in ``root`` on a thread of its own, in the order of the calls.

    Where the index is damaged or missing, it is rebuilt from its copy and the checkpoints, and the write is repeated.
    ``warn`` is then called, on the writer thread, with what a person should know; it may be replaced.
    """

    def __init__(self, root: Path, busy: float) -> None:
        self.warn: Callable[[Text], None] = _ignore
        self._root, self._busy = root, busy
        self._backup = Backup(root)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._lock = threading.Lock()
        self._pending: list[Statement] = []
        self._report: Callable[[str | None], None] = _ignore
        self._failing = False
        self._unwritten: list[Statement] = []  # used on the writer thread only, as are the next two
        self._db: sqlite3.Connection | None = None
        self._opened: tuple[int, int] = (0, 0)

    def call(self, work: Callable[[], T]) -> T:
        """Do ``work`` on the writer thread, and wait for it. Raises what it raises."""
        return self._pool.submit(work).result()

    def submit(self, work: Callable[[], object]) -> None:
        """Do ``work`` on the writer thread, later."""
        self._pool.submit(work)

    def write(self, statements: Sequence[Statement], report: Callable[[str | None], None]) -> None:
        """Write ``statements`` soon, together with others.

        ``report`` is called on the writer thread: with the reason where a full disk, a missing folder, a lock or the
        like prevents it, and with None once they are written after all.
        """
        with self._lock:
            first = not self._pending
            self._pending += statements
            self._report = report
        if first:
            self._pool.submit(self._write_pending)

    def flush(self) -> None:
        """Wait until all that was submitted so far is done."""
        self._pool.submit(_nothing).result()

    def close(self) -> None:
        """Write all that is pending, copy the index, and end the thread."""

        def last() -> None:
            if self._unwritten:
                with suppress(OSError, sqlite3.Error):
                    self.execute(())
            if self._db is not None:
                self._backup.copy(self._db)
            self.disconnect()

        with suppress(RuntimeError):  # it is closed already
            self._pool.submit(last)
        self._pool.shutdown(wait=True)

    # -- on the writer thread

    def execute(self, statements: Sequence[Statement]) -> None:
        """Write ``statements``, after those that could not be written before; all or none.

        Raises:
            OSError, sqlite3.Error: it could not be done.
        """
        everything = [*self._unwritten, *statements]
        try:
            db = self._transaction(everything)
        except (OSError, sqlite3.Error) as error:
            if not is_lost(error) or not self._rebuild():
                raise
            db = self._transaction([*self._backup.since, *everything])
        self._unwritten.clear()
        self._backup.add(everything, db)

    def write_later(self, statements: Sequence[Statement]) -> None:
        """Keep ``statements``, which could not be written, for the next write."""
        self._unwritten += statements[: max(0, MAX_UNWRITTEN - len(self._unwritten))]

    def disconnect(self) -> None:
        """Close the index; the next write opens it again."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _write_pending(self) -> None:
        with self._lock:
            statements, self._pending = self._pending, []
            report = self._report
        try:
            self.execute(statements)
        except (OSError, sqlite3.Error) as error:
            if may_pass(error):
                self.write_later(statements)
            self._failing = True
            report(why(error))
        else:
            if self._failing:
                report(None)
            self._failing = False

    def _transaction(self, statements: Sequence[Statement]) -> sqlite3.Connection:
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
            self.disconnect()  # a connection that failed once may keep failing
            raise
        return db

    def _rebuild(self) -> bool:
        """Rebuild the index; whether it is there again. A missing folder is created by the next checkpoint."""
        try:
            remarks = open_index(self._root, self._busy) if self._root.is_dir() else []
        except (OSError, sqlite3.Error, VersionError):
            return False
        for remark in remarks:
            self.warn(remark)
        return (self._root / INDEX).exists()

    def _connection(self) -> sqlite3.Connection:
        found = os.stat(self._root / INDEX)  # noqa: PTH116 - asked at every write
        opened = (found.st_dev, found.st_ino)
        if self._db is None or opened != self._opened:  # another file may have replaced it
            self.disconnect()
            self._db, self._opened = connect(self._root, busy=self._busy), opened
        return self._db


def _ignore(_: object) -> None:
    pass


def _nothing() -> None:
    pass

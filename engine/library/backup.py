"""A copy of the index, from which it is made anew where it is damaged or gone."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from engine.common.file_lock import lock
from engine.library.record import Statement
from engine.library.schema import BACKUP

_SECONDS: Final = 60.0
_MOST: Final = 20_000  # statements; more are written in that time by no disk


class Backup:
    """Copies the index in ``root`` now and then, and remembers what was written since."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._copied = time.monotonic()
        self.since: list[Statement] = []

    def wrote(self, statements: Sequence[Statement], db: sqlite3.Connection) -> None:
        """Note what was written, and copy the index where that is long ago."""
        self.since += statements
        if time.monotonic() - self._copied >= _SECONDS or len(self.since) > _MOST:
            self.copy(db)

    def copy(self, db: sqlite3.Connection) -> None:
        """Copy the index, if something was written; where that fails, the older copy stands."""
        self._copied = time.monotonic()
        if not self.since:
            return
        part = self._root / f"{BACKUP}.{os.getpid()}.part"
        try:
            with part.open("wb") as file:
                lock(file)
                with closing(sqlite3.connect(part)) as copy:
                    db.backup(copy)
                os.fsync(file.fileno())
                part.replace(self._root / BACKUP)
        except (OSError, sqlite3.Error):
            with suppress(OSError):
                part.unlink(missing_ok=True)
        else:
            self.since.clear()
        if len(self.since) > _MOST:
            self.since.clear()  # no copy can be made, and so much is not remembered

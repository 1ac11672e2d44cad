"""A copy of the index, from which it is rebuilt where it is damaged or missing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from engine.common.files import replacing
from engine.library.schema import BACKUP
from engine.library.statements import Statement

_SECONDS: Final = 60.0
_MAX_STATEMENTS: Final = 20_000  # more than any disk writes in that time


class Backup:
    """Copies the index in ``root`` from time to time; ``since`` holds the statements since the last copy."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._copied = time.monotonic()
        self.since: list[Statement] = []

    def add(self, statements: Sequence[Statement], db: sqlite3.Connection) -> None:
        """Add statements that were written, and copy the index where the last copy is old."""
        self.since += statements
        if time.monotonic() - self._copied >= _SECONDS or len(self.since) > _MAX_STATEMENTS:
            self.copy(db)

    def copy(self, db: sqlite3.Connection) -> None:
        """Copy the index if it has changed; where that fails, the older copy stays."""
        self._copied = time.monotonic()
        if not self.since:
            return
        with suppress(OSError, sqlite3.Error):
            with replacing(self._root / BACKUP) as file, closing(sqlite3.connect(file.name)) as copy:
                db.backup(copy)
            self.since.clear()
        if len(self.since) > _MAX_STATEMENTS:
            self.since.clear()  # no copy can be made, and memory is limited

"""Whether the last window ended properly: each has a file, locked while it lives, that a proper end removes."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO

from engine.common.file_lock import lock


class Session:
    """The window of this process.

    Attributes:
        after_crash: whether a window before it ended without ``end``.
    """

    def __init__(self, folder: Path) -> None:
        self.after_crash = False
        self._file: IO[bytes] | None = None
        self._path = folder / f"window-{os.getpid()}-{secrets.token_hex(4)}.lock"
        with suppress(OSError):
            for path in folder.glob("window-*.lock"):
                self.after_crash |= _remove_if_dead(path)
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb")
            lock(self._file)

    def end(self) -> None:
        """End properly."""
        if self._file is not None:
            self._file.close()
            with suppress(OSError):
                self._path.unlink()
            self._file = None


def _remove_if_dead(path: Path) -> bool:
    """Remove the file of a window whose process is gone; whether it was one."""
    try:
        with path.open("r+b") as file:
            if not lock(file):
                return False
        path.unlink()
    except OSError:
        return False
    return True

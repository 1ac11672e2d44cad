"""Which process has a run open: a lock on a file of its own, which the system releases when the process ends."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO, Final

from engine.common.errors import RunInUseError
from engine.common.file_lock import lock, unlock
from engine.common.text import Text
from engine.library.folder import lock_of

_TRIES: Final = 20  # is_live holds the lock for an instant
_PAUSE: Final = 0.02  # seconds


class RunLock:
    """The lock of one run.

    Raises:
        RunInUseError: another process (or another window) has it.
        OSError: the file cannot be created. Where the file system has no locks, the run is not locked.
    """

    def __init__(self, root: Path, run: str) -> None:
        path = lock_of(root, run)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] | None = open(path, "a+b", opener=_without_links)  # noqa: SIM115 - open while locked
        for left in reversed(range(_TRIES)):
            if lock(self._file):
                break
            if not left:
                owner = _owner(self._file)
                self._file.close()
                raise RunInUseError(
                    "resume", Text("run {run} is in use{owner}: stop it there first", run=run, owner=owner)
                )
            time.sleep(_PAUSE)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}".encode())
        self._file.flush()

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            unlock(self._file)
            self._file.close()
            self._file = None


def is_live(root: Path, run: str) -> bool:
    """Whether a process has ``run`` open."""
    try:
        with open(lock_of(root, run), "r+b", opener=_without_links) as file:
            if not lock(file, shared=True):
                return True
            unlock(file)
    except OSError:
        pass
    return False


def _without_links(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _owner(file: IO[bytes]) -> str:
    try:
        file.seek(0)
        number = file.read(20).decode()
    except (OSError, ValueError):  # on Windows a locked file cannot be read
        return ""
    return Text(" by process {number}", number=number) if number.isdigit() else ""

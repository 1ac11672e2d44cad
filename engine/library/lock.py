"""Who is at a run: a lock on a file of its own, which the system lets go when the process ends, however it ends."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO, Final

from engine.common.file_lock import lock, unlock
from engine.common.spec import SpecError
from engine.common.text import Text

_TRIES: Final = 20  # somebody who only looks holds the lock for an instant
_PAUSE: Final = 0.02


class UnderWayError(SpecError):
    """Another process is at the run."""


class RunLock:
    """The ownership of one run.

    Raises:
        UnderWayError: another process (or another window) has it.
        OSError: the file cannot be made; where the file system knows no locks, the run goes on without.
    """

    def __init__(self, root: Path, run: str) -> None:
        path = lock_path(root, run)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] | None = path.open("a+b")
        for left in reversed(range(_TRIES)):
            if lock(self._file):
                break
            if not left:
                owner = _owner(self._file)
                self._file.close()
                text = "run {run} is under way{owner}: stop it there first"
                raise UnderWayError("resume", Text(text, run=run, owner=owner))
            time.sleep(_PAUSE)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}".encode())
        self._file.flush()

    def release(self) -> None:
        """Let the run go."""
        if self._file is not None:
            unlock(self._file)
            self._file.close()
            self._file = None


def lock_path(root: Path, run: str) -> Path:
    """The file whose lock says who is at ``run``."""
    return root / "locks" / f"{run}.lock"


def is_live(root: Path, run: str) -> bool:
    """Whether somebody is at ``run``."""
    try:
        with lock_path(root, run).open("r+b") as file:
            if not lock(file, shared=True):
                return True
            unlock(file)
    except OSError:
        pass
    return False


def _owner(file: IO[bytes]) -> str:
    try:
        file.seek(0)
        number = file.read(20).decode()
    except (OSError, ValueError):  # Windows lets nobody read what is locked
        return ""
    return Text(" in process {number}", number=number) if number.isdigit() else ""

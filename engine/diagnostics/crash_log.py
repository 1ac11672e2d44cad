"""The crash log, ``crash.log`` in the library's folder: what each thread was doing when the process crashed."""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

NAME: Final = "crash.log"
_LARGE: Final = 300_000  # bytes, above which the file is renamed to crash.old.log


class CrashLog:
    """The open file. Python's ``faulthandler`` writes crashes to it, ``write`` other messages."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Append ``text`` with the time and the process id, and flush it."""
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        with suppress(OSError, ValueError):
            self._file.write(f"{when} (process {os.getpid()}) {text}\n".encode(errors="replace"))
            self._file.flush()


@contextmanager
def crash_log(folder: Path) -> Iterator[CrashLog | None]:
    """Write crashes of the process (a segmentation fault, an abort) to the log in ``folder`` while in the context.

    Yields None if the file cannot be written; crashes are then written to standard error, if there is one.
    """
    was_on = faulthandler.is_enabled()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        if path.exists() and path.stat().st_size > _LARGE:
            path.replace(path.with_suffix(".old.log"))
        file = path.open("ab", buffering=0)
    except OSError:
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            faulthandler.enable()
        yield None
        return
    with file:
        faulthandler.enable(file)
        try:
            yield CrashLog(file)
        finally:
            faulthandler.disable()
            if was_on:
                with suppress(OSError, ValueError, RuntimeError, AttributeError):
                    faulthandler.enable()


def written_since(folder: Path, when: float) -> Path | None:
    """The log in ``folder``, if it was written to at or after ``when`` (Unix time in seconds); else None."""
    path = folder / NAME
    try:
        found = path.stat()
    except OSError:
        return None
    return path if found.st_size and found.st_mtime >= when else None

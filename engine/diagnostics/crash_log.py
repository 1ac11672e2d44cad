"""Where the process says what it was doing when it was ended by a fault: ``crash.log`` in the library's folder."""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

NAME: Final = "crash.log"
_LARGE: Final = 300_000  # bytes; then the file is put aside


class CrashLog:
    """The open file, to which faults are written by Python itself, and last words by ``write``."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Add ``text``, so that it stands there whatever happens next."""
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        with suppress(OSError, ValueError):
            self._file.write(f"{when} (process {os.getpid()}) {text}\n".encode(errors="replace"))
            self._file.flush()


@contextmanager
def crash_log(folder: Path) -> Iterator[CrashLog | None]:
    """While within, a fault of the process (a bad access, an abort) is written to ``folder``.

    None where nothing can be written there; then it goes to standard error, where there is one.
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
    """The file in ``folder``, if something was written to it after ``when`` (Unix seconds); else None."""
    path = folder / NAME
    try:
        found = path.stat()
    except OSError:
        return None
    return path if found.st_size and found.st_mtime >= when else None

"""Locks on open files that the system releases when the process ends, however it ends."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


if sys.platform == "win32":

    def lock(file: IO[bytes], shared: bool = False) -> bool:
        """Lock ``file`` without waiting; False where another process holds it."""
        file.seek(1 << 30)  # a byte that is not there: the rest can still be read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def unlock(file: IO[bytes]) -> None:
        """Release the lock on ``file``."""
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def lock(file: IO[bytes], shared: bool = False) -> bool:
        """Lock ``file`` without waiting; False where another process holds it."""
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True

    def unlock(file: IO[bytes]) -> None:
        """Release the lock on ``file``."""
        fcntl.flock(file, fcntl.LOCK_UN)

"""Locks on open files. The operating system releases them when the process ends, even after a crash."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


if sys.platform == "win32":

    def lock(file: IO[bytes], shared: bool = False) -> bool:
        """Lock ``file`` without waiting. Returns False if another process holds the lock; ``shared`` is ignored."""
        file.seek(1 << 30)  # lock a byte beyond the end: others can still read the file
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
        """Lock ``file`` without waiting. Returns False if another process holds the lock.

        With ``shared``, other shared locks do not count. On a file system without locks it returns True.
        """
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # the file system has no locks
            return True
        return True

    def unlock(file: IO[bytes]) -> None:
        """Release the lock on ``file``."""
        fcntl.flock(file, fcntl.LOCK_UN)

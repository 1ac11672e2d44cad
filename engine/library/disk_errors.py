"""What went wrong on the disk, in words: what happened, and what to do about it."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from engine.common.text import Text

_SENTENCES: Final = {
    "full": "the disk is full: free some space",
    "quota": "the quota of this disk is used up: free some space",
    "large": "the file would be larger than this process or disk may have",
    "read-only": "the folder is read-only: make it writable, or choose another library",
    "gone": "its index or folder is gone; checkpoints are saved all the same, and found again when Tiller starts",
    "input/output": "the disk does not answer as it should (input/output error)",
    "locked": "another program keeps the index locked",
    "damaged": "the index is damaged: it is made anew when Tiller starts again",
}
_BY_CODE: Final = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "gone",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_IOERR: "input/output",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}
_BY_NUMBER: Final = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "quota",
    errno.EFBIG: "large",
    errno.EROFS: "read-only",
    errno.ENOENT: "gone",
    errno.ESTALE: "gone",
    errno.EIO: "input/output",
}
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def why(error: BaseException) -> str:
    """Why reading or writing failed, in one sentence."""
    if isinstance(error, sqlite3.Error):
        known = _BY_CODE.get(code(error))
        return Text(_SENTENCES[known]) if known else str(error)
    if isinstance(error, OSError):
        known = _BY_NUMBER.get(error.errno or 0)
        where = f"{error.filename}: " if error.filename else ""
        if known:
            return Text("{where}{problem}", where=where, problem=Text(_SENTENCES[known]))
        return f"{where}{error.strerror}" if error.strerror else str(error)
    return f"{type(error).__name__}: {error}"


def why_not_opened(error: BaseException, root: Path) -> str:
    """Why the library in ``root`` cannot be opened, in one sentence."""
    if isinstance(error, (OSError, sqlite3.Error)) and root.is_dir() and not _writable(root):
        return Text(_SENTENCES["read-only"])
    return why(error)


def _writable(root: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=root):
            return True
    except OSError as error:
        return error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM)


def code(error: sqlite3.Error) -> int:
    """SQLite's number for ``error``, without its details; -1 where it has none."""
    number = getattr(error, "sqlite_errorcode", None)
    return -1 if number is None else number & 0xFF


def is_damage(error: BaseException) -> bool:
    """Whether ``error`` means that the index itself is broken."""
    return isinstance(error, sqlite3.Error) and code(error) in DAMAGED


def is_lost(error: BaseException) -> bool:
    """Whether ``error`` means that the index is broken or gone, and has to be made anew."""
    gone = isinstance(error, sqlite3.Error) and code(error) == sqlite3.SQLITE_CANTOPEN
    return is_damage(error) or gone or isinstance(error, FileNotFoundError)


def may_pass(error: BaseException) -> bool:
    """Whether the same write may succeed later: the disk, the folder or a lock is in the way, not what is written."""
    return isinstance(error, OSError) or (isinstance(error, sqlite3.Error) and code(error) in _BY_CODE)

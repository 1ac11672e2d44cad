"""Disk errors as sentences: what failed, and what to do about it."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from engine.common.text import Text

_SENTENCES: Final = {
    "full": "the disk is full: free some space",
    "quota": "the disk quota is used up: free some space",
    "large": "the file would be larger than this disk or process allows",
    "read-only": "the folder is read-only: make it writable, or choose another library",
    "missing": "its index or folder is missing; checkpoints are still saved, and are found again when Tiller starts",
    "input/output": "the disk reports an input/output error",
    "locked": "another program has locked the index",
    "damaged": "the index is damaged: it is rebuilt when Tiller starts again",
}
_BY_CODE: Final = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "missing",
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
    errno.ENOENT: "missing",
    errno.ESTALE: "missing",
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
    """SQLite's primary result code of ``error``; -1 where it has none."""
    number = getattr(error, "sqlite_errorcode", None)
    return -1 if number is None else number & 0xFF


def is_damage(error: BaseException) -> bool:
    """Whether ``error`` means that the index is damaged."""
    return isinstance(error, sqlite3.Error) and code(error) in DAMAGED


def is_lost(error: BaseException) -> bool:
    """Whether ``error`` means that the index is damaged or missing, and has to be rebuilt."""
    missing = isinstance(error, sqlite3.Error) and code(error) == sqlite3.SQLITE_CANTOPEN
    return is_damage(error) or missing or isinstance(error, FileNotFoundError)


def may_pass(error: BaseException) -> bool:
    """Whether the same write may succeed later: the disk, the folder or a lock prevents it, not what is written."""
    return isinstance(error, OSError) or (isinstance(error, sqlite3.Error) and code(error) in _BY_CODE)

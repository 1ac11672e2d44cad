"""Files: opened only where they are regular files, and replaced as a whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from engine.common.errors import SpecError
from engine.common.file_lock import lock
from engine.common.text import Text

_STEM: Final = 40  # characters of a file's name in that of its temporary file: a name has at most 255 bytes
_TRIES: Final = 20
_NAME, _PATH = 255, 4095  # most bytes
_PERMISSIONS: Final = 0o777


def path_problem(text: str) -> str | None:
    """Why no file can have the path ``text``, to follow a field's name; None where one can."""
    if not text:
        return "must not be empty"
    if "\0" in text:
        return "must not contain a NUL character"
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:
        return "has characters that no file's name can have"
    if len(name) > _PATH or max(map(len, re.split(rb"[/\\]" if os.name == "nt" else b"/", name))) > _NAME:
        return f"is too long: a name has at most {_NAME} bytes, and a whole path {_PATH}"
    return None


def given_path(text: str) -> Path:
    """The absolute path that a person gave, with ``~`` and ``~user`` expanded.

    Raises:
        OSError: no file can have this path.
    """
    problem = path_problem(text)
    if problem is not None:
        raise OSError(errno.EINVAL, f"the path {problem}")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # there is no such user
        raise OSError(errno.EINVAL, "the home folder at its beginning is not known", text) from None


def path_of(field: str, text: str) -> Path:
    """``given_path`` for ``field`` of a recipe or of the command line.

    Raises:
        SpecError: no file can have this path.
    """
    try:
        return given_path(text)
    except OSError as error:
        raise SpecError(
            field, Text("{path!r} cannot be used: {reason}", path=text, reason=error.strerror or error)
        ) from None


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading. Opening anything else could wait forever.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is not a file", str(path))


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def check_replaceable(path: Path, is_own: Callable[[Path], bool], kind: str, *, overwrite: bool) -> None:
    """Check that ``path`` may be written: there is nothing, or a file that may be replaced.

    Args:
        path: where a file is to be written.
        is_own: whether the regular file at a path is of the ``kind`` that is to be written.
        kind: what ``is_own`` accepts, for the message, such as "a Tiller checkpoint".
        overwrite: whether any other file or link may be replaced too; nothing else ever is.

    Raises:
        OSError: it may not.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        what = "it is a link"
    elif not stat.S_ISREG(mode):
        raise FileExistsError(errno.EEXIST, "it is there already and is not a file", str(path))
    elif overwrite or is_own(path):
        return
    else:
        what = f"it is there already and is not {kind}"
    if not overwrite:
        allow = 'give "overwrite": true (on the command line, --overwrite)'
        raise FileExistsError(errno.EEXIST, f"{what}; choose another name, or {allow}", str(path))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file, to be written, that replaces ``path`` once the context ends without an error.

    It is a temporary file beside ``path`` (its ``name``), locked, synced, renamed, and its folder synced: after a crash
    at any time, either the old file or the new one is there, completely. It has the permissions of the file that it
    replaces; a new one has those that the process gives to new files.

    Raises:
        OSError: the disk is full, the folder cannot be written, or the like; an older file is unchanged.
    """
    file = _temporary(path)
    part = Path(file.name)
    try:
        with file:
            with suppress(FileNotFoundError):
                _copy_permissions(path, file)
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.name != "nt":
                part.replace(path)  # still locked: an unlocked temporary file may be removed by others
        if os.name == "nt":  # where no open file can be renamed
            part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    _sync_folder(path.parent)


def _temporary(path: Path) -> IO[bytes]:
    """A new, locked file beside ``path``, whose name nobody can know before."""
    for left in reversed(range(_TRIES)):
        part = path.with_name(f".{path.name[:_STEM]}.{secrets.token_hex(8)}.part")
        file = part.open("x+b")
        # A library that is opened before the lock is there takes the file for a leftover, and removes it.
        if (lock(file) and _is_there(part, file)) or not left:
            return file
        file.close()
        with suppress(OSError):
            part.unlink()
    raise AssertionError


def _is_there(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _copy_permissions(path: Path, file: IO[bytes]) -> None:
    found = path.lstat()
    if stat.S_ISREG(found.st_mode) and os.name != "nt":
        os.fchmod(file.fileno(), found.st_mode & _PERMISSIONS)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and its renames are durable
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

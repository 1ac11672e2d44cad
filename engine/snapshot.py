"""A run's state in one file: written atomically and durably, checked before it is parsed, safe to load.

The file is what ``torch.save`` writes, so plain PyTorch reads it: ``torch.load(path, weights_only=True)["model"]``.
Its last 64 bytes, the zip archive's comment, are the SHA-256 in hex of every byte before them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sqlite3
import struct
import tempfile
from pathlib import Path
from types import NoneType
from typing import IO, Any, Final

import torch
from torch import Tensor

from engine.spec import SpecError

FORMAT: Final = 1
_DIGEST_LENGTH: Final = 64
_KEYS: Final[dict[str, type]] = {
    "format": int,
    "model": dict,
    "optimizer": dict,
    "rate": dict,
    "random": dict,
    "position": list,
    "meter": dict,
    "frozen": list,
    "recipe": str,
    "history": str,
    "hand": str,
    "run": dict,
    "made": dict,
}


# All that reading a file with the right digest but foreign or hostile content was seen or is documented to raise.
_UNREADABLE: Final = (RuntimeError, ValueError, LookupError, EOFError, TypeError, AttributeError, ArithmeticError)


class SnapshotError(SpecError):
    """A file that cannot be read as a snapshot; one line says why."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__("snapshot", f"{path} {problem}")


def write(content: dict[str, Any], path: str | Path) -> None:
    """Write ``content`` (tensors on any device, plain data) to ``path``, replacing what stands there only when done.

    Temporary file beside it, fsync, rename, fsync of the folder: after a crash at any moment either the old file
    stands or the new one does.

    Raises:
        OSError: the disk is full, the folder cannot be written, and the like; an old file stands untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            try:
                torch.save(_on_cpu({"format": FORMAT, **content}), file)
            except RuntimeError as error:  # how PyTorch reports a write that failed, a full disk among others
                raise OSError(f"writing failed, is the disk full? ({str(error).splitlines()[0]})") from error
            _seal(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def why(error: BaseException) -> str:
    """Why writing failed, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'writing failed'}: {error.strerror}"
    return str(error) if isinstance(error, (OSError, sqlite3.Error)) else f"{type(error).__name__}: {error}"


def read(path: str | Path) -> dict[str, Any]:
    """The content of the snapshot at ``path``, tensors on the CPU.

    Raises:
        SnapshotError: the file is not there, damaged, foreign, made by a newer Tiller, or holds more than data.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            _check_seal(file, path)
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SnapshotError(path, f"cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError:
        raise SnapshotError(path, "holds more than data and was not loaded: it is no snapshot of Tiller's") from None
    except (*_UNREADABLE, AssertionError, ImportError, struct.error, MemoryError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(path, f"is no snapshot of Tiller's ({type(error).__name__})") from None
    _check_content(content, path)
    checked: dict[str, Any] = content
    return checked


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_on_cpu(item) for item in value)
    return value


def _seal(file: IO[bytes]) -> None:
    """Turn the end of the zip archive into one with a 64-byte comment: the digest of all before it."""
    file.seek(-2, os.SEEK_END)  # the end record's last field: the length of the comment, so far 0
    file.write(_DIGEST_LENGTH.to_bytes(2, "little"))
    digest = _digest(file, file.tell())
    file.seek(0, os.SEEK_END)
    file.write(digest.encode())


def _check_seal(file: IO[bytes], path: Path) -> None:
    size = file.seek(0, os.SEEK_END)
    if size <= _DIGEST_LENGTH:
        raise SnapshotError(path, "is too short to be a snapshot")
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise SnapshotError(path, "is no snapshot of Tiller's")
    digest = _digest(file, size - _DIGEST_LENGTH)
    if file.read() != digest.encode():
        raise SnapshotError(
            path, "is damaged: its checksum does not match its content (or it is no snapshot of Tiller's)"
        )


def _digest(file: IO[bytes], length: int) -> str:
    """SHA-256 in hex of the first ``length`` bytes; leaves the file right behind them."""
    digest = hashlib.sha256()
    file.seek(0)
    while length > 0:
        block = file.read(min(length, 1 << 20))
        if not block:
            break
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()


def _check_content(content: Any, path: Path) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise SnapshotError(path, "is no snapshot of Tiller's")
    if content["format"] > FORMAT:
        raise SnapshotError(path, f"was made by a newer Tiller (format {content['format']}, this one reads {FORMAT})")
    for key, kind in _KEYS.items():
        if not isinstance(content.get(key), kind):
            raise SnapshotError(path, f"is incomplete: {key} is missing or not what it should be")
    run, threads = content["run"], content["made"].get("threads")
    known = all(isinstance(run.get(key), str) for key in ("id", "name"))
    if not known or not isinstance(run.get("parent"), (str, NoneType)) or not isinstance(threads, int):
        raise SnapshotError(path, "is incomplete: what it says of its run is not what it should be")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and a rename is durable
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

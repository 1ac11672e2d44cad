"""The seal of a checkpoint's file: its last 64 bytes, the SHA-256 in hex of every byte before them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, Final

from engine.common.spec import SpecError

LENGTH: Final = 64
_BLOCK: Final = 1 << 20


class CheckpointError(SpecError):
    """A file that cannot be read as a checkpoint; one line says why."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__("checkpoint", f"{path} {problem}")


def put(file: IO[bytes]) -> None:
    """Turn the end of the zip archive into one with a 64-byte comment: the digest of all before it."""
    file.seek(-2, os.SEEK_END)  # the end record's last field: the length of the comment, so far 0
    file.write(LENGTH.to_bytes(2, "little"))
    digest = _digest(file, file.tell())
    file.seek(0, os.SEEK_END)
    file.write(digest.encode())


def check(file: IO[bytes], path: Path) -> None:
    """Compare the seal with the content.

    Raises:
        CheckpointError: they do not fit, or it is no checkpoint.
    """
    size = file.seek(0, os.SEEK_END)
    if size <= LENGTH:
        raise CheckpointError(path, "is too short to be a checkpoint")
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise CheckpointError(path, "is no checkpoint of Tiller's")
    digest = _digest(file, size - LENGTH)
    if file.read() != digest.encode():
        raise CheckpointError(
            path, "is damaged: its checksum does not match its content (or it is no checkpoint of Tiller's)"
        )


def _digest(file: IO[bytes], length: int) -> str:
    """SHA-256 in hex of the first ``length`` bytes; leaves the file right behind them."""
    digest = hashlib.sha256()
    file.seek(0)
    while length > 0:
        block = file.read(min(length, _BLOCK))
        if not block:
            break
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()

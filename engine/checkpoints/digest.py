"""The digest of a checkpoint file: its last 64 bytes, the SHA-256 in hex of every byte before them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import IO, Final

from engine.common.errors import CheckpointError
from engine.common.files import open_regular

LENGTH: Final = 64
_BLOCK: Final = 1 << 20
_ZIP: Final = b"PK\x03\x04"
_END: Final = re.compile(rb"@\x00[0-9a-f]{64}")  # the comment's length, 64, and the comment


def append(file: IO[bytes]) -> None:
    """Append the digest to a zip archive, as its comment."""
    file.seek(-2, os.SEEK_END)  # the last field of the end record: the length of the comment, 0 so far
    file.write(LENGTH.to_bytes(2, "little"))
    digest = _digest(file, file.tell())
    file.seek(0, os.SEEK_END)
    file.write(digest.encode())


def is_sealed(path: Path) -> bool:
    """Whether the file at ``path`` ends as a checkpoint does, damaged or not. Raises OSError."""
    with open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        if size < LENGTH + 2:
            return False
        file.seek(-LENGTH - 2, os.SEEK_END)
        end = file.read()
        file.seek(0)
        return file.read(4) == _ZIP and _END.fullmatch(end) is not None


def check(file: IO[bytes], path: Path) -> None:
    """Compare the digest with the content.

    Raises:
        CheckpointError: they differ, or the file is not a checkpoint.
    """
    size = file.seek(0, os.SEEK_END)
    if size <= LENGTH:
        raise CheckpointError(path, "is too short to be a checkpoint")
    file.seek(0)
    if file.read(4) != _ZIP:
        raise CheckpointError(path, "is not a Tiller checkpoint")
    digest = _digest(file, size - LENGTH)
    if file.read() != digest.encode():
        raise CheckpointError(
            path, "is damaged: its checksum does not match its content (or it is not a Tiller checkpoint)"
        )


def _digest(file: IO[bytes], length: int) -> str:
    """SHA-256 in hex of the first ``length`` bytes; leaves the file position after them."""
    digest = hashlib.sha256()
    file.seek(0)
    while length > 0:
        block = file.read(min(length, _BLOCK))
        if not block:
            break
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()

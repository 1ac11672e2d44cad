"""The IDX format of MNIST: a big-endian header (a magic number and each dimension), then the bytes; often gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Final

import numpy as np

from engine.common.errors import Cancelled
from engine.common.progress import IsCancelled, never
from engine.common.text import Text

MAX_BYTES: Final = 1 << 30
_UNSIGNED_BYTE: Final = 0x08
_BLOCK: Final = 1 << 20


class IdxError(ValueError):
    """A file is not the expected IDX file. The message says why."""


def read_idx(path: Path, dims: int, *, cancelled: IsCancelled = never) -> np.ndarray:
    """Read the uint8 array of ``dims`` dimensions in an IDX file, which is gzipped if its name ends in ``.gz``.

    Raises:
        IdxError: the file is of another kind, truncated, damaged, too long or larger than 1 GiB.
        OSError: the file cannot be read.
        Cancelled: ``cancelled`` returned True.
    """
    with path.open("rb") as raw:
        file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        try:
            shape = _shape(file, dims)
            return _body(file, math.prod(shape), cancelled).reshape(shape)
        except gzip.BadGzipFile as error:
            raise IdxError(Text("it is not a complete gzip file ({reason})", reason=str(error))) from error
        except (EOFError, zlib.error) as error:
            raise IdxError(Text("its compressed data is truncated or damaged")) from error


def map_idx(path: Path, dims: int) -> np.memmap:
    """Map the array of an IDX file that is not gzipped into memory, where only the parts in use take space.

    Raises:
        IdxError: the file is of another kind, or its length is not what its header says.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        shape = _shape(file, dims)
        start = file.tell()
    expected, size = math.prod(shape), path.stat().st_size - start
    if size < expected:
        raise IdxError(Text("it is truncated: it has {size} of {expected} bytes", size=size, expected=expected))
    if size > expected:
        raise IdxError(Text("it is longer than its header says ({expected} bytes)", expected=expected))
    return np.memmap(path, np.uint8, "c", start, shape)  # "c", because torch.from_numpy warns about read-only arrays


def _shape(file: BufferedIOBase, dims: int) -> tuple[int, ...]:
    size = 4 + 4 * dims
    header = file.read(size)
    if len(header) < size:
        raise IdxError(
            Text("it is truncated: its header has {size} bytes, not {expected}", size=len(header), expected=size)
        )
    magic, *shape = struct.unpack(f">{1 + dims}I", header)
    expected = _UNSIGNED_BYTE << 8 | dims
    if magic != expected:
        raise IdxError(
            Text(
                "it is not an IDX file of bytes in {dims} dimension(s): it begins with {magic}, not {expected}",
                dims=dims,
                magic=f"0x{magic:08x}",
                expected=f"0x{expected:08x}",
            )
        )
    if min(shape) < 1 or math.prod(shape) > MAX_BYTES:
        sizes = " x ".join(map(str, shape))
        raise IdxError(Text("its header has impossible sizes: {sizes}", sizes=sizes))
    return tuple(shape)


def _body(file: BufferedIOBase, expected: int, cancelled: IsCancelled) -> np.ndarray:
    body = bytearray(expected)
    view, size = memoryview(body), 0
    while block := file.readinto(view[size : size + _BLOCK]):
        if cancelled():
            raise Cancelled
        size += block
    if size < expected:
        raise IdxError(Text("it is truncated: it has {size} of {expected} bytes", size=size, expected=expected))
    # gzip checks its own checksum only when the file is read to its end
    if file.read(1):
        raise IdxError(Text("it is longer than its header says ({expected} bytes)", expected=expected))
    return np.frombuffer(body, np.uint8)

"""The IDX format of MNIST: a big-endian header (magic, then each dimension) and the bytes, often gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import Final

import numpy as np

from engine.common.text import Text
from engine.data.download import Cancelled, never

MAX_BYTES: Final = 1 << 30
_UNSIGNED_BYTE: Final = 0x08
_BLOCK: Final = 1 << 20


class IdxError(ValueError):
    """The file is not the IDX file that it should be; the message says how."""


def read_idx(path: Path, dims: int, *, cancelled: Callable[[], bool] = never) -> np.ndarray:
    """The uint8 array in an IDX file of ``dims`` dimensions; gzipped if the name ends in ``.gz``.

    Raises:
        IdxError: another kind of file, truncated, damaged, too long, or of more than 1 GiB.
        OSError: the file cannot be read.
        Cancelled: ``cancelled`` said so.
    """
    with path.open("rb") as raw:
        file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        try:
            shape = _shape(file, dims)
            return _body(file, math.prod(shape), cancelled).reshape(shape)
        except gzip.BadGzipFile as error:
            raise IdxError(Text("it is not a whole gzip file ({reason})", reason=str(error))) from error
        except (EOFError, zlib.error) as error:
            raise IdxError(Text("its compressed data is cut off or damaged")) from error


def map_idx(path: Path, dims: int) -> np.memmap:
    """The same array left in its file, which is not gzipped: of it, memory holds what is looked at.

    Raises:
        IdxError: another kind of file, or one of another length than its header says.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        shape = _shape(file, dims)
        start = file.tell()
    expected, size = math.prod(shape), path.stat().st_size - start
    if size < expected:
        raise IdxError(Text("it is cut off: {size} of {expected} bytes are there", size=size, expected=expected))
    if size > expected:
        raise IdxError(Text("it is longer than its header says ({expected} bytes)", expected=expected))
    return np.memmap(path, np.uint8, "c", start, shape)  # "c": what is read only, torch.from_numpy warns about


def _shape(file: BufferedIOBase, dims: int) -> tuple[int, ...]:
    size = 4 + 4 * dims
    header = file.read(size)
    if len(header) < size:
        raise IdxError(
            Text("it is cut off: its header has {size} bytes, not {expected}", size=len(header), expected=size)
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
        raise IdxError(Text("its header gives sizes that cannot be: {sizes}", sizes=sizes))
    return tuple(shape)


def _body(file: BufferedIOBase, expected: int, cancelled: Callable[[], bool]) -> np.ndarray:
    body = bytearray(expected)
    view, size = memoryview(body), 0
    while block := file.readinto(view[size : size + _BLOCK]):
        if cancelled():
            raise Cancelled
        size += block
    if size < expected:
        raise IdxError(Text("it is cut off: {size} of {expected} bytes are there", size=size, expected=expected))
    # reading to the very end is also what checks gzip's own checksum
    if file.read(1):
        raise IdxError(Text("it is longer than its header says ({expected} bytes)", expected=expected))
    return np.frombuffer(body, np.uint8)

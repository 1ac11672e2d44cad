"""Memory that ran out: how PyTorch and Python say it, and how a person is told what did not fit, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import torch

from engine.common.text import Text
from engine.hardware import freed_memory

Place = Literal["data", "network", "batch", "validation"]

_CUDA: Final = re.compile(
    r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
)
_CPU: Final = re.compile(
    r"can't allocate memory|not enough memory: you tried|DefaultCPUAllocator|std::bad_alloc|Cannot allocate memory"
)
_ASKED: Final = re.compile(
    r"Tried to allocate ([\d.]+ [KMGT]?i?B)|tried to allocate (\d+) bytes|allocate ([\d.]+ \w+) for"
)
_DID_NOT_FIT: Final[dict[Place, str]] = {
    "data": "the data set {what} did not fit into the memory of {where}",
    "network": "the network {what} did not fit into the memory of {where}",
    "batch": "the batch of {images} images through {what} did not fit into the memory of {where}",
    "validation": "{images} validation images at a time through {what} did not fit into the memory of {where}",
}


class OutOfMemory(Exception):  # noqa: N818 - as Python's and PyTorch's own are called
    """Memory ran out at ``place``; ``text`` says what did not fit."""

    def __init__(self, place: Place, text: Text) -> None:
        super().__init__(text)
        self.place, self.text = place, text


def ran_out(error: BaseException) -> Literal["cuda", "cpu"] | None:
    """Whose memory ran out, where ``error``, or what it was raised from, says that some did; else None."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, torch.OutOfMemoryError):
            return "cuda"
        if isinstance(seen, MemoryError):
            return "cpu"
        if isinstance(seen, (RuntimeError, OSError)):  # PyTorch raises the former for nearly everything
            if _CUDA.search(str(seen)):
                return "cuda"
            if _CPU.search(str(seen)):
                return "cpu"
        seen = seen.__cause__
    return None


@contextmanager
def fitting(place: Place, what: str, device: object, images: int = 0) -> Iterator[None]:
    """While within, memory that runs out is said to be for want of room for ``what``.

    Args:
        place: what kind of thing it is.
        what: the data set's or the network's name.
        device: where it shall be; where the error says that it was the host's memory, that is named instead.
        images: how many of them at once, of a batch.

    Raises:
        OutOfMemory: from the error that said so. Other errors pass.
    """
    try:
        yield
    except Exception as error:
        whose = ran_out(error)
        if whose is None or isinstance(error, OutOfMemory):
            raise
        where = str(device) if whose == "cuda" else Text("this machine")
        text = Text(_DID_NOT_FIT[place], what=what, images=images, where=where)
        asked = _size_asked(error)
        if asked:
            text = Text("{text}: {size} more were asked for", text=text, size=asked)
        raise OutOfMemory(place, text) from error


def _size_asked(error: BaseException) -> str | None:
    """How much was asked for, as people write it, where the message says so."""
    seen: BaseException | None = error
    while seen is not None:
        found = _ASKED.search(str(seen))
        if found:
            size = found[1] or found[3]
            return size if size else size_words(int(found[2]))
        seen = seen.__cause__
    return None


def size_words(size: float) -> str:
    """A number of bytes as people write it: 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def give_back() -> None:
    """Return to the GPU and to the system, for others to use, memory that is kept but that nothing needs any more."""
    torch.cuda.empty_cache()  # which does nothing where CUDA was not used
    freed_memory.give_back()

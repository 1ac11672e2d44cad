"""Recognize out-of-memory errors of PyTorch and Python, and say what did not fit where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal

import torch

from engine.common.errors import MemoryUse, OutOfMemory
from engine.common.text import Text
from engine.hardware import freed_memory

_CUDA: Final = re.compile(
    r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
)
_CPU: Final = re.compile(
    r"can't allocate memory|not enough memory: you tried|DefaultCPUAllocator|std::bad_alloc|Cannot allocate memory"
)
_REQUESTED: Final = re.compile(
    r"Tried to allocate ([\d.]+ [KMGT]?i?B)|tried to allocate (\d+) bytes|allocate ([\d.]+ \w+) for"
)
_DID_NOT_FIT: Final[dict[MemoryUse, str]] = {
    "data": "the data set {name} did not fit into the memory of {device}",
    "network": "the network {name} did not fit into the memory of {device}",
    "batch": "a batch of {images} images through {name} did not fit into the memory of {device}",
    "validation": "a batch of {images} validation images through {name} did not fit into the memory of {device}",
}


def ran_out(error: BaseException) -> Literal["cuda", "cpu"] | None:
    """Which memory ran out, if ``error`` or one of its causes is an out-of-memory error; else None."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, torch.OutOfMemoryError):
            return "cuda"
        if isinstance(seen, MemoryError):
            return "cpu"
        if isinstance(seen, (RuntimeError, OSError)):  # PyTorch raises RuntimeError for almost everything
            if _CUDA.search(str(seen)):
                return "cuda"
            if _CPU.search(str(seen)):
                return "cpu"
        seen = seen.__cause__
    return None


@contextmanager
def fitting(what: MemoryUse, name: str, device: object, images: int = 0) -> Iterator[None]:
    """A context in which out-of-memory errors are raised as ``OutOfMemory`` with what did not fit.

    Args:
        what: what is placed in memory.
        name: the name of the data set or the network.
        device: the device, which the sentence names unless the error is about the host's memory.
        images: the size of the batch.

    Raises:
        OutOfMemory: from the original error. Other errors are raised as they are.
    """
    try:
        yield
    except Exception as error:
        memory = ran_out(error)
        if memory is None or isinstance(error, OutOfMemory):
            raise
        where = str(device) if memory == "cuda" else Text("this machine")
        text = Text(_DID_NOT_FIT[what], name=name, images=images, device=where)
        size = _size_requested(error)
        if size:
            text = Text("{text}: {size} more were needed", text=text, size=size)
        raise OutOfMemory(what, text) from error


def _size_requested(error: BaseException) -> str | None:
    """The size that the message of ``error`` or of one of its causes names, such as 1.5 GiB."""
    seen: BaseException | None = error
    while seen is not None:
        found = _REQUESTED.search(str(seen))
        if found:
            size = found[1] or found[3]
            return size if size else size_text(int(found[2]))
        seen = seen.__cause__
    return None


def size_text(size: float) -> str:
    """``size`` in bytes as text, such as 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def return_memory() -> None:
    """Return unused memory to the GPU and to the system."""
    with suppress(RuntimeError):  # the GPU failed for good, which was said
        torch.cuda.empty_cache()  # does nothing if CUDA was not used
    freed_memory.give_back()

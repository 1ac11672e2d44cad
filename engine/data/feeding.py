"""Feeds: training images on the device, in host memory or in a file. Each feed gives the same batches.

Images are copied to the device as uint8, a quarter of the bytes of float32.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.common.position import Position
from engine.data.image_set import Split
from engine.data.order import Order
from engine.hardware.devices import memory
from engine.hardware.transfer import to_device

_MOST_WORKERS: Final = 4


class Feed(Protocol):
    """Gives the training images of each batch of an ``Order``."""

    def take(self, position: Position) -> tuple[Tensor, Tensor]:
        """The images uint8 [B, C, H, W] and labels int64 [B] of the batch at ``position``, on the device."""

    def close(self) -> None:
        """Stop threads and processes. Nothing can be taken afterwards."""


def feed_for(split: Split, order: Order, device: torch.device, share: float) -> Feed:
    """The fastest feed for ``split`` that takes at most ``share`` of the device's memory."""
    if isinstance(split.images, np.memmap):
        return Mapped(split, order, device)
    kind = Resident if fits(split, device, share) else Host
    return kind(split, order, device)


def fits(split: Split, device: torch.device, share: float) -> bool:
    """Whether the images of ``split`` take at most ``share`` of the memory of ``device``."""
    return not isinstance(split.images, np.memmap) and split.images.nbytes <= share * memory(device)


class Resident:
    """All images on the device, where a batch is selected. On a CPU they share the memory of the loaded array."""

    def __init__(self, split: Split, order: Order, device: torch.device) -> None:
        self._order, self._device = order, device
        self._images, self._labels = tensor(split.images).to(device), tensor(split.labels).to(device)
        self._epoch = (0, torch.empty(0, dtype=torch.int64))

    def take(self, position: Position) -> tuple[Tensor, Tensor]:
        """See ``Feed``."""
        if self._epoch[0] != position.epoch:
            self._epoch = (position.epoch, to_device(self._order.epoch(position.epoch), self._device))
        chosen = self._epoch[1][self._order.span(position)]
        return self._images.index_select(0, chosen), self._labels.index_select(0, chosen)

    def close(self) -> None:
        """See ``Feed``."""


class _Ahead(NamedTuple):
    position: Position
    batch: Future[tuple[Tensor, Tensor]]


class Host:
    """All images in host memory. While a batch is trained on, a thread gathers the next one (pinned for a GPU)."""

    def __init__(self, split: Split, order: Order, device: torch.device) -> None:
        self._order, self._device = order, device
        self._images, self._labels = tensor(split.images), tensor(split.labels)
        self._pins = device.type == "cuda"
        begin = (torch.cuda.set_device, (device,)) if self._pins else (None, ())
        self._thread = ThreadPoolExecutor(1, "batches", *begin)
        self._ahead: _Ahead | None = None

    def take(self, position: Position) -> tuple[Tensor, Tensor]:
        """See ``Feed``."""
        ahead = self._ahead if self._ahead is not None and self._ahead.position == position else self._begin(position)
        images, labels = ahead.batch.result()
        self._ahead = self._begin(self._order.after(position))
        return to_device(images, self._device), to_device(labels, self._device)

    def close(self) -> None:
        """See ``Feed``."""
        self._thread.shutdown()

    def _begin(self, position: Position) -> _Ahead:
        return _Ahead(position, self._thread.submit(self._gather, position))

    def _gather(self, position: Position) -> tuple[Tensor, Tensor]:
        chosen = self._order.chosen(position)
        return self._select(self._images, chosen), self._select(self._labels, chosen)

    def _select(self, whole: Tensor, chosen: Tensor) -> Tensor:
        into = torch.empty((len(chosen), *whole.shape[1:]), dtype=whole.dtype, pin_memory=self._pins)
        return torch.index_select(whole, 0, chosen, out=into)


class Mapped:
    """Images in a file that does not fit into memory, read ahead by the processes of a DataLoader.

    The processes are spawned, because the fork of a process with threads (such as the window's) may deadlock.
    """

    def __init__(self, split: Split, order: Order, device: torch.device) -> None:
        assert isinstance(split.images, np.memmap)
        self._order, self._device = order, device
        self._labels = tensor(split.labels)
        self._file = MappedFile(split.images)
        self._next: Position | None = None
        self._stream: Iterator[Tensor] | None = None

    def take(self, position: Position) -> tuple[Tensor, Tensor]:
        """See ``Feed``."""
        if self._stream is None or self._next != position:
            self._stream = None  # ends the processes that read ahead from another batch
            self._stream = self._from(position)
        images = next(self._stream)
        self._next = self._order.after(position)
        labels = self._labels.index_select(0, self._order.chosen(position))
        return to_device(images, self._device), to_device(labels, self._device)

    def close(self) -> None:
        """See ``Feed``."""
        self._stream = None

    def _from(self, position: Position) -> Iterator[Tensor]:
        loader: DataLoader[Tensor] = DataLoader(
            self._file,
            batch_sampler=_BatchIndices(self._order, position),  # type: ignore[arg-type] # endless, and arrays
            num_workers=max(1, min(_MOST_WORKERS, (os.cpu_count() or 1) // 2)),
            collate_fn=_identity,
            multiprocessing_context="spawn",
            worker_init_fn=_ignore_interrupts,
            pin_memory=self._device.type == "cuda",
            generator=torch.Generator(),  # the default would draw from the run's
        )
        return iter(loader)


class MappedFile(Dataset[Tensor]):
    """The images in a file, which each process opens for itself."""

    def __init__(self, images: np.memmap) -> None:
        assert images.filename is not None
        self._where = Path(images.filename), images.offset, images.shape
        self._images: np.memmap | None = None

    def __getitems__(self, chosen: np.ndarray) -> Tensor:
        if self._images is None:
            path, offset, shape = self._where
            self._images = np.memmap(path, np.uint8, "r", offset, shape)
        return torch.from_numpy(self._images[chosen])


class _BatchIndices:
    """The indices of the images of each batch from ``position`` on, without an end."""

    def __init__(self, order: Order, position: Position) -> None:
        self._order, self._position = order, position

    def __iter__(self) -> Iterator[np.ndarray]:
        position = self._position
        while True:
            yield self._order.chosen(position).numpy()
            position = self._order.after(position)


def _identity(batch: Any) -> Any:
    return batch


def _ignore_interrupts(number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # after Ctrl+C the run still reads batches until it is saved


def tensor(array: np.ndarray) -> Tensor:
    """``array`` as a tensor on the CPU, which shares its memory if ``array`` is contiguous."""
    return torch.from_numpy(np.ascontiguousarray(array))

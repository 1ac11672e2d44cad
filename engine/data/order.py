"""The order of a run's training images, a function of (seed, epoch) only."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from engine.common.position import Position


class Order:
    """The batches of ``batch_size`` into which each epoch divides ``count`` images.

    The last batch of an epoch may be smaller. It is left out if it would be a single image, because BatchNorm cannot be
    trained on one.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.per_epoch = batches_in(count, batch_size)
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._newest = (0, torch.empty(0, dtype=torch.int64))

    def epoch(self, epoch: int) -> Tensor:
        """The indices of the images in the order of ``epoch``: int64 [count], on the CPU. Thread-safe."""
        known, order = self._newest
        if known != epoch:
            order = epoch_order(self._count, self._seed, epoch)
            self._newest = (epoch, order)
        return order

    def span(self, position: Position) -> slice:
        """The slice of its epoch that is the batch at ``position``."""
        return slice(position.batch * self._batch_size, (position.batch + 1) * self._batch_size)

    def chosen(self, position: Position) -> Tensor:
        """The indices of the images of the batch at ``position``: int64 [B], on the CPU."""
        return self.epoch(position.epoch)[self.span(position)]

    def after(self, position: Position) -> Position:
        """The next batch, perhaps of the next epoch."""
        last = position.batch + 1 == self.per_epoch
        return Position(epoch=position.epoch + last, batch=0 if last else position.batch + 1)


def stream_seed(*parts: int | str) -> int:
    """A seed from 0 to 2**63 - 1 for an independent stream of random numbers, a function of ``parts`` only."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """A permutation of ``count`` training images for ``epoch`` (from 1): int64 [count], on the CPU."""
    generator = torch.Generator().manual_seed(stream_seed("order", seed, epoch))
    return torch.randperm(count, generator=generator)


def batches_in(count: int, batch_size: int) -> int:
    """The number of batches in an epoch of ``count`` images; a last batch of a single image is left out."""
    full, remaining = divmod(count, batch_size)
    return max(1, full + (1 if remaining > 1 else 0))

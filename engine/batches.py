"""Batches from memory: the images live on the device, and the order is a function of (seed, epoch)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engine.augment import Augmentation
from engine.data import ImageSet
from engine.recipe import DataSpec

EVALUATION_BATCH = 512


def stream_seed(*parts: int | str) -> int:
    """A seed for an independent stream of random numbers, a function of ``parts`` alone; 0 to 2**63 - 1."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """The order of ``count`` training images in ``epoch`` (from 1): int64 [count], on the CPU."""
    generator = torch.Generator().manual_seed(stream_seed("order", seed, epoch))
    return torch.randperm(count, generator=generator)


class Batches:
    """The images of a run on its device: uint8 in memory, normalised when a batch is taken.

    Args:
        images: the data set.
        how: the data's part of a recipe: the batch size, and how training images are augmented. The last batch of an
            epoch is smaller, and is left out where it would hold a single image, which BatchNorm cannot train on.
        seed: decides the order and the augmentation.
        device: where the images live.
    """

    def __init__(self, images: ImageSet, how: DataSpec, seed: int, device: torch.device) -> None:
        self.batch_size = how.batch_size
        self.per_epoch = batches_in(len(images.train.labels), how.batch_size)
        self._seed = seed
        self._augment = Augmentation(how, seed)
        self._device = device
        self._images, self._labels = _on(images.train.images, device), _on(images.train.labels, device)
        self._val_images, self._val_labels = _on(images.val.images, device), _on(images.val.labels, device)
        mean, scale = normalisation(images.train.images)
        self._mean, self._scale = mean.to(device), scale.to(device)
        self._order = (0, torch.empty(0, dtype=torch.int64))

    @property
    def count(self) -> int:
        """Training images."""
        return len(self._labels)

    def batch(self, epoch: int, index: int) -> tuple[Tensor, Tensor]:
        """Batch ``index`` (from 0) of ``epoch`` (from 1): float32 [B, C, H, W] channels last, and int64 [B]."""
        if self._order[0] != epoch:
            self._order = (epoch, epoch_order(self.count, self._seed, epoch).to(self._device))
        chosen = self._order[1][index * self.batch_size : (index + 1) * self.batch_size]
        images = self._augment(self._images.index_select(0, chosen), epoch, index)
        return self._normalised(images), self._labels.index_select(0, chosen)

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The validation images in their own order, in larger batches of the same form."""
        for start in range(0, len(self._val_labels), EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            yield self._normalised(self._val_images[part]), self._val_labels[part]

    def _normalised(self, images: Tensor) -> Tensor:
        x = images.to(torch.float32).sub_(self._mean).mul_(self._scale)
        return x.contiguous(memory_format=torch.channels_last)


def normalisation(images: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean and inverse standard deviation of each channel of uint8 [N, C, H, W]: float32 [1, C, 1, 1] each."""
    means, scales = [], []
    levels = np.arange(256, dtype=np.float64)
    for channel in range(images.shape[1]):
        share = np.bincount(images[:, channel].ravel(), minlength=256) / images[:, channel].size
        mean = float((share * levels).sum())
        spread = math.sqrt(float((share * (levels - mean) ** 2).sum()))
        means.append(mean)
        scales.append(1.0 / max(spread, 1e-6))
    shape = (1, -1, 1, 1)
    return torch.tensor(means).reshape(shape), torch.tensor(scales).reshape(shape)


def batches_in(count: int, batch_size: int) -> int:
    """Batches an epoch of ``count`` images; a last batch of a single image is left out."""
    whole, left = divmod(count, batch_size)
    return max(1, whole + (1 if left > 1 else 0))


def _on(array: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)

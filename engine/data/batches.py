"""A run's batches: on the device, augmented and normalised; a function of (seed, epoch, batch)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from engine.common.position import Position
from engine.data.augment import Augmentation
from engine.data.feeding import feed_for, fits, tensor
from engine.data.image_set import ImageSet
from engine.data.order import Order
from engine.hardware.memory import DEFAULT_SHARE
from engine.hardware.transfer import to_device
from engine.recipe.recipe import DataSpec

EVALUATION_BATCH: Final = 512
_BLOCK: Final = 1 << 14  # images


class Batches:
    """The training and validation batches of a run. Images are stored as uint8 and normalised when a batch is taken.

    Args:
        images: the data set.
        spec: the recipe's ``data``: the batch size and the augmentation.
        seed: the recipe's seed, which determines the order and the augmentation.
        device: the device of the batches.
        share: the share of the device's memory that images may take, 0 to 1. It changes the speed, not the batches.

    Attributes:
        memory_format: of the batches: channels_last, or contiguous_format. It may be changed at any time.
    """

    def __init__(
        self, images: ImageSet, spec: DataSpec, seed: int, device: torch.device, share: float = DEFAULT_SHARE
    ) -> None:
        self.count = len(images.train.labels)
        order = Order(self.count, spec.batch_size, seed)
        self.per_epoch = order.per_epoch
        self._batch_size = spec.batch_size
        self.memory_format = torch.channels_last
        self._augment = Augmentation(spec, seed)
        self._device = device
        self._feed = feed_for(images.train, order, device, share)
        home = device if fits(images.val, device, share) else "cpu"
        self._val_images, self._val_labels = tensor(images.val.images).to(home), tensor(images.val.labels).to(home)
        mean, scale = normalisation(images.train.images)
        self._mean, self._scale = mean.to(device), scale.to(device)

    def batch(self, epoch: int, index: int) -> tuple[Tensor, Tensor]:
        """Batch ``index`` (from 0) of ``epoch`` (from 1): float32 [B, C, H, W] and labels int64 [B]."""
        images, labels = self._feed.take(Position(epoch=epoch, batch=index))
        return self._normalised(self._augment(images, epoch, index)), labels

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The validation images in their own order, in batches of up to ``EVALUATION_BATCH`` of the same form."""
        for start in range(0, len(self._val_labels), EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            labels = to_device(self._val_labels[part], self._device)
            yield self._normalised(to_device(self._val_images[part], self._device)), labels

    def sizes(self) -> tuple[list[int], list[int]]:
        """The sizes of training and of validation batches that occur: full ones, then the last one's if it differs."""
        return _sizes(self.count, self._batch_size), _sizes(len(self._val_labels), EVALUATION_BATCH)

    def close(self) -> None:
        """Stop threads and processes. No batch can be taken afterwards."""
        self._feed.close()

    def _normalised(self, images: Tensor) -> Tensor:
        x = images.to(torch.float32).sub_(self._mean).mul_(self._scale)
        return x.contiguous(memory_format=self.memory_format)


def _sizes(count: int, size: int) -> list[int]:
    return [size] * (count >= size) + [count % size] * (count % size > 0)


def normalisation(images: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean and inverse standard deviation of each channel of uint8 [N, C, H, W]: float32 [1, C, 1, 1] each."""
    means, scales = [], []
    levels = np.arange(256, dtype=np.float64)
    for channel in range(images.shape[1]):
        counts = np.zeros(256, dtype=np.int64)
        for start in range(0, len(images), _BLOCK):  # so that at most one block of a mapped file is in memory
            counts += np.bincount(images[start : start + _BLOCK, channel].ravel(), minlength=256)
        share = counts / images[:, channel].size
        mean = float((share * levels).sum())
        spread = math.sqrt(float((share * (levels - mean) ** 2).sum()))
        means.append(mean)
        scales.append(1.0 / max(spread, 1e-6))
    shape = (1, -1, 1, 1)
    return torch.tensor(means).reshape(shape), torch.tensor(scales).reshape(shape)

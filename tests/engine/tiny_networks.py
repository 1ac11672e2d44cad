"""Networks that train in a millisecond, named in recipes as FILE.py:FUNCTION."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Tiny(nn.Module):
    """What a resume could get wrong: BatchNorm's statistics, dropout, weights. ``head`` is the last layer."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.LazyLinear(16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 16)
        )
        self.head = nn.Linear(16, num_classes)
        self.eval()(torch.zeros(2, in_channels, 8, 8))
        self.train()

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(images))
        return scores


class Poisoned(Tiny):
    """Turns the images of its n-th training batch (from 1) into infinities, if ``when(n)``."""

    def __init__(self, in_channels: int, num_classes: int, when: Callable[[int], bool]) -> None:
        super().__init__(in_channels, num_classes)
        self.when, self.seen = when, 0

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
            if self.when(self.seen):
                images = images * float("inf")
        return super().forward(images)


def tiny(in_channels: int, num_classes: int) -> nn.Module:
    return Tiny(in_channels, num_classes)


def poisoned_first(in_channels: int, num_classes: int) -> nn.Module:
    return Poisoned(in_channels, num_classes, lambda n: n == 1)


def poisoned_fifth(in_channels: int, num_classes: int) -> nn.Module:
    return Poisoned(in_channels, num_classes, lambda n: n == 5)


def poisoned_always(in_channels: int, num_classes: int) -> nn.Module:
    return Poisoned(in_channels, num_classes, lambda n: True)


def breaks_in_training(in_channels: int, num_classes: int) -> nn.Module:
    def when(n: int) -> bool:
        raise RuntimeError("CUDA out of memory, says the test\nand more")

    return Poisoned(in_channels, num_classes, when)

"""Networks that train in a millisecond, named in recipes as FILE.py:FUNCTION."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn


class Tiny(nn.Module):
    """Has all that a resume must restore: BatchNorm's statistics, dropout, weights. ``head`` is the last layer."""

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
    """Turns the images of its n-th training batch (from 1) into infinities, if ``when(n)``; not in the trial before."""

    def __init__(self, in_channels: int, num_classes: int, when: Callable[[int], bool]) -> None:
        super().__init__(in_channels, num_classes)
        self.when, self.seen = when, 0

    def forward(self, images: Tensor) -> Tensor:
        if self.training and threading.current_thread().name != "own network":
            self.seen += 1
            if self.when(self.seen):
                images = images * float("inf")
        return super().forward(images)


def tiny(in_channels: int, num_classes: int) -> nn.Module:
    return Tiny(in_channels, num_classes)


def heavy(in_channels: int, num_classes: int) -> nn.Module:
    """Trains fast, but takes a while to save."""
    network = Tiny(in_channels, num_classes)
    network.register_buffer("ballast", torch.zeros(30_000_000))
    return network


def poisoned_first(in_channels: int, num_classes: int) -> nn.Module:
    return Poisoned(in_channels, num_classes, lambda n: n == 1)


def poisoned_fifth(in_channels: int, num_classes: int) -> nn.Module:
    return Poisoned(in_channels, num_classes, lambda n: n == 5)


def poisoned_always(in_channels: int, num_classes: int) -> nn.Module:
    return Poisoned(in_channels, num_classes, lambda n: True)


def breaks_in_training(in_channels: int, num_classes: int) -> nn.Module:
    """Raises on the first training batch, but not in the trial before."""

    def when(n: int) -> bool:
        raise RuntimeError("broken, says the test\nand more")

    return Poisoned(in_channels, num_classes, when)


class Loud(Tiny):
    """Multiplies its logits of the n-th batch of some kind (from 1) by ``factor``, if ``when(n)``."""

    def __init__(
        self, in_channels: int, num_classes: int, training: bool, when: Callable[[int], bool], factor: float
    ) -> None:
        super().__init__(in_channels, num_classes)
        self.which, self.when, self.factor, self.seen = training, when, factor, 0

    def forward(self, images: Tensor) -> Tensor:
        scores = super().forward(images)
        if self.training == getattr(self, "which", None):  # it is tried out before it is whole
            self.seen += 1
            if self.when(self.seen):
                return scores * self.factor
        return scores


def loud_fifth(in_channels: int, num_classes: int) -> nn.Module:
    """A loss of hundreds on the fifth training batch, and on no other."""
    return Loud(in_channels, num_classes, True, lambda n: n == 5, 500.0)


def loud_when_validated_again(in_channels: int, num_classes: int) -> nn.Module:
    """Has a high validation loss from its second epoch on."""
    return Loud(in_channels, num_classes, False, lambda n: n > 1, 1e10)


class SlowToValidate(Tiny):
    """Is slow in validation and fast in training."""

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            time.sleep(0.7)
        return super().forward(images)


def slow_to_validate(in_channels: int, num_classes: int) -> nn.Module:
    return SlowToValidate(in_channels, num_classes)


class Greedy(Tiny):
    """Allocates more memory than there is, for the n-th batch of some kind (from 1), if ``when(n)``."""

    def __init__(self, in_channels: int, num_classes: int, training: bool, when: Callable[[int], bool]) -> None:
        super().__init__(in_channels, num_classes)
        self.which, self.when, self.seen = training, when, 0

    def forward(self, images: Tensor) -> Tensor:
        if self.training == getattr(self, "which", None):
            self.seen += 1
            if self.when(self.seen):
                torch.empty(10**15)
        return super().forward(images)


def greedy_first(in_channels: int, num_classes: int) -> nn.Module:
    return Greedy(in_channels, num_classes, True, lambda n: n == 1)


def greedy_fifth(in_channels: int, num_classes: int) -> nn.Module:
    return Greedy(in_channels, num_classes, True, lambda n: n == 5)


def greedy_over_300_images(in_channels: int, num_classes: int) -> nn.Module:
    class Picky(Tiny):
        def forward(self, images: Tensor) -> Tensor:
            if self.training and len(images) > 300:
                torch.empty(10**15)
            return super().forward(images)

    return Picky(in_channels, num_classes)


def greedy_when_validated(in_channels: int, num_classes: int) -> nn.Module:
    return Greedy(in_channels, num_classes, False, lambda n: n == 2)


def greedy_to_build(in_channels: int, num_classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(10**7, 10**8))


class Numb(Tiny):
    """Learns nothing: its loss is constant at any LR."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) * 0.0


def numb(in_channels: int, num_classes: int) -> nn.Module:
    return Numb(in_channels, num_classes)


def breaks_on_the_eighth(in_channels: int, num_classes: int) -> nn.Module:
    def when(n: int) -> bool:
        if n == 8:
            raise RuntimeError("broken on the eighth")
        return False

    return Poisoned(in_channels, num_classes, when)

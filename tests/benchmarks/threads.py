"""The speed-up of a second thread by batch size: the data for the rule in ``engine.training.loading``."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import numpy as np
import torch

from engine.data.image_set import ImageSet, Split
from engine.recipe.recipe import DataSpec, ModelSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.engine import BareLoop, ratio
from tests.benchmarks.live_run import Row

CASES = (
    ("small_cnn", 8, 32),
    ("small_cnn", 8, 64),
    ("small_cnn", 8, 128),
    ("small_cnn", 28, 8),
    ("small_cnn", 28, 32),
    ("small_cnn", 28, 128),
    ("lenet5", 8, 64),
    ("resnet18", 8, 4),
)
"""Network, height and width of its images (one channel), and batch size."""
_STEPS = 10


def second_thread() -> Iterator[Row]:
    """Steps per second with two threads over those with one, in turn A B B A, on random images."""
    for network, side, batch in CASES:
        loop = BareLoop(_images(side, batch), _recipe(network, batch))
        pairs, _ = ratio(_with(2, loop), _with(1, loop), _STEPS)
        what = f"{network}, {batch} images of {side}x{side} ({batch * side * side:,} pixels)"
        yield {"what": what, "value": statistics.median(pairs), "unit": "ratio"}


def _with(threads: int, loop: BareLoop) -> Callable[[], None]:
    def step() -> None:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        loop.step()

    return step


def _recipe(network: str, batch: int) -> Recipe:
    how = DataSpec(name="digits", batch_size=batch)
    return Recipe(data=how, model=ModelSpec(name=network), schedule=Constant(), device="cpu")


def _images(side: int, batch: int) -> ImageSet:
    random = np.random.default_rng(0)

    def split(count: int) -> Split:
        return Split(random.integers(0, 256, (count, 1, side, side), dtype=np.uint8), random.integers(0, 10, count))

    return ImageSet("random", split(4 * batch), split(16), tuple("0123456789"))

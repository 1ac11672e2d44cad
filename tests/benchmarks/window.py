"""The cost of the open window: training speed with and without it, and gaps in its event loop while training."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.engine import has_mnist, recipe
from tests.benchmarks.live_run import Row
from tests.benchmarks.worker_main import TICKING
from tests.benchmarks.workers import Worker, in_turn, median_ratio, workers

DIGITS = Recipe(data=DataSpec(batch_size=256), schedule=Constant(), epochs=3000, device="cpu")
"""A run with very many steps, epochs and checkpoints per second."""
MNIST_BATCHES: Final = 938
"""Two epochs with validation, so that resuming and pausing, where all buttons change, count little."""
DIGITS_BATCHES: Final = 900
PAIRS: Final = 6
"""Pairs differ by about 3%, which is as much as is to be measured."""
SHARE_SEGMENTS: Final = 3
TICKING_SEGMENTS: Final = 4


def window_cost() -> Iterator[Row]:
    """The same run with the window open over one without it, each in its own process, A B B A."""
    if has_mnist():
        yield from cost_of("MNIST", recipe(), MNIST_BATCHES)
    else:
        yield {"what": "MNIST skipped: TILLER_TEST_DATA names no folder with it", "value": float("nan"), "unit": ""}
    yield from cost_of("digits, tiny epochs", DIGITS, DIGITS_BATCHES)


def cost_of(name: str, run: Recipe, batches: int, pairs: int = PAIRS) -> Iterator[Row]:
    """The cost of the window for ``run``, measured in segments of so many ``batches``."""
    with workers(Worker("window", run), Worker("engine", run)) as (window, engine):
        ratio = median_ratio(in_turn(window, engine, batches, pairs))
        share = statistics.median(window.segment(batches)["share"] for _ in range(SHARE_SEGMENTS))
        gaps = [gap for _ in range(TICKING_SEGMENTS) for gap in window.segment(batches, TICKING)["gaps"]]
    yield {"what": f"{name}: with over without the window (goal: 0.97)", "value": ratio, "unit": "ratio"}
    yield {"what": f"{name}: GUI thread busy", "value": 100 * share, "unit": "% of the time"}
    yield {"what": f"{name}: gap of 16 ms ticks, p99 (goal: 33)", "value": float(np.percentile(gaps, 99)), "unit": "ms"}
    yield {"what": f"{name}: gap of 16 ms ticks, worst (goal: 100)", "value": max(gaps), "unit": "ms"}

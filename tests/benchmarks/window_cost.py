"""What the open window costs: training speed beside headless, and gaps of the window's loop while it trains."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.engine_speed import has_mnist, recipe
from tests.benchmarks.lane import TICKING
from tests.benchmarks.lanes import Lane, in_turn, lanes, median_ratio
from tests.benchmarks.live import Row

DIGITS = Recipe(data=DataSpec(batch_size=256), schedule=Constant(), epochs=3000, device="cpu")
"""About as many steps, epochs and checkpoints a second as a window can be asked to follow."""
MNIST_BATCHES: Final = 938
"""Two epochs with their validation: to begin and to pause a piece, where all buttons change, is no part of training."""
DIGITS_BATCHES: Final = 900
PAIRS: Final = 6
"""One pair differs from the next by some 3%, which is all that is asked about."""
SHARE_PIECES: Final = 3
TICKING_PIECES: Final = 4


def window_against_headless() -> Iterator[Row]:
    """The same run with the window open over headless, each in a process of its own, A B B A."""
    if has_mnist():
        yield from _of("MNIST", recipe(), MNIST_BATCHES)
    else:
        yield {"what": "MNIST skipped: TILLER_TEST_DATA names no folder with it", "value": float("nan"), "unit": ""}
    yield from _of("digits, tiny epochs", DIGITS, DIGITS_BATCHES)


def _of(name: str, run: Recipe, batches: int) -> Iterator[Row]:
    with lanes(Lane("window", run), Lane("engine", run)) as (window, engine):
        ratio = median_ratio(in_turn(window, engine, batches, PAIRS))
        share = statistics.median(window.piece(batches)["share"] for _ in range(SHARE_PIECES))
        gaps = [gap for _ in range(TICKING_PIECES) for gap in window.piece(batches, TICKING)["gaps"]]
    yield {"what": f"{name}: window over headless (goal: 0.97)", "value": ratio, "unit": "ratio"}
    yield {"what": f"{name}: the window's thread works", "value": 100 * share, "unit": "% of the time"}
    yield {"what": f"{name}: gap of 16 ms ticks, p99 (goal: 33)", "value": float(np.percentile(gaps, 99)), "unit": "ms"}
    yield {"what": f"{name}: gap of 16 ms ticks, worst (goal: 100)", "value": max(gaps), "unit": "ms"}

"""What the open window costs: training speed beside headless, and gaps of the window's loop while it trains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.engine_speed import has_mnist, recipe
from tests.benchmarks.lanes import PAIRS, Lane, lanes, median_ratio
from tests.benchmarks.live import Row, interleaved

DIGITS = Recipe(data=DataSpec(batch_size=256), schedule=Constant(), epochs=3000, device="cpu")
"""About as many steps, epochs and snapshots a second as a window can be asked to follow."""


def window_against_headless() -> Iterator[Row]:
    """The same run with the window open over headless, each in a process of its own, A B B A."""
    if has_mnist():
        yield from _of("MNIST", recipe(), 300)
    else:
        yield {"what": "MNIST skipped: TILLER_TEST_DATA names no folder with it", "value": float("nan"), "unit": ""}
    yield from _of("digits, 15 epochs a second", DIGITS, 300)


def _of(name: str, run: Recipe, batches: int) -> Iterator[Row]:
    gaps: list[float] = []
    with lanes(Lane("window", run), Lane("engine", run)) as (window, engine):

        def in_window() -> float:
            piece = window.piece(batches)
            gaps.extend(piece["gaps"])
            return float(piece["images_per_second"])

        window.piece(batches)
        engine.piece(batches)
        pairs = list(interleaved(in_window, lambda: engine.speed(batches), PAIRS))
    yield {"what": f"{name}: window over headless (goal: 0.97)", "value": median_ratio(pairs), "unit": "ratio"}
    yield {"what": f"{name}: gap of 16 ms ticks, p99 (goal: 33)", "value": float(np.percentile(gaps, 99)), "unit": "ms"}
    yield {"what": f"{name}: gap of 16 ms ticks, worst (goal: 100)", "value": max(gaps), "unit": "ms"}

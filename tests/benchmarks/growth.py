"""The time of a step and the memory of a run, early and late."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Iterator

import torch

from engine.common.position import Position
from engine.data.registry import load
from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.engine import BareLoop, segment_of
from tests.benchmarks.live_run import LiveRun, Row, interleaved, live_run, resident_memory
from tests.benchmarks.workers import PAIRS

EARLY = 1_000
_BATCH = 8  # 180 steps per epoch of the digits
_SEGMENT = 150


def time_and_memory(late: int = 20_000) -> Iterator[Row]:
    """The time of a step, over that of a bare loop measured in turn, and the memory: at step 1,000 and at ``late``."""
    how = DataSpec(batch_size=_BATCH)
    recipe = Recipe(data=how, schedule=Constant(), epochs=1_000_000, device="cpu")
    with live_run(recipe) as run:
        assert run.start is not None
        torch.set_num_threads(run.start.threads)
        bare = BareLoop(load(how), recipe)
        found = {step: _at(run, bare, step) for step in (EARLY, late)}
    for step, (slower, memory) in found.items():
        yield {"what": f"time of a step over a bare loop's, at step {step}", "value": slower, "unit": "ratio"}
        yield {"what": f"memory of the process at step {step}", "value": memory, "unit": "MiB"}
    early, after = found[EARLY], found[late]
    yield {"what": "time, late over early (goal: 1 within noise)", "value": after[0] / early[0], "unit": "ratio"}
    yield {"what": "growth of memory", "value": after[1] - early[1], "unit": "MiB"}


def _at(run: LiveRun, bare: BareLoop, step: int) -> tuple[float, float]:
    assert run.start is not None
    run.train_to(Position(epoch=1 + step // run.start.batches_per_epoch))
    pairs = list(interleaved(lambda: segment_of(run, _SEGMENT), lambda: bare.speed(_SEGMENT), PAIRS))
    gc.collect()
    return statistics.median(limit / ours for ours, limit in pairs), resident_memory()

"""What a long run costs more than a short one: time of a step and memory, early and late."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Iterator

import torch

from engine.data import sets
from engine.messages.commands import Position
from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.engine_speed import PAIRS, BareLoop, piece_of
from tests.benchmarks.live import LiveRun, Row, interleaved, live_run, resident_memory

EARLY = 1_000
_BATCH = 8  # of the digits: 180 steps an epoch, and many of them a second
_PIECE = 150


def time_and_memory(late: int = 20_000) -> Iterator[Row]:
    """A step's time, over a bare loop's measured in turn with it, and the memory: at step 1,000 and at ``late``."""
    how = DataSpec(batch_size=_BATCH)
    recipe = Recipe(data=how, schedule=Constant(), epochs=1_000_000, device="cpu")
    with live_run(recipe) as run:
        assert run.start is not None
        torch.set_num_threads(run.start.threads)
        bare = BareLoop(sets.load(how), recipe)
        found = {step: _at(run, bare, step) for step in (EARLY, late)}
    for step, (slower, memory) in found.items():
        yield {"what": f"a step's time over a bare one's, at step {step}", "value": slower, "unit": "ratio"}
        yield {"what": f"memory of the process, at step {step}", "value": memory, "unit": "MiB"}
    early, after = found[EARLY], found[late]
    yield {"what": "time, late over early (goal: 1 within noise)", "value": after[0] / early[0], "unit": "ratio"}
    yield {"what": "memory more, late", "value": after[1] - early[1], "unit": "MiB"}


def _at(run: LiveRun, bare: BareLoop, step: int) -> tuple[float, float]:
    assert run.start is not None
    run.train_to(Position(epoch=1 + step // run.start.batches_per_epoch))
    pairs = list(interleaved(lambda: piece_of(run, _PIECE), lambda: bare.speed(_PIECE), PAIRS))
    gc.collect()
    return statistics.median(limit / ours for ours, limit in pairs), resident_memory()

"""What keeping a run costs the thread that trains it: a ResNet-18, its snapshots cloned here and written elsewhere."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.keeper import Keeper
from engine.library import Keeping, Library
from engine.loop import Loop
from engine.recipe import DataSpec, ModelSpec
from tests.benchmarks.engine_speed import images, recipe, seconds, state

TIMES = 6


def snapshot_stall() -> Iterator[dict[str, Any]]:
    """For how long a snapshot stops the training thread, and what its writing takes from the batches meanwhile."""
    run = state(recipe(model=ModelSpec(name="resnet18"), data=DataSpec(name="mnist", batch_size=32)), images())
    loop = Loop(run, lambda event: None)
    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        library = Library(Path(folder), Keeping(last=1, best=0))
        keeper = Keeper(library, lambda text: print(text), lambda event: None)
        keeper.begin(None, "benchmark", None, run, "", ())
        for _ in range(3):
            loop.batch()
        batch = statistics.median(seconds(loop.batch) for _ in range(10))
        stalls, slower, took = [], [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            stalls.append(seconds(lambda: keeper.autosave(run.capture(), "epoch")))
            meanwhile = []
            while library.waits:
                meanwhile.append(seconds(loop.batch))
            took.append(time.perf_counter() - began)
            slower.append(sum(meanwhile) - batch * len(meanwhile))
        keeper.close()
        library.close()
    stall, lost = statistics.median(stalls), statistics.median(slower)
    yield {"what": "one batch of 32 of a ResNet-18", "value": batch * 1000, "unit": "ms"}
    yield {"what": "the training thread stands still for a snapshot", "value": stall * 1000, "unit": "ms"}
    yield {"what": "the same in batches (goal: at most 1)", "value": stall / batch, "unit": "batches"}
    yield {"what": "writing takes from the batches meanwhile", "value": lost / batch, "unit": "batches"}
    yield {"what": "until it is written, batches going on", "value": statistics.median(took), "unit": "s"}

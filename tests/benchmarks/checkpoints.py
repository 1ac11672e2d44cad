"""What checkpoints cost the training thread: a ResNet-18, cloned on that thread and written on another."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.library import Library, Retention
from engine.recipe.recipe import DataSpec, ModelSpec
from engine.training.loop import Loop
from engine.training.recorder import RunRecorder
from tests.benchmarks.engine_speed import images, recipe, seconds, state

TIMES = 6


def checkpoint_stall() -> Iterator[dict[str, Any]]:
    """For how long a checkpoint stops the training thread, and what its writing takes from the batches meanwhile."""
    run = state(recipe(model=ModelSpec(name="resnet18"), data=DataSpec(name="mnist", batch_size=32)), images())
    loop = Loop(run, lambda event: None)
    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        library = Library(Path(folder), Retention(last=1, best=0))
        recorder = RunRecorder(library, lambda text: print(text), lambda event: None)
        recorder.begin(None, "benchmark", None, run, "", ())
        for _ in range(3):
            loop.batch()
        batch = statistics.median(seconds(loop.batch) for _ in range(10))
        stalls, slower, took = [], [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            stalls.append(seconds(lambda: recorder.autosave(run.capture(), "epoch")))
            meanwhile = []
            while library.waits:
                meanwhile.append(seconds(loop.batch))
            took.append(time.perf_counter() - began)
            slower.append(sum(meanwhile) - batch * len(meanwhile))
        recorder.close()
        library.close()
    stall, lost = statistics.median(stalls), statistics.median(slower)
    yield {"what": "one batch of 32 of a ResNet-18", "value": batch * 1000, "unit": "ms"}
    yield {"what": "the training thread stands still for a checkpoint", "value": stall * 1000, "unit": "ms"}
    yield {"what": "the same in batches (goal: at most 1)", "value": stall / batch, "unit": "batches"}
    yield {"what": "writing takes from the batches meanwhile", "value": lost / batch, "unit": "batches"}
    yield {"what": "until it is written, batches going on", "value": statistics.median(took), "unit": "s"}

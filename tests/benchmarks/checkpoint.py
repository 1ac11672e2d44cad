"""The cost of checkpoints: a ResNet-18 is copied on the training thread and written on another."""

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
from tests.benchmarks.engine import images, recipe, seconds, state

TIMES = 6


def checkpoint_stall() -> Iterator[dict[str, Any]]:
    """How long a checkpoint stops the training thread, and how much its writing slows down the batches meanwhile."""
    run = state(recipe(model=ModelSpec(name="resnet18"), data=DataSpec(name="mnist", batch_size=32)), images())
    loop = Loop(run, lambda event: None)
    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        library = Library(Path(folder), Retention(last=1, best=0))
        recorder = RunRecorder(library, lambda text: print(text), lambda event: None)
        recorder.begin(None, "benchmark", None, run, "", ())
        for _ in range(3):
            loop.batch()
        batch = statistics.median(seconds(loop.batch) for _ in range(10))
        stalls, lost_times, write_times = [], [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            stalls.append(seconds(lambda: recorder.autosave(run.capture(), "epoch")))
            meanwhile = []
            while library.is_writing:
                meanwhile.append(seconds(loop.batch))
            write_times.append(time.perf_counter() - began)
            lost_times.append(sum(meanwhile) - batch * len(meanwhile))
        recorder.close()
        library.close()
    stall, lost = statistics.median(stalls), statistics.median(lost_times)
    yield {"what": "one batch of 32 of a ResNet-18", "value": batch * 1000, "unit": "ms"}
    yield {"what": "training thread blocked by a checkpoint", "value": stall * 1000, "unit": "ms"}
    yield {"what": "the same in batches (goal: at most 1)", "value": stall / batch, "unit": "batches"}
    yield {"what": "training time lost during writing", "value": lost / batch, "unit": "batches"}
    yield {
        "what": "time until it is written",
        "value": statistics.median(write_times),
        "unit": "s",
    }

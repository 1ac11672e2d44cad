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
from tests.benchmarks.engine import images, recipe, seconds, state, synchronise

TIMES = 6


def checkpoint_stall(device: str = "cpu", network: str = "resnet18", times: int = TIMES) -> Iterator[dict[str, Any]]:
    """How long a checkpoint stops the training thread, and how much its writing slows down the batches meanwhile."""
    data = DataSpec(name="mnist", batch_size=32)
    run = state(recipe(model=ModelSpec(name=network), data=data, device=device), images())
    loop = Loop(run, lambda event: None)

    def train() -> None:
        loop.batch()
        synchronise(run.device)

    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        library = Library(Path(folder), Retention(last=1, best=0))
        recorder = RunRecorder(library, lambda text: print(text), lambda event: None)
        recorder.begin(None, "benchmark", None, run, "", ())
        for _ in range(3):
            train()
        batch = statistics.median(seconds(train) for _ in range(10))
        stalls, lost_times, write_times = [], [], []
        for _ in range(times):
            began = time.perf_counter()
            stalls.append(seconds(lambda: recorder.autosave(run.capture(), "epoch")))
            meanwhile = []
            while library.is_writing:
                meanwhile.append(seconds(train))
            write_times.append(time.perf_counter() - began)
            lost_times.append(sum(meanwhile) - batch * len(meanwhile))
        recorder.close()
        library.close()
    stall, lost = statistics.median(stalls), statistics.median(lost_times)
    yield {"what": f"one batch of 32 of {network}", "value": batch * 1000, "unit": "ms"}
    yield {"what": "training thread blocked by a checkpoint", "value": stall * 1000, "unit": "ms"}
    yield {"what": "the same in batches (goal: at most 1)", "value": stall / batch, "unit": "batches"}
    yield {"what": "training time lost during writing", "value": lost / batch, "unit": "batches"}
    yield {
        "what": "time until it is written",
        "value": statistics.median(write_times),
        "unit": "s",
    }

"""The latency from posting a command during training to its LR in the optimizer, in batches and milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from engine.messages.commands import ScaleLR
from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.live_run import Row, live_run

TIMES = 200


def command_to_applied_lr() -> Iterator[Row]:
    """Digits in batches of 64; the batch in progress when the command is posted counts as one."""
    with live_run(Recipe(data=DataSpec(batch_size=64), schedule=Constant(), epochs=1_000, device="cpu")) as run:
        assert run.start is not None
        per_epoch = run.start.batches_per_epoch
        run.go()
        batches, latencies = [], []
        for turn in range(TIMES):
            time.sleep(0.01 + 0.0007 * (turn % 7))  # at different times within a batch
            before, began = run.trainer.position, time.perf_counter()
            answer, came = run.ask(ScaleLR(factor=1.01 if turn % 2 else 1 / 1.01))
            assert answer.status == "applied"
            batches.append((answer.epoch - before.epoch) * per_epoch + answer.batch - before.batch)
            latencies.append((came - began) * 1000)
    yield {
        "what": "posted to applied, median (goal: at most 1)",
        "value": statistics.median(batches),
        "unit": "batches",
    }
    yield {"what": "posted to applied, p95", "value": sorted(batches)[int(0.95 * TIMES)], "unit": "batches"}
    yield {"what": "posted to applied, highest (at the end of an epoch)", "value": max(batches), "unit": "batches"}
    yield {"what": "posted to answered, median", "value": statistics.median(latencies), "unit": "ms"}

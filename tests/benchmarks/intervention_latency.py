"""From a command of the hand, posted while a run trains, to its rate in force: in batches and in milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from engine.messages.commands import ScaleLR
from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from tests.benchmarks.live import Row, live_run

TIMES = 200


def command_to_rate_in_force() -> Iterator[Row]:
    """Digits in batches of 64; the batch that is under way when the command is posted counts as one."""
    with live_run(Recipe(data=DataSpec(batch_size=64), schedule=Constant(), epochs=1_000, device="cpu")) as run:
        assert run.start is not None
        per_epoch = run.start.batches_per_epoch
        run.go()
        waited, took = [], []
        for turn in range(TIMES):
            time.sleep(0.01 + 0.0007 * (turn % 7))  # at any moment of a batch
            before, began = run.trainer.position, time.perf_counter()
            answer, came = run.ask(ScaleLR(factor=1.01 if turn % 2 else 1 / 1.01))
            assert answer.status == "applied"
            waited.append((answer.epoch - before.epoch) * per_epoch + answer.batch - before.batch)
            took.append((came - began) * 1000)
    yield {
        "what": "posted to in force, median (goal: at most 1)",
        "value": statistics.median(waited),
        "unit": "batches",
    }
    yield {"what": "posted to in force, p95", "value": sorted(waited)[int(0.95 * TIMES)], "unit": "batches"}
    yield {"what": "posted to in force, most (an epoch's end within)", "value": max(waited), "unit": "batches"}
    yield {"what": "posted to answered, median", "value": statistics.median(took), "unit": "ms"}

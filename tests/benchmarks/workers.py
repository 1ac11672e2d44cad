"""Worker processes, each of which trains a number of batches on request, so that they can be measured in turn.

Two training loops in one process would slow each other down: GNU OpenMP lets its threads sleep between tasks as soon as
there are more of them than cores, and both loops would train at 0.6 of their speed.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from engine.recipe.recipe import Recipe
from tests.benchmarks.live_run import interleaved

PAIRS = 5


class Worker:
    """A worker process that trains ``recipe``.

    Args:
        kind: a key of ``tests.benchmarks.worker_main.KINDS``.
        recipe: what to train.
        arguments: further arguments of the worker.
    """

    def __init__(self, kind: str, recipe: Recipe, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker_main", kind, recipe.to_json(), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.ready = self._receive()

    def segment(self, batches: int, *options: str) -> dict[str, Any]:
        """Train ``batches``; returns the results, at least ``images_per_second``."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join((str(batches), *options)) + "\n")
        self._process.stdin.flush()
        return self._receive()

    def speed(self, batches: int) -> float:
        """Train ``batches``; returns images per second."""
        return float(self.segment(batches)["images_per_second"])

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process ended with status {self._process.wait()}")
        result: dict[str, Any] = json.loads(line)
        return result

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.communicate()  # closes its input, which ends it


@contextmanager
def workers(*started: Worker) -> Iterator[Sequence[Worker]]:
    """The workers ``started``, ended on exit."""
    with ExitStack() as stack:
        yield [stack.enter_context(worker) for worker in started]


def in_turn(a: Worker, b: Worker, batches: int, pairs: int = PAIRS) -> list[tuple[float, float]]:
    """Images per second of ``a`` and ``b``, measured A B B A after a warm-up."""
    for worker in (a, b):
        worker.speed(batches)
    return list(interleaved(lambda: a.speed(batches), lambda: b.speed(batches), pairs))


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of the ratios of each pair."""
    return statistics.median(one / other for one, other in pairs)

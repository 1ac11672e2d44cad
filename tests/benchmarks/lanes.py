"""Processes that train pieces when asked and otherwise stand still, so that they can be measured in turn.

Each is what a person would start: alone in its process. Two loops in one process would be measured wrong: GNU OpenMP
lets its threads sleep between two tasks as soon as there are more of them than cores, and both would train at 0.6 of
their speed.
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
from tests.benchmarks.live import interleaved

PAIRS = 5


class Lane:
    """A process that trains ``recipe``.

    Args:
        kind: a name of ``tests.benchmarks.lane.KINDS``.
        recipe: what to train.
        words: further words for the process.
    """

    def __init__(self, kind: str, recipe: Recipe, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.lane", kind, recipe.to_json(), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.ready = self._said()

    def piece(self, batches: int, *words: str) -> dict[str, Any]:
        """Train that many batches; what was measured meanwhile, at least ``images_per_second``."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join((str(batches), *words)) + "\n")
        self._process.stdin.flush()
        return self._said()

    def speed(self, batches: int) -> float:
        """Images a second over that many batches."""
        return float(self.piece(batches)["images_per_second"])

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process ended with status {self._process.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.communicate()  # which closes its standard input, and so ends it


@contextmanager
def lanes(*made: Lane) -> Iterator[Sequence[Lane]]:
    """Those lanes, ended afterwards."""
    with ExitStack() as stack:
        yield [stack.enter_context(lane) for lane in made]


def in_turn(a: Lane, b: Lane, batches: int, pairs: int = PAIRS) -> list[tuple[float, float]]:
    """Images a second of ``a`` and ``b``, measured A B B A; each is warmed first."""
    for lane in (a, b):
        lane.speed(batches)
    return list(interleaved(lambda: a.speed(batches), lambda: b.speed(batches), pairs))


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of the first over the second."""
    return statistics.median(one / other for one, other in pairs)

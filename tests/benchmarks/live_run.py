"""A run of the real trainer, with library, metrics and printed events, that trains to given positions."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.common.position import Position
from engine.library import Library
from engine.messages.commands import Pause, Resume, Start, Stop
from engine.messages.events import CommandEvent, EndEvent, Event, StartEvent, StateEvent
from engine.messages.printing import LinePrinter
from engine.messages.queue import AnyCommand
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from engine.training.trainer import Trainer


class LiveRun:
    """A run on its own thread, as in ``main.py train``; its output is discarded."""

    def __init__(self, recipe: Recipe, library: Library) -> None:
        self._changed = threading.Condition()
        self._answered: dict[int, tuple[CommandEvent, float]] = {}
        self._output = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed in close
        self._printer = LinePrinter(self._output)
        self._state = ""
        self.start: StartEvent | None = None
        self.at = Position(epoch=1)
        self.trainer = Trainer(Job(recipe=recipe, begin=False), self._on_event, library)
        self._thread = threading.Thread(target=self.trainer.run)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._state in ("ready", "failed"))

    def _on_event(self, event: Event) -> None:
        self._printer(event)
        now = time.perf_counter()
        with self._changed:
            if isinstance(event, StateEvent):
                self._state = event.state
            elif isinstance(event, StartEvent):
                self.start = event
            elif isinstance(event, CommandEvent) and event.status != "queued":
                self._answered[event.id] = event, now
            elif isinstance(event, EndEvent):
                self._state = "ended"
            self._changed.notify_all()

    def ask(self, command: AnyCommand, at: Position | None = None) -> tuple[CommandEvent, float]:
        """Post ``command``; returns its answer and when it came."""
        return self.wait(self.trainer.post(command, at))

    def wait(self, number: int) -> tuple[CommandEvent, float]:
        """The answer to the command with the id ``number``, and when it came."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._answered or self._state == "ended")
            return self._answered[number]

    def train_to(self, target: Position) -> float:
        """Train up to ``target`` and pause; returns the seconds that it took."""
        pause = self.trainer.post(Pause(), target)
        began = time.perf_counter()
        self.go()
        _, ended = self.wait(pause)
        with self._changed:
            self._changed.wait_for(lambda: self._state == "paused")
        self.at = target
        return ended - began

    def go(self) -> None:
        """Start or resume training."""
        self.trainer.post(Start() if self._state == "ready" else Resume())

    def close(self) -> None:
        """End the run."""
        self.trainer.post(Stop())
        self._thread.join()
        self._printer.close()
        self._output.close()


@contextmanager
def live_run(recipe: Recipe) -> Iterator[LiveRun]:
    """A run in a temporary library."""
    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        library = Library(Path(folder))
        run = LiveRun(recipe, library)
        try:
            yield run
        finally:
            run.close()
            library.close()


def resident_memory() -> float:
    """Resident memory of this process in MiB; NaN if it is not known."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return float("nan")
    return int(pages.read_text().split()[1]) * 4096 / 2**20


def interleaved(a: Callable[[], float], b: Callable[[], float], pairs: int) -> Iterator[tuple[float, float]]:
    """Speeds of ``a`` and ``b``, measured in turn A B B A."""
    for _ in range(pairs):
        first, second, third, fourth = a(), b(), b(), a()
        yield (first + fourth) / 2, (second + third) / 2


Row = dict[str, Any]

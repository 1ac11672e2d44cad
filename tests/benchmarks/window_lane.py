"""The real window on Qt's own loop, training pieces as it is told, with the gaps between 16 ms ticks noted."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from engine.commands import At, Pause, Resume, Start
from engine.events import CommandEvent, Event, StartEvent, StateEvent
from engine.job import Job
from engine.qthread import TrainingThread
from engine.recipe import Recipe
from gui.app import App
from gui.settings import Settings
from tests.benchmarks.engine_speed import images_between, piece_after
from tests.benchmarks.lane import say

_TICK = 16


class Asked(QObject):
    """Reads the parent's numbers of batches on a thread of its own."""

    batches = Signal(int)
    over = Signal()

    def read(self) -> None:
        """Until the input ends."""
        for line in iter(sys.stdin.readline, ""):
            self.batches.emit(int(line))
        self.over.emit()


class Ticks:
    """A timer of 16 ms on the window's thread, and the gaps between its ticks."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._clock, self._timer = QElapsedTimer(), QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        self._gaps.append(self._clock.nsecsElapsed() / 1e6)
        self._clock.start()

    def start(self) -> None:
        """Forget what was noted, and tick."""
        self._gaps = []
        self._clock.start()
        self._timer.start(_TICK)

    def stop(self) -> list[float]:
        """The gaps since ``start``, in ms."""
        self._timer.stop()
        return self._gaps


class WindowLane:
    """A run in the window: stands ready, trains to a moment, stands still again."""

    def __init__(self, app: App, recipe: Recipe) -> None:
        self._app, self._ticks = app, Ticks()
        self._at = At(epoch=1)
        self._start: StartEvent | None = None
        self._target = self._at
        self._began = self._ended = 0.0
        self._piece = self._at, self._at
        self._pause = 0
        app.runs.happened.connect(self._happened)
        app.reception.set_up(recipe)
        app.reception.begin(Job(recipe=recipe, begin=False))
        thread = app.runs.findChild(TrainingThread)
        assert thread is not None
        thread.happened.connect(self._heard, Qt.ConnectionType.DirectConnection)

    def train(self, batches: int) -> None:
        """The next piece of that many batches."""
        assert self._start is not None
        self._piece = piece_after(self._at, batches, self._start.batches_per_epoch)
        self._go(self._piece[self._at == self._piece[0]])

    def _go(self, target: At) -> None:
        self._target = target
        self._pause = self._app.runs.post(Pause(), target)
        self._ticks.start()
        self._began = time.perf_counter()
        self._app.runs.post(Start() if self._app.session.state == "ready" else Resume())

    def _heard(self, event: Event) -> None:
        """On the training thread: when the piece was done."""
        if isinstance(event, CommandEvent) and event.id == self._pause and event.status == "applied":
            self._ended = time.perf_counter()

    def _happened(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._start = event
        elif isinstance(event, StateEvent) and event.state == "ready":
            say({"threads": self._start.threads if self._start is not None else 0})
        elif isinstance(event, CommandEvent) and event.id == self._pause and event.status == "applied":
            gaps, self._at = self._ticks.stop(), self._target
            if self._at == self._piece[0]:
                self._go(self._piece[1])
            else:
                say(self._measured(gaps))

    def _measured(self, gaps: list[float]) -> dict[str, Any]:
        assert self._start is not None
        images = images_between(*self._piece, self._start)
        return {"images_per_second": images / (self._ended - self._began), "gaps": gaps}


def serve(recipe: Recipe, folder: str) -> None:
    """Open the window, and train as the parent asks until it asks no more."""
    application = QApplication([])
    app = App(application, f"{folder}/library", Settings(Path(folder)))
    made: list[WindowLane] = []
    asked = Asked()
    app.chores.torch_loaded.connect(lambda: made.append(WindowLane(app, recipe)))
    asked.batches.connect(lambda batches: made[0].train(batches))
    asked.over.connect(lambda: app.reception.leave(ask=False))
    app.reception.left.connect(application.exit)
    threading.Thread(target=asked.read, daemon=True).start()
    app.show()
    application.exec()
    app.close()

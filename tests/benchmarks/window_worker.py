"""The worker with the real window: it trains on request, and measures the gaps between ticks of 16 ms."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from engine.common.position import Position
from engine.messages.commands import Pause, Resume, Start
from engine.messages.events import CommandEvent, Event, StartEvent, StateEvent
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from gui.app import App
from gui.core.settings import Settings
from tests.benchmarks.engine import images_between, segment_after
from tests.benchmarks.worker_main import TICKING, send

_TICK = 16


class RequestReader(QObject):
    """Reads the parent's requests on a thread: numbers of batches, and whether to measure ticks meanwhile."""

    requested = Signal(int, bool)
    ended = Signal()

    def read(self) -> None:
        """Read until the input ends."""
        for line in iter(sys.stdin.readline, ""):
            batches, *options = line.split()
            self.requested.emit(int(batches), options == [TICKING])
        self.ended.emit()


class Ticks:
    """A timer of 16 ms on the GUI thread, and the gaps between its ticks."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._clock, self._timer = QElapsedTimer(), QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        self._gaps.append(self._clock.nsecsElapsed() / 1e6)
        self._clock.start()

    def start(self) -> None:
        """Start the timer."""
        self._clock.start()
        self._timer.start(_TICK)

    def stop(self) -> list[float]:
        """Stop the timer; returns the gaps in ms since ``start``."""
        self._timer.stop()
        gaps, self._gaps = self._gaps, []
        return gaps


class WindowWorker:
    """A run in the window that trains a segment on request and pauses."""

    def __init__(self, app: App, recipe: Recipe) -> None:
        self._app, self._ticks = app, Ticks()
        self._at = Position(epoch=1)
        self._start: StartEvent | None = None
        self._ticking = False
        self._target = self._at
        self._began = self._ended = self._worked = 0.0
        self._segment = self._at, self._at
        self._pause = 0
        app.current_run.happened.connect(self._happened)
        app.setup_controller.set_up(recipe)
        app.setup_controller.begin(Job(recipe=recipe, begin=False))

    def train(self, batches: int, ticking: bool) -> None:
        """Train the next segment. Ticks slow training down a little, so they are measured only if requested."""
        assert self._start is not None
        self._ticking = ticking
        self._segment = segment_after(self._at, batches, self._start.batches_per_epoch)
        self._go(self._segment[self._at == self._segment[0]])

    def _go(self, target: Position) -> None:
        self._target = target
        self._pause = self._app.current_run.post(Pause(), target)
        if self._ticking:
            self._ticks.start()
        self._began, self._worked = time.perf_counter(), time.thread_time()
        self._app.current_run.post(Start() if self._app.current_run.model.state == "ready" else Resume())

    def _happened(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._start = event
        elif isinstance(event, StateEvent) and event.state == "ready":
            send({"threads": self._start.threads if self._start is not None else 0})
        elif isinstance(event, CommandEvent) and event.id == self._pause and event.status == "applied":
            self._ended, self._worked = self._app.current_run.model.when, time.thread_time() - self._worked
            gaps, self._at = self._ticks.stop(), self._target
            if self._at == self._segment[0]:
                self._go(self._segment[1])
            else:
                send(self._measured(gaps))

    def _measured(self, gaps: list[float]) -> dict[str, Any]:
        assert self._start is not None
        images, seconds = images_between(*self._segment, self._start), self._ended - self._began
        return {"images_per_second": images / seconds, "gaps": gaps, "share": self._worked / seconds}


def serve(recipe: Recipe, folder: str) -> None:
    """Open the window and train on request until the input ends."""
    application = QApplication([])
    app = App(application, f"{folder}/library", Settings(Path(folder)))
    workers: list[WindowWorker] = []
    requests = RequestReader()
    app.lookups.torch_loaded.connect(lambda: workers.append(WindowWorker(app, recipe)))
    requests.requested.connect(lambda batches, ticking: workers[0].train(batches, ticking))
    requests.ended.connect(lambda: app.setup_controller.leave(ask=False))
    app.setup_controller.left.connect(application.exit)
    threading.Thread(target=requests.read, daemon=True).start()
    app.show()
    application.exec()
    app.close()

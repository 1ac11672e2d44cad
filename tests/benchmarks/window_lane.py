"""The real window on Qt's own loop, training pieces as it is told, with the gaps between 16 ms ticks noted."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from engine.messages.commands import Pause, Position, Resume, Start
from engine.messages.events import CommandEvent, Event, StartEvent, StateEvent
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from gui.app import App
from gui.core.settings import Settings
from tests.benchmarks.engine_speed import images_between, piece_after
from tests.benchmarks.lane import TICKING, say

_TICK = 16


class Asked(QObject):
    """Reads the parent's numbers of batches, and whether to tick meanwhile, on a thread of its own."""

    batches = Signal(int, bool)
    over = Signal()

    def read(self) -> None:
        """Until the input ends."""
        for line in iter(sys.stdin.readline, ""):
            batches, *words = line.split()
            self.batches.emit(int(batches), words == [TICKING])
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
        """Tick."""
        self._clock.start()
        self._timer.start(_TICK)

    def stop(self) -> list[float]:
        """The gaps since ``start``, in ms; none where it was not started."""
        self._timer.stop()
        gaps, self._gaps = self._gaps, []
        return gaps


class WindowLane:
    """A run in the window: stands ready, trains to a moment, stands still again."""

    def __init__(self, app: App, recipe: Recipe) -> None:
        self._app, self._ticks = app, Ticks()
        self._at = Position(epoch=1)
        self._start: StartEvent | None = None
        self._ticking = False
        self._target = self._at
        self._began = self._ended = self._worked = 0.0
        self._piece = self._at, self._at
        self._pause = 0
        app.runs.happened.connect(self._happened)
        app.setup_controller.set_up(recipe)
        app.setup_controller.begin(Job(recipe=recipe, begin=False))

    def train(self, batches: int, ticking: bool) -> None:
        """The next piece of that many batches. Ticks cost training something too, so they are noted only if asked."""
        assert self._start is not None
        self._ticking = ticking
        self._piece = piece_after(self._at, batches, self._start.batches_per_epoch)
        self._go(self._piece[self._at == self._piece[0]])

    def _go(self, target: Position) -> None:
        self._target = target
        self._pause = self._app.runs.post(Pause(), target)
        if self._ticking:
            self._ticks.start()
        self._began, self._worked = time.perf_counter(), time.thread_time()
        self._app.runs.post(Start() if self._app.session.state == "ready" else Resume())

    def _happened(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._start = event
        elif isinstance(event, StateEvent) and event.state == "ready":
            say({"threads": self._start.threads if self._start is not None else 0})
        elif isinstance(event, CommandEvent) and event.id == self._pause and event.status == "applied":
            self._ended, self._worked = self._app.runs.when, time.thread_time() - self._worked
            gaps, self._at = self._ticks.stop(), self._target
            if self._at == self._piece[0]:
                self._go(self._piece[1])
            else:
                say(self._measured(gaps))

    def _measured(self, gaps: list[float]) -> dict[str, Any]:
        assert self._start is not None
        images, seconds = images_between(*self._piece, self._start), self._ended - self._began
        return {"images_per_second": images / seconds, "gaps": gaps, "share": self._worked / seconds}


def serve(recipe: Recipe, folder: str) -> None:
    """Open the window, and train as the parent asks until it asks no more."""
    application = QApplication([])
    app = App(application, f"{folder}/library", Settings(Path(folder)))
    made: list[WindowLane] = []
    asked = Asked()
    app.lookups.torch_loaded.connect(lambda: made.append(WindowLane(app, recipe)))
    asked.batches.connect(lambda batches, ticking: made[0].train(batches, ticking))
    asked.over.connect(lambda: app.setup_controller.leave(ask=False))
    app.setup_controller.left.connect(application.exit)
    threading.Thread(target=asked.read, daemon=True).start()
    app.show()
    application.exec()
    app.close()

"""What the open window costs: training speed beside headless, gaps of the window's loop, the hand's latency."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtWidgets import QApplication

from engine.commands import ScaleLR
from engine.events import CommandEvent, EpochEvent, Event
from engine.job import Job
from engine.recipe import DataSpec, Recipe
from engine.schedules import Constant
from engine.trainer import Trainer
from gui.app import App

PAIRS = 5


def recipe(epochs: int) -> Recipe:
    """Digits in batches of 256: about as many steps a second as a window can be asked to follow."""
    return Recipe(data=DataSpec(batch_size=256), schedule=Constant(), epochs=epochs)


def window_against_headless() -> Iterator[dict[str, Any]]:
    """The same run with the window open over headless, in turn; medians."""
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    with tempfile.TemporaryDirectory() as folder:
        app = App(application, str(Path(folder) / "library"))
        app.show()
        while not app.chores.ready:
            application.processEvents()
        gaps: list[float] = []
        ratios, latency = [], []
        for _ in range(PAIRS):
            alone = headless()
            with_window, between, hand = in_window(application, app)
            gaps += between
            latency += hand
            ratios.append(with_window / alone)
        app.close()
    yield {"what": "images/s with the window over headless", "value": statistics.median(ratios), "unit": "ratio"}
    yield {"what": "gap of 16 ms ticks, p99", "value": float(np.percentile(gaps, 99)), "unit": "ms"}
    yield {"what": "gap of 16 ms ticks, worst", "value": max(gaps), "unit": "ms"}
    yield {"what": "command posted to rate in force, median", "value": statistics.median(latency), "unit": "ms"}


def headless(epochs: int = 60) -> float:
    """Images a second over the later epochs."""
    events: list[Event] = []
    thread = threading.Thread(target=Trainer(Job(recipe=recipe(epochs)), events.append).run)
    thread.start()
    thread.join()
    return speed(events)


def in_window(application: QApplication, app: App, epochs: int = 60) -> tuple[float, list[float], list[float]]:
    """Images a second, the gaps between 16 ms ticks and the answers to acts of the hand, both in ms."""
    events: list[Event] = []
    gaps: list[float] = []
    clock, posted, answered = QElapsedTimer(), {}, []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)

    def tick() -> None:
        gaps.append(clock.nsecsElapsed() / 1e6)
        clock.start()

    def heard(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochEvent) and event.epoch % 10 == 0:
            posted[app.runs.post(ScaleLR(factor=0.99))] = time.perf_counter()
        if isinstance(event, CommandEvent) and event.status == "applied" and event.id in posted:
            answered.append((time.perf_counter() - posted[event.id]) * 1000)

    app.runs.happened.connect(heard)
    timer.timeout.connect(tick)
    app.reception.set_up(recipe(epochs))
    clock.start()
    timer.start(16)
    app.reception.start()
    while app.runs.active or not events:
        application.processEvents()
        time.sleep(0.001)
    timer.stop()
    app.runs.happened.disconnect(heard)
    return speed(events), gaps, answered


def speed(events: list[Event]) -> float:
    """The median speed of the epochs after the first few."""
    return statistics.median(e.images_per_second for e in events if isinstance(e, EpochEvent) and e.epoch > 5)

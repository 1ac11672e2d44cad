"""Tens of thousands of ticks and paints: no crash, no growth, and no lost reference to None."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest
from PySide6.QtCore import QObject, QTimer

from engine.messages.events import StepsEvent
from tests.gui.app_fixture import BATCHES, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

TICKS = 30_000
EVENTS = 60


def test_thirty_thousand_ticks_and_paints_of_the_real_window(driver: Driver) -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference to None at each timer tick and paint, and aborts."""
    driver.pause_at(tiny(epochs=3000), 2)
    window, model = driver.window, driver.model
    threads = threading.active_count()
    timers = len(driver.app.application.findChildren(QObject)) + len(window.findChildren(QTimer))
    nones = sys.getrefcount(None)
    ticks = 0
    timer = QTimer()

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        window.repaint(0, 0, 1, 1)
        window.chip._dot.repaint()
        if ticks % (TICKS // EVENTS) == 0:
            number = ticks // (TICKS // EVENTS)
            loss = np.full(BATCHES, 1 / number, np.float32)
            lrs = np.full((BATCHES, 1), 0.05)
            driver.app.current_run.publish(
                StepsEvent(epoch=1 + number, batch=0, loss=loss, lr=lrs, images_per_second=1.0)
            )
        if ticks == TICKS:
            timer.stop()

    timer.timeout.connect(tick)
    timer.start(0)
    driver.wait(lambda: ticks == TICKS, seconds=90)
    assert sys.getrefcount(None) > nones - 1000
    assert threading.active_count() == threads
    assert len(driver.app.application.findChildren(QObject)) + len(window.findChildren(QTimer)) == timers
    assert len(model.history.loss) == (1 + EVENTS) * BATCHES

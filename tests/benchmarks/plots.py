"""Pan and zoom of the three plots at a million steps: milliseconds per frame, and memory."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtWidgets import QApplication

from engine.messages.events import EpochEvent, StepsEvent
from gui.core.history import RunHistory
from gui.plots.stack import PlotStack
from tests.benchmarks.live_run import Row, resident_memory

STEPS, PER_EPOCH = 1_000_000, 1_000
FRAMES = 60


def pan_and_zoom() -> Iterator[Row]:
    """Plots of 900 by 700 pixels; a frame is a refresh and its painting."""
    application = QApplication.instance() or QApplication([])
    stack = PlotStack()
    stack.resize(900, 700)
    stack.show()
    application.processEvents()
    gc.collect()
    before = resident_memory()
    series = RunHistory()
    _fill(series)
    stack.set_history(series)
    stack.set_epochs(STEPS // PER_EPOCH)
    stack.fit()
    _frame(stack)
    gc.collect()
    held = resident_memory() - before
    view = stack.loss.canvas.getViewBox()
    whole = STEPS / PER_EPOCH

    def pan(i: int) -> None:
        left = whole * 0.4 * i / FRAMES
        view.setXRange(left, left + whole / 2, padding=0)

    def zoom(i: int) -> None:
        width = whole * 0.9**i
        view.setXRange(whole / 3, whole / 3 + width, padding=0)

    for name, move in (("pan", pan), ("zoom", zoom)):
        frames = _frames(stack, move)
        yield {"what": f"{name}: frame, median (goal: 16)", "value": statistics.median(frames), "unit": "ms"}
        yield {"what": f"{name}: frame, p95", "value": sorted(frames)[int(0.95 * len(frames))], "unit": "ms"}
    yield {"what": "memory of a million steps (goal: under 200)", "value": held, "unit": "MiB"}
    stack.close()


def _fill(series: RunHistory) -> None:
    random = np.random.default_rng(0)
    for epoch in range(1, STEPS // PER_EPOCH + 1):
        loss = (2.0 / epoch**0.3 + random.normal(0, 0.1, PER_EPOCH)).astype(np.float32)
        lrs = np.full((PER_EPOCH, 1), 0.01 * 0.999**epoch)
        series.append_steps(StepsEvent(epoch=epoch, batch=0, loss=loss, lr=lrs, images_per_second=1.0), PER_EPOCH)
        mean, lr = float(loss.mean()), float(lrs[0, 0])
        series.append_epoch(
            EpochEvent(
                epoch=epoch,
                lr=[lr],
                lr_min=[lr],
                lr_max=[lr],
                train_loss=mean,
                train_accuracy=1 - mean / 10,
                val_loss=mean,
                val_accuracy=1 - mean / 9,
                seconds=1.0,
                images_per_second=1.0,
            )
        )


def _frames(stack: PlotStack, move: Callable[[int], None]) -> list[float]:
    found = []
    for i in range(FRAMES):
        began = time.perf_counter()
        move(i)
        _frame(stack)
        found.append((time.perf_counter() - began) * 1000)
    return found


def _frame(stack: PlotStack) -> None:
    """Draw what changed and wait for the painting, as the frame clock does."""
    stack.refresh()
    stack.repaint(0, 0, 1, 1)

"""The plot of an LR range test."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.common.text import Text
from engine.messages.events import RangeTestEvent, Suggestion
from gui.plots.range_test import RangeTestPlot

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def result(valley: float, steepest: float) -> RangeTestEvent:
    lr = np.geomspace(1e-6, 1.0, 100)
    loss = np.linspace(2.3, 0.5, 100)
    suggestions = (
        Suggestion(kind="bold", lr=steepest, text=Text("Steepest.")),
        Suggestion(kind="steady", lr=valley, text=Text("Valley.")),
    )
    return RangeTestEvent(
        id=1, epoch=1, batch=0, lr=lr, loss=loss, smoothed=loss, diverged=False, suggestions=suggestions
    )


@pytest.mark.parametrize("width", [440, 700])
@pytest.mark.parametrize("lrs", [(1e-3, 1e-2), (1e-2, 1e-3), (1e-5, 1e-1), (1e-4, 1e-4)])
def test_the_labels_of_suggestions_are_not_clipped(qtbot: QtBot, width: int, lrs: tuple[float, float]) -> None:
    plot = RangeTestPlot()
    qtbot.addWidget(plot)
    plot.resize(700, 300)
    plot.show()
    qtbot.waitExposed(plot)
    plot.show_result(result(*lrs))
    plot.resize(width, 300)
    qtbot.waitUntil(lambda: plot.canvas.width() <= width)
    plot.grab()  # painting updates where the labels are
    room = plot.view.sceneBoundingRect().adjusted(-1, -1, 1, 1)
    for line in plot.lines.values():
        assert room.contains(line.label.mapRectToScene(line.label.boundingRect()))

"""The learning-rate plot: drawing points, bending the projected curve, the end handle, candidates and end labels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.messages.events import StepsEvent
from engine.messages.preview import Curve
from gui.core.history import RunHistory
from gui.plots.lr import LRPlot
from gui.plots.lr_curves import Candidate
from gui.plots.stack import PlotStack
from tests.gui.plots.sample_run import feed, lr_curve

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class Signals:
    """Every signal of the drawing tool, in order."""

    def __init__(self, plot: LRPlot) -> None:
        self.seen: list[tuple[Any, ...]] = []
        tool = plot.drawing_tool
        for name in ("moved", "added", "removed", "bent", "dragging"):
            getattr(tool, name).connect(lambda *args, name=name: self.seen.append((name, *args)))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [args[1:] for args in self.seen if args[0] == name]


@pytest.fixture
def plot(qtbot: QtBot) -> LRPlot:
    """A run of 30 epochs after 10 at 0.01, projected at 0.01 and from epoch 20 at 0.001."""
    history = RunHistory()
    feed(history, 10)
    stack = PlotStack()
    qtbot.addWidget(stack)
    stack.resize(700, 560)
    stack.set_history(history)
    stack.set_epochs(30)
    stack.set_projected(lr_curve([0.01] * 10 + [0.001] * 10, start=10))
    with qtbot.waitExposed(stack):
        stack.show()
    stack.refresh()
    return stack.lr


def spot(plot: LRPlot, x: float, lr: float) -> QPoint:
    """The pixel of the canvas at ``x`` epochs and this LR."""
    return plot.canvas.mapFromScene(plot.view.mapViewToScene(QPointF(x, plot.coordinates.y_of(lr))))


def drag(plot: LRPlot, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
    viewport = plot.canvas.viewport()
    QTest.mouseMove(viewport, start)
    QTest.qWait(20)
    QTest.mousePress(viewport, LEFT, keys, start)
    for share in (0.3, 0.6, 1.0):
        QTest.qWait(20)
        QTest.mouseMove(viewport, start + (end - start) * share)
    QTest.qWait(20)
    QTest.mouseRelease(viewport, LEFT, keys, end)


def click(plot: LRPlot, at: QPoint, button: Qt.MouseButton = LEFT) -> None:
    QTest.mouseMove(plot.canvas.viewport(), at)
    QTest.mouseClick(plot.canvas.viewport(), button, NONE, at)


def move_points(plot: LRPlot) -> None:
    """Move the points as the drawing tool asks, as the schedule editor does."""
    tool = plot.drawing_tool
    tool.moved.connect(lambda at, x, lr: tool.show_points([(x, lr) if p[0] == at else p for p in tool.points], 10.0))


POINTS = [(10.0, 0.01), (20.0, 0.004), (30.0, 0.001)]


def test_a_point_is_dragged_and_snaps_to_epochs(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    move_points(plot)
    before = plot.x_range
    drag(plot, spot(plot, 20.0, 0.004), spot(plot, 23.2, 0.002))
    moves = signals.of("moved")
    assert signals.of("dragging") == [(True,), (False,)]
    assert moves[0][0] == 20.0
    assert all(one[1] == other[0] for one, other in pairwise(moves))
    assert moves[-1][1:] == (23.0, pytest.approx(0.002, rel=0.06))
    assert plot.x_range == before
    assert not plot.value_label.isVisible()


def test_a_point_stays_between_its_neighbours(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    drag(plot, spot(plot, 20.0, 0.004), spot(plot, 7.0, 0.004))
    assert signals.of("moved")[-1][1] == 11.0
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 5.0, 0.01))
    assert signals.of("moved")[-1][1] == 10.0


def test_without_snapping_a_point_can_be_anywhere(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.snap = False
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    drag(plot, spot(plot, 20.0, 0.004), spot(plot, 23.4, 0.004))
    assert signals.of("moved")[-1][1] == pytest.approx(23.4, abs=0.1)
    assert signals.of("moved")[-1][1] % 1 != 0


def test_a_click_on_the_line_adds_a_point_and_a_click_beside_it_does_not(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.set_pending(lr_curve([0.003] * 20, start=10, key="pending"))
    plot.refresh()
    click(plot, spot(plot, 15.1, 0.003))
    assert signals.of("added") == [(15.0, pytest.approx(0.003, rel=0.06))]
    click(plot, spot(plot, 15.1, 0.008))
    assert len(signals.of("added")) == 1


def test_a_double_click_adds_a_point_after_the_earliest_position_and_does_not_fit(qtbot: QtBot, plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    fits: list[bool] = []
    plot.fit_requested.connect(lambda: fits.append(True))
    for x in (25.0, 5.0):
        where = spot(plot, x, 0.008)
        click(plot, where)
        QTest.mouseDClick(plot.canvas.viewport(), LEFT, NONE, where)
        QTest.mouseRelease(plot.canvas.viewport(), LEFT, NONE, where)
    assert signals.of("added") == [(25.0, pytest.approx(0.008, rel=0.06))]
    assert fits == []


def test_a_right_click_or_the_delete_key_removes_a_point(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    menus: list[QPoint] = []
    plot.view.menu_requested.connect(menus.append)
    click(plot, spot(plot, 20.0, 0.004), RIGHT)
    assert signals.of("removed") == [(20.0,)]
    assert menus == []
    QTest.keyClick(plot.canvas, Qt.Key.Key_Delete)
    assert len(signals.of("removed")) == 1
    click(plot, spot(plot, 30.0, 0.001))
    QTest.keyClick(plot.canvas, Qt.Key.Key_Delete)
    assert signals.of("removed") == [(20.0,), (30.0,)]


def test_the_arrow_keys_move_the_selected_point(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    move_points(plot)
    click(plot, spot(plot, 20.0, 0.004))
    QTest.keyClick(plot.canvas, Qt.Key.Key_Right)
    QTest.keyClick(plot.canvas, Qt.Key.Key_Up)
    assert signals.of("moved")[0] == (20.0, 21.0, 0.004)
    assert signals.of("moved")[1][2] == 0.0042


def test_the_handle_is_hidden_while_points_are_drawn(plot: LRPlot) -> None:
    assert plot.end_handle.item.isVisible()
    plot.drawing_tool.show_points(POINTS, 10.0)
    plot.refresh()
    assert not plot.end_handle.item.isVisible()
    plot.drawing_tool.show_points([])
    plot.refresh()
    assert plot.end_handle.item.isVisible()


def test_the_axis_has_room_for_every_point(plot: LRPlot) -> None:
    plot.drawing_tool.show_points([(10.0, 0.01), (20.0, 1e-6)], 10.0)
    plot.refresh()
    low, high = plot.view.viewRange()[1]
    assert low < plot.coordinates.y_of(1e-6) < high


def test_the_projected_curve_is_bent_where_it_is_grabbed(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.bendable = True
    before = plot.x_range
    drag(plot, spot(plot, 15.0, 0.01), spot(plot, 16.0, 0.003))
    bends = signals.of("bent")
    assert bends[-1] == (0, 15.0, pytest.approx(0.003, rel=0.06))
    assert signals.of("dragging") == [(True,), (False,)]
    assert plot.x_range == before


def test_a_drag_in_the_past_or_beside_the_curve_bends_nothing(plot: LRPlot) -> None:
    signals = Signals(plot)
    plot.drawing_tool.bendable = True
    drag(plot, spot(plot, 5.0, 0.01), spot(plot, 5.0, 0.003))
    assert signals.seen == []
    drag(plot, spot(plot, 15.0, 0.004), spot(plot, 17.0, 0.003))
    assert signals.seen == []
    assert plot.x_range[0] < -1.5


def test_the_curve_is_bent_only_where_that_is_allowed(plot: LRPlot) -> None:
    signals = Signals(plot)
    drag(plot, spot(plot, 15.0, 0.01), spot(plot, 15.0, 0.003))
    assert signals.seen == []


def test_dragging_the_handle_with_shift_asks_to_hold(plot: LRPlot) -> None:
    drags: list[tuple[float, bool]] = []
    plot.dragged.connect(lambda lr, hold: drags.append((lr, hold)))
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 10.0, 0.004))
    assert [hold for _, hold in drags] == [False] * len(drags)
    plot.set_pending(None)
    plot.refresh()
    drags.clear()
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 10.0, 0.004), SHIFT)
    assert drags[-1] == (pytest.approx(0.004, rel=0.06), True)
    assert "Shift" in plot.end_handle.item.toolTip()


def candidates(*ends: float, start: int = 10) -> list[Candidate]:
    made = []
    for index, end in enumerate(ends):
        curve = lr_curve(np.geomspace(0.01, end, 20).tolist(), start=start, key=f"candidate {index}")
        made.append(Candidate(key="ABCD"[index], name=f"Schedule{index}", index=index, curve=curve))
    return made


def test_candidates_have_their_own_colours_and_dashes(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.001, 1e-4, 1e-5))
    plot.refresh()
    pens = [projection.traces[0].opts["pen"] for _, projection in plot.candidates]
    assert len({pen.color().name() for pen in pens}) == 3
    assert len({tuple(pen.dashPattern()) for pen in pens}) == 3
    assert [entry.name for entry in plot.entries()] == [
        "Current",
        "Projected",
        "A Schedule0",
        "B Schedule1",
        "C Schedule2",
    ]
    low, high = plot.view.viewRange()[1]
    assert low < -5 < high


def test_the_legend_shows_the_value_of_every_line_at_the_crosshair(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.001, 1e-4))
    plot.set_pending(lr_curve([0.005] * 20, start=10, key="pending"))
    plot.refresh()
    plot.set_cursor(29.5)
    assert plot.header.legend.values == {"projected": "0.001", "pending": "0.005", "A": "0.001", "B": "0.0001"}
    plot.set_cursor(4.0)
    assert plot.header.legend.values == {"0": "0.01"}


def test_end_labels_of_many_lines_do_not_overlap(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.0012, 0.0009, 1e-5, 1.1e-5))
    plot.set_pending(lr_curve([0.005] * 20, start=10, key="pending"))
    plot.refresh()
    shown = [text for text in plot.end_labels.texts if text.isVisible()]
    assert len(shown) >= 5
    boxes = [text.mapRectToScene(text.boundingRect()).adjusted(0, 3, 0, -3) for text in shown]
    for index, box in enumerate(boxes):
        assert not any(box.intersects(other) for other in boxes[:index])


def test_lines_that_end_at_one_lr_share_a_label(plot: LRPlot) -> None:
    plot.set_candidates(candidates(1e-4, 1e-4))
    plot.refresh()
    texts = [text.toPlainText() for text in plot.end_labels.texts if text.isVisible()]
    assert texts == ["A, B end at 0.0001", "Projected ends at 0.001"]


def test_removed_candidates_leave_nothing_in_the_plot(plot: LRPlot) -> None:
    before = len(plot.view.addedItems)
    plot.set_candidates(candidates(1e-4, 1e-5))
    plot.refresh()
    plot.set_candidates([])
    plot.refresh()
    assert [entry.name for entry in plot.entries()] == ["Current", "Projected"]
    assert [t.toPlainText() for t in plot.end_labels.texts if t.isVisible()] == ["Ends at 0.001"]
    assert len(plot.view.addedItems) <= before + 2


def test_a_note_is_written_beside_the_projected_line(plot: LRPlot) -> None:
    plot.set_projected(lr_curve([0.01] * 20, start=10))
    plot.set_note("cut after 3 more epochs")
    plot.refresh()
    shown = [text for text in plot.end_labels.texts if text.isVisible()]
    assert [text.toPlainText() for text in shown] == ["cut after 3 more epochs", "Ends at 0.01"]
    plot.set_note("")
    plot.refresh()
    assert [t.toPlainText() for t in plot.end_labels.texts if t.isVisible()] == ["Ends at 0.01"]


def test_a_narrow_legend_shows_the_candidates_letters(qtbot: QtBot, plot: LRPlot) -> None:
    plot.set_candidates(candidates(1e-4, 1e-5, 1e-3))
    plot.refresh()
    legend = plot.header.legend
    metrics = legend.fontMetrics()
    assert legend._names(metrics, 2000)["B"] == "B Schedule1"
    assert legend._names(metrics, 200)["B"] == "B"


def test_a_candidate_has_a_line_for_each_group(qtbot: QtBot, plot: LRPlot) -> None:
    plot.set_group_names(["rest", "head"])
    both = np.stack([np.full(21, 0.001), np.full(21, 0.01)], 1)
    curve = Curve(key="c", x=np.arange(10.0, 31.0), lr=both, group_names=("rest", "head"))
    plot.set_candidates([Candidate(key="A", name="Constant", index=0, curve=curve)])
    plot.refresh()
    plot.set_cursor(20.0)
    assert plot.header.legend.values["A"] == "0.001 0.01"
    assert len(plot.candidates[0][1].traces) == 2


def test_while_only_the_history_grows_the_end_labels_are_not_placed_again(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.0012, 0.0008, 0.00095, 0.00105))
    plot.set_pending(lr_curve([0.005] * 20, start=10, key="pending"))
    plot.refresh()
    places = [text.pos() for text in plot.end_labels.texts]
    written: list[int] = []
    write = plot.end_labels.write
    plot.end_labels.write = lambda *args: (written.append(1), write(*args))[1]  # type: ignore[method-assign]
    one = StepsEvent(epoch=11, batch=0, loss=np.ones(1, np.float32), lr=np.full((1, 1), 0.01), images_per_second=1.0)
    plot.history.append_steps(one, 20)
    assert plot.refresh()
    assert written == []
    assert [text.pos() for text in plot.end_labels.texts] == places
    plot.set_pending(lr_curve([0.02] * 20, start=10, key="pending"))
    plot.refresh()
    assert written == [1]
    assert plot.end_labels.texts[0].toPlainText() == "Pending ends at 0.02"

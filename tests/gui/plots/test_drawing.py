"""Drawing on the learning-rate plot with the mouse: points, the curve ahead, the end of the line; and candidates."""

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
from gui.plots.projection import Candidate
from gui.plots.stack import PlotStack
from tests.gui.plots.test_plots import feed, planned

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class Heard:
    """Every signal of the drawing, in order."""

    def __init__(self, plot: LRPlot) -> None:
        self.said: list[tuple[Any, ...]] = []
        drawing = plot.drawing
        for name in ("moved", "added", "removed", "bent", "dragging"):
            getattr(drawing, name).connect(lambda *args, name=name: self.said.append((name, *args)))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [args[1:] for args in self.said if args[0] == name]


@pytest.fixture
def plot(qtbot: QtBot) -> LRPlot:
    """Ten epochs of 0.01 are trained of thirty; the plan goes on at 0.01 and falls to 0.001 at epoch 20."""
    series = RunHistory()
    feed(series, 10)
    stack = PlotStack()
    qtbot.addWidget(stack)
    stack.resize(700, 560)
    stack.set_series(series)
    stack.set_epochs(30)
    stack.set_plan(planned([0.01] * 10 + [0.001] * 10, start=10))
    stack.show()
    qtbot.waitExposed(stack)
    stack.refresh()
    return stack.lr


def spot(plot: LRPlot, x: float, lr: float) -> QPoint:
    """Where ``x`` epochs and the rate stand, in pixels of the canvas."""
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


def obey(plot: LRPlot) -> None:
    """Move the points as the drawing asks, as their owner does."""
    drawing = plot.drawing
    drawing.moved.connect(
        lambda at, x, lr: drawing.show_points([(x, lr) if p[0] == at else p for p in drawing.points], 10.0)
    )


POINTS = [(10.0, 0.01), (20.0, 0.004), (30.0, 0.001)]


def test_a_point_is_dragged_and_snaps_to_epochs(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    obey(plot)
    before = plot.x_range
    drag(plot, spot(plot, 20.0, 0.004), spot(plot, 23.2, 0.002))
    moves = heard.of("moved")
    assert heard.of("dragging") == [(True,), (False,)]
    assert moves[0][0] == 20.0
    assert all(one[1] == other[0] for one, other in pairwise(moves))
    assert moves[-1][1:] == (23.0, pytest.approx(0.002, rel=0.06))
    assert plot.x_range == before
    assert not plot.bubble.isVisible()


def test_a_point_stays_between_its_neighbours(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    drag(plot, spot(plot, 20.0, 0.004), spot(plot, 7.0, 0.004))
    assert heard.of("moved")[-1][1] == 11.0
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 5.0, 0.01))
    assert heard.of("moved")[-1][1] == 10.0


def test_without_snapping_a_point_stands_anywhere(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.snap = False
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    drag(plot, spot(plot, 20.0, 0.004), spot(plot, 23.4, 0.004))
    assert heard.of("moved")[-1][1] == pytest.approx(23.4, abs=0.1)
    assert heard.of("moved")[-1][1] % 1 != 0


def test_a_click_on_the_line_adds_a_point_and_a_click_beside_it_does_not(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.show_points(POINTS, 10.0)
    plot.set_pending(planned([0.003] * 20, start=10, key="pending"))
    plot.refresh()
    click(plot, spot(plot, 15.1, 0.003))
    assert heard.of("added") == [(15.0, pytest.approx(0.003, rel=0.06))]
    click(plot, spot(plot, 15.1, 0.008))
    assert len(heard.of("added")) == 1


def test_a_double_click_adds_a_point_anywhere_ahead_and_fits_nothing(qtbot: QtBot, plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    fits: list[bool] = []
    plot.fit_wanted.connect(lambda: fits.append(True))
    for x in (25.0, 5.0):
        where = spot(plot, x, 0.008)
        click(plot, where)
        QTest.mouseDClick(plot.canvas.viewport(), LEFT, NONE, where)
        QTest.mouseRelease(plot.canvas.viewport(), LEFT, NONE, where)
    assert heard.of("added") == [(25.0, pytest.approx(0.008, rel=0.06))]
    assert fits == []


def test_a_right_click_or_the_delete_key_removes_a_point(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    menus: list[QPoint] = []
    plot.view.menu_wanted.connect(menus.append)
    click(plot, spot(plot, 20.0, 0.004), RIGHT)
    assert heard.of("removed") == [(20.0,)]
    assert menus == []
    QTest.keyClick(plot.canvas, Qt.Key.Key_Delete)
    assert len(heard.of("removed")) == 1
    click(plot, spot(plot, 30.0, 0.001))
    QTest.keyClick(plot.canvas, Qt.Key.Key_Delete)
    assert heard.of("removed") == [(20.0,), (30.0,)]


def test_the_arrow_keys_move_the_chosen_point(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    obey(plot)
    click(plot, spot(plot, 20.0, 0.004))
    QTest.keyClick(plot.canvas, Qt.Key.Key_Right)
    QTest.keyClick(plot.canvas, Qt.Key.Key_Up)
    assert heard.of("moved")[0] == (20.0, 21.0, 0.004)
    assert heard.of("moved")[1][2] == 0.0042


def test_while_points_are_drawn_they_take_the_place_of_the_handle(plot: LRPlot) -> None:
    assert plot.grip.handle.isVisible()
    plot.drawing.show_points(POINTS, 10.0)
    plot.refresh()
    assert not plot.grip.handle.isVisible()
    plot.drawing.show_points([])
    plot.refresh()
    assert plot.grip.handle.isVisible()


def test_the_axis_has_room_for_every_point(plot: LRPlot) -> None:
    plot.drawing.show_points([(10.0, 0.01), (20.0, 1e-6)], 10.0)
    plot.refresh()
    low, high = plot.view.viewRange()[1]
    assert low < plot.coordinates.y_of(1e-6) < high


def test_the_curve_ahead_is_bent_where_it_is_taken_hold_of(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.bendable = True
    before = plot.x_range
    drag(plot, spot(plot, 15.0, 0.01), spot(plot, 16.0, 0.003))
    bends = heard.of("bent")
    assert bends[-1] == (0, 15.0, pytest.approx(0.003, rel=0.06))
    assert heard.of("dragging") == [(True,), (False,)]
    assert plot.x_range == before


def test_the_past_and_what_lies_beside_the_curve_are_not_bent(plot: LRPlot) -> None:
    heard = Heard(plot)
    plot.drawing.bendable = True
    drag(plot, spot(plot, 5.0, 0.01), spot(plot, 5.0, 0.003))
    assert heard.said == []
    drag(plot, spot(plot, 15.0, 0.004), spot(plot, 17.0, 0.003))
    assert heard.said == []
    assert plot.x_range[0] < -1.5


def test_before_it_is_allowed_the_curve_is_not_bent(plot: LRPlot) -> None:
    heard = Heard(plot)
    drag(plot, spot(plot, 15.0, 0.01), spot(plot, 15.0, 0.003))
    assert heard.said == []


def test_shift_at_the_end_of_the_line_means_hold(plot: LRPlot) -> None:
    heard: list[tuple[float, bool]] = []
    plot.dragged.connect(lambda lr, hold: heard.append((lr, hold)))
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 10.0, 0.004))
    assert [hold for _, hold in heard] == [False] * len(heard)
    plot.set_pending(None)
    plot.refresh()
    heard.clear()
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 10.0, 0.004), SHIFT)
    assert heard[-1] == (pytest.approx(0.004, rel=0.06), True)
    assert "Shift" in plot.grip.handle.toolTip()


def candidates(*ends: float, start: int = 10) -> list[Candidate]:
    made = []
    for place, end in enumerate(ends):
        curve = planned(np.geomspace(0.01, end, 20).tolist(), start=start, key=f"candidate {place}")
        made.append(Candidate(key="ABCD"[place], name=f"Schedule{place}", place=place, curve=curve))
    return made


def test_candidates_are_overlaid_each_in_colours_and_dashes_of_its_own(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.001, 1e-4, 1e-5))
    plot.refresh()
    pens = [ahead.traces[0].opts["pen"] for _, ahead in plot.candidates]
    assert len({pen.color().name() for pen in pens}) == 3
    assert len({tuple(pen.dashPattern()) for pen in pens}) == 3
    assert [entry.name for entry in plot.entries()] == ["in force", "plan", "A Schedule0", "B Schedule1", "C Schedule2"]
    low, high = plot.view.viewRange()[1]
    assert low < -5 < high


def test_the_crosshair_has_the_values_of_all_lines(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.001, 1e-4))
    plot.set_pending(planned([0.005] * 20, start=10, key="pending"))
    plot.refresh()
    plot.set_cursor(29.5)
    assert plot.header.legend.values == {"plan": "0.001", "pending": "0.005", "A": "0.001", "B": "0.0001"}
    plot.set_cursor(4.0)
    assert plot.header.legend.values == {"0": "0.01"}


def test_words_at_the_ends_of_many_lines_do_not_overlap(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.0012, 0.0009, 1e-5, 1.1e-5))
    plot.set_pending(planned([0.005] * 20, start=10, key="pending"))
    plot.refresh()
    shown = [text for text in plot.ends.texts if text.isVisible()]
    assert len(shown) >= 5
    boxes = [text.mapRectToScene(text.boundingRect()).adjusted(0, 3, 0, -3) for text in shown]
    for index, box in enumerate(boxes):
        assert not any(box.intersects(other) for other in boxes[:index])


def test_lines_that_end_at_one_lr_are_said_together(plot: LRPlot) -> None:
    plot.set_candidates(candidates(1e-4, 1e-4))
    plot.refresh()
    words = [text.toPlainText() for text in plot.ends.texts if text.isVisible()]
    assert words == ["A, B end at 0.0001", "plan ends at 0.001"]


def test_taken_away_nothing_of_the_candidates_is_left(plot: LRPlot) -> None:
    before = len(plot.view.addedItems)
    plot.set_candidates(candidates(1e-4, 1e-5))
    plot.refresh()
    plot.set_candidates([])
    plot.refresh()
    assert [entry.name for entry in plot.entries()] == ["in force", "plan"]
    assert [t.toPlainText() for t in plot.ends.texts if t.isVisible()] == ["ends at 0.001"]
    assert len(plot.view.addedItems) <= before + 2


def test_a_note_stands_beside_the_plan(plot: LRPlot) -> None:
    plot.set_plan(planned([0.01] * 20, start=10))
    plot.set_note("cut after 3 more epochs")
    plot.refresh()
    shown = [text for text in plot.ends.texts if text.isVisible()]
    assert [text.toPlainText() for text in shown] == ["cut after 3 more epochs", "ends at 0.01"]
    plot.set_note("")
    plot.refresh()
    assert [t.toPlainText() for t in plot.ends.texts if t.isVisible()] == ["ends at 0.01"]


def test_narrow_the_legend_calls_candidates_by_their_letters(qtbot: QtBot, plot: LRPlot) -> None:
    plot.set_candidates(candidates(1e-4, 1e-5, 1e-3))
    plot.refresh()
    legend = plot.header.legend
    metrics = legend.fontMetrics()
    assert legend._names(metrics, 2000)["B"] == "B Schedule1"
    assert legend._names(metrics, 200)["B"] == "B"


def test_a_curve_of_several_groups_is_overlaid_for_each(qtbot: QtBot, plot: LRPlot) -> None:
    plot.set_group_names(["rest", "head"])
    both = np.stack([np.full(21, 0.001), np.full(21, 0.01)], 1)
    curve = Curve(key="c", x=np.arange(10.0, 31.0), lr=both, group_names=("rest", "head"))
    plot.set_candidates([Candidate(key="A", name="Constant", place=0, curve=curve)])
    plot.refresh()
    plot.set_cursor(20.0)
    assert plot.header.legend.values["A"] == "0.001 0.01"
    assert len(plot.candidates[0][1].traces) == 2


def test_while_only_the_past_grows_the_words_stay_and_a_frame_stays_cheap(plot: LRPlot) -> None:
    plot.set_candidates(candidates(0.0012, 0.0008, 0.00095, 0.00105))
    plot.set_pending(planned([0.005] * 20, start=10, key="pending"))
    plot.refresh()
    places = [text.pos() for text in plot.ends.texts]
    written: list[int] = []
    write = plot.ends.write
    plot.ends.write = lambda *args: (written.append(1), write(*args))[1]  # type: ignore[method-assign]
    one = StepsEvent(epoch=11, batch=0, loss=np.ones(1, np.float32), lr=np.full((1, 1), 0.01), images_per_second=1.0)
    plot.series.append_steps(one, 20)
    assert plot.refresh()
    assert written == []
    assert [text.pos() for text in plot.ends.texts] == places
    plot.set_pending(planned([0.02] * 20, start=10, key="pending"))
    plot.refresh()
    assert written == [1]
    assert plot.ends.texts[0].toPlainText() == "pending ends at 0.02"

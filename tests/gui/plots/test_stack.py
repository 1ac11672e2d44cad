"""The three plots of a run: what they draw, what the mouse does, and that a frame draws little."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QToolTip
from pytestqt.qtbot import QtBot

from engine.messages.events import StepsEvent
from engine.messages.preview import Curve
from gui.core.frame_clock import FrameClock
from gui.core.history import RunHistory
from gui.plots.base import RunPlot
from gui.plots.header import LegendEntry, PlotLegend
from gui.plots.items import MANY, Trace
from gui.plots.stack import PlotStack
from gui.theme.theme import DARK, LIGHT
from tests.gui.plots.sample_run import feed, lr_curve

# Qt's offscreen platform warns of this for every window with a minimum size.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


@pytest.fixture
def history() -> RunHistory:
    return RunHistory()


@pytest.fixture
def stack(qtbot: QtBot, history: RunHistory) -> PlotStack:
    made = PlotStack()
    qtbot.addWidget(made)
    made.resize(700, 560)
    made.set_history(history)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    return made


def points_of(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    x, y = trace.getData()
    return (np.empty(0), np.empty(0)) if x is None else (x, y)


def empty_texts(stack: PlotStack) -> list[bool]:
    return [plot.empty.isVisible() for plot in stack.plots]


def test_before_the_start_the_whole_projection_is_drawn_and_other_plots_have_placeholders(stack: PlotStack) -> None:
    assert empty_texts(stack) == [True, True, True]
    stack.set_epochs(4)
    stack.set_projected(lr_curve([0.1, 0.1, 0.01, 0.01]))
    stack.refresh()
    assert empty_texts(stack) == [True, False, True]
    x, y = points_of(stack.lr.projected.traces[0])
    assert (x.min(), x.max()) == (0.0, 4.0)
    assert 10 ** y.max() == pytest.approx(0.1)
    assert 10 ** y.min() == pytest.approx(0.01)
    assert stack.lr.end_labels.texts[0].toPlainText() == "Ends at 0.01"


def test_after_the_start_the_current_lr_is_solid_up_to_now_and_the_projection_begins_there(
    stack: PlotStack, history: RunHistory
) -> None:
    feed(history, 2)
    stack.set_epochs(4)
    stack.set_projected(lr_curve([0.01, 0.01, 0.01, 0.001]))
    stack.set_pending(lr_curve([0.02, 0.002], start=2, key="pending"))
    stack.refresh()
    assert points_of(stack.lr._current[0])[0].max() == 2.0
    x, _ = points_of(stack.lr.projected.traces[0])
    assert (x.min(), x.max()) == (2.0, 4.0)
    assert stack.lr.projected.traces[0].opts["pen"].style() != Qt.PenStyle.SolidLine
    assert 10 ** points_of(stack.lr.pending.traces[0])[1].max() == pytest.approx(0.02)
    assert stack.lr.end_labels.texts[0].toPlainText() == "Pending ends at 0.002"
    stack.set_pending(None)
    stack.refresh()
    assert points_of(stack.lr.pending.traces[0])[0].size == 0
    assert stack.lr.end_labels.texts[0].toPlainText() == "Ends at 0.001"


def test_metrics_of_epoch_n_are_at_n(stack: PlotStack, history: RunHistory) -> None:
    feed(history, 3)
    stack.refresh()
    assert points_of(stack.loss._val)[0].tolist() == [1.0, 2.0, 3.0]
    assert points_of(stack.accuracy._curves["val"])[1].tolist() == pytest.approx([40.0, 70.0, 80.0])
    assert stack.loss.header.legend.values["val"] == "0.7333"
    assert stack.accuracy.header.legend.values["train"] == "83.33%"


def test_only_what_changed_is_drawn(stack: PlotStack, history: RunHistory) -> None:
    feed(history, 2)
    assert stack.refresh()
    assert not stack.refresh()
    history.append_steps(
        StepsEvent(epoch=3, batch=0, loss=np.ones(3, np.float32), lr=np.full((3, 1), 0.01), images_per_second=1.0),
        20,
    )
    assert [plot.refresh() for plot in stack.plots] == [True, True, False]


def test_hidden_plots_draw_nothing_and_catch_up_when_shown(stack: PlotStack, history: RunHistory) -> None:
    stack.hide()
    feed(history, 1)
    assert not stack.refresh()
    stack.show()
    assert stack.refresh()
    assert points_of(stack.loss._train)[0].size == 1


def test_an_lr_of_zero_is_in_a_strip_marked_0_below_the_log_axis(stack: PlotStack) -> None:
    stack.set_epochs(3)
    stack.set_projected(lr_curve([0.1, 0.01, 0.0]))
    stack.refresh()
    axis = stack.lr.left
    low, high = stack.lr.view.viewRange()[1]
    assert axis.zero_at is not None
    assert low < axis.zero_at < axis.strip_top() < -2.0
    ticks = axis.tickValues(low, high, 150)[0][1]
    assert axis.tickStrings(ticks, 1, 1)[0] == "0"
    assert points_of(stack.lr.projected.traces[0])[1].min() == axis.zero_at
    stack.lr.log_button.setChecked(False)
    stack.refresh()
    assert axis.zero_at is None
    assert points_of(stack.lr.projected.traces[0])[1].min() == 0.0


def test_each_group_has_a_colour_and_its_name(stack: PlotStack, history: RunHistory) -> None:
    stack.set_group_names(["rest", "head"])
    stack.apply_theme(DARK)
    feed(history, 1, groups=2)
    stack.refresh()
    assert [entry.name for entry in stack.lr.entries()] == ["rest", "head"]
    assert [entry.color for entry in stack.lr.entries()] == list(DARK.groups[:2])
    assert stack.lr.header.legend.values == {"0": "0.01", "1": "0.02"}
    assert len(stack.lr._current) == 2


def test_the_x_range_follows_the_run_until_the_user_zooms(stack: PlotStack, history: RunHistory) -> None:
    stack.set_epochs(12)
    stack.refresh()
    assert [plot.x_range for plot in stack.plots] == [pytest.approx((-0.12, 12.12))] * 3
    stack.lr.view.setXRange(2, 5, padding=0)
    stack.lr.view.moved.emit(0)
    stack.set_epochs(20)
    stack.refresh()
    assert [plot.x_range for plot in stack.plots] == [(2.0, 5.0)] * 3
    stack.loss.view.fit_requested.emit()
    stack.refresh()
    assert stack.accuracy.x_range == pytest.approx((-0.2, 20.2))


@pytest.mark.parametrize("axis", [0, 1])
def test_fit_is_highlighted_while_the_view_is_zoomed(stack: PlotStack, axis: int) -> None:
    def lit() -> bool:
        return bool(stack.fit_button.property("tone") == "accent")

    assert not lit()
    stack.lr.view.moved.emit(axis)
    assert lit()
    QTest.mouseClick(stack.fit_button, Qt.MouseButton.LeftButton)
    assert not lit()


def test_the_same_part_of_the_run_stays_visible_when_the_axis_changes(stack: PlotStack, history: RunHistory) -> None:
    feed(history, 4)
    stack.refresh()
    stack.lr.view.setXRange(1, 3, padding=0)
    stack.lr.view.moved.emit(0)
    stack.set_axis("steps")
    stack.refresh()
    assert stack.loss.x_range == (20.0, 60.0)
    assert points_of(stack.loss._train)[0].max() == 80.0
    stack.set_axis("epochs")
    stack.refresh()
    assert stack.loss.x_range == (1.0, 3.0)


def test_time_cannot_be_chosen_before_there_is_any(stack: PlotStack, history: RunHistory) -> None:
    assert not stack._choice.button(2).isEnabled()
    history.restore([], 20)
    stack.refresh()
    assert stack._choice.button(1).isEnabled()
    feed(history, 1)
    stack.refresh()
    assert stack._choice.button(2).isEnabled()


def test_the_three_plots_share_a_crosshair_and_show_the_values_at_it(stack: PlotStack, history: RunHistory) -> None:
    feed(history, 3)
    stack.refresh()
    stack._on_cursor(1.5)
    assert all(plot.cross.isVisible() and plot.cross.value() == 1.5 for plot in stack.plots)
    assert stack.loss.header.legend.values["train"] == "2"
    assert stack._readout.text().startswith("Epoch 2")
    assert "batch 10 of 20" in stack._readout.text()
    stack._on_cursor(None)
    assert not any(plot.cross.isVisible() for plot in stack.plots)
    assert stack._readout.text() == "Completed epochs"


def test_the_names_in_a_legend_do_not_change_with_the_digits_of_its_values(qtbot: QtBot) -> None:
    legend = PlotLegend("Loss")
    qtbot.addWidget(legend)
    legend.set_entries([LegendEntry(key="val", name="Validation", short="Val", color="red")])
    metrics = legend.fontMetrics()
    shown = []
    for width in range(60, 300):
        names = set()
        for value in ("–", "0.1", "0.008494"):
            legend.set_values({"val": value})
            names |= set(legend._names(metrics, width).values())
        shown.append(names)
    assert shown[0] == {"Val"}
    assert shown[-1] == {"Validation"}
    assert all(len(names) == 1 for names in shown)


def test_the_menus_of_loss_and_lr_offer_a_logarithmic_axis_and_that_of_accuracy_does_not(stack: PlotStack) -> None:
    offers = []
    for plot in (stack.loss, stack.lr, stack.accuracy):
        plot.view.menu_requested.emit(QPoint(300, 300))
        (menu,) = plot.findChildren(QMenu)
        offers.append("Logarithmic axis" in [action.text() for action in menu.actions()])
        menu.close()
    assert offers == [True, True, False]


def test_after_the_runs_position_there_are_no_losses_and_the_lr_is_projected(
    stack: PlotStack, history: RunHistory
) -> None:
    feed(history, 3)
    stack.set_projected(lr_curve([0.01] * 5 + [0.001] * 5))
    stack.refresh()
    stack._on_cursor(7.5)
    assert stack.loss.header.legend.values == {"train": "–", "val": "–", "batch": "–"}
    assert stack.accuracy.header.legend.values == {"train": "–", "val": "–"}
    assert stack.lr.header.legend.values["projected"] == "0.001"
    stack.loss.set_cursor(3.0)
    assert stack.loss.header.legend.values["train"] == "0.6667"


@pytest.mark.parametrize("stretch", [(-0.1, 3.2), (1.9, 2.1), (-20.0, 60.0)])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_dots_are_round_and_of_one_size_at_any_zoom(
    stack: PlotStack, history: RunHistory, stretch: tuple[float, float], ratio: float
) -> None:
    feed(history, 3)
    plot = stack.loss
    stack.refresh()
    plot.view.setXRange(*stretch, padding=0)
    plot.view.moved.emit(0)
    trace = plot._train
    trace.setPen(None)
    for item in (plot._batch, plot._smoothed, plot._val, plot.grid):
        item.setVisible(False)
    picture = QImage(plot.canvas.viewport().size() * ratio, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.white)
    plot.canvas.viewport().render(picture, QPoint())
    centre = plot.canvas.mapFromScene(plot.view.mapViewToScene(QPointF(2.0, 1.0))) * ratio
    reach = int(6 * ratio)
    blue = QColor(LIGHT.train).rgb()
    around = [
        (dx, dy)
        for dx in range(-reach, reach + 1)
        for dy in range(-reach, reach + 1)
        if picture.pixel(centre.x() + dx, centre.y() + dy) == blue
    ]
    across, down = ({spot[side] for spot in around} for side in (0, 1))
    assert abs(len(across) - len(down)) <= 1
    assert 4 * ratio - 1 <= len(across) <= 6 * ratio + 1


ENDS = {
    "smooth": np.stack([0.0025 + 0.05 * (1 + np.cos(np.linspace(0, np.pi, 401)))], 1),
    "rising": np.linspace(0.0001, 0.1, 401)[:, None],
    "two": np.stack([0.0025 + b * (1 + np.cos(np.linspace(0, np.pi, 401))) for b in (0.05, 0.001)], 1),
    "near": np.stack([e + 0.05 * (1 + np.cos(np.linspace(0, np.pi, 401))) for e in (0.0025, 0.0018)], 1),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("log", [True, False])
def test_the_lr_at_the_end_of_a_line_is_written_where_no_line_runs(stack: PlotStack, name: str, log: bool) -> None:
    plot, lrs = stack.lr, ENDS[name]
    stack.set_group_names([f"group {i}" for i in range(lrs.shape[1])])
    plot.log_button.setChecked(log)
    stack.set_epochs(10)
    stack.set_projected(Curve(key="projected", x=np.linspace(0, 10, 401), lr=lrs))
    stack.refresh()
    boxes = [text.mapRectToScene(text.boundingRect()) for text in plot.end_labels.texts if text.isVisible()]
    assert boxes
    room = plot.view.sceneBoundingRect().adjusted(-1, -1, 1, 1)
    for index, box in enumerate(boxes):
        assert room.contains(box)
        assert not any(box.adjusted(0, 3, 0, -3).intersects(other) for other in boxes[:index])
    for text, box in zip([text for text in plot.end_labels.texts if text.isVisible()], boxes, strict=True):
        ends = [plot.view.mapViewToScene(QPointF(*(c[-1] for c in points_of(line)))) for line in plot.projected.traces]
        core = box.adjusted(0, 3, 0, -3)
        assert not any(core.contains(end) for end in ends)
        if text.fill.style() == Qt.BrushStyle.NoBrush:
            spots = [
                plot.view.mapViewToScene(QPointF(x, y))
                for line in plot.projected.traces
                for x, y in zip(*points_of(line), strict=True)
            ]
            assert not any(core.contains(spot) for spot in spots)
        else:
            assert text.fill.color().name() == LIGHT.plot


def test_the_flags_of_markers_are_not_clipped(stack: PlotStack, history: RunHistory) -> None:
    feed(history, 4)
    stack.add_marker(2.0, "intervention", "LR 0.01 to 0.02", 7)
    stack.refresh()
    for plot in stack.plots:
        picture = plot.canvas.grab().toImage()
        spot = plot.canvas.mapFromScene(plot.view.mapViewToScene(QPointF(2.0, plot.view.viewRange()[1][1])))
        around = range(spot.x() - 8, spot.x() + 9)
        interventions = QColor(LIGHT.intervention).rgb()
        rows = [
            y
            for y in range(spot.y() - 4, spot.y() + 8)
            if sum(picture.pixel(x, y) == interventions for x in around) >= 3
        ]
        assert rows[0] >= spot.y() + 1
        assert len(rows) >= 3


def test_a_click_on_a_marker_reports_its_id(qtbot: QtBot, stack: PlotStack) -> None:
    stack.add_marker(15.0, "intervention", "LR 0.01 to 0.02", 7)
    stack.refresh()
    plot = stack.loss
    scene = plot.view.mapViewToScene(QPointF(15.0, 0.5))
    spot = plot.canvas.mapFromScene(scene) + QPoint(2, 0)
    with qtbot.waitSignal(stack.marker_clicked) as clicked:
        qtbot.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert clicked.args == [7]
    stack.clear_markers()
    stack.refresh()
    assert plot.marker_lines.nearest(15.0, 1.0) is None


def test_a_markers_tooltip_stays_while_the_pointer_rests(qtbot: QtBot, stack: PlotStack) -> None:
    stack.add_marker(15.0, "intervention", "LR 0.01 to 0.02", 7)
    stack.set_marker_texts({7: "LR 0.01 to 0.02, with its effect", 8: "no such marker"})
    stack.refresh()
    canvas = stack.loss.canvas
    spot = canvas.mapFromScene(stack.loss.view.mapViewToScene(QPointF(15.0, 0.5)))
    for step in (60, 2):
        qtbot.mouseMove(canvas.viewport(), spot + QPoint(step, 0))
    qtbot.waitUntil(QToolTip.isVisible)
    rests = QHelpEvent(QEvent.Type.ToolTip, spot, canvas.viewport().mapToGlobal(spot))  # Qt's own, after 0.7 s
    QCoreApplication.sendEvent(canvas.viewport(), rests)
    qtbot.wait(400)
    assert (QToolTip.isVisible(), QToolTip.text()) == (True, "LR 0.01 to 0.02, with its effect")
    qtbot.mouseMove(canvas.viewport(), spot + QPoint(60, 0))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


class Paints(QObject):
    """Counts paint events."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False

    def settle(self, qtbot: QtBot) -> None:
        """Wait until nothing is painted any more."""
        before = -1
        while self.count != before:
            before = self.count
            qtbot.wait(80)


def drag(plot: RunPlot, start: QPointF, end: QPointF) -> None:
    viewport = plot.canvas.viewport()
    first, last = (plot.canvas.mapFromScene(plot.view.mapViewToScene(point)) for point in (start, end))
    QTest.mouseMove(viewport, first)
    QTest.qWait(20)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, first)
    for share in (0.3, 0.6, 1.0):
        QTest.qWait(30)
        QTest.mouseMove(viewport, first + (last - first) * share)
    QTest.qWait(30)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, last)


def test_dragging_the_end_handle_stages_an_lr(qtbot: QtBot, stack: PlotStack, history: RunHistory) -> None:
    feed(history, 10)
    stack.set_projected(lr_curve([0.01] * 10 + [0.001] * 20))
    stack.refresh()
    lrs: list[float] = []
    phases: list[bool] = []
    stack.dragged.connect(lambda lr, hold: lrs.append(lr))
    stack.dragging.connect(phases.append)
    before = stack.lr.x_range
    drag(stack.lr, QPointF(10.0, -3.0), QPointF(10.0, -2.5))
    assert phases == [True, False]
    assert lrs[-1] == pytest.approx(10**-2.5, rel=0.1)
    assert float(f"{lrs[-1]:.2g}") == lrs[-1]
    assert stack.lr.x_range == before
    assert stack.lr.end_handle.item.pos().y() == pytest.approx(-2.5, abs=0.1)
    stack.set_pending(None)
    stack.refresh()
    assert stack.lr.end_handle.item.pos().y() == pytest.approx(-3.0)


def test_a_spike_at_the_start_does_not_flatten_the_loss(stack: PlotStack, history: RunHistory) -> None:
    loss = np.r_[2.3, 900.0, 2.4, np.linspace(2.3, 0.1, 497)].astype(np.float32)
    history.append_steps(
        StepsEvent(epoch=1, batch=0, loss=loss, lr=np.full((500, 1), 0.01), images_per_second=1.0), 100
    )
    stack.refresh()
    low, high = stack.loss.view.viewRange()[1]
    assert 2.3 < high < 6
    assert low < 0.1


def test_a_loss_that_is_not_a_number_leaves_a_gap(stack: PlotStack, history: RunHistory) -> None:
    loss = np.array([2.0, np.nan, np.inf, 1.0], np.float32)
    history.append_steps(StepsEvent(epoch=1, batch=0, loss=loss, lr=np.full((4, 1), 0.01), images_per_second=1.0), 4)
    assert stack.refresh()
    assert np.isfinite(stack.loss.view.viewRange()[1]).all()
    stack.loss.log_button.setChecked(True)
    assert np.isfinite(stack.loss.view.viewRange()[1]).all()


def test_short_curves_are_2_pixels_wide_and_long_ones_1(qtbot: QtBot) -> None:
    trace = Trace()
    trace.show_points(np.arange(MANY), np.zeros(MANY))
    assert trace.opts["pen"].widthF() == 2.0
    trace.show_points(np.arange(MANY + 1), np.zeros(MANY + 1))
    assert trace.opts["pen"].widthF() == 1.0
    assert not trace.opts["antialias"]


def test_a_frame_of_a_long_run_draws_at_most_two_points_a_pixel(stack: PlotStack, history: RunHistory) -> None:
    feed(history, 100, batches=1000)
    stack.set_epochs(200)
    stack.set_projected(lr_curve([0.01] * 200))
    stack.refresh()
    for report in range(3):
        history.append_steps(
            StepsEvent(
                epoch=101,
                batch=100 * report % 900,
                loss=np.ones(100, np.float32),
                lr=np.full((100, 1), 0.01),
                images_per_second=1.0,
            ),
            1000,
        )
        assert stack.refresh()
    assert 700 < points_of(stack.loss._batch)[0].size <= 2 * 700


def test_painting_happens_within_the_frame(qtbot: QtBot, stack: PlotStack, history: RunHistory) -> None:
    watch = Paints()
    stack.loss.canvas.viewport().installEventFilter(watch)
    clock = FrameClock(window=stack)
    inside: list[int] = []

    def paint() -> bool:
        clock.stop()  # one frame only, however late the test gets to run again
        before = watch.count
        worked = stack.refresh()
        stack.repaint(0, 0, 1, 1)
        inside.append(watch.count - before)
        return worked

    feed(history, 2)
    stack.refresh()
    watch.settle(qtbot)
    watch.count = 0
    more = StepsEvent(epoch=3, batch=0, loss=np.ones(3, np.float32), lr=np.full((3, 1), 0.01), images_per_second=1.0)
    history.append_steps(more, 20)
    clock.register(paint)
    clock.start()
    qtbot.waitUntil(lambda: bool(inside))
    watch.settle(qtbot)
    assert inside == [1]
    assert watch.count == 1


def test_plots_in_both_themes_are_destroyed_after_closing(qtbot: QtBot) -> None:
    for colors in (DARK, LIGHT):
        made = PlotStack()
        made.apply_theme(colors)
        made.resize(500, 400)
        with qtbot.waitExposed(made):
            made.show()
        made.refresh()
        assert made.loss.canvas.backgroundBrush().color().name() == colors.plot
        made.close()
        with qtbot.waitSignal(made.destroyed):
            made.deleteLater()

"""Drawing schedules with the mouse, before the start and during real runs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from engine.messages.commands import SetEpochs
from engine.recipe.recipe import Recipe
from engine.schedules import ConstantLR, CosineAnnealingLR, Drawn, ScheduleSpec, StepLR
from gui.plots.lr import LRPlot
from gui.schedule.drawn_editor import PointsEditor
from gui.widgets.forms import SpecForm
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

EDIT = Qt.ItemDataRole.EditRole
LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
POINTS = ((0.0, 0.1), (10.0, 0.01), (20.0, 0.001))


def recipe(schedule: ScheduleSpec, epochs: int) -> Recipe:
    return tiny(schedule=schedule.model_dump(mode="json"), epochs=epochs)


def lr(driver: Driver) -> LRPlot:
    return driver.window.plots.lr


def spot(plot: LRPlot, x: float, lr: float) -> QPoint:
    plot.refresh()
    return plot.canvas.mapFromScene(plot.view.mapViewToScene(QPointF(x, plot.coordinates.y_of(lr))))


def drag(plot: LRPlot, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
    viewport = plot.canvas.viewport()
    QTest.mouseMove(viewport, start)
    QTest.qWait(20)
    QTest.mousePress(viewport, LEFT, keys, start)
    for share in (0.3, 0.6, 1.0):
        QTest.qWait(30)
        QTest.mouseMove(viewport, start + (end - start) * share)
    QTest.qWait(30)
    QTest.mouseRelease(viewport, LEFT, keys, end)


def editor(driver: Driver) -> PointsEditor:
    form = driver.window.schedule.editor.form
    assert isinstance(form, SpecForm)
    found = form.editor("points")
    assert isinstance(found, PointsEditor)
    return found


def drawn(driver: Driver) -> Drawn:
    spec = driver.window.schedule.schedule()
    assert isinstance(spec, Drawn), spec
    return spec


def projected_at(driver: Driver, x: float) -> float:
    return lr(driver).projected.at(0, x)


def test_before_the_start_a_curve_is_drawn_with_the_mouse_and_trained_with(driver: Driver) -> None:
    driver.set_up(recipe(Drawn(points=POINTS), 20))
    plot = lr(driver)
    driver.wait(lambda: plot.projected.known and plot.projected.end == 20)
    assert plot.drawing_tool.points == list(POINTS)
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 6.0, 0.03))
    assert [x for x, _ in drawn(driver).points] == [0.0, 6.0, 20.0]
    driver.wait(lambda: projected_at(driver, 6.0) == drawn(driver).points[1][1])
    point = spot(plot, 12.0, projected_at(driver, 12.0))
    QTest.mouseClick(plot.canvas.viewport(), LEFT, NONE, point)
    assert [x for x, _ in drawn(driver).points] == [0.0, 6.0, 12.0, 20.0]
    QTest.mouseClick(plot.canvas.viewport(), RIGHT, NONE, spot(plot, *drawn(driver).points[3]))
    assert [x for x, _ in drawn(driver).points] == [0.0, 6.0, 12.0]
    made = driver.window.setup.recipe()
    assert made is not None
    assert made.schedule == drawn(driver)
    driver.start()
    driver.wait(lambda: driver.of("start"))
    driver.finish()
    lrs = [event.lr[0] for event in driver.of("epoch")]
    assert lrs == [drawn(driver).lr_at(float(x)) for x in range(20)]


def test_any_schedule_is_turned_into_points(driver: Driver) -> None:
    driver.set_up(recipe(CosineAnnealingLR(T_max=30, eta_min=1e-3), 30))
    plot, panel = lr(driver), driver.window.schedule
    driver.wait(lambda: plot.projected.known and plot.projected.end == 30)
    before = [projected_at(driver, x) for x in range(30)]
    driver.click(panel, "Draw from this")
    driver.wait(lambda: isinstance(panel.schedule(), Drawn))
    assert len(plot.drawing_tool.points) == len(drawn(driver).points) <= 12
    assert [drawn(driver).lr_at(x) for x in range(30)] == pytest.approx(before, rel=0.03)
    assert panel.editor.draw_from.isHidden()
    made = driver.window.setup.recipe()
    assert made is not None
    assert made.schedule == drawn(driver)


def test_the_points_are_on_the_plot_while_their_editor_is_visible(driver: Driver) -> None:
    driver.set_up(recipe(Drawn(points=POINTS), 20))
    plot, window = lr(driver), driver.window
    assert plot.drawing_tool.points
    driver.click(window.schedule, "Draw on the plot")
    assert not plot.drawing_tool.points
    driver.click(window.schedule, "Draw on the plot")
    window.show_side(window.lr_panel)
    assert not plot.drawing_tool.points
    window.show_side(window.schedule)
    assert plot.drawing_tool.points
    window.schedule.editor.choose(StepLR)
    assert not plot.drawing_tool.points


def test_bending_the_projected_lr_makes_a_drawn_schedule_pending(driver: Driver) -> None:
    driver.pause_at(recipe(ConstantLR(factor=0.5, total_iters=15), 30), epoch=6)
    plot, window = lr(driver), driver.window
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 5.0)
    before = [projected_at(driver, x) for x in range(5, 30)]
    drag(plot, spot(plot, 10.0, before[5]), spot(plot, 10.0, 0.01))
    driver.wait(lambda: plot.pending.known and plot.pending.at(0, 10.0) == pytest.approx(0.01, rel=0.1))
    spec = drawn(driver)
    assert window.schedule.title.text() == "Schedule: change not applied yet"
    assert spec.lr_at(0.0) == before[0]
    assert [spec.lr_at(x) for x in range(10, 25)] == before[10:]
    assert spec.lr_at(5.0) == dict(plot.drawing_tool.points)[10.0]
    driver.press(Qt.Key.Key_Escape)
    driver.wait(lambda: not plot.pending.known)
    assert isinstance(window.schedule.schedule(), ConstantLR)
    assert driver.answers("set_schedule") == []


def test_a_bent_schedule_is_applied_and_trains_as_it_was_drawn(driver: Driver) -> None:
    driver.pause_at(recipe(StepLR(step_size=50), 12), epoch=4)
    plot, window = lr(driver), driver.window
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 3.0)
    drag(plot, spot(plot, 8.0, 0.05), spot(plot, 8.0, 0.01))
    driver.wait(lambda: plot.pending.known and plot.pending.at(0, 8.0) == dict(plot.drawing_tool.points)[8.0])
    spec = drawn(driver)
    shown = [plot.pending.at(0, x) for x in range(3, 12)]
    driver.click(window.schedule, "Apply")
    driver.answer("set_schedule")
    driver.click(window.transport, "Resume")
    driver.finish()
    lrs = [event.lr[0] for event in driver.of("epoch")][3:]
    assert lrs == shown == [spec.lr_at(float(x)) for x in range(9)]


def test_drawn_points_are_fixed_on_the_plot_while_the_run_trains(driver: Driver) -> None:
    driver.pause_at(recipe(StepLR(step_size=50), 20), epoch=4)
    plot = lr(driver)
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 3.0)
    drag(plot, spot(plot, 14.0, 0.05), spot(plot, 14.0, 0.01))
    driver.wait(lambda: plot.pending.known)
    low = dict(plot.drawing_tool.points)[14.0]
    driver.resume_to(9)
    driver.wait(lambda: plot.pending.known and plot.pending.begin == 8.0)
    assert dict(plot.drawing_tool.points)[14.0] == low
    assert dict(drawn(driver).points)[6.0] == low
    assert plot.pending.at(0, 14.0) == low


def test_a_current_drawn_schedule_is_shown_from_its_start_and_edited_from_here(driver: Driver) -> None:
    driver.pause_at(recipe(Drawn(points=POINTS), 20), epoch=6)
    plot, window = lr(driver), driver.window
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 5.0)
    window.show_side(window.schedule)
    assert drawn(driver).points == POINTS
    assert [x for x, _ in plot.drawing_tool.points] == [5.0, 10.0, 20.0]
    assert not plot.pending.known
    drag(plot, spot(plot, 10.0, 0.01), spot(plot, 10.0, 0.003))
    driver.wait(lambda: plot.pending.known)
    assert [x for x, _ in drawn(driver).points] == [0.0, 5.0, 15.0]
    assert plot.pending.at(0, 5.0) == pytest.approx(projected_at(driver, 5.0))


def table(driver: Driver) -> list[tuple[float, float]]:
    model = editor(driver).model
    cells = [(model.index(row, 0), model.index(row, 1)) for row in range(model.rowCount())]
    return [(float(x.data(EDIT)), float(lr.data(EDIT))) for x, lr in cells]


def counts_alike(driver: Driver, points: list[float]) -> None:
    """The table and the plot's points are at the epochs ``points``, and the pending curve passes through them."""
    plot = lr(driver)
    assert [x for x, _ in table(driver)] == [x for x, _ in plot.drawing_tool.points] == points
    now = driver.model.position.epoch - 1
    driver.wait(lambda: plot.pending.known and plot.pending.begin == now)
    driver.wait(lambda: plot.pending.at(0, points[-1]) == table(driver)[-1][1])
    through = [(x, at) for x, at in table(driver) if x >= now]
    assert [plot.pending.at(0, x) for x, _ in through] == pytest.approx([at for _, at in through])


def test_the_table_the_points_and_the_pending_curve_count_the_runs_epochs(driver: Driver) -> None:
    driver.pause_at(recipe(Drawn(points=((0.0, 0.1), (12.0, 0.01))), 30), epoch=6)
    plot, window = lr(driver), driver.window
    window.show_side(window.schedule)
    pending = window.schedule.pending
    assert [x for x, _ in table(driver)] == [0.0, 12.0]
    pending.restart.click()
    counts_alike(driver, [5.0, 17.0])
    driver.resume_to(8)  # nothing was edited: it would start later
    counts_alike(driver, [7.0, 19.0])
    editor(driver).move_point(19.0, 20.0, 0.02)
    counts_alike(driver, [7.0, 20.0])
    driver.resume_to(11)  # what was edited stays where it is in the run
    counts_alike(driver, [10.0, 20.0])
    driver.click(window.schedule, "Apply")
    driver.wait(lambda: driver.answers("set_schedule") and not window.schedule.differs())
    assert driver.answer("set_schedule").command["schedule"]["points"][1] == [10.0, 0.02]
    driver.resume_to(13)
    assert [x for x, _ in table(driver)] == [10.0, 20.0]
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 12.0)
    assert projected_at(driver, 20.0) == 0.02
    pending.replay.click()
    assert [x for x, _ in table(driver)] == [0.0, 10.0]
    driver.wait(lambda: plot.pending.known)
    assert plot.pending.at(0, 13.0) == 0.02


def test_joining_the_current_points_in_another_way_leaves_them_where_they_are(driver: Driver) -> None:
    driver.pause_at(recipe(Drawn(points=POINTS), 20), epoch=6)
    plot, window = lr(driver), driver.window
    window.show_side(window.schedule)
    form = window.schedule.editor.form
    assert isinstance(form, SpecForm)
    scale = form.editor("scale").control()
    driver.press(Qt.Key.Key_End, scale)
    driver.wait(lambda: plot.pending.known and plot.pending.at(0, 10.0) == 0.01)
    assert plot.pending.at(0, 19.0) == pytest.approx(0.0019)
    assert {x for x, _ in table(driver)} >= {10.0, 20.0}
    driver.press(Qt.Key.Key_Home, scale)
    driver.wait(lambda: not plot.pending.known)
    assert not window.schedule.differs()


def test_a_field_that_is_not_valid_moves_no_points(driver: Driver) -> None:
    driver.pause_at(recipe(StepLR(step_size=50), 20), epoch=6)
    window = driver.window
    window.show_side(window.schedule)
    window.schedule.stage(Drawn(points=((0.0, 0.1), (10.0, 0.0)), scale="linear"))
    counts_alike(driver, [5.0, 15.0])
    form = window.schedule.editor.form
    assert isinstance(form, SpecForm)
    driver.press(Qt.Key.Key_Home, form.editor("scale").control())
    assert window.schedule.schedule() is None
    assert [x for x, _ in table(driver)] == [5.0, 15.0]


def test_shift_while_the_end_of_the_line_is_dragged_holds_the_lr(driver: Driver) -> None:
    driver.pause_at(recipe(StepLR(step_size=4, gamma=0.1), 10), epoch=3)
    plot, window = lr(driver), driver.window
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 2.0)
    drag(plot, spot(plot, 2.0, 0.05), spot(plot, 2.0, 0.02), SHIFT)
    driver.wait(lambda: plot.pending.known and plot.pending.last(0) == plot.pending.at(0, 2.0))
    held = plot.pending.last(0)
    drag(plot, spot(plot, 2.0, held), spot(plot, 2.0, 0.03))
    driver.wait(lambda: plot.pending.known and plot.pending.last(0) < plot.pending.at(0, 2.0))
    driver.press(Qt.Key.Key_Escape)
    driver.wait(lambda: not plot.pending.known)
    drag(plot, spot(plot, 2.0, 0.05), spot(plot, 2.0, 0.02), SHIFT)
    driver.click(window.lr_panel, "Apply")
    answer = driver.answer("set_lr")
    assert (answer.status, answer.command["then"]) == ("applied", "hold")


def test_the_group_whose_line_is_bent_gets_its_own_schedule(driver: Driver) -> None:
    groups = [{"name": "head", "modules": ["head"], "lr": 0.5}]
    driver.pause_at(tiny(schedule={"name": "Constant"}, epochs=20, groups=groups), epoch=4)
    plot, window = lr(driver), driver.window
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 3.0)
    assert plot.group_names == ["rest", "head"]
    drag(plot, spot(plot, 10.0, 0.5), spot(plot, 10.0, 0.1))
    driver.wait(lambda: plot.pending.known and plot.pending.at(1, 10.0) == dict(plot.drawing_tool.points)[10.0])
    assert window.schedule.group() == "head"
    assert plot.pending.at(0, 10.0) == 0.05
    assert plot.pending.at(1, 3.0) == 0.5
    driver.click(window.schedule, "Apply")
    assert driver.answer("set_schedule").command["group"] == "head"
    driver.wait(lambda: plot.projected.at(1, 10.0) < 0.2)
    assert plot.projected.at(0, 10.0) == 0.05
    assert [x for x, _ in plot.drawing_tool.points] == [3.0, 10.0, 19.0]


def test_a_plateau_shows_beside_its_flat_line_when_it_cuts_the_lr(driver: Driver) -> None:
    driver.pause_at(tiny(schedule={"name": "ReduceLROnPlateau", "patience": 3}, epochs=12), epoch=4)
    plot = lr(driver)
    driver.wait(lambda: plot.projected.known and plot.projected.begin == 3.0)
    plot.refresh()
    assert {plot.projected.at(0, x) for x in range(3, 12)} == {0.05}
    texts = [text.toPlainText() for text in plot.end_labels.texts if text.isVisible()]
    best = min(event.val_loss for event in driver.of("epoch"))
    assert any(w.startswith("×0.1 after ") and f"not below {best * (1 - 1e-4):.4g}" in w for w in texts), texts
    assert driver.shows(driver.window.lr_panel, "×0.1 after ")


def test_the_projected_lr_ends_with_the_run_also_after_its_length_changed(driver: Driver) -> None:
    driver.pause_at(tiny(epochs=8), epoch=3)
    plot = lr(driver)
    driver.wait(lambda: plot.projected.known and plot.projected.end == 8.0)
    driver.app.current_run.post(SetEpochs(epochs=14))
    driver.wait(lambda: plot.projected.end == 14.0)
    driver.window.lr_panel.stage_lr(0.5)
    driver.wait(lambda: plot.pending.known and plot.pending.end == 14.0)
    driver.app.current_run.post(SetEpochs(epochs=5))
    driver.wait(lambda: plot.projected.end == 5.0 and plot.pending.end == 5.0)
    plot.refresh()
    assert plot.projected.traces[0].getData()[0].max() == 5.0

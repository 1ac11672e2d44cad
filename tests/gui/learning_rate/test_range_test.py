"""The window of the range test: what it shows and emits, and tests in a real run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from engine.advice.lr_suggestions import with_lr
from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import FindLR, Pause, Resume, SetLR, Start, Stop
from engine.messages.events import Event, LREvent, RangeTestEvent, StateEvent, Suggestion
from engine.training.job import Job
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.core.task_runner import TaskRunner
from gui.learning_rate.range_test import RangeTestController
from gui.learning_rate.range_test_panel import RangeTestPanel
from gui.main_window import MainWindow
from gui.theme.theme import DARK, LIGHT, Theme
from tests.engine.running import NETWORKS, recipe, run
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")
LEFT = Qt.MouseButton.LeftButton
assert torch.__version__  # a training thread expects it to be imported


def result(
    steep: float | None = 0.012345, bottom: float | None = 0.001, group: str | None = None, points: int = 60
) -> RangeTestEvent:
    lr = np.geomspace(1e-6, 1.0, points)
    loss = 2.3 - 0.03 * np.arange(points)
    why = Text("The loss does not fall.")
    return RangeTestEvent(
        id=1,
        epoch=3,
        batch=0,
        lr=lr,
        loss=loss,
        smoothed=loss + 0.1,
        diverged=points < 60,
        suggestions=(
            Suggestion(kind="bold", lr=steep, text=Text("Steepest.") if steep else why),
            Suggestion(kind="steady", lr=bottom, text=Text("Valley.") if bottom else why),
        ),
        group=group,
    )


@pytest.fixture
def panel(qtbot: QtBot) -> RangeTestPanel:
    made = RangeTestPanel()
    qtbot.addWidget(made)
    made.set_enabled_because(None)
    with qtbot.waitExposed(made):
        made.show()
    return made


def shown(panel: RangeTestPanel) -> str:
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisibleTo(panel))


def buttons(panel: RangeTestPanel, text: str) -> list[QPushButton]:
    return [b for b in panel.findChildren(QPushButton) if b.text() == text and b.isVisibleTo(panel)]


def click(panel: RangeTestPanel, text: str, qtbot: QtBot) -> None:
    (button,) = buttons(panel, text)
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, LEFT)


def type_into(panel: RangeTestPanel, qtbot: QtBot, name: str, text: str) -> None:
    field = panel._editors[name].control()
    field.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(field, text)


def test_it_starts_a_test_with_the_typed_settings(panel: RangeTestPanel, qtbot: QtBot) -> None:
    type_into(panel, qtbot, "lr_min", "1e-4")
    type_into(panel, qtbot, "steps", "40")
    with qtbot.waitSignal(panel.start_wanted) as asked:
        qtbot.mouseClick(panel.start, LEFT)
    assert asked.args == [FindLR(lr_min=1e-4, steps=40)]
    assert panel.running
    assert not buttons(panel, "Find a learning rate")
    assert not panel._editors["steps"].isEnabled()


def test_invalid_settings_show_why_and_disable_the_button(panel: RangeTestPanel, qtbot: QtBot) -> None:
    type_into(panel, qtbot, "lr_max", "1e-9")
    assert "To: must be greater than the first LR, 1e-06" in shown(panel)
    assert not panel.start.isEnabled()
    type_into(panel, qtbot, "lr_max", "fast")
    assert "To: must be a number" in shown(panel)
    type_into(panel, qtbot, "lr_max", "1")
    assert panel.start.isEnabled()
    assert "must be" not in shown(panel)


def test_without_a_run_it_shows_why_no_test_can_start(panel: RangeTestPanel) -> None:
    panel.set_enabled_because("The run has ended.")
    assert not panel.start.isEnabled()
    assert "The run has ended." in panel.start.toolTip()


def test_progress_and_cancel(panel: RangeTestPanel, qtbot: QtBot) -> None:
    panel.show_progress(37, 100)
    assert (panel.bar.value(), panel.bar.maximum()) == (37, 100)
    assert "37 of 100 LRs tried" in shown(panel)
    with qtbot.waitSignal(panel.cancel_wanted):
        qtbot.mouseClick(panel.cancel, LEFT)
    with qtbot.waitSignal(panel.cancel_wanted):
        qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert panel.isVisible()
    with qtbot.waitSignal(panel.cancel_wanted):
        panel.close()
    panel.show()
    panel.show_problem("It was cancelled.")
    assert "It was cancelled." in shown(panel)
    assert not panel.running
    with qtbot.assertNotEmitted(panel.cancel_wanted):
        qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_a_result_is_drawn_on_a_log_axis_with_its_suggestions(panel: RangeTestPanel) -> None:
    event = result()
    panel.show_result(event)
    plot = panel.plot
    assert plot.smoothed.xData.tolist() == np.log10(event.lr).tolist()
    assert plot.smoothed.yData.tolist() == event.smoothed.tolist()
    assert plot.raw.yData.tolist() == event.loss.tolist()
    assert plot.lines["bold"].value() == pytest.approx(math.log10(0.012345))
    assert plot.lines["steady"].value() == pytest.approx(-3)
    assert plot.lines["bold"].label.format == "Bold: 0.0123"
    low, high = plot.view.viewRange()[0]
    assert low < -6
    assert high > 0
    assert plot.bottom.tickStrings([-6.0, -3.0, 0.0], 1, 1) == ["1e-6", "0.001", "1"]
    assert "60 LRs tried in epoch 3." in shown(panel)
    assert "The run itself does not change" in shown(panel)
    assert "fastest group" not in shown(panel)


def test_use_this_emits_the_lr_that_is_shown(panel: RangeTestPanel, qtbot: QtBot) -> None:
    panel.show_result(result(group="head"))
    assert "0.0123" in shown(panel)
    assert "that of head, the fastest group" in shown(panel)
    steep, bottom = buttons(panel, "Use this")
    for button, lr in ((steep, 0.0123), (bottom, 0.001)):
        with qtbot.waitSignal(panel.use_wanted) as wanted:
            qtbot.mouseClick(button, LEFT)
        assert wanted.args == [lr]


def test_a_curve_without_suggestions_shows_why_once(panel: RangeTestPanel) -> None:
    panel.show_result(result())
    panel.show_result(result(None, None, points=50))
    assert shown(panel).count("The loss does not fall.") == 1
    assert not buttons(panel, "Use this")
    assert not any(line.isVisible() for line in panel.plot.lines.values())
    assert "It ended early: the loss diverged." in shown(panel)
    panel.show_result(result(bottom=None))
    assert len(buttons(panel, "Use this")) == 1


def test_a_result_without_points_is_an_empty_plot(panel: RangeTestPanel) -> None:
    panel.show_result(result(None, None, points=0))
    assert "appears here" in shown(panel)


def test_the_crosshair_reads_the_nearest_lr(panel: RangeTestPanel, qtbot: QtBot) -> None:
    event = result()
    panel.show_result(event)
    canvas, view = panel.plot.canvas, panel.plot.view
    place = canvas.mapFromScene(view.mapViewToScene(QPointF(float(np.log10(event.lr[30])), 1.5)))
    qtbot.mouseMove(canvas.viewport(), QPoint(5, 5))
    qtbot.mouseMove(canvas.viewport(), place)
    qtbot.waitUntil(lambda: bool(panel.plot.header.legend.values))
    values = panel.plot.header.legend.values
    assert values["raw"] == f"{event.loss[30]:.3g}"
    assert values["smoothed"] == f"{event.smoothed[30]:.3g}"


def test_light_and_dark(panel: RangeTestPanel, qapp: QApplication) -> None:
    theme = Theme()
    theme.apply(qapp)
    for mode, colors in (("dark", DARK), ("light", LIGHT)):
        theme.set_mode(mode)  # type: ignore[arg-type]
        qapp.processEvents()
        assert panel.plot.colors is colors
        assert panel.plot.canvas.backgroundBrush().color().name() == colors.plot


# -- with a real run


class Window:
    """A main window with a current run and the range test, without the rest of the program."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.window, self.current_run = MainWindow(), CurrentRun(None, FrameClock())
        self.tasks = TaskRunner()
        self.tasks.start()
        self.range_test = RangeTestController(
            self.window,
            self.current_run,
            self.tasks,
            recipe=self.window.setup.recipe,
            first_error=self.window.setup.first_error,
            allowed=frozenset,
            lr_panel=self.window.lr_panel,
            show_side=self.window.show_side,
        )
        self.panel = self.range_test.panel
        self.events: list[Event] = []
        self.current_run.happened.connect(self.events.append)
        self.window.show()
        with qtbot.waitExposed(self.panel):
            self.range_test.open()

    def begin(self, job: Job) -> None:
        self.current_run.begin(job)
        self.reach("ready")

    def reach(self, state: str) -> None:
        self.qtbot.waitUntil(lambda: self.states()[-1:] == [state])

    def states(self) -> list[str]:
        return [e.state for e in self.events if isinstance(e, StateEvent)]

    def click(self, text: str) -> None:
        (button,) = buttons(self.panel, text)
        assert button.isEnabled(), button.toolTip()
        self.qtbot.mouseClick(button, LEFT)

    def wait(self, text: str) -> None:
        self.qtbot.waitUntil(lambda: text in shown(self.panel))

    def endless(self) -> None:
        type_into(self.panel, self.qtbot, "lr_min", "1e-9")
        type_into(self.panel, self.qtbot, "lr_max", "1e-8")
        type_into(self.panel, self.qtbot, "steps", "10000")
        self.click("Find a learning rate")
        self.qtbot.waitUntil(lambda: self.panel.bar.value() > 2)


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Window]:
    made = Window(qtbot)
    yield made
    made.current_run.stop()
    qtbot.waitUntil(lambda: not made.current_run.active)
    made.tasks.stop()
    made.window.leave()
    made.window.deleteLater()  # it listens until the thread is gone


def test_a_suggestion_of_a_test_in_a_paused_run_is_pending_in_the_lr_panel(window: Window) -> None:
    window.begin(Job(recipe=recipe(), begin=False))
    window.current_run.post(Pause(), Position(epoch=1, batch=1))
    window.current_run.post(Start())
    window.reach("paused")
    window.click("Find a learning rate")
    window.wait("LRs tried in epoch")
    assert window.states()[-1] == "paused"
    lrs = [e for e in window.events if isinstance(e, LREvent)][-1]
    lr_panel = window.window.lr_panel
    lr_panel.show_lrs(lrs.groups, lrs.lr, lrs.scheduled, lrs.holding, lrs.touched)
    lr_panel.set_enabled_because(None)
    staged: list[SetLR] = []
    lr_panel.staged.connect(staged.append)
    panel = window.panel
    button = buttons(panel, "Use this")[0]
    window.qtbot.mouseClick(button, LEFT)
    assert staged[-1].lr == pytest.approx(float(panel._rows["bold"].lr.text()))
    assert window.window.side.currentWidget().widget() is lr_panel  # type: ignore[attr-defined]


def test_a_test_before_the_first_batch_suggests_lrs(window: Window) -> None:
    window.begin(Job(recipe=recipe(), begin=False))
    window.click("Find a learning rate")
    window.wait("LRs tried in epoch 1.")
    assert len(buttons(window.panel, "Use this")) == 2


def test_training_continues_after_a_test(window: Window) -> None:
    window.begin(Job(recipe=recipe(epochs=100_000), begin=False))
    window.current_run.post(Start())
    window.reach("training")
    window.click("Find a learning rate")
    window.wait("LRs tried in epoch")
    assert window.states()[-1] == "training"


def test_a_test_is_cancelled(window: Window) -> None:
    window.begin(Job(recipe=recipe(), begin=False))
    window.endless()
    window.click("Cancel")
    window.wait("The LR range test was cancelled.")
    assert not window.panel.running
    assert not window.panel._note.is_error()


def test_a_pause_cancels_a_test(window: Window) -> None:
    window.begin(Job(recipe=recipe(epochs=100_000), begin=False))
    window.current_run.post(Resume())
    window.reach("training")
    window.endless()
    window.current_run.post(Pause())
    window.wait("The LR range test was cancelled.")
    window.reach("paused")


def test_the_end_of_the_run_ends_a_search_and_a_new_run_clears_what_was_result(window: Window) -> None:
    window.begin(Job(recipe=recipe(), begin=False))
    window.click("Find a learning rate")
    window.wait("LRs tried in epoch")
    window.endless()
    window.current_run.post(Stop())
    window.wait("The LR range test was cancelled.")
    window.qtbot.waitUntil(lambda: not window.current_run.active)
    assert "The run has ended." in window.panel.start.toolTip()
    assert len(window.panel.plot.smoothed.xData) > 10
    window.events.clear()
    window.begin(Job(recipe=recipe(), begin=False))
    assert len(window.panel.plot.smoothed.xData) == 0
    assert not buttons(window.panel, "Use this")
    assert window.panel.start.isEnabled()


def test_a_test_before_the_start_uses_the_recipe_and_its_suggestion_goes_into_it(driver: Driver) -> None:
    recipe_before = tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.1}])
    driver.set_up(recipe_before)
    driver.window.find_lr.trigger()
    panel = driver.app.range_test.panel
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: "LRs tried in epoch 1." in shown(panel))
    assert not driver.app.current_run.active  # and nothing of it is left in the library
    assert driver.app.library is not None
    assert driver.app.library.runs() == []
    lr = float(panel._rows["steady"].lr.text())
    driver.qtbot.mouseClick(buttons(panel, "Use this")[1], LEFT)
    recipe_now = driver.window.setup.recipe()
    assert recipe_now == with_lr(recipe_before, lr)
    assert recipe_now is not None
    assert recipe_now.groups[0].lr == pytest.approx(lr)
    assert recipe_now.optimizer.lr == pytest.approx(lr / 2)
    driver.start()
    driver.wait(lambda: driver.of("lr"))
    assert driver.app.advice._suggested is not None
    assert driver.app.advice._suggested[0] == pytest.approx(lr, rel=0.01)


def test_a_start_cancels_a_test_and_the_run_is_the_same_as_without_one(driver: Driver) -> None:
    recipe_before = tiny(epochs=2)
    driver.set_up(recipe_before)
    driver.window.find_lr.trigger()
    panel = driver.app.range_test.panel
    type_into(panel, driver.qtbot, "steps", "10000")
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: panel.bar.value() > 2)
    driver.start()
    end = driver.finish()
    assert not panel.running
    assert end.weights_sha256 == run(Job(recipe=recipe_before)).end.weights_sha256


def test_before_the_start_a_test_is_cancelled_and_a_failing_network_shows_why(driver: Driver) -> None:
    driver.set_up(tiny())
    driver.window.find_lr.trigger()
    panel = driver.app.range_test.panel
    type_into(panel, driver.qtbot, "steps", "10000")
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: panel.bar.value() > 2)
    click(panel, "Cancel", driver.qtbot)
    driver.wait(lambda: not panel.running)
    assert "cancelled" in shown(panel)
    driver.set_up(tiny(model={"name": f"{NETWORKS}:breaks_in_training"}))
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: "broken, says the test" in shown(panel))

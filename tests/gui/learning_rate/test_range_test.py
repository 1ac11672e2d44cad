"""The finder's window: what it shows, what it asks for, and a search in a real run."""

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
from gui.learning_rate.range_test_panel import FinderPanel
from gui.main_window import MainWindow
from gui.theme.theme import DARK, LIGHT, Theme
from tests.engine.running import NETWORKS, recipe, run
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")
LEFT = Qt.MouseButton.LeftButton
assert torch.__version__  # a training thread expects it to be imported


def found(
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
            Suggestion(kind="steepest", lr=steep, text=Text("Steepest.") if steep else why),
            Suggestion(kind="valley", lr=bottom, text=Text("Valley.") if bottom else why),
        ),
        group=group,
    )


@pytest.fixture
def panel(qtbot: QtBot) -> FinderPanel:
    made = FinderPanel()
    qtbot.addWidget(made)
    made.set_enabled_because(None)
    with qtbot.waitExposed(made):
        made.show()
    return made


def shown(panel: FinderPanel) -> str:
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisibleTo(panel))


def buttons(panel: FinderPanel, text: str) -> list[QPushButton]:
    return [b for b in panel.findChildren(QPushButton) if b.text() == text and b.isVisibleTo(panel)]


def click(panel: FinderPanel, text: str, qtbot: QtBot) -> None:
    (button,) = buttons(panel, text)
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, LEFT)


def type_into(panel: FinderPanel, qtbot: QtBot, name: str, text: str) -> None:
    field = panel._editors[name].control()
    field.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(field, text)


def test_it_asks_for_a_search_with_what_is_typed(panel: FinderPanel, qtbot: QtBot) -> None:
    type_into(panel, qtbot, "lr_min", "1e-4")
    type_into(panel, qtbot, "steps", "40")
    with qtbot.waitSignal(panel.find_wanted) as asked:
        qtbot.mouseClick(panel.start, LEFT)
    assert asked.args == [FindLR(lr_min=1e-4, steps=40)]
    assert panel.searching
    assert not buttons(panel, "Find a learning rate")
    assert not panel._editors["steps"].isEnabled()


def test_what_cannot_be_searched_is_said_and_not_asked_for(panel: FinderPanel, qtbot: QtBot) -> None:
    type_into(panel, qtbot, "lr_max", "1e-9")
    assert "To: must be greater than the first LR, 1e-06" in shown(panel)
    assert not panel.start.isEnabled()
    type_into(panel, qtbot, "lr_max", "fast")
    assert "To: must be a number" in shown(panel)
    type_into(panel, qtbot, "lr_max", "1")
    assert panel.start.isEnabled()
    assert "must be" not in shown(panel)


def test_without_a_run_it_says_why_nothing_can_be_searched(panel: FinderPanel) -> None:
    panel.set_enabled_because("The run has ended.")
    assert not panel.start.isEnabled()
    assert "The run has ended." in panel.start.toolTip()


def test_progress_and_cancel(panel: FinderPanel, qtbot: QtBot) -> None:
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
    panel.show_problem("Called off.")
    assert "Called off." in shown(panel)
    assert not panel.searching
    with qtbot.assertNotEmitted(panel.cancel_wanted):
        qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_a_finding_is_drawn_on_a_log_axis_with_its_suggestions(panel: FinderPanel) -> None:
    event = found()
    panel.show_finding(event)
    plot = panel.plot
    assert plot.smoothed.xData.tolist() == np.log10(event.lr).tolist()
    assert plot.smoothed.yData.tolist() == event.smoothed.tolist()
    assert plot.raw.yData.tolist() == event.loss.tolist()
    assert plot.lines["steepest"].value() == pytest.approx(math.log10(0.012345))
    assert plot.lines["valley"].value() == pytest.approx(-3)
    assert plot.lines["steepest"].label.format == "Steepest descent: 0.0123"
    low, high = plot.view.viewRange()[0]
    assert low < -6
    assert high > 0
    assert plot.bottom.tickStrings([-6.0, -3.0, 0.0], 1, 1) == ["1e-6", "0.001", "1"]
    assert "60 LRs tried in epoch 3." in shown(panel)
    assert "The run itself is untouched" in shown(panel)
    assert "fastest group" not in shown(panel)


def test_use_this_says_the_lr_that_is_shown(panel: FinderPanel, qtbot: QtBot) -> None:
    panel.show_finding(found(group="head"))
    assert "0.0123" in shown(panel)
    assert "that of head, the fastest group" in shown(panel)
    steep, bottom = buttons(panel, "Use this")
    for button, lr in ((steep, 0.0123), (bottom, 0.001)):
        with qtbot.waitSignal(panel.use_wanted) as wanted:
            qtbot.mouseClick(button, LEFT)
        assert wanted.args == [lr]


def test_a_curve_without_suggestions_says_why_once(panel: FinderPanel) -> None:
    panel.show_finding(found())
    panel.show_finding(found(None, None, points=50))
    assert shown(panel).count("The loss does not fall.") == 1
    assert not buttons(panel, "Use this")
    assert not any(line.isVisible() for line in panel.plot.lines.values())
    assert "It ended early: the loss diverged." in shown(panel)
    panel.show_finding(found(bottom=None))
    assert len(buttons(panel, "Use this")) == 1


def test_a_finding_of_no_points_is_an_empty_plot(panel: FinderPanel) -> None:
    panel.show_finding(found(None, None, points=0))
    assert "appears here" in shown(panel)


def test_the_crosshair_reads_the_nearest_rate(panel: FinderPanel, qtbot: QtBot) -> None:
    event = found()
    panel.show_finding(event)
    canvas, view = panel.plot.canvas, panel.plot.view
    place = canvas.mapFromScene(view.mapViewToScene(QPointF(float(np.log10(event.lr[30])), 1.5)))
    qtbot.mouseMove(canvas.viewport(), QPoint(5, 5))
    qtbot.mouseMove(canvas.viewport(), place)
    qtbot.waitUntil(lambda: bool(panel.plot.header.legend.values))
    values = panel.plot.header.legend.values
    assert values["raw"] == f"{event.loss[30]:.3g}"
    assert values["smoothed"] == f"{event.smoothed[30]:.3g}"


def test_light_and_dark(panel: FinderPanel, qapp: QApplication) -> None:
    theme = Theme()
    theme.apply(qapp)
    for mode, colors in (("dark", DARK), ("light", LIGHT)):
        theme.set_mode(mode)  # type: ignore[arg-type]
        qapp.processEvents()
        assert panel.plot.colors is colors
        assert panel.plot.canvas.backgroundBrush().color().name() == colors.plot


# -- with a real run


class Searched:
    """A window, its runs and its finder, without the rest of the program."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.window, self.runs, self.begun = MainWindow(), CurrentRun(None, FrameClock()), False
        self.tasks = TaskRunner()
        self.tasks.start()
        self.finding = RangeTestController(
            self.window,
            self.runs,
            self.tasks,
            lambda: self.begun,
            setup=self.window.setup,
            transport=self.window.transport,
            lr_panel=self.window.lr_panel,
            show_side=self.window.show_side,
        )
        self.panel = self.finding.panel
        self.events: list[Event] = []
        self.runs.happened.connect(self.events.append)
        self.window.show()
        with qtbot.waitExposed(self.panel):
            self.finding.open()

    def begin(self, job: Job) -> None:
        self.begun = True
        self.runs.begin(job)
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
def searched(qtbot: QtBot) -> Iterator[Searched]:
    made = Searched(qtbot)
    yield made
    made.runs.stop()
    qtbot.waitUntil(lambda: not made.runs.active)
    made.tasks.stop()
    made.window.leave()
    made.window.deleteLater()  # which listens until the run is gone


def test_a_search_in_a_paused_run_fills_interventions(searched: Searched) -> None:
    searched.begin(Job(recipe=recipe(), begin=False))
    searched.runs.post(Pause(), Position(epoch=1, batch=1))
    searched.runs.post(Start())
    searched.reach("paused")
    searched.click("Find a learning rate")
    searched.wait("LRs tried in epoch")
    assert searched.states()[-1] == "paused"
    lrs = [e for e in searched.events if isinstance(e, LREvent)][-1]
    interventions = searched.window.lr_panel
    interventions.show_lrs(lrs.groups, lrs.lr, lrs.scheduled, lrs.holding, lrs.touched)
    interventions.set_enabled_because(None)
    staged: list[SetLR] = []
    interventions.staged.connect(staged.append)
    panel = searched.panel
    button = buttons(panel, "Use this")[0]
    searched.qtbot.mouseClick(button, LEFT)
    assert staged[-1].lr == pytest.approx(float(panel._rows["steepest"].lr.text()))
    assert searched.window.side.currentWidget().widget() is interventions  # type: ignore[attr-defined]


def test_a_search_before_the_first_batch_suggests_rates(searched: Searched) -> None:
    searched.begin(Job(recipe=recipe(), begin=False))
    searched.click("Find a learning rate")
    searched.wait("LRs tried in epoch 1.")
    assert len(buttons(searched.panel, "Use this")) == 2


def test_a_search_while_training_goes_on_training(searched: Searched) -> None:
    searched.begin(Job(recipe=recipe(epochs=100_000), begin=False))
    searched.runs.post(Start())
    searched.reach("training")
    searched.click("Find a learning rate")
    searched.wait("LRs tried in epoch")
    assert searched.states()[-1] == "training"


def test_a_search_is_cancelled(searched: Searched) -> None:
    searched.begin(Job(recipe=recipe(), begin=False))
    searched.endless()
    searched.click("Cancel")
    searched.wait("The LR range test was cancelled.")
    assert not searched.panel.searching
    assert not searched.panel._note.is_error()


def test_a_pause_ends_a_search_and_says_so(searched: Searched) -> None:
    searched.begin(Job(recipe=recipe(epochs=100_000), begin=False))
    searched.runs.post(Resume())
    searched.reach("training")
    searched.endless()
    searched.runs.post(Pause())
    searched.wait("The LR range test was cancelled.")
    searched.reach("paused")


def test_the_end_of_the_run_ends_a_search_and_a_new_run_clears_what_was_found(searched: Searched) -> None:
    searched.begin(Job(recipe=recipe(), begin=False))
    searched.click("Find a learning rate")
    searched.wait("LRs tried in epoch")
    searched.endless()
    searched.runs.post(Stop())
    searched.wait("The LR range test was cancelled.")
    searched.qtbot.waitUntil(lambda: not searched.runs.active)
    assert "The run has ended." in searched.panel.start.toolTip()
    assert len(searched.panel.plot.smoothed.xData) > 10
    searched.events.clear()
    searched.begin(Job(recipe=recipe(), begin=False))
    assert len(searched.panel.plot.smoothed.xData) == 0
    assert not buttons(searched.panel, "Use this")
    assert searched.panel.start.isEnabled()


def test_before_the_start_a_search_is_of_the_recipe_and_fills_it(driver: Driver) -> None:
    of = tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.1}])
    driver.set_up(of)
    driver.window.find_lr.trigger()
    panel = driver.app.range_test.panel
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: "LRs tried in epoch 1." in shown(panel))
    assert not driver.app.current_run.active  # and nothing of it is left in the library
    assert driver.app.library is not None
    assert driver.app.library.runs() == []
    lr = float(panel._rows["valley"].lr.text())
    driver.qtbot.mouseClick(buttons(panel, "Use this")[1], LEFT)
    recipe_now = driver.window.setup.recipe()
    assert recipe_now == with_lr(of, lr)
    assert recipe_now is not None
    assert recipe_now.groups[0].lr == pytest.approx(lr)
    assert recipe_now.optimizer.lr == pytest.approx(lr / 2)
    driver.start()
    driver.wait(lambda: driver.of("lr"))
    assert driver.app.advice._valley == pytest.approx(lr, rel=0.01)


def test_a_run_that_begins_waits_for_a_search_and_is_what_it_is_without_one(driver: Driver) -> None:
    of = tiny(epochs=2)
    driver.set_up(of)
    driver.window.find_lr.trigger()
    panel = driver.app.range_test.panel
    type_into(panel, driver.qtbot, "steps", "10000")
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: panel.bar.value() > 2)
    driver.start()
    end = driver.finish()
    assert not panel.searching
    assert end.weights_sha256 == run(Job(recipe=of)).end.weights_sha256


def test_before_the_start_a_search_is_cancelled_and_a_wrong_recipe_is_not_searched(driver: Driver) -> None:
    driver.set_up(tiny())
    driver.window.find_lr.trigger()
    panel = driver.app.range_test.panel
    type_into(panel, driver.qtbot, "steps", "10000")
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: panel.bar.value() > 2)
    click(panel, "Cancel", driver.qtbot)
    driver.wait(lambda: not panel.searching)
    assert "cancelled" in shown(panel)
    driver.set_up(tiny(model={"name": f"{NETWORKS}:breaks_in_training"}))
    click(panel, "Find a learning rate", driver.qtbot)
    driver.wait(lambda: "broken, says the test" in shown(panel))

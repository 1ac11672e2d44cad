"""Advice in the whole window: on the recipe while it is edited, on a run while it trains, and applying it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QToolButton

from engine.advice import Advice
from engine.common.text import Text
from engine.messages.commands import Command, Rewind, ScaleLR, SetLR, SetOptimizer, SetSchedule
from engine.messages.events import RangeTestEvent, Suggestion
from engine.recipe.recipe import Adam, Recipe
from engine.schedules import CosineAnnealingLR, ScheduleSpec, StepLR
from gui.advice.controller import SETTLE_MS, AdviceController
from gui.advice.panel import AdvicePanel
from tests.gui.app_fixture import LEFT, Driver, tiny

SLOW: dict[str, Any] = {
    "optimizer": {"name": "SGD", "lr": 1e-8, "momentum": 0.9},
    "schedule": {"name": "Constant"},
    "epochs": 30,
}


class Counted(AdvicePanel):
    """Counts how often the rules were evaluated."""

    evaluated = 0

    def show_advice(self, advice: Sequence[Advice]) -> None:
        self.evaluated += 1
        super().show_advice(advice)


class AdvisedWindow:
    """A window and its advice controller, connected as in the program."""

    def __init__(self, driver: Driver) -> None:
        app, window = driver.app, driver.window
        self.driver = driver
        self.staged: list[ScheduleSpec] = []
        self.panel = Counted()
        layout = window.lr_panel.layout()
        assert layout is not None
        layout.addWidget(self.panel)
        self.advisor = AdviceController(
            app.current_run, self.panel, window.setup, window.lr_panel, window.show_side, self.staged.append, window
        )
        app.preview.projected.connect(self.advisor.show_curve)
        self.advisor.recipe_wanted.connect(app.setup_controller.set_up)

    @property
    def evaluated(self) -> int:
        return self.panel.evaluated

    def show(self, do: Command) -> None:
        """Apply advice that has the command ``do``."""
        self.panel.show_advice([Advice("made up", Text("Do this"), Text("Because."), do, Text("It"))])
        self.do("made up")

    def keys(self) -> list[str]:
        return [advice.key for advice in self.panel.shown()]

    def shows(self, *keys: str) -> None:
        self.driver.wait(lambda: self.keys() == list(keys))

    def do(self, key: str) -> None:
        (found,) = [advice for advice in self.panel.shown() if advice.key == key]
        self.panel.do_wanted.emit(found)


@pytest.fixture
def advised(driver: Driver) -> AdvisedWindow:
    return AdvisedWindow(driver)


def test_advice_on_the_recipe_follows_its_edits(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.set_up(Recipe(optimizer=Adam(lr=0.05), schedule=CosineAnnealingLR(T_max=5)))
    advised.shows("first_lr", "t_max_short", "by_task")
    advised.do("first_lr")
    advised.shows("t_max_short", "by_task")
    advised.do("t_max_short")
    advised.shows("by_task")
    advised.do("by_task")
    advised.shows()
    recipe = driver.window.setup.recipe()
    assert recipe is not None
    assert recipe.optimizer == Adam(lr=0.001)
    assert recipe.schedule == StepLR(step_size=10)


def test_rules_are_evaluated_on_the_projected_curve_too(advised: AdvisedWindow) -> None:
    advised.driver.set_up(tiny(schedule={"name": "LambdaLR", "lr_lambda": "1 if epoch < 2 else 0"}, epochs=20))
    advised.shows("zero_early")
    advised.driver.set_up(tiny(schedule={"name": "CosineAnnealingLR", "T_max": 5, "interval": "step"}, epochs=20))
    advised.shows("stepwise", "t_max_short")  # 6 batches an epoch: known from the curve


def dismiss(advised: AdvisedWindow, beginning: str) -> None:
    crosses = [b for b in advised.panel.findChildren(QToolButton) if b.accessibleName().startswith("Dismiss")]
    (cross,) = [b for b in crosses if b.accessibleName().startswith(f"Dismiss: {beginning}")]
    advised.driver.window.show_side(advised.driver.window.lr_panel)
    advised.driver.qtbot.mouseClick(cross, LEFT)


def test_dismissed_advice_returns_only_for_another_run(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.set_up(tiny(**SLOW))
    advised.shows("first_lr", "constant")
    dismiss(advised, "LR 1e-08")
    advised.shows("constant")
    driver.pause_at(tiny(**SLOW), epoch=3)
    advised.shows("standstill")
    dismiss(advised, "The loss barely changes")
    driver.resume_to(5)
    advised.shows()
    driver.app.current_run.stop()
    driver.finish()
    driver.set_up(tiny(**SLOW))
    advised.shows("first_lr", "constant")


def test_advice_on_a_slow_run_stages_a_higher_lr(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.pause_at(tiny(**SLOW), epoch=3)
    advised.shows("standstill")
    driver.window.show_side(driver.window.schedule)
    advised.do("standstill")
    driver.wait(lambda: driver.lr_field.isVisible())
    assert driver.lr_field.text() == "1e-7"
    assert driver.answers("scale_lr") == driver.answers("set_lr") == []  # staged, not sent
    driver.click(driver.window.lr_panel, "Apply")
    assert driver.answer("set_lr").lr == [1e-07]


def test_rules_are_evaluated_at_most_twice_a_second(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.set_up(tiny(epochs=12))
    driver.settle(2 * SETTLE_MS)
    before = advised.evaluated
    began = time.monotonic()
    driver.start()
    driver.finish()
    most = 2 * (time.monotonic() - began) + 4  # and when the run began and ended
    assert len(driver.of("epoch")) == 12
    assert 1 <= advised.evaluated - before <= most
    advised.shows()  # a run that has ended needs none


def test_after_a_rewind_only_the_present_branch_is_evaluated(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.pause_at(tiny(**SLOW), epoch=4)
    advised.shows("standstill")
    driver.app.current_run.post(Rewind(epoch=1))
    advised.shows()


def test_the_suggestions_of_a_range_test_are_remembered(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.pause_at(tiny(**SLOW), epoch=2)
    advised.shows()
    nothing = np.empty(0)
    found = RangeTestEvent(
        id=1,
        epoch=2,
        batch=0,
        lr=nothing,
        loss=nothing,
        smoothed=nothing,
        diverged=False,
        suggestions=(Suggestion(kind="bold", lr=0.05, text=""), Suggestion(kind="steady", lr=0.02, text="")),
    )
    driver.app.current_run.publish(found)
    advised.shows("below_suggestion")
    advised.do("below_suggestion")
    assert driver.lr_field.text() == "0.02"


def test_a_lower_lr_is_staged_for_the_chosen_group(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.pause_at(tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}]), epoch=2)
    staged: list[object] = []
    driver.window.lr_panel.staged.connect(staged.append)
    advised.show(ScaleLR(factor=0.1))
    assert staged == [ScaleLR(factor=0.1)]  # all of them, in proportion
    driver.window.lr_panel.discard()
    driver.click(driver.window.lr_panel, "rest")
    advised.show(ScaleLR(factor=0.1))
    assert staged[-1] == SetLR(lr=0.005, then="follow", group="rest")


def test_another_schedule_is_staged_and_another_weight_decay_is_sent(advised: AdvisedWindow) -> None:
    driver = advised.driver
    driver.pause_at(tiny(), epoch=2)
    advised.show(SetSchedule(schedule=CosineAnnealingLR(T_max=5)))
    assert advised.staged == [CosineAnnealingLR(T_max=5)]
    assert driver.answers("set_schedule") == []
    advised.show(SetOptimizer(weight_decay=5e-4))
    assert driver.answer("set_optimizer").command["weight_decay"] == 5e-4

"""Advice in the whole window: on the recipe as it is edited, on a run as it trains, and what following it brings."""

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
    """Counts how often the rules were asked."""

    asked = 0

    def show_advice(self, advice: Sequence[Advice]) -> None:
        self.asked += 1
        super().show_advice(advice)


class Told:
    """A window with its advisor, placed and wired as the program does."""

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
    def asked(self) -> int:
        return self.panel.asked

    def show(self, do: Command) -> None:
        """Follow an advice that says ``do``."""
        self.panel.show_advice([Advice("made up", Text("Do this"), Text("Because."), do, Text("It"))])
        self.do("made up")

    def keys(self) -> list[str]:
        return [advice.key for advice in self.panel.shown()]

    def says(self, *keys: str) -> None:
        self.driver.wait(lambda: self.keys() == list(keys))

    def do(self, key: str) -> None:
        (found,) = [advice for advice in self.panel.shown() if advice.key == key]
        self.panel.do_wanted.emit(found)


@pytest.fixture
def told(driver: Driver) -> Told:
    return Told(driver)


def test_the_recipe_is_judged_as_it_is_edited(told: Told) -> None:
    driver = told.driver
    driver.set_up(Recipe(optimizer=Adam(lr=0.05), schedule=CosineAnnealingLR(T_max=5)))
    told.says("first_lr", "t_max_short", "by_task")
    told.do("first_lr")
    told.says("t_max_short", "by_task")
    told.do("t_max_short")
    told.says("by_task")
    told.do("by_task")
    told.says()
    recipe = driver.window.setup.recipe()
    assert recipe is not None
    assert recipe.optimizer == Adam(lr=0.001)
    assert recipe.schedule == StepLR(step_size=10)


def test_the_planned_curve_is_looked_at_too(told: Told) -> None:
    told.driver.set_up(tiny(schedule={"name": "LambdaLR", "lr_lambda": "1 if epoch < 2 else 0"}, epochs=20))
    told.says("zero_early")
    told.driver.set_up(tiny(schedule={"name": "CosineAnnealingLR", "T_max": 5, "interval": "step"}, epochs=20))
    told.says("stepwise", "t_max_short")  # 6 batches an epoch: told from the curve


def dismiss(told: Told, beginning: str) -> None:
    crosses = [b for b in told.panel.findChildren(QToolButton) if b.accessibleName().startswith("Dismiss")]
    (cross,) = [b for b in crosses if b.accessibleName().startswith(f"Dismiss: {beginning}")]
    told.driver.window.show_side(told.driver.window.lr_panel)
    told.driver.qtbot.mouseClick(cross, LEFT)


def test_what_was_dismissed_comes_back_only_for_another_run(told: Told) -> None:
    driver = told.driver
    driver.set_up(tiny(**SLOW))
    told.says("first_lr", "constant")
    dismiss(told, "LR 1e-08")
    told.says("constant")
    driver.stand(tiny(**SLOW), epoch=3)
    told.says("standstill")
    dismiss(told, "The loss barely changes")
    driver.go_on_to(5)
    told.says()
    driver.app.current_run.stop()
    driver.finish()
    driver.set_up(tiny(**SLOW))
    told.says("first_lr", "constant")


def test_a_run_that_crawls_is_said_and_interventions_gets_the_remedy(told: Told) -> None:
    driver = told.driver
    driver.stand(tiny(**SLOW), epoch=3)
    told.says("standstill")
    driver.window.show_side(driver.window.schedule)
    told.do("standstill")
    driver.wait(lambda: driver.lr_field.isVisible())
    assert driver.lr_field.text() == "1e-7"
    assert driver.answers("scale_lr") == driver.answers("set_lr") == []  # staged, not sent
    driver.click(driver.window.lr_panel, "Apply")
    assert driver.answer("set_lr").lr == [1e-07]


def test_the_rules_are_asked_twice_a_second_at_most_however_fast_epochs_are(told: Told) -> None:
    driver = told.driver
    driver.set_up(tiny(epochs=12))
    driver.settle(2 * SETTLE_MS)
    before = told.asked
    began = time.monotonic()
    driver.start()
    driver.finish()
    most = 2 * (time.monotonic() - began) + 4  # and when the run began and ended
    assert len(driver.of("epoch")) == 12
    assert 1 <= told.asked - before <= most
    told.says()  # a run that is over needs none


def test_after_going_back_only_what_still_holds_is_looked_at(told: Told) -> None:
    driver = told.driver
    driver.stand(tiny(**SLOW), epoch=4)
    told.says("standstill")
    driver.app.current_run.post(Rewind(epoch=1))
    told.says()


def test_a_finders_valley_is_remembered(told: Told) -> None:
    driver = told.driver
    driver.stand(tiny(**SLOW), epoch=2)
    told.says()
    nothing = np.empty(0)
    found = RangeTestEvent(
        id=1,
        epoch=2,
        batch=0,
        lr=nothing,
        loss=nothing,
        smoothed=nothing,
        diverged=False,
        suggestions=(Suggestion(kind="steepest", lr=None, text=""), Suggestion(kind="valley", lr=0.02, text="")),
    )
    driver.app.current_run.publish(found)
    told.says("below_suggestion")
    told.do("below_suggestion")
    assert driver.lr_field.text() == "0.02"


def test_a_cut_is_of_the_group_that_interventions_has_chosen(told: Told) -> None:
    driver = told.driver
    driver.stand(tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}]), epoch=2)
    staged: list[object] = []
    driver.window.lr_panel.staged.connect(staged.append)
    told.show(ScaleLR(factor=0.1))
    assert staged == [ScaleLR(factor=0.1)]  # all of them, in proportion
    driver.window.lr_panel.discard()
    driver.click(driver.window.lr_panel, "rest")
    told.show(ScaleLR(factor=0.1))
    assert staged[-1] == SetLR(lr=0.005, then="follow", group="rest")


def test_another_schedule_is_staged_and_another_weight_decay_is_sent(told: Told) -> None:
    driver = told.driver
    driver.stand(tiny(), epoch=2)
    told.show(SetSchedule(schedule=CosineAnnealingLR(T_max=5)))
    assert told.staged == [CosineAnnealingLR(T_max=5)]
    assert driver.answers("set_schedule") == []
    told.show(SetOptimizer(weight_decay=5e-4))
    assert driver.answer("set_optimizer").command["weight_decay"] == 5e-4

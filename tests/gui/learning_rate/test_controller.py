"""Changing the optimizer's values and the run's length during a run, and the schedule fitted to a new length."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from engine.common.position import Position
from engine.messages.commands import SetEpochs, SetLR, SetOptimizer, SetSchedule, Withdraw
from gui.learning_rate.length import LengthRow
from gui.learning_rate.optimizer import GroupOptimizer, OptimizerSection
from gui.run_bar.waiting import PATIENCE_MS
from tests.gui.app_fixture import LEFT, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

HEAD = [{"name": "head", "modules": ["head"], "lr": 0.5}]
SGD = {"weight_decay": 0.0, "momentum": 0.9, "dampening": 0.0, "nesterov": False}
COSINE = {"name": "CosineAnnealingLR", "T_max": 6}


class Section:
    """The unfolded section of an optimizer with a group ``rest`` (and ``head``), and what it emitted."""

    def __init__(
        self,
        qtbot: QtBot,
        kind: str = "SGD",
        values: dict[str, Any] = SGD,
        *,
        cycled_by: str | None = None,
        fold: bool = False,
    ) -> None:
        self.panel = OptimizerSection()
        self.commands: list[Any] = []
        self.panel.command_wanted.connect(self.commands.append)
        qtbot.addWidget(self.panel)
        self.panel.begin(kind)
        self.confirm(values, cycled_by=cycled_by)
        if not fold:
            qtbot.mouseClick(self.panel.head, LEFT)
        self.panel.show()

    def confirm(self, *values: dict[str, Any], cycled_by: str | None = None) -> None:
        names = ("rest", "head")
        self.panel.show_values([GroupOptimizer(n, v, cycled_by) for n, v in zip(names, values, strict=False)])

    def field(self, name: str) -> QLineEdit:
        assert self.panel.form is not None
        found = self.panel.form.editor(name).control()
        assert isinstance(found, QLineEdit)
        return found


def length_row(qtbot: QtBot) -> LengthRow:
    row = LengthRow()
    qtbot.addWidget(row)
    row.show_length(6, 1, 2)
    row.show()
    return row


def type_into(qtbot: QtBot, line: QWidget, text: str, key: Qt.Key | None = None) -> None:
    assert isinstance(line, QLineEdit)
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)
    if key is not None:
        qtbot.keyClick(line, key)


# -- the optimizer


def test_it_is_folded_at_first_and_has_only_the_fields_of_its_optimizer(qtbot: QtBot) -> None:
    section = Section(qtbot, "Adam", {"weight_decay": 0.0, "betas": (0.9, 0.999), "eps": 1e-8}, fold=True)
    assert section.panel.form is None
    assert section.panel.summary.text() == "Adam: betas 0.9, 0.999, weight_decay 0"
    qtbot.mouseClick(section.panel.head, LEFT)
    assert section.panel.form is not None
    assert sorted(section.panel.form._rows) == ["betas", "eps", "weight_decay"]
    assert "Allowed: at least 0, at most 100" in section.field("weight_decay").toolTip()


def test_enter_and_apply_send_what_changed_and_the_confirmed_value_stays(qtbot: QtBot) -> None:
    section = Section(qtbot)
    assert "Type another value above" in section.panel.apply.toolTip()
    type_into(qtbot, section.field("weight_decay"), "0.01")
    assert "weight_decay 0.01" in section.panel.apply.toolTip()
    qtbot.mouseClick(section.panel.apply, LEFT)
    assert section.commands == [SetOptimizer(weight_decay=0.01)]
    assert section.field("weight_decay").text() == "0"  # until an event confirms it
    assert "Sent" in section.panel.note.text()
    section.confirm({**SGD, "weight_decay": 0.01})
    assert section.field("weight_decay").text() == "0.01"
    assert not section.panel.note.isVisible()
    type_into(qtbot, section.field("momentum"), "0.5", Qt.Key.Key_Escape)
    assert section.field("momentum").text() == "0.9"
    type_into(qtbot, section.field("momentum"), "0.8", Qt.Key.Key_Return)
    assert section.commands[1:] == [SetOptimizer(momentum=0.8)]


def test_an_invalid_value_shows_why_beside_the_field(qtbot: QtBot) -> None:
    section = Section(qtbot)
    type_into(qtbot, section.field("momentum"), "1.5", Qt.Key.Key_Return)
    assert section.panel.form is not None
    assert "less than 1" in section.panel.form.note("momentum").full_text()
    assert section.panel.form.note("momentum").is_error()
    assert "A field above is not valid" in section.panel.apply.toolTip()
    assert section.commands == []


def test_groups_that_differ_are_changed_one_by_one(qtbot: QtBot) -> None:
    section = Section(qtbot)
    section.confirm(SGD, {**SGD, "weight_decay": 0.1})
    assert section.panel.summary.text() == "SGD: momentum 0.9, weight_decay differs"
    assert not section.field("weight_decay").isEnabled()
    assert "The groups differ here" in section.field("weight_decay").toolTip()
    section.panel.choose("head")
    assert section.field("weight_decay").text() == "0.1"
    type_into(qtbot, section.field("weight_decay"), "0", Qt.Key.Key_Return)
    assert section.commands == [SetOptimizer(weight_decay=0.0, group="head")]


@pytest.mark.parametrize(
    ("kind", "values", "name"),
    [("SGD", SGD, "momentum"), ("Adam", {"betas": [0.9, 0.999], "weight_decay": 0.0}, "betas")],
)
def test_momentum_that_the_schedule_changes_cannot_be_edited(
    qtbot: QtBot, kind: str, values: dict[str, Any], name: str
) -> None:
    section = Section(qtbot, kind, values, cycled_by="OneCycleLR")
    assert not section.field(name).isEnabled()
    assert "OneCycleLR moves it itself" in section.field(name).toolTip()
    assert section.panel.form is not None
    assert section.panel.form.note(name).full_text() == "moved by the schedule"
    assert section.field("weight_decay").isEnabled()


def test_the_run_rejects_what_its_optimizer_cannot_change(driver: Driver) -> None:
    """RMSprop that began without momentum cannot start using it, which only the run knows."""
    driver.pause_at(tiny(optimizer={"name": "RMSprop", "lr": 0.001}, groups=HEAD), 2, 1)
    section = driver.window.lr_panel.optimizer
    driver.qtbot.mouseClick(section.head, LEFT)
    driver.click(driver.window.lr_panel, "head")
    assert section.form is not None
    decay, momentum = (section.form.editor(name).control() for name in ("weight_decay", "momentum"))
    type_into(driver.qtbot, decay, "0.1", Qt.Key.Key_Return)
    driver.wait(lambda: [v["weight_decay"] for v in driver.of("lr")[-1].optimizer] == [0.0, 0.1])
    assert decay.text() == "0.1"
    type_into(driver.qtbot, momentum, "0.5", Qt.Key.Key_Return)
    driver.wait(lambda: "cannot start using momentum" in section.note.text())
    assert momentum.text() == "0"


# -- the length


def test_a_typed_length_is_sent_and_the_confirmed_one_stays(qtbot: QtBot) -> None:
    length = length_row(qtbot)
    commands: list[Any] = []
    length.command_wanted.connect(commands.append)
    assert (length.field.text(), length.left.text()) == ("6", "5 to go")
    assert not length.set.isEnabled()
    type_into(qtbot, length.field, "9")
    assert "6 -> 9 epochs" in length.note.text()
    qtbot.mouseClick(length.set, LEFT)
    assert commands == [SetEpochs(epochs=9)]
    assert length.field.text() == "6"
    length.show_length(9, 1, 2)
    assert (length.field.text(), length.note.isVisible()) == ("9", False)
    type_into(qtbot, length.field, "3", Qt.Key.Key_Return)
    assert commands[1:] == [SetEpochs(epochs=3)]


@pytest.mark.parametrize(
    ("text", "problem"), [("1", "epoch 2 is reached"), ("2.5", "whole number"), ("0", "at least 1")]
)
def test_an_invalid_length_shows_why(qtbot: QtBot, text: str, problem: str) -> None:
    length = length_row(qtbot)
    commands: list[Any] = []
    length.command_wanted.connect(commands.append)
    type_into(qtbot, length.field, text, Qt.Key.Key_Return)
    assert problem in length.note.text()
    assert problem in length.set.toolTip()
    qtbot.keyClick(length.field, Qt.Key.Key_Escape)
    assert (length.field.text(), length.note.text()) == ("6", "")
    assert commands == []


def test_a_schedule_that_no_longer_fits_is_fitted_and_pending(driver: Driver) -> None:
    driver.pause_at(tiny(schedule=COSINE), 3, 0)
    length, schedule = driver.window.lr_panel.length, driver.window.schedule
    assert not length.fit.isVisible()
    type_into(driver.qtbot, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.fit.isVisible())
    assert "made for 6 epochs" in length.made_for.text()
    driver.click(driver.window.lr_panel, "Fit the schedule to 10 epochs")
    assert schedule.isVisible()
    assert schedule.command() == SetSchedule.model_validate({"schedule": {"name": "CosineAnnealingLR", "T_max": 8}})
    assert driver.answers("set_schedule") == []  # pending, not sent
    driver.click(schedule, "Apply")
    driver.wait(lambda: driver.answers("set_schedule"))
    driver.settle()
    driver.window.show_side(driver.window.lr_panel)
    assert not length.fit.isVisible()


def test_a_cycle_is_offered_as_if_from_epoch_1(driver: Driver) -> None:
    driver.pause_at(tiny(schedule={"name": "OneCycleLR", "max_lr": 0.1}), 3, 0)
    length = driver.window.lr_panel.length
    type_into(driver.qtbot, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.fit.isVisible())
    driver.click(driver.window.lr_panel, "Fit the schedule to 10 epochs")
    command = driver.window.schedule.command()
    assert command is not None
    assert (command.schedule.model_dump()["name"], command.start) == ("OneCycleLR", "replay")


def test_of_groups_that_differ_the_chosen_ones_schedule_is_fitted(driver: Driver) -> None:
    decay = {"name": "PolynomialLR", "total_iters": 6}
    driver.pause_at(tiny(schedule=COSINE, groups=[{**HEAD[0], "schedule": decay}]), 3, 0)
    length = driver.window.lr_panel.length
    type_into(driver.qtbot, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.fit.isVisible())
    assert "of rest was made for 6 epochs" in length.made_for.text()
    driver.click(driver.window.lr_panel, "head")
    assert "of head was made for 6 epochs" in length.made_for.text()
    driver.click(driver.window.lr_panel, "Fit the schedule to 10 epochs")
    fit = {"schedule": {"name": "PolynomialLR", "total_iters": 8}, "group": "head"}
    assert driver.window.schedule.command() == SetSchedule.model_validate(fit)


# -- waiting


def test_a_pause_during_validation_shows_what_it_waits_for(driver: Driver) -> None:
    driver.start(tiny("slow_to_validate"))
    line = driver.window.action_line
    driver.wait(lambda: driver.app.waiting._validating)
    driver.click(driver.window.transport, "Pause")
    driver.wait(lambda: line._waiting.isVisible())
    assert line._waiting.text() == "Pause: waiting for validation to end"
    driver.wait(lambda: driver.shows(driver.window.transport, "validating…"))
    assert driver.shows(driver.window.transport, "Epoch 1/6")
    driver.reach("paused")
    driver.wait(lambda: not line._waiting.isVisible())
    assert line._text.isVisible()
    assert not driver.shows(driver.window.transport, "validating…")


def test_a_command_that_is_applied_at_once_does_not_wait_and_a_withdrawn_one_is_not_rejected(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 1)
    driver.app.current_run.post(SetLR(lr=0.1))
    driver.answer("set_lr")
    driver.settle(PATIENCE_MS + 100)
    assert not driver.window.action_line._waiting.isVisible()
    assert "0.1" in driver.window.action_line._text.text()

    number = driver.app.current_run.post(SetSchedule.model_validate({"schedule": COSINE}), Position(epoch=5))
    driver.app.current_run.post(Withdraw(id=number))
    driver.wait(lambda: driver.answers("set_schedule"))
    assert "Withdrawn: New schedule from here" in driver.window.action_line._text.text()
    assert "Rejected" not in driver.window.action_line._text.text()

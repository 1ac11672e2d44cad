"""The optimizer's values and the run's length in mid-run, what waits, and the schedule fitted to a new length."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from engine.commands import At, SetLR, SetSchedule, Withdraw
from gui.panels.optimizer import OptimizerSection
from gui.waiting import PATIENCE_MS
from tests.gui.app_fixture import LEFT, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

HEAD = [{"name": "head", "modules": ["head"], "lr": 0.5}]
COSINE = {"name": "CosineAnnealingLR", "T_max": 6}


def optimizer(driver: Driver) -> OptimizerSection:
    """The unfolded section."""
    section = driver.window.hand.optimizer
    if not section.head.isChecked():
        driver.qtbot.mouseClick(section.head, LEFT)
    return section


def field(section: OptimizerSection, name: str) -> QLineEdit:
    assert section.form is not None
    found = section.form.editor(name).control()
    assert isinstance(found, QLineEdit)
    return found


def type_into(driver: Driver, line: QLineEdit, text: str, key: Qt.Key | None = None) -> None:
    line.setFocus()
    line.selectAll()
    driver.qtbot.keyClicks(line, text)
    if key is not None:
        driver.qtbot.keyClick(line, key)


def live(driver: Driver) -> list[dict[str, Any]]:
    """The hyperparameters that the newest event confirmed."""
    values: list[dict[str, Any]] = driver.of("rate")[-1].optimizer
    return values


# -- the optimizer


def test_it_is_folded_with_the_values_in_a_line_and_has_only_the_fields_of_its_optimizer(driver: Driver) -> None:
    driver.stand(tiny(optimizer={"name": "Adam", "lr": 0.001}), 2, 1)
    section = driver.window.hand.optimizer
    assert section.form is None
    assert section.summary.text() == "Adam: betas 0.9, 0.999, weight_decay 0"
    optimizer(driver)
    assert section.form is not None
    assert sorted(section.form._rows) == ["betas", "eps", "weight_decay"]
    assert "Allowed: at least 0, at most 100" in field(section, "weight_decay").toolTip()


def test_a_value_is_typed_sent_and_shown_once_it_is_confirmed(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    section = optimizer(driver)
    assert not section.apply.isEnabled()
    assert "Nothing is changed" in section.apply.toolTip()
    decay = field(section, "weight_decay")
    type_into(driver, decay, "0.01")
    assert "weight_decay 0.01" in section.apply.toolTip()
    driver.qtbot.mouseClick(section.apply, LEFT)
    assert decay.text() == "0"  # until an event says otherwise
    driver.wait(lambda: decay.text() == "0.01")
    assert (live(driver)[0]["weight_decay"], live(driver)[0]["momentum"]) == (0.01, 0.9)
    assert driver.answer("set_optimizer").command == {"command": "set_optimizer", "weight_decay": 0.01}


def test_enter_applies_and_escape_drops(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    section = optimizer(driver)
    momentum = field(section, "momentum")
    type_into(driver, momentum, "0.5", Qt.Key.Key_Escape)
    assert momentum.text() == "0.9"
    type_into(driver, momentum, "0.8", Qt.Key.Key_Return)
    driver.wait(lambda: momentum.text() == "0.8")
    assert len(driver.answers("set_optimizer")) == 1


def test_what_is_not_allowed_is_said_beside_the_field(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    section = optimizer(driver)
    assert section.form is not None
    type_into(driver, field(section, "momentum"), "1.5", Qt.Key.Key_Return)
    assert "less than 1" in section.form.note("momentum").said()
    assert section.form.note("momentum").is_error()
    assert "A field above is wrong" in section.apply.toolTip()
    driver.settle()
    assert driver.answers("set_optimizer") == []


def test_a_refusal_of_the_optimizer_is_said_in_the_section(driver: Driver) -> None:
    """RMSprop that began without momentum cannot take it up: only the run knows."""
    driver.stand(tiny(optimizer={"name": "RMSprop", "lr": 0.001}), 2, 1)
    section = optimizer(driver)
    type_into(driver, field(section, "momentum"), "0.5", Qt.Key.Key_Return)
    driver.wait(lambda: "cannot take up momentum" in section.note.text())
    assert field(section, "momentum").text() == "0"


def test_groups_that_differ_are_changed_one_by_one(driver: Driver) -> None:
    driver.stand(tiny(groups=HEAD), 2, 1)
    section = optimizer(driver)
    driver.click(driver.window.hand, "head")
    type_into(driver, field(section, "weight_decay"), "0.1", Qt.Key.Key_Return)
    driver.wait(lambda: [v["weight_decay"] for v in live(driver)] == [0.0, 0.1])
    driver.click(driver.window.hand, "All")
    assert section.summary.text() == "SGD: momentum 0.9, weight_decay differs"
    assert not field(section, "weight_decay").isEnabled()
    assert "The groups differ here" in field(section, "weight_decay").toolTip()
    type_into(driver, field(section, "momentum"), "0.7", Qt.Key.Key_Return)
    driver.wait(lambda: [v["momentum"] for v in live(driver)] == [0.7, 0.7])


@pytest.mark.parametrize(
    ("chosen", "name"), [({"name": "SGD", "lr": 0.05, "momentum": 0.9}, "momentum"), ({"name": "Adam"}, "betas")]
)
def test_momentum_that_a_schedule_moves_is_its_own(driver: Driver, chosen: dict[str, Any], name: str) -> None:
    driver.stand(tiny(optimizer=chosen, schedule={"name": "OneCycleLR", "max_lr": 0.1}), 2, 1)
    section = optimizer(driver)
    assert section.form is not None
    assert not field(section, name).isEnabled()
    assert "OneCycleLR moves it itself" in field(section, name).toolTip()
    assert section.form.note(name).said() == "moved by the schedule"
    assert field(section, "weight_decay").isEnabled()


# -- the length


def test_the_run_is_made_longer_and_shorter(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    length = driver.window.hand.length
    assert (length.field.text(), length.left.text()) == ("6", "5 to go")
    assert not length.set.isEnabled()
    type_into(driver, length.field, "9")
    assert "6 → 9 epochs" in length.note.text()
    driver.qtbot.mouseClick(length.set, LEFT)
    assert length.field.text() == "6"
    driver.wait(lambda: length.field.text() == "9")
    assert driver.of("rate")[-1].epochs == 9
    assert driver.window.transport._place.text() in ("Epoch 2/6", "Epoch 2/9")
    driver.wait(lambda: driver.window.transport._place.text() == "Epoch 2/9")
    type_into(driver, length.field, "3", Qt.Key.Key_Return)
    driver.wait(lambda: length.field.text() == "3")


@pytest.mark.parametrize(
    ("text", "problem"), [("1", "epoch 2 is reached"), ("2.5", "whole number"), ("0", "at least 1")]
)
def test_a_length_that_cannot_be_is_said_beside_the_field(driver: Driver, text: str, problem: str) -> None:
    driver.stand(tiny(), 2, 1)
    length = driver.window.hand.length
    type_into(driver, length.field, text, Qt.Key.Key_Return)
    assert problem in length.note.text()
    assert problem in length.set.toolTip()
    driver.qtbot.keyClick(length.field, Qt.Key.Key_Escape)
    assert (length.field.text(), length.note.text()) == ("6", "")
    driver.settle()
    assert driver.answers("set_epochs") == []


def test_a_schedule_that_no_longer_fits_is_offered_fitted_and_staged(driver: Driver) -> None:
    driver.stand(tiny(schedule=COSINE), 3, 0)
    length, schedule = driver.window.hand.length, driver.window.schedule
    assert not length.fit.isVisible()
    type_into(driver, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.fit.isVisible())
    assert "made for 6 epochs" in length.made_for.text()
    driver.click(driver.window.hand, "Fit the schedule to 10 epochs")
    assert schedule.isVisible()
    assert schedule.command() == SetSchedule.model_validate({"schedule": {"name": "CosineAnnealingLR", "T_max": 8}})
    assert driver.answers("set_schedule") == []  # staged, not sent
    driver.click(schedule, "Apply")
    driver.wait(lambda: driver.answers("set_schedule"))
    driver.settle()
    driver.window.show_side(driver.window.hand)
    assert not length.fit.isVisible()


def test_a_cycle_is_offered_as_if_from_epoch_1(driver: Driver) -> None:
    driver.stand(tiny(schedule={"name": "OneCycleLR", "max_lr": 0.1}), 3, 0)
    length = driver.window.hand.length
    type_into(driver, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.fit.isVisible())
    driver.click(driver.window.hand, "Fit the schedule to 10 epochs")
    command = driver.window.schedule.command()
    assert command is not None
    assert (command.schedule.model_dump()["name"], command.start) == ("OneCycleLR", "replay")


def test_of_groups_that_differ_the_chosen_ones_schedule_is_fitted(driver: Driver) -> None:
    decay = {"name": "PolynomialLR", "total_iters": 6}
    driver.stand(tiny(schedule=COSINE, groups=[{**HEAD[0], "schedule": decay}]), 3, 0)
    length = driver.window.hand.length
    type_into(driver, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.fit.isVisible())
    assert "of rest was made for 6 epochs" in length.made_for.text()
    driver.click(driver.window.hand, "head")
    assert "of head was made for 6 epochs" in length.made_for.text()
    driver.click(driver.window.hand, "Fit the schedule to 10 epochs")
    fit = {"schedule": {"name": "PolynomialLR", "total_iters": 8}, "group": "head"}
    assert driver.window.schedule.command() == SetSchedule.model_validate(fit)


def test_a_schedule_that_knows_no_length_is_left_alone(driver: Driver) -> None:
    driver.stand(tiny(schedule={"name": "ReduceLROnPlateau"}), 3, 0)
    length = driver.window.hand.length
    type_into(driver, length.field, "10", Qt.Key.Key_Return)
    driver.wait(lambda: length.field.text() == "10")
    assert not length.fit.isVisible()


# -- what waits


def test_a_pause_in_the_validation_says_what_it_waits_for(driver: Driver) -> None:
    driver.start(tiny("slowly_judged"))
    line = driver.window.action_line
    driver.wait(lambda: driver.app.waiting._validating)
    driver.click(driver.window.transport, "Pause")
    driver.wait(lambda: line._waiting.isVisible())
    assert line._waiting.text() == "Pause: waits for the validation to end."
    driver.reach("paused")
    driver.wait(lambda: not line._waiting.isVisible())
    assert line._text.isVisible()


def test_what_is_answered_at_once_is_not_said_to_wait(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    driver.app.runs.post(SetLR(lr=0.1))
    driver.answer("set_lr")
    driver.settle(PATIENCE_MS + 100)
    assert not driver.window.action_line._waiting.isVisible()
    assert "0.1" in driver.window.action_line._text.text()


def test_what_was_taken_back_was_not_refused(driver: Driver) -> None:
    driver.start(tiny(epochs=50, model={"name": "small_cnn"}))
    schedule = driver.window.schedule
    driver.wait(lambda: driver.of("steps"))
    driver.window.show_side(schedule)
    number = driver.app.runs.post(SetSchedule.model_validate({"schedule": COSINE}), At(epoch=50))
    driver.settle()
    driver.app.runs.post(Withdraw(id=number))
    driver.wait(lambda: driver.answers("set_schedule"))
    driver.settle()
    assert driver.window.action_line._text.text().count("Taken back: New schedule from here") == 1
    assert "Refused" not in driver.window.action_line._text.text()

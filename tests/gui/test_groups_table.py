"""The table of groups in mid-run, and the optimizer's and the length's fields: real keys and clicks on real runs."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.panels.group_row import GroupRow
from gui.panels.labels import short_count
from tests.gui.app_fixture import LEFT, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

HEAD = [{"name": "head", "modules": ["head"], "lr": 0.5}]


def groups_of(driver: Driver) -> dict[str, GroupRow]:
    return driver.window.hand.table.rows


def stand(driver: Driver, **changes: Any) -> tuple[GroupRow, GroupRow]:
    """A run of the groups rest and head, paused in its second epoch."""
    driver.stand(tiny(**{"groups": HEAD, **changes}), 2, 1)
    driver.settle()
    rest, head = groups_of(driver).values()
    return rest, head


def type_into(driver: Driver, field: QLineEdit, text: str, key: Qt.Key | None = Qt.Key.Key_Return) -> None:
    field.setFocus()
    field.selectAll()
    driver.qtbot.keyClicks(field, text)
    if key is not None:
        driver.qtbot.keyClick(field, key)


def choose(driver: Driver, row: GroupRow, mode: str) -> None:
    """Choose in the row's list by keys, as a person without a mouse does."""
    index = row.mode.findData(mode)
    assert index >= 0
    row.mode.setFocus()
    step = Qt.Key.Key_Down if index > row.mode.currentIndex() else Qt.Key.Key_Up
    for _ in range(abs(index - row.mode.currentIndex())):
        driver.qtbot.keyClick(row.mode, step)


def click_box(driver: Driver, row: GroupRow) -> None:
    driver.qtbot.mouseClick(row.frozen, LEFT, pos=QPoint(8, row.frozen.height() // 2))


def shows(row: QWidget, text: str) -> bool:
    return text in row.note.text() and row.note.isVisibleTo(row)  # type: ignore[attr-defined]


def test_a_row_a_group_says_what_is_in_force(driver: Driver) -> None:
    schedule = {"name": "ExponentialLR", "gamma": 0.5}
    rest, head = stand(driver, groups=[{**HEAD[0], "schedule": schedule, "frozen": True}])
    assert [(r.name, r.lr.text(), r.factor.text()) for r in (rest, head)] == [
        ("rest", "0.05", "×1"),
        ("head", "0.25", "×1"),
    ]
    assert (rest.schedule._full, head.schedule._full) == ("StepLR(step_size=2, gamma=0.5)", "ExponentialLR(gamma=0.5)")
    assert (rest.frozen.isChecked(), head.frozen.isChecked()) == (False, True)
    assert not rest.frozen.isEnabled()
    assert "Nothing would be left" in rest.frozen.toolTip()
    assert head.count.text() == "170 parameters"
    colours = driver.window.plots.rate.group_colors()
    assert [r.dot.colour().name() for r in (rest, head)] == colours


def test_with_one_group_there_is_no_table(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    assert groups_of(driver) == {}
    assert not driver.window.hand.table.isVisible()


def test_a_rate_and_a_factor_are_typed_and_shown_once_they_are_confirmed(driver: Driver) -> None:
    rest, head = stand(driver)
    type_into(driver, head.lr, "0.2", None)
    assert shows(head, "0.5 → 0.2")
    driver.qtbot.keyClick(head.lr, Qt.Key.Key_Return)
    assert head.lr.text() == "0.5"  # until an event says otherwise
    driver.wait(lambda: head.lr.text() == "0.2")
    assert (head.factor.text(), rest.lr.text()) == ("×0.4", "0.05")
    type_into(driver, head.factor, "x0.5")
    driver.wait(lambda: head.factor.text() == "×0.5")
    assert driver.of("rate")[-1].lr == [0.05, 0.25]
    assert not shows(head, "→")


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("lr", "-1", "0 or more"),
        ("lr", "abc", "is not a number"),
        ("factor", "0", "more than 0"),
        ("factor", "1e9", "at most 1,000"),
    ],
)
def test_what_cannot_be_is_said_under_the_row_and_not_sent(driver: Driver, field: str, text: str, problem: str) -> None:
    rest, _ = stand(driver)
    line: QLineEdit = getattr(rest, field)
    before = line.text()
    type_into(driver, line, text)
    assert shows(rest, problem)
    assert line.property("invalid")
    driver.qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == before
    assert not rest.note.isVisible()
    driver.settle()
    assert driver.answers("set_lr") == driver.answers("scale_lr") == []


def test_hold_follow_and_release_by_the_keyboard(driver: Driver) -> None:
    _, head = stand(driver)
    choose(driver, head, "hold")
    driver.wait(lambda: driver.of("rate")[-1].holding == [False, True])
    assert (head.factor.text(), head.factor.placeholderText()) == ("", "held")
    choose(driver, head, "follow")
    driver.wait(lambda: driver.of("rate")[-1].holding == [False, False])
    assert driver.of("rate")[-1].touched == [False, True]
    assert driver.of("rate")[-1].lr == [0.05, 0.5]
    driver.settle()
    choose(driver, head, "plan")
    driver.wait(lambda: driver.of("rate")[-1].touched == [False, False])


def test_a_group_is_frozen_and_trained_again(driver: Driver) -> None:
    rest, head = stand(driver)
    click_box(driver, rest)
    driver.wait(lambda: rest.frozen.isChecked())
    assert driver.of("rate")[-1].frozen == [True, False]
    assert not head.frozen.isEnabled()
    assert driver.answer("freeze").status == "applied"
    click_box(driver, rest)
    driver.wait(lambda: not rest.frozen.isChecked())
    assert head.frozen.isEnabled()


def test_the_schedule_of_a_row_leads_to_the_editor_with_that_group_chosen(driver: Driver) -> None:
    _, head = stand(driver)
    driver.qtbot.mouseClick(head.schedule, LEFT)
    assert driver.window.schedule.isVisible()
    assert driver.window.hand.group() == "head"


def test_a_click_on_a_row_chooses_the_group_for_the_controls_below(driver: Driver) -> None:
    _, head = stand(driver)
    driver.qtbot.mouseClick(head, LEFT, pos=QPoint(3, 3))
    assert driver.window.hand.group() == "head"
    assert head.property("chosen")
    driver.qtbot.mouseClick(head, LEFT, pos=QPoint(3, 3))
    assert driver.window.hand.group() is None


def test_a_plan_stepped_per_batch_moves_the_numbers_while_it_trains(driver: Driver) -> None:
    falling = {"name": "LinearLR", "start_factor": 1.0, "end_factor": 0.1, "total_iters": 30, "interval": "step"}
    rest, _ = stand(driver, groups=[{**HEAD[0]}], schedule=falling)
    assert driver.app.session.progress.position == (2, 1)
    assert float(rest.lr.text()) == pytest.approx(0.05 * (1 - 0.9 * 7 / 30), rel=1e-3)  # where the pause is


def test_after_the_end_nothing_can_be_done_and_every_tooltip_says_why(driver: Driver) -> None:
    rest, head = stand(driver)
    driver.click(driver.window.transport, "Finish now")
    driver.finish()
    controls = (rest.lr, rest.factor, rest.mode, head.schedule, head.frozen, driver.window.hand.length.field)
    assert [c.isEnabled() for c in controls] == [False] * 6
    assert all("The run has ended" in c.toolTip() for c in controls)


def test_a_new_run_begins_without_the_old_ones_groups(driver: Driver) -> None:
    stand(driver)
    driver.window.new.trigger()
    driver.wait(lambda: not driver.app.runs.active)
    driver.wait(lambda: groups_of(driver) == {})
    assert not driver.window.hand.length.isVisibleTo(driver.window.hand)
    assert driver.number == "–"


@pytest.mark.parametrize(("n", "text"), [(640, "640"), (21_800, "21.8k"), (11_181_642, "11.2M"), (999_999, "1M")])
def test_numbers_of_parameters_for_a_glance(n: int, text: str) -> None:
    assert short_count(n) == text

"""The table of groups during a run: keys and mouse, and the commands that they give."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from engine.common.position import Position
from engine.lr.view import schedule_views
from engine.messages.commands import Freeze, ScaleLR, SetLR, Unfreeze
from engine.messages.events import LREvent
from engine.messages.schedule_view import ControlState
from engine.schedules import ExponentialLR, StepLR
from gui.learning_rate.group_row import GroupRow
from gui.learning_rate.groups_table import GroupsTable
from gui.widgets.labels import short_count
from tests.engine.raw_torch import control
from tests.gui.app_fixture import LEFT, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

STEP = StepLR(step_size=2, gamma=0.5)
DECAY = ExponentialLR(gamma=0.5)


def lrs(**changes: Any) -> LREvent:
    """What a run of the groups rest and head confirms; ``schedules`` are their specs."""
    schedules = changes.pop("schedules", [STEP, DECAY])
    given: dict[str, Any] = {
        "epoch": 2,
        "batch": 1,
        "epochs": 6,
        "groups": ["rest", "head"],
        "lr": [0.05, 0.5],
        "steps_per_epoch": 3,
        "scheduled": [0.05, 0.5],
        "holding": [False, False],
        "touched": [False, False],
        "frozen": [False, False],
        "schedules": tuple(schedule_views(control(spec), Position(epoch=2, batch=1))[0] for spec in schedules),
        "control": ControlState({}),
    }
    return LREvent(**given | changes)


class Table:
    """The table of two groups, and what it emitted."""

    def __init__(self, qtbot: QtBot) -> None:
        self.panel, self.qtbot = GroupsTable(), qtbot
        self.commands: list[Any] = []
        self.panel.command_wanted.connect(self.commands.append)
        qtbot.addWidget(self.panel)
        self.panel.begin(["rest", "head"], [21_800, 170])
        self.panel.show_lrs(lrs())
        self.panel.resize(290, 300)
        self.panel.show()

    @property
    def rest(self) -> GroupRow:
        return self.panel.rows["rest"]

    @property
    def head(self) -> GroupRow:
        return self.panel.rows["head"]

    def type(self, line: QLineEdit, text: str, key: Qt.Key | None = Qt.Key.Key_Return) -> None:
        line.setFocus()
        line.selectAll()
        self.qtbot.keyClicks(line, text)
        if key is not None:
            self.qtbot.keyClick(line, key)

    def choose(self, row: GroupRow, mode: str) -> None:
        """Choose in the row's list by keys."""
        steps = row.mode.findData(mode) - row.mode.currentIndex()
        self.qtbot.keyClick(row.mode, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)

    def click_box(self, row: GroupRow) -> None:
        self.qtbot.mouseClick(row.frozen, LEFT, pos=QPoint(8, row.frozen.height() // 2))


@pytest.fixture
def table(qtbot: QtBot) -> Table:
    return Table(qtbot)


def test_each_row_shows_the_current_lr_and_schedule_of_its_group(table: Table) -> None:
    table.panel.show_lrs(lrs(lr=[0.05, 0.25], touched=[False, True], frozen=[False, True]))
    table.panel.set_colours(["#112233", "#445566"])
    rest, head = table.rest, table.head
    assert [(r.name, r.lr.text(), r.factor.text()) for r in (rest, head)] == [
        ("rest", "0.05", "×1"),
        ("head", "0.25", "×0.5"),
    ]
    assert [r.mode.currentText() for r in (rest, head)] == ["Scheduled", "Follow"]
    assert "StepLR(step_size=2, gamma=0.5)" in rest.schedule.toolTip()
    assert head.schedule.text().startswith("Exponential")
    assert [r.frozen.isChecked() for r in (rest, head)] == [False, True]
    assert [r.count.text() for r in (rest, head)] == ["21.8k parameters", "170 parameters"]
    assert [r.dot.color().name() for r in (rest, head)] == ["#112233", "#445566"]


def test_with_one_group_there_is_no_table(table: Table) -> None:
    table.panel.begin(["all"], [100])
    assert table.panel.rows == {}
    assert not table.panel.isVisible()


def test_a_typed_lr_is_sent_by_enter_and_the_confirmed_one_stays(table: Table) -> None:
    table.type(table.head.lr, "0.2", None)
    assert table.head.note.text().startswith("0.5 -> 0.2")
    assert table.commands == []
    table.panel.show_lrs(lrs(lr=[0.05, 0.4]))
    assert table.head.lr.text() == "0.2"  # what is typed is not overwritten
    table.qtbot.keyClick(table.head.lr, Qt.Key.Key_Return)
    assert table.commands == [SetLR(lr=0.2, group="head")]
    assert table.head.lr.text() == "0.4"  # until an event says otherwise
    assert not table.head.note.isVisible()


@pytest.mark.parametrize(
    ("now", "command"),
    [
        ({}, ScaleLR(factor=0.5, then="follow", group="head")),
        ({"lr": [0.05, 0.125], "touched": [False, True]}, ScaleLR(factor=2.0, then="follow", group="head")),
        ({"lr": [0.05, 0.3], "holding": [False, True]}, SetLR(lr=0.25, then="follow", group="head")),
    ],
    ids=["on the schedule", "at x0.25 of it", "held"],
)
def test_a_factor_scales_the_scheduled_lr_whatever_the_current_lr_is(
    table: Table, now: dict[str, Any], command: Any
) -> None:
    table.panel.show_lrs(lrs(**now))
    table.type(table.head.factor, "x0.5")
    assert table.commands == [command]


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("lr", "-1", "0 or more"),
        ("lr", "abc", "is not a number"),
        ("factor", "0", "more than 0"),
        ("factor", "1e9", "at most 1,000,000"),
        ("factor", "half", "is not a number"),
    ],
)
def test_an_invalid_value_shows_why_and_is_not_sent(table: Table, field: str, text: str, problem: str) -> None:
    line: QLineEdit = getattr(table.rest, field)
    before = line.text()
    table.type(line, text)
    assert problem in table.rest.note.text()
    assert table.rest.note.isVisible()
    assert line.property("invalid")
    table.qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == before
    assert not table.rest.note.isVisible()
    assert table.commands == []


@pytest.mark.parametrize(
    ("now", "mode"),
    [
        ({}, "hold"),
        ({"holding": [False, True], "touched": [False, True]}, "follow"),
        ({"touched": [False, True]}, "release"),
    ],
    ids=["hold", "follow", "release"],
)
def test_hold_follow_and_release_by_the_keyboard_ask_for_a_pending_change(
    table: Table, now: dict[str, Any], mode: str
) -> None:
    changes: list[tuple[str, str]] = []
    table.panel.change_wanted.connect(lambda name, change: changes.append((name, change)))
    table.panel.show_lrs(lrs(**now))
    before = table.head.mode.currentData()
    table.choose(table.head, mode)
    assert (changes, table.commands) == ([("head", mode)], [])
    assert table.head.mode.currentData() == before  # until an event confirms it


def test_a_group_is_frozen_and_trained_again_but_never_the_last_one(table: Table) -> None:
    table.click_box(table.rest)
    assert table.commands == [Freeze(group="rest")]
    assert not table.rest.frozen.isChecked()
    table.panel.show_lrs(lrs(frozen=[True, False]))
    assert table.rest.frozen.isChecked()
    assert not table.head.frozen.isEnabled()
    assert "At least one group must be trained" in table.head.frozen.toolTip()
    table.click_box(table.rest)
    assert table.commands[1:] == [Unfreeze(group="rest")]


def test_a_scheduled_lr_of_0_has_no_factor_and_the_tooltip_says_why(table: Table) -> None:
    table.panel.show_lrs(lrs(scheduled=[0.05, 0.0], lr=[0.05, 0.1], holding=[False, True]))
    assert not table.head.factor.isEnabled()
    assert "The scheduled LR is 0 here" in table.head.factor.toolTip()


def test_tab_reaches_every_control_in_order(table: Table) -> None:
    row = table.rest
    row.frozen.setFocus()
    order = []
    for _ in range(5):
        order.append(table.panel.focusWidget())
        table.qtbot.keyClick(order[-1], Qt.Key.Key_Tab)
    assert order == [row.frozen, row.lr, row.factor, row.mode, row.schedule]
    assert table.panel.focusWidget() is table.head.frozen
    assert all(widget.toolTip() and widget.accessibleName() for widget in order)


def test_disabled_controls_say_why_in_their_tooltips(table: Table) -> None:
    table.type(table.rest.lr, "0.1", None)
    table.panel.set_enabled_because("The run has ended.")
    assert table.rest.lr.text() == "0.05"
    for row in (table.rest, table.head):
        for field in (row.lr, row.factor, row.mode, row.schedule, row.frozen):
            assert not field.isEnabled()
            assert "The run has ended" in field.toolTip()


@pytest.mark.parametrize(("n", "text"), [(640, "640"), (21_800, "21.8k"), (11_181_642, "11.2M"), (999_999, "1M")])
def test_numbers_of_parameters_are_shortened(n: int, text: str) -> None:
    assert short_count(n) == text


# -- in the window, on a real run


def test_during_a_run_the_rows_send_commands_and_show_what_events_confirm(driver: Driver) -> None:
    driver.pause_at(tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}]), 2, 1)
    driver.settle()
    lr_panel = driver.window.lr_panel
    rest, head = lr_panel.table.rows.values()
    assert [r.dot.color().name() for r in (rest, head)] == driver.window.plots.lr.group_colors()
    head.lr.setFocus()
    head.lr.selectAll()
    driver.qtbot.keyClicks(head.lr, "0.2")
    driver.qtbot.keyClick(head.lr, Qt.Key.Key_Return)
    driver.wait(lambda: head.lr.text() == "0.2")
    assert (head.factor.text(), rest.lr.text()) == ("×0.4", "0.05")
    driver.qtbot.keyClicks(head.lr, "9")
    assert head.lr.text() == "9"  # what was confirmed is selected
    driver.qtbot.keyClick(head.lr, Qt.Key.Key_Escape)
    assert (head.lr.text(), head.note.isVisible()) == ("0.2", False)
    driver.qtbot.mouseClick(rest.frozen, LEFT, pos=QPoint(8, rest.frozen.height() // 2))
    driver.wait(lambda: rest.frozen.isChecked())
    assert driver.answer("freeze").status == "applied"
    assert driver.of("lr")[-1].frozen == [True, False]
    driver.qtbot.mouseClick(
        head, LEFT, pos=QPoint(3, 3)
    )  # a click beside the fields chooses the group, another one all groups
    assert (lr_panel.group(), head.property("chosen")) == ("head", True)
    driver.qtbot.mouseClick(head, LEFT, pos=QPoint(3, 3))
    assert lr_panel.group() is None
    driver.qtbot.mouseClick(head.schedule, LEFT)
    assert driver.window.schedule.isVisible()
    assert (lr_panel.group(), driver.window.schedule.group()) == ("head", "head")
    driver.window.new.trigger()
    driver.wait(lambda: not driver.app.current_run.active)
    driver.wait(lambda: not lr_panel.table.rows)
    assert not lr_panel.length.isVisibleTo(lr_panel)
    assert driver.number == "–"


def test_a_group_is_held_and_returned_to_its_schedule_from_its_row_after_a_preview(driver: Driver) -> None:
    driver.pause_at(tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}]), 2, 1)
    lr_panel, pending = driver.window.lr_panel, driver.window.plots.lr.pending
    head = lr_panel.table.rows["head"]
    driver.press(Qt.Key.Key_Down, head.mode)
    driver.wait(lambda: pending.known)
    assert (lr_panel.group(), driver.answers("set_lr")) == ("head", [])
    assert {pending.at(1, x) for x in (2.0, 4.0)} == {0.5}
    driver.click(lr_panel, "Apply")
    driver.wait(lambda: head.mode.currentText() == "Hold")
    driver.resume_to(4)
    driver.press(Qt.Key.Key_Home, head.mode)
    driver.wait(lambda: pending.known)
    assert [pending.at(group, 3.0) for group in (0, 1)] == [0.025, 0.25]
    assert driver.answers("release_lr") == []
    driver.click(lr_panel, "Apply")
    assert driver.answer("release_lr").command == {"command": "release_lr", "group": "head"}
    driver.wait(lambda: head.mode.currentText() == "Scheduled")


def test_a_schedule_stepped_per_batch_changes_the_shown_lr_within_an_epoch(driver: Driver) -> None:
    falling = {"name": "LinearLR", "start_factor": 1.0, "end_factor": 0.1, "total_iters": 30, "interval": "step"}
    driver.pause_at(tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}], schedule=falling), 2, 1)
    rest = driver.window.lr_panel.table.rows["rest"]
    driver.wait(lambda: rest.lr.text() != "0.041")
    assert float(rest.lr.text()) == pytest.approx(0.05 * (1 - 0.9 * 7 / 30), rel=1e-3)  # at the pause
    assert rest.factor.text() == "×1"

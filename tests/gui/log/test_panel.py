"""The log and the action line: commands as text, and restoring the LR or going back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QTableView
from pytestqt.qtbot import QtBot

from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import SetLR
from engine.messages.events import (
    WITHDRAWN,
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    Event,
    SavedEvent,
    ScheduleEvent,
    StateEvent,
    WarningEvent,
)
from gui.log.model import NOTE, TEXT, LogModel, entry_of
from gui.log.panel import LogPanel
from gui.run_bar.action_line import ActionLine
from gui.widgets.intervention_text import command_text, restore_lr_commands

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # a warning of the offscreen platform

NOON = datetime(2025, 11, 12, 12, 0, 5)
LEFT = Qt.MouseButton.LeftButton


def intervention(command: dict[str, Any], **kwargs: Any) -> CommandEvent:
    values: dict[str, Any] = {"id": 1, "status": "applied", "epoch": 7, "batch": 12, "lr": [0.005], "lr_before": [0.01]}
    return CommandEvent(command=command, **(values | kwargs))


HALVED = intervention({"command": "scale_lr", "factor": 0.5, "then": "keep"})


@pytest.fixture
def log(qtbot: QtBot) -> LogPanel:
    panel = LogPanel(limit=100)
    qtbot.addWidget(panel)
    panel.resize(700, 220)
    panel.show_groups(["all"])
    panel.show()
    return panel


def table(log: LogPanel) -> QTableView:
    return log.findChild(QTableView)


def button(widget: Any, text: str) -> QPushButton:
    (found,) = [b for b in widget.findChildren(QPushButton) if b.text() == text]
    return found


def click_row(log: LogPanel, row: int, qtbot: QtBot) -> None:
    view = table(log)
    view.scrollTo(log.model().index(row, TEXT))
    at = view.visualRect(log.model().index(row, TEXT)).center()
    qtbot.mouseClick(view.viewport(), LEFT, pos=QPoint(view.columnViewportPosition(TEXT) + 30, at.y()))


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ({"command": "set_lr", "lr": 0.005, "then": "follow"}, "Lower LR: 0.01 -> 0.005, scaling the schedule"),
        ({"command": "set_lr", "lr": 0.005, "then": "hold"}, "Hold LR at 0.005"),
        ({"command": "set_lr", "lr": 0.005, "then": "keep", "group": "head"}, "Lower LR of head: 0.01 -> 0.005"),
        ({"command": "scale_lr", "factor": 0.5, "then": "keep"}, "Lower LR: 0.01 -> 0.005"),
        ({"command": "scale_lr", "factor": 0.5, "then": "hold"}, "Lower LR: 0.01 -> 0.005, held"),
        ({"command": "release_lr"}, "Return to schedule: 0.01 -> 0.005"),
        ({"command": "release_lr", "group": "head"}, "Return head to schedule: 0.01 -> 0.005"),
        (
            {"command": "set_schedule", "schedule": {"name": "CosineAnnealingLR", "T_max": 18, "eta_min": 0.0}},
            "New schedule from here: CosineAnnealingLR(T_max=18, eta_min=0)",
        ),
        (
            {
                "command": "set_schedule",
                "start": "replay",
                "group": "head",
                "schedule": {"interval": "epoch", "name": "MultiStepLR", "milestones": [15, 30], "gamma": 0.1},
            },
            "New schedule, as if from epoch 1: MultiStepLR(milestones=[15, 30], gamma=0.1), for head",
        ),
        (
            {"command": "set_schedule", "schedule": {"name": "StepLR", "step_size": 9, "interval": "step"}},
            "New schedule from here: StepLR(step_size=9, interval='step')",
        ),
        (
            {"command": "set_optimizer", "weight_decay": 0.0005, "momentum": None},
            "Change optimizer: weight_decay=0.0005",
        ),
        ({"command": "freeze", "group": "rest"}, "Freeze rest"),
        ({"command": "unfreeze", "group": "rest"}, "Unfreeze rest"),
        ({"command": "set_epochs", "epochs": 40}, "Set epochs to 40"),
        ({"command": "save", "path": "here.tiller"}, "Save checkpoint as here.tiller"),
        ({"command": "save"}, "Save checkpoint"),
        ({"command": "rewind", "epoch": 5}, "Go back to the end of epoch 5"),
        ({"command": "rewind", "epoch": 5, "batch": 3}, "Go back to epoch 6, batch 3"),
        ({"command": "rewind", "epoch": 0}, "Go back to the start"),
        ({"command": "note", "text": "loss {spikes}"}, "Note: loss {spikes}"),
        ({"command": "stop"}, "Stop"),
    ],
)
def test_the_text_of_a_command(command: dict[str, Any], text: str) -> None:
    assert command_text(intervention(command)) == text


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ({"command": "set_lr", "lr": 0.05}, "Set LR to 0.05"),
        (
            {"command": "set_lr", "lr": 0.05, "then": "follow", "group": "head"},
            "Set LR of head to 0.05, scaling the schedule",
        ),
        ({"command": "set_lr", "lr": 0.05, "then": "hold"}, "Hold LR at 0.05"),
        ({"command": "scale_lr", "factor": 0.5}, "Multiply LR by 0.5"),
        ({"command": "scale_lr", "factor": 0.5, "then": "hold"}, "Multiply LR by 0.5, held"),
        ({"command": "release_lr"}, "Return to schedule"),
    ],
)
def test_a_queued_command_shows_its_values_and_when_it_applies(command: dict[str, Any], text: str) -> None:
    queued = intervention(command, status="queued", lr=[], lr_before=[])
    assert command_text(queued) == f"{text} (at the next batch)"


def test_a_rejected_command_shows_the_reason() -> None:
    reason = Text("the scheduled LR of {group} is 0 here", group="all")
    command = {"command": "set_lr", "lr": 0.05, "then": "follow"}
    rejected = intervention(command, status="rejected", reason=reason, lr=[0.0], lr_before=[0.0])
    assert command_text(rejected) == (
        "Rejected: Set LR to 0.05, scaling the schedule (the scheduled LR of all is 0 here)"
    )


def test_a_withdrawn_command_is_not_shown_as_rejected() -> None:
    back = intervention({"command": "set_lr", "lr": 0.05}, status="rejected", reason=WITHDRAWN, lr=[], lr_before=[])
    assert command_text(back) == "Withdrawn: Set LR to 0.05"
    entry = entry_of(back)
    assert entry is not None
    assert entry.kind == "intervention"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([0.01, 0.01, 0.1], [0.005, 0.005, 0.05], "Lower LR: 0.01 -> 0.005, 0.1 -> 0.05"),
        ([0.01, 0.1], [0.02, 0.2], "Raise LR: 0.01 -> 0.02, 0.1 -> 0.2"),
        ([0.01, 0.1], [0.02, 0.02], "Change LR: 0.01 -> 0.02, 0.1 -> 0.02"),
        ([1.0, 2.0, 3.0, 4.0], [0.5, 1.0, 1.5, 2.0], "Lower LR: 1 -> 0.5, 2 -> 1, 3 -> 1.5, …"),
    ],
)
def test_several_groups_show_each_change_once(before: list[float], after: list[float], text: str) -> None:
    assert command_text(intervention({"command": "scale_lr"}, lr_before=before, lr=after)) == text


@pytest.mark.parametrize(
    ("command", "then"),
    [
        ({"command": "scale_lr", "factor": 0.5, "then": "keep"}, "keep"),
        ({"command": "set_lr", "lr": 0.005, "then": "hold"}, "follow"),
        ({"command": "release_lr"}, "follow"),
    ],
)
def test_restoring_sets_the_lr_from_before(command: dict[str, Any], then: Any) -> None:
    assert restore_lr_commands(intervention(command), ["all"]) == (SetLR(lr=0.01, then=then),)


def test_restoring_sets_only_the_groups_whose_lr_changed() -> None:
    event = intervention(
        {"command": "scale_lr", "factor": 0.5, "group": "head"}, lr_before=[0.01, 0.1], lr=[0.01, 0.05]
    )
    assert restore_lr_commands(event, ["rest", "head"]) == (SetLR(lr=0.1, then="keep", group="head"),)


@pytest.mark.parametrize(
    "event",
    [
        intervention({"command": "scale_lr", "factor": 0.5}, status="rejected"),
        intervention({"command": "scale_lr", "factor": 0.5}, lr=[0.01]),
        intervention({"command": "scale_lr", "factor": 0.5}, lr=[], lr_before=[]),
        intervention({"command": "set_schedule", "schedule": {"name": "Constant"}}),
        intervention({"command": "save"}),
    ],
)
def test_nothing_is_restored_if_no_lr_was_changed(event: CommandEvent) -> None:
    assert restore_lr_commands(event, ["all"]) == ()


EVENTS: list[tuple[Event, str, str]] = [
    (HALVED, "intervention", "Lower LR: "),
    (intervention({"command": "save"}, status="rejected", reason="disk full"), "warning", "disk full"),
    (intervention({"command": "release_lr"}, warning="it rises to 0.2"), "intervention", "Note: it rises to 0.2"),
    (
        ScheduleEvent(epoch=5, batch=0, group="all", schedule="StepLR", old=0.1, new=0.01, text="StepLR 0.1 -> 0.01"),
        "schedule",
        "StepLR 0.1 -> 0.01",
    ),
    (SavedEvent(path="/x/a.tiller", kind="asked", epoch=1, batch=0), "saved", "/x/a.tiller"),
    (SavedEvent(path="/x/b", kind="stop", epoch=1, batch=0), "saved", "where the run was stopped"),
    (WarningEvent(text="2 threads, not 4"), "warning", "2 threads"),
    (DivergedEvent(epoch=1, batch=2, text="not finite", back=Position(epoch=1)), "warning", "not finite"),
    (StateEvent(state="paused", epoch=1, batch=2), "state", "Paused"),
    (BranchEvent(run="b2", parent="a1", epoch=3, batch=0), "state", "Branched at epoch 3, batch 0"),
    (EndEvent(reason="finished", epoch=30), "state", "Finished"),
    (EndEvent(reason="failed", epoch=3, text="out of memory"), "warning", "out of memory"),
]


@pytest.mark.parametrize(("event", "kind", "part"), EVENTS)
def test_each_event_has_its_line(event: Event, kind: str, part: str) -> None:
    entry = entry_of(event, NOON)
    assert entry is not None
    assert (entry.kind, part in entry.text) == (kind, True)


def test_a_queued_command_has_no_line_yet() -> None:
    assert entry_of(intervention({"command": "save"}, status="queued")) is None


@pytest.mark.parametrize("kind", ["epoch", "before"])
def test_automatic_checkpoints_have_no_line(kind: Any) -> None:
    assert entry_of(SavedEvent(path="/x/b", kind=kind, epoch=1, batch=0)) is None


def test_a_row_shows_time_position_and_text(log: LogPanel) -> None:
    log.add(HALVED, NOON)
    cells = [log.model().data(log.model().index(0, column)) for column in range(3)]
    assert cells == ["12:00:05", "7.12", "Lower LR: 0.01 -> 0.005"]


def test_the_oldest_lines_are_removed_and_their_number_is_shown(log: LogPanel) -> None:
    ids = [log.add(WarningEvent(text=f"line {i}"), NOON) for i in range(101)]
    model = log.model()
    assert model.rowCount() == 91
    assert model.entry(0).text == "Line 10"
    assert model.row_of(ids[3]) is None
    assert model.entry(model.row_of(ids[100])).text == "Line 100"
    assert any("keeps 100 lines; the oldest 10" in w.text() for w in log.findChildren(QLabel) if w.isVisible())
    log.select(ids[3])  # removed: nothing happens
    assert not table(log).selectionModel().hasSelection()


def test_the_model_keeps_qt_s_rules(qtmodeltester: Any) -> None:
    model = LogModel(limit=3)
    for i in range(5):
        entry = entry_of(WarningEvent(text=str(i)), NOON)
        assert entry is not None
        model.append(entry)
    qtmodeltester.check(model)


def test_the_log_scrolls_to_the_newest_line_unless_it_was_scrolled_up(log: LogPanel, qtbot: QtBot) -> None:
    for i in range(60):
        log.add(WarningEvent(text=str(i)), NOON)
    qtbot.wait(1)
    bar = table(log).verticalScrollBar()
    log.add(WarningEvent(text="last"), NOON)
    qtbot.wait(1)
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    log.add(WarningEvent(text="more"), NOON)
    qtbot.wait(1)
    assert bar.value() == 0


def test_the_lr_from_before_a_selected_intervention_can_be_restored(log: LogPanel, qtbot: QtBot) -> None:
    wanted: list[CommandEvent] = []
    log.restore_lr.connect(wanted.append)
    log.add(WarningEvent(text="hot"), NOON)
    log.add(HALVED, NOON)
    back = button(log, "Restore LR")
    assert not back.isEnabled()
    click_row(log, 0, qtbot)
    assert not back.isEnabled()
    click_row(log, 1, qtbot)
    qtbot.mouseClick(back, LEFT)
    assert wanted == [HALVED]


def test_selecting_a_line_emits_its_id_but_selecting_it_from_code_does_not(log: LogPanel, qtbot: QtBot) -> None:
    emitted: list[int] = []
    log.selected.connect(emitted.append)
    ids = [log.add(HALVED, NOON), log.add(HALVED, None)]
    click_row(log, 1, qtbot)
    assert emitted == [ids[1]]
    log.select(ids[0])
    assert emitted == [ids[1]]
    assert [i.row() for i in table(log).selectionModel().selectedRows()] == [0]


def test_lines_are_copied_by_key_and_by_menu(log: LogPanel, qtbot: QtBot) -> None:
    log.add(HALVED, NOON)
    log.add(WarningEvent(text="two\nlines"), NOON)
    table(log).selectAll()
    expected = "12:00:05\t7.12\tLower LR: 0.01 -> 0.005\n12:00:05\t\tTwo lines"
    table(log).setFocus()
    qtbot.keyClick(table(log), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == expected
    QGuiApplication.clipboard().clear()
    table(log).customContextMenuRequested.emit(QPoint(5, 5))
    menu = log.findChild(QMenu)
    copy = next(a for a in menu.actions() if a.text() == "Copy")
    copy.trigger()
    menu.close()
    assert QGuiApplication.clipboard().text() == expected


@pytest.mark.parametrize("width", [400, 900, 1400])
def test_what_happened_can_be_read_at_every_width_and_fills_a_wide_log(log: LogPanel, width: int) -> None:
    log.resize(width, 220)
    log.add(HALVED, NOON)
    shown = table(log)
    needed = shown.fontMetrics().horizontalAdvance("Lower LR: 0.01 -> 0.005")
    assert shown.columnWidth(TEXT) > needed
    shown.setColumnWidth(NOTE, 30)
    columns = sum(shown.columnWidth(column) for column in range(5))
    assert columns == shown.viewport().width() or width == 400


def test_an_empty_log_has_a_placeholder(log: LogPanel) -> None:
    assert any("are listed here" in w.text() for w in log.findChildren(QLabel) if w.isVisible())
    log.add(HALVED, NOON)
    assert not any("are listed here" in w.text() for w in log.findChildren(QLabel) if w.isVisible())
    log.clear()
    assert log.model().rowCount() == 0


def test_the_action_line_offers_to_restore_the_lr_or_go_back(qtbot: QtBot) -> None:
    line = ActionLine()
    qtbot.addWidget(line)
    line.show()
    back: list[tuple[str, CommandEvent]] = []
    line.restore_lr.connect(lambda event: back.append(("put", event)))
    line.go_back.connect(lambda event: back.append(("go", event)))
    put, go = button(line, "Restore LR"), button(line, "Go back…")
    assert not put.isVisible()
    line.show_action(HALVED, ["all"])
    assert (put.isVisible(), go.isVisible()) == (True, False)
    assert "Set the LR to 0.01" in put.toolTip()
    assert line.findChild(QLabel).text() == "Epoch 7, batch 12: Lower LR: 0.01 -> 0.005"
    line.show_action(HALVED, ["all"], can_go_back=True)
    qtbot.mouseClick(put, LEFT)
    qtbot.mouseClick(go, LEFT)
    assert back == [("put", HALVED), ("go", HALVED)]
    line.show_action(intervention({"command": "note", "text": "<b>hi</b>"}), ["all"])
    assert not put.isVisible()
    assert "&lt;b&gt;" in line.findChild(QLabel).toolTip()

"""The log and the latest-action line: acts in plain words, and the way back from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QTableView
from pytestqt.qtbot import QtBot

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
from gui.log.model import TEXT, LogModel, entry_of
from gui.log.panel import LogPanel
from gui.run_bar.action_line import ActionLine
from gui.widgets.intervention_text import describe, restore_lr_commands

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

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
    ("command", "says"),
    [
        ({"command": "set_lr", "lr": 0.05, "then": "follow"}, "Set the LR to 0.05, keeping the curve's shape"),
        ({"command": "set_lr", "lr": 5e-5, "then": "hold"}, "Set the LR to 5e-5 and keep it there"),
        ({"command": "set_lr", "lr": 0.05, "then": "keep", "group": "head"}, "Set the LR of head to 0.05"),
        ({"command": "scale_lr", "factor": 0.5, "then": "keep"}, "LR ×0.5: 0.01 → 0.005"),
        ({"command": "scale_lr", "factor": 0.5, "then": "hold"}, "LR ×0.5: 0.01 → 0.005, kept there"),
        ({"command": "release_lr"}, "LR back to plan: 0.01 → 0.005"),
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
        ({"command": "set_optimizer", "weight_decay": 0.0005, "momentum": None}, "Optimizer: weight_decay=0.0005"),
        ({"command": "freeze", "group": "rest"}, "Freeze rest"),
        ({"command": "unfreeze", "group": "rest"}, "Train rest again"),
        ({"command": "set_epochs", "epochs": 40}, "Train for 40 epochs in all"),
        ({"command": "save", "path": "here.tiller"}, "Save a checkpoint as here.tiller"),
        ({"command": "save"}, "Save a checkpoint"),
        ({"command": "rewind", "epoch": 5}, "Go back to the end of epoch 5, in a new branch"),
        ({"command": "rewind", "epoch": 5, "batch": 3}, "Go back to epoch 6, batch 3, in a new branch"),
        ({"command": "rewind", "epoch": 0}, "Go back to the start, in a new branch"),
        ({"command": "note", "text": "loss {spikes}"}, "Note: loss {spikes}"),
        ({"command": "stop"}, "Save and end the run"),
    ],
)
def test_interventions_in_plain_words(command: dict[str, Any], says: str) -> None:
    assert describe(intervention(command)) == says


def test_a_refusal_says_why() -> None:
    reason = Text("the plan of {group} is 0 here", group="all")
    refused = intervention({"command": "set_lr", "lr": 0.05, "then": "follow"}, status="rejected", reason=reason)
    assert describe(refused) == "Refused: Set the LR to 0.05, keeping the curve's shape (the plan of all is 0 here)"


def test_what_the_person_took_back_is_no_refusal() -> None:
    back = intervention({"command": "set_lr", "lr": 0.05}, status="rejected", reason=WITHDRAWN)
    assert describe(back) == "Taken back: Set the LR to 0.05"
    entry = entry_of(back)
    assert entry is not None
    assert entry.kind == "intervention"


def test_a_queued_intervention_says_when() -> None:
    queued = intervention({"command": "release_lr"}, status="queued", lr=[], lr_before=[])
    assert describe(queued) == "LR back to plan (at the next batch)"


def test_several_groups_show_each_move_once() -> None:
    both = intervention({"command": "scale_lr", "factor": 0.5}, lr_before=[0.01, 0.01, 0.1], lr=[0.005, 0.005, 0.05])
    assert describe(both) == "LR ×0.5: 0.01 → 0.005, 0.1 → 0.05"


@pytest.mark.parametrize(
    ("command", "then"),
    [
        ({"command": "scale_lr", "factor": 0.5, "then": "keep"}, "keep"),
        ({"command": "set_lr", "lr": 0.005, "then": "hold"}, "follow"),
        ({"command": "release_lr"}, "follow"),
    ],
)
def test_putting_back_sets_the_lr_from_before(command: dict[str, Any], then: Any) -> None:
    assert restore_lr_commands(intervention(command), ["all"]) == (SetLR(lr=0.01, then=then),)


def test_putting_back_touches_only_the_groups_that_moved() -> None:
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
def test_nothing_is_put_back_where_no_lr_was_changed(event: CommandEvent) -> None:
    assert restore_lr_commands(event, ["all"]) == ()


EVENTS: list[tuple[Event, str, str]] = [
    (HALVED, "intervention", "LR ×0.5"),
    (intervention({"command": "save"}, status="rejected", reason="disk full"), "warning", "disk full"),
    (intervention({"command": "release_lr"}, warning="it rises to 0.2"), "intervention", "Note: it rises to 0.2"),
    (
        ScheduleEvent(epoch=5, batch=0, group="all", schedule="StepLR", old=0.1, new=0.01, text="StepLR 0.1 -> 0.01"),
        "plan",
        "StepLR 0.1 -> 0.01",
    ),
    (SavedEvent(path="/x/a.tiller", kind="asked", epoch=1, batch=0), "saved", "/x/a.tiller"),
    (SavedEvent(path="/x/b", kind="stop", epoch=1, batch=0), "saved", "where the run was left"),
    (WarningEvent(text="2 threads, not 4"), "warning", "2 threads"),
    (DivergedEvent(epoch=1, batch=2, text="not finite", back=(1, 0)), "warning", "not finite"),
    (StateEvent(state="paused", epoch=1, batch=2), "state", "Paused"),
    (BranchEvent(run="b2", parent="a1", epoch=3, batch=0), "state", "b2"),
    (EndEvent(reason="finished", epoch=30), "state", "Finished"),
    (EndEvent(reason="failed", epoch=3, text="out of memory"), "warning", "out of memory"),
]


@pytest.mark.parametrize(("event", "kind", "part"), EVENTS)
def test_every_event_of_interest_is_a_line(event: Event, kind: str, part: str) -> None:
    entry = entry_of(event, NOON)
    assert entry is not None
    assert (entry.kind, part in entry.text) == (kind, True)


def test_a_queued_command_is_no_line_yet() -> None:
    assert entry_of(intervention({"command": "save"}, status="queued")) is None


@pytest.mark.parametrize("kind", ["epoch", "before"])
def test_what_is_saved_by_itself_is_no_line(kind: Any) -> None:
    assert entry_of(SavedEvent(path="/x/b", kind=kind, epoch=1, batch=0)) is None


def test_a_row_shows_time_place_and_words(log: LogPanel) -> None:
    log.add(HALVED, NOON)
    cells = [log.model().data(log.model().index(0, column)) for column in range(3)]
    assert cells == ["12:00:05", "7.12", "LR ×0.5: 0.01 → 0.005"]


def test_the_log_drops_its_oldest_lines_and_says_so(log: LogPanel) -> None:
    ids = [log.add(WarningEvent(text=f"line {i}"), NOON) for i in range(101)]
    model = log.model()
    assert model.rowCount() == 91
    assert model.entry(0).text == "Line 10"
    assert model.row_of(ids[3]) is None
    assert model.entry(model.row_of(ids[100])).text == "Line 100"
    assert any("keeps 100 lines; the oldest 10" in w.text() for w in log.findChildren(QLabel) if w.isVisible())
    log.select(ids[3])  # gone: nothing happens
    assert not table(log).selectionModel().hasSelection()


def test_the_model_keeps_qt_s_rules(qtmodeltester: Any) -> None:
    model = LogModel(limit=3)
    for i in range(5):
        entry = entry_of(WarningEvent(text=str(i)), NOON)
        assert entry is not None
        model.append(entry)
    qtmodeltester.check(model)


def test_the_newest_line_is_followed_unless_one_reads_further_up(log: LogPanel, qtbot: QtBot) -> None:
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


def test_a_chosen_intervention_can_be_put_back(log: LogPanel, qtbot: QtBot) -> None:
    wanted: list[CommandEvent] = []
    log.put_back.connect(wanted.append)
    log.add(WarningEvent(text="hot"), NOON)
    log.add(HALVED, NOON)
    back = button(log, "Put the LR back")
    assert not back.isEnabled()
    click_row(log, 0, qtbot)
    assert not back.isEnabled()
    click_row(log, 1, qtbot)
    qtbot.mouseClick(back, LEFT)
    assert wanted == [HALVED]


def test_choosing_a_line_tells_its_id_and_being_told_does_not_echo(log: LogPanel, qtbot: QtBot) -> None:
    told: list[int] = []
    log.selected.connect(told.append)
    ids = [log.add(HALVED, NOON), log.add(HALVED, None)]
    click_row(log, 1, qtbot)
    assert told == [ids[1]]
    log.select(ids[0])
    assert told == [ids[1]]
    assert [i.row() for i in table(log).selectionModel().selectedRows()] == [0]


def test_lines_are_copied_by_key_and_by_menu(log: LogPanel, qtbot: QtBot) -> None:
    log.add(HALVED, NOON)
    log.add(WarningEvent(text="two\nlines"), NOON)
    table(log).selectAll()
    expected = "12:00:05\t7.12\tLR ×0.5: 0.01 → 0.005\n12:00:05\t\tTwo lines"
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


def test_an_empty_log_says_what_will_stand_there(log: LogPanel) -> None:
    assert any("will stand here" in w.text() for w in log.findChildren(QLabel) if w.isVisible())
    log.add(HALVED, NOON)
    assert not any("will stand here" in w.text() for w in log.findChildren(QLabel) if w.isVisible())
    log.clear()
    assert log.model().rowCount() == 0


def test_the_action_line_offers_the_ways_back_that_there_are(qtbot: QtBot) -> None:
    line = ActionLine()
    qtbot.addWidget(line)
    line.show()
    back: list[tuple[str, CommandEvent]] = []
    line.put_back.connect(lambda event: back.append(("put", event)))
    line.go_back.connect(lambda event: back.append(("go", event)))
    put, go = button(line, "Put back"), button(line, "Go back to here…")
    assert not put.isVisible()
    line.show_action(HALVED, ["all"])
    assert (put.isVisible(), go.isVisible()) == (True, False)
    assert line.findChild(QLabel).text() == "Epoch 7, batch 12: LR ×0.5: 0.01 → 0.005"
    line.show_action(HALVED, ["all"], can_go_back=True)
    qtbot.mouseClick(put, LEFT)
    qtbot.mouseClick(go, LEFT)
    assert back == [("put", HALVED), ("go", HALVED)]
    line.show_action(intervention({"command": "note", "text": "<b>hi</b>"}), ["all"])
    assert not put.isVisible()
    assert "&lt;b&gt;" in line.findChild(QLabel).toolTip()

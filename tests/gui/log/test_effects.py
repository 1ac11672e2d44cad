"""The effect of a change and its note: in the log, in the marker's tooltip, and stored with the run."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit, QMenu, QTableView

from engine.advice.effect import Effect
from engine.common.position import Position
from engine.messages.commands import Rewind, Save, ScaleLR, SetEpochs
from gui.log.effects import effect_text
from gui.log.model import EFFECT, NOTE, TEXT
from tests.gui.app_fixture import LEFT, Driver, tiny

HALVED, QUARTERED = "Lower LR: 0.05 -> 0.025", "Lower LR: 0.0125 -> 0.003125"


class LogDriver:
    """The log and the markers of a window on a run."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        driver.window.show_log.setChecked(True)
        self.table: QTableView = driver.window.log.findChild(QTableView)
        self.model = driver.window.log.model()

    def row(self, part: str) -> int:
        (found,) = [row for row in range(self.model.rowCount()) if part in self.cell(row, TEXT)]
        return found

    def cell(self, row: int, column: int) -> str:
        return str(self.model.data(self.model.index(row, column)))

    def tips(self) -> list[str]:
        return [marker.text for marker in self.driver.window.plots._markers]

    def losses(self) -> dict[int, float]:
        return {e.epoch: e.val_loss for e in self.driver.of("epoch")}

    def double_click(self, row: int) -> QLineEdit:
        index = self.model.index(row, NOTE)
        self.table.scrollTo(index)
        at = self.table.visualRect(index).center()
        self.driver.qtbot.mouseClick(self.table.viewport(), LEFT, pos=at)
        self.driver.qtbot.mouseDClick(self.table.viewport(), LEFT, pos=at)
        return self.editor()

    def editor(self) -> QLineEdit:
        found: list[QLineEdit] = []

        def open_now() -> bool:
            found[:] = self.table.findChildren(QLineEdit)
            return len(found) == 1

        self.driver.wait(open_now)
        return found[0]

    def write(self, editor: QLineEdit, text: str) -> None:
        editor.selectAll()
        self.driver.qtbot.keyClicks(editor, text)
        self.driver.qtbot.keyClick(editor, Qt.Key.Key_Return)
        self.driver.wait(lambda: not self.table.findChildren(QLineEdit))


def pause_after_two_interventions(driver: Driver) -> LogDriver:
    """Halved before batch 1 of epoch 2 and before epoch 4, StepLR cut before epochs 3 and 5; now before epoch 6."""
    driver.pause_at(tiny(schedule={"name": "StepLR", "step_size": 2, "gamma": 0.5}), 2, 1)
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.app.current_run.post(ScaleLR(factor=0.25), Position(epoch=4))
    driver.app.current_run.post(SetEpochs(epochs=7), Position(epoch=5))
    driver.resume_to(6)
    return LogDriver(driver)


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (Effect((0.31, 0.25), (0.9, 0.92), 3, False), "val loss 0.31 -> 0.25 (3 epochs)"),
        (Effect((0.31234, 12.345), (0.9, 0.5), 1, False), "val loss 0.312 -> 12.3 (1 epoch)"),
    ],
)
def test_effect_is_shown_as_the_loss_before_and_after(effect: Effect, text: str) -> None:
    assert effect_text(effect) == text


def test_every_change_shows_its_effect_up_to_the_next_one(driver: Driver) -> None:
    log = pause_after_two_interventions(driver)
    loss = log.losses()
    rows = {text: log.row(text) for text in (HALVED, QUARTERED)}
    first = Effect((loss[1], loss[3]), (0, 0), 2, True)  # epochs 2 and 3, compared with epoch 1
    second = Effect((loss[3], loss[5]), (0, 0), 2, False)
    driver.wait(lambda: log.cell(rows[QUARTERED], EFFECT) == effect_text(second))
    assert log.cell(rows[HALVED], EFFECT) == effect_text(first)
    # a change by the schedule, up to the next change
    (cut,) = [row for row in range(log.model.rowCount()) if log.cell(row, 1) == "3.0" and "StepLR" in log.cell(row, 2)]
    assert log.cell(cut, EFFECT) == effect_text(Effect((loss[2], loss[3]), (0, 0), 1, True))
    assert log.cell(log.row("Set epochs to 7"), EFFECT) == ""  # no effect yet
    tips = {part: next(tip for tip in log.tips() if escape(part) in tip) for part in (HALVED, QUARTERED)}
    assert f"<br>Effect until the next change: {escape(effect_text(first))}, val accuracy " in tips[HALVED]
    assert f"<br>Effect so far: {escape(effect_text(second))}, val accuracy " in tips[QUARTERED]
    tip = log.model.data(log.model.index(rows[QUARTERED], EFFECT), Qt.ItemDataRole.ToolTipRole)
    assert f"Effect so far: {escape(effect_text(second))}, val accuracy " in tip
    driver.resume_to(7)
    later = Effect((loss[3], driver.of("epoch")[5].val_loss), (0, 0), 3, False)
    driver.wait(lambda: log.cell(rows[QUARTERED], EFFECT) == effect_text(later))
    assert log.cell(rows[HALVED], EFFECT) == effect_text(first)


def test_before_an_epoch_has_ended_since_there_is_no_effect_yet(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 1)
    log = LogDriver(driver)
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.wait(lambda: any("<br>No effect yet" in tip for tip in log.tips()))
    driver.resume_to(3)
    driver.wait(lambda: any("<br>Effect so far: val loss" in tip for tip in log.tips()))


def test_a_note_is_typed_into_the_line_and_shown_once_it_is_recorded(driver: Driver) -> None:
    log = pause_after_two_interventions(driver)
    row = log.row(HALVED)
    assert log.cell(row, NOTE) == "why?"
    before = log.model.rowCount()
    editor = log.double_click(row)
    driver.qtbot.keyClicks(editor, "too noisy")
    assert log.cell(row, NOTE) == "why?"  # not before the run has recorded it
    driver.qtbot.keyClick(editor, Qt.Key.Key_Return)
    driver.wait(lambda: log.cell(row, NOTE) == "too noisy" and not log.table.findChildren(QLineEdit))
    assert driver.model.state == "paused"  # the space was typed into the note
    assert log.model.rowCount() == before
    driver.wait(lambda: any("Note: too noisy" in tip for tip in log.tips()))
    # another note replaces it, with the keyboard; an empty one removes it
    driver.qtbot.keyClick(log.table, Qt.Key.Key_F2)
    log.write(log.editor(), "<b>bold</b>")
    driver.wait(lambda: log.cell(row, NOTE) == "<b>bold</b>")
    driver.wait(lambda: any("Note: &lt;b&gt;bold" in tip for tip in log.tips()))
    editor = log.double_click(row)
    editor.selectAll()
    driver.qtbot.keyClick(editor, Qt.Key.Key_Delete)
    driver.qtbot.keyClick(editor, Qt.Key.Key_Return)
    driver.wait(lambda: log.cell(row, NOTE) == "why?")
    assert not any("Note:" in tip for tip in log.tips())


def test_only_interventions_can_have_a_note(driver: Driver) -> None:
    log = pause_after_two_interventions(driver)
    log.table.selectRow(log.row(HALVED))
    log.table.customContextMenuRequested.emit(QPoint(5, 5))
    note = next(a for a in log.driver.window.log.findChild(QMenu).actions() if a.text() == "Note…")
    assert note.isEnabled()
    driver.window.log.findChild(QMenu).close()
    driver.settle()
    paused = next(row for row in range(log.model.rowCount()) if log.cell(row, TEXT).startswith("Pause"))
    assert log.cell(paused, NOTE) == ""
    log.table.selectRow(paused)
    log.table.customContextMenuRequested.emit(QPoint(5, 5))
    assert not note.isEnabled()
    driver.window.log.findChild(QMenu).close()


def test_a_note_is_shown_when_the_run_is_opened_again(new_driver: Any, tmp_path: Path) -> None:
    driver = new_driver()
    log = pause_after_two_interventions(driver)
    log.write(log.double_click(log.row(QUARTERED)), "plateau")
    driver.wait(lambda: log.cell(log.row(QUARTERED), NOTE) == "plateau")
    effect = log.cell(log.row(QUARTERED), EFFECT)
    driver.app.current_run.post(Save(path=str(tmp_path / "here.tiller")))
    driver.wait(lambda: driver.answers("save"))
    driver.close()
    again = new_driver()
    again.app.files.open_path(str(tmp_path / "here.tiller"))
    again.wait(lambda: again.model.start is not None)
    log = LogDriver(again)
    again.wait(lambda: log.cell(log.row(QUARTERED), NOTE) == "plateau")
    assert log.cell(log.row(QUARTERED), EFFECT) == effect != ""
    assert log.cell(log.row(HALVED), NOTE) == "why?"
    log.write(log.double_click(log.row(HALVED)), "and this")
    again.wait(lambda: log.cell(log.row(HALVED), NOTE) == "and this")


def test_going_back_keeps_one_line_an_intervention_and_its_note(driver: Driver) -> None:
    log = pause_after_two_interventions(driver)
    log.write(log.double_click(log.row(HALVED)), "stands")
    log.write(log.double_click(log.row(QUARTERED)), "undone")
    driver.wait(lambda: log.cell(log.row(QUARTERED), NOTE) == "undone")
    driver.app.current_run.post(Rewind(epoch=3))
    driver.wait(lambda: driver.of("branch"))
    driver.settle()
    assert (log.cell(log.row(HALVED), NOTE), len(log.tips())) == ("stands", 1)
    assert "Note: stands" in log.tips()[0]
    log.write(log.double_click(log.row(HALVED)), "still noted")
    driver.wait(lambda: log.cell(log.row(HALVED), NOTE) == "still noted")
    log.write(log.double_click(log.row(QUARTERED)), "too late")
    driver.wait(lambda: driver.shows(driver.window.action_line, "went back to before this change"))
    assert log.cell(log.row(QUARTERED), NOTE) == "undone"


def test_in_a_run_that_has_ended_a_note_is_rejected_with_the_reason(driver: Driver) -> None:
    log = pause_after_two_interventions(driver)
    driver.click(driver.window.transport, "Stop")
    driver.finish()
    log.write(log.double_click(log.row(HALVED)), "late")
    driver.wait(lambda: driver.shows(driver.window.action_line, "the run has ended"))
    assert log.cell(log.row(HALVED), NOTE) == "why?"

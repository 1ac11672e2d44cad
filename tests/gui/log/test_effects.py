"""What a change brought and why it was done: in the log's line, in the marker's tooltip, and kept with the run."""

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


class ComparedRun:
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


def stand_with_two_acts(driver: Driver) -> ComparedRun:
    """Halved before batch 1 of epoch 2 and before epoch 4, StepLR cut before epochs 3 and 5; now before epoch 6."""
    driver.stand(tiny(schedule={"name": "StepLR", "step_size": 2, "gamma": 0.5}), 2, 1)
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.app.current_run.post(ScaleLR(factor=0.25), Position(epoch=4))
    driver.app.current_run.post(SetEpochs(epochs=7), Position(epoch=5))
    driver.go_on_to(6)
    return ComparedRun(driver)


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (Effect((0.31, 0.25), (0.9, 0.92), 3, False), "val loss 0.31 -> 0.25 (3 epochs)"),
        (Effect((0.31234, 12.345), (0.9, 0.5), 1, False), "val loss 0.312 -> 12.3 (1 epoch)"),
    ],
)
def test_effect_is_shown_as_the_loss_before_and_after(effect: Effect, text: str) -> None:
    assert effect_text(effect) == text


def test_every_change_says_what_it_caused_up_to_the_next_one(driver: Driver) -> None:
    told = stand_with_two_acts(driver)
    loss = told.losses()
    rows = {text: told.row(text) for text in (HALVED, QUARTERED)}
    first = Effect((loss[1], loss[3]), (0, 0), 2, True)  # epochs 2 and 3, compared with epoch 1
    second = Effect((loss[3], loss[5]), (0, 0), 2, False)
    driver.wait(lambda: told.cell(rows[QUARTERED], EFFECT) == effect_text(second))
    assert told.cell(rows[HALVED], EFFECT) == effect_text(first)
    # a cut of the plan, up to whatever comes next
    (cut,) = [
        row for row in range(told.model.rowCount()) if told.cell(row, 1) == "3.0" and "StepLR" in told.cell(row, 2)
    ]
    assert told.cell(cut, EFFECT) == effect_text(Effect((loss[2], loss[3]), (0, 0), 1, True))
    assert told.cell(told.row("Set epochs to 7"), EFFECT) == ""  # which changes nothing yet
    tips = {part: next(tip for tip in told.tips() if escape(part) in tip) for part in (HALVED, QUARTERED)}
    assert f"<br>Effect until the next change: {escape(effect_text(first))}, val accuracy " in tips[HALVED]
    assert f"<br>Effect so far: {escape(effect_text(second))}, val accuracy " in tips[QUARTERED]
    tip = told.model.data(told.model.index(rows[QUARTERED], EFFECT), Qt.ItemDataRole.ToolTipRole)
    assert f"Effect so far: {escape(effect_text(second))}, val accuracy " in tip
    driver.go_on_to(7)
    later = Effect((loss[3], driver.of("epoch")[5].val_loss), (0, 0), 3, False)
    driver.wait(lambda: told.cell(rows[QUARTERED], EFFECT) == effect_text(later))
    assert told.cell(rows[HALVED], EFFECT) == effect_text(first)


def test_before_an_epoch_has_ended_since_there_is_no_effect_yet(driver: Driver) -> None:
    driver.stand(tiny(), 2, 1)
    told = ComparedRun(driver)
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.wait(lambda: any("<br>No effect yet" in tip for tip in told.tips()))
    driver.go_on_to(3)
    driver.wait(lambda: any("<br>Effect so far: val loss" in tip for tip in told.tips()))


def test_a_note_is_typed_into_the_line_and_shown_once_it_is_kept(driver: Driver) -> None:
    told = stand_with_two_acts(driver)
    row = told.row(HALVED)
    assert told.cell(row, NOTE) == "why?"
    before = told.model.rowCount()
    editor = told.double_click(row)
    driver.qtbot.keyClicks(editor, "too noisy")
    assert told.cell(row, NOTE) == "why?"  # not before the run has it
    driver.qtbot.keyClick(editor, Qt.Key.Key_Return)
    driver.wait(lambda: told.cell(row, NOTE) == "too noisy" and not told.table.findChildren(QLineEdit))
    assert driver.model.state == "paused"  # the space was the note's
    assert told.model.rowCount() == before
    driver.wait(lambda: any("Note: too noisy" in tip for tip in told.tips()))
    # another one takes its place, by key; and an empty one takes it back
    driver.qtbot.keyClick(told.table, Qt.Key.Key_F2)
    told.write(told.editor(), "<b>bold</b>")
    driver.wait(lambda: told.cell(row, NOTE) == "<b>bold</b>")
    driver.wait(lambda: any("Note: &lt;b&gt;bold" in tip for tip in told.tips()))
    editor = told.double_click(row)
    editor.selectAll()
    driver.qtbot.keyClick(editor, Qt.Key.Key_Delete)
    driver.qtbot.keyClick(editor, Qt.Key.Key_Return)
    driver.wait(lambda: told.cell(row, NOTE) == "why?")
    assert not any("Note:" in tip for tip in told.tips())


def test_only_interventions_take_a_note(driver: Driver) -> None:
    told = stand_with_two_acts(driver)
    told.table.selectRow(told.row(HALVED))
    told.table.customContextMenuRequested.emit(QPoint(5, 5))
    note = next(a for a in told.driver.window.log.findChild(QMenu).actions() if a.text() == "Note…")
    assert note.isEnabled()
    driver.window.log.findChild(QMenu).close()
    driver.settle()
    paused = next(row for row in range(told.model.rowCount()) if told.cell(row, TEXT).startswith("Pause"))
    assert told.cell(paused, NOTE) == ""
    told.table.selectRow(paused)
    told.table.customContextMenuRequested.emit(QPoint(5, 5))
    assert not note.isEnabled()
    driver.window.log.findChild(QMenu).close()


def test_a_note_comes_back_when_the_run_is_opened_again(new_driver: Any, tmp_path: Path) -> None:
    driver = new_driver()
    told = stand_with_two_acts(driver)
    told.write(told.double_click(told.row(QUARTERED)), "plateau")
    driver.wait(lambda: told.cell(told.row(QUARTERED), NOTE) == "plateau")
    effect = told.cell(told.row(QUARTERED), EFFECT)
    driver.app.current_run.post(Save(path=str(tmp_path / "here.tiller")))
    driver.wait(lambda: driver.answers("save"))
    driver.close()
    again = new_driver()
    again.app.files.open_path(str(tmp_path / "here.tiller"))
    again.wait(lambda: again.model.start is not None)
    told = ComparedRun(again)
    again.wait(lambda: told.cell(told.row(QUARTERED), NOTE) == "plateau")
    assert told.cell(told.row(QUARTERED), EFFECT) == effect != ""
    assert told.cell(told.row(HALVED), NOTE) == "why?"
    told.write(told.double_click(told.row(HALVED)), "and this")
    again.wait(lambda: told.cell(told.row(HALVED), NOTE) == "and this")


def test_going_back_keeps_one_line_an_intervention_and_its_note(driver: Driver) -> None:
    told = stand_with_two_acts(driver)
    told.write(told.double_click(told.row(HALVED)), "stands")
    told.write(told.double_click(told.row(QUARTERED)), "undone")
    driver.wait(lambda: told.cell(told.row(QUARTERED), NOTE) == "undone")
    driver.app.current_run.post(Rewind(epoch=3))
    driver.wait(lambda: driver.of("branch"))
    driver.settle()
    assert (told.cell(told.row(HALVED), NOTE), len(told.tips())) == ("stands", 1)
    assert "Note: stands" in told.tips()[0]
    told.write(told.double_click(told.row(HALVED)), "still noted")
    driver.wait(lambda: told.cell(told.row(HALVED), NOTE) == "still noted")
    told.write(told.double_click(told.row(QUARTERED)), "too late")
    driver.wait(lambda: driver.says(driver.window.action_line, "went back to before this change"))
    assert told.cell(told.row(QUARTERED), NOTE) == "undone"


def test_a_run_that_has_ended_says_why_it_takes_no_note(driver: Driver) -> None:
    told = stand_with_two_acts(driver)
    driver.click(driver.window.transport, "Stop")
    driver.finish()
    told.write(told.double_click(told.row(HALVED)), "late")
    driver.wait(lambda: driver.says(driver.window.action_line, "the run has ended"))
    assert told.cell(told.row(HALVED), NOTE) == "why?"

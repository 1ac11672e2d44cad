"""Rewind and undo, in the whole window on real runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QMessageBox, QProgressDialog

from engine.common.position import Position
from engine.messages.commands import Rewind, SetSchedule
from engine.messages.events import RewindProgressEvent
from engine.schedules import Constant, MultiStepLR
from gui.widgets.intervention_text import short_command_text
from tests.gui.app_fixture import BATCHES, Driver, tiny


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the message boxes; each is answered with its first button."""
    texts: list[str] = []

    def answer(box: QMessageBox) -> int:
        texts.append(f"{box.text()} {box.informativeText()}")
        box.show()
        button = box.defaultButton()
        QTimer.singleShot(0, button.click)
        return int(QDialog.exec(box))

    monkeypatch.setattr(QMessageBox, "exec", answer)
    return texts


def interventions(driver: Driver) -> Callable[[], list[str]]:
    return lambda: [e.name for e in driver.of("command") if e.status == "applied"]


def halved(driver: Driver, epochs: int = 6) -> None:
    """A run that is paused in epoch 3, with its LR halved in epoch 2, batch 1."""
    driver.pause_at(tiny(epochs=epochs), 2, 1)
    driver.click(driver.window.lr_panel, "÷2")
    driver.answer("scale_lr")
    driver.resume_to(3, 2)


def undo(driver: Driver) -> QMenu:
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    menu = driver.app.undo.menu
    assert menu is not None
    return menu


def entry(menu: QMenu, part: str) -> QAction:
    (found,) = [action for action in menu.actions() if part in action.text()]
    return found


def test_going_back_from_the_action_line_leaves_a_faint_branch(driver: Driver, questions: list[str]) -> None:
    halved(driver)
    driver.click(driver.window.action_line, "Go back…")
    driver.answer("rewind")
    driver.wait(lambda: driver.model.position == Position(epoch=2, batch=1))
    assert "Go back to just before “Lower LR: 0.05 -> 0.025” (epoch 2, batch 1)?" in questions[0]
    assert f"{1 + 1 / BATCHES:.1f} epochs are abandoned" in questions[0]
    (abandoned_line,) = driver.model.history.abandoned
    assert [entry.name for entry in driver.window.plots.loss.entries()][-1] == "Abandoned branch"
    assert abandoned_line.end == pytest.approx(2 + 2 / BATCHES)
    driver.wait(lambda: driver.window.plots.loss._abandoned_batch.isVisible())
    assert driver.window.plots.lr._abandoned.xData is not None
    assert np.nanmax(driver.window.plots.lr._abandoned.xData) == pytest.approx(2 + 2 / BATCHES)
    driver.wait(lambda: driver.number == "0.05")


def test_the_plots_menu_offers_the_intervention_and_the_epochs_end(driver: Driver, questions: list[str]) -> None:
    halved(driver)
    menu = QMenu()
    line = driver.window.log.line_of(driver.answers("scale_lr")[0])
    driver.window.plots.menu_opening.emit(menu, 1.2, line)
    assert entry(menu, "just before “Lower LR").isEnabled()
    ahead = QMenu()
    driver.window.plots.menu_opening.emit(ahead, 5.0, None)
    assert entry(ahead, "Go back to epoch 2").isEnabled()  # the last one
    entry(menu, "Go back to epoch 1").trigger()
    driver.answer("rewind")
    assert (driver.of("branch")[0].epoch, driver.of("branch")[0].batch) == (2, 0)
    driver.settle()
    assert driver.answers("cancel_rewind") == []


def test_going_back_from_a_line_of_the_log(driver: Driver, questions: list[str]) -> None:
    halved(driver)
    driver.window.show_log.setChecked(True)
    log = driver.window.log
    button = driver.button(log, "Go back…")
    log.select(log.line_of(driver.of("saved")[0]) or 0)
    assert not button.isEnabled()
    assert "Choose a line with one of your changes" in button.toolTip()
    line = log.line_of(driver.answers("scale_lr")[0])
    assert line is not None
    log.select(line)
    driver.click(log, "Go back…")
    driver.answer("rewind")
    assert driver.of("branch")[0].batch == 1


def test_going_back_can_be_cancelled_in_the_question(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    halved(driver)
    monkeypatch.setattr(QMessageBox, "exec", lambda box: 0)
    driver.click(driver.window.action_line, "Go back…")
    driver.settle()
    assert driver.answers("rewind") == []


def test_progress_is_shown_and_cancel_keeps_the_position(driver: Driver) -> None:
    driver.pause_at(tiny("slow_to_validate", epochs=6), 3, 2)
    library = driver.app.library
    assert library is not None
    library.flush()
    for file in library.root.rglob("*.tiller"):
        file.unlink()
    driver.app.current_run.post(Rewind(epoch=2, batch=1))

    def dialog() -> QProgressDialog | None:
        found = [w for w in QApplication.topLevelWidgets() if isinstance(w, QProgressDialog) and w.isVisible()]
        return found[0] if found else None

    driver.wait(lambda: dialog() is not None)
    shown = dialog()
    assert shown is not None
    assert shown.maximum() == 2 * BATCHES + 1
    driver.click(shown, "Cancel")
    assert driver.answer("rewind").reason == "the rewind was cancelled"
    driver.wait(lambda: dialog() is None)
    assert driver.model.position == Position(epoch=3, batch=2)


def test_going_back_says_beforehand_how_long_it_takes_at_most_and_then_how_long_it_still_takes(
    driver: Driver, questions: list[str]
) -> None:
    driver.pause_at(tiny(), 4)
    driver.model.epochs_done = [replace(epoch, seconds=40.0) for epoch in driver.model.epochs_done]
    driver.app.rewind.to_end_of(1)
    assert "takes up to 1:20." in questions[0]
    driver.answer("rewind")
    for done, when in ((10, 100.0), (30, 102.0)):
        driver.app.current_run.publish(RewindProgressEvent(id=1, done=done, total=110), when)
    dialog = driver.app.rewind._dialog
    assert dialog is not None
    assert "About 0:08 left." in dialog.labelText()
    driver.app.rewind._close()


# -- undo


def test_undo_discards_the_pending_change_and_redo_stages_it_again(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 1)
    driver.window.lr_panel.stage_lr(0.01)
    driver.wait(lambda: driver.app.preview.pending is not None)
    driver.app.undo.undo.trigger()
    assert driver.app.preview.pending is None
    driver.app.undo.redo.trigger()
    pending = driver.app.preview.pending
    assert pending is not None
    assert pending.model_dump()["lr"] == 0.01
    driver.app.undo.undo.trigger()
    driver.window.schedule.stage(Constant())
    assert isinstance(driver.app.preview.pending, SetSchedule)
    driver.app.undo.undo.trigger()
    assert driver.app.preview.pending is None
    driver.app.undo.redo.trigger()
    assert isinstance(driver.app.preview.pending, SetSchedule)
    assert driver.answers("set_lr") == driver.answers("set_schedule") == []


def test_undo_restores_the_lr_and_redo_repeats_the_intervention(driver: Driver) -> None:
    halved(driver)
    entry(undo(driver), "Restore the LR from now on: 0.05").trigger()
    driver.wait(lambda: driver.number == "0.05")
    assert driver.of("branch") == []
    driver.app.undo._update_texts()
    assert driver.app.undo.redo.text() == "Redo: Lower LR: 0.05 -> 0.025"
    driver.app.undo.redo.trigger()
    driver.wait(lambda: driver.number == "0.025")


def test_undo_goes_back_and_redo_returns_to_the_abandoned_branch(driver: Driver, questions: list[str]) -> None:
    halved(driver)
    first = driver.of("start")[0].run
    menu = undo(driver)
    assert f"{1 + 1 / BATCHES:.1f} epochs…" in entry(menu, "Go back to just before it").text()
    entry(menu, "Go back to just before it").trigger()
    driver.answer("rewind")
    driver.wait(lambda: driver.number == "0.05")
    driver.app.undo.redo.trigger()
    assert "Return to the abandoned branch?" in questions[-1]
    driver.wait(lambda: len(driver.of("start")) == 2 and driver.model.state == "ready")
    assert driver.of("start")[1].run == first
    assert driver.model.position == Position(epoch=3, batch=2)
    driver.wait(lambda: driver.number == "0.0125")


def test_redo_leaves_the_run_where_it_is_if_the_person_does_not_agree_to_return(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.pause_at(tiny(), 3)
    driver.app.current_run.post(Rewind(epoch=1))
    driver.answer("rewind")
    asked: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.text()))
    for count in (1, 2):  # it is offered again
        driver.app.undo.redo.trigger()
        assert len(asked) == count
    driver.settle()
    assert len(driver.of("start")) == 1
    assert driver.app.current_run.active


def test_undo_after_a_deletion_restores_the_run_unless_an_intervention_came_after_it(driver: Driver) -> None:
    library = driver.app.library
    assert library is not None
    driver.start(tiny(epochs=1))
    driver.finish()
    done = driver.of("start")[0].run
    driver.click(driver.window, "New")
    driver.pause_at(tiny(), 2, 1)
    driver.window.show_runs.setChecked(True)
    panel = driver.app.library_controller.panel
    assert panel is not None
    driver.wait(lambda: panel.model.rowCount() == 2)
    row = panel.model.row_of(done)
    assert row is not None

    def delete() -> None:
        panel.table.selectRow(row)
        panel.run_actions.delete.trigger()
        driver.wait(lambda: "Deleted" in panel.note.text())

    delete()
    driver.wait(lambda: panel.use.text().startswith("1 run,"))  # without those in the recycle bin
    driver.app.undo._update_texts()
    assert driver.app.undo.undo.text() == "Undo: deleting runs"
    driver.app.undo.undo.trigger()
    driver.wait(lambda: "Restored" in panel.note.text())
    assert library.runs()[0].id == done
    driver.wait(lambda: panel.model.rowCount() == 2)
    delete()
    driver.click(driver.window.lr_panel, "÷2")
    driver.answer("scale_lr")
    assert "Lower LR" in entry(undo(driver), "Undo").text()


def test_undo_names_a_schedule_without_its_parameters_and_at_a_length_that_fits_a_menu(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 1)
    milestones = MultiStepLR(milestones=tuple(range(1, 60)))
    driver.app.current_run.post(SetSchedule(schedule=milestones))
    driver.answer("set_schedule")
    driver.app.undo._update_texts()
    assert driver.app.undo.undo.text() == "Undo: New schedule from here: MultiStepLR…"
    driver.app.current_run.post(SetSchedule(schedule=Constant(), group="all"))
    driver.wait(lambda: len(driver.answers("set_schedule")) == 2)
    event = replace(driver.answers("set_schedule")[-1], command={"command": "freeze", "group": "a" * 200})
    assert len(short_command_text(event)) == 60


def test_with_nothing_to_undo_a_message_is_shown(driver: Driver) -> None:
    driver.app.undo.undo.trigger()
    assert driver.shows(driver.window.action_line, "There is nothing to undo.")
    driver.app.undo.redo.trigger()
    assert driver.shows(driver.window.action_line, "There is nothing to redo.")

"""The window from its start to the end of a run: buttons, keys, and what is shown."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from engine.common.position import Position
from engine.messages.commands import Save
from engine.recipe.recipe import Recipe
from gui.core.settings import Settings
from gui.main_window import MainWindow
from gui.setup.start_page import Resumable
from gui.widgets.confirmed_field import ConfirmedField
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def test_start_trains_the_digits_and_ten_more_epochs_continue_the_run(driver: Driver) -> None:
    window, model = driver.window, driver.model
    assert driver.app.settings.last_recipe == Recipe()
    assert window.chip.text() == "Ready"
    driver.click(window.transport, "Start")
    driver.wait(lambda: window.chip.text() == "Training" and len(model.history.x) > 3)
    assert driver.button(window.transport, "Pause").isEnabled()
    driver.wait(lambda: len(model.history.epoch_x) > 1)
    driver.finish()
    driver.settle()
    run, epochs = driver.of("start")[0].run, driver.of("epoch")
    assert window.chip.text() == "Finished"
    assert window.windowTitle().startswith(f"30/30 · {epochs[-1].val_accuracy:.1%} · ")
    assert model.history.metrics["val_loss"].values.tolist() == [e.val_loss for e in epochs]
    assert len(model.history.loss) == 30 * 23
    drawn = window.plots.accuracy._curves["val"].getData()[1]
    assert drawn.tolist() == pytest.approx([100 * e.val_accuracy for e in epochs])
    assert f"{epochs[-1].val_accuracy:.1%} validation accuracy after 30 epochs" in window.banner.text()
    driver.click(window.banner, "+10 epochs")
    driver.wait(lambda: len(driver.of("end")) == 2)
    driver.finish()
    driver.settle()
    assert [e.epoch for e in driver.of("epoch")] == list(range(1, 41))
    assert {e.run for e in driver.of("start")} == {run}
    assert len(model.history.loss) == 40 * 23
    assert model.history.epoch_x.values.tolist() == list(range(1, 41))
    assert window.plots.loss.x_epochs()[1] == pytest.approx(40.4)


def test_space_pauses_and_resumes_but_is_typed_in_a_field_and_presses_a_focused_button(driver: Driver) -> None:
    window = driver.window
    driver.start(tiny(epochs=3000, schedule={"name": "Constant"}))
    driver.reach("training")
    window.plots.setFocus()
    driver.press(Qt.Key.Key_Space)
    driver.reach("paused")
    driver.press(Qt.Key.Key_Space)
    driver.reach("training")
    window.name.setFocus()
    window.name.selectAll()
    driver.qtbot.keyClicks(window.name, "a b")
    assert window.name.text() == "a b"
    back = driver.button(window.lr_panel, "÷2")
    back.setFocus()
    driver.press(Qt.Key.Key_Space, back)
    driver.answer("scale_lr")
    assert driver.model.state == "training"
    driver.wait(lambda: driver.number == "0.025")


def test_while_training_an_action_and_the_curve_that_it_changes_are_painted_at_once(driver: Driver) -> None:
    clock, handle = driver.app.clock, driver.window.windowHandle()
    driver.start(tiny(epochs=100_000, schedule={"name": "Constant"}))
    driver.reach("training")
    before = clock._hurried_until
    QTest.mouseClick(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(2, 2))
    assert clock._hurried_until > before
    drawn: list[list[float]] = []

    def note() -> None:  # each time the clock hurries too
        curve = driver.window.plots.lr.projected.curve
        drawn.append([] if curve is None else curve.lr[0].tolist())

    driver.app.preview.curve_shown.connect(note)
    driver.click(driver.window.lr_panel, "÷2")
    driver.wait(lambda: [0.025] in drawn)


def test_space_pauses_after_a_click_on_start_and_while_an_lr_is_typed(driver: Driver) -> None:
    window = driver.window
    window.transport.setFocus()  # as when the window opens
    driver.start(tiny(epochs=3000, schedule={"name": "Constant"}))
    driver.reach("training")
    assert window.device.text() == "CPU"
    driver.press(Qt.Key.Key_Space)
    driver.reach("paused")
    for field in (driver.lr_field, window.lr_panel.findChild(ConfirmedField)):
        field.setFocus()
        text, state = field.text(), driver.model.state
        driver.press(Qt.Key.Key_Space, field)
        driver.wait(lambda state=state: driver.model.state != state)
        assert field.text() == text


def test_space_opens_a_list_that_has_the_focus_and_does_not_start(driver: Driver) -> None:
    combo = driver.window.setup.optimizer.combo
    combo.setFocus()
    driver.press(Qt.Key.Key_Space, combo)
    driver.wait(lambda: combo.view().isVisible())
    combo.hidePopup()
    assert not driver.app.current_run.active


def test_run_one_epoch_from_the_forms_and_in_mid_epoch_and_then_stop(driver: Driver) -> None:
    window = driver.window
    driver.set_up(tiny())
    driver.click(window.transport, "Run 1 epoch")
    driver.reach("paused")
    assert driver.model.position == Position(epoch=2, batch=0)
    driver.resume_to(3, 2)
    driver.click(window.transport, "Run 1 epoch")
    driver.wait(lambda: driver.model.position == Position(epoch=4, batch=0) and driver.model.state == "paused")
    driver.click(window.transport, "Stop")
    end = driver.finish()
    assert (end.reason, end.epoch) == ("stopped", 4)
    assert end.checkpoint is not None
    assert window.chip.text() == "Stopped"
    assert driver.shows(window.action_line, f"Saved as {end.checkpoint}")
    assert not driver.button(window.transport, "Start").isEnabled()
    assert not driver.button(window.transport, "Stop").isEnabled()


def test_shortcuts_start_no_second_run_after_the_end(driver: Driver) -> None:
    driver.start(tiny(epochs=1))
    driver.finish()
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    driver.window.stop.trigger()
    driver.press(Qt.Key.Key_Space)
    driver.settle()
    assert not driver.app.current_run.active
    assert len(driver.of("start")) == 1


@pytest.mark.parametrize("how", ["New", "Duplicate as new"])
def test_after_the_end_another_run_is_set_up_and_started_here(driver: Driver, how: str) -> None:
    window = driver.window
    driver.start(tiny(epochs=1))
    driver.finish()
    if how == "New":
        driver.click(window, how)
    else:
        driver.click(window.setup, how)
    driver.settle()
    assert window.chip.text() == "Ready"
    assert window.windowTitle() == "Tiller"
    assert driver.shows(window.transport, "Not started")
    assert window.setup.recipe() == tiny(epochs=1)
    assert window.banner.subject() is None
    assert len(driver.model.history.x) == 0
    assert not window.lr_panel.isEnabled() or not driver.lr_field.isEnabled()
    driver.start()
    driver.finish()
    assert len({e.run for e in driver.of("start")}) == 2


def test_panning_in_one_run_does_not_affect_the_next(driver: Driver) -> None:
    """A touch of the mouse on the start page or in one run decides nothing about the next one's x axis."""
    plots = driver.window.plots

    def pan(low: float, high: float) -> None:
        plots.loss.view.setXRange(low, high, padding=0)
        plots.loss.view.moved.emit(0)

    def shows(end: float) -> bool:
        return plots.accuracy.x_range[1] == pytest.approx(1.01 * end)

    pan(-0.5, 29.5)
    driver.pause_at(tiny(epochs=300), 2)
    driver.wait(lambda: shows(300))
    pan(0, 2)
    driver.resume_to(3)
    driver.settle()
    assert plots.accuracy.x_range == (0, 2)
    driver.window.new.trigger()
    driver.wait(lambda: not driver.model.shown)
    driver.wait(lambda: shows(300))


def test_new_while_training_asks_saves_and_shows_nothing_of_the_old_run(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer_dialogs(monkeypatch, yes=True)
    driver.start(tiny(epochs=3000))
    driver.wait(lambda: len(driver.model.history.epoch_x) > 2)
    driver.click(driver.window, "New")
    driver.wait(lambda: driver.window.chip.text() == "Ready")
    driver.settle(200)
    assert len(asked) == 1
    assert driver.of("end")[0].checkpoint is not None
    assert driver.window.windowTitle() == "Tiller"
    assert driver.shows(driver.window.transport, "Not started")
    assert not driver.button(driver.window.transport, "Stop").isEnabled()


def test_new_while_training_can_be_cancelled(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_dialogs(monkeypatch, yes=False)
    driver.start(tiny(epochs=3000))
    driver.reach("training")
    driver.click(driver.window, "New")
    driver.settle()
    assert driver.app.current_run.active
    assert driver.model.state == "training"


def test_an_invalid_recipe_disables_start_with_the_reason(driver: Driver) -> None:
    window = driver.window
    driver.set_up(tiny())
    edit = window.setup.length.editor("epochs").control()
    assert isinstance(edit, QLineEdit)
    edit.setFocus()
    edit.selectAll()
    driver.qtbot.keyClicks(edit, "0")
    start = driver.button(window.transport, "Start")
    assert not start.isEnabled()
    assert "Epochs" in start.toolTip()
    driver.press(Qt.Key.Key_Space)
    assert not driver.app.current_run.active
    edit.selectAll()
    driver.qtbot.keyClicks(edit, "7")
    assert start.isEnabled()
    assert window.setup.recipe() == tiny(epochs=7)


def test_a_schedule_that_fails_at_a_later_epoch_disables_start_too(driver: Driver) -> None:
    start = driver.button(driver.window.transport, "Start")
    driver.set_up(tiny(schedule={"name": "LambdaLR", "lr_lambda": "1/(3-epoch)"}))
    driver.wait(lambda: not start.isEnabled())
    assert "divides by zero" in start.toolTip()
    driver.set_up(tiny())
    driver.wait(start.isEnabled)


def test_another_recipe_in_the_forms_is_the_one_that_trains(driver: Driver) -> None:
    """The schedule panel's counts follow the epochs; that must not restore its old schedule."""
    driver.set_up(tiny(schedule={"name": "CosineAnnealingLR", "T_max": 6}))
    driver.set_up(tiny(epochs=2))
    assert driver.window.setup.recipe() == tiny(epochs=2)
    two = [{"name": "head", "modules": ["head"], "lr": 0.1}]
    driver.set_up(tiny(groups=two, schedule={"name": "LambdaLR", "lr_lambda": ["1", "0.9**epoch"]}))
    driver.set_up(tiny())
    assert driver.window.setup.recipe() == tiny()
    driver.start()
    assert driver.finish().reason == "finished"
    assert driver.of("start")[0].recipe == tiny()


def test_the_scheduled_curve_is_drawn_before_the_start(driver: Driver) -> None:
    lr = driver.window.plots.lr
    driver.set_up(tiny())
    driver.wait(lambda: lr.projected.curve is not None and lr.projected.curve.x[-1] == 6)
    assert lr.projected.curve is not None
    assert lr.projected.curve.lr[:, 0].tolist() == [0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.0125]


def test_a_curve_that_takes_long_is_announced_in_place_of_another_recipes(driver: Driver) -> None:
    lr, go_on = driver.window.plots.lr, threading.Event()
    driver.set_up(tiny())
    driver.wait(lambda: lr.projected.known)
    driver.app.tasks.submit(lambda _: go_on.wait(), lambda _: None, lambda _: None, lane="curves")
    try:
        driver.set_up(tiny(epochs=1_000_000))
        driver.wait(lambda: driver.shows(lr, "Computing the schedule's curve"))
        assert not lr.projected.known
    finally:
        go_on.set()
    driver.wait(lambda: lr.projected.known and lr.projected.end == 1_000_000)
    assert not driver.shows(lr, "Computing")


def test_loss_starts_on_a_log_axis_and_stays_as_the_person_left_it(driver: Driver, new_driver: object) -> None:
    axis = driver.window.plots.loss.log_button
    assert axis.isChecked()
    axis.click()
    driver.close()
    assert callable(new_driver)
    again: Driver = new_driver()
    assert not again.window.plots.loss.log_button.isChecked()


def test_a_name_given_before_and_during_the_run_is_stored_with_it(driver: Driver) -> None:
    window, library = driver.window, driver.app.library
    assert library is not None
    driver.set_up(tiny(epochs=3000))
    window.name.setFocus()
    driver.qtbot.keyClicks(window.name, "first")
    driver.press(Qt.Key.Key_Return, window.name)
    driver.start()
    driver.reach("training")
    run = driver.of("start")[0].run
    assert library.runs()[0].name == window.name.text() == "first"
    window.name.selectAll()
    driver.qtbot.keyClicks(window.name, "second")
    driver.press(Qt.Key.Key_Return, window.name)
    library.flush()
    row = library.run(run)
    assert row is not None
    assert row.name == "second"


def test_groups_have_two_curves_and_a_pattern_that_matches_nothing_is_shown(driver: Driver) -> None:
    window = driver.window
    head = {"name": "head", "modules": ["head"], "lr": 0.5}
    driver.set_up(tiny(groups=[head]))
    projected = window.plots.lr.projected
    driver.wait(lambda: projected.curve is not None and projected.curve.lr.shape[1] == 2)
    assert projected.curve is not None
    assert projected.curve.lr[0].tolist() == [0.05, 0.5]
    driver.set_up(tiny(groups=[{**head, "modules": ["nothing*"]}]))
    driver.wait(lambda: driver.shows(window.setup, "matches no module"))


def test_each_group_and_all_of_them_are_set_and_scaled(driver: Driver) -> None:
    driver.pause_at(tiny(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}]), 2, 1)
    window = driver.window
    driver.click(window.lr_panel, "÷10")
    assert driver.answer("scale_lr").lr == pytest.approx([0.005, 0.05])
    driver.click(window.lr_panel, "head")
    driver.type_lr("0.2")
    driver.click(window.lr_panel, "Apply")
    assert driver.answer("set_lr").lr == pytest.approx([0.005, 0.2])
    driver.click(window.transport, "Resume")
    driver.finish()
    lrs = np.stack([column.values for column in driver.model.history.lrs], axis=1)
    assert lrs[0].tolist() == [0.05, 0.5]
    assert [0.005, 0.2] in [pytest.approx(row) for row in lrs.tolist()]


def test_a_run_that_was_loaded_is_shown_as_paused_and_resumes(driver: Driver, tmp_path: Path) -> None:
    driver.pause_at(tiny(), 3, 1)
    driver.app.current_run.post(Save(path=str(tmp_path / "here.tiller")))
    driver.click(driver.window.transport, "Stop")
    driver.finish()
    driver.app.files.open_path(str(tmp_path / "here.tiller"))
    driver.wait(lambda: driver.window.chip.text() == "Paused")
    assert driver.model.position == Position(epoch=3, batch=1)
    driver.click(driver.window.transport, "Resume")
    assert driver.finish().reason == "finished"


def test_unfinished_runs_are_offered_and_continued(driver: Driver, new_driver: object) -> None:
    driver.pause_at(Recipe().model_copy(update={"device": "cpu"}), epoch=4, batch=2)
    run = driver.of("start")[0].run
    driver.close()
    assert callable(new_driver)
    second: Driver = new_driver()
    driver.wait(lambda: second.shows(second.window.start_page, "digits small_cnn, epoch 3 of 30"))
    second.click(second.window.start_page, "Continue")
    second.wait(lambda: second.of("start"))
    assert second.of("start")[0].run == run
    assert (second.of("start")[0].epoch, second.of("start")[0].batch) == (4, 2)
    assert len(second.of("start")[0].history) == 3
    second.wait(lambda: len(second.of("epoch")) > 0)
    assert second.of("epoch")[0].epoch == 4


def answer_dialogs(monkeypatch: pytest.MonkeyPatch, yes: bool) -> list[str]:
    """Answer every question; returns what was asked."""
    from PySide6.QtWidgets import QMessageBox

    asked: list[str] = []
    button = QMessageBox.StandardButton.Yes if yes else QMessageBox.StandardButton.Cancel

    def question(_parent: object, _title: str, text: str, *_: object) -> QMessageBox.StandardButton:
        asked.append(text)
        return button

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked


def test_the_window_never_opens_larger_than_the_screen_has_room(qtbot: QtBot) -> None:
    window = MainWindow()  # not the driver's, which has the size of a usual screen
    qtbot.addWidget(window, before_close_func=MainWindow.leave)
    room = window.screen().availableGeometry()

    def fits() -> bool:
        return window.height() < room.height() and window.width() <= max(room.width(), window.minimumSizeHint().width())

    assert fits()
    window.resize(2560, 1600)  # as it was left on a larger screen
    assert not fits()
    settings = Settings()
    window.store_layout(settings)
    window.restore_layout(settings)
    assert fits()


def test_on_a_small_screen_everything_fits_and_the_plots_stay_high_enough_to_be_read(driver: Driver) -> None:
    """960 by 540 is what a screen of 1920 by 1080 has at 200%, the frame included."""
    window, plots = driver.window, driver.window.plots
    when = datetime.now()
    runs = [Resumable(run=f"r{i}", title=f"digits, epoch {i} of 30", when=when, interrupted=True) for i in range(4)]
    window.start_page.show_resumables(runs)
    window.resize(960, 504)
    window.banner.show_failure("There is a problem. " * 20, "line\n" * 30)
    driver.click(window.banner, "Details")
    window.show_log.setChecked(True)
    window.show_runs.setChecked(True)
    driver.settle()
    assert (window.width(), window.height()) == (960, 504)
    assert all(plot.canvas.height() >= 64 for plot in plots.plots)
    for button in (*window.transport.findChildren(QPushButton), *window.banner.findChildren(QPushButton)):
        if button.isVisible():
            assert button.height() >= button.minimumSizeHint().height()
            assert button.width() >= button.minimumSizeHint().width()
    window.page.ensureWidgetVisible(plots.accuracy)
    assert not plots.accuracy.visibleRegion().isEmpty()

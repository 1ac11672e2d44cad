"""Interventions in the window: what is sent, confirmed and drawn, and that the LRs are exact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from engine.common.position import Position
from engine.messages.commands import CommandAt, ReleaseLR, ScaleLR, SetLR, SetSchedule
from engine.messages.commands_file import parse_commands
from engine.messages.events import CommandEvent
from engine.schedules import CosineAnnealingLR, StepLR
from engine.training.job import Job
from gui.core.lr_text import lr_text
from tests.engine.running import run
from tests.gui.app_fixture import BATCHES, LEFT, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

COSINE: dict[str, Any] = {"name": "CosineAnnealingLR", "T_max": 2}  # 0 from epoch 3 on, then higher again


def lines(events: list[Any]) -> tuple[CommandAt, ...]:
    """The interventions, with their positions, as the lines of a commands file."""
    interventions = [e for e in events if isinstance(e, CommandEvent) and e.status == "applied"]
    applied = ("set_lr", "scale_lr", "release_lr", "set_schedule", "set_epochs")
    text = [
        json.dumps({"at": {"epoch": e.epoch, "batch": e.batch}, **e.command})
        for e in interventions
        if e.name in applied
    ]
    return tuple(parse_commands("\n".join(text)))


def lrs_by_batch(driver: Driver) -> np.ndarray:
    """The LRs of each batch, [batches, groups]."""
    return np.concatenate([e.lr for e in driver.of("steps")])


def choose_schedule(driver: Driver, spec: StepLR | CosineAnnealingLR) -> None:
    """Show another schedule in the editor, as the picker and the form do."""
    panel = driver.window.schedule
    panel.editor.picker.chosen.emit(type(spec))
    form = panel.editor.forms[type(spec).__name__]
    for name, value in spec.model_dump(exclude={"name", "interval"}).items():
        if form.value() is None or getattr(form.value(), name) != value:
            editor = form.editor(name).control()
            editor.setFocus()
            editor.selectAll()
            driver.qtbot.keyClicks(editor, str(value))
    assert panel.schedule() == spec


def test_quick_buttons_apply_while_paused_and_only_confirmed_values_are_shown(driver: Driver) -> None:
    driver.pause_at(tiny(), 1, 3)
    assert driver.number == "0.05"
    driver.click(driver.window.lr_panel, "×2")
    assert driver.number == "0.05"
    assert driver.answer("scale_lr").lr == [0.1]
    driver.wait(lambda: driver.number == "0.1")
    assert driver.shows(driver.window.lr_panel, "×2 of schedule")
    assert driver.shows(driver.window.action_line, "0.05 -> 0.1")
    assert driver.model.state == "paused"


def test_field_apply_hold_and_return_to_schedule(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 1)
    lr_panel = driver.window.lr_panel
    driver.type_lr("0.003")
    assert driver.number == "0.05"
    driver.qtbot.mouseClick(driver.button(lr_panel, "Hold this LR"), LEFT, pos=QPoint(8, 8))
    driver.click(lr_panel, "Apply")
    assert driver.answer("set_lr").command == {"command": "set_lr", "lr": 0.003, "then": "hold"}
    driver.wait(lambda: driver.number == "0.003" and driver.shows(lr_panel, "held"))
    driver.resume_to(4)
    assert driver.number == "0.003"
    driver.click(lr_panel, "Return to schedule (0.025)")
    pending = driver.window.plots.lr.pending
    driver.wait(lambda: pending.known and pending.begin == 3.0)
    assert [pending.at(0, x) for x in (3.0, 4.0)] == [0.025, 0.0125]
    assert driver.shows(lr_panel, "0.003 -> 0.025")
    assert (driver.number, driver.answers("release_lr")) == ("0.003", [])
    driver.app.undo.undo.trigger()
    driver.wait(lambda: not pending.known)
    driver.app.undo.redo.trigger()
    driver.click(lr_panel, "Apply")
    driver.wait(lambda: driver.number == "0.025")
    assert not driver.shows(lr_panel, "held")
    assert driver.answer("release_lr").lr == [0.025]


def test_the_slider_stages_and_apply_sends(driver: Driver) -> None:
    driver.pause_at(tiny(), 1, 1)
    slider = driver.window.lr_panel._stage._slider.slider()
    slider.setFocus()
    driver.press(Qt.Key.Key_Left, slider)
    driver.wait(lambda: driver.window.plots.lr.pending.curve is not None)
    staged = driver.window.lr_panel._stage._command
    assert isinstance(staged, SetLR)
    assert staged.lr < 0.05
    assert not driver.answers("set_lr")
    driver.click(driver.window.lr_panel, "Apply")
    assert driver.answer("set_lr").lr == [staged.lr]
    driver.wait(lambda: driver.window.plots.lr.pending.curve is None)


def test_following_a_schedule_at_0_is_rejected_and_hold_is_offered(driver: Driver) -> None:
    driver.pause_at(tiny(schedule=COSINE), 3, 1)
    lr_panel = driver.window.lr_panel
    assert driver.number == "0"
    driver.type_lr("0.01")
    driver.press(Qt.Key.Key_Return, driver.lr_field)
    assert driver.answer("set_lr").status == "rejected"
    driver.wait(lambda: driver.shows(lr_panel, "The scheduled LR is 0 here"))
    assert driver.number == "0"
    driver.click(lr_panel, "Hold this LR instead")
    driver.wait(lambda: driver.number == "0.01")
    assert driver.answer("set_lr").command["then"] == "hold"


def test_a_rejection_for_another_reason_offers_no_hold(driver: Driver) -> None:
    driver.pause_at(tiny(), 1, 1)
    driver.app.current_run.post(ScaleLR(factor=1e6))
    assert driver.answer("scale_lr").status == "rejected"
    driver.settle()
    assert driver.shows(driver.window.lr_panel, "the largest allowed is 1000")
    assert not driver.window.lr_panel._hold_instead.isVisible()


def test_a_warning_of_the_engine_is_shown(driver: Driver) -> None:
    driver.pause_at(tiny(schedule={"name": "LambdaLR", "lr_lambda": "0.01 if epoch < 2 else 1"}), 1, 1)
    driver.click(driver.window.lr_panel, "×10")
    assert driver.answer("scale_lr").warning is not None
    driver.wait(lambda: driver.shows(driver.window.lr_panel, "the rest of the curve rises"))


def test_dragging_the_line_stages_an_lr_and_escape_discards_it(driver: Driver) -> None:
    driver.pause_at(tiny(), 3, 2)
    driver.settle()
    plot = driver.window.plots.lr
    viewport = plot.canvas.viewport()
    start = QPointF(2 + 2 / BATCHES, np.log10(0.025))
    spots = [plot.canvas.mapFromScene(plot.view.mapViewToScene(start + QPointF(0, up))) for up in (0, 0.1, 0.2, 0.25)]
    QTest.mousePress(viewport, LEFT, pos=spots[0])
    for spot in spots[1:]:
        QTest.mouseMove(viewport, spot)
        driver.settle(20)
    QTest.mouseRelease(viewport, LEFT, pos=spots[-1])
    driver.wait(lambda: plot.pending.curve is not None)
    staged = driver.window.lr_panel._stage._command
    assert isinstance(staged, SetLR)
    assert 0.03 < staged.lr < 0.06
    assert plot.pending.curve is not None
    assert plot.pending.curve.lr[0, 0] == staged.lr
    assert driver.number == "0.025"
    driver.press(Qt.Key.Key_Escape)
    driver.wait(lambda: plot.pending.curve is None)
    assert driver.window.lr_panel._stage._command is None
    assert not driver.answers("set_lr")


def test_a_pending_change_of_a_schedule_by_batches_is_drawn_from_the_runs_position(driver: Driver) -> None:
    schedule = {"name": "CosineAnnealingLR", "T_max": 36, "interval": "step"}
    driver.pause_at(tiny(schedule=schedule), 2, 3)
    driver.type_lr("0.02")
    plot = driver.window.plots.lr
    driver.wait(lambda: plot.pending.curve is not None)
    assert plot.pending.curve is not None
    foreseen = plot.pending.curve.lr[:-1, 0].tolist()
    driver.click(driver.window.lr_panel, "Apply")
    driver.answer("set_lr")
    driver.click(driver.window.transport, "Resume")
    driver.finish()
    assert lrs_by_batch(driver)[BATCHES + 3 :, 0].tolist() == foreseen


def test_a_new_schedule_is_applied_at_the_next_epoch_as_drawn(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 3)
    window, plot = driver.window, driver.window.plots.lr
    driver.click(window.lr_panel, "Change schedule…")
    choose_schedule(driver, CosineAnnealingLR(T_max=4))
    driver.wait(lambda: plot.pending.curve is not None)
    assert plot.pending.curve is not None
    assert plot.pending.curve.x[0] == 2.0
    foreseen = plot.pending.curve.lr[:-1, 0]
    assert driver.shows(window.schedule, "Epoch 3: ")
    driver.click(window.schedule, "Apply")
    driver.wait(lambda: any(e.name == "set_schedule" and e.status == "queued" for e in driver.of("command")))
    driver.settle()
    assert not driver.answers("set_schedule")
    assert driver.shows(window.schedule, "it starts with epoch 3")
    driver.click(window.transport, "Resume")
    answer = driver.answer("set_schedule")
    assert (answer.status, answer.epoch, answer.batch) == ("applied", 3, 0)
    driver.finish()
    assert lrs_by_batch(driver)[2 * BATCHES :, 0].tolist() == np.repeat(foreseen, BATCHES).tolist()
    assert plot.pending.curve is None
    assert window.schedule.schedule() == CosineAnnealingLR(T_max=4)


def test_an_applied_schedule_starts_again_only_by_the_users_choice(driver: Driver) -> None:
    driver.pause_at(tiny(epochs=8), 2)
    schedule, plot = driver.window.schedule, driver.window.plots.lr
    driver.window.show_side(schedule)
    choose_schedule(driver, CosineAnnealingLR(T_max=4))
    driver.click(schedule, "Apply")
    driver.wait(lambda: driver.answers("set_schedule") and not schedule.differs())
    assert not driver.button(schedule, "Apply").isEnabled()
    driver.resume_to(4)
    assert not driver.button(schedule, "Apply").isEnabled()
    assert not plot.pending.known
    driver.click(schedule, "Restart from here")
    driver.wait(lambda: plot.pending.known and plot.pending.begin == 3.0)
    lr = driver.model.lrs.lr[0] if driver.model.lrs else 0.0
    assert [plot.pending.at(0, x) for x in (3.0, 7.0)] == [lr, 0.0]
    driver.click(schedule, "Apply")
    driver.wait(lambda: len(driver.answers("set_schedule")) == 2 and not schedule.differs())
    driver.wait(lambda: not plot.pending.known and plot.projected.at(0, 7.0) == 0.0)


def test_the_pending_curve_moves_with_the_epochs(driver: Driver) -> None:
    driver.pause_at(tiny(epochs=8), 2, 3)
    plot = driver.window.plots.lr
    driver.window.show_side(driver.window.schedule)
    choose_schedule(driver, CosineAnnealingLR(T_max=4))
    driver.wait(lambda: plot.pending.curve is not None and plot.pending.curve.x[0] == 2.0)
    driver.resume_to(4, 2)
    driver.wait(lambda: plot.pending.curve is not None and plot.pending.curve.x[0] == 4.0)
    assert plot.pending.curve is not None
    foreseen = plot.pending.curve.lr[:-1, 0]
    driver.click(driver.window.schedule, "Apply")
    driver.click(driver.window.transport, "Resume")
    assert driver.answer("set_schedule").epoch == 5
    driver.finish()
    assert lrs_by_batch(driver)[4 * BATCHES :, 0].tolist() == np.repeat(foreseen, BATCHES).tolist()


def test_a_schedule_can_be_discarded_before_and_after_it_was_sent(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 3)
    schedule, plot = driver.window.schedule, driver.window.plots.lr
    driver.window.show_side(schedule)
    choose_schedule(driver, CosineAnnealingLR(T_max=4))
    driver.wait(lambda: plot.pending.curve is not None)
    driver.click(schedule, "Discard")
    driver.wait(lambda: plot.pending.curve is None)
    assert schedule.schedule() == StepLR(step_size=2, gamma=0.5)
    choose_schedule(driver, CosineAnnealingLR(T_max=4))
    driver.click(schedule, "Apply")
    driver.click(schedule, "Discard")
    assert driver.answer("set_schedule").reason == "withdrawn"
    driver.click(driver.window.transport, "Resume")
    driver.finish()
    assert [e.lr for e in driver.of("epoch")] == [[0.05], [0.05], [0.025], [0.025], [0.0125], [0.0125]]


def test_as_if_from_epoch_1_is_drawn_and_applied(driver: Driver) -> None:
    driver.pause_at(tiny(), 4)
    schedule, plot = driver.window.schedule, driver.window.plots.lr
    driver.window.show_side(schedule)
    schedule.pending.replay.click()
    choose_schedule(driver, StepLR(step_size=1, gamma=0.5))
    driver.wait(lambda: plot.pending.curve is not None and plot.pending.curve.lr[0, 0] == 0.05 / 8)
    driver.click(schedule, "Apply")
    answer = driver.answer("set_schedule")
    assert answer.command["start"] == "replay"
    assert answer.lr == [0.05 / 8]


def test_an_unusable_schedule_shows_the_reason_and_cannot_be_applied(driver: Driver) -> None:
    driver.pause_at(tiny(schedule={"name": "LambdaLR", "lr_lambda": "1 if epoch < 2 else 0"}), 3, 1)
    schedule = driver.window.schedule
    driver.window.show_side(schedule)
    choose_schedule(driver, StepLR(step_size=1, gamma=0.5))
    driver.wait(lambda: "an LR of 0" in schedule.preview.full_text())
    assert not driver.button(schedule, "Apply").isEnabled()
    driver.click(schedule, "Discard")
    driver.wait(lambda: not schedule.preview.is_error())


def test_discarding_an_lr_shows_the_pending_schedule_again(driver: Driver) -> None:
    driver.pause_at(tiny(), 2)
    plot = driver.window.plots.lr
    choose_schedule(driver, CosineAnnealingLR(T_max=4))
    driver.type_lr("0.7")
    driver.wait(lambda: plot.pending.curve is not None and plot.pending.curve.lr[0, 0] == 0.7)
    driver.press(Qt.Key.Key_Escape)
    driver.wait(lambda: plot.pending.curve is not None and plot.pending.curve.lr[0, 0] == 0.05)


def test_an_expression_that_gives_the_lr_itself(driver: Driver) -> None:
    from engine.schedules import LambdaLR

    window = driver.window
    driver.set_up(tiny())
    window.show_side(window.schedule)
    window.schedule.editor.picker.chosen.emit(LambdaLR)
    combo = window.schedule.editor.gives.combo
    combo.setFocus()
    driver.press(Qt.Key.Key_Down, combo)
    driver.start()
    driver.finish()
    assert [e.lr[0] for e in driver.of("epoch")] == [0.01 - 0.0009 * epoch for epoch in range(6)]


def test_t_max_follows_the_epochs_until_it_is_edited(driver: Driver) -> None:
    window = driver.window
    driver.set_up(tiny())
    window.schedule.editor.picker.chosen.emit(CosineAnnealingLR)

    def epochs(text: str) -> None:
        edit = window.setup.length.editor("epochs").control()
        edit.setFocus()
        edit.selectAll()
        driver.qtbot.keyClicks(edit, text)

    epochs("9")
    assert window.setup.recipe() == tiny(epochs=9, schedule={"name": "CosineAnnealingLR", "T_max": 9})
    choose_schedule(driver, CosineAnnealingLR(T_max=5))
    epochs("12")
    assert window.setup.recipe() == tiny(epochs=12, schedule={"name": "CosineAnnealingLR", "T_max": 5})


# -- exactness


def test_interventions_in_the_window_are_replayed_to_the_bit_without_it(driver: Driver, tmp_path: Path) -> None:
    recipe = tiny(epochs=60)
    driver.start(recipe)
    for intervention in (
        lambda: driver.click(driver.window.lr_panel, "÷2"),
        lambda: driver.app.current_run.post(SetLR(lr=0.013, then="hold")),
        lambda: driver.app.current_run.post(ReleaseLR()),
        lambda: driver.app.current_run.post(SetSchedule(schedule=CosineAnnealingLR(T_max=30))),
        lambda: driver.click(driver.window.lr_panel, "×2"),
    ):
        if driver.model.end is None:
            driver.wait(lambda: bool(driver.of("steps")) and driver.model.state == "training")
            intervention()
            driver.settle(5)
    end = driver.finish()
    assert end.reason == "finished"
    interventions = lines(driver.events)
    assert len(interventions) >= 2
    again = run(Job(recipe=recipe, lines=interventions))
    assert again.end.weights_sha256 == end.weights_sha256
    assert [e.lr for e in again.epochs] == [e.lr for e in driver.of("epoch")]


def test_commands_for_a_position_are_answered_in_the_window(driver: Driver) -> None:
    driver.set_up(tiny())
    driver.wait(lambda: driver.app.lookups.ready)
    driver.start()
    driver.app.current_run.post(SetLR(lr=0.3), Position(epoch=3, batch=2))
    driver.finish()
    answer = driver.answer("set_lr")
    assert (answer.epoch, answer.batch) == (3, 2)
    assert lrs_by_batch(driver)[2 * BATCHES : 3 * BATCHES, 0].tolist() == [0.025, 0.025, 0.3, 0.3, 0.3, 0.3]


def test_lrs_that_arrive_late_do_not_move_the_run_back(driver: Driver) -> None:
    driver.pause_at(tiny(), 2, 3)
    late = next(e for e in driver.of("lr") if (e.epoch, e.batch) == (2, 0))
    assert driver.model.position == Position(epoch=2, batch=3)
    driver.app.current_run.publish(late)
    assert driver.model.position == Position(epoch=2, batch=3)


def test_epochs_that_are_delivered_together_keep_their_own_times(driver: Driver) -> None:
    driver.start(tiny(epochs=8))
    driver.finish()
    took = np.diff(driver.model.history.to_axis(np.arange(9.0), "time"))
    reported = np.array([e.seconds for e in driver.of("epoch")])
    assert (took[1:] > reported[1:] / 2).all()


@pytest.mark.parametrize(
    "schedule",
    [{"name": "CosineAnnealingLR", "T_max": 30}, {"name": "OneCycleLR", "max_lr": 0.1}],
    ids=lambda s: s["name"],
)
def test_at_a_fast_runs_end_everything_shows_the_lr_of_its_last_batch(driver: Driver, schedule: dict[str, Any]) -> None:
    window = driver.window
    window.show_runs.setChecked(True)
    driver.start(tiny(epochs=30, schedule=schedule))
    driver.finish()
    last = float(lrs_by_batch(driver)[-1, 0])
    shown = lr_text(last, 4)
    driver.wait(lambda: driver.number == shown)
    driver.wait(lambda: f"· {shown} –" in window.windowTitle())
    assert window.plots.lr.history.lrs[0].last == last
    driver.wait(lambda: window.plots.lr.values_at(None)["0"] == shown)
    assert any(driver.shows(window.lr_panel, text) for text in ("constant to the end", f"{shown} at the end"))
    runs = driver.app.library_controller.panel
    assert runs is not None
    driver.wait(lambda: runs.model.rowCount() == 1 and runs.model.run(0).lr == (last,))


def test_the_title_shows_an_lr_as_exactly_as_the_panel(driver: Driver) -> None:
    driver.pause_at(tiny(schedule={"name": "Constant"}, optimizer={"name": "SGD", "lr": 0.00125}), 2)
    driver.wait(lambda: "· 0.00125 –" in driver.window.windowTitle())
    assert driver.number == "0.00125"

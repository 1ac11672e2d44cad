"""The schedule panel: fields that follow the run, the pending schedule, expressions, problems and warnings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from engine.messages.commands import SetSchedule
from engine.schedules import (
    SCHEDULES,
    Constant,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from gui.schedule.context import suggested
from gui.schedule.expressions import ExpressionsEditor
from gui.schedule.group_schedules import Schedules
from gui.schedule.panel import SchedulePanel
from gui.schedule.popup import KIND
from gui.widgets.forms import SpecForm
from gui.widgets.sparkline import shape

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours


@pytest.fixture
def panel(qtbot: QtBot) -> SchedulePanel:
    made = SchedulePanel()
    qtbot.addWidget(made)
    made.resize(310, 640)
    with qtbot.waitExposed(made):
        made.show()
    return made


def choose(qtbot: QtBot, panel: SchedulePanel, kind: type[ScheduleSpec]) -> None:
    """Open the list with the mouse and click the entry."""
    qtbot.mouseClick(panel.editor.picker, Qt.MouseButton.LeftButton)
    listed = panel.editor.picker.popup.list
    assert listed.isVisible()
    item = next(listed.item(i) for i in range(listed.count()) if listed.item(i).data(KIND) is kind)
    listed.scrollToItem(item)
    spot = listed.visualItemRect(item).center()
    qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert not listed.isVisible()


def pick(qtbot: QtBot, combo: QWidget, value: str) -> None:
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findData(value)):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == value


def retype(qtbot: QtBot, edit: QWidget, text: str) -> None:
    assert isinstance(edit, QLineEdit)
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    if text:
        qtbot.keyClicks(edit, text)


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))


def field(panel: SchedulePanel, kind: type[ScheduleSpec], name: str) -> QWidget:
    return form(panel, kind).editor(name).control()


def form(panel: SchedulePanel, kind: type[ScheduleSpec]) -> SpecForm:
    made = panel.editor.forms[kind.__name__]
    assert isinstance(made, SpecForm)
    return made


def expressions(panel: SchedulePanel, kind: type[ScheduleSpec] = LambdaLR) -> ExpressionsEditor:
    editor = form(panel, kind).editor("lr_lambda")
    assert isinstance(editor, ExpressionsEditor)
    return editor


def test_forms_and_the_list_are_created_when_they_are_shown(qtbot: QtBot, panel: SchedulePanel) -> None:
    assert list(panel.editor.forms) == ["StepLR"]
    assert not panel.findChildren(QListWidget)
    choose(qtbot, panel, CosineAnnealingLR)
    assert list(panel.editor.forms) == ["StepLR", "CosineAnnealingLR"]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (Constant, Constant()),
        (MultiStepLR, MultiStepLR(milestones=(30, 45))),
        (ExponentialLR, ExponentialLR(gamma=0.95)),
        (CosineAnnealingLR, CosineAnnealingLR(T_max=60)),
        (ReduceLROnPlateau, ReduceLROnPlateau()),
        (LambdaLR, LambdaLR(lr_lambda=("0.95**epoch",))),
        (ConstantLR, ConstantLR(total_iters=5)),
        (LinearLR, LinearLR(total_iters=5)),
        (PolynomialLR, PolynomialLR(total_iters=60)),
        (CosineAnnealingWarmRestarts, CosineAnnealingWarmRestarts(T_0=20)),
        (CyclicLR, CyclicLR(base_lr=0.001, max_lr=0.01, step_size_up=230)),
        (OneCycleLR, OneCycleLR(max_lr=0.1)),
        (MultiplicativeLR, MultiplicativeLR(lr_lambda=("0.95",))),
    ],
)
def test_a_schedule_is_chosen_from_the_list_with_values_that_fit_the_run(
    qtbot: QtBot, panel: SchedulePanel, kind: type[ScheduleSpec], wanted: ScheduleSpec
) -> None:
    panel.set_context(60, 0, 0.01, False)
    panel.set_batches(23)
    with qtbot.waitSignal(panel.schedule_changed) as changed:
        choose(qtbot, panel, kind)
    assert changed.args == [wanted]
    assert panel.schedule() == wanted


@pytest.mark.parametrize("epochs", [1, 2, 3, 30, 1_000_000])
def test_suggested_values_are_valid_for_any_length(epochs: int) -> None:
    for kind in SCHEDULES:
        for lr in (0.0, 0.01, 1 / 3, 1000.0):
            kind.model_validate(suggested(kind, epochs, lr))


def test_the_list_offers_every_schedule(panel: SchedulePanel) -> None:
    listed = panel.editor.picker.popup.list
    offered = [listed.item(i).data(KIND) for i in range(listed.count()) if listed.item(i).data(KIND)]
    assert offered == list(SCHEDULES)


def test_a_schedule_with_its_own_lr_takes_no_base(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    retype(qtbot, panel.pending.base.edit, "0.02")
    choose(qtbot, panel, OneCycleLR)
    assert panel.command() == SetSchedule(schedule=OneCycleLR(max_lr=0.05))
    assert not panel.pending.base.edit.isEnabled()
    assert "OneCycleLR has its own start LR" in panel.pending.base.edit.toolTip()
    choose(qtbot, panel, ExponentialLR)
    assert panel.command() == SetSchedule(schedule=ExponentialLR(gamma=0.95), lr=0.02)


def test_each_groups_factor_has_its_own_line_which_may_contain_commas(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_group_names(["rest", "head"])
    choose(qtbot, panel, MultiplicativeLR)
    retype(qtbot, expressions(panel, MultiplicativeLR).lines[1], "max(0.9, 1 - epoch / 10)")
    assert panel.schedule() == MultiplicativeLR(lr_lambda=("0.95", "max(0.9, 1 - epoch / 10)"))


def test_the_list_opens_moves_and_closes_by_key(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.editor.picker.setFocus()
    qtbot.keyClick(panel.editor.picker, Qt.Key.Key_Down)
    popup = panel.editor.picker.popup
    assert popup.isVisible()
    qtbot.keyClick(popup.list, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    assert isinstance(panel.schedule(), StepLR)
    qtbot.keyClick(panel.editor.picker, Qt.Key.Key_Down)
    qtbot.keyClick(popup.list, Qt.Key.Key_Down)
    qtbot.keyClick(popup.list, Qt.Key.Key_Return)
    assert not popup.isVisible()
    assert isinstance(panel.schedule(), MultiStepLR)


def test_counts_follow_the_epochs_until_edited(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel, CosineAnnealingLR)
    with qtbot.waitSignal(panel.schedule_changed) as changed:
        panel.set_context(50, 0, 0.01, False)
    assert changed.args == [CosineAnnealingLR(T_max=50)]
    retype(qtbot, field(panel, CosineAnnealingLR, "T_max"), "20")
    with qtbot.assertNotEmitted(panel.schedule_changed):
        panel.set_context(90, 0, 0.01, False)
    assert panel.schedule() == CosineAnnealingLR(T_max=20)


def test_a_schedule_stepped_per_batch_counts_the_batches_of_the_run(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_batches(23)
    choose(qtbot, panel, CosineAnnealingLR)
    form(panel, CosineAnnealingLR).open_more()
    pick(qtbot, field(panel, CosineAnnealingLR, "interval"), "step")
    assert panel.schedule() == CosineAnnealingLR(T_max=690, interval="step")
    panel.set_batches(10)
    assert panel.schedule() == CosineAnnealingLR(T_max=300, interval="step")
    pick(qtbot, field(panel, CosineAnnealingLR, "interval"), "epoch")
    assert panel.schedule() == CosineAnnealingLR(T_max=30)


def test_one_cycles_total_steps_are_computed_from_the_run(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel, OneCycleLR)
    assert "total_steps" not in panel.editor.when.full_text()  # the batches are not known yet
    panel.set_batches(23)
    assert "total_steps is 690, computed from the run." in panel.editor.when.full_text()
    panel.set_context(40, 12, 0.01, True)
    assert "total_steps is 644, computed from the run." in panel.editor.when.full_text()


def test_a_recipes_own_count_does_not_follow(panel: SchedulePanel) -> None:
    panel.set_schedule(StepLR(step_size=7, gamma=0.5))
    panel.set_context(90, 0, 0.01, False)
    assert panel.schedule() == StepLR(step_size=7, gamma=0.5)
    panel.set_schedule(StepLR(step_size=30, gamma=0.5))
    panel.set_context(60, 0, 0.01, False)
    assert panel.schedule() == StepLR(step_size=20, gamma=0.5)


@pytest.mark.parametrize(
    "spec", [StepLR(step_size=4), LambdaLR(lr_lambda=("1", "epoch/2")), ReduceLROnPlateau(factor=0.3)]
)
def test_set_schedule_is_shown_without_a_signal(qtbot: QtBot, panel: SchedulePanel, spec: ScheduleSpec) -> None:
    with qtbot.assertNotEmitted(panel.schedule_changed), qtbot.assertNotEmitted(panel.base_lr_wanted):
        panel.set_schedule(spec)
    assert panel.schedule() == spec


def test_apply_and_discard_are_visible_during_a_run_only(panel: SchedulePanel) -> None:
    assert not panel.pending.isVisible()
    panel.set_context(30, 3, 0.01, True)
    assert panel.pending.isVisible()


def test_during_a_run_a_new_schedule_fits_the_rest_and_shows_the_runs_epochs(
    qtbot: QtBot, panel: SchedulePanel
) -> None:
    panel.set_context(40, 12, 0.005, True)
    assert panel.schedule() == StepLR(step_size=10, gamma=0.5)  # the current schedule does not change
    choose(qtbot, panel, CosineAnnealingLR)
    assert panel.schedule() == CosineAnnealingLR(T_max=28)
    assert form(panel, CosineAnnealingLR).note("T_max").full_text() == "T_max 28 = epoch 40"
    choose(qtbot, panel, MultiStepLR)
    retype(qtbot, field(panel, MultiStepLR, "milestones"), "15")
    note = form(panel, MultiStepLR).note("milestones")
    assert note.full_text() == "milestone 15 = epoch 27"
    retype(qtbot, field(panel, MultiStepLR, "milestones"), "15, 20")
    assert note.full_text() == "milestones 15, 20 = epochs 27, 32"
    click(qtbot, panel.pending.replay)
    assert note.full_text() == ""


def test_the_counts_of_the_current_schedule_are_from_where_it_began(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    panel.set_schedules(Schedules(CosineAnnealingLR(T_max=20)), [7.0])
    note = form(panel, CosineAnnealingLR).note("T_max")
    assert note.full_text() == "T_max 20 = epoch 27"
    panel.set_context(40, 13, 0.005, True)
    assert note.full_text() == "T_max 20 = epoch 27"
    retype(qtbot, field(panel, CosineAnnealingLR, "T_max"), "21")
    assert note.full_text() == "T_max 21 = epoch 34"  # it would start here
    click(qtbot, panel.pending.discard)
    assert note.full_text() == "T_max 20 = epoch 27"
    click(qtbot, panel.pending.restart)
    assert note.full_text() == "T_max 20 = epoch 33"


def test_as_if_from_epoch_1_fits_the_whole_run(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    choose(qtbot, panel, CosineAnnealingLR)
    click(qtbot, panel.pending.replay)
    assert panel.command() == SetSchedule(schedule=CosineAnnealingLR(T_max=40), start="replay")
    assert not panel.pending.base.edit.isEnabled()
    assert "recipe's LR" in panel.pending.base.edit.toolTip()


def test_apply_sends_the_schedule_with_its_base(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    choose(qtbot, panel, ExponentialLR)
    assert panel.title.text() == "Schedule: change not applied yet"
    retype(qtbot, panel.pending.base.edit, "0.02")
    with qtbot.waitSignal(panel.apply_requested) as applied:
        click(qtbot, panel.pending.apply)
    assert applied.args == [SetSchedule(schedule=ExponentialLR(gamma=0.95), start="here", lr=0.02)]
    panel.set_schedule(ExponentialLR(gamma=0.95))
    assert panel.title.text() == "Schedule"
    assert panel.pending.base.edit.text() == ""


def test_the_current_schedule_cannot_be_applied_until_something_changes(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    apply, discard = panel.pending.apply, panel.pending.discard
    assert not apply.isEnabled()
    assert "This is the current schedule" in apply.toolTip()
    assert "Restart from here" in apply.toolTip()
    assert not discard.isEnabled()
    steps = field(panel, StepLR, "step_size")
    for text, pending in (("9", True), ("10", False)):
        retype(qtbot, steps, text)
        assert (apply.isEnabled(), discard.isEnabled()) == (pending, pending)
    for text, pending in (("0.02", True), ("", False)):
        retype(qtbot, panel.pending.base.edit, text)
        assert apply.isEnabled() == pending
    for button, pending in ((panel.pending.replay, True), (panel.pending.here, False)):
        click(qtbot, button)
        assert apply.isEnabled() == pending


def test_another_use_of_the_same_expression_is_a_change(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    panel.set_schedule(LambdaLR(lr_lambda=("0.5",)))
    assert not panel.pending.apply.isEnabled()
    pick(qtbot, panel.editor.gives.combo, "lr")
    assert panel.pending.apply.isEnabled()
    panel.set_schedule(LambdaLR(lr_lambda=("0.5",)))  # as after it was applied
    assert not panel.pending.apply.isEnabled()


def test_a_schedule_is_sent_once_until_it_is_answered_or_changed(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    panel.pending.offer_epoch(14)
    panel.stage(ExponentialLR(gamma=0.9))
    click(qtbot, panel.pending.apply)
    assert not panel.pending.apply.isEnabled()
    assert "sent already" in panel.pending.apply.toolTip()
    assert panel.pending.discard.isEnabled()  # it withdraws it
    qtbot.keyClick(panel.pending.when, Qt.Key.Key_Down)  # at the next batch
    assert panel.pending.apply.isEnabled()
    qtbot.keyClick(panel.pending.when, Qt.Key.Key_Up)
    assert not panel.pending.apply.isEnabled()
    retype(qtbot, field(panel, ExponentialLR, "gamma"), "0.8")
    click(qtbot, panel.pending.apply)
    panel.set_problem("the current LR is 0")  # it was rejected
    panel.set_problem(None)
    assert panel.pending.apply.isEnabled()
    click(qtbot, panel.pending.apply)
    panel.set_schedule(ExponentialLR(gamma=0.8))  # it was applied
    assert "This is the current schedule" in panel.pending.apply.toolTip()


def test_restarting_the_current_schedule_is_a_choice_of_its_own_and_pending(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    again = SetSchedule(schedule=StepLR(step_size=10, gamma=0.5))
    seen: list[Any] = []
    panel.pending_changed.connect(seen.append)
    click(qtbot, panel.pending.restart)
    assert (panel.differs(), seen) == (True, [again])
    assert panel.title.text() == "Schedule: change not applied yet"
    assert not panel.pending.restart.isEnabled()
    click(qtbot, panel.pending.discard)
    assert not panel.differs()
    panel.show_command(again)  # as Redo does
    with qtbot.waitSignal(panel.apply_requested) as applied:
        click(qtbot, panel.pending.apply)
    assert applied.args == [again]
    panel.stage(ExponentialLR(gamma=0.9))
    assert not panel.pending.restart.isEnabled()
    assert "Apply or discard" in panel.pending.restart.toolTip()


def test_one_groups_schedule_is_given_to_all_by_a_choice_of_its_own(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_group_names(["rest", "head"])
    panel.set_context(40, 12, [0.005, 0.05], True)
    panel.set_schedules(Schedules(ExponentialLR(gamma=0.9), {"head": StepLR(step_size=3)}))
    assert not panel.pending.apply.isEnabled()
    assert panel.pending.restart.text() == "Use for all groups"
    click(qtbot, panel.pending.restart)
    with qtbot.waitSignal(panel.apply_requested) as applied:
        click(qtbot, panel.pending.apply)
    assert applied.args == [SetSchedule(schedule=ExponentialLR(gamma=0.9))]


def test_every_change_of_the_pending_schedule_is_emitted(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    seen: list[Any] = []
    panel.pending_changed.connect(seen.append)
    retype(qtbot, panel.pending.base.edit, "0.5")
    assert seen[-1] == SetSchedule(schedule=StepLR(step_size=10, gamma=0.5), lr=0.5)
    retype(qtbot, panel.pending.base.edit, "-1")
    assert seen[-1] is None
    assert panel.pending.note.is_error()
    assert not panel.pending.apply.isEnabled()
    assert panel.pending.note.full_text() in panel.pending.apply.toolTip()


def test_discard_shows_the_current_schedule_again(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    choose(qtbot, panel, LambdaLR)
    retype(qtbot, panel.pending.base.edit, "0.1")
    with qtbot.waitSignal(panel.discard_requested):
        click(qtbot, panel.pending.discard)
    assert panel.schedule() == StepLR(step_size=10, gamma=0.5)
    assert panel.command() == SetSchedule(schedule=StepLR(step_size=10, gamma=0.5))


def test_a_problem_of_the_curve_disables_apply_and_shows_why(panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.0, True)
    panel.stage(ExponentialLR(gamma=0.9))
    panel.set_preview("epoch 13: 0.005")
    assert panel.preview.full_text() == "epoch 13: 0.005"
    panel.set_problem("the current LR is 0")
    assert panel.preview.is_error()
    assert panel.preview.full_text() == "the current LR is 0"
    assert not panel.pending.apply.isEnabled()
    assert "the current LR is 0" in panel.pending.apply.toolTip()
    panel.set_problem(None)
    assert panel.preview.full_text() == "epoch 13: 0.005"
    assert panel.pending.apply.isEnabled()


def test_warnings_are_shown_and_disable_nothing(panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.01, True)
    panel.stage(ExponentialLR(gamma=0.9))
    panel.set_warnings(["the curve rises to 0.4"])
    assert "the curve rises to 0.4" in panel.notes.text()
    assert panel.pending.apply.isEnabled()


def test_a_schedule_starts_with_the_next_epoch_or_at_once(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.01, True)
    panel.pending.offer_epoch(14)
    assert panel.pending.when.currentText() == "at the start of epoch 14"
    assert not panel.pending.at_once()
    with qtbot.waitSignal(panel.pending_changed):
        qtbot.keyClick(panel.pending.when, Qt.Key.Key_Down)
    assert panel.pending.at_once()
    panel.pending.reset()
    assert not panel.pending.at_once()
    panel.pending.offer_epoch(None)
    assert panel.pending.at_once()


def test_an_advised_schedule_is_pending(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.01, True)
    with qtbot.waitSignal(panel.pending_changed) as pending:
        panel.stage(MultiStepLR(milestones=(3, 9)))
    assert pending.args == [SetSchedule(schedule=MultiStepLR(milestones=(3, 9)))]
    assert panel.title.text() == "Schedule: change not applied yet"
    click(qtbot, panel.pending.discard)
    assert panel.schedule() == StepLR(step_size=10, gamma=0.5)


def test_a_sent_schedule_is_shown_as_waiting(panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.01, True)
    panel.show_waiting("Sent: it starts with epoch 14.")
    assert "it starts with epoch 14" in panel.notes.text()
    panel.show_waiting(None)
    assert panel.notes.text() == ""


def test_an_accuracy_sets_mode_to_max_and_a_contradiction_is_a_warning(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel, ReduceLROnPlateau)
    pick(qtbot, field(panel, ReduceLROnPlateau, "monitor"), "val_accuracy")
    assert panel.schedule() == ReduceLROnPlateau(monitor="val_accuracy", mode="max")
    assert panel.notes.text() == ""
    pick(qtbot, field(panel, ReduceLROnPlateau, "mode"), "min")
    assert "val_accuracy improves when it gets larger, but mode is min" in panel.notes.text()
    pick(qtbot, field(panel, ReduceLROnPlateau, "monitor"), "train_loss")
    assert panel.schedule() == ReduceLROnPlateau(monitor="train_loss", mode="min")
    assert panel.notes.text() == ""


def test_an_expressions_error_is_marked_while_typing(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel, LambdaLR)
    line = expressions(panel).lines[0]
    retype(qtbot, line, "0.9**epohc")
    assert panel.schedule() is None
    note = form(panel, LambdaLR).note("lr_lambda")
    assert note.full_text().startswith("the name 'epohc' is not known")
    assert note.full_text().endswith("(at character 6)")
    assert line.error_at == 5
    retype(qtbot, line, "0.9**epoch")
    assert panel.schedule() == LambdaLR(lr_lambda=("0.9**epoch",))
    assert line.error_at is None
    retype(qtbot, line, "")
    assert form(panel, LambdaLR).errors() == {"lr_lambda": "is required"}


def test_a_pasted_lambda_loses_its_prefix_in_the_field(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel, LambdaLR)
    line = expressions(panel).lines[0]
    line.selectAll()
    QApplication.clipboard().setText("lambda epoch: 0.5 ** epoch")
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == "0.5 ** epoch"
    assert panel.schedule() == LambdaLR(lr_lambda=("0.5 ** epoch",))


def test_an_expression_that_gives_the_lr_asks_for_a_base_of_1_before_the_start(
    qtbot: QtBot, panel: SchedulePanel
) -> None:
    choose(qtbot, panel, LambdaLR)
    with qtbot.waitSignal(panel.base_lr_wanted) as wanted:
        pick(qtbot, panel.editor.gives.combo, "lr")
    assert wanted.args == [1.0]
    assert panel.schedule() == LambdaLR(lr_lambda=("0.01 - 0.0009*epoch if epoch < 10 else 0.001",))
    with qtbot.waitSignal(panel.base_lr_wanted) as wanted:
        choose(qtbot, panel, Constant)
    assert wanted.args == [None]


def test_during_a_run_the_command_of_an_expression_that_gives_the_lr_has_base_1(
    qtbot: QtBot, panel: SchedulePanel
) -> None:
    panel.set_context(40, 12, 0.005, True)
    choose(qtbot, panel, LambdaLR)
    with qtbot.assertNotEmitted(panel.base_lr_wanted):
        pick(qtbot, panel.editor.gives.combo, "lr")
    retype(qtbot, expressions(panel).lines[0], "0.01")
    assert panel.command() == SetSchedule(schedule=LambdaLR(lr_lambda=("0.01",)), lr=1.0)
    assert not panel.pending.base.edit.isEnabled()


def test_several_groups_have_an_expression_each(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel, LambdaLR)
    panel.set_group_names(["rest", "head"])
    assert panel.schedule() == LambdaLR(lr_lambda=("0.95**epoch", "0.95**epoch"))
    assert [line.accessibleName() for line in expressions(panel).lines] == ["Expression of rest", "Expression of head"]
    retype(qtbot, expressions(panel).lines[1], "1")
    assert panel.schedule() == LambdaLR(lr_lambda=("0.95**epoch", "1"))
    retype(qtbot, expressions(panel).lines[1], "(")
    assert expressions(panel).lines[0].error_at is None
    assert expressions(panel).lines[1].error_at is not None
    click(qtbot, expressions(panel).separate)
    assert panel.schedule() == LambdaLR(lr_lambda=("0.95**epoch",))
    panel.set_group_names(["all"])
    assert not expressions(panel).separate.isVisible()


def test_opening_the_list_requests_every_curve_and_shows_what_arrives(qtbot: QtBot, panel: SchedulePanel) -> None:
    requested: list[ScheduleSpec] = []
    panel.sparkline_wanted.connect(requested.append)
    qtbot.mouseClick(panel.editor.picker, Qt.MouseButton.LeftButton)
    panel.editor.picker.popup.hide()
    assert [type(spec) for spec in requested] == list(SCHEDULES)
    blank = panel.editor.picker.sparkline.grab().toImage()
    panel.set_sparkline("StepLR", np.arange(31.0), 0.01 * 0.5 ** (np.arange(31) // 10))
    assert panel.editor.picker.sparkline.grab().toImage() != blank


def test_a_curve_is_drawn_as_steps_within_its_box_and_bad_data_not_at_all() -> None:
    (across, level) = shape(np.array([0.0, 1.0, 2.0]), np.array([0.1, 0.05, 0.05]))[0]
    assert across.tolist() == [0, 0.5, 0.5, 1, 1]
    assert level.tolist() == [1, 1, 0.5, 0.5, 0.5]
    assert len(shape(np.arange(9.0), np.ones((9, 2)))) == 2
    (across, _) = shape(np.arange(100_001.0), np.ones(100_001))[0]
    assert len(across) < 1000
    assert across[-1] == 1
    assert shape(np.array([]), np.array([])) == []
    assert shape(np.arange(3.0), np.array([1.0, np.nan, 1.0])) == []


def test_an_error_moves_nothing(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    choose(qtbot, panel, LambdaLR)
    before = panel.pending.apply.mapTo(panel, QPoint())
    retype(qtbot, expressions(panel).lines[0], "nonsense + 1")
    panel.set_problem("there is no curve")
    qtbot.wait(1)
    assert panel.pending.apply.mapTo(panel, QPoint()) == before


def test_it_fits_its_column(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, 0.005, True)
    panel.set_group_names(["rest", "head"])
    for kind in SCHEDULES:
        if kind is not type(panel.schedule()):
            choose(qtbot, panel, kind)
        if isinstance(made := panel.editor.forms[kind.__name__], SpecForm):
            made.open_more()
        assert panel.minimumSizeHint().width() <= 300

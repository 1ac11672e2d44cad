"""Schedules of single groups: edited, in the recipe, and applied during a run."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from engine.messages.commands import SetSchedule
from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    ScheduleSpec,
    StepLR,
)
from gui.schedule.group_schedules import Schedules
from gui.schedule.panel import SchedulePanel
from gui.widgets.forms import SpecForm
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours
STEP, CUTS, FLAT = StepLR(step_size=10, gamma=0.5), ExponentialLR(gamma=0.9), Constant()
NAMES = ("rest", "body", "head")


def test_one_groups_schedule_leaves_the_others_unchanged() -> None:
    start = Schedules(STEP)
    head = start.put("head", CUTS, NAMES)
    assert [head.of(name, NAMES) for name in NAMES] == [STEP, STEP, CUTS]
    assert head == Schedules(STEP, {"head": CUTS})
    rest = start.put("rest", CUTS, NAMES)  # has no field of its own in a recipe
    assert [rest.of(name, NAMES) for name in NAMES] == [CUTS, STEP, STEP]
    assert "rest" not in rest.own
    assert rest.put(None, FLAT, NAMES) == Schedules(FLAT)
    assert head.put("head", STEP, NAMES) == Schedules(STEP)  # all alike again
    assert head.without("head") == Schedules(STEP)


def test_a_list_of_expressions_is_split_by_group_and_joined_again() -> None:
    listed = LambdaLR(lr_lambda=("1", "0.9**epoch", "0.8**epoch"))
    shared = Schedules(listed)
    assert shared.of("body", NAMES) == LambdaLR(lr_lambda=("0.9**epoch",))
    specs = {name: shared.of(name, NAMES) for name in NAMES}
    assert Schedules.of_run(specs) == shared
    assert not Schedules.of_run(specs).differ(NAMES)
    mixed = Schedules.of_run({"rest": STEP, "body": STEP, "head": CUTS})
    assert mixed == Schedules(STEP, {"head": CUTS})
    assert mixed.differ(NAMES)


@pytest.fixture
def panel(qtbot: QtBot) -> SchedulePanel:
    made = SchedulePanel()
    qtbot.addWidget(made)
    made.set_group_names(["rest", "head"])
    made.resize(310, 760)
    with qtbot.waitExposed(made):
        made.show()
    return made


def choose_group(qtbot: QtBot, panel: SchedulePanel, text: str) -> None:
    """Press a button of the chooser."""
    picker = panel.target.picker
    button = next(b for b in picker._buttons.buttons() if b.text() == text)
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def retype(qtbot: QtBot, panel: SchedulePanel, name: str, text: str) -> None:
    assert isinstance(panel.editor.form, SpecForm)
    edit = panel.editor.form.editor(name).control()
    assert isinstance(edit, QLineEdit)
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def test_a_single_group_offers_no_choice(qtbot: QtBot, panel: SchedulePanel) -> None:
    assert panel.target.isVisible()
    panel.set_group_names(["all"])
    assert not panel.target.isVisible()
    assert panel.group() is None


def test_before_the_start_a_group_gets_its_own_schedule_and_loses_it(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(STEP)
    choose_group(qtbot, panel, "head")
    assert panel.schedule() == STEP
    assert not panel.target.shared.isVisible()
    with qtbot.waitSignal(panel.schedule_changed):
        retype(qtbot, panel, "gamma", "0.3")
    own = StepLR(step_size=10, gamma=0.3)
    assert panel.schedules() == Schedules(STEP, {"head": own})
    assert "rest: StepLR, step_size 10, gamma 0.5" in panel.target.note.full_text()
    assert "head: StepLR, step_size 10, gamma 0.3" in panel.target.note.full_text()
    choose_group(qtbot, panel, "rest")
    assert panel.schedule() == STEP
    choose_group(qtbot, panel, "head")
    assert panel.schedule() == own
    with qtbot.waitSignal(panel.schedule_changed):
        qtbot.mouseClick(panel.target.shared, Qt.MouseButton.LeftButton)
    assert panel.schedules() == Schedules(STEP)
    assert panel.schedule() == STEP


def test_what_is_chosen_for_all_groups_replaces_their_own(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedules(Schedules(STEP, {"head": CUTS}))
    assert "A change here gives all groups the same schedule." in panel.target.note.full_text()
    panel.editor.choose(CosineAnnealingLR)
    assert panel.schedules() == Schedules(CosineAnnealingLR(T_max=30))


def test_groups_on_the_same_schedule_share_a_line(panel: SchedulePanel) -> None:
    panel.set_group_names(NAMES)
    panel.set_schedules(Schedules(FLAT, {"head": CUTS}))
    assert panel.target.note.full_text().splitlines()[:2] == ["rest, body: Constant", "head: ExponentialLR, gamma 0.9"]


def test_all_schedules_follow_the_epochs_whichever_is_edited(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedules(Schedules(CosineAnnealingLR(T_max=30), {"head": StepLR(step_size=10, gamma=0.3)}))
    choose_group(qtbot, panel, "head")
    panel.set_context(60, 0, (0.01, 0.1), False)
    assert panel.schedules() == Schedules(CosineAnnealingLR(T_max=60), {"head": StepLR(step_size=20, gamma=0.3)})
    choose_group(qtbot, panel, "All")
    panel.set_context(12, 0, (0.01, 0.1), False)
    assert panel.schedules() == Schedules(CosineAnnealingLR(T_max=12), {"head": StepLR(step_size=4, gamma=0.3)})


def test_a_group_that_is_renamed_keeps_its_schedule(panel: SchedulePanel) -> None:
    panel.set_schedules(Schedules(STEP, {"head": CUTS}))
    panel.set_group_names(["rest", "top"])
    assert panel.schedules() == Schedules(STEP, {"top": CUTS})


def test_before_the_start_a_group_has_one_expression_that_cannot_give_the_lr_itself(
    qtbot: QtBot, panel: SchedulePanel
) -> None:
    choose_group(qtbot, panel, "head")
    panel.editor.choose(LambdaLR)
    assert panel.schedules().own == {"head": LambdaLR(lr_lambda=("0.95**epoch",))}
    assert not panel.editor.gives.isVisible()
    choose_group(qtbot, panel, "All")
    panel.editor.choose(LambdaLR)
    assert panel.schedule() == LambdaLR(lr_lambda=("0.95**epoch", "0.95**epoch"))
    panel.editor.gives.show_value("lr")
    panel.editor.gives.edited.emit()
    assert not panel.target.picker.isEnabled()
    assert "gives the LR of all groups" in panel.target.note.full_text()


def test_during_a_run_the_command_names_the_group_and_its_lr_is_shown(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(40, 12, (0.005, 0.05), True)
    panel.set_schedules(Schedules.of_run({"rest": STEP, "head": CUTS}))
    assert panel.pending.base.edit.placeholderText() == "the current LR, 0.005, 0.05"
    choose_group(qtbot, panel, "head")
    assert panel.schedule() == CUTS
    assert panel.pending.base.edit.placeholderText() == "the current LR, 0.05"
    assert not panel.differs()
    retype(qtbot, panel, "gamma", "0.8")
    assert panel.differs()
    assert panel.command() == SetSchedule(schedule=ExponentialLR(gamma=0.8), group="head")
    choose_group(qtbot, panel, "All")  # the pending schedule is for all of them now
    assert panel.command() == SetSchedule(schedule=ExponentialLR(gamma=0.8))
    qtbot.mouseClick(panel.pending.discard, Qt.MouseButton.LeftButton)
    assert panel.schedule() == STEP


def test_a_problem_names_the_group(panel: SchedulePanel) -> None:
    panel.set_problem("there is no LR", "groups[0].schedule")
    assert panel.preview.full_text() == "head: there is no LR"
    panel.set_problem("there is no LR", "schedule")
    assert panel.preview.full_text() == "there is no LR"


HEADED = {"groups": [{"name": "head", "modules": ["head"], "lr": 0.1}]}


def test_a_groups_own_schedule_goes_into_the_recipe_and_is_trained_with(driver: Driver) -> None:
    driver.set_up(tiny(**HEADED, epochs=4))
    window = driver.window
    driver.wait(lambda: window.schedule.target.isVisible())
    window.schedule.choose_group("head")
    window.schedule.editor.choose(ExponentialLR)
    recipe = window.setup.recipe()
    assert recipe is not None
    assert recipe.groups[0].schedule == ExponentialLR(gamma=0.95)
    driver.start()
    driver.finish()
    lrs = [event.lr for event in driver.of("epoch")]
    assert [lr[0] for lr in lrs] == [0.05, 0.05, 0.025, 0.025]
    assert [lr[1] for lr in lrs] == pytest.approx([0.1 * 0.95**n for n in range(4)])


def test_during_a_run_one_group_gets_another_schedule(driver: Driver) -> None:
    driver.pause_at(tiny(**HEADED, epochs=6), 2)
    window = driver.window
    window.show_side(window.schedule)
    window.lr_panel.table.schedule_wanted.emit("head")
    assert window.schedule.group() == "head"
    window.schedule.editor.choose(CosineAnnealingLR)
    driver.wait(lambda: window.schedule.pending.apply.isEnabled())
    driver.click(window.schedule, "Apply")
    answer = driver.answer("set_schedule")
    assert answer.status == "applied"
    assert answer.command["group"] == "head"
    driver.wait(lambda: not window.schedule.differs())
    assert window.schedule.schedule() == CosineAnnealingLR(T_max=5)
    assert "head: CosineAnnealingLR, T_max 5" in window.schedule.target.note.full_text()
    window.schedule.choose_group("rest")
    shown: ScheduleSpec | None = window.schedule.schedule()
    assert shown == StepLR(step_size=2, gamma=0.5)

"""Composed schedules: their list of stages, what PyTorch allows, and the warm-up in one click."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot

from engine.messages.commands import SetSchedule
from engine.schedules import (
    ChainedScheduler,
    Constant,
    CosineAnnealingLR,
    CyclicLR,
    Drawn,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from gui.schedule.drawn_editor import PointsEditor
from gui.schedule.editor import ScheduleEditor
from gui.schedule.expressions import ExpressionsEditor
from gui.schedule.panel import SchedulePanel
from gui.schedule.popup import KIND
from gui.schedule.stage_card import StageCard, in_short
from gui.schedule.stages import StagesForm
from gui.widgets.forms import SpecForm
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours
LEFT = Qt.MouseButton.LeftButton
WARM_COSINE = SequentialLR(
    schedulers=(LinearLR(start_factor=0.1, total_iters=5), CosineAnnealingLR(T_max=25)), milestones=(5,)
)

WARM_PLATEAU = SequentialLR(
    schedulers=(LinearLR(start_factor=0.1, total_iters=5), ReduceLROnPlateau(patience=2)), milestones=(5,)
)


@pytest.fixture
def panel(qtbot: QtBot) -> SchedulePanel:
    made = SchedulePanel()
    qtbot.addWidget(made)
    made.resize(310, 900)
    with qtbot.waitExposed(made):
        made.show()
    return made


def choose(qtbot: QtBot, editor: ScheduleEditor, kind: type[ScheduleSpec]) -> None:
    """Open the list with the mouse and click the entry."""
    qtbot.mouseClick(editor.picker, LEFT)
    listed = editor.picker.popup.list
    item = next(listed.item(i) for i in range(listed.count()) if listed.item(i).data(KIND) is kind)
    listed.scrollToItem(item)
    qtbot.mouseClick(listed.viewport(), LEFT, pos=listed.visualItemRect(item).center())


def points_of(panel: SchedulePanel, stage: int) -> PointsEditor:
    editor = stages(panel).cards[stage].editor
    assert isinstance(editor, ScheduleEditor)
    assert isinstance(editor.form, SpecForm)
    found = editor.form.editor("points")
    assert isinstance(found, PointsEditor)
    return found


def retype(qtbot: QtBot, edit: QLineEdit, text: str) -> None:
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def stages(panel: SchedulePanel) -> StagesForm:
    assert isinstance(panel.editor.form, StagesForm)
    return panel.editor.form


def line(panel: SchedulePanel, stage: int, name: str) -> QLineEdit:
    form = stages(panel).cards[stage].editor.form
    assert isinstance(form, SpecForm)
    edit = form.editor(name).control()
    assert isinstance(edit, QLineEdit)
    return edit


def unavailable(card: StageCard) -> set[type[ScheduleSpec]]:
    editor = card.editor
    assert isinstance(editor, ScheduleEditor)
    return set(editor.picker.popup._delegate.unavailable)


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    qtbot.waitUntil(button.isVisible)  # a new stage becomes visible with the next events
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, LEFT)


def test_a_new_sequence_is_a_warm_up_and_a_cosine_that_follow_the_epochs(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel.editor, SequentialLR)
    assert panel.schedule() == WARM_COSINE
    panel.set_context(12, 0, 0.01, False)
    assert panel.schedule() == SequentialLR(
        schedulers=(LinearLR(start_factor=0.1, total_iters=2), CosineAnnealingLR(T_max=10)), milestones=(2,)
    )


@pytest.mark.parametrize(
    ("spec", "then"),
    [
        (StepLR(step_size=10, gamma=0.5), StepLR(step_size=8, gamma=0.5)),
        (CosineAnnealingLR(T_max=30), CosineAnnealingLR(T_max=25)),
        (CosineAnnealingLR(T_max=20, eta_min=0.001), CosineAnnealingLR(T_max=15, eta_min=0.001)),
        (PolynomialLR(total_iters=29, power=2.0), PolynomialLR(total_iters=24, power=2.0)),
        (MultiStepLR(milestones=(4, 12, 20)), MultiStepLR(milestones=(7, 15))),
        (ExponentialLR(gamma=0.9), ExponentialLR(gamma=0.9)),
        (Constant(), Constant()),
        (LambdaLR(lr_lambda=("0.9**epoch",)), LambdaLR(lr_lambda=("0.9**epoch",))),
        (ReduceLROnPlateau(factor=0.5), ReduceLROnPlateau(factor=0.5)),
    ],
)
def test_a_warm_up_is_one_click_and_the_schedule_fits_the_remaining_epochs(
    qtbot: QtBot, panel: SchedulePanel, spec: ScheduleSpec, then: ScheduleSpec
) -> None:
    panel.set_schedule(spec)
    with qtbot.waitSignal(panel.schedule_changed) as changed:
        click(qtbot, panel.editor.warm_up)
    wanted = SequentialLR(schedulers=(LinearLR(start_factor=0.1, total_iters=5), then), milestones=(5,))
    assert changed.args == [wanted]
    assert panel.schedule() == wanted
    assert not panel.editor.warm_up.isVisible()


@pytest.mark.parametrize(
    ("spec", "first", "then"),
    [
        (
            CyclicLR(base_lr=0.02, max_lr=0.2, step_size_up=4, interval="epoch"),
            ((0.0, 0.002), (5.0, 0.02)),
            CyclicLR(base_lr=0.02, max_lr=0.2, step_size_up=4, interval="epoch"),
        ),
        (
            CyclicLR(base_lr=0.02, max_lr=0.2, step_size_up=100),
            ((0.0, 0.002), (5.0, 0.02)),
            CyclicLR(base_lr=0.02, max_lr=0.2, step_size_up=83),
        ),
        (
            Drawn(points=((0.0, 0.1), (10.0, 0.3), (30.0, 0.01)), scale="linear"),
            ((0.0, 0.02), (5.0, 0.2)),
            Drawn(points=((0.0, 0.2), (5.0, 0.3), (25.0, 0.01)), scale="linear"),
        ),
    ],
    ids=["CyclicLR per epoch", "CyclicLR per batch", "Drawn"],
)
def test_a_warm_up_rises_to_where_a_schedule_with_lrs_of_its_own_begins(
    qtbot: QtBot, panel: SchedulePanel, spec: ScheduleSpec, first: Any, then: ScheduleSpec
) -> None:
    panel.set_batches(20)
    panel.set_schedule(spec)
    click(qtbot, panel.editor.warm_up)
    made = panel.schedule()
    assert isinstance(made, SequentialLR)
    line = Drawn(points=first, scale="linear", interval=spec.interval)
    if isinstance(then, CyclicLR):
        then = then.model_copy(update={"step_size_up": made.schedulers[1].model_dump()["step_size_up"]})
    assert made.schedulers == (line, then)
    assert made.milestones == (5 if spec.interval == "epoch" else 100,)


def test_a_plateau_is_offered_as_the_last_stage_and_nothing_after_it(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    first, last = stages(panel).cards
    assert ReduceLROnPlateau in unavailable(first)
    assert ReduceLROnPlateau not in unavailable(last)
    panel.set_schedule(WARM_PLATEAU)
    first, last = stages(panel).cards
    assert not stages(panel).add.isEnabled()
    assert not first.later.isEnabled()
    assert not last.earlier.isEnabled()
    assert panel.schedule() == WARM_PLATEAU


def test_a_warm_up_of_a_schedule_stepped_per_batch_counts_batches(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_batches(20)
    panel.set_schedule(CosineAnnealingLR(T_max=600, interval="step"))
    click(qtbot, panel.editor.warm_up)
    first, then = LinearLR(start_factor=0.1, total_iters=100), CosineAnnealingLR(T_max=500)
    assert panel.schedule() == SequentialLR(schedulers=(first, then), milestones=(100,), interval="step")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (OneCycleLR(max_lr=0.1), "its own warm-up"),
        (CyclicLR(base_lr=0.0, max_lr=0.1), "at an LR of 0"),
        (CyclicLR(base_lr=(0.01, 0.02), max_lr=0.1), "its own LR"),
    ],
)
def test_a_schedule_that_takes_no_warm_up_shows_why(panel: SchedulePanel, spec: ScheduleSpec, why: str) -> None:
    panel.set_schedule(spec)
    assert panel.editor.warm_up.isVisible()
    assert not panel.editor.warm_up.isEnabled()
    assert why in panel.editor.warm_up.toolTip()


def test_an_expression_that_gives_the_lr_itself_takes_no_warm_up(panel: SchedulePanel) -> None:
    panel.set_context(30, 0, 1.0, False)
    panel.set_schedule(LambdaLR(lr_lambda=("0.01",)))
    assert panel.editor.gives_lr()
    assert not panel.editor.warm_up.isEnabled()


def test_one_stage_is_unfolded_at_a_time(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    first, second = stages(panel).cards
    assert not first.editor.isVisible()
    assert first.summary.full_text() == "start_factor 0.1, total_iters 5"
    folded = first.height()
    click(qtbot, first.fold)
    assert first.editor.isVisible()
    qtbot.mouseClick(second.summary, LEFT)
    assert second.editor.isVisible()
    assert not first.editor.isVisible()
    qtbot.waitUntil(lambda: first.height() == folded)
    assert panel.schedule() == WARM_COSINE


def test_a_stage_is_edited_in_its_own_form(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    click(qtbot, stages(panel).cards[0].fold)
    with qtbot.waitSignal(panel.schedule_changed):
        retype(qtbot, line(panel, 0, "start_factor"), "0.02")
    spec = panel.schedule()
    assert isinstance(spec, SequentialLR)
    assert spec.schedulers[0] == LinearLR(start_factor=0.02, total_iters=5)
    retype(qtbot, line(panel, 0, "start_factor"), "2")
    assert panel.schedule() is None
    click(qtbot, stages(panel).cards[0].fold)
    assert stages(panel).cards[0].summary.full_text() == "not finished"
    assert stages(panel).cards[0].summary.is_error()


def test_a_milestone_changes_the_unedited_counts_beside_it(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    row = stages(panel).milestones[0]
    retype(qtbot, row.field.edit, "8")
    assert panel.schedule() == SequentialLR(
        schedulers=(LinearLR(start_factor=0.1, total_iters=8), CosineAnnealingLR(T_max=22)), milestones=(8,)
    )
    click(qtbot, stages(panel).cards[1].fold)
    retype(qtbot, line(panel, 1, "T_max"), "10")
    retype(qtbot, row.field.edit, "4")
    assert panel.schedule() == SequentialLR(
        schedulers=(LinearLR(start_factor=0.1, total_iters=4), CosineAnnealingLR(T_max=10)), milestones=(4,)
    )


def test_during_a_run_counts_are_shown_as_the_runs_epochs(panel: SchedulePanel) -> None:
    panel.set_context(42, 12, 0.01, True)
    panel.stage(WARM_COSINE)
    assert stages(panel).milestones[0].note.full_text() == "= epoch 17 of the run"
    form = stages(panel).cards[1].editor.form
    assert isinstance(form, SpecForm)
    assert form.note("T_max").full_text() == "T_max 25 = epoch 42"


def test_a_stage_stays_the_same_widget_while_the_run_changes_around_it(panel: SchedulePanel) -> None:
    panel.set_schedule(SequentialLR(schedulers=(Constant(), StepLR(step_size=3)), milestones=(5,)))
    cards = list(stages(panel).cards)
    for epochs in (60, 12, 30):  # of 30 epochs, 5 are the usual warm-up
        panel.set_context(epochs, 0, 0.01, False)
    panel.set_batches(23)
    assert stages(panel).cards == cards
    assert panel.schedule() == SequentialLR(schedulers=(Constant(), StepLR(step_size=3)), milestones=(5,))


def test_an_invalid_milestone_shows_why(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    click(qtbot, stages(panel).add)
    rows = stages(panel).milestones
    assert [row.raw() for row in rows] == [5, 17]
    retype(qtbot, rows[1].field.edit, "3")
    assert panel.schedule() is None
    assert "increasing order" in stages(panel).problem.full_text()
    rows[0].field.edit.setFocus()
    retype(qtbot, rows[0].field.edit, "0")
    assert rows[0].note.is_error()
    assert "at least 1" in rows[0].note.full_text()


def test_a_stage_is_added_moved_and_removed(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    click(qtbot, stages(panel).add)
    added = stages(panel).cards[2]
    qtbot.waitUntil(added.editor.isVisible)
    first, second = LinearLR(start_factor=0.1, total_iters=5), CosineAnnealingLR(T_max=12)
    third = CosineAnnealingLR(T_max=13)
    assert panel.schedule() == SequentialLR(schedulers=(first, second, third), milestones=(5, 17))
    choose(qtbot, added.editor, ExponentialLR)
    click(qtbot, added.earlier)
    spec = panel.schedule()
    assert isinstance(spec, SequentialLR)
    assert [type(stage) for stage in spec.schedulers] == [LinearLR, ExponentialLR, CosineAnnealingLR]
    assert [card.fold.accessibleName() for card in stages(panel).cards] == [
        "Stage 1: LinearLR",
        "Stage 2: ExponentialLR",
        "Stage 3: CosineAnnealingLR",
    ]
    click(qtbot, stages(panel).cards[0].remove)
    assert panel.schedule() == SequentialLR(
        schedulers=(ExponentialLR(gamma=0.95), CosineAnnealingLR(T_max=13)), milestones=(17,)
    )
    click(qtbot, stages(panel).cards[0].remove)
    only = stages(panel).cards[0]
    assert not only.remove.isEnabled()
    assert only.remove.toolTip() == "One stage must stay."
    assert panel.schedule() == SequentialLR(schedulers=(CosineAnnealingLR(T_max=30),))


def test_a_schedule_that_cannot_be_a_stage_shows_why(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    first, second = stages(panel).cards
    click(qtbot, second.fold)
    for kind in (SequentialLR, ChainedScheduler):
        choose(qtbot, second.editor, kind)  # the click chooses nothing
        second.editor.picker.popup.hide()
        assert panel.schedule() == WARM_COSINE
    unavailable = second.editor.picker.popup._delegate.unavailable
    assert "can only come first" in unavailable[ChainedScheduler]
    assert ReduceLROnPlateau not in unavailable
    assert set(first.editor.picker.popup._delegate.unavailable) == {ReduceLROnPlateau}


def test_a_composed_first_stage_cannot_be_moved_and_is_edited_in_place(qtbot: QtBot, panel: SchedulePanel) -> None:
    inner = ChainedScheduler(schedulers=(LinearLR(), ExponentialLR(gamma=0.9)))
    panel.set_schedule(SequentialLR(schedulers=(inner, Constant()), milestones=(9,)))
    first, second = stages(panel).cards
    assert not first.later.isEnabled()
    assert not second.earlier.isEnabled()
    assert "can only come first" in second.earlier.toolTip()
    click(qtbot, first.fold)
    within = first.editor.form
    assert isinstance(within, StagesForm)
    click(qtbot, within.cards[1].fold)
    form = within.cards[1].editor.form
    assert isinstance(form, SpecForm)
    edit = form.editor("gamma").control()
    assert isinstance(edit, QLineEdit)
    retype(qtbot, edit, "0.8")
    changed = ChainedScheduler(schedulers=(LinearLR(), ExponentialLR(gamma=0.8)))
    assert panel.schedule() == SequentialLR(schedulers=(changed, Constant()), milestones=(9,))
    assert panel.minimumSizeHint().width() <= 300


def test_a_chain_has_no_milestones_and_takes_composed_stages_anywhere(qtbot: QtBot, panel: SchedulePanel) -> None:
    choose(qtbot, panel.editor, ChainedScheduler)
    chain = (LinearLR(start_factor=0.1, total_iters=5), ExponentialLR(gamma=0.95))
    assert panel.schedule() == ChainedScheduler(schedulers=chain)
    assert stages(panel).milestones == []
    click(qtbot, stages(panel).cards[1].fold)
    choose(qtbot, stages(panel).cards[1].editor, SequentialLR)
    assert panel.schedule() == ChainedScheduler(schedulers=(chain[0], WARM_COSINE))


def test_all_stages_are_stepped_by_the_same_interval(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_batches(10)
    choose(qtbot, panel.editor, SequentialLR)
    combo = stages(panel).interval_editor.combo
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    first, then = LinearLR(start_factor=0.1, total_iters=50), CosineAnnealingLR(T_max=250)
    assert panel.schedule() == SequentialLR(schedulers=(first, then), milestones=(50,), interval="step")
    click(qtbot, stages(panel).cards[1].fold)
    choose(qtbot, stages(panel).cards[1].editor, CyclicLR)
    spec = panel.schedule()
    assert isinstance(spec, SequentialLR)
    assert spec.schedulers[1] == CyclicLR(base_lr=0.001, max_lr=0.01, step_size_up=41)


def test_a_problem_is_shown_beside_the_stage_that_it_names(panel: SchedulePanel) -> None:
    panel.set_schedule(WARM_COSINE)
    panel.set_problem("0.01 of 3 epochs is one epoch", "schedule.schedulers[1].pct_start")
    first, second = stages(panel).cards
    assert not first.problem.isVisible()
    assert second.problem.full_text() == "0.01 of 3 epochs is one epoch"
    panel.set_problem(None)
    assert not second.problem.isVisible()


def test_apply_sends_a_sequence_and_discard_shows_the_current_schedule(qtbot: QtBot, panel: SchedulePanel) -> None:
    panel.set_context(42, 12, 0.01, True)
    panel.set_schedule(StepLR(step_size=10, gamma=0.5))
    click(qtbot, panel.editor.warm_up)
    wanted = SequentialLR(
        schedulers=(LinearLR(start_factor=0.1, total_iters=5), StepLR(step_size=10, gamma=0.5)), milestones=(5,)
    )
    command = panel.command()
    assert command is not None
    assert isinstance(command, SetSchedule)
    assert type(command.schedule) is type(wanted)
    click(qtbot, panel.pending.discard)
    assert panel.schedule() == StepLR(step_size=10, gamma=0.5)


def test_a_stage_in_short_shows_its_own_values() -> None:
    assert in_short(StepLR(step_size=3)) == "step_size 3"
    assert in_short(CosineAnnealingLR(T_max=5, eta_min=1e-5)) == "T_max 5, eta_min 1e-5"
    assert in_short(ChainedScheduler(schedulers=(Constant(), LinearLR()))) == "Constant × LinearLR"
    assert in_short(WARM_COSINE) == "LinearLR -> CosineAnnealingLR"


def test_the_stage_that_cannot_be_run_shows_why_and_a_valid_edit_is_drawn(driver: Driver) -> None:
    broken = {"name": "LambdaLR", "lr_lambda": ["1 / (3 - epoch)"]}
    schedule = {"name": "SequentialLR", "schedulers": [{"name": "Constant"}, broken], "milestones": [2]}
    driver.set_up(tiny(epochs=12, schedule=schedule))
    window = driver.window
    first, second = stages(window.schedule).cards
    driver.wait(lambda: second.problem.full_text() != "")
    assert "divides by zero" in second.problem.full_text()
    assert not first.problem.isVisible()
    assert not driver.button(window.transport, "Start").isEnabled()
    click(driver.qtbot, second.fold)
    form = second.editor.form
    assert isinstance(form, SpecForm)
    expressions = form.editor("lr_lambda")
    assert isinstance(expressions, ExpressionsEditor)
    drawn: list[list[float]] = []
    driver.app.preview.projected.connect(lambda curve: drawn.append(curve.lr[:, 0].tolist()))
    retype(driver.qtbot, expressions.lines[0], "0.5**epoch")
    driver.wait(lambda: drawn and drawn[-1] == [0.05, 0.05, *(0.05 * 0.5**n for n in range(10)), 0.05 * 0.5**9])
    assert second.problem.full_text() == ""
    driver.wait(lambda: driver.button(window.transport, "Start").isEnabled())


@pytest.mark.parametrize(
    ("interval", "milestone", "done", "epochs"),
    [("epoch", 5, None, [5.0, 25.0]), ("epoch", 5, 12, [17.0, 37.0]), ("step", 50, 12, [17.0, 37.0])],
    ids=["before the start", "during a run", "per batch"],
)
def test_the_points_of_a_stage_are_at_the_epochs_of_the_run(
    panel: SchedulePanel, interval: Any, milestone: int, done: int | None, epochs: list[float]
) -> None:
    drawn = Drawn(points=((0.0, 0.1), (20.0, 0.01)), interval=interval)
    warm_up = LinearLR(total_iters=milestone, interval=interval)
    spec = SequentialLR(schedulers=(warm_up, drawn), milestones=(milestone,), interval=interval)
    panel.set_batches(10)
    panel.set_context(60, done or 0, 0.1, done is not None)
    panel.stage(spec)
    points = points_of(panel, 1)
    assert [x for x, _ in points.points()] == epochs
    assert points.model.index(1, 0).data() == f"{epochs[1]:g}"
    assert panel.schedule() == spec
    points.move_point(epochs[1], epochs[1] + 3.0, 0.02)
    assert panel.schedule() == spec.model_copy(
        update={"schedulers": (warm_up, drawn.model_copy(update={"points": ((0.0, 0.1), (23.0, 0.02))}))}
    )


def test_edited_points_of_a_stage_stay_where_they_are_when_its_milestone_moves(
    qtbot: QtBot, panel: SchedulePanel
) -> None:
    drawn = Drawn(points=((0.0, 0.1), (20.0, 0.01)), scale="linear")
    panel.stage(SequentialLR(schedulers=(LinearLR(total_iters=5), drawn), milestones=(5,)))
    points_of(panel, 1).move_point(25.0, 24.0, 0.02)
    retype(qtbot, stages(panel).milestones[0].field.edit, "9")
    assert [x for x, _ in points_of(panel, 1).points()] == [9.0, 24.0]
    assert panel.schedule().schedulers[1].points[1] == (15.0, 0.02)

"""What is published of a schedule is what the schedule then does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.common.position import Position
from engine.lr.control import LRControl
from engine.lr.preview import draw
from engine.lr.view import schedule_views
from engine.messages.commands import ReleaseLR, ScaleLR, SetLR, SetSchedule
from engine.messages.preview import CurveQuery
from engine.messages.schedule_view import ControlState, NextChange, ScheduleView
from engine.recipe.recipe import Recipe
from engine.schedules import (
    ConstantLR,
    CosineAnnealingLR,
    Drawn,
    ExponentialLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from tests.engine.raw_torch import after, control, control_if_usable
from tests.engine.strategies import SPECS, with_interval

EPOCHS, STEPS = 12, 3


def train(lr: LRControl, batches: int) -> Position:
    """Train from the run's beginning; returns the position afterwards."""
    for batch in range(batches):
        lr.step_done()
        if batch % STEPS == STEPS - 1:
            lr.epoch_done({"val_loss": 1.0})
    return Position(epoch=1 + batches // STEPS, batch=batches % STEPS)


def view(lr: LRControl, position: Position | None = None) -> ScheduleView:
    (found,) = schedule_views(lr, position or Position(epoch=lr.epochs_done + 1))
    return found


def first_change(lr: LRControl, position: Position) -> tuple[float, float] | None:
    """Where the projected LR first differs from the current one, and its value there."""
    state = ControlState(lr.state())
    curve = draw(
        CurveQuery(key="", recipe=Recipe(), steps_per_epoch=STEPS, epochs=EPOCHS, control=state, position=position)
    )
    now = lr.current()[0]
    return next(((x, lr) for x, (lr,) in zip(curve.x.tolist(), curve.lr.tolist(), strict=True) if lr != now), None)


CUTTING = st.sampled_from(("StepLR", "MultiStepLR", "ConstantLR")).flatmap(lambda name: SPECS[name])
INTERVENTIONS = st.sampled_from(
    (
        None,
        SetLR(lr=0.3, then="follow"),
        ScaleLR(factor=0.3),
        SetLR(lr=0.2, then="hold"),
        SetSchedule(schedule=StepLR(step_size=2)),
    )
)


@given(CUTTING, st.sampled_from(("epoch", "step")), st.integers(0, EPOCHS * STEPS - 1), INTERVENTIONS)
def test_the_next_change_is_the_one_that_comes(
    spec: ScheduleSpec, interval: str, batches: int, intervention: SetLR | ScaleLR | SetSchedule | None
) -> None:
    lr = control(with_interval(spec, interval), epochs=EPOCHS, steps=STEPS)
    position = train(lr, batches)
    if intervention is not None:
        lr.apply(intervention, [])
    change = view(lr, position).next_change
    assert (None if change is None else (change.x, change.lr)) == first_change(lr, position)


@pytest.mark.parametrize(
    ("spec", "done", "expected"),
    [
        (StepLR(step_size=5, gamma=0.5), 0, NextChange(x=5.0, lr=0.05, reason="×0.5, step_size 5")),
        (StepLR(step_size=5, gamma=0.5), 6, NextChange(x=10.0, lr=0.025, reason="×0.5, step_size 5")),
        (StepLR(step_size=5, gamma=0.5), 10, None),  # the next one would come after the end
        (MultiStepLR(milestones=(3, 7, 7), gamma=0.5), 4, NextChange(x=7.0, lr=0.0125, reason="×0.25, milestone 7")),
        (ConstantLR(factor=0.5, total_iters=4), 1, NextChange(x=4.0, lr=0.1, reason="×2, total_iters 4")),
        (ExponentialLR(gamma=0.5), 1, None),  # it changes at every position, which the curve shows
        (ReduceLROnPlateau(), 1, None),
    ],
)
def test_the_next_change_has_position_lr_and_reason(spec: ScheduleSpec, done: int, expected: NextChange | None) -> None:
    assert view(after(control(spec, epochs=EPOCHS), done, loss=1.0)).next_change == expected


def test_a_held_lr_has_no_next_change_until_it_is_released() -> None:
    lr = after(control(StepLR(step_size=5, gamma=0.5), epochs=EPOCHS), 2)
    lr.set_lr(0.2, "hold", None)
    assert view(lr).next_change is None
    lr.apply(ReleaseLR(), [])
    change = view(lr).next_change
    assert change is not None
    assert (change.x, change.lr) == (5.0, 0.05)


def test_a_plateau_counts_its_bad_epochs() -> None:
    lr = control(ReduceLROnPlateau(patience=2, factor=0.5, threshold=0.1, cooldown=1), epochs=40)
    plateau = view(lr).plateau
    assert plateau is not None
    assert (plateau.best, plateau.limit, plateau.bad_epochs, plateau.patience, plateau.epochs_left) == (
        None,
        None,
        0,
        2,
        3,
    )
    lr.epoch_done({"val_loss": 0.8})
    lr.epoch_done({"val_loss": 0.79})  # not better by a tenth
    plateau = view(lr).plateau
    assert plateau is not None
    assert (plateau.best, plateau.limit, plateau.bad_epochs, plateau.epochs_left) == (0.8, 0.8 * 0.9, 1, 2)
    for _ in range(plateau.epochs_left):
        assert lr.current() == [0.1]
        lr.epoch_done({"val_loss": 0.79})
    assert lr.current() == [0.05]
    plateau = view(lr).plateau
    assert plateau is not None
    assert (plateau.bad_epochs, plateau.epochs_left, plateau.at_floor) == (0, 4, False)  # the cooldown counts too


def test_a_plateaus_floor_and_an_intervention_that_restarts_its_patience() -> None:
    lr = after(control(ReduceLROnPlateau(patience=3, factor=0.5, min_lr=0.05), epochs=40), 3, loss=1.0)
    before = view(lr).plateau
    lr.scale_lr(2.0, "keep", None)
    plateau = view(after(lr, 5, loss=1.0)).plateau
    assert before is not None
    assert plateau is not None
    assert (before.bad_epochs, before.at_floor) == (2, False)
    assert (plateau.bad_epochs, plateau.at_floor) == (1, True)


def test_where_a_schedule_began_is_published_in_epochs_of_the_run() -> None:
    lr = control(StepLR(step_size=5), epochs=EPOCHS, steps=STEPS)
    position = train(lr, 7)
    assert view(lr, position).began == 0.0
    lr.swap(Drawn(points=((0.0, 0.1), (4.0, 0.01))), None, None, None)
    assert view(lr, position).began == 2.0  # this epoch is its position 0
    lr.swap(StepLR(step_size=5, interval="step"), None, None, None)
    assert view(lr, position).began == 2 + 1 / 3
    lr.step_done()
    found = view(lr, Position(epoch=3, batch=2))
    assert (found.began, found.position, found.base, found.span) == (2 + 1 / 3, 1, 0.1, EPOCHS * STEPS - 7)


def test_a_schedule_that_has_ended_has_a_reason() -> None:
    lr = control(SetSchedule.model_validate({"schedule": {"name": "OneCycleLR", "max_lr": 0.1}}).schedule, epochs=3)
    lr.set_epochs(6)
    assert view(after(lr, 2)).ended is None
    assert "one cycle is over" in (view(after(lr, 1)).ended or "")


@given(st.sampled_from(list(SPECS)).flatmap(lambda name: SPECS[name]), st.integers(0, 5), st.integers(1, 8))
def test_training_alone_does_not_change_the_course(spec: ScheduleSpec, first: int, more: int) -> None:
    lr = control_if_usable(spec, epochs=EPOCHS, steps=STEPS)
    before = view(after(lr, first, loss=1.0)).course
    now = view(after(lr, more, loss=1.0))
    assert (now.course == before) is (now.ended is None or first + more > EPOCHS)


@pytest.mark.parametrize(
    "intervention",
    [
        SetLR(lr=0.1, then="follow"),  # to the current LR
        SetLR(lr=0.1, then="hold"),
        ScaleLR(factor=0.5),
        SetSchedule(schedule=CosineAnnealingLR(T_max=10)),
        SetSchedule(schedule=StepLR(step_size=5)),  # an equal one, from here
    ],
    ids=str,
)
def test_an_intervention_changes_the_course(intervention: SetLR | ScaleLR | SetSchedule) -> None:
    lr = after(control(StepLR(step_size=5), epochs=EPOCHS), 2)
    before = view(lr).course
    lr.apply(intervention, [])
    assert view(lr).course != before


def test_another_length_of_the_run_changes_the_course() -> None:
    lr = control(StepLR(step_size=5), epochs=EPOCHS)
    before = view(lr).course
    lr.set_epochs(EPOCHS + 1)
    assert view(lr).course != before

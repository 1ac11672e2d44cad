"""A new schedule in mid-run, and another length of the run."""

from __future__ import annotations

import pytest

from engine.common.errors import Cancelled, Rejected, SpecError
from engine.lr.control import LRControl
from engine.messages.commands import SetSchedule
from engine.recipe.recipe import Recipe
from engine.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from tests.engine.raw_torch import after, control, expression, flat

HALVING = StepLR(step_size=10, gamma=0.5)
TWO = ("rest", "head")


# -- swap


def test_a_new_schedule_starts_here_from_the_current_lr() -> None:
    lr = after(control(HALVING), 5)
    lr.set_lr(0.04, "hold", None)
    lr.swap(StepLR(step_size=2, gamma=0.1), None, None, None)
    assert not lr.groups[0].touched
    assert flat(lr, 4) == [0.04, 0.04, 0.04 * 0.1, 0.04 * 0.1]


def test_or_from_a_given_base_or_from_one_for_each_group() -> None:
    lr = after(control(HALVING, names=TWO), 5)
    lr.swap(ExponentialLR(gamma=0.5), 0.3, None, None)
    assert lr.current() == [0.3, 0.3]
    lr.swap(ExponentialLR(gamma=0.5), (0.2, 0.4), None, None)
    assert lr.current() == [0.2, 0.4]
    lr.swap(ExponentialLR(gamma=0.5), (0.7,), "head", None)
    assert lr.current() == [0.2, 0.7]
    with pytest.raises(Rejected, match="lists 2 values for 1 group"):
        lr.swap(ExponentialLR(gamma=0.5), (0.7, 0.7), "head", None)


def test_a_new_schedule_as_if_from_epoch_1_is_where_it_would_be_now() -> None:
    new = StepLR(step_size=4, gamma=0.1)
    lr = after(control(HALVING, epochs=30), 5)
    lr.set_lr(0.9, "hold", None)
    lr.swap(new, None, None, [{}] * 5)
    wanted = flat(control(new, epochs=30), 30)
    assert flat(lr, 25) == wanted[5:]


def test_as_if_from_epoch_1_uses_the_recipes_lr_of_each_group() -> None:
    recipe = {"optimizer": {"name": "SGD", "lr": 0.1}, "groups": [{"name": "head", "modules": ["fc"], "lr": 0.4}]}
    lr = after(LRControl.from_recipe(Recipe.model_validate(recipe), TWO, 1), 3)
    lr.swap(ExponentialLR(gamma=0.5), 0.7, None, None)  # does not change the recipe
    lr.swap(ExponentialLR(gamma=0.5), None, None, [{}] * 3)
    assert lr.current() == [0.1 * 0.5 * 0.5 * 0.5, 0.4 * 0.5 * 0.5 * 0.5]
    lr.swap(ExponentialLR(gamma=0.5), None, "head", [{}] * 3)
    assert lr.current()[1] == 0.4 * 0.5 * 0.5 * 0.5


def test_a_new_plateau_as_if_from_epoch_1_gets_the_recorded_metrics() -> None:
    losses = [1.0, 0.9, 0.9, 0.9, 0.8]
    history = [{"val_loss": loss} for loss in losses]
    spec = ReduceLROnPlateau(patience=1, factor=0.5)
    whole = control(spec)
    for metrics in history:
        whole.epoch_done(metrics)
    late = after(control(HALVING), len(losses))
    late.swap(spec, None, None, history)
    assert late.current() == whole.current() == [0.05]
    assert late.groups[0].scheduled.state() == whole.groups[0].scheduled.state()


def test_a_schedule_stepped_per_batch_is_run_forward_over_the_batches() -> None:
    new = ExponentialLR(gamma=0.9, interval="step")
    whole, late = control(new, epochs=5, steps=4), control(HALVING, epochs=5, steps=4)
    for lr in (whole, late):
        after(lr, 2)
        lr.step_done()
    late.swap(new, None, None, [{}] * 2)
    assert late.current() == whole.current()


def test_within_an_epoch_this_epoch_is_position_0() -> None:
    lr = after(control(HALVING, steps=4), 2)
    lr.step_done()
    lr.swap(StepLR(step_size=1, gamma=0.5), None, None, None)
    assert lr.current() == [0.1]
    for _ in range(3):
        lr.step_done()
    assert lr.current() == [0.1]
    lr.epoch_done(None)
    assert lr.current() == [0.05]


def test_at_an_lr_of_0_a_schedule_needs_a_base() -> None:
    lr = control(HALVING)
    lr.set_lr(0.0, "hold", None)
    for base in (None, 0.0, (0.0,)):
        with pytest.raises(Rejected, match="stays at 0; give the LR to start from"):
            lr.swap(ExponentialLR(gamma=0.5), base, None, None)
    lr.swap(ExponentialLR(gamma=0.5), 0.1, None, None)
    assert lr.current() == [0.1]


def test_a_schedule_without_an_lr_at_some_position_is_rejected_with_the_reason() -> None:
    lr = after(control(HALVING, epochs=30), 5)
    lr.swap(expression("1 - epoch / 24"), None, None, None)  # reaches 0 in the last epoch
    with pytest.raises(Rejected, match=r"cannot be used: schedule\.lr_lambda: at epoch = 24 .* negative"):
        lr.swap(expression("1 - epoch / 23"), None, None, None)
    with pytest.raises(SpecError, match=r"^schedule\.lr_lambda: at epoch = 21 .* negative"):
        control(expression("1 - epoch / 20"), epochs=30)
    control(expression("1 - epoch / 29"), epochs=30)


def test_a_schedule_stepped_per_batch_needs_an_lr_for_every_batch_left_and_no_more() -> None:
    def falling(last: int) -> ScheduleSpec:
        return expression(f"1 - epoch / {last}").model_copy(update={"interval": "step"})

    control(falling(39), epochs=10, steps=4)
    with pytest.raises(SpecError, match=r"at epoch = 39 .* negative"):
        control(falling(38), epochs=10, steps=4)
    lr = after(control(HALVING, epochs=10, steps=4), 5)
    lr.swap(falling(19), None, None, None)
    with pytest.raises(Rejected, match=r"at epoch = 19 .* negative"):
        lr.swap(falling(18), None, None, None)


def test_the_number_of_expressions_must_fit_the_groups() -> None:
    with pytest.raises(SpecError, match=r"^schedule\.lr_lambda: lists 2 values for 1 group"):
        control(expression("1", "0.5"))
    with pytest.raises(SpecError, match=r"^schedule\.lr_lambda: lists 3 values for 2 group"):
        control(expression("1", "0.5", "0.1"), names=TWO)


def test_a_groups_own_schedule_needs_one_expression() -> None:
    def recipe(own: ScheduleSpec) -> Recipe:
        head = {"name": "head", "modules": ["fc"], "schedule": own.model_dump()}
        return Recipe.model_validate({"optimizer": {"name": "SGD", "lr": 0.1}, "groups": [head]})

    lr = after(LRControl.from_recipe(recipe(expression("0.5**epoch")), TWO, 1), 2)
    assert lr.current() == [0.1, 0.1 * 0.5**2]
    with pytest.raises(SpecError, match=r"^groups\[0\]\.schedule\.lr_lambda: lists 2 values for 1 group"):
        LRControl.from_recipe(recipe(expression("1", "0.5")), TWO, 1)


# -- the run's length


def test_another_number_of_epochs_does_not_change_the_schedule() -> None:
    long, short = (control(expression("1 - epoch / epochs / 2"), epochs=20) for _ in range(2))
    assert long.set_epochs(40) is None
    assert flat(long, 20) == flat(short, 20)
    assert long.length.epochs == 40


def test_a_schedule_that_does_not_reach_the_new_end_keeps_its_last_lr_with_a_warning() -> None:
    lr = control(expression("1 - epoch / epochs"), 1.0, epochs=10)
    warning = lr.set_epochs(20)
    assert warning is not None
    assert "group all does not reach the new end (at epoch = 11 " in warning
    assert flat(lr, 20)[10:] == [0.0] * 10
    lr.swap(StepLR(step_size=5), 0.1, None, None)
    assert lr.set_epochs(1000) is None


def test_running_a_schedule_forward_to_now_can_be_cancelled_and_changes_nothing() -> None:
    lr = control(HALVING, epochs=20_000, steps=10)
    lr.advance(100_000, 10_000)
    before, asked = lr.state(), [0]

    def cancelled() -> bool:
        asked[0] += 1
        return asked[0] == 3

    new = CosineAnnealingLR(T_max=200_000, interval="step")
    with pytest.raises(Cancelled):
        lr.apply(SetSchedule(schedule=new, start="replay"), [{}] * 10_000, cancelled)
    assert lr.state() == before

"""A schedule swapped in mid-run, and another length of the run."""

from __future__ import annotations

import pytest

from engine.optimizers import Rejected
from engine.rate import RateControl
from engine.recipe import Recipe
from engine.schedules import (
    ExponentialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from engine.spec import SpecError
from tests.engine.raw_torch import after, control, expression, flat

HALVING = StepLR(step_size=10, gamma=0.5)
TWO = ("rest", "head")


# -- swap


def test_a_schedule_swapped_in_starts_here_on_the_rate_in_force() -> None:
    rate = after(control(HALVING), 5)
    rate.set_lr(0.04, "hold", None)
    rate.swap(StepLR(step_size=2, gamma=0.1), None, None, None)
    assert not rate.groups[0].touched
    assert flat(rate, 4) == [0.04, 0.04, 0.04 * 0.1, 0.04 * 0.1]


def test_or_on_a_given_base_or_on_one_for_each_group() -> None:
    rate = after(control(HALVING, names=TWO), 5)
    rate.swap(ExponentialLR(gamma=0.5), 0.3, None, None)
    assert rate.rates() == [0.3, 0.3]
    rate.swap(ExponentialLR(gamma=0.5), (0.2, 0.4), None, None)
    assert rate.rates() == [0.2, 0.4]
    rate.swap(ExponentialLR(gamma=0.5), (0.7,), "head", None)
    assert rate.rates() == [0.2, 0.7]
    with pytest.raises(Rejected, match="lists 2 rates for 1 group"):
        rate.swap(ExponentialLR(gamma=0.5), (0.7, 0.7), "head", None)


def test_a_schedule_swapped_in_as_if_from_epoch_1_stands_where_it_would_be_now() -> None:
    new = StepLR(step_size=4, gamma=0.1)
    rate = after(control(HALVING, epochs=30), 5)
    rate.set_lr(0.9, "hold", None)
    rate.swap(new, None, None, [{}] * 5)
    wanted = flat(control(new, epochs=30), 30)
    assert flat(rate, 25) == wanted[5:]


def test_as_if_from_epoch_1_uses_the_recipes_rate_of_each_group() -> None:
    recipe = {"optimizer": {"name": "SGD", "lr": 0.1}, "groups": [{"name": "head", "modules": ["fc"], "lr": 0.4}]}
    rate = after(RateControl.from_recipe(Recipe.model_validate(recipe), TWO, 1), 3)
    rate.swap(ExponentialLR(gamma=0.5), 0.7, None, None)  # does not change what the recipe said
    rate.swap(ExponentialLR(gamma=0.5), None, None, [{}] * 3)
    assert rate.rates() == [0.1 * 0.5 * 0.5 * 0.5, 0.4 * 0.5 * 0.5 * 0.5]
    rate.swap(ExponentialLR(gamma=0.5), None, "head", [{}] * 3)
    assert rate.rates()[1] == 0.4 * 0.5 * 0.5 * 0.5


def test_a_plateau_swapped_in_as_if_from_epoch_1_reads_the_recorded_metrics() -> None:
    losses = [1.0, 0.9, 0.9, 0.9, 0.8]
    history = [{"val_loss": loss} for loss in losses]
    spec = ReduceLROnPlateau(patience=1, factor=0.5)
    whole = control(spec)
    for metrics in history:
        whole.epoch_done(metrics)
    late = after(control(HALVING), len(losses))
    late.swap(spec, None, None, history)
    assert late.rates() == whole.rates() == [0.05]
    assert late.groups[0].plan.state() == whole.groups[0].plan.state()


def test_a_schedule_stepped_per_batch_is_run_forward_over_the_batches() -> None:
    new = ExponentialLR(gamma=0.9, interval="step")
    whole, late = control(new, epochs=5, steps=4), control(HALVING, epochs=5, steps=4)
    for rate in (whole, late):
        after(rate, 2)
        rate.step_done()
    late.swap(new, None, None, [{}] * 2)
    assert late.rates() == whole.rates()


def test_swapped_in_within_an_epoch_the_epoch_under_way_is_position_0() -> None:
    rate = after(control(HALVING, steps=4), 2)
    rate.step_done()
    rate.swap(StepLR(step_size=1, gamma=0.5), None, None, None)
    assert rate.rates() == [0.1]
    for _ in range(3):
        rate.step_done()
    assert rate.rates() == [0.1]
    rate.epoch_done(None)
    assert rate.rates() == [0.05]


def test_at_a_rate_of_0_a_schedule_needs_a_base() -> None:
    rate = control(HALVING)
    rate.set_lr(0.0, "hold", None)
    for base in (None, 0.0, (0.0,)):
        with pytest.raises(Rejected, match="stays at 0; give the rate to start from"):
            rate.swap(ExponentialLR(gamma=0.5), base, None, None)
    rate.swap(ExponentialLR(gamma=0.5), 0.1, None, None)
    assert rate.rates() == [0.1]


def test_a_schedule_that_has_no_rate_on_the_way_is_refused_with_the_reason() -> None:
    rate = after(control(HALVING, epochs=30), 5)
    rate.swap(expression("1 - epoch / 24"), None, None, None)  # reaches 0 in the last epoch
    with pytest.raises(Rejected, match=r"cannot be used: at epoch = 24 .* negative"):
        rate.swap(expression("1 - epoch / 23"), None, None, None)
    with pytest.raises(SpecError, match=r"schedule: at epoch = 21 .* negative"):
        control(expression("1 - epoch / 20"), epochs=30)
    control(expression("1 - epoch / 29"), epochs=30)


def test_a_step_wise_schedule_needs_a_rate_for_every_batch_that_is_left_and_no_more() -> None:
    def falling(last: int) -> ScheduleSpec:
        return expression(f"1 - epoch / {last}").model_copy(update={"interval": "step"})

    control(falling(39), epochs=10, steps=4)
    with pytest.raises(SpecError, match=r"at epoch = 39 .* negative"):
        control(falling(38), epochs=10, steps=4)
    rate = after(control(HALVING, epochs=10, steps=4), 5)
    rate.swap(falling(19), None, None, None)
    with pytest.raises(Rejected, match=r"at epoch = 19 .* negative"):
        rate.swap(falling(18), None, None, None)


def test_expressions_count_their_groups() -> None:
    with pytest.raises(SpecError, match=r"schedule: 2 expressions for 1 group"):
        control(expression("1", "0.5"))
    with pytest.raises(SpecError, match=r"schedule: 3 expressions for 2 group"):
        control(expression("1", "0.5", "0.1"), names=TWO)


def test_a_groups_own_schedule_is_its_own() -> None:
    def recipe(own: ScheduleSpec) -> Recipe:
        head = {"name": "head", "modules": ["fc"], "schedule": own.model_dump()}
        return Recipe.model_validate({"optimizer": {"name": "SGD", "lr": 0.1}, "groups": [head]})

    rate = after(RateControl.from_recipe(recipe(expression("0.5**epoch")), TWO, 1), 2)
    assert rate.rates() == [0.1, 0.1 * 0.5**2]
    with pytest.raises(SpecError, match=r"groups\[0\].schedule: 2 expressions for 1 group"):
        RateControl.from_recipe(recipe(expression("1", "0.5")), TWO, 1)


# -- the run's length


def test_another_number_of_epochs_leaves_the_plan_alone() -> None:
    long, short = (control(expression("1 - epoch / epochs / 2"), epochs=20) for _ in range(2))
    assert long.set_epochs(40) is None
    assert flat(long, 20) == flat(short, 20)
    assert long.length.epochs == 40


def test_a_plan_that_does_not_reach_the_new_end_keeps_its_last_rate_and_says_so() -> None:
    rate = control(expression("1 - epoch / epochs"), 1.0, epochs=10)
    warning = rate.set_epochs(20)
    assert warning is not None
    assert "group all does not reach the new end (at epoch = 11 " in warning
    assert flat(rate, 20)[10:] == [0.0] * 10
    rate.swap(StepLR(step_size=5), 0.1, None, None)
    assert rate.set_epochs(1000) is None

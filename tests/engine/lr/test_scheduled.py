"""A plan: stepped, copied, stored, and standing still past its end."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.lr.scheduled import Length, ScheduledLR, ScheduleError
from engine.recipe.recipe import SGD, Adam, AdamW, OptimizerSpec, RMSprop
from engine.schedules import (
    ChainedScheduler,
    Constant,
    CosineAnnealingLR,
    LambdaLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from tests.engine.raw_torch import counted
from tests.engine.strategies import METRICS, RATES, SPECS

LENGTH = Length(30, 5)
OPTIMIZERS = [SGD(momentum=0.9), Adam(), AdamW(), RMSprop()]


def plan_of(spec: ScheduleSpec, base: float = 0.1, optimizer: OptimizerSpec = OPTIMIZERS[0]) -> ScheduledLR:
    return ScheduledLR(spec, base, optimizer, LENGTH)


def values(plan: ScheduledLR, count: int, metrics: list[float] | None = None) -> list[float]:
    seen = []
    for epoch in range(count):
        seen.append(plan.value)
        plan.step(None if metrics is None else {"val_loss": metrics[epoch]})
    return seen


def expression(text: str) -> LambdaLR:
    return LambdaLR(lr_lambda=(text,))


def json_again(state: dict[str, Any]) -> dict[str, Any]:
    again: dict[str, Any] = json.loads(json.dumps(state))
    return again


def file_again(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    again: dict[str, Any] = torch.load(file, weights_only=True)
    return again


@pytest.mark.parametrize("name", list(SPECS))
@pytest.mark.parametrize("through", [json_again, file_again], ids=["json", "file"])
@settings(max_examples=8)
@given(data=st.data(), lr=RATES, metrics=METRICS, cut=st.integers(0, 30))
def test_a_stored_schedule_goes_on_exactly(
    name: str, through: Any, data: Any, lr: float, metrics: list[float], cut: int
) -> None:
    optimizer = data.draw(st.sampled_from(OPTIMIZERS))
    plan = plan_of(data.draw(SPECS[name]), lr, optimizer)
    values(plan, cut, metrics)
    state = plan.state()
    twice = ScheduledLR.from_state(through(ScheduledLR.from_state(through(state), optimizer).state()), optimizer)
    wanted = values(plan, 35, metrics[cut:])
    assert values(ScheduledLR.from_state(through(state), optimizer), 35, metrics[cut:]) == wanted
    assert values(twice, 35, metrics[cut:]) == wanted
    assert twice.position == plan.position


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=3)
@given(data=st.data())
def test_a_state_shares_nothing_with_the_plan(name: str, data: Any) -> None:
    plan = plan_of(data.draw(SPECS[name]))
    values(plan, 3, [1.0] * 3)
    state, stored = plan.state(), json.dumps(plan.state())
    loaded = ScheduledLR.from_state(state, OPTIMIZERS[0])
    values(plan, 5, [1.0] * 5)
    values(loaded, 5, [1.0] * 5)
    assert json.dumps(state) == stored  # neither going on nor loading touched it
    mangle(state)
    mangle(plan.state())
    untouched = ScheduledLR.from_state(json.loads(stored), OPTIMIZERS[0])
    values(untouched, 5, [1.0] * 5)
    wanted = values(untouched, 20, [1.0] * 20)
    assert values(plan, 20, [1.0] * 20) == wanted
    assert values(loaded, 20, [1.0] * 20) == wanted


def mangle(value: Any) -> None:
    """Destroy everything that can be changed in place."""
    for item in list(value.values()) if isinstance(value, dict) else list(value):
        if isinstance(item, (dict, list)):
            mangle(item)
    value.clear()


def test_a_copy_is_independent() -> None:
    plan = plan_of(StepLR(step_size=2, gamma=0.5))
    ahead = plan.copy()
    values(ahead, 6)
    assert (plan.value, plan.position, ahead.value, ahead.position) == (0.1, 0, 0.0125, 6)


def test_past_its_end_a_schedule_keeps_its_last_value() -> None:
    plan = plan_of(expression("1 - epoch / 10"), 1.0)
    seen = values(plan, 20)
    assert seen[10] == 0
    assert seen[11:] == [0.0] * 9
    assert plan.ended is not None
    assert "at epoch = 11" in plan.ended
    assert ScheduledLR.from_state(json_again(plan.state()), OPTIMIZERS[0]).ended == plan.ended


def test_a_lr_that_grows_out_of_all_numbers_ends_the_schedule_too() -> None:
    plan = plan_of(StepLR(step_size=1, gamma=10.0))
    seen = values(plan, 400)
    assert max(seen) == seen[-1]
    assert math.isfinite(seen[-1])
    assert plan.ended is not None
    assert f"after epoch {plan.position + 1}" in plan.ended


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.01 - 0.001*epoch", r"at epoch = 11 the expression '0.01 - 0.001\*epoch' gives a negative"),
        ("1 / (20 - epoch)", "at epoch = 20 .* divides by zero"),
        ("2.0 ** (epoch * 100)", "at epoch = 11 .* too large"),
    ],
)
def test_a_schedule_without_a_value_on_the_way_is_not_accepted(text: str, why: str) -> None:
    plan = plan_of(expression(text))
    with pytest.raises(ScheduleError, match=why):
        plan.prove(29)
    assert plan.position == 0  # a copy was tried


def test_a_part_without_a_value_on_the_way_is_named() -> None:
    inner = ChainedScheduler(schedulers=(Constant(), expression("1 / (20 - epoch)")))
    with pytest.raises(ScheduleError, match=r"^schedulers\[1\]: at epoch = 9 .* divides by zero"):
        plan_of(SequentialLR(schedulers=(Constant(), expression("1 / (9 - epoch)")), milestones=(5,))).prove(29)
    with pytest.raises(ScheduleError, match=r"^schedulers\[0\].schedulers\[1\]: at epoch = 20 .* divides by zero"):
        plan_of(SequentialLR(schedulers=(inner, Constant()), milestones=(25,))).prove(29)
    with pytest.raises(ScheduleError) as error:  # at once
        plan_of(SequentialLR(schedulers=(expression("1 / epoch"), Constant()), milestones=(5,)))
    assert error.value.field == "schedulers[0]"


def test_what_comes_after_the_last_epoch_does_not_count_against_a_plan() -> None:
    plan = plan_of(expression("1 - epoch / 29"))
    plan.prove(29)
    with pytest.raises(ScheduleError):
        plan.prove(30)


def test_a_schedule_that_has_ended_already_is_not_accepted() -> None:
    plan = plan_of(expression("1 - epoch"))
    values(plan, 5)
    with pytest.raises(ScheduleError, match="at epoch = 2"):
        plan.prove(0)


@pytest.mark.parametrize("text", ["-1", "1/epoch", "log(epoch)", "1e308"])
def test_a_schedule_without_a_value_at_its_start_is_not_made(text: str) -> None:
    with pytest.raises(ScheduleError):
        plan_of(expression(text), base=100.0)


def test_a_schedule_on_a_metric_stands_still_without_one() -> None:
    plan = plan_of(ReduceLROnPlateau(patience=0, factor=0.5))
    plan.step({"val_loss": 1.0})
    for nothing in (None, {}, {"train_loss": 5.0}, {"val_loss": math.nan}, {"val_loss": math.inf}):
        plan.step(nothing)
        assert counted(plan) == (1.0, 0)
    assert (plan.value, plan.position) == (0.1, 1)
    plan.step({"val_loss": 1.0})
    assert plan.value == 0.05


def test_patience_can_start_again() -> None:
    plan = plan_of(ReduceLROnPlateau(patience=1, factor=0.5))
    values(plan, 2, [1.0, 1.0])
    assert counted(plan) == (1.0, 1)
    plan.restart_patience()
    assert counted(plan) == (1.0, 0)
    steady = plan_of(Constant())
    steady.restart_patience()
    assert steady.plateau() is None


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_shadow_is_of_the_live_optimizers_class_and_lrs_are_floats(optimizer: OptimizerSpec) -> None:
    plan = ScheduledLR(MultiStepLR(milestones=(1, 1, 2)), 1, optimizer, LENGTH)
    assert type(plan._shadow).__name__ == type(optimizer).__name__
    assert [type(v) for v in values(plan, 4)] == [float] * 4


def test_the_cosine_past_t_max_stays_between_its_ends() -> None:
    """Far past T_max PyTorch's recursion stays accurate, because no hand ever touches the shadow's rate."""
    seen = values(plan_of(CosineAnnealingLR(T_max=7, eta_min=0.01)), 700)
    assert min(seen) >= 0.01 - 1e-12
    assert max(seen) <= 0.1 + 1e-12

"""The scheduled LR: stepped, copied, stored, and constant past its end."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as torch_schedulers

from engine.common.errors import ScheduleError, SpecError
from engine.lr.control import LRControl
from engine.lr.scheduled import Length, ScheduledLR
from engine.recipe.recipe import SGD, Adam, AdamW, OptimizerSpec, Recipe, RMSprop
from engine.schedules import (
    ChainedScheduler,
    Constant,
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from tests.engine.raw_torch import counted
from tests.engine.strategies import LRS, METRICS, SPECS

LENGTH = Length(30, 5)
OPTIMIZERS = [SGD(momentum=0.9), Adam(), AdamW(), RMSprop()]


def scheduled_of(spec: ScheduleSpec, base: float = 0.1, optimizer: OptimizerSpec = OPTIMIZERS[0]) -> ScheduledLR:
    return ScheduledLR(spec, base, optimizer, LENGTH)


def values(scheduled: ScheduledLR, count: int, metrics: list[float] | None = None) -> list[float]:
    seen = []
    for epoch in range(count):
        seen.append(scheduled.value)
        scheduled.step(None if metrics is None else {"val_loss": metrics[epoch]})
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
@given(data=st.data(), lr=LRS, metrics=METRICS, cut=st.integers(0, 30))
def test_a_stored_schedule_continues_exactly(
    name: str, through: Any, data: Any, lr: float, metrics: list[float], cut: int
) -> None:
    optimizer = data.draw(st.sampled_from(OPTIMIZERS))
    scheduled = scheduled_of(data.draw(SPECS[name]), lr, optimizer)
    values(scheduled, cut, metrics)
    state = scheduled.state()
    twice = ScheduledLR.from_state(through(ScheduledLR.from_state(through(state), optimizer).state()), optimizer)
    wanted = values(scheduled, 35, metrics[cut:])
    assert values(ScheduledLR.from_state(through(state), optimizer), 35, metrics[cut:]) == wanted
    assert values(twice, 35, metrics[cut:]) == wanted
    assert twice.position == scheduled.position


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=3)
@given(data=st.data())
def test_a_state_shares_nothing_with_the_schedule(name: str, data: Any) -> None:
    scheduled = scheduled_of(data.draw(SPECS[name]))
    values(scheduled, 3, [1.0] * 3)
    state, stored = scheduled.state(), json.dumps(scheduled.state())
    loaded = ScheduledLR.from_state(state, OPTIMIZERS[0])
    values(scheduled, 5, [1.0] * 5)
    values(loaded, 5, [1.0] * 5)
    assert json.dumps(state) == stored  # neither stepping nor loading changed it
    mangle(state)
    mangle(scheduled.state())
    untouched = ScheduledLR.from_state(json.loads(stored), OPTIMIZERS[0])
    values(untouched, 5, [1.0] * 5)
    wanted = values(untouched, 20, [1.0] * 20)
    assert values(scheduled, 20, [1.0] * 20) == wanted
    assert values(loaded, 20, [1.0] * 20) == wanted


def mangle(value: Any) -> None:
    """Destroy everything that can be changed in place."""
    for item in list(value.values()) if isinstance(value, dict) else list(value):
        if isinstance(item, (dict, list)):
            mangle(item)
    value.clear()


def test_a_copy_is_independent() -> None:
    scheduled = scheduled_of(StepLR(step_size=2, gamma=0.5))
    ahead = scheduled.copy()
    values(ahead, 6)
    assert (scheduled.value, scheduled.position, ahead.value, ahead.position) == (0.1, 0, 0.0125, 6)


def test_past_its_end_a_schedule_keeps_its_last_value() -> None:
    scheduled = scheduled_of(expression("1 - epoch / 10"), 1.0)
    seen = values(scheduled, 20)
    assert seen[10] == 0
    assert seen[11:] == [0.0] * 9
    assert scheduled.ended is not None
    assert "at epoch = 11" in scheduled.ended
    assert ScheduledLR.from_state(json_again(scheduled.state()), OPTIMIZERS[0]).ended == scheduled.ended


def test_an_lr_that_overflows_ends_the_schedule_too() -> None:
    scheduled = scheduled_of(StepLR(step_size=1, gamma=10.0))
    seen = values(scheduled, 400)
    assert max(seen) == seen[-1]
    assert math.isfinite(seen[-1])
    assert scheduled.ended is not None
    assert f"after epoch {scheduled.position + 1}" in scheduled.ended


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.01 - 0.001*epoch", r"at epoch = 11 the expression '0.01 - 0.001\*epoch' gives a negative"),
        ("1 / (20 - epoch)", "at epoch = 20 .* divides by zero"),
        ("2.0 ** (epoch * 100)", "at epoch = 11 .* too large"),
    ],
)
def test_a_schedule_without_a_value_at_some_position_is_rejected(text: str, why: str) -> None:
    scheduled = scheduled_of(expression(text))
    with pytest.raises(ScheduleError, match=why):
        scheduled.validate(29)
    assert scheduled.position == 0  # a copy was stepped


def test_a_part_without_a_value_at_some_position_is_named() -> None:
    inner = ChainedScheduler(schedulers=(Constant(), expression("1 / (20 - epoch)")))
    with pytest.raises(ScheduleError, match=r"^at epoch = 9 .* divides by zero") as error:
        scheduled_of(SequentialLR(schedulers=(Constant(), expression("1 / (9 - epoch)")), milestones=(5,))).validate(29)
    assert error.value.field == "schedulers[1].lr_lambda"
    scheduled = scheduled_of(SequentialLR(schedulers=(inner, Constant()), milestones=(25,)))
    with pytest.raises(ScheduleError, match=r"^at epoch = 20 .* divides by zero") as error:
        scheduled.validate(29)
    assert error.value.field == "schedulers[0].schedulers[1].lr_lambda"
    scheduled.advance(29)
    assert str(scheduled.ended).startswith("schedulers[0].schedulers[1]: at epoch = 20 ")
    with pytest.raises(ScheduleError) as error:  # at once
        scheduled_of(SequentialLR(schedulers=(expression("1 / epoch"), Constant()), milestones=(5,)))
    assert error.value.field == "schedulers[0].lr_lambda"


def test_positions_after_the_last_epoch_are_not_validated() -> None:
    scheduled = scheduled_of(expression("1 - epoch / 29"))
    scheduled.validate(29)
    with pytest.raises(ScheduleError):
        scheduled.validate(30)


def test_a_schedule_that_has_ended_is_rejected() -> None:
    scheduled = scheduled_of(expression("1 - epoch"))
    values(scheduled, 5)
    with pytest.raises(ScheduleError, match="at epoch = 2"):
        scheduled.validate(0)


@pytest.mark.parametrize("text", ["-1", "1/epoch", "log(epoch)", "1e308"])
def test_a_schedule_without_a_value_at_its_start_raises(text: str) -> None:
    with pytest.raises(ScheduleError):
        scheduled_of(expression(text), base=100.0)


def test_a_schedule_driven_by_a_metric_does_not_step_without_one() -> None:
    scheduled = scheduled_of(ReduceLROnPlateau(patience=0, factor=0.5))
    scheduled.step({"val_loss": 1.0})
    for nothing in (None, {}, {"train_loss": 5.0}, {"val_loss": math.nan}, {"val_loss": math.inf}):
        scheduled.step(nothing)
        assert counted(scheduled) == (1.0, 0)
    assert (scheduled.value, scheduled.position) == (0.1, 1)
    scheduled.step({"val_loss": 1.0})
    assert scheduled.value == 0.05


def test_patience_can_be_restarted() -> None:
    scheduled = scheduled_of(ReduceLROnPlateau(patience=1, factor=0.5))
    values(scheduled, 2, [1.0, 1.0])
    assert counted(scheduled) == (1.0, 1)
    scheduled.restart_patience()
    assert counted(scheduled) == (1.0, 0)
    steady = scheduled_of(Constant())
    steady.restart_patience()
    assert steady.plateau() is None


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_shadow_is_of_the_live_optimizers_class_and_lrs_are_floats(optimizer: OptimizerSpec) -> None:
    scheduled = ScheduledLR(MultiStepLR(milestones=(1, 1, 2)), 1, optimizer, LENGTH)
    assert type(scheduled._shadow).__name__ == type(optimizer).__name__
    assert [type(v) for v in values(scheduled, 4)] == [float] * 4


def test_the_cosine_past_t_max_stays_between_its_ends() -> None:
    """Far past T_max PyTorch's recursion stays accurate, because nothing else changes the shadow's LR."""
    seen = values(scheduled_of(CosineAnnealingLR(T_max=7, eta_min=0.01)), 700)
    assert min(seen) >= 0.01 - 1e-12
    assert max(seen) <= 0.1 + 1e-12


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=12)
@given(data=st.data(), lr=LRS, steps=st.lists(st.integers(0, 40), min_size=1, max_size=4))
def test_advancing_by_many_steps_leaves_the_state_that_stepping_leaves(
    name: str, data: Any, lr: float, steps: list[int]
) -> None:
    one_by_one = scheduled_of(data.draw(SPECS[name]), lr)
    at_once = one_by_one.copy()
    for count in steps:
        for _ in range(count):
            one_by_one.step()
        at_once.advance(count)
        assert json.dumps(at_once.state()) == json.dumps(one_by_one.state())


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=12)
@given(data=st.data(), lr=LRS)
def test_what_a_schedule_is_certain_of_is_so(name: str, data: Any, lr: float) -> None:
    spec = data.draw(SPECS[name])
    scheduled = scheduled_of(spec, lr)
    while scheduled.ended is None and scheduled.position < 200:
        certain = spec.usable_throughout(lr, scheduled.position + 1, scheduled.span)
        scheduled.step()
        assert not (certain and scheduled.ended)
        if scheduled.monitor is not None:
            break


LONG = Length(20_000, 180)
MANY = 3_600_000


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many positions are computed from here on."""
    count = [0]
    for name in ("OneCycleLR", "CosineAnnealingLR", "LambdaLR", "LinearLR"):
        kind = getattr(torch_schedulers, name)
        inner = kind.get_lr

        def get_lr(self: Any, inner: Any = inner) -> Any:
            count[0] += 1
            return inner(self)

        monkeypatch.setattr(kind, "get_lr", get_lr)
    return count


@pytest.mark.parametrize(
    "spec",
    [
        OneCycleLR(max_lr=0.1),
        CosineAnnealingLR(T_max=MANY, interval="step"),
        LambdaLR(lr_lambda=("0.5 + 0.5 * cos(pi * epoch / (epochs * steps_per_epoch))",), interval="step"),
        SequentialLR(
            schedulers=(LinearLR(total_iters=900), CosineAnnealingLR(T_max=MANY - 900)),
            milestones=(900,),
            interval="step",
        ),
    ],
    ids=lambda spec: type(spec).__name__,
)
def test_the_work_to_validate_a_schedule_does_not_grow_with_the_run(
    spec: ScheduleSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled = ScheduledLR(spec, 0.1, SGD(momentum=0.9), LONG)
    count = counting(monkeypatch)
    scheduled.validate(MANY - 1)
    assert count[0] < 30_000


def test_one_cycle_is_run_forward_over_millions_of_steps_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled = ScheduledLR(OneCycleLR(max_lr=0.1), 0.1, SGD(momentum=0.9), LONG)
    count = counting(monkeypatch)
    scheduled.advance(MANY // 2)
    assert count[0] < 10
    assert scheduled.position == MANY // 2


@pytest.mark.parametrize("text", ["sqrt(1 - epoch / 2e6)", "1e6 - epoch", "1 / (3599999 - epoch)"])
def test_an_expression_that_fails_far_ahead_is_rejected(text: str) -> None:
    spec = LambdaLR(lr_lambda=(text,), interval="step")
    scheduled = ScheduledLR(spec, 1e-6, SGD(), LONG)
    with pytest.raises(ScheduleError, match="at epoch = "):
        scheduled.validate(MANY - 1)


LATE = {"name": "LambdaLR", "lr_lambda": "1 / (5 - epoch) if epoch < 6 else 1"}
OVERFLOWS = {"name": "ExponentialLR", "gamma": 9.5}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schedule": LATE}, "schedule.lr_lambda"),
        ({"schedule": {**LATE, "lr_lambda": "1 / epoch"}}, "schedule.lr_lambda"),
        ({"schedule": {**LATE, "lr_lambda": ["1", LATE["lr_lambda"]]}}, "schedule.lr_lambda[1]"),
        ({"groups": [{"name": "head", "modules": ["fc"], "schedule": LATE}]}, "groups[0].schedule.lr_lambda"),
        (
            {"schedule": {"name": "SequentialLR", "schedulers": [{"name": "LinearLR"}, LATE], "milestones": [3]}},
            "schedule.schedulers[1].lr_lambda",
        ),
        (
            {"schedule": {"name": "ChainedScheduler", "schedulers": [{"name": "LinearLR"}, OVERFLOWS]}},
            "schedule.schedulers[1].gamma",
        ),
    ],
)
def test_a_schedule_without_an_lr_somewhere_is_rejected_with_the_whole_path(
    changes: dict[str, Any], field: str
) -> None:
    head = [{"name": "head", "modules": ["fc"]}]
    recipe = Recipe.model_validate({"groups": head, "epochs": 400, **changes})
    with pytest.raises(SpecError) as caught:
        LRControl.from_recipe(recipe, ("rest", "head"), 1)
    assert caught.value.field == field

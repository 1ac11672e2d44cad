"""Momentum under a schedule that cycles it, and the last given value after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoints.checkpoint import read
from engine.common.errors import Rejected, ScheduleError, SpecError
from engine.lr.build import Length, build_scheduler
from engine.lr.control import LRControl
from engine.lr.scheduled import ScheduledLR
from engine.models import optimizers
from engine.recipe.recipe import SGD, Adam, AdamW, OptimizerSpec, Recipe, RMSprop
from engine.schedules import Constant, CyclicLR, OneCycleLR, ScheduleSpec, StepLR
from engine.training.job import Job
from tests.engine.raw_torch import control, flat, momentum_of, optimizer_of
from tests.engine.running import OPTIMIZERS, at, commands, library_at, recipe, run

UP_DOWN = CyclicLR(base_lr=0.1, max_lr=0.5, step_size_up=2, interval="epoch", base_momentum=0.5, max_momentum=0.9)
CYCLE = {"name": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2}
ALL = [SGD(momentum=0.6), SGD(), Adam(betas=(0.6, 0.95)), AdamW(), RMSprop(momentum=0.3)]
IDS = ["SGD 0.6", "SGD 0", "Adam", "AdamW", "RMSprop"]


def given(optimizer: OptimizerSpec) -> float:
    values = optimizer.model_dump()
    return float(values["betas"][0] if "betas" in values else values["momentum"])


def live_of(optimizer: OptimizerSpec, groups: int = 1) -> torch.optim.Optimizer:
    return optimizers.build(optimizer, [([torch.nn.Parameter(torch.zeros(2))], 0.1) for _ in range(groups)])


def lr_of(optimizer: OptimizerSpec, schedule: ScheduleSpec, names: tuple[str, ...] = ("all",)) -> LRControl:
    groups = tuple({"name": n, "modules": ("x",)} for n in names if n not in ("all", "rest"))
    made = Recipe.model_validate({"optimizer": optimizer, "schedule": schedule, "groups": groups})
    return LRControl.from_recipe(made, names, 1)


@pytest.mark.parametrize("optimizer", ALL, ids=IDS)
def test_it_is_written_to_the_optimizer_and_restored_when_the_schedule_is_replaced(optimizer: OptimizerSpec) -> None:
    lr, live = lr_of(optimizer, UP_DOWN), live_of(optimizer)
    seen = []
    for _ in range(5):
        lr.write(live)
        seen.append(momentum_of(live))
        lr.epoch_done(None)
    assert seen == pytest.approx([0.9, 0.7, 0.5, 0.7, 0.9])
    lr.swap(StepLR(step_size=3), None, None, None)
    lr.write(live)
    assert momentum_of(live) == given(optimizer)
    if "betas" in live.param_groups[0]:
        assert live.param_groups[0]["betas"][1] == optimizer.model_dump()["betas"][1]


def test_a_schedule_that_does_not_cycle_momentum_keeps_the_recipes() -> None:
    lr, live = lr_of(SGD(momentum=0.6), UP_DOWN.model_copy(update={"cycle_momentum": False})), live_of(SGD())
    lr.write(live)
    assert momentum_of(live) == 0.6


def test_each_group_has_its_own() -> None:
    lr, live = lr_of(SGD(momentum=0.6), Constant(), ("rest", "head")), live_of(SGD(momentum=0.6), 2)
    lr.swap(UP_DOWN, None, "head", None)
    lr.write(live)
    assert [g["momentum"] for g in live.param_groups] == [0.6, 0.9]


def test_a_held_lr_holds_the_lr_and_not_momentum() -> None:
    lr, live = lr_of(SGD(momentum=0.6), UP_DOWN), live_of(SGD())
    lr.set_lr(0.3, "hold", None)
    lr.epoch_done(None)
    lr.write(live)
    assert live.param_groups[0]["lr"] == 0.3
    assert momentum_of(live) == pytest.approx(0.7)


@pytest.mark.parametrize("through", [lambda s: s, lambda s: json.loads(json.dumps(s))], ids=["plain", "json"])
@pytest.mark.parametrize("optimizer", ALL, ids=IDS)
def test_from_its_state_it_continues_and_is_restored(optimizer: OptimizerSpec, through: Any) -> None:
    lr = lr_of(optimizer, UP_DOWN)
    flat(lr, 3)
    again, live = LRControl.from_state(through(lr.state()), optimizer), live_of(optimizer)
    for control_of in (lr, again):
        control_of.epoch_done(None)
    again.write(live)
    assert momentum_of(live) == lr.groups[0].scheduled.momentum
    again.swap(Constant(), None, None, None)
    again.write(live)
    assert momentum_of(live) == given(optimizer)


# -- what is rejected


def test_an_optimizer_without_momentum_is_rejected_with_the_field() -> None:
    adagrad = optimizer_of(0.1, kind=torch.optim.Adagrad)
    for spec in (UP_DOWN, OneCycleLR(max_lr=0.1)):
        with pytest.raises(ScheduleError, match="Adagrad has neither momentum nor betas") as caught:
            build_scheduler(spec, adagrad, Length(5, 5), 25)
        assert caught.value.field == "cycle_momentum"
    build_scheduler(UP_DOWN.model_copy(update={"cycle_momentum": False}), adagrad, Length(5, 5), 25)


def test_a_momentum_that_leaves_its_range_is_rejected() -> None:
    wild = UP_DOWN.model_copy(update={"mode": "exp_range", "gamma": 2.0})
    with pytest.raises(
        SpecError, match=r"^schedule\.gamma: the schedule gives a momentum of -\S+ after epoch 2; allowed"
    ):
        control(wild)


def test_a_one_cycle_in_which_nothing_can_rise_is_rejected_with_the_field() -> None:
    with pytest.raises(SpecError) as caught:
        control(OneCycleLR(max_lr=0.1, pct_start=0.1, interval="epoch"), epochs=10)
    assert caught.value.field == "schedule.pct_start"
    assert "0.1 of 10 epochs is one epoch" in caught.value.problem


def test_cycles_that_underflow_are_rejected_with_the_position() -> None:
    """PyTorch divides by 2.0 to the power of the cycle, which has no value from cycle 1025 on."""
    spec = CyclicLR(base_lr=0.1, max_lr=1, step_size_up=1, mode="triangular2")
    with pytest.raises(SpecError, match=r"schedule: .* overflows after step 2048"):
        control(spec, epochs=30, steps=100)
    control(spec, epochs=20, steps=100)


# -- schedules with a level of their own


@pytest.mark.parametrize("base", [0.5, (0.5,)])
@pytest.mark.parametrize("spec", [UP_DOWN, OneCycleLR(max_lr=0.1)], ids=["CyclicLR", "OneCycleLR"])
def test_a_base_is_rejected_with_the_reason(spec: ScheduleSpec, base: Any) -> None:
    lr = control(StepLR(step_size=3))
    before = lr.state()
    with pytest.raises(Rejected, match=r"sets its own starting LR, so lr cannot be given"):
        lr.swap(spec, base, None, None)
    assert lr.state() == before
    lr.swap(spec, None, None, None)


def test_a_level_of_its_own_raises_an_lr_of_0() -> None:
    lr = control(StepLR(step_size=3))
    lr.set_lr(0.0, "hold", None)
    lr.swap(UP_DOWN, None, None, None)
    assert flat(lr, 3) == pytest.approx([0.1, 0.3, 0.5])


def test_one_cycle_spans_the_rest_of_the_run_or_the_whole_of_it() -> None:
    spec = OneCycleLR(max_lr=1, interval="epoch", div_factor=10, final_div_factor=10)
    whole = flat(control(spec, epochs=20), 20)
    assert (whole[0], max(whole), whole[-1]) == pytest.approx((0.1, 1, 0.01))
    late = control(StepLR(step_size=3), epochs=20)
    flat(late, 10)
    late.swap(spec, None, None, None)
    assert flat(late.copy(), 10) == flat(control(spec, epochs=10), 10)
    late.swap(spec, None, None, [{}] * 10)
    assert flat(late, 10) == whole[10:]


def test_one_cycle_counts_the_steps_of_the_run() -> None:
    scheduled = ScheduledLR(OneCycleLR(max_lr=0.1), 0.5, SGD(), Length(3, 7))
    assert scheduled.span == 21
    seen = []
    for _ in range(21):
        seen.append(scheduled.value)
        scheduled.step()
    assert seen[-1] == pytest.approx(0.1 / 25 / 1e4)


def test_past_its_end_one_cycle_keeps_its_last_lr_and_momentum_with_a_warning() -> None:
    lr = control(OneCycleLR(max_lr=1, interval="epoch"), epochs=5)
    warning = lr.set_epochs(8)
    assert warning is not None
    assert "OneCycleLR's one cycle is over after 5 positions" in warning
    seen = flat(lr, 12)
    assert seen[4:] == [seen[4]] * 8
    assert lr.groups[0].scheduled.momentum == 0.95
    assert LRControl.from_state(lr.state(), SGD()).current() == lr.current()


# -- in a run


def test_in_a_run_it_changes_the_weights_and_a_checkpoint_has_what_to_restore(tmp_path: Path) -> None:
    file = tmp_path / "here.tiller"
    lines = (
        at(1, 1, "set_optimizer", momentum=0.7),
        at(2, 0, "set_schedule", schedule=CYCLE),
        at(2, 1, "save", path=str(file)),
        at(2, 1, "set_optimizer", momentum=0.2),
        at(2, 1, "set_optimizer", weight_decay=0.01),
        at(3, 0, "set_schedule", schedule={"name": "Constant"}),
        at(3, 1, "save", path=str(tmp_path / "after.tiller")),
    )
    whole = run(Job(recipe=recipe(optimizer=OPTIMIZERS["SGD"]), lines=commands(*lines)))
    assert [a.status for a in whole.answers] == ["applied"] * 3 + ["rejected"] + ["applied"] * 3
    reason = whole.answers[3].reason
    assert reason is not None
    assert "the CyclicLR of group all cycles momentum itself" in reason
    checkpoint = read(file)
    assert checkpoint["optimizer"]["param_groups"][0]["momentum"] != 0.7
    assert checkpoint["lr"]["groups"][0]["momentum"] == 0.7
    assert read(tmp_path / "after.tiller")["optimizer"]["param_groups"][0]["momentum"] == 0.7
    resumed = run(Job(checkpoint=file, lines=commands(*lines)))
    assert resumed.end.weights_sha256 == whole.end.weights_sha256
    steady = run(Job(recipe=recipe(optimizer=OPTIMIZERS["SGD"]), lines=commands(*lines[:1])))
    assert steady.end.weights_sha256 != whole.end.weights_sha256


def test_betas_that_are_cycled_cannot_be_changed() -> None:
    lines = commands(at(2, 0, "set_optimizer", betas=[0.5, 0.9]))
    schedule = {"name": "OneCycleLR", "max_lr": 0.01}
    events = run(Job(recipe=recipe(optimizer=OPTIMIZERS["Adam"], schedule=schedule), lines=lines))
    answer = events.answer("set_optimizer")
    assert answer.reason is not None
    assert "the OneCycleLR of group all cycles betas itself" in answer.reason


def test_rmsprop_can_cycle_momentum_from_the_start_but_not_begin_in_mid_run() -> None:
    plain = {**OPTIMIZERS["RMSprop"], "momentum": 0.0}
    schedule = {**CYCLE, "base_lr": 0.001, "max_lr": 0.003}
    assert run(recipe(optimizer=plain, schedule=schedule)).end.reason == "finished"
    events = run(Job(recipe=recipe(optimizer=plain), lines=commands(at(2, 0, "set_schedule", schedule=schedule))))
    answer = events.answer("set_schedule")
    assert answer.status == "rejected"
    assert answer.reason is not None
    assert answer.reason.startswith("cycle_momentum: RMSprop cannot start using momentum in mid-run")
    assert events.end.reason == "finished"


def test_a_rewind_to_before_the_schedule_restores_the_momentum_of_then(tmp_path: Path) -> None:
    file = tmp_path / "then.tiller"
    lines = (
        at(1, 1, "set_optimizer", momentum=0.7),
        at(2, 0, "set_schedule", schedule=CYCLE),
        at(3, 1, "rewind", epoch=1),
        at(2, 1, "save", path=str(file)),
    )
    with library_at(tmp_path / "library") as library:
        events = run(Job(recipe=recipe(optimizer=OPTIMIZERS["SGD"]), lines=commands(*lines)), library)
    assert [a.status for a in events.answers] == ["applied"] * 4
    assert [g["momentum"] for g in read(file)["optimizer"]["param_groups"]] == [0.7]

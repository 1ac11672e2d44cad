"""What goes wrong with LRs in plain PyTorch, and that it does not in Tiller. Each test shows PyTorch too."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from torch.optim import Optimizer, lr_scheduler

from engine.lr.control import LRControl
from engine.recipe.recipe import SGD
from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    ExponentialLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from tests.engine.raw_torch import (
    after,
    control,
    counted,
    expression,
    flat,
    lrs_of,
    optimizer_of,
    raw_lrs,
    raw_scheduler,
    tiller_lrs,
)

SPECS: list[ScheduleSpec] = [
    Constant(),
    StepLR(step_size=3, gamma=0.1),
    MultiStepLR(milestones=(3, 6, 9), gamma=0.1),
    ExponentialLR(gamma=0.9),
    CosineAnnealingLR(T_max=10),
    expression("0.9**epoch"),
    ReduceLROnPlateau(patience=2, factor=0.1),
]
IDS = [type(spec).__name__ for spec in SPECS]


def step(optimizer: Optimizer, scheduler: Any, count: int = 1, *metrics: float) -> list[float]:
    """The LRs after each of ``count`` steps."""
    lrs = []
    for _ in range(count):
        optimizer.step()
        scheduler.step(*metrics)
        lrs.append(lrs_of(optimizer)[0])
    return lrs


def override(optimizer: Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr


# -- 1: an LR that is set from outside


def test_pytorchs_schedulers_disagree_about_an_lr_that_is_set() -> None:
    """Some continue from it, one forgets it, one distorts it."""
    seen = {}
    for spec in SPECS[1:6]:
        optimizer = optimizer_of(0.1)
        scheduler = raw_scheduler(spec, optimizer)
        step(optimizer, scheduler, 3)
        override(optimizer, 0.5)
        seen[type(spec).__name__] = step(optimizer, scheduler, 3)
    assert seen["StepLR"] == seen["MultiStepLR"] == pytest.approx([0.5, 0.5, 0.05])
    assert seen["ExponentialLR"] == pytest.approx([0.45, 0.405, 0.3645])
    assert seen["CosineAnnealingLR"] == pytest.approx([0.4122, 0.3149, 0.2176], abs=1e-4)
    assert seen["LambdaLR"] == pytest.approx([0.06561, 0.059049, 0.0531441])  # forgotten


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_tiller_has_one_rule_for_all_of_them(spec: ScheduleSpec) -> None:
    lr = after(control(spec), 3, loss=1.0)
    p = lr.scheduled()[0]
    lr.set_lr(0.5, "follow", None)
    for _ in range(5):
        assert lr.current() == [0.5 * (lr.scheduled()[0] / p)]
        lr.epoch_done({"val_loss": 1.0})
    lr.set_lr(0.3, "hold", None)
    assert flat(lr, 5, loss=1.0) == [0.3] * 5


def test_a_plateau_reduces_at_once_an_lr_that_was_just_set() -> None:
    spec = ReduceLROnPlateau(patience=2, factor=0.1)
    optimizer = optimizer_of(0.5)
    scheduler = raw_scheduler(spec, optimizer)
    step(optimizer, scheduler, 3, 1.0)
    override(optimizer, 0.05)
    assert step(optimizer, scheduler, 1, 1.0) == [pytest.approx(0.005)]
    lr = after(control(spec, 0.5), 3, loss=1.0)
    lr.set_lr(0.05, "follow", None)
    assert flat(lr, 4, loss=1.0) == [0.05] * 3 + [pytest.approx(0.005)]


# -- 2: LRs that explode


def test_an_lr_set_near_the_bottom_of_a_cosine_explodes_silently_and_tiller_warns() -> None:
    spec = CosineAnnealingLR(T_max=10)
    optimizer = optimizer_of(0.1)
    scheduler = raw_scheduler(spec, optimizer)
    step(optimizer, scheduler, 11)
    override(optimizer, 0.1)
    assert max(step(optimizer, scheduler, 9)) == pytest.approx(4.0863, abs=1e-4)

    warned = after(control(spec), 11)
    assert "rises to 4.08635, more than twice the LR set now, 0.1; hold" in str(warned.set_lr(0.1, "follow", None))
    held = after(control(spec), 11)
    assert held.set_lr(0.1, "hold", None) is None
    assert max(flat(held, 19)) == 0.1
    swapped = after(control(spec), 11)
    swapped.swap(CosineAnnealingLR(T_max=19), 0.1, None, None)
    assert max(flat(swapped, 19)) == 0.1


def test_t_max_changed_in_mid_run_explodes_and_a_swap_does_not() -> None:
    optimizer = optimizer_of(0.1)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 20)
    step(optimizer, scheduler, 12)
    scheduler.T_max = 10
    assert max(step(optimizer, scheduler, 20)) > 0.35

    here, replayed = (after(control(CosineAnnealingLR(T_max=20)), 12) for _ in range(2))
    here.swap(CosineAnnealingLR(T_max=10), None, None, None)
    now = here.current()[0]
    assert now == pytest.approx(0.0345, abs=1e-4)
    assert max(flat(here, 18)) == now
    replayed.swap(CosineAnnealingLR(T_max=10), None, None, [{}] * 12)
    assert max(flat(replayed, 18)) <= 0.1 + 1e-12


def test_a_cosine_that_begins_in_mid_run_begins_at_its_top() -> None:
    """In tools that run the new schedule forward to now, it begins at its end."""
    tail = optimizer_of(0.1)
    assert step(tail, lr_scheduler.CosineAnnealingLR(tail, 30), 25)[-1] < 0.01
    lr = after(control(Constant(), epochs=30), 25)
    lr.swap(CosineAnnealingLR(T_max=5), None, None, None)
    assert lr.current() == [0.1]


# -- 3: zero


@pytest.mark.parametrize("spec", [SPECS[1], SPECS[2], SPECS[3]], ids=["StepLR", "MultiStepLR", "ExponentialLR"])
def test_an_lr_of_0_stays_0_in_pytorch_and_can_be_changed_in_tiller(spec: ScheduleSpec) -> None:
    optimizer = optimizer_of(0.1)
    scheduler = raw_scheduler(spec, optimizer)
    override(optimizer, 0.0)
    assert step(optimizer, scheduler, 10) == [0.0] * 10
    lr = control(spec)
    lr.set_lr(0.0, "hold", None)
    assert flat(lr, 5) == [0.0] * 5
    lr.release_lr(None)
    assert lr.current() == after(control(spec), 5).current()


def test_get_last_lr_is_stale_after_an_override_and_tillers_current_lr_is_what_it_writes() -> None:
    optimizer = optimizer_of(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    override(optimizer, 0.5)
    assert scheduler.get_last_lr() == [0.1]
    lr = control(StepLR(step_size=3))
    lr.set_lr(0.5, "follow", None)
    lr.write(optimizer)
    assert lrs_of(optimizer) == lr.current() == [0.5]


# -- 4: the base of a new schedule


@pytest.mark.parametrize("second", SPECS, ids=IDS)
def test_a_new_schedule_starts_from_the_current_lr(second: ScheduleSpec) -> None:
    lr = after(control(StepLR(step_size=3)), 2)
    lr.set_lr(0.02, "follow", None)
    lr.swap(second, None, None, None)
    assert lr.current() == [0.02]
    metrics = [{"val_loss": 1.0}] * 10
    assert tiller_lrs(lr, 10, metrics) == tiller_lrs(control(second, 0.02), 10, metrics)


def test_in_pytorch_it_starts_from_a_stale_initial_lr() -> None:
    optimizer = optimizer_of(0.1)
    lr_scheduler.StepLR(optimizer, 3)
    override(optimizer, 0.02)
    lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.9**epoch)
    assert lrs_of(optimizer) == [0.1]
    optimizer = optimizer_of(0.1)
    lr_scheduler.StepLR(optimizer, 3)
    override(optimizer, 0.02)
    assert max(step(optimizer, lr_scheduler.CosineAnnealingLR(optimizer, 10), 20)) == pytest.approx(0.1)


# -- 5 and 6: restoring


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_a_restored_run_continues_exactly_from_any_position(spec: ScheduleSpec) -> None:
    metrics = [{"val_loss": 1.0}] * 20
    whole = tiller_lrs(control(spec), 20, metrics)
    for cut in range(13):
        lr = after(control(spec), cut, loss=1.0)
        assert tiller_lrs(LRControl.from_state(lr.state(), SGD()), 20 - cut, metrics) == whole[cut:]


def test_in_pytorch_the_order_and_the_number_of_loads_matter() -> None:
    optimizer = optimizer_of(0.1)
    step(optimizer, lr_scheduler.MultiStepLR(optimizer, [3]), 3)
    assert lrs_of(optimizer) == [pytest.approx(0.01)]

    twice = optimizer_of(0.1)
    twice.load_state_dict(optimizer.state_dict())
    lr_scheduler.MultiStepLR(twice, [3], last_epoch=2)
    assert lrs_of(twice) == [pytest.approx(0.001)]  # the milestone counted again

    early = optimizer_of(0.1)
    early.load_state_dict(optimizer.state_dict())
    lr_scheduler.LambdaLR(early, lambda epoch: 0.9**epoch)  # constructed after loading: the loaded LR is lost
    assert lrs_of(early) == [0.1]


def test_loading_reverts_a_new_setting_in_pytorch_but_not_a_swap_in_tiller() -> None:
    old, new = optimizer_of(0.1), optimizer_of(0.1)
    saved = lr_scheduler.StepLR(old, 2).state_dict()
    scheduler = lr_scheduler.StepLR(new, 5)
    scheduler.load_state_dict(saved)
    assert scheduler.step_size == 2

    lr = control(StepLR(step_size=2, gamma=0.5))
    lr.swap(StepLR(step_size=5, gamma=0.5), None, None, None)
    restored = LRControl.from_state(lr.state(), SGD())
    assert restored.groups[0].scheduled.spec == StepLR(step_size=5, gamma=0.5)
    assert flat(restored, 6) == [0.1] * 5 + [0.05]


def test_state_dicts_alias_live_data_and_tillers_do_not() -> None:
    optimizer = optimizer_of(0.1)
    scheduler = lr_scheduler.MultiStepLR(optimizer, [3])
    scheduler.state_dict()["milestones"].clear()
    assert not scheduler.milestones

    lr = control(MultiStepLR(milestones=(3,), gamma=0.5))
    state = lr.state()
    kept = copy.deepcopy(state)
    state["groups"][0]["scheduled"]["scheduler"]["milestones"].clear()
    assert flat(lr, 4)[3] == 0.05
    restored = LRControl.from_state(kept, SGD())
    assert flat(restored, 4)[3] == 0.05
    again = LRControl.from_state(kept, SGD())  # loading twice from one state
    assert flat(again, 4)[3] == 0.05


def test_a_lambda_is_not_saved_but_an_expression_is() -> None:
    scheduler = lr_scheduler.LambdaLR(optimizer_of(0.1), lambda epoch: 0.5**epoch)
    assert scheduler.state_dict()["lr_lambdas"] == [None]
    restored = LRControl.from_state(after(control(expression("0.5**epoch")), 2).state(), SGD())
    assert flat(restored, 2) == [0.025, 0.0125]


# -- 7 and 8: the plateau's state, NaN, skipped steps


def test_a_resumed_plateau_keeps_its_best_and_its_bad_epochs() -> None:
    spec = ReduceLROnPlateau(patience=2, factor=0.1)
    raw = optimizer_of(0.1)
    saved = raw_scheduler(spec, raw)
    step(raw, saved, 3, 1.0)
    fresh = raw_scheduler(spec, raw)  # as many tools resume
    assert step(raw, fresh, 1, 1.0) == [0.1]

    lr = after(control(spec), 3, loss=1.0)
    restored = LRControl.from_state(lr.state(), SGD())
    assert counted(restored.groups[0].scheduled) == (1.0, 2)
    assert after(restored, 1, loss=1.0).current() == [pytest.approx(0.01)]


def test_nan_is_a_bad_epoch_in_pytorch_and_none_at_all_in_tiller() -> None:
    spec = ReduceLROnPlateau(patience=0, factor=0.1)
    optimizer = optimizer_of(0.1)
    scheduler = raw_scheduler(spec, optimizer)
    step(optimizer, scheduler, 1, 1.0)
    assert step(optimizer, scheduler, 1, float("nan")) == [pytest.approx(0.01)]
    lr = after(control(spec), 1, loss=1.0)
    assert flat(lr, 3, loss=float("nan")) == [0.1] * 3
    assert flat(lr, 2, loss=float("inf")) == [0.1] * 2


def test_a_batch_whose_update_was_skipped_does_not_step_a_schedule_stepped_per_batch() -> None:
    lr = control(ExponentialLR(gamma=0.5, interval="step"), epochs=2, steps=4)
    for update_made in (True, False, True, False):
        if update_made:
            lr.step_done()
    lr.epoch_done(None)
    assert lr.current() == [0.1 * 0.5 * 0.5]
    assert lr.groups[0].scheduled.position == lr.steps_done == 2


def test_without_interventions_a_raw_scheduler_and_the_schedule_agree() -> None:
    """Without interventions Tiller equals PyTorch, to the bit."""
    for spec in SPECS:
        optimizer = optimizer_of(0.1)
        losses = [1.0] * 25 if isinstance(spec, ReduceLROnPlateau) else None
        metrics = [{"val_loss": 1.0}] * 25
        assert tiller_lrs(control(spec), 25, metrics) == raw_lrs(optimizer, raw_scheduler(spec, optimizer), 25, losses)

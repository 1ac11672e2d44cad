"""A warm-up before schedules that PyTorch cannot chain: ReduceLROnPlateau as the last stage of a SequentialLR."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.common.spec import parse
from engine.lr.control import LRControl
from engine.lr.preview import draw
from engine.lr.view import schedule_views
from engine.messages.commands import SetSchedule
from engine.messages.preview import CurveQuery
from engine.recipe.recipe import SGD, Recipe
from engine.schedules import AnySchedule, ReduceLROnPlateau, SequentialLR, StepLR
from engine.training.queries import pytorch_code
from tests.engine.export.test_python import run
from tests.engine.raw_torch import after, control, optimizer_of, raw_scheduler, tiller_lrs
from tests.engine.running import PER_EPOCH, recipe
from tests.engine.strategies import FLOORLESS, METRICS, SPECS

WARM = {
    "name": "SequentialLR",
    "schedulers": [
        {"name": "LinearLR", "start_factor": 0.1, "total_iters": 3},
        {"name": "ReduceLROnPlateau", "patience": 1, "factor": 0.5},
    ],
    "milestones": [3],
}


def spec_of(given: dict[str, Any]) -> SequentialLR:
    made = parse(AnySchedule, json.dumps(given))
    assert isinstance(made, SequentialLR)
    return made


def trained(lr: LRControl, losses: list[float]) -> list[float]:
    """The LR of each epoch; the loss of epoch n is ``losses[n-1]``."""
    return [lrs[0] for lrs in tiller_lrs(lr, len(losses), [{"val_loss": loss} for loss in losses])]


@settings(max_examples=40)
@given(first=FLOORLESS, plateau=SPECS["ReduceLROnPlateau"], begin=st.integers(1, 30), losses=METRICS)
def test_until_the_milestone_it_is_pytorchs_scheduler_and_from_there_pytorchs_plateau(
    first: Any, plateau: Any, begin: int, losses: list[float]
) -> None:
    optimizer = optimizer_of(0.1, momentum=0.9)
    before = raw_scheduler(first, optimizer, begin)
    base = optimizer.param_groups[0]["initial_lr"]
    after_it = raw_scheduler(plateau, optimizer)
    expected = []
    for epoch, loss in enumerate(losses, 1):
        expected.append(max(0.0, float(optimizer.param_groups[0]["lr"])))
        optimizer.step()
        if epoch < begin:
            before.step()
        elif epoch == begin:
            optimizer.param_groups[0]["lr"] = base
        else:
            after_it.step(loss)
    spec = SequentialLR(schedulers=(first, plateau), milestones=(begin,))
    assert trained(control(spec, epochs=70), losses) == expected


def test_after_several_stages_the_plateau_follows_too() -> None:
    stages = [*WARM["schedulers"][:1], {"name": "Constant"}, WARM["schedulers"][1]]
    lr = control(spec_of({**WARM, "schedulers": stages, "milestones": [3, 5]}))
    assert trained(lr, [1.0] * 9) == pytest.approx([0.01, 0.04, 0.07, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05])
    alone = control(spec_of({"name": "SequentialLR", "schedulers": WARM["schedulers"][1:]}))
    assert trained(alone, [1.0] * 5) == [0.1, 0.1, 0.1, 0.05, 0.05]


@pytest.mark.parametrize("cut", range(8))
def test_from_its_state_it_continues_exactly(cut: int) -> None:
    losses = [1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8]
    whole, begun = control(spec_of(WARM)), control(spec_of(WARM))
    expected = trained(whole, losses)
    trained(begun, losses[:cut])
    again = LRControl.from_state(json.loads(json.dumps(begun.state())), SGD(momentum=0.9))
    assert trained(again, losses[cut:]) == expected[cut:]


def test_the_metric_of_the_warm_up_does_not_count_and_none_is_needed_there() -> None:
    lr = control(spec_of(WARM))
    for epoch in range(3):
        assert lr.groups[0].scheduled.monitor is None, epoch
        assert lr.groups[0].scheduled.plateau() is None
        assert lr.epoch_done({"val_loss": 0.001}) == []  # better than any that follows
    assert lr.groups[0].scheduled.monitor == "val_loss"
    assert trained(lr, [1.0, 0.9, 0.8, 0.7]) == [0.1] * 4


def test_a_reduction_is_reported_as_that_of_the_plateau() -> None:
    lr = after(control(spec_of(WARM)), 3, 1.0)
    changes = [change for _ in range(3) for change in lr.epoch_done({"val_loss": 1.0})]
    assert [change.text for change in changes] == ["ReduceLROnPlateau 0.1 -> 0.05: no improvement on 1 for 2 epochs"]
    view = schedule_views(lr, Position(epoch=7))[0]
    assert view.plateau is not None
    assert (view.plateau.best, view.waits_for_metric) == (1.0, True)


def test_while_held_the_warm_up_goes_on_and_the_plateau_gets_no_metric() -> None:
    lr = control(spec_of(WARM))
    lr.set_lr(0.5, "hold", None)
    after(lr, 10, 1.0)
    lr.release_lr(None)
    assert lr.current() == [0.1]
    assert lr.groups[0].scheduled.position == 3
    assert trained(lr, [1.0] * 4) == [0.1, 0.1, 0.1, 0.05]


def test_as_if_from_epoch_1_it_gets_the_recorded_metrics() -> None:
    losses = [1.0, 0.9, 0.9, 0.9, 0.9, 0.9]
    whole, late = control(spec_of(WARM)), after(control(StepLR(step_size=20)), len(losses))
    trained(whole, losses)
    late.apply(SetSchedule(schedule=spec_of(WARM), start="replay"), [{"val_loss": loss} for loss in losses])
    assert late.current() == whole.current() == [0.05]
    assert late.groups[0].scheduled.state() == whole.groups[0].scheduled.state()


def test_in_mid_run_it_warms_up_from_the_current_lr() -> None:
    lr = after(control(StepLR(step_size=20)), 4)
    lr.set_lr(0.2, "follow", None)
    lr.apply(SetSchedule(schedule=spec_of(WARM)), [])
    assert trained(lr, [1.0] * 7) == pytest.approx([0.02, 0.08, 0.14, 0.2, 0.2, 0.2, 0.1])


def test_a_preview_shows_the_warm_up_and_then_a_level_curve() -> None:
    made = Recipe(optimizer=SGD(lr=0.1), schedule=spec_of(WARM), epochs=8)
    curve = draw(CurveQuery(key="test", recipe=made, epochs=8))
    assert curve.problem is None
    assert curve.lr[:, 0].tolist() == pytest.approx([0.01, 0.04, 0.07] + [0.1] * 6)


@pytest.mark.parametrize("name", ["LinearLR", "SequentialLR"])
def test_exported_code_has_the_lrs_of_training(name: str) -> None:
    plateau = {"name": "ReduceLROnPlateau", "patience": 0, "factor": 0.5, "threshold": 0.1, "monitor": "val_accuracy"}
    stages, milestones = [{"name": "LinearLR", "total_iters": 2}, plateau], [2]
    if name == "SequentialLR":
        stages, milestones = [stages[0], {"name": "ExponentialLR", "gamma": 0.5}, plateau], [2, 4]
    of = recipe(schedule={"name": "SequentialLR", "schedulers": stages, "milestones": milestones}, epochs=8)
    _, lrs, metrics = run(pytorch_code(of))
    lr = LRControl.from_recipe(of, ["all"], PER_EPOCH)
    for seen, measured in zip(lrs, metrics, strict=True):
        assert [seen] == lr.current()
        lr.epoch_done(measured)
    assert lrs[-1] < lrs[4]


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        (
            {**WARM, "schedulers": WARM["schedulers"][::-1]},
            "schedulers[0].name",
            "can only be the last stage of a SequentialLR",
        ),
        (
            {"name": "ChainedScheduler", "schedulers": WARM["schedulers"]},
            "schedulers[1].name",
            "can only be the last stage of a SequentialLR",
        ),
        (
            {"name": "SequentialLR", "schedulers": [WARM, {"name": "Constant"}], "milestones": [6]},
            "schedulers[0].schedulers[1].name",
            "part of a SequentialLR",
        ),
        (
            {"name": "ChainedScheduler", "schedulers": [WARM]},
            "schedulers[0].schedulers[1].name",
            "part of a ChainedScheduler",
        ),
        ({**WARM, "interval": "step"}, "interval", "measured once per epoch"),
    ],
)
def test_elsewhere_it_is_rejected_with_the_field(given: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(SpecError, match=problem) as caught:
        spec_of(given)
    assert caught.value.field == field


def test_pytorch_itself_refuses_it() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    stages = [lr_scheduler.LinearLR(optimizer), lr_scheduler.ReduceLROnPlateau(optimizer)]
    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        lr_scheduler.SequentialLR(optimizer, stages, [3])


def test_a_long_warm_up_is_run_forward_at_once() -> None:
    long = SequentialLR(schedulers=(StepLR(step_size=7, gamma=0.9), ReduceLROnPlateau()), milestones=(50,))
    one_by_one, at_once = (control(long, epochs=100).groups[0].scheduled for _ in range(2))
    for steps in (3, 40, 30):
        for _ in range(steps):
            one_by_one.step()
        at_once.advance(steps)
        assert json.dumps(at_once.state()) == json.dumps(one_by_one.state())

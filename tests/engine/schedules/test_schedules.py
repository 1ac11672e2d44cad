"""Scheduled LRs equal PyTorch's to the last bit, for every schedule with random parameters."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import schedules
from engine.lr import build
from engine.lr.scheduled import Length, ScheduledLR
from engine.models import optimizers
from engine.recipe.recipe import SGD, Adam, AdamW, OptimizerSpec, RMSprop
from engine.schedules import SCHEDULES, ScheduleSpec
from engine.schedules.base import form_metadata
from tests.engine.raw_torch import control, momentum_of, optimizer_of, raw_lrs, raw_scheduler, tiller_lrs
from tests.engine.strategies import LRS, METRICS, SPECS, with_interval

EPOCHS = 70
STEPPED_PER_BATCH = (schedules.CyclicLR, schedules.OneCycleLR)


@pytest.mark.parametrize("kind", [kind for kind in SCHEDULES if hasattr(torch.optim.lr_scheduler, kind.__name__)])
def test_parameters_have_pytorchs_names_and_defaults(kind: type[ScheduleSpec]) -> None:
    torchs = inspect.signature(getattr(torch.optim.lr_scheduler, kind.__name__).__init__).parameters
    expected = {
        name: parameter.default
        for name, parameter in torchs.items()
        if name not in {"self", "optimizer", "last_epoch", "verbose"}
    }
    ours = {
        name: inspect.Parameter.empty if field.is_required() else field.get_default()
        for name, field in kind.model_fields.items()
        if name not in ("name", "interval", "monitor")
    }
    if kind is schedules.SequentialLR:
        expected["milestones"] = ()  # the default is a single stage
    assert ours == expected
    assert kind.model_fields["interval"].get_default() == ("step" if kind in STEPPED_PER_BATCH else "epoch")


def test_every_schedule_is_tested() -> None:
    assert set(SPECS) == {spec.__name__ for spec in SCHEDULES} == {kind.__name__ for kind in build._BUILDERS}


@pytest.mark.parametrize("name", [n for n in SPECS if n != "ReduceLROnPlateau"])
@settings(max_examples=40)
@given(data=st.data(), lr=LRS)
def test_scheduled_lrs_equal_pytorchs(name: str, data: Any, lr: float) -> None:
    spec = data.draw(SPECS[name])
    optimizer = optimizer_of(lr, momentum=0.9)
    expected = raw_lrs(optimizer, raw_scheduler(spec, optimizer), EPOCHS)
    assert tiller_lrs(control(spec, lr, EPOCHS), EPOCHS) == expected


@pytest.mark.parametrize("name", [n for n in SPECS if n != "ReduceLROnPlateau"])
@settings(max_examples=10)
@given(data=st.data(), lr=LRS)
def test_scheduled_lrs_stepped_per_batch_equal_pytorchs(name: str, data: Any, lr: float) -> None:
    spec = with_interval(data.draw(SPECS[name]), "step")
    optimizer = optimizer_of(lr, momentum=0.9)
    expected = raw_lrs(optimizer, raw_scheduler(spec, optimizer, EPOCHS, 7), EPOCHS)
    lr_control, lrs = control(spec, lr, epochs=10, steps=7), []
    for _ in range(10):
        for _ in range(7):
            lrs.append(lr_control.current())
            lr_control.step_done()
        lr_control.epoch_done(None)
    assert lrs == expected


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.5), Adam(), AdamW(), RMSprop(momentum=0.3)])
@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR", "SequentialLR", "ChainedScheduler"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data(), lr=LRS)
def test_scheduled_momentum_equals_pytorchs(name: str, data: Any, lr: float, optimizer: OptimizerSpec) -> None:
    spec = data.draw(SPECS[name].filter(lambda s: s.cycles_momentum()))
    live = optimizers.build(optimizer, [([torch.nn.Parameter(torch.zeros(2))], lr)])
    scheduler = raw_scheduler(spec, live)
    scheduled = ScheduledLR(spec, lr, optimizer, Length(EPOCHS, 1))
    for _ in range(EPOCHS):
        assert scheduled.momentum == momentum_of(live)
        live.step()
        scheduler.step()
        scheduled.step()


def test_schedules_that_do_not_cycle_momentum_schedule_none() -> None:
    for spec in (schedules.StepLR(step_size=3), schedules.CyclicLR(base_lr=0.1, max_lr=1, cycle_momentum=False)):
        assert ScheduledLR(spec, 0.1, SGD(momentum=0.9), Length(5, 5)).momentum is None


@settings(max_examples=60)
@given(spec=SPECS["ReduceLROnPlateau"], lr=LRS, metrics=METRICS)
def test_reductions_on_a_plateau_equal_pytorchs(
    spec: schedules.ReduceLROnPlateau, lr: float, metrics: list[float]
) -> None:
    optimizer = optimizer_of(lr, momentum=0.9)
    expected = raw_lrs(optimizer, raw_scheduler(spec, optimizer), EPOCHS, metrics)
    epoch_metrics = [{"val_loss": metric, "train_loss": 0.0} for metric in metrics]
    assert tiller_lrs(control(spec, lr, EPOCHS), EPOCHS, epoch_metrics) == expected


def test_one_expression_per_group_equals_pytorchs_list_of_lambdas() -> None:
    spec = schedules.LambdaLR(lr_lambda=("0.95**epoch", "1 / (1 + epoch)"))
    optimizer = optimizer_of(0.01, 0.2)
    expected = raw_lrs(optimizer, raw_scheduler(spec, optimizer), 20)
    lr = control(spec, 0.01, 20, names=("rest", "head"))
    lr.swap(spec, (0.01, 0.2), None, None)
    assert tiller_lrs(lr, 20) == expected


def test_expressions_can_use_the_length_of_the_run() -> None:
    lr = control(schedules.LambdaLR(lr_lambda=("1 - epoch / epochs",)), 1.0, epochs=4)
    assert tiller_lrs(lr, 4) == [[1.0], [0.75], [0.5], [0.25]]
    lr = control(schedules.LambdaLR(lr_lambda=("step + steps_per_epoch",)), 1.0, epochs=3, steps=5)
    assert tiller_lrs(lr, 3) == [[5.0], [10.0], [15.0]]
    lr = control(schedules.LambdaLR(interval="step", lr_lambda=("step + epoch",)), 1.0, epochs=3, steps=5)
    assert tiller_lrs(lr, 3) == [[0.0], [10.0], [20.0]]


@pytest.mark.parametrize("spec", SCHEDULES)
def test_every_schedule_has_help_texts(spec: type[ScheduleSpec]) -> None:
    assert spec.family in ("ordered", "adaptive", "custom")
    for line in (spec.formula, spec.when, spec.docs):
        assert line.strip()
    for name, field in spec.model_fields.items():
        usual = form_metadata(field).get("usual")
        if usual is not None:
            low, high = usual
            assert low < high, name
    assert typing.get_args(spec.model_fields["name"].annotation) == (spec.__name__,)

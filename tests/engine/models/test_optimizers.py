"""Optimizers from specs, and changes to their hyperparameters."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from engine.common.errors import Rejected
from engine.models import optimizers
from engine.recipe.optimizers import OPTIMIZERS, SGD, Adam, AdamW, OptimizerSpec, RMSprop


def weights(*values: float) -> list[torch.Tensor]:
    return [nn.Parameter(torch.tensor([v])) for v in values]


def built(spec: OptimizerSpec) -> Optimizer:
    return optimizers.build(spec, [(weights(1.0), 0.1), (weights(2.0, 3.0), 0.2)])


def trained(optimizer: Optimizer, steps: int = 3) -> list[float]:
    """The weights after a few real steps with fixed gradients."""
    for step in range(steps):
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = torch.full_like(p, 0.5 + step)
        optimizer.step()
    return [float(p.detach()) for group in optimizer.param_groups for p in group["params"]]


@pytest.mark.parametrize("spec", OPTIMIZERS.values())
def test_an_optimizer_is_pytorchs_with_its_groups_and_lrs(spec: type[OptimizerSpec]) -> None:
    optimizer = built(spec())
    assert type(optimizer) is getattr(torch.optim, spec.__name__)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.2]
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 2]


@pytest.mark.parametrize("spec", OPTIMIZERS.values())
def test_fields_and_defaults_are_pytorchs(spec: type[OptimizerSpec]) -> None:
    theirs = inspect.signature(getattr(torch.optim, spec.__name__).__init__).parameters
    for name, value in spec().model_dump(exclude={"name"}).items():
        # None lets PyTorch choose between foreach and a loop; Tiller's False does not fuse
        assert theirs[name].default == value or (name, value) == ("fused", False), name


@pytest.mark.parametrize(
    "spec",
    [
        SGD(momentum=0.8, dampening=0.1, weight_decay=0.01),
        SGD(momentum=0.9, nesterov=True),
        Adam(betas=(0.8, 0.95), eps=1e-6, amsgrad=True, weight_decay=0.1),
        AdamW(weight_decay=0.2),
        RMSprop(alpha=0.9, momentum=0.5, centered=True),
    ],
    ids=lambda spec: type(spec).__name__,
)
def test_every_option_reaches_the_optimizer(spec: OptimizerSpec) -> None:
    optimizer = built(spec)
    for group in optimizer.param_groups:
        for name, value in spec.model_dump(exclude={"name", "lr"}).items():
            assert group[name] == value or (name, value) == ("fused", False), name
    plain = getattr(torch.optim, type(spec).__name__)
    options = spec.model_dump(exclude={"name", "lr"})
    beside = plain([{"params": weights(1.0), "lr": 0.1}, {"params": weights(2.0, 3.0), "lr": 0.2}], **options)
    assert trained(optimizer) == trained(beside)


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        (SGD(), {"weight_decay": 0.1, "momentum": 0.9}),  # starts to use momentum
        (SGD(momentum=0.9), {"momentum": 0.0}),
        (SGD(momentum=0.9), {"nesterov": True}),
        (SGD(momentum=0.9, nesterov=True), {"nesterov": False, "momentum": 0.0}),
        (Adam(), {"betas": (0.5, 0.9), "eps": 1e-4}),
        (AdamW(), {"weight_decay": 0.0}),
        (RMSprop(momentum=0.5), {"momentum": 0.9, "alpha": 0.5}),
        (RMSprop(momentum=0.5), {"momentum": 0.0}),
    ],
)
def test_a_change_applies_to_the_chosen_group_and_training_continues(
    spec: OptimizerSpec, values: dict[str, Any]
) -> None:
    optimizer, untouched = built(spec), built(spec)
    trained(optimizer)
    trained(untouched)
    optimizers.change(optimizer, values, [1])
    changed, same = trained(optimizer), trained(untouched)
    assert changed[0] == same[0]
    assert changed[1:] != same[1:]
    for name, value in values.items():
        assert optimizer.param_groups[1][name] == value
        assert optimizer.param_groups[0][name] == untouched.param_groups[0][name]


@pytest.mark.parametrize(
    ("spec", "values", "why"),
    [
        (Adam(), {"momentum": 0.9}, "Adam has no momentum; it has weight_decay, betas, eps"),
        (SGD(), {"betas": (0.9, 0.9)}, "SGD has no betas; it has weight_decay, momentum, dampening, nesterov"),
        (SGD(), {"lr": 0.1}, "SGD has no lr"),
        (SGD(), {"nesterov": True}, "nesterov needs a momentum above 0"),
        (SGD(momentum=0.9, nesterov=True), {"momentum": 0.0}, "nesterov needs a momentum above 0"),
        (SGD(momentum=0.9, nesterov=True), {"dampening": 0.5}, "and a dampening of 0"),
        (RMSprop(), {"momentum": 0.9}, "RMSprop cannot start using momentum in mid-run"),
    ],
)
def test_a_rejected_change_changes_nothing(spec: OptimizerSpec, values: dict[str, Any], why: str) -> None:
    optimizer, untouched = built(spec), built(spec)
    trained(optimizer)
    trained(untouched)
    with pytest.raises(Rejected, match=why):
        optimizers.change(optimizer, {"weight_decay": 0.5, **values}, [0, 1])
    assert trained(optimizer) == trained(untouched)


def test_rmsprop_with_a_momentum_buffer_can_use_momentum_again() -> None:
    optimizer = built(RMSprop(momentum=0.5))
    trained(optimizer)
    optimizers.change(optimizer, {"momentum": 0.0}, [0, 1])
    trained(optimizer)
    optimizers.change(optimizer, {"momentum": 0.9}, [0, 1])
    trained(optimizer)


def test_rmsprop_can_start_using_momentum_before_its_first_step() -> None:
    optimizer = built(RMSprop())
    optimizers.change(optimizer, {"momentum": 0.9}, [0, 1])
    assert trained(optimizer) == trained(built(RMSprop(momentum=0.9)))


@pytest.mark.parametrize("spec", OPTIMIZERS.values())
def test_all_hyperparameters_can_be_changed_but_those_that_determine_the_state(
    spec: type[OptimizerSpec],
) -> None:
    assert set(spec.changeable) == set(spec.model_fields) - {"name", "lr", "amsgrad", "centered", "fused"}
    optimizer = built(spec())
    assert optimizers.changeable(optimizer, optimizer.param_groups[0]) == {
        name: optimizer.defaults[name] for name in spec.changeable
    }

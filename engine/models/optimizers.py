"""Build optimizers from their specs, and change their hyperparameters while a run trains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.common.errors import Rejected
from engine.common.text import Text
from engine.recipe.optimizers import OPTIMIZERS, OptimizerSpec


def build(spec: OptimizerSpec, groups: Iterable[tuple[list[Tensor], float]]) -> Optimizer:
    """Build the optimizer of ``spec`` for ``groups``, each its parameters and its learning rate."""
    options = spec.model_dump(exclude={"name", "lr"})
    if not options.get("fused"):  # with False, PyTorch would not choose foreach by itself on a GPU
        options.pop("fused", None)
    parameters = [{"params": params, "lr": lr} for params, lr in groups]
    optimizer: Optimizer = getattr(torch.optim, spec.name)(parameters, lr=spec.lr, **options)
    return optimizer


def change(optimizer: Optimizer, values: dict[str, Any], groups: Iterable[int]) -> None:
    """Set hyperparameters (never ``lr``) of the given groups of a live optimizer: all of them or none.

    Raises:
        Rejected: the optimizer has no such hyperparameter, or the values are not allowed together.
    """
    chosen = [optimizer.param_groups[i] for i in groups]
    for name in values:
        kind = type(optimizer).__name__
        if name not in OPTIMIZERS[kind].changeable:
            has = ", ".join(OPTIMIZERS[kind].changeable)
            raise Rejected(Text("{kind} has no {name}; it has {has}", kind=kind, name=name, has=has))
    for group in chosen:
        new = {**group, **values}
        if new.get("nesterov") and (new["momentum"] == 0 or new["dampening"] != 0):
            raise Rejected(Text("nesterov needs a momentum above 0 and a dampening of 0"))
        if values.get("momentum") and lacks_momentum_buffer(optimizer, group):
            text = "{kind} cannot start using momentum in mid-run: it keeps no momentum buffer when it starts without"
            raise Rejected(Text(text, kind=type(optimizer).__name__))
    for group in chosen:
        group.update(values)


def changeable(optimizer: Optimizer, group: dict[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a live ``group`` that ``change`` can set, by PyTorch's names."""
    return {name: group[name] for name in OPTIMIZERS[type(optimizer).__name__].changeable}


def lacks_momentum_buffer(optimizer: Optimizer, group: dict[str, Any]) -> bool:
    """Whether ``group`` cannot start using momentum: RMSprop creates a weight's buffer in its first step or never."""
    if "momentum" not in optimizer.defaults:
        return False
    states = [optimizer.state[p] for p in group["params"] if p in optimizer.state]
    return any("momentum_buffer" not in state for state in states)


def state_after_a_step(optimizer: Optimizer, parameter: Tensor, options: dict[str, Any]) -> dict[str, Tensor]:
    """What an optimizer like ``optimizer``, with these options, keeps of a parameter: tensors of its shape, or scalars.

    It is found by one step of a vector of two zeros on the parameter's device.
    """
    vector = torch.zeros(2, dtype=parameter.dtype, device=parameter.device, requires_grad=True)
    vector.grad = torch.zeros_like(vector)
    made = type(optimizer)([{**options, "params": [vector], "lr": 0.0}], lr=0.0)  # type: ignore[call-arg]
    made.step()
    return dict(made.state[vector])

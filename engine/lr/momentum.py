"""Momentum under a schedule that cycles it: SGD's and RMSprop's ``momentum``, Adam's and AdamW's ``betas[0]``.

While such a plan is in force the plan alone says it, whatever the hand does to the rate; when the plan is gone, it is
again what recipe or hand last gave. A change by hand in between is refused: it would be gone at the next step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch.optim import Optimizer

from engine.common.text import Text
from engine.lr.group import GroupLR
from engine.models.optimizers import Rejected, lacks_momentum_buffer
from engine.recipe.recipe import OptimizerSpec


def given_by(spec: OptimizerSpec) -> float | None:
    """The momentum that a recipe's optimizer asks for, None where it knows none."""
    return _of(spec.model_dump())


def write(groups: Iterable[GroupLR], optimizer: Optimizer) -> None:
    """Write each group's momentum into the live optimizer."""
    for group, live in zip(groups, optimizer.param_groups, strict=True):
        cycled = group.scheduled.momentum
        value = group.momentum if cycled is None else cycled
        if value is None:
            continue
        if "betas" in live:
            live["betas"] = (value, *live["betas"][1:])
        else:
            live["momentum"] = value


def check_free(groups: Iterable[GroupLR], changes: dict[str, Any]) -> None:
    """Know whether the hand may make ``changes`` (of ``set_optimizer``) to ``groups``.

    Raises:
        Rejected: they change what a plan in force cycles.
    """
    cycled = [g for g in groups if g.scheduled.momentum is not None]
    for name in ("momentum", "betas"):
        if name in changes and cycled:
            raise Rejected(
                Text(
                    "the {schedule} of group {group} moves {name} itself; choose a schedule that does not, or set its "
                    "cycle_momentum to false",
                    schedule=cycled[0].scheduled.spec.model_dump()["name"],
                    group=cycled[0].name,
                    name=name,
                )
            )


def remember(groups: Iterable[GroupLR], changes: dict[str, Any]) -> None:
    """The hand made ``changes`` to ``groups``: what is restored after a plan that cycles momentum."""
    value = _of(changes)
    if value is not None:
        for group in groups:
            group.momentum = value


def check_can_cycle(groups: Iterable[dict[str, Any]], optimizer: Optimizer) -> None:
    """Know whether the live parameter ``groups`` of ``optimizer`` can take up a momentum in mid-run.

    Raises:
        Rejected: RMSprop began without and has no buffer for it.
    """
    if any(lacks_momentum_buffer(optimizer, group) for group in groups):
        raise Rejected(
            Text(
                "cycle_momentum: RMSprop cannot start using momentum in mid-run: it keeps no buffer for it when it "
                "starts without; set cycle_momentum to false"
            )
        )


def _of(values: dict[str, Any]) -> float | None:
    if values.get("betas") is not None:
        return float(values["betas"][0])
    momentum = values.get("momentum")
    return None if momentum is None else float(momentum)

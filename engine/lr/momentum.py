"""Momentum under a schedule that cycles it: SGD's and RMSprop's ``momentum``, Adam's and AdamW's ``betas[0]``.

While there is such a schedule, it alone sets the momentum, whether or not the LR is held; when it is replaced, the last
given value is restored. A change in between is rejected, since the next step would overwrite it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch.optim import Optimizer

from engine.common.errors import Rejected
from engine.common.text import Text
from engine.lr.group import GroupLR
from engine.models.optimizers import lacks_momentum_buffer
from engine.recipe.recipe import OptimizerSpec


def given_by(spec: OptimizerSpec) -> float | None:
    """The momentum (or first beta) of a recipe's optimizer, None where it has none."""
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
    """Check that ``changes`` (of ``set_optimizer``) can be made to ``groups``.

    Raises:
        Rejected: they change momentum that a schedule cycles.
    """
    cycled = [g for g in groups if g.scheduled.momentum is not None]
    for name in ("momentum", "betas"):
        if name in changes and cycled:
            raise Rejected(
                Text(
                    "the {schedule} of group {group} cycles {name} itself; choose a schedule that does not, or set its "
                    "cycle_momentum to false",
                    schedule=cycled[0].scheduled.spec.model_dump()["name"],
                    group=cycled[0].name,
                    name=name,
                )
            )


def remember(groups: Iterable[GroupLR], changes: dict[str, Any]) -> None:
    """Keep the momentum in ``changes`` to ``groups``, to restore it after a schedule that cycles momentum."""
    value = _of(changes)
    if value is not None:
        for group in groups:
            group.momentum = value


def check_can_cycle(groups: Iterable[dict[str, Any]], optimizer: Optimizer) -> None:
    """Check that the parameter ``groups`` of ``optimizer`` can begin to use momentum in mid-run.

    Raises:
        Rejected: an RMSprop that began without momentum has no buffer for it.
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

"""A scheduler's state as plain data, and back: what JSON and ``torch.load(weights_only=True)`` both keep.

PyTorch's own ``state_dict`` shares memory with the live object, holds Counters, and nests for composed schedulers;
``load_state_dict`` of some takes keys out of what it is given. So both ways go through deep copies.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, MultiStepLR, SequentialLR


def stored(scheduler: LRScheduler) -> dict[str, Any]:
    """The state of ``scheduler``, sharing nothing with it."""
    return _plain(copy.deepcopy(scheduler.state_dict()))


def load(scheduler: LRScheduler, state: dict[str, Any]) -> None:
    """Put ``scheduler``, built from the same spec, where ``state`` was taken; ``state`` is left as it is."""
    scheduler.load_state_dict(_as_pytorch_has_it(scheduler, copy.deepcopy(state)))


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    if isinstance(state.get("milestones"), Counter):
        state["milestones"] = sorted(state["milestones"].items())
    if "_schedulers" in state:
        state["_schedulers"] = [_plain(stage) for stage in state["_schedulers"]]
    return state


def _as_pytorch_has_it(scheduler: LRScheduler, state: dict[str, Any]) -> dict[str, Any]:
    if isinstance(scheduler, MultiStepLR):
        state["milestones"] = Counter(dict(state["milestones"]))
    if isinstance(scheduler, (SequentialLR, ChainedScheduler)):
        pairs = zip(scheduler._schedulers, state["_schedulers"], strict=True)
        state["_schedulers"] = [_as_pytorch_has_it(stage, stage_state) for stage, stage_state in pairs]
    return state

"""What is left of a planned curve when the run has moved on: the same curve, and nothing to compute. Qt-free."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine.messages.events import LREvent
from engine.messages.preview import Curve

Course = tuple[Any, ...]


def course_of(lrs: LREvent) -> Course:
    """What decides the rest of the plan's curve, other than where the run stands: equal as long as nobody acts.

    A plan's position counts with the run, so that one that was swapped in for its like is another course. One that a
    metric drives, or that has ended, does not count; its curve is level.
    """
    state = lrs.state
    groups = []
    for group in state["groups"]:
        plan = group["plan"]
        interval, waits = _kind(plan["spec"])
        done = state["epochs_done"] if interval == "epoch" else state["steps_done"]
        began = None if waits or plan["ended"] is not None else plan["position"] - done
        made = (plan["spec"], plan["base"], plan["epochs"], plan["steps_per_epoch"], plan["span"], plan["ended"])
        groups.append((group["name"], began, made, group["hold"], group["set_to"], group["plan_then"]))
    return (lrs.epochs, state["steps_per_epoch"], *groups)


def rest_of(curve: Curve, lrs: LREvent) -> Curve | None:
    """``curve`` from where the run stands on; None where it does not hold there the rates in force."""
    here = lrs.epoch - 1 + lrs.batch / curve.steps_per_epoch
    place = int(np.searchsorted(curve.x, here + 1e-9, side="right")) - 1
    if place < 0 or curve.lr[place].tolist() != lrs.lr:
        return None
    x, lr = curve.x[place:], curve.lr[place:]
    if x[0] != here:
        x = np.concatenate([[here], x[1:]])
    return replace(curve, x=x, lr=lr)


@lru_cache(maxsize=16)
def _kind(spec: str) -> tuple[str, bool]:
    """A schedule's interval, and whether it waits for a metric."""
    read = json.loads(spec)
    return read["interval"], read["name"] == "ReduceLROnPlateau"

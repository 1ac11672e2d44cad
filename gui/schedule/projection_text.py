"""What is said of the plan: where it begins and ends, what it does next, and what a metric would make it do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.messages.commands import Command, ScaleLR, SetLR
from engine.messages.events import LREvent
from engine.messages.preview import Curve
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.learning_rate.current import Rates


def _lrs_text(lrs: Sequence[float]) -> str:
    return ", ".join(lr_text(float(lr), 4) for lr in lrs)


def end_words(curve: Curve) -> str:
    """The curve's first rate and its last."""
    if not curve.x.size:
        return ""
    first, last = int(curve.x[0]) + 1, max(1, round(float(curve.x[-1])))
    return tr(
        "Epoch {first}: {begin}. Epoch {last}: {end}.",
        first=first,
        begin=_lrs_text(curve.lr[0]),
        last=last,
        end=_lrs_text(curve.lr[-1]),
    )


def plan_words(lrs: LREvent, curve: Curve) -> str:
    """The plan in a line: its name (or each group's, where they differ), and what it does next."""
    names = {group["name"]: str(json.loads(group["plan"]["spec"])["name"]) for group in lrs.state["groups"]}
    alike = len(set(names.values())) == 1
    name = next(iter(names.values())) if alike else ", ".join(f"{group} {kind}" for group, kind in names.items())
    if all(lrs.holding):
        return tr("Held. Back to plan goes on with {name}.", name=name)
    waits = next_cut(lrs) if alike else None
    if waits is not None:
        return tr("Plan: {name}. {what}.", name=name, what=waits[:1].upper() + waits[1:])
    if not len(curve.x):
        return tr("Plan: {name}", name=name)
    moves = (curve.lr[1:] != curve.lr[:-1]).any(axis=1) if len(curve.lr) > 1 else np.zeros(0, dtype=bool)
    if not moves.any():
        return tr("Plan: {name}, level to the end", name=name)
    place = int(moves.argmax()) + 1
    return tr(
        "Plan: {name}, {lr} from epoch {epoch}",
        name=name,
        lr=_lrs_text(curve.lr[place]),
        epoch=int(curve.x[place]) + 1,
    )


def next_cut(lrs: LREvent, group: int = 0) -> str | None:
    """What would make a metric-driven plan cut the rate of ``group`` next; None where no metric drives it now."""
    plan = lrs.state["groups"][group]["plan"]
    spec, state = json.loads(plan["spec"]), plan["scheduler"]
    if spec["name"] != "ReduceLROnPlateau" or lrs.holding[group]:
        return None
    lr = lrs.plan[group]
    if lr - max(lr * spec["factor"], spec["min_lr"]) <= spec["eps"]:
        return tr("at its floor: no further cut")
    bad, metric = int(state["num_bad_epochs"]), spec["monitor"]
    left = int(state["cooldown_counter"]) + spec["patience"] + 1 - bad
    if not np.isfinite(state["best"]):
        return tr(
            "×{factor} after {n} epochs in which {metric} is no better", factor=spec["factor"], n=left, metric=metric
        )
    values = {
        "factor": lr_text(spec["factor"], 4),
        "n": left,
        "metric": metric,
        "limit": lr_text(_to_beat(spec, float(state["best"])), 4),
        "bad": bad,
        "patience": spec["patience"],
    }
    if spec["mode"] == "min":
        return tr("×{factor} after {n} more epochs with {metric} not below {limit} ({bad} bad of {patience})", **values)
    return tr("×{factor} after {n} more epochs with {metric} not above {limit} ({bad} bad of {patience})", **values)


def _to_beat(spec: dict[str, Any], best: float) -> float:
    """What a metric must pass to count as better than ``best``, as PyTorch judges it."""
    worse = -1 if spec["mode"] == "min" else 1
    if spec["threshold_mode"] == "rel":
        return best * (1 + worse * float(spec["threshold"]))
    return best + worse * float(spec["threshold"])


def floor_words(lrs: LREvent | None, intervention: Command) -> str | None:
    """Where the floor of the curve would lie after a staged change that keeps the curve's shape, if it has one."""
    if lrs is None or not isinstance(intervention, (SetLR, ScaleLR)) or intervention.then == "hold":
        return None
    shown = Rates(tuple(lrs.groups), tuple(lrs.lr), tuple(lrs.plan), tuple(lrs.holding), tuple(lrs.touched))
    floors = []
    for index, group in enumerate(shown.groups):
        spec = json.loads(lrs.state["groups"][index]["plan"]["spec"])
        floor = spec.get("eta_min") or spec.get("min_lr")
        if intervention.group not in (None, group) or not floor or not lrs.plan[index]:
            continue
        new = intervention.lr if isinstance(intervention, SetLR) else lrs.lr[index] * intervention.factor
        floors.append(new * floor / lrs.plan[index])
    return tr("The floor of the curve becomes {floor}.", floor=_lrs_text(floors)) if floors else None

"""What is said of the plan: where it begins and ends, what it does next, and what a metric would make it do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.commands import Command, ScaleLR, SetLR
from engine.events import RateEvent
from engine.schedules.query import Curve
from gui.panels.rates import Rates
from gui.panels.slider import rate_text
from gui.words import tr


def _rates_words(rates: Sequence[float]) -> str:
    return ", ".join(rate_text(float(rate), 4) for rate in rates)


def end_words(curve: Curve) -> str:
    """The curve's first rate and its last."""
    if not curve.x.size:
        return ""
    first, last = int(curve.x[0]) + 1, max(1, round(float(curve.x[-1])))
    return tr(
        "Epoch {first}: {begin}. Epoch {last}: {end}.",
        first=first,
        begin=_rates_words(curve.lr[0]),
        last=last,
        end=_rates_words(curve.lr[-1]),
    )


def plan_words(rates: RateEvent, curve: Curve) -> str:
    """The plan in a line: its name (or each group's, where they differ), and what it does next."""
    names = {group["name"]: str(json.loads(group["plan"]["spec"])["name"]) for group in rates.state["groups"]}
    alike = len(set(names.values())) == 1
    name = next(iter(names.values())) if alike else ", ".join(f"{group} {kind}" for group, kind in names.items())
    if all(rates.holding):
        return tr("Held. Back to plan goes on with {name}.", name=name)
    waits = next_cut(rates) if alike else None
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
        lr=_rates_words(curve.lr[place]),
        epoch=int(curve.x[place]) + 1,
    )


def next_cut(rates: RateEvent, group: int = 0) -> str | None:
    """What would make a metric-driven plan cut the rate of ``group`` next; None where no metric drives it now."""
    plan = rates.state["groups"][group]["plan"]
    spec, state = json.loads(plan["spec"]), plan["scheduler"]
    if spec["name"] != "ReduceLROnPlateau" or rates.holding[group]:
        return None
    lr = rates.plan[group]
    if lr - max(lr * spec["factor"], spec["min_lr"]) <= spec["eps"]:
        return tr("at its floor: no further cut")
    bad, metric = int(state["num_bad_epochs"]), spec["monitor"]
    left = int(state["cooldown_counter"]) + spec["patience"] + 1 - bad
    if not np.isfinite(state["best"]):
        return tr(
            "×{factor} after {n} epochs in which {metric} is no better", factor=spec["factor"], n=left, metric=metric
        )
    values = {
        "factor": rate_text(spec["factor"], 4),
        "n": left,
        "metric": metric,
        "limit": rate_text(_to_beat(spec, float(state["best"])), 4),
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


def floor_words(rates: RateEvent | None, act: Command) -> str | None:
    """Where the floor of the curve would lie after a staged change that keeps the curve's shape, if it has one."""
    if rates is None or not isinstance(act, (SetLR, ScaleLR)) or act.then == "hold":
        return None
    shown = Rates(tuple(rates.groups), tuple(rates.lr), tuple(rates.plan), tuple(rates.holding), tuple(rates.touched))
    floors = []
    for index, group in enumerate(shown.groups):
        spec = json.loads(rates.state["groups"][index]["plan"]["spec"])
        floor = spec.get("eta_min") or spec.get("min_lr")
        if act.group not in (None, group) or not floor or not rates.plan[index]:
            continue
        new = act.lr if isinstance(act, SetLR) else rates.lr[index] * act.factor
        floors.append(new * floor / rates.plan[index])
    return tr("The floor of the curve becomes {floor}.", floor=_rates_words(floors)) if floors else None

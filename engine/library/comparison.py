"""Runs side by side: what differs in their recipes and interventions, and their curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.common.text import Text
from engine.library import Reader
from engine.messages.events import CommandEvent, EpochEvent, StepsEvent

FloatArray = npt.NDArray[np.float64]
_NOT_COMPARED: Final = frozenset({"note", "save", "stop", "rewind"})  # they do not change what is trained


@dataclass(frozen=True)
class Difference:
    """A field of the recipe, such as ``optimizer.lr``, and its value in each run; None where a run has no such field.

    Where the runs have schedules of different kinds, the whole schedule is the value.
    """

    field: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class InterventionDifference:
    """A position at which the runs' interventions differ, and those of each run there."""

    position: Position
    interventions: tuple[tuple[CommandEvent, ...], ...]


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """What is compared of a run; ``lr`` [points, groups] is the LR from ``x`` [points] (epochs completed) on."""

    run: str
    name: str
    recipe: Mapping[str, Any]
    history: tuple[EpochEvent, ...]
    interventions: tuple[CommandEvent, ...]
    x: FloatArray
    lr: FloatArray


def recipe_differences(recipes: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """The fields in which ``recipes`` (as JSON data) are not all alike, in the recipe's order."""
    flat = [_flat(recipe) for recipe in _with_whole(recipes)]
    fields = list(dict.fromkeys(name for recipe in flat for name in recipe))
    rows = [Difference(name, tuple(recipe.get(name) for recipe in flat)) for name in fields]
    return [row for row in rows if any(value != row.values[0] for value in row.values)]


def intervention_differences(runs: Sequence[Sequence[CommandEvent]]) -> list[InterventionDifference]:
    """The positions at which the applied interventions of ``runs`` differ, in order."""
    by_position: dict[Position, list[list[CommandEvent]]] = {}
    for index, interventions in enumerate(runs):
        for intervention in interventions:
            if intervention.status == "applied" and intervention.name not in _NOT_COMPARED:
                by_position.setdefault(intervention.position, [[] for _ in runs])[index].append(intervention)
    rows = [InterventionDifference(at, tuple(map(tuple, by_position[at]))) for at in sorted(by_position)]
    return [
        row
        for row in rows
        if any(_commands(applied) != _commands(row.interventions[0]) for applied in row.interventions)
    ]


def read_run(reader: Reader, run: str) -> ComparedRun:
    """Read ``run`` for a comparison. Raises SpecError where it is not there, sqlite3.Error."""
    row = reader.run(run)
    if row is None:
        raise SpecError("run", Text("there is no run {run} in {root}", run=run, root=reader.root))
    history = tuple(reader.history(run))
    interventions = [r.answer for r in reader.interventions(run) if r.state == "applied" and r.answer is not None]
    x, lr = lrs(history, reader.steps(run), row.batches_per_epoch)
    recipe: dict[str, Any] = json.loads(row.recipe)
    return ComparedRun(
        run=run, name=row.name or run, recipe=recipe, history=history, interventions=tuple(interventions), x=x, lr=lr
    )


def lrs(
    history: Sequence[EpochEvent], steps: Sequence[StepsEvent], batches_per_epoch: int
) -> tuple[FloatArray, FloatArray]:
    """The LRs, as (epochs completed [points], LR [points, groups]): only where they change, and the end.

    Where an epoch's batches are not known, the LR of its first batch counts for all of it.
    """
    groups = len(history[-1].lr) if history else steps[-1].lr.shape[1] if steps else 0
    xs: list[FloatArray] = [np.empty(0)]
    ys: list[FloatArray] = [np.empty((0, groups))]
    if steps and batches_per_epoch:
        for event in steps:
            if event.lr.shape[1] == groups:
                xs.append(event.epoch - 1 + (event.batch + np.arange(len(event.lr))) / batches_per_epoch)
                ys.append(event.lr)
    known = {event.epoch for event in steps} if batches_per_epoch else set()
    for epoch in history:
        if epoch.epoch not in known and len(epoch.lr) == groups:
            xs.append(np.array([epoch.epoch - 1.0]))
            ys.append(np.array([epoch.lr]))
    x, lr = np.concatenate(xs), np.concatenate(ys)
    order = np.argsort(x, kind="stable")
    x, lr = x[order], lr[order]
    if not len(x):
        return x, lr
    moved = np.flatnonzero(np.any(lr[1:] != lr[:-1], axis=1)) + 1
    kept = np.union1d(moved, [0, len(x) - 1])
    return x[kept], lr[kept]


def _commands(interventions: Sequence[CommandEvent]) -> list[dict[str, Any]]:
    return [intervention.command for intervention in interventions]


def _with_whole(recipes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The recipes; schedules of different kinds become one value, since their fields cannot be compared."""
    schedules = [recipe.get("schedule") or {} for recipe in recipes]
    if len({schedule.get("name") for schedule in schedules}) < 2:
        return list(recipes)
    return [{**recipe, "schedule": _Whole(schedule)} for recipe, schedule in zip(recipes, schedules, strict=True)]


class _Whole(dict[str, Any]):
    """A mapping that is compared as one value."""


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, _Whole):
        return {prefix: dict(value)}
    if isinstance(value, Mapping):
        items: list[tuple[str, Any]] = list(value.items())
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) and "name" in v for v in value):
        items = [(str(v["name"]), {k: inner for k, inner in v.items() if k != "name"}) for v in value]
    else:
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, inner in items:
        found |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return found

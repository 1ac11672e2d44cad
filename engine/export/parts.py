"""Exported code by schedule: which groups share an optimizer, and the scheduler that moves them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.export.schedule import ScheduleText
from engine.recipe.recipe import GroupSpec, Recipe
from engine.schedules import Drawn, ScheduleSpec


@dataclass(frozen=True)
class Part:
    """Groups that share an optimizer, because one scheduler moves them all: their names, base LRs and schedules.

    PyTorch's schedulers move every group of their optimizer, so groups with different schedules need an optimizer each.
    """

    suffix: str
    groups: tuple[str, ...]
    lrs: tuple[float, ...]
    specs: tuple[ScheduleSpec, ...]
    scheduler: str | None

    @property
    def optimizer_name(self) -> str:
        """The variable of the optimizer."""
        return f"optimizer{self.suffix}"

    @property
    def scheduler_name(self) -> str:
        """The variable of the scheduler."""
        return f"scheduler{self.suffix}"

    @property
    def interval(self) -> str:
        """How often the scheduler is stepped."""
        return self.specs[0].interval


def parts_of(recipe: Recipe, groups: Sequence[str], writer: ScheduleText) -> list[Part]:
    """The groups by schedule, in the order in which each schedule first occurs; ``writer`` writes the schedulers."""
    own = {spec.name: spec for spec in recipe.groups}
    alike: dict[str, list[int]] = {}
    specs = [_spec_of(recipe, own.get(name), place) for place, name in enumerate(groups)]
    for place, name in enumerate(groups):
        schedule = _whose(recipe, own.get(name))
        listing = f" {name}" if schedule is not recipe.schedule and schedule.per_group() is not None else ""
        alike.setdefault(f"{schedule.model_dump_json()}{listing}", []).append(place)
    parts: list[Part] = []
    for places in alike.values():
        names = [groups[place] for place in places]
        suffix = "" if len(alike) == 1 else _suffix(names, {part.suffix for part in parts})
        chosen = [specs[place] for place in places]
        lrs = [_base_lr(recipe, own.get(name), specs[place]) for place, name in zip(places, names, strict=True)]
        scheduler = writer.scheduler(chosen, f"optimizer{suffix}")
        parts.append(Part(suffix, tuple(names), tuple(lrs), tuple(chosen), scheduler))
    return parts


def _whose(recipe: Recipe, own: GroupSpec | None) -> ScheduleSpec:
    return own.schedule if own is not None and own.schedule is not None else recipe.schedule


def _spec_of(recipe: Recipe, own: GroupSpec | None, place: int) -> ScheduleSpec:
    schedule = _whose(recipe, own)
    return schedule.for_group(place if schedule is recipe.schedule else 0)


def _base_lr(recipe: Recipe, own: GroupSpec | None, spec: ScheduleSpec) -> float:
    if isinstance(spec, Drawn):
        return 1.0
    return own.lr if own is not None and own.lr is not None else recipe.optimizer.lr


def _suffix(names: Sequence[str], taken: set[str]) -> str:
    plain = "_" + re.sub(r"\W+", "_", "_".join(names), flags=re.ASCII).strip("_").lower()[:40]
    suffix, count = plain, 2
    while suffix in taken:
        suffix, count = f"{plain}_{count}", count + 1
    return suffix

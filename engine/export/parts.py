"""The parts of exported code: which groups share an optimizer and its scheduler."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.export.schedule import ScheduleText
from engine.recipe.recipe import GroupSpec, Recipe, group_lr
from engine.schedules import Drawn, ScheduleSpec
from engine.schedules.base import shares


@dataclass(frozen=True)
class Part:
    """Groups that share an optimizer and a scheduler.

    PyTorch's schedulers step every group of their optimizer, so groups with different schedules need an optimizer each.

    Attributes:
        suffix: of the names of the optimizer and the scheduler in the code.
        groups: the names of the groups.
        lrs: the base LR of each group.
        specs: the schedule of each group.
        scheduler: the source of the scheduler; None if there is none.
    """

    suffix: str
    groups: tuple[str, ...]
    lrs: tuple[float, ...]
    specs: tuple[ScheduleSpec, ...]
    scheduler: str | None

    @property
    def optimizer_name(self) -> str:
        """The name of the optimizer in the code."""
        return f"optimizer{self.suffix}"

    @property
    def scheduler_name(self) -> str:
        """The name of the scheduler in the code."""
        return f"scheduler{self.suffix}"

    @property
    def interval(self) -> str:
        """When the scheduler is stepped: ``epoch`` or ``step``."""
        return self.specs[0].interval


def parts_of(recipe: Recipe, groups: Sequence[str], writer: ScheduleText) -> list[Part]:
    """The groups by schedule, in the order in which the schedules first occur; ``writer`` writes the schedulers."""
    own = {spec.name: spec for spec in recipe.groups}
    by_schedule: dict[str, list[int]] = {}
    specs = _specs(recipe, groups, own)
    for index, name in enumerate(groups):
        schedule = _schedule_of(recipe, own.get(name))
        key = f" {name}" if schedule is not recipe.schedule and schedule.group_count() is not None else ""
        by_schedule.setdefault(f"{schedule.model_dump_json()}{key}", []).append(index)
    parts: list[Part] = []
    for indices in by_schedule.values():
        names = [groups[index] for index in indices]
        suffix = "" if len(by_schedule) == 1 else _suffix(names, {part.suffix for part in parts})
        chosen = [specs[index] for index in indices]
        lrs = [_base_lr(recipe, own.get(name), specs[index]) for index, name in zip(indices, names, strict=True)]
        scheduler = writer.scheduler(chosen, f"optimizer{suffix}")
        parts.append(Part(suffix, tuple(names), tuple(lrs), tuple(chosen), scheduler))
    return parts


def _schedule_of(recipe: Recipe, own: GroupSpec | None) -> ScheduleSpec:
    return own.schedule if own is not None and own.schedule is not None else recipe.schedule


def _specs(recipe: Recipe, groups: Sequence[str], own: dict[str, GroupSpec]) -> list[ScheduleSpec]:
    """The schedule of each group alone."""
    schedules = [_schedule_of(recipe, own.get(name)) for name in groups]
    lrs = [group_lr(recipe, own.get(name)) for name in groups]
    alike = [index for index, schedule in enumerate(schedules) if schedule is recipe.schedule]
    share = dict(zip(alike, shares([lrs[index] for index in alike]), strict=True))
    return [
        schedule.for_group(index, share[index]) if index in share else schedule.for_group(0)
        for index, schedule in enumerate(schedules)
    ]


def _base_lr(recipe: Recipe, own: GroupSpec | None, spec: ScheduleSpec) -> float:
    return 1.0 if isinstance(spec, Drawn) else group_lr(recipe, own)


def _suffix(names: Sequence[str], taken: set[str]) -> str:
    plain = "_" + re.sub(r"\W+", "_", "_".join(names), flags=re.ASCII).strip("_").lower()[:40]
    suffix, count = plain, 2
    while suffix in taken:
        suffix, count = f"{plain}_{count}", count + 1
    return suffix

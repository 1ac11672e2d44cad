"""The schedules of the parameter groups: one for all, and those that single groups have instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.recipe.recipe import Recipe
from engine.schedules import LambdaLR, MultiplicativeLR, ScheduleSpec


@dataclass(frozen=True)
class Schedules:
    """The schedules of all groups.

    Attributes:
        shared: the schedule of every group that is not in ``own``.
        own: the schedules of single groups, by the group's name.
    """

    shared: ScheduleSpec
    own: Mapping[str, ScheduleSpec] = field(default_factory=dict)

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> Schedules:
        """The schedules in ``recipe``."""
        return cls(recipe.schedule, {g.name: g.schedule for g in recipe.groups if g.schedule is not None})

    @classmethod
    def of_run(cls, current: Mapping[str, ScheduleSpec]) -> Schedules:
        """The current schedules of a run's groups, by name in the groups' order; each has values for one group only."""
        specs = list(current.values())
        first = specs[0]
        if all(spec == first for spec in specs):
            return cls(first)
        if isinstance(first, (LambdaLR, MultiplicativeLR)):  # they were set with one expression a group
            lists = [s.lr_lambda for s in specs if isinstance(s, type(first)) and s.interval == first.interval]
            if len(lists) == len(specs):
                return cls(first.model_copy(update={"lr_lambda": tuple(text for texts in lists for text in texts)}))
        return cls(first, {name: spec for name, spec in current.items() if spec != first})

    def onto(self, recipe: Recipe) -> Recipe:
        """``recipe`` with these schedules."""
        groups = tuple(g.model_copy(update={"schedule": self.own.get(g.name)}) for g in recipe.groups)
        return recipe.model_copy(update={"schedule": self.shared, "groups": groups})

    def of(self, group: str | None, names: Sequence[str]) -> ScheduleSpec:
        """The schedule of ``group``, or the shared one for None; ``names`` are those of all groups, in order."""
        if group is None:
            return self.shared
        if group in self.own:
            return self.own[group]
        listed = self.shared.group_count()
        return self.shared.for_group(names.index(group)) if listed == len(names) > 1 else self.shared

    def put(self, group: str | None, spec: ScheduleSpec, names: Sequence[str]) -> Schedules:
        """These schedules with ``spec`` for ``group``, or for all groups if it is None.

        A recipe has no field for the schedule of the group ``rest``: ``spec`` becomes the shared schedule, and the
        other groups get their present ones as their own.
        """
        if group is None:
            return Schedules(spec)
        wanted = {name: spec if name == group else self.of(name, names) for name in names}
        if all(other == spec for other in wanted.values()):
            return Schedules(spec)
        if group == "rest":
            return Schedules(spec, {name: other for name, other in wanted.items() if name != "rest"})
        return Schedules(self.shared, {**self.own, group: spec})

    def adjusted(self, group: str | None, spec: ScheduleSpec) -> Schedules:
        """These schedules if the one of ``group`` became ``spec`` because its context changed, not by an edit."""
        if group in self.own:
            return Schedules(self.shared, {**self.own, str(group): spec})
        one_of_many = group is not None and self.shared.group_count() is not None
        return self if one_of_many else Schedules(spec, self.own)

    def each(self, change: Callable[[ScheduleSpec], ScheduleSpec]) -> Schedules:
        """These schedules with ``change`` applied to each."""
        return Schedules(change(self.shared), {name: change(spec) for name, spec in self.own.items()})

    def without(self, group: str | None) -> Schedules:
        """These schedules with ``group`` on the shared one."""
        return Schedules(self.shared, {name: spec for name, spec in self.own.items() if name != group})

    def renamed(self, before: Sequence[str], names: Sequence[str]) -> Schedules:
        """These schedules after one group was renamed; ``before`` and ``names`` are the names of all groups."""
        pairs = dict(zip(before, names, strict=True)) if len(before) == len(names) else {}
        new = {old: name for old, name in pairs.items() if old != name}
        if len(new) != 1:
            return self
        return Schedules(self.shared, {new.get(name, name): spec for name, spec in self.own.items()})

    def differ(self, names: Sequence[str]) -> bool:
        """Whether the groups called ``names`` are on different schedules."""
        return any(name in self.own and self.own[name] != self.shared for name in names)

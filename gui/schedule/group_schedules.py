"""Which parameter group is on which schedule: one for all, and what single groups have of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.recipe.recipe import Recipe
from engine.schedules import LambdaLR, MultiplicativeLR, ScheduleSpec


@dataclass(frozen=True)
class Schedules:
    """The schedules of all groups.

    Args:
        shared: of every group that has none of its own.
        own: those that groups have of their own, by the group's name.
    """

    shared: ScheduleSpec
    own: Mapping[str, ScheduleSpec] = field(default_factory=dict)

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> Schedules:
        """What ``recipe`` says."""
        return cls(recipe.schedule, {g.name: g.schedule for g in recipe.groups if g.schedule is not None})

    @classmethod
    def in_force(cls, plans: Mapping[str, ScheduleSpec]) -> Schedules:
        """The plans that groups are on, by name in the groups' order; each lists values for its group alone."""
        specs = list(plans.values())
        first = specs[0]
        if all(spec == first for spec in specs):
            return cls(first)
        if isinstance(first, (LambdaLR, MultiplicativeLR)):  # one expression a group is how they were set
            lists = [s.lr_lambda for s in specs if isinstance(s, type(first)) and s.interval == first.interval]
            if len(lists) == len(specs):
                return cls(first.model_copy(update={"lr_lambda": tuple(text for texts in lists for text in texts)}))
        return cls(first, {name: spec for name, spec in plans.items() if spec != first})

    def onto(self, recipe: Recipe) -> Recipe:
        """``recipe`` with these schedules."""
        groups = tuple(g.model_copy(update={"schedule": self.own.get(g.name)}) for g in recipe.groups)
        return recipe.model_copy(update={"schedule": self.shared, "groups": groups})

    def of(self, group: str | None, names: Sequence[str]) -> ScheduleSpec:
        """The schedule of a group alone, or the shared one for None."""
        if group is None:
            return self.shared
        if group in self.own:
            return self.own[group]
        listed = self.shared.group_count()
        return self.shared.for_group(names.index(group)) if listed == len(names) > 1 else self.shared

    def put(self, group: str | None, spec: ScheduleSpec, names: Sequence[str]) -> Schedules:
        """The same with ``spec`` for every group, or for one.

        The rest has no place of its own in a recipe: what all share becomes its, and the others keep what they were on.
        """
        if group is None:
            return Schedules(spec)
        wanted = {name: spec if name == group else self.of(name, names) for name in names}
        if all(other == spec for other in wanted.values()):
            return Schedules(spec)
        if group == "rest":
            return Schedules(spec, {name: other for name, other in wanted.items() if name != "rest"})
        return Schedules(self.shared, {**self.own, group: spec})

    def followed(self, group: str | None, spec: ScheduleSpec) -> Schedules:
        """The same where the schedule that ``group`` is on became ``spec``, without anyone choosing that."""
        if group in self.own:
            return Schedules(self.shared, {**self.own, str(group): spec})
        one_of_many = group is not None and self.shared.group_count() is not None
        return self if one_of_many else Schedules(spec, self.own)

    def each(self, change: Callable[[ScheduleSpec], ScheduleSpec]) -> Schedules:
        """The same with ``change`` made to every schedule."""
        return Schedules(change(self.shared), {name: change(spec) for name, spec in self.own.items()})

    def without(self, group: str | None) -> Schedules:
        """The same with ``group`` on the shared schedule."""
        return Schedules(self.shared, {name: spec for name, spec in self.own.items() if name != group})

    def renamed(self, before: Sequence[str], names: Sequence[str]) -> Schedules:
        """The same where one group got another name."""
        pairs = dict(zip(before, names, strict=True)) if len(before) == len(names) else {}
        new = {old: name for old, name in pairs.items() if old != name}
        if len(new) != 1:
            return self
        return Schedules(self.shared, {new.get(name, name): spec for name, spec in self.own.items()})

    def differ(self, names: Sequence[str]) -> bool:
        """Whether the groups called ``names`` are on different schedules."""
        return any(name in self.own and self.own[name] != self.shared for name in names)

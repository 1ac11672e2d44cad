"""The learning-rate law: what the plan says, and what the hand does to it. The only writer of a live rate.

For group g::

    lr_g = hold_g                      while the hand holds it
         = v_g * (plan_g / p_g)        while it follows; v_g is what was set, p_g the plan at that moment
         = plan_g                      untouched, or released

PyTorch's schedulers disagree about a rate that is set by hand; this one law replaces all of their habits.
Momentum is no part of it: where a plan cycles it, the plan's stands, held rate or not (see ``engine.lr.momentum``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer

from engine.common.spec import SpecError
from engine.common.text import Text, number
from engine.lr import momentum
from engine.lr.group import Cut, GroupLR, cut_of, for_group, steps_ahead
from engine.lr.scheduled import Length, ScheduledLR, ScheduleError
from engine.lr.swap import bases_for, run_forward
from engine.messages.commands import ReleaseLR, ScaleLR, SetLR, SetSchedule, Then
from engine.models.optimizers import Rejected
from engine.recipe.recipe import OptimizerSpec, Recipe
from engine.schedules import ScheduleSpec

LOOK_AHEAD = 20_000
LRIntervention = SetLR | ScaleLR | ReleaseLR | SetSchedule


class LRControl:
    """The rates of all groups: plan plus hand.

    ``epochs_done`` and ``steps_done`` count what the plans were told of; ``epochs`` is the run's length now.
    """

    def __init__(self, groups: list[GroupLR], optimizer: OptimizerSpec, bases: list[float], length: Length) -> None:
        self.groups = groups
        self.length = length
        self.epochs_done = 0
        self.steps_done = 0
        self._optimizer = optimizer
        self._bases = bases

    @classmethod
    def from_recipe(cls, recipe: Recipe, names: Sequence[str], steps_per_epoch: int) -> LRControl:
        """The rates of a run that begins; ``names`` are the groups', in the optimizer's order.

        Raises:
            SpecError: a schedule does not fit the groups, or cannot be run to its end.
        """
        length = Length(recipe.epochs, steps_per_epoch)
        specs = {spec.name: spec for spec in recipe.groups}
        groups, bases = [], []
        for index, name in enumerate(names):
            own = specs.get(name)
            base = own.lr if own and own.lr is not None else recipe.optimizer.lr
            field = "schedule"
            schedule, place, count = recipe.schedule, index, len(names)
            if own and own.schedule is not None:  # which lists values for this group alone
                field, schedule = f"groups[{recipe.groups.index(own)}].schedule", own.schedule
                place, count = 0, 1
            try:
                listed = for_group(schedule, place, count)
                plan = ScheduledLR(listed, base, recipe.optimizer, length)
                plan.prove(steps_ahead(plan, length.epochs, 0, length, 0))
            except ScheduleError as error:
                raise SpecError(f"{field}.{error.field}" if error.field else field, str(error)) from None
            except Rejected as error:
                raise SpecError(field, str(error)) from None
            groups.append(GroupLR(name, plan, momentum=momentum.given_by(recipe.optimizer)))
            bases.append(base)
        return cls(groups, recipe.optimizer, bases, length)

    # -- what is in force

    def current(self) -> list[float]:
        """The current LR of each group."""
        return [group.lr for group in self.groups]

    def scheduled(self) -> list[float]:
        """The scheduled LR of each group."""
        return [group.scheduled.value for group in self.groups]

    @property
    def stepwise(self) -> bool:
        """Whether any plan is stepped per batch."""
        return any(g.scheduled.spec.interval == "step" for g in self.groups)

    def write(self, optimizer: Optimizer) -> None:
        """Write the rates, and what plans say of momentum, into the live optimizer. Nothing else does."""
        for group, live in zip(self.groups, optimizer.param_groups, strict=True):
            live["lr"] = group.lr
        momentum.write(self.groups, optimizer)

    def chosen(self, group: str | None) -> list[GroupLR]:
        """The group of that name alone, or all of them for None.

        Raises:
            Rejected: there is no such group.
        """
        chosen = [g for g in self.groups if group in (None, g.name)]
        if not chosen:
            names = ", ".join(g.name for g in self.groups)
            raise Rejected(Text("no group {group!r}; the groups are {names}", group=group, names=names))
        return chosen

    # -- time passes

    def step_done(self) -> None:
        """A batch was trained and its update made: step-wise plans move on."""
        self.steps_done += 1
        for group in self.groups:
            if group.scheduled.spec.interval == "step":
                group.scheduled.step()

    def epoch_done(self, metrics: dict[str, float] | None) -> list[Cut]:
        """An epoch ended with ``metrics``: epoch-wise plans move on. Returns the cuts that they made."""
        self.epochs_done += 1
        cuts = []
        for group in self.groups:
            if group.scheduled.spec.interval != "epoch":
                continue
            if group.hold is not None and group.scheduled.monitor is not None:
                continue  # under a hold the metric answers to the hand's rate, not to the plan's
            before, plateau = group.scheduled.value, group.scheduled.plateau()
            group.scheduled.step(metrics)
            after = group.scheduled.value
            if after != before and group.scheduled.spec.discrete:
                cuts.append(cut_of(group, before, after, plateau))
        return cuts

    # -- interventions

    def apply(self, intervention: LRIntervention, history: Sequence[dict[str, float]]) -> Text | None:
        """Apply ``intervention``; returns a warning for the person, or None.

        Args:
            intervention: what to change.
            history: the metrics of the epochs so far, for a schedule "as if from epoch 1".

        Raises:
            Rejected: it cannot be applied, and nothing was changed; says why.
        """
        match intervention:
            case SetLR():
                return self.set_lr(intervention.lr, intervention.then, intervention.group)
            case ScaleLR():
                return self.scale_lr(intervention.factor, intervention.then, intervention.group)
            case ReleaseLR():
                self.release_lr(intervention.group)
                return None
            case SetSchedule():
                replay = history if intervention.start == "replay" else None
                self.swap(intervention.schedule, intervention.lr, intervention.group, replay)
                return next(iter(intervention.schedule.warnings()), None)

    def set_lr(self, lr: float, then: Then, group: str | None) -> Text | None:
        """Set every group (or one) to ``lr``; returns a warning or None. All groups change, or none.

        Raises:
            Rejected: unknown group, or nothing to follow because the plan is 0.
        """
        return self._put([(g, lr) for g in self.chosen(group)], then)

    def scale_lr(self, factor: float, then: Then, group: str | None) -> Text | None:
        """Multiply what is in force; returns a warning or None. All groups change, or none.

        Raises:
            Rejected: as ``set_lr``; or a rate of 0, which no factor changes.
        """
        chosen = self.chosen(group)
        for g in chosen:
            if g.lr == 0:
                raise Rejected(
                    Text("the rate of group {group} is 0, which no factor changes; set a value", group=g.name)
                )
        return self._put([(g, g.lr * factor) for g in chosen], then)

    def release_lr(self, group: str | None) -> None:
        """Back on the plan.

        Raises:
            Rejected: unknown group, or no chosen group was touched.
        """
        chosen = [g for g in self.chosen(group) if g.touched]
        if not chosen:
            raise Rejected(Text("the rate follows the plan already"))
        for g in chosen:
            g.release()
            g.scheduled.restart_patience()

    def swap(
        self,
        schedule: ScheduleSpec,
        lr: float | Sequence[float] | None,
        group: str | None,
        replay: Sequence[dict[str, float]] | None,
    ) -> None:
        """A new plan for every group (or one), from here or, with ``replay``, as if from epoch 1.

        Args:
            schedule: the new schedule.
            lr: the new base, or one per chosen group; None takes the rate in force (the recipe's with ``replay``). A
                schedule that brings its own level takes none.
            group: one group's name, or None for all.
            replay: the metrics of the epochs so far, or None to start at position 0.

        Raises:
            Rejected: the base is 0 or must not be given, the counts do not fit the groups, or the schedule cannot be
                run to its end.
        """
        chosen = self.chosen(group)
        from_recipe = dict(zip((g.name for g in self.groups), self._bases, strict=True))
        bases = bases_for(schedule, lr, [g.lr if replay is None else from_recipe[g.name] for g in chosen])
        span = self.length.positions(schedule.interval)
        if replay is None:
            span -= self.epochs_done if schedule.interval == "epoch" else self.steps_done
        plans = []
        for place, (g, base) in enumerate(zip(chosen, bases, strict=True)):
            try:
                spec = for_group(schedule, place, len(chosen))
                plan = ScheduledLR(spec, base, self._optimizer, self.length, max(1, span))
                if replay is not None:
                    run_forward(plan, self.epochs_done, self.steps_done, replay)
                epochs = self.length.epochs
                plan.prove(steps_ahead(plan, epochs, self.epochs_done, self.length, self.steps_done))
            except ScheduleError as error:
                problem = f"{error.field}: {error}" if error.field else str(error)
                raise Rejected(Text("the schedule cannot be used: {problem}", problem=problem)) from None
            plans.append((g, plan))
        for g, plan in plans:
            g.release()
            g.scheduled = plan

    def set_epochs(self, epochs: int) -> Text | None:
        """The run's new length; the plans stay as they are. Returns a warning where one has no value to the new end."""
        self.length = Length(epochs, self.length.steps_per_epoch)
        for g in self.groups:
            steps = steps_ahead(g.scheduled, epochs, self.epochs_done, self.length, self.steps_done)
            try:
                g.scheduled.prove(min(steps, LOOK_AHEAD))
            except ScheduleError as error:
                return Text(
                    "the schedule of group {group} does not reach the new end ({problem}) and keeps its last rate from "
                    "there; choose one that fits",
                    group=g.name,
                    problem=str(error),
                )
        return None

    # -- copies and files

    def state(self) -> dict[str, Any]:
        """Everything needed to go on exactly, as plain data that shares nothing with this object."""
        groups = [
            {
                "name": g.name,
                "scheduled": g.scheduled.state(),
                "hold": g.hold,
                "set_to": g.set_to,
                "scheduled_then": g.scheduled_then,
                "momentum": g.momentum,
            }
            for g in self.groups
        ]
        return {
            "groups": groups,
            "bases": list(self._bases),
            "epochs": self.length.epochs,
            "steps_per_epoch": self.length.steps_per_epoch,
            "epochs_done": self.epochs_done,
            "steps_done": self.steps_done,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], optimizer: OptimizerSpec) -> LRControl:
        """The rate control that ``state`` was taken from."""
        groups = [
            GroupLR(**{**group, "scheduled": ScheduledLR.from_state(group["scheduled"], optimizer)})
            for group in state["groups"]
        ]
        lr = cls(groups, optimizer, list(state["bases"]), Length(state["epochs"], state["steps_per_epoch"]))
        lr.epochs_done, lr.steps_done = state["epochs_done"], state["steps_done"]
        return lr

    def copy(self) -> LRControl:
        """An independent rate control in the same state: what a preview runs forward."""
        return LRControl.from_state(self.state(), self._optimizer)

    # -- within

    def _put(self, values: list[tuple[GroupLR, float]], then: Then) -> Text | None:
        held = [then == "hold" or (then == "keep" and g.hold is not None) for g, _ in values]
        for (g, lr), hold in zip(values, held, strict=True):
            g.check(lr, hold)  # no group may change before every group can
        for (g, lr), hold in zip(values, held, strict=True):
            g.put(lr, hold)
            g.scheduled.restart_patience()
        following = [g for (g, _), hold in zip(values, held, strict=True) if not hold]
        return next(filter(None, (self._rises(g) for g in following)), None)

    def _rises(self, group: GroupLR) -> Text | None:
        """A warning where the rest of the curve climbs above twice what was just set."""
        now, ahead = group.lr, group.scheduled.copy()
        steps = steps_ahead(ahead, self.length.epochs, self.epochs_done, self.length, self.steps_done)
        highest = now
        for _ in range(min(steps, LOOK_AHEAD)):
            ahead.step()
            highest = max(highest, group.following(ahead.value))
        if highest <= 2 * now:
            return None
        return Text(
            "the rest of the curve rises to {highest}, more than twice the {now} set now; hold the rate or choose a "
            "new schedule to avoid that",
            highest=number(highest),
            now=number(now),
        )

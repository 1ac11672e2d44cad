"""The LR rule: the current LR from the scheduled LR and the interventions. The only writer of an optimizer's LR.

For group g::

    lr_g = hold_g                          while held
         = v_g * (scheduled_g / p_g)       while following; v_g is what was set, p_g the scheduled LR at that position
         = scheduled_g                     untouched, or released

PyTorch's schedulers disagree about an LR that is set from outside; this rule replaces their behaviours.
Momentum is not part of it: where a schedule cycles momentum, its value is used, whether or not the LR is held (see
``engine.lr.momentum``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer

from engine.common.errors import Rejected, ScheduleError, SpecError
from engine.common.progress import IsCancelled
from engine.common.text import Text, number
from engine.lr import momentum
from engine.lr.group import GroupLR, ScheduledChange, change_of, for_group, levels_text, steps_ahead
from engine.lr.scheduled import Length, ScheduledLR
from engine.lr.swap import bases_for, replay
from engine.messages.commands import ReleaseLR, ScaleLR, SetLR, SetSchedule, Then
from engine.recipe.recipe import OptimizerSpec, Recipe, group_lr
from engine.schedules import OneCycleLR, ScheduleSpec
from engine.schedules.base import WHOLE, shares

LRIntervention = SetLR | ScaleLR | ReleaseLR | SetSchedule


class LRControl:
    """The LRs of all groups.

    ``epochs_done`` and ``steps_done`` count the epochs and steps so far; ``length`` is the run's.
    """

    def __init__(self, groups: list[GroupLR], optimizer: OptimizerSpec, bases: list[float], length: Length) -> None:
        self.groups = groups
        self.length = length
        self.epochs_done = 0
        self.steps_done = 0
        self.remarks: list[Text] = []  # of a new run: what a person should know of its schedule
        self._optimizer = optimizer
        self._bases = bases

    @classmethod
    def from_recipe(cls, recipe: Recipe, names: Sequence[str], steps_per_epoch: int) -> LRControl:
        """The LRs of a new run; ``names`` are those of the groups, in the optimizer's order.

        Raises:
            SpecError: a schedule does not fit the groups, or cannot be run to its end.
        """
        length = Length(recipe.epochs, steps_per_epoch)
        own = {spec.name: spec for spec in recipe.groups}
        lrs = [group_lr(recipe, own.get(name)) for name in names]
        alike = [(name, lr) for name, lr in zip(names, lrs, strict=True) if not (name in own and own[name].schedule)]
        share = dict(zip((name for name, _ in alike), shares([lr for _, lr in alike]), strict=True))
        groups = []
        for index, (name, base) in enumerate(zip(names, lrs, strict=True)):
            field, schedule, position, count = "schedule", recipe.schedule, index, len(names)
            if name not in share:  # a schedule of its own has values for this group alone
                field = f"groups[{recipe.groups.index(own[name])}].schedule"
                schedule, position, count = own[name].schedule or schedule, 0, 1
            try:
                spec = for_group(schedule, position, count, share.get(name, WHOLE))
                scheduled = ScheduledLR(spec, base, recipe.optimizer, length)
                scheduled.validate(steps_ahead(scheduled, length.epochs, 0, length, 0))
            except ScheduleError as error:
                inner = error.field
                if inner == "lr_lambda" and schedule.group_count() == count:
                    inner = f"lr_lambda[{position}]"
                raise SpecError(f"{field}.{inner}" if inner else field, str(error)) from None
            groups.append(GroupLR(name, scheduled, momentum=momentum.given_by(recipe.optimizer)))
        made = cls(groups, recipe.optimizer, lrs, length)
        made.remarks = _remarks(recipe.schedule, alike, [g.scheduled for g in groups if g.name in share])
        return made

    # -- LRs

    def current(self) -> list[float]:
        """The current LR of each group."""
        return [group.lr for group in self.groups]

    def scheduled(self) -> list[float]:
        """The scheduled LR of each group."""
        return [group.scheduled.value for group in self.groups]

    @property
    def stepwise(self) -> bool:
        """Whether any schedule is stepped per batch."""
        return any(g.scheduled.spec.interval == "step" for g in self.groups)

    def write(self, optimizer: Optimizer) -> None:
        """Write the current LRs, and momentum that a schedule cycles, into the optimizer. Nothing else does."""
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

    # -- steps

    def step_done(self) -> None:
        """A batch was trained and its update made: step the schedules that are stepped per batch."""
        self.steps_done += 1
        for group in self.groups:
            if group.scheduled.spec.interval == "step":
                group.scheduled.step()

    def epoch_done(self, metrics: dict[str, float] | None) -> list[ScheduledChange]:
        """An epoch ended with ``metrics``: step the schedules that are stepped per epoch.

        Returns the changes of schedules that change the LR at single positions.
        """
        self.epochs_done += 1
        changes = []
        for group in self.groups:
            if group.scheduled.spec.interval != "epoch":
                continue
            if group.hold is not None and group.scheduled.monitor is not None:
                continue  # while held, the metric does not depend on the scheduled LR
            discrete, plateau = group.scheduled.discrete, group.scheduled.plateau()
            before = group.scheduled.value
            group.scheduled.step(metrics)
            after = group.scheduled.value
            if after != before and discrete:
                changes.append(change_of(group, before, after, plateau))
        return changes

    def advance(self, steps: int, epochs: int) -> None:
        """Go forward by ``steps`` batches, in which ``epochs`` epochs end without metrics."""
        self.steps_done += steps
        self.epochs_done += epochs
        for group in self.groups:
            group.scheduled.advance(steps if group.scheduled.spec.interval == "step" else epochs)

    def ended(self) -> list[Text]:
        """What to say of each schedule that has come to an end before the run has, since this was called last."""
        over = self.steps_done >= self.length.epochs * self.length.steps_per_epoch
        groups = [g for g in self.groups if g.scheduled.ended is not None and not g.end_said and not over]
        for group in groups:
            group.end_said = True
        return [
            Text(
                "the schedule of group {group} is at its end ({problem}); its LR stays at {lr} from here",
                group=g.name,
                problem=g.scheduled.ended,
                lr=number(g.lr),
            )
            for g in groups
        ]

    # -- interventions

    def apply(
        self,
        intervention: LRIntervention,
        history: Sequence[dict[str, float]],
        cancelled: IsCancelled = lambda: False,
    ) -> Text | None:
        """Apply ``intervention``; returns a warning for the person, or None.

        Args:
            intervention: what to change.
            history: the metrics of the epochs so far, for a schedule "as if from epoch 1".
            cancelled: asked while such a schedule is run forward.

        Raises:
            Rejected: it cannot be applied, and nothing was changed; says why.
            Cancelled: ``cancelled`` returned true; nothing was changed.
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
                metrics = history if intervention.start == "replay" else None
                remarks = self.swap(intervention.schedule, intervention.lr, intervention.group, metrics, cancelled)
                return next(iter([*intervention.schedule.warnings(), *remarks]), None)

    def set_lr(self, lr: float, then: Then, group: str | None) -> Text | None:
        """Set every group (or one) to ``lr``; returns a warning or None. All groups change, or none.

        Raises:
            Rejected: unknown group, or nothing to follow because the scheduled LR is 0.
        """
        return self._set([(g, lr) for g in self.chosen(group)], then)

    def scale_lr(self, factor: float, then: Then, group: str | None) -> Text | None:
        """Multiply the current LR; returns a warning or None. All groups change, or none.

        Raises:
            Rejected: as ``set_lr``; or an LR of 0, which no factor changes.
        """
        chosen = self.chosen(group)
        for g in chosen:
            if g.lr == 0:
                raise Rejected(Text("the LR of group {group} is 0, which no factor changes; set a value", group=g.name))
        return self._set([(g, g.lr * factor) for g in chosen], then)

    def release_lr(self, group: str | None) -> None:
        """Return to the schedule.

        Raises:
            Rejected: unknown group, or no chosen group was touched.
        """
        chosen = [g for g in self.chosen(group) if g.touched]
        if not chosen:
            raise Rejected(Text("the LR is on its schedule already"))
        for g in chosen:
            g.release()
            g.scheduled.restart_patience()

    def swap(
        self,
        schedule: ScheduleSpec,
        lr: float | Sequence[float] | None,
        group: str | None,
        metrics: Sequence[dict[str, float]] | None,
        cancelled: IsCancelled = lambda: False,
    ) -> list[Text]:
        """A new schedule for every group (or one), from here or, with ``metrics``, as if from epoch 1.

        Args:
            schedule: the new schedule.
            lr: the new base, or one per chosen group; None takes the current LR (the recipe's with ``metrics``). A
                schedule that brings its own level takes none.
            group: one group's name, or None for all.
            metrics: the metrics of the epochs so far, or None to start at position 0.
            cancelled: asked while the schedule is run forward.

        Returns:
            What the person should know of it.

        Raises:
            Rejected: the base is 0 or must not be given, the counts do not fit the groups, or the schedule cannot be
                run to its end.
            Cancelled: ``cancelled`` returned true.
        """
        chosen = self.chosen(group)
        from_recipe = dict(zip((g.name for g in self.groups), self._bases, strict=True))
        bases = bases_for(schedule, lr, [g.lr if metrics is None else from_recipe[g.name] for g in chosen])
        span = self.length.positions(schedule.interval)
        if metrics is None:
            span -= self.epochs_done if schedule.interval == "epoch" else self.steps_done
        swapped: list[tuple[GroupLR, ScheduledLR]] = []
        levels = bases if 0 not in bases else [from_recipe[g.name] for g in chosen]
        for index, (g, base) in enumerate(zip(chosen, bases, strict=True)):
            try:
                spec = for_group(schedule, index, len(chosen), shares(levels)[index])
                scheduled = ScheduledLR(spec, base, self._optimizer, self.length, max(1, span))
                if metrics is not None:
                    replay(scheduled, self.epochs_done, self.steps_done, metrics, cancelled)
                epochs = self.length.epochs
                scheduled.validate(steps_ahead(scheduled, epochs, self.epochs_done, self.length, self.steps_done))
            except ScheduleError as error:
                problem = f"schedule.{error.field}: {error}" if error.field else str(error)
                raise Rejected(Text("the schedule cannot be used: {problem}", problem=problem)) from None
            swapped.append((g, scheduled))
        for g, scheduled in swapped:
            g.release()
            g.scheduled = scheduled
        alike = [(g.name, level) for g, level in zip(chosen, levels, strict=True)]
        return _remarks(schedule, alike, [scheduled for _, scheduled in swapped])

    def set_epochs(self, epochs: int) -> Text | None:
        """Change the run's length but not the schedules; returns a warning where one does not reach the new end."""
        self.length = Length(epochs, self.length.steps_per_epoch)
        for g in self.groups:
            steps = steps_ahead(g.scheduled, epochs, self.epochs_done, self.length, self.steps_done)
            try:
                g.scheduled.validate(steps)
            except ScheduleError as error:
                return Text(
                    "the schedule of group {group} does not reach the new end ({problem}) and keeps its last LR from "
                    "there; choose one that fits",
                    group=g.name,
                    problem=str(error),
                )
        return None

    # -- state

    def state(self) -> dict[str, Any]:
        """Everything needed to continue exactly, as plain data that shares nothing with this object."""
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
        """The LR control that ``state`` was taken from."""
        groups = [
            GroupLR(**{**group, "scheduled": ScheduledLR.from_state(group["scheduled"], optimizer)})
            for group in state["groups"]
        ]
        lr = cls(groups, optimizer, list(state["bases"]), Length(state["epochs"], state["steps_per_epoch"]))
        lr.epochs_done, lr.steps_done = state["epochs_done"], state["steps_done"]
        return lr

    def copy(self) -> LRControl:
        """An independent LR control in the same state, such as for a preview."""
        return LRControl.from_state(self.state(), self._optimizer)

    # -- within

    def _set(self, values: list[tuple[GroupLR, float]], then: Then) -> Text | None:
        held = [then == "hold" or (then == "keep" and g.hold is not None) for g, _ in values]
        for (g, lr), hold in zip(values, held, strict=True):
            g.check(lr, hold)  # all groups before any changes
        for (g, lr), hold in zip(values, held, strict=True):
            g.set(lr, hold)
            g.scheduled.restart_patience()
        following = [g for (g, _), hold in zip(values, held, strict=True) if not hold]
        return next(filter(None, (self._rises(g) for g in following)), None)

    def _rises(self, group: GroupLR) -> Text | None:
        """A warning where the rest of the curve rises above twice the LR that was just set."""
        now = group.lr
        steps = steps_ahead(group.scheduled, self.length.epochs, self.epochs_done, self.length, self.steps_done)
        ahead = (group.following(ahead.value) for ahead in group.scheduled.look_ahead(steps))
        highest = max(ahead, default=now)
        if highest <= 2 * now:
            return None
        return Text(
            "the rest of the curve rises to {highest}, more than twice the LR set now, {now}; hold the LR or choose a "
            "new schedule to avoid that",
            highest=number(highest),
            now=number(now),
        )


def _remarks(
    schedule: ScheduleSpec, alike: Sequence[tuple[str, float]], scheduled: Sequence[ScheduledLR]
) -> list[Text]:
    """What a person should know of a new ``schedule``.

    Args:
        schedule: of the groups that share it.
        alike: their names and their own LRs.
        scheduled: theirs.
    """
    found = [levels_text(schedule, [name for name, _ in alike], [lr for _, lr in alike])] if alike else []
    cycle, span = schedule.cycle() if isinstance(schedule, OneCycleLR) else None, scheduled[0].span if scheduled else 0
    if cycle is not None and cycle != span and scheduled:
        found.append(
            Text(
                "OneCycleLR's cycle has {cycle} positions and the rest of the run has {span}: {what}",
                cycle=cycle,
                span=span,
                what=Text("after the cycle the LR stays at its last value")
                if cycle < span
                else Text("the run ends before the cycle does"),
            )
        )
    return [text for text in found if text is not None]

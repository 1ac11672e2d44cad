"""A plan: one group's schedule as a genuine PyTorch scheduler, stepping a shadow optimizer."""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import Any

import torch
from torch.optim.lr_scheduler import MultiStepLR
from torch.optim.lr_scheduler import ReduceLROnPlateau as TorchPlateau

from engine import optimizers
from engine.recipe import OptimizerSpec
from engine.schedules import AnySchedule, ReduceLROnPlateau, ScheduleSpec
from engine.schedules.build import Length, PlanError, build_scheduler
from engine.spec import parse

__all__ = ["Length", "Plan", "PlanError"]


class Plan:
    """One group's planned rate as a function of how often it was stepped.

    The live optimizer is never handed to a scheduler: a shadow of the same class, with one empty parameter, is. So a
    preview is this same code run forward on a copy.

    Args:
        spec: the schedule of this group alone.
        base: the rate that the schedule starts from.
        optimizer: the live optimizer's spec, for the shadow's class.
        length: the run's epochs and batches an epoch when the plan is made; later changes leave the plan alone.

    ``ended`` says why there is no further value, once there is none: past its end a plan keeps its last value.

    Raises:
        PlanError: the schedule has no usable rate at its first position.
    """

    def __init__(self, spec: ScheduleSpec, base: float, optimizer: OptimizerSpec, length: Length) -> None:
        self.spec = spec
        self.base = base
        self.length = length
        self.position = 0
        self.ended: str | None = None
        self._optimizer_spec = optimizer
        self._shadow = optimizers.build(optimizer, [([torch.empty(0, requires_grad=True)], base)])
        self._scheduler = build_scheduler(spec, self._shadow, length)
        self._shadow.step()  # PyTorch's schedulers warn when stepped before the optimizer
        problem = self._unusable()
        if problem is not None:
            raise PlanError(problem)

    @property
    def value(self) -> float:
        """The planned rate now."""
        return float(self._shadow.param_groups[0]["lr"])

    @property
    def monitor(self) -> str | None:
        """The metric that the plan needs at every step, or None."""
        return self.spec.monitor if isinstance(self.spec, ReduceLROnPlateau) else None

    def step(self, metrics: dict[str, float] | None = None) -> None:
        """Move one epoch (or batch) on. A metric-driven plan without a finite metric stands still."""
        if self.ended is not None:
            return
        last = self.value
        if self.monitor is not None:
            metric = (metrics or {}).get(self.monitor)
            if metric is None or not math.isfinite(metric):
                return
            assert isinstance(self._scheduler, TorchPlateau)
            self._scheduler.step(metric)
        else:
            try:
                self._scheduler.step()
            except PlanError as error:
                self.ended = str(error)
                return
        self.position += 1
        self.ended = self._unusable()
        if self.ended is not None:
            self.position -= 1
            self._shadow.param_groups[0]["lr"] = last

    def _unusable(self) -> str | None:
        if math.isfinite(self.value) and self.value >= 0:
            return None
        unit = "epoch" if self.spec.interval == "epoch" else "step"
        return f"the schedule gives the rate {self.value:.6g} after {unit} {self.position}"

    def start_patience_anew(self) -> None:
        """Forget the bad epochs counted so far; nothing for plans that no metric drives."""
        if isinstance(self._scheduler, TorchPlateau):
            self._scheduler.num_bad_epochs = 0

    def patience(self) -> tuple[float, int] | None:
        """Best metric so far and bad epochs counted, of a metric-driven plan."""
        if not isinstance(self._scheduler, TorchPlateau):
            return None
        return float(self._scheduler.best), int(self._scheduler.num_bad_epochs)

    def prove(self, steps: int) -> None:
        """Run a copy ``steps`` on, to know that the plan has a value all the way.

        Raises:
            PlanError: it has not; says from where on and why.
        """
        ahead = self.copy()
        for _ in range(steps):
            ahead.step()
            if ahead.ended is not None:
                break
        if ahead.ended is not None:
            raise PlanError(ahead.ended)

    def copy(self) -> Plan:
        """An independent plan in the same state."""
        return Plan.from_state(self.state(), self._optimizer_spec)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on exactly, as plain data that shares nothing with the plan."""
        scheduler = copy.deepcopy(self._scheduler.state_dict())
        if isinstance(scheduler.get("milestones"), Counter):  # which is no plain data
            scheduler["milestones"] = sorted(scheduler["milestones"].items())
        return {
            "spec": self.spec.model_dump_json(),
            "base": self.base,
            "epochs": self.length.epochs,
            "steps_per_epoch": self.length.steps_per_epoch,
            "position": self.position,
            "ended": self.ended,
            "scheduler": scheduler,
            "shadow": copy.deepcopy(self._shadow.state_dict()),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], optimizer: OptimizerSpec) -> Plan:
        """The plan that ``state`` was taken from.

        Scheduler first, optimizer second: the order that is exact for every scheduler of PyTorch.
        """
        length = Length(state["epochs"], state["steps_per_epoch"])
        plan = cls(parse(AnySchedule, state["spec"]), state["base"], optimizer, length)
        scheduler = copy.deepcopy(state["scheduler"])
        if isinstance(plan._scheduler, MultiStepLR):
            scheduler["milestones"] = Counter(dict(scheduler["milestones"]))
        plan._scheduler.load_state_dict(scheduler)
        plan._shadow.load_state_dict(copy.deepcopy(state["shadow"]))
        plan.position, plan.ended = state["position"], state["ended"]
        return plan

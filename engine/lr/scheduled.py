"""A plan: one group's schedule as a genuine PyTorch scheduler, stepping a shadow optimizer."""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import Any, Final

import torch
from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, MultiStepLR, SequentialLR
from torch.optim.lr_scheduler import ReduceLROnPlateau as TorchPlateau

from engine.common.spec import parse
from engine.lr.build import Length, ScheduleError, build_scheduler
from engine.messages.schedule_view import PlateauView
from engine.models import optimizers
from engine.recipe.recipe import OptimizerSpec
from engine.schedules import AnySchedule, ReduceLROnPlateau, ScheduleSpec
from engine.schedules.composed import path_of

ROUNDING: Final = 1e-9

__all__ = ["Length", "ScheduleError", "ScheduledLR"]


class ScheduledLR:
    """One group's planned rate as a function of how often it was stepped.

    The live optimizer is never handed to a scheduler: a shadow of the same class, with one empty parameter, is. So a
    preview is this same code run forward on a copy.

    Args:
        spec: the schedule of this group alone.
        base: the rate that the schedule starts from.
        optimizer: the live optimizer's spec, for the shadow's class.
        length: the run's epochs and batches an epoch when the plan is made; later changes leave the plan alone.
        span: how many positions are left for the plan then; None: the whole run.

    ``ended`` says why there is no further value, once there is none: past its end a plan keeps its last value.

    Raises:
        PlanError: the schedule has no usable rate at its first position, or does not fit the optimizer.
    """

    def __init__(
        self, spec: ScheduleSpec, base: float, optimizer: OptimizerSpec, length: Length, span: int | None = None
    ) -> None:
        self.spec = spec
        self.spec_json = spec.model_dump_json()
        self.base = base
        self.length = length
        self.span = length.positions(spec.interval) if span is None else span
        self.position = 0
        self.ended: str | None = None
        self._optimizer_spec = optimizer
        self._shadow = optimizers.build(optimizer, [([torch.empty(0, requires_grad=True)], base)])
        self._scheduler = build_scheduler(spec, self._shadow, length, self.span)
        self._shadow.step()  # PyTorch's schedulers warn when stepped before the optimizer
        problem = self._unusable()
        if problem is not None:
            raise ScheduleError(problem)

    @property
    def value(self) -> float:
        """The planned rate now: PyTorch's, but 0 where rounding left it a hair below (LinearLR down to 0 does that)."""
        planned = float(self._shadow.param_groups[0]["lr"])
        return 0.0 if -ROUNDING < planned < 0 else planned

    @property
    def momentum(self) -> float | None:
        """The planned momentum (or first beta) now, of a schedule that cycles it; else None."""
        if not self.spec.cycles_momentum():
            return None
        group = self._shadow.param_groups[0]
        return float(group["betas"][0] if "betas" in group else group["momentum"])

    @property
    def monitor(self) -> str | None:
        """The metric that the plan needs at every step, or None."""
        return self.spec.monitor if isinstance(self.spec, ReduceLROnPlateau) else None

    def step(self, metrics: dict[str, float] | None = None) -> None:
        """Move one epoch (or batch) on. A metric-driven plan without a finite metric stands still."""
        if self.ended is not None:
            return
        group = self._shadow.param_groups[0]
        before = dict(group)
        if self.monitor is not None:
            metric = (metrics or {}).get(self.monitor)
            if metric is None or not math.isfinite(metric):
                return
            assert isinstance(self._scheduler, TorchPlateau)
            self._scheduler.step(metric)
        else:
            try:
                self._scheduler.step()
            except (ScheduleError, OverflowError) as error:  # a chain may have moved half of its parts by then
                self.ended = self._with_its_part(error) if isinstance(error, ScheduleError) else self._too_large()
                group.update(before)
                return
        self.position += 1
        self.ended = self._unusable()
        if self.ended is not None:
            self.position -= 1
            group.update(before)

    def _unusable(self) -> str | None:
        where = f"after {self.spec.interval} {self.position}"
        if not (math.isfinite(self.value) and self.value >= 0):
            return f"the schedule gives the rate {self.value:.6g} {where}"
        if self.momentum is not None and not 0 <= self.momentum < 1:
            return f"the schedule gives a momentum of {self.momentum:.6g} {where}; allowed is 0 to less than 1"
        return None

    def _with_its_part(self, error: ScheduleError) -> str:
        """The problem, and of a schedule made of others which of them has it."""
        path = path_of(error.part, self.spec) if error.part is not None else ""
        return f"{path}: {error}" if path else str(error)

    def _too_large(self) -> str:
        after = f"{self.spec.interval} {self.position + 1}"
        return f"PyTorch's formula for the schedule meets a number too large for it after {after}"

    def restart_patience(self) -> None:
        """Forget the bad epochs counted so far; nothing for plans that no metric drives."""
        if isinstance(self._scheduler, TorchPlateau):
            self._scheduler.num_bad_epochs = 0

    def plateau(self) -> PlateauView | None:
        """What a metric-driven schedule has counted so far, else None."""
        scheduler, spec = self._scheduler, self.spec
        if not isinstance(scheduler, TorchPlateau) or not isinstance(spec, ReduceLROnPlateau):
            return None
        best, bad, lr = float(scheduler.best), int(scheduler.num_bad_epochs), self.value
        sign = -1 if spec.mode == "min" else 1
        limit = best * (1 + sign * spec.threshold) if spec.threshold_mode == "rel" else best + sign * spec.threshold
        known = math.isfinite(best)
        return PlateauView(
            best=best if known else None,
            limit=limit if known else None,
            bad_epochs=bad,
            patience=spec.patience,
            epochs_left=int(scheduler.cooldown_counter) + spec.patience + 1 - bad,
            at_floor=lr - max(lr * spec.factor, spec.min_lr) <= spec.eps,
        )

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
            raise ScheduleError(ahead.ended)

    def copy(self) -> ScheduledLR:
        """An independent plan in the same state."""
        return ScheduledLR.from_state(self.state(), self._optimizer_spec)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on exactly, as plain data that shares nothing with the plan."""
        return {
            "spec": self.spec_json,
            "base": self.base,
            "epochs": self.length.epochs,
            "steps_per_epoch": self.length.steps_per_epoch,
            "span": self.span,
            "position": self.position,
            "ended": self.ended,
            "scheduler": _stored(self._scheduler),
            "shadow": copy.deepcopy(self._shadow.state_dict()),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], optimizer: OptimizerSpec) -> ScheduledLR:
        """The plan that ``state`` was taken from.

        Scheduler first, optimizer second: the order that is exact for every scheduler of PyTorch.
        """
        length = Length(state["epochs"], state["steps_per_epoch"])
        plan = cls(parse(AnySchedule, state["spec"]), state["base"], optimizer, length, state["span"])
        _load(plan._scheduler, state["scheduler"])
        plan._shadow.load_state_dict(copy.deepcopy(state["shadow"]))
        plan.position, plan.ended = state["position"], state["ended"]
        return plan


# A scheduler's state as plain data, which JSON and torch.load(weights_only=True) can both hold, and back. PyTorch's own
# state_dict shares memory with the live object, holds Counters, and is nested for composed schedulers; load_state_dict
# of some removes keys from what it is given. So both ways go through deep copies.


def _stored(scheduler: LRScheduler) -> dict[str, Any]:
    """The state of ``scheduler``, sharing nothing with it."""
    return _plain(copy.deepcopy(scheduler.state_dict()))


def _load(scheduler: LRScheduler, state: dict[str, Any]) -> None:
    """Put ``scheduler``, built from the same spec, where ``state`` was taken; ``state`` is left as it is."""
    scheduler.load_state_dict(_as_pytorch_has_it(scheduler, copy.deepcopy(state)))


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    if isinstance(state.get("milestones"), Counter):
        state["milestones"] = sorted(state["milestones"].items())
    if "_schedulers" in state:
        state["_schedulers"] = [_plain(stage) for stage in state["_schedulers"]]
    return state


def _as_pytorch_has_it(scheduler: LRScheduler, state: dict[str, Any]) -> dict[str, Any]:
    if isinstance(scheduler, MultiStepLR):
        state["milestones"] = Counter(dict(state["milestones"]))
    if isinstance(scheduler, (SequentialLR, ChainedScheduler)):
        pairs = zip(scheduler._schedulers, state["_schedulers"], strict=True)
        state["_schedulers"] = [_as_pytorch_has_it(stage, stage_state) for stage, stage_state in pairs]
    return state

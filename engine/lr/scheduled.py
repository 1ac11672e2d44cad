"""The scheduled LR: one group's schedule as a PyTorch scheduler that steps a shadow optimizer."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import torch
from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, MultiStepLR, SequentialLR
from torch.optim.lr_scheduler import ReduceLROnPlateau as TorchPlateau

from engine.common.errors import ScheduleError, SpecError
from engine.common.spec import LARGEST, parse
from engine.lr.build import Length, PlateauAfter, build_scheduler
from engine.lr.forward import run_forward, skips
from engine.messages.schedule_view import PlateauView
from engine.models import optimizers
from engine.recipe.recipe import OptimizerSpec
from engine.schedules import AnySchedule, CyclicLR, ScheduleSpec
from engine.schedules.composed import metric_driven, path_of

ROUNDING: Final = 1e-9
LOOK_AHEAD: Final = 20_000
"""Positions that are looked at one by one."""
SAMPLES: Final = 1_000
"""Positions beyond them that are looked at, where it takes no longer to get there."""

__all__ = ["Length", "ScheduledLR"]


class ScheduledLR:
    """One group's scheduled LR, stepped once per epoch or batch.

    The scheduler gets a shadow optimizer of the live one's class, with one empty parameter, never the live one. So a
    preview is the same code run forward on a copy.

    ``ended`` is the reason why there is no further value, once there is none: past its end a schedule keeps its last
    value.

    Args:
        spec: the schedule of this group alone.
        base: the LR that the schedule starts from.
        optimizer: the live optimizer's spec, for the shadow's class.
        length: the run's length when the schedule begins; later changes do not affect the schedule.
        span: number of positions left for the schedule then; None: the whole run.

    Raises:
        ScheduleError: the schedule has no usable LR at its first position, or does not fit the optimizer.
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
        self._error: ScheduleError | None = None  # why, with the field, if it ended here and not before it was stored
        self._optimizer_spec = optimizer
        self._build()
        problem = self._unusable()
        if problem is not None:
            raise ScheduleError(problem)

    def _build(self) -> None:
        """Build the scheduler at its first position."""
        self._shadow = optimizers.build(self._optimizer_spec, [([torch.empty(0, requires_grad=True)], self.base)])
        self._scheduler = build_scheduler(self.spec, self._shadow, self.length, self.span)
        self._shadow.step()  # PyTorch's schedulers warn when stepped before the optimizer

    @property
    def value(self) -> float:
        """The scheduled LR: PyTorch's, but 0 where rounding left it slightly below, as LinearLR down to 0 does."""
        lr = float(self._shadow.param_groups[0]["lr"])
        return 0.0 if -ROUNDING < lr < 0 else lr

    @property
    def momentum(self) -> float | None:
        """The scheduled momentum (or first beta), of a schedule that cycles it; else None."""
        if not self.spec.cycles_momentum():
            return None
        group = self._shadow.param_groups[0]
        return float(group["betas"][0] if "betas" in group else group["momentum"])

    @property
    def monitor(self) -> str | None:
        """The metric that the schedule needs at its next step, or None."""
        driven = metric_driven(self.spec)
        return driven.monitor if driven is not None and self._plateau() is not None else None

    @property
    def discrete(self) -> bool:
        """Whether the next change of the LR is one that happens at few, distinct positions."""
        return self.spec.discrete or self.monitor is not None

    def _plateau(self) -> TorchPlateau | None:
        """The scheduler that gets a metric at the next step, or None."""
        scheduler = self._scheduler
        if isinstance(scheduler, PlateauAfter):
            return scheduler.plateau
        return scheduler if isinstance(scheduler, TorchPlateau) else None

    def step(self, metrics: dict[str, float] | None = None) -> None:
        """Step once. A schedule that a metric drives does not step without a finite metric."""
        if self.ended is not None:
            return
        before = dict(self._shadow.param_groups[0])
        if self.monitor is not None:
            metric = (metrics or {}).get(self.monitor)
            if metric is None or not math.isfinite(metric):
                return
            assert isinstance(self._scheduler, (TorchPlateau, PlateauAfter))
            self._scheduler.step(metric)
        else:
            try:
                self._scheduler.step()
            except (ScheduleError, OverflowError) as error:  # parts of a chain may have stepped already
                self._end(self._with_its_path(error) if isinstance(error, ScheduleError) else self._too_large(), before)
                return
        self.position += 1
        problem = self._unusable()
        if problem is not None:
            self.position -= 1
            self._end(ScheduleError(problem, self._growing()), before)

    def _end(self, error: ScheduleError, before: dict[str, Any]) -> None:
        """Keep the LR of ``before`` from here on, because of ``error``."""
        path = error.field.rpartition(".")[0]
        self.ended, self._error = f"{path}: {error}" if path else str(error), error
        self._shadow.param_groups[0].update(before)

    def _unusable(self) -> str | None:
        where = f"after {self.spec.interval} {self.position}"
        if not (math.isfinite(self.value) and self.value >= 0):
            return f"the schedule gives an LR of {self.value:.6g} {where}"
        if self.momentum is not None and not 0 <= self.momentum < 1:
            return f"the schedule gives a momentum of {self.momentum:.6g} {where}; allowed is 0 to less than 1"
        return None

    def _with_its_path(self, error: ScheduleError) -> ScheduleError:
        """``error`` with the whole path of its field."""
        path = path_of(error.part, self.spec) if isinstance(error.part, ScheduleSpec) else ""
        return ScheduleError(str(error), ".".join(filter(None, (path, error.field))))

    def _growing(self) -> str:
        """The path of the only gamma above 1, which is why an LR or a momentum is out of range; else empty."""
        found = [part for part in self.spec.parts() if getattr(part, "gamma", 1.0) > 1]
        if len(found) != 1 or (isinstance(found[0], CyclicLR) and (found[0].mode != "exp_range" or found[0].scale_fn)):
            return ""
        path = path_of(found[0], self.spec)
        return f"{path}.gamma" if path else "gamma"

    def _too_large(self) -> ScheduleError:
        after = f"{self.spec.interval} {self.position + 1}"
        return ScheduleError(f"PyTorch's formula for the schedule overflows after {after}", self._growing())

    def restart_patience(self) -> None:
        """Reset the bad epochs counted so far; does nothing where no metric drives the schedule."""
        plateau = self._plateau()
        if plateau is not None:
            plateau.num_bad_epochs = 0

    def plateau(self) -> PlateauView | None:
        """What a schedule that a metric drives has counted so far, else None."""
        scheduler, spec = self._plateau(), metric_driven(self.spec)
        if scheduler is None or spec is None:
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

    def advance(self, steps: int) -> None:
        """Step ``steps`` times, without a metric: as ``step`` that often, but faster."""
        if isinstance(self._scheduler, PlateauAfter):
            steps = min(steps, self._scheduler.before()[1] + 1)
        if self.ended is not None or self.monitor is not None:
            return
        if self._certain(steps) or skips(self._scheduler):
            try:
                run_forward(self._scheduler, steps)
                usable = self._unusable() is None
            except (ScheduleError, OverflowError):
                usable = False
            if usable:
                self.position += steps
                return
            self._build()
            run_forward(self._scheduler, self.position)
        for _ in range(steps):
            self.step()

    def _certain(self, steps: int) -> bool:
        return self.spec.usable_throughout(self.base, self.position + steps, self.span)

    def look_ahead(self, steps: int) -> Iterator[ScheduledLR]:
        """A copy of this at positions ahead: ``steps`` of them, or so many as can be looked at within a second.

        Each of the next ``LOOK_AHEAD``; beyond them, where running forward takes no longer for more steps, ``SAMPLES``.
        It is one object, stepped between them.
        """
        ahead = self.copy()
        near = min(steps, LOOK_AHEAD)
        for _ in range(near):
            ahead.step()
            yield ahead
        far = steps - near
        if skips(self._scheduler):
            count = min(far, SAMPLES)
            for sample in range(count):
                ahead.advance(far * (sample + 1) // count - far * sample // count)
                yield ahead

    def validate(self, steps: int) -> None:
        """Check that the schedule has a value for ``steps`` more steps. The time this takes does not grow with them.

        Raises:
            ScheduleError: it has not; says where and why.
        """
        if self.ended is not None:
            raise ScheduleError(self.ended)
        for ahead in () if self._certain(steps) else self.look_ahead(steps):
            if ahead._error is not None:
                raise ahead._error

    def copy(self) -> ScheduledLR:
        """An independent copy in the same state."""
        return ScheduledLR.from_state(self.state(), self._optimizer_spec)

    def state(self) -> dict[str, Any]:
        """Everything needed to continue exactly, as plain data that shares nothing with this object."""
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
    def check(cls, state: dict[str, Any], optimizer: OptimizerSpec) -> None:
        """Check a ``state`` that was read from a file: only what steps change may differ from a new scheduler.

        Raises:
            SpecError: it cannot be the state of a scheduled LR with this spec; names the field.
        """
        length = Length(state["epochs"], state["steps_per_epoch"])
        try:
            spec = parse(AnySchedule, state["spec"])
        except SpecError as error:
            raise SpecError(f"spec.{error.field}", error.problem) from None
        try:
            new = cls(spec, state["base"], optimizer, length, state["span"])
        except ScheduleError as error:
            raise SpecError("spec", str(error)) from None
        _check_moved("scheduler", state["scheduler"], _stored(new._scheduler), state["position"])
        _check_moved("shadow", state["shadow"], new._shadow.state_dict(), state["position"])
        restored = cls.from_state(state, optimizer)
        problem = restored._unusable()
        if problem is not None:
            raise SpecError("shadow", problem)

    @classmethod
    def from_state(cls, state: dict[str, Any], optimizer: OptimizerSpec) -> ScheduledLR:
        """The scheduled LR that ``state`` was taken from.

        Scheduler first, optimizer second: the order that is exact for every scheduler of PyTorch.
        """
        length = Length(state["epochs"], state["steps_per_epoch"])
        scheduled = cls(parse(AnySchedule, state["spec"]), state["base"], optimizer, length, state["span"])
        scheduled._restore(state)
        return scheduled

    def _restore(self, state: dict[str, Any]) -> None:
        _load(self._scheduler, state["scheduler"])
        self._shadow.load_state_dict(copy.deepcopy(state["shadow"]))
        self.position, self.ended = state["position"], state["ended"]


_COUNTS: Final = frozenset({"last_epoch", "_step_count", "num_bad_epochs"})
_MOVING: Final = _COUNTS | {"_last_lr", "lr", "momentum", "betas", "T_cur", "T_i", "best", "cooldown_counter"}
"""What steps change of a scheduler's state and of its optimizer's; everything else follows from the spec."""


def _check_moved(field: str, state: Any, new: Any, position: int) -> None:
    """Check that ``state`` has the form of ``new``, and differs from it only in what ``position`` steps can change."""
    if isinstance(new, dict) and isinstance(state, dict):
        for name in {*new, *state}:
            inner = f"{field}.{name}"
            if name not in new or name not in state:
                raise SpecError(inner, "is required" if name in new else "is not a key here")
            if name in _MOVING:
                # Composed schedulers, and one that ended, have stepped more often.
                _check_value(inner, state[name], new[name], position + 2 if name in _COUNTS else LARGEST)
            else:
                _check_moved(inner, state[name], new[name], position)
    elif isinstance(new, (list, tuple)):
        if type(state) is not type(new) or len(state) != len(new):
            raise SpecError(field, "is not what the schedule has")
        for index, (item, wanted) in enumerate(zip(state, new, strict=True)):
            _check_moved(f"{field}[{index}]", item, wanted, position)
    elif type(state) is not type(new) or state != new:
        raise SpecError(field, "is not what the schedule has")


def _check_value(field: str, value: Any, new: Any, most: int) -> None:
    """Check a value that steps change: a number, or as many as ``new`` has; a whole one is at most ``most``."""
    if isinstance(new, (list, tuple)):
        if type(value) is not type(new) or len(value) != len(new):
            raise SpecError(field, f"must be {len(new)} numbers")
        for index, (item, wanted) in enumerate(zip(value, new, strict=True)):
            _check_value(f"{field}[{index}]", item, wanted, most)
    elif type(value) is not type(new) or math.isnan(value):
        raise SpecError(field, f"must be a number of the type {type(new).__name__}")
    elif isinstance(value, int) and not -1 <= value <= most:
        raise SpecError(field, f"must be at most {most}")


# A scheduler's state as plain data, which JSON and torch.load(weights_only=True) can both hold, and back. PyTorch's own
# state_dict shares memory with the live object, holds Counters, and is nested for composed schedulers; load_state_dict
# of some removes keys from what it is given. So both ways go through deep copies.


def _stored(scheduler: LRScheduler) -> dict[str, Any]:
    """The state of ``scheduler``, sharing nothing with it."""
    return _plain(copy.deepcopy(scheduler.state_dict()))


def _load(scheduler: LRScheduler, state: dict[str, Any]) -> None:
    """Restore ``state`` in ``scheduler``, which was built from the same spec; ``state`` is not changed."""
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
    if isinstance(scheduler, (SequentialLR, ChainedScheduler, PlateauAfter)):
        pairs = zip(scheduler._schedulers, state["_schedulers"], strict=True)
        state["_schedulers"] = [_as_pytorch_has_it(stage, stage_state) for stage, stage_state in pairs]
    return state

"""Builds PyTorch's own scheduler from a schedule's spec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer, lr_scheduler

from engine.common.errors import ExpressionError, ScheduleError
from engine.schedules import (
    ChainedScheduler,
    Constant,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    Drawn,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from engine.schedules.custom import ExpressionSpec
from engine.schedules.expression import Expression

AnyScheduler = lr_scheduler.LRScheduler


@dataclass(frozen=True)
class Length:
    """A run's length: what ``epochs`` and ``steps_per_epoch`` mean in an expression."""

    epochs: int
    steps_per_epoch: int

    def positions(self, interval: str) -> int:
        """Number of positions in the whole run of a schedule that is stepped once per ``interval``."""
        return self.epochs if interval == "epoch" else self.epochs * self.steps_per_epoch


def build_scheduler(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    """PyTorch's scheduler for ``spec``, on an optimizer with one parameter group.

    Args:
        spec: the schedule of this group alone.
        optimizer: the shadow optimizer; its LR is the base. Composed schedules make it step, as PyTorch demands.
        length: of the run, for the names in an expression.
        span: number of positions of the schedule, for one whose shape depends on it (OneCycleLR).

    Raises:
        ScheduleError: an expression has no value at the first position, or a field does not fit the run or optimizer.
    """
    return _BUILDERS[type(spec)](spec, optimizer, length, span)


def _options(spec: ScheduleSpec, *without: str) -> dict[str, Any]:
    return spec.model_dump(exclude={"name", "interval", *without})


def _plain(scheduler: Any) -> Callable[[ScheduleSpec, Optimizer, Length, int], AnyScheduler]:
    def build(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
        made: AnyScheduler = scheduler(optimizer, **_options(spec))
        return made

    return build


def _plateau(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    return lr_scheduler.ReduceLROnPlateau(optimizer, **_options(spec, "monitor"))


def _constant(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    return lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)


def _multi_step(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    assert isinstance(spec, MultiStepLR)
    return lr_scheduler.MultiStepLR(optimizer, milestones=list(spec.milestones), gamma=spec.gamma)


def _expression(scheduler: Any) -> Callable[[ScheduleSpec, Optimizer, Length, int], AnyScheduler]:
    def build(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
        assert isinstance(spec, ExpressionSpec)
        made: AnyScheduler = scheduler(optimizer, _multiplier(spec, length))
        return made

    return build


def _multiplier(spec: ExpressionSpec, length: Length) -> Callable[[int], float]:
    expression = Expression(spec.lr_lambda[0])
    per_epoch = spec.interval == "epoch"

    def multiplier(position: int) -> float:
        names = {
            "epoch": float(position),
            "step": float(position * length.steps_per_epoch if per_epoch else position),
            "epochs": float(length.epochs),
            "steps_per_epoch": float(length.steps_per_epoch),
        }
        try:
            return expression(names)
        except ExpressionError as error:
            problem = f"at epoch = {position} the expression {expression.text!r} {error}"
            raise ScheduleError(problem, "lr_lambda", spec) from None

    return multiplier


def _cyclic(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    assert isinstance(spec, CyclicLR)
    _needs_momentum(spec, optimizer)
    return lr_scheduler.CyclicLR(optimizer, **{**_options(spec), "scale_fn": _height(spec)})


def _height(spec: CyclicLR) -> Callable[[float], float] | None:
    if spec.scale_fn is None:
        return None
    expression = Expression(spec.scale_fn, ("x",))

    def height(x: float) -> float:
        try:
            return expression({"x": float(x)})
        except ExpressionError as error:
            raise ScheduleError(f"at x = {x} the expression {expression.text!r} {error}", "scale_fn", spec) from None

    return height


def _one_cycle(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    assert isinstance(spec, OneCycleLR)
    _needs_momentum(spec, optimizer)
    try:
        options = _options(spec, "total_steps", "epochs", "steps_per_epoch")
        return OneCycle(optimizer, spec.cycle() is not None, total_steps=spec.cycle() or span, **options)
    except ZeroDivisionError:  # PyTorch divides by the number of steps of the rise
        cycle = f"{spec.cycle() or span} {spec.interval}s"
        raise ScheduleError(
            f"{spec.pct_start:.6g} of {cycle} is one {spec.interval}, in which nothing can rise; choose a larger share",
            "pct_start",
        ) from None


def _needs_momentum(spec: ScheduleSpec, optimizer: Optimizer) -> None:
    if spec.cycles_momentum() and not {"momentum", "betas"} & optimizer.defaults.keys():
        kind = type(optimizer).__name__
        raise ScheduleError(f"{kind} has neither momentum nor betas; set it to false", "cycle_momentum")


def _drawn(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    assert isinstance(spec, Drawn)
    per_epoch = 1 if spec.interval == "epoch" else length.steps_per_epoch
    lr = spec.curve()
    return DrawnCurve(optimizer, lambda position: lr(position / per_epoch))


def _sequential(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    assert isinstance(spec, SequentialLR)
    begins, ends = (0, *spec.milestones), (*spec.milestones, span)
    spans = [max(1, end - begin) for begin, end in zip(begins, ends, strict=True)]
    milestones, stages = list(spec.milestones), _stages(spec.schedulers, optimizer, length, spans)
    first, plateau = stages[:-1], stages[-1]
    if isinstance(plateau, lr_scheduler.ReduceLROnPlateau):
        if not first:
            return plateau
        before = lr_scheduler.SequentialLR(optimizer, first, milestones[:-1]) if len(first) > 1 else first[0]
        return PlateauAfter(before, plateau, milestones[-1])
    return lr_scheduler.SequentialLR(optimizer, stages, milestones=milestones)


def _chained(spec: ScheduleSpec, optimizer: Optimizer, length: Length, span: int) -> AnyScheduler:
    assert isinstance(spec, ChainedScheduler)
    stages = _stages(spec.schedulers, optimizer, length, [span] * len(spec.schedulers))
    return lr_scheduler.ChainedScheduler(stages, optimizer=optimizer)


def _stages(
    specs: tuple[ScheduleSpec, ...], optimizer: Optimizer, length: Length, spans: list[int]
) -> list[AnyScheduler]:
    stages = []
    for index, (spec, span) in enumerate(zip(specs, spans, strict=True)):
        try:
            stages.append(build_scheduler(spec, optimizer, length, span))
        except ScheduleError as error:
            field = f"schedulers[{index}].{error.field}".removesuffix(".")
            raise ScheduleError(str(error), field) from None
    optimizer.step()  # a SequentialLR steps its first stage at once, and PyTorch demands this before
    return stages


class OneCycle(lr_scheduler.OneCycleLR):
    """PyTorch's; where that goes one step past its end and then raises, this raises at once or ``stays``."""

    def __init__(self, optimizer: Optimizer, stays: bool, **options: Any) -> None:
        self._stays = stays
        super().__init__(optimizer, **options)

    def get_lr(self) -> list[Any]:
        """The LRs now; past the end those of the last position, if it ``stays``.

        Raises:
            ScheduleError: the cycle is over.
        """
        position = self.last_epoch
        if position >= self.total_steps:
            if not self._stays:
                raise ScheduleError(f"OneCycleLR's one cycle is over after {self.total_steps} positions")
            self.last_epoch = self.total_steps - 1
        try:
            return super().get_lr()
        finally:
            self.last_epoch = position


class PlateauAfter(lr_scheduler.LRScheduler):
    """Another scheduler until a milestone, then ReduceLROnPlateau from the base LR.

    The step that reaches the milestone sets the base LR; the steps after it need a metric.
    """

    def __init__(self, before: AnyScheduler, plateau: lr_scheduler.ReduceLROnPlateau, milestone: int) -> None:
        self.optimizer = before.optimizer
        self._schedulers = [before, plateau]
        self._milestone = milestone
        self.last_epoch = 0

    @property
    def plateau(self) -> lr_scheduler.ReduceLROnPlateau | None:
        """The scheduler that the next step gives a metric to; None before the milestone."""
        plateau = self._schedulers[1]
        assert isinstance(plateau, lr_scheduler.ReduceLROnPlateau)
        return plateau if self.last_epoch >= self._milestone else None

    def before(self) -> tuple[AnyScheduler, int]:
        """The scheduler before the milestone, and how many steps it has left."""
        return self._schedulers[0], max(0, self._milestone - self.last_epoch - 1)

    def step(self, metric: float | None = None) -> None:
        """Step once; with ``metric`` if ``plateau`` is not None."""
        if self.plateau is not None:
            assert metric is not None
            self.plateau.step(metric)
        elif self.last_epoch + 1 < self._milestone:
            self._schedulers[0].step()
        else:
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
        self.last_epoch += 1

    def state_dict(self) -> dict[str, Any]:
        """Its position, and the state of both schedulers."""
        return {"last_epoch": self.last_epoch, "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` gave."""
        self.last_epoch = state_dict["last_epoch"]
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class DrawnCurve(lr_scheduler.LRScheduler):
    """A scheduler whose LR is a function of the position alone; the function is rebuilt, not stored."""

    def __init__(self, optimizer: Optimizer, lr: Callable[[int], float]) -> None:
        self._lr_at = lr
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        """The LRs now."""
        return [self._lr_at(self.last_epoch) for _ in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the function."""
        return {key: value for key, value in super().state_dict().items() if key != "_lr_at"}


_BUILDERS: dict[type[ScheduleSpec], Callable[[ScheduleSpec, Optimizer, Length, int], AnyScheduler]] = {
    Constant: _constant,
    StepLR: _plain(lr_scheduler.StepLR),
    MultiStepLR: _multi_step,
    ConstantLR: _plain(lr_scheduler.ConstantLR),
    LinearLR: _plain(lr_scheduler.LinearLR),
    ExponentialLR: _plain(lr_scheduler.ExponentialLR),
    PolynomialLR: _plain(lr_scheduler.PolynomialLR),
    CosineAnnealingLR: _plain(lr_scheduler.CosineAnnealingLR),
    CosineAnnealingWarmRestarts: _plain(lr_scheduler.CosineAnnealingWarmRestarts),
    CyclicLR: _cyclic,
    OneCycleLR: _one_cycle,
    SequentialLR: _sequential,
    ChainedScheduler: _chained,
    ReduceLROnPlateau: _plateau,
    LambdaLR: _expression(lr_scheduler.LambdaLR),
    MultiplicativeLR: _expression(lr_scheduler.MultiplicativeLR),
    Drawn: _drawn,
}

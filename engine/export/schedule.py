"""A schedule's spec as source that creates PyTorch's scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.common.errors import ExpressionError
from engine.export.expression import as_python, of_x
from engine.export.source import call, listed, value
from engine.schedules import (
    ChainedScheduler,
    ComposedSpec,
    Constant,
    CyclicLR,
    Drawn,
    LinearLR,
    OneCycleLR,
    ScheduleSpec,
    SequentialLR,
)
from engine.schedules.composed import metric_driven
from engine.schedules.custom import ExpressionSpec
from engine.schedules.expression import Expression

_NOT_PYTORCHS: Final = ("name", "interval", "monitor")

# The same arithmetic as the Drawn spec's own, so that the floats are the same.
_CURVE: Final = '''
def {name}(points, per_epoch=1):
    """The LR as a function of the position: {how} on a {scale} axis through points (epochs, LR)."""
    xs, lrs = zip(*points)
    ys = {ys}
{prepared}
    def lr_at(position):
        x = position / per_epoch
        i = bisect_right(xs, x)
        if i == 0:
            return lrs[0]
        left = lrs[i - 1]
        if x == xs[i - 1] or i == len(points):
            return left
        right = lrs[i]
{between}
        return min(max({value}, min(left, right)), max(left, right))

    return lr_at
'''
_LINES: Final = """\
        share = (x - xs[i - 1]) / (xs[i] - xs[i - 1])
        y = ys[i - 1] * (1 - share) + ys[i] * share"""
_CURVE_LR: Final = '''
class CurveLR(LRScheduler):
    """Sets the LR of each group to a function of the position, whatever the optimizer's LR is."""

    def __init__(self, optimizer, *curves):
        self.curves = curves if len(curves) > 1 else curves * len(optimizer.param_groups)
        super().__init__(optimizer)

    def get_lr(self):
        return [curve(self.last_epoch) for curve in self.curves]
'''
_ONE_CYCLE: Final = '''
class StayingOneCycleLR(OneCycleLR):
    """Stays at its last LR after its cycle, where PyTorch's raises."""

    def get_lr(self):
        position, self.last_epoch = self.last_epoch, min(self.last_epoch, self.total_steps - 1)
        lrs = super().get_lr()
        self.last_epoch = position
        return lrs
'''

_PLATEAU_AFTER: Final = '''
class PlateauAfter:
    """Steps a scheduler for some epochs, then a ReduceLROnPlateau, which starts from the LR set for the optimizer."""

    def __init__(self, optimizer, before, plateau, milestone):
        self.optimizer, self.before, self.plateau, self.milestone = optimizer, before, plateau, milestone
        self.epoch = 0

    def step(self, metric):
        self.epoch += 1
        if self.epoch < self.milestone:
            self.before.step()
        elif self.epoch > self.milestone:
            self.plateau.step(metric)
        else:
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
'''


@dataclass
class Needs:
    """What the source of schedules refers to: PyTorch's schedulers, modules, and helpers of our own."""

    schedulers: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    curves: set[str] = field(default_factory=set)
    curve_lr: bool = False
    staying_one_cycle: bool = False
    plateau_after: bool = False


class ScheduleText:
    """Writes schedules for a run of ``epochs`` and ``steps_per_epoch``; ``needs`` collects what they refer to."""

    def __init__(self, epochs: int, steps_per_epoch: int) -> None:
        self.needs = Needs()
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch

    def scheduler(self, specs: Sequence[ScheduleSpec], optimizer: str) -> str | None:
        """The source of the scheduler of ``optimizer``; None for a constant LR.

        ``specs`` has one schedule per group, which differ at most in expressions. A drawn curve is multiplied by the
        group's LR, which must be 1.
        """
        first = specs[0]
        if isinstance(first, Constant):
            return None
        if isinstance(first, Drawn):
            self.needs.schedulers.add("LambdaLR")
            curves = self._curves(specs)
            return call("LambdaLR", optimizer, lr_lambda=curves[0] if len(curves) == 1 else listed(curves))
        return self._text(specs, optimizer, self._whole(first))

    def ends_early(self, spec: ScheduleSpec) -> bool:
        """Whether a scheduler step after the last epoch or batch of the run might fail."""
        return any(self._fails_beyond(spec, begin) for begin in (0, *_milestones(spec)))

    def _whole(self, spec: ScheduleSpec) -> str:
        return "epochs" if spec.interval == "epoch" else "epochs * steps_per_epoch"

    def _text(self, specs: Sequence[ScheduleSpec], optimizer: str, span: str) -> str:
        first, name = specs[0], specs[0].model_dump()["name"]
        match first:
            case Constant():
                self.needs.schedulers.add("LambdaLR")
                return call("LambdaLR", optimizer, lr_lambda="lambda epoch: 1.0")
            case SequentialLR() if metric_driven(first) is not None:
                return self._plateau_after(specs, optimizer)
            case Drawn():
                self.needs.curve_lr = True
                return call("CurveLR", optimizer, *self._curves(specs))
        self.needs.schedulers.add(name)
        match first:
            case SequentialLR():
                begins, ends = (0, *first.milestones), (*map(str, first.milestones), span)
                spans = [_span(begin, end) for begin, end in zip(begins, ends, strict=True)]
                stages = self._stages(specs, optimizer, spans)
                return call(name, optimizer, schedulers=listed(stages), milestones=value(list(first.milestones)))
            case ChainedScheduler():
                stages = self._stages(specs, optimizer, [span] * len(first.schedulers))
                return call(name, listed(stages), optimizer=optimizer)
            case ExpressionSpec():
                return call(name, optimizer, lr_lambda=self._lambdas(specs))
            case OneCycleLR():
                cycle = first.cycle()
                per_epoch = 1 if first.interval == "epoch" else self._steps_per_epoch
                if cycle is not None and cycle < self._epochs * per_epoch:
                    self.needs.staying_one_cycle, name = True, "StayingOneCycleLR"
                given = {**options(first), **_levels(specs, "max_lr")}
                given = {n: v for n, v in given.items() if n not in ("total_steps", "epochs", "steps_per_epoch")}
                return call(name, optimizer, total_steps=span if cycle is None else value(cycle), **given)
            case CyclicLR():
                given = {**options(first), **_levels(specs, "base_lr", "max_lr")}
                if first.scale_fn is not None:
                    given["scale_fn"] = of_x(first.scale_fn, self._epochs * self._steps_per_epoch)
                    if "math." in given["scale_fn"]:
                        self.needs.modules.add("math")
                return call(name, optimizer, **given)
        return call(name, optimizer, **options(first))

    def _plateau_after(self, specs: Sequence[ScheduleSpec], optimizer: str) -> str:
        """A SequentialLR whose last stage is ReduceLROnPlateau."""
        whole = [spec for spec in specs if isinstance(spec, SequentialLR)]
        plateau = self._text([spec.schedulers[-1] for spec in whole], optimizer, "")
        if not whole[0].milestones:
            return plateau
        before, last = whole[0].milestones[:-1], whole[0].milestones[-1]
        stages = [spec.model_copy(update={"schedulers": spec.schedulers[:-1], "milestones": before}) for spec in whole]
        first = stages if before else [spec.schedulers[0] for spec in whole]
        self.needs.plateau_after = True
        return call("PlateauAfter", optimizer, self._text(first, optimizer, str(last)), plateau, milestone=str(last))

    def _stages(self, specs: Sequence[ScheduleSpec], optimizer: str, spans: list[str]) -> list[str]:
        rows = zip(*(spec.schedulers for spec in specs if isinstance(spec, ComposedSpec)), strict=True)
        return [self._text(row, optimizer, span) for row, span in zip(rows, spans, strict=True)]

    def _lambdas(self, specs: Sequence[ScheduleSpec]) -> str:
        written = [spec for spec in specs if isinstance(spec, ExpressionSpec)]
        texts = [as_python(s.lr_lambda[0], s.interval, self._epochs, self._steps_per_epoch) for s in written]
        if any("math." in text for text in texts):
            self.needs.modules.add("math")
        return texts[0] if len(set(texts)) == 1 else listed(texts)

    def _curves(self, specs: Sequence[ScheduleSpec]) -> list[str]:
        """The curve of each group, or one for all where they are the same."""
        curves = [self._curve(spec) for spec in specs if isinstance(spec, Drawn)]
        return curves[:1] if len(set(curves)) == 1 else curves

    def _curve(self, spec: Drawn) -> str:
        name = _curve_name(spec)
        self.needs.curves.add(name)
        points = listed([value(point) for point in spec.points])
        return call(name, points, *(() if spec.interval == "epoch" else ("steps_per_epoch",)))

    def _fails_beyond(self, spec: ScheduleSpec, begin: int) -> bool:
        if isinstance(spec, ComposedSpec):
            nested = any(isinstance(stage, ComposedSpec) for stage in spec.schedulers)
            if nested and any(isinstance(part, OneCycleLR) for part in spec.parts()):
                return True  # there PyTorch may count a stage's position one ahead
            return any(self._fails_beyond(part, begin) for part in spec.parts())
        if not isinstance(spec, ExpressionSpec):
            return False
        whole = self._epochs * (1 if spec.interval == "epoch" else self._steps_per_epoch)
        names = {
            "epoch": float(whole - begin),
            "step": float((whole - begin) * (self._steps_per_epoch if spec.interval == "epoch" else 1)),
            "epochs": float(self._epochs),
            "steps_per_epoch": float(self._steps_per_epoch),
        }
        try:
            for text in spec.lr_lambda:
                Expression(text)(names)
        except ExpressionError:
            return True
        return False


def options(spec: ScheduleSpec) -> dict[str, str]:
    """The arguments of PyTorch's scheduler that have no default or differ from it."""
    given: dict[str, Any] = spec.model_dump(exclude=set(_NOT_PYTORCHS))
    fields = type(spec).model_fields
    wanted = {n: v for n, v in given.items() if fields[n].is_required() or v != fields[n].get_default()}
    return {n: value(list(v)) if isinstance(v, tuple) else value(v) for n, v in wanted.items()}


def _levels(specs: Sequence[ScheduleSpec], *names: str) -> dict[str, str]:
    """The fields ``names``, which hold an LR, as a list of each group's where these differ."""
    found = {name: [getattr(spec, name) for spec in specs] for name in names}
    return {name: value(lrs if len(set(lrs)) > 1 else lrs[0]) for name, lrs in found.items()}


def helpers(needs: Needs) -> list[str]:
    """The source of the functions and the class that ``needs`` names, in the order in which they are defined."""
    texts = [_curve_source(name) for name in sorted(needs.curves)]
    classes = [_CURVE_LR] if needs.curve_lr else []
    classes += [_ONE_CYCLE] if needs.staying_one_cycle else []
    classes += [_PLATEAU_AFTER] if needs.plateau_after else []
    return texts + [text.strip("\n") for text in classes]


def leaves_below_zero(spec: ScheduleSpec) -> bool:
    """Whether rounding may leave the LR slightly below 0, as LinearLR down to 0 does."""
    return any(isinstance(part, LinearLR) and part.end_factor == 0 for part in spec.parts())


def monitored(spec: ScheduleSpec) -> str | None:
    """The metric that the scheduler is stepped with, or None."""
    driven = metric_driven(spec)
    return None if driven is None else driven.monitor


def _curve_name(spec: Drawn) -> str:
    """The function that draws ``spec``: ``log_curve``, ``smooth_linear_curve`` and so on."""
    return f"{'smooth_' if spec.smooth and len(spec.points) > 1 else ''}{spec.scale}_curve"


def _curve_source(name: str) -> str:
    """The function of that name; it needs ``bisect_right`` and perhaps ``math`` and ``PchipInterpolator``."""
    smooth, log = name.startswith("smooth_"), "log_" in name
    return _CURVE.format(
        name=name,
        how="a smooth curve" if smooth else "straight lines",
        scale="log" if log else "linear",
        ys="[math.log(lr) for lr in lrs]" if log else "lrs",
        prepared="    curve = PchipInterpolator(xs, ys)\n" if smooth else "",
        between="        y = float(curve(x))" if smooth else _LINES,
        value="math.exp(y)" if log else "y",
    ).strip("\n")


def _span(begin: int, end: str) -> str:
    if begin == 0:
        return end
    return f"max(1, {end} - {begin})" if not end.isdecimal() else str(int(end) - begin)


def _milestones(spec: ScheduleSpec) -> list[int]:
    """The milestones of ``spec`` and its stages, at any depth."""
    if not isinstance(spec, ComposedSpec):
        return []
    own = list(spec.milestones) if isinstance(spec, SequentialLR) else []
    return own + [begin for stage in spec.schedulers for begin in _milestones(stage)]

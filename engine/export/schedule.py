"""A schedule's spec as the text that makes PyTorch's scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.export.curves import curve_name
from engine.export.expression import as_python, of_x
from engine.export.text import call, listed, value
from engine.schedules import (
    ChainedScheduler,
    ComposedSpec,
    Constant,
    CyclicLR,
    Drawn,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
)
from engine.schedules.custom import WrittenSpec
from engine.schedules.expression import Expression, ExpressionError

_NOT_PYTORCHS: Final = ("name", "interval", "monitor")


@dataclass
class Needs:
    """What the text of schedules refers to: schedulers to import from PyTorch, modules, and helpers of our own."""

    schedulers: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    curves: set[str] = field(default_factory=set)
    drawn_class: bool = False


class ScheduleText:
    """Writes schedules for a run of ``epochs`` and ``steps_per_epoch``, and notes in ``needs`` what they refer to."""

    def __init__(self, epochs: int, steps_per_epoch: int) -> None:
        self.needs = Needs()
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch

    def scheduler(self, specs: Sequence[ScheduleSpec], optimizer: str) -> str | None:
        """The scheduler of ``optimizer``; ``specs`` has one schedule a group, alike but for expressions.

        None where there is nothing to schedule. A drawn curve gives the rate itself, so its groups' own must be 1.
        """
        first = specs[0]
        if isinstance(first, Constant):
            return None
        if isinstance(first, Drawn):
            self.needs.schedulers.add("LambdaLR")
            return call("LambdaLR", optimizer, lr_lambda=self._curve(first))
        return self._text(specs, optimizer, self._whole(first))

    def ends_early(self, spec: ScheduleSpec) -> bool:
        """Whether a step after the run's last epoch or batch might fail, there being no rate."""
        return any(self._fails_beyond(spec, begin) for begin in (0, *_beginnings(spec)))

    # -- within

    def _whole(self, spec: ScheduleSpec) -> str:
        return "epochs" if spec.interval == "epoch" else "epochs * steps_per_epoch"

    def _text(self, specs: Sequence[ScheduleSpec], optimizer: str, span: str) -> str:
        first, name = specs[0], specs[0].model_dump()["name"]
        match first:
            case Constant():
                self.needs.schedulers.add("LambdaLR")
                return call("LambdaLR", optimizer, lr_lambda="lambda epoch: 1.0")
            case Drawn():
                self.needs.drawn_class = True
                return call("CurveLR", optimizer, self._curve(first))
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
            case WrittenSpec():
                return call(name, optimizer, lr_lambda=self._lambdas(specs))
            case OneCycleLR():
                return call(name, optimizer, total_steps=span, **options(first))
            case CyclicLR(scale_fn=str() as text):
                height = of_x(text, self._epochs * self._steps_per_epoch)
                if "math." in height:
                    self.needs.modules.add("math")
                return call(name, optimizer, **{**options(first), "scale_fn": height})
        return call(name, optimizer, **options(first))

    def _stages(self, specs: Sequence[ScheduleSpec], optimizer: str, spans: list[str]) -> list[str]:
        rows = zip(*(spec.schedulers for spec in specs if isinstance(spec, ComposedSpec)), strict=True)
        return [self._text(row, optimizer, span) for row, span in zip(rows, spans, strict=True)]

    def _lambdas(self, specs: Sequence[ScheduleSpec]) -> str:
        written = [spec for spec in specs if isinstance(spec, WrittenSpec)]
        texts = [as_python(s.lr_lambda[0], s.interval, self._epochs, self._steps_per_epoch) for s in written]
        if any("math." in text for text in texts):
            self.needs.modules.add("math")
        return texts[0] if len(set(texts)) == 1 else listed(texts)

    def _curve(self, spec: Drawn) -> str:
        name = curve_name(spec)
        self.needs.curves.add(name)
        points = listed([value(point) for point in spec.points])
        return call(name, points, *(() if spec.interval == "epoch" else ("steps_per_epoch",)))

    def _fails_beyond(self, spec: ScheduleSpec, begin: int) -> bool:
        if isinstance(spec, ComposedSpec):
            nested = any(isinstance(stage, ComposedSpec) for stage in spec.schedulers)
            leaves = list(spec.leaves())
            if nested and any(isinstance(leaf, OneCycleLR) for leaf in leaves):
                return True  # PyTorch may count a stage's position one ahead there
            return any(self._fails_beyond(leaf, begin) for leaf in leaves)
        if not isinstance(spec, WrittenSpec):
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
    """The arguments of PyTorch's scheduler that are required or differ from its defaults."""
    given: dict[str, Any] = spec.model_dump(exclude=set(_NOT_PYTORCHS))
    fields = type(spec).model_fields
    wanted = {n: v for n, v in given.items() if fields[n].is_required() or v != fields[n].get_default()}
    return {n: value(list(v)) if isinstance(v, tuple) else value(v) for n, v in wanted.items()}


def leaves_below_zero(spec: ScheduleSpec) -> bool:
    """Whether rounding may leave the rate a hair below 0: LinearLR down to 0 does that."""
    parts = spec.leaves() if isinstance(spec, ComposedSpec) else (spec,)
    return any(isinstance(part, LinearLR) and part.end_factor == 0 for part in parts)


def monitored(spec: ScheduleSpec) -> str | None:
    """The metric that the scheduler is given at each step, or None."""
    return spec.monitor if isinstance(spec, ReduceLROnPlateau) else None


def _span(begin: int, end: str) -> str:
    if begin == 0:
        return end
    return f"max(1, {end} - {begin})" if not end.isdecimal() else str(int(end) - begin)


def _beginnings(spec: ScheduleSpec) -> list[int]:
    """Where stages of ``spec`` begin, at any depth."""
    if not isinstance(spec, ComposedSpec):
        return []
    own = list(spec.milestones) if isinstance(spec, SequentialLR) else []
    return own + [begin for stage in spec.schedulers for begin in _beginnings(stage)]

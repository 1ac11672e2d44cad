"""What a schedule is edited for: the run, the position at which it would start, and field values that fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from engine.schedules import (
    CosineAnnealingLR,
    CyclicLR,
    Drawn,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    ScheduleSpec,
    SequentialLR,
)
from engine.schedules.base import Interval, highest

GENTLE: Final = 0.1
"""The fraction of the LR that a warm-up starts with."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a schedule is edited for.

    Attributes:
        span: the number of epochs that a new schedule would last; of a stage, of positions.
        lr: the LR at its start.
        done: the number of epochs that are completed at its start, if its count differs from the run's; else None. Of
            a schedule that is stepped once a batch, it may have a fraction.
        groups: the names of the parameter groups that it is for, in order.
        batches: the number of batches in an epoch; None if not known yet.
        interval: of a stage, the interval of the whole schedule; else None.
        followed: of a stage, whether another stage follows it.
    """

    span: int = 30
    lr: float = 0.01
    done: float | None = None
    groups: tuple[str, ...] = ("all",)
    batches: int | None = None
    interval: Interval | None = None
    followed: bool = False

    def positions(self, interval: str) -> int:
        """The number of positions of a schedule that is stepped once per ``interval``."""
        return self.span if self.interval else self.span * self.per_epoch(interval)

    def values(self, kind: type[ScheduleSpec], interval: str) -> dict[str, Any]:
        """Fitting values for fields of ``kind``."""
        return suggested(kind, self.positions(interval), self.lr, self.followed, self.per_epoch(interval))

    def refit(self, spec: ScheduleSpec, before: Context) -> ScheduleSpec:
        """``spec`` with the fields that have the fitting values of ``before`` changed to those of this context."""
        old, new = before.values(type(spec), spec.interval), self.values(type(spec), spec.interval)
        changes = {f: v for f, v in new.items() if v != old[f] and getattr(spec, f) == old[f]}
        return spec.model_copy(update=changes) if changes else spec

    def per_epoch(self, interval: str) -> int:
        """The number of positions in an epoch, for a schedule that is stepped once per ``interval``."""
        return 1 if interval == "epoch" else self.batches or 1


def warm_up_length(span: int, per_epoch: int = 1) -> int:
    """The length of a warm-up in a schedule of ``span`` positions: a sixth of them, at most five epochs."""
    return max(1, min(5 * per_epoch, span // 6))


def suggested(
    kind: type[ScheduleSpec], span: int, lr: float = 0.01, followed: bool = False, per_epoch: int = 1
) -> dict[str, Any]:
    """Fitting values for fields of ``kind``, for ``span`` positions that start at ``lr``.

    Positions are epochs, or for a schedule that is stepped once a batch, batches: ``per_epoch`` of them make an epoch.
    Schedules with an LR of their own go up to ten times ``lr`` where that is usual. A stage that is ``followed`` by
    another changes the LR until its end.
    """
    top = float(f"{lr or 0.01:.3g}")
    halves = sorted({max(1, span // 2), max(1, span * 3 // 4)})
    warm_up = warm_up_length(span, per_epoch)
    warm = max(1, span) if followed else warm_up
    known: dict[str, dict[str, Any]] = {
        "StepLR": {"step_size": max(1, span // 3)},
        "MultiStepLR": {"milestones": tuple(halves)},
        "ExponentialLR": {"gamma": 0.95},
        "CosineAnnealingLR": {"T_max": max(1, span)},
        "ConstantLR": {"total_iters": warm},
        "LinearLR": {"total_iters": warm},
        "PolynomialLR": {"total_iters": max(1, span)},
        "CosineAnnealingWarmRestarts": {"T_0": max(1, span // 3)},
        "CyclicLR": {
            "base_lr": min(float(f"{top / 10:.3g}"), 1000.0),
            "max_lr": min(top, 1000.0),
            "step_size_up": max(1, span // 6),
        },
        "OneCycleLR": {"max_lr": min(float(f"{top * 10:.3g}"), 1000.0)},
        "LambdaLR": {"lr_lambda": ("0.95**epoch",)},
        "MultiplicativeLR": {"lr_lambda": ("0.95",)},
        "Drawn": {"points": ((0.0, top), (float(max(1, span // per_epoch)), float(f"{top / 100:.3g}") or top))},
    }
    if kind.__name__ == "SequentialLR":
        rest = CosineAnnealingLR(T_max=max(1, span - warm_up))
        first = LinearLR(start_factor=GENTLE, total_iters=warm_up)
        return {"schedulers": (first, rest), "milestones": (warm_up,)}
    if kind.__name__ == "ChainedScheduler":
        first = LinearLR(start_factor=GENTLE, total_iters=warm_up)
        return {"schedulers": (first, ExponentialLR(gamma=0.95))}
    return known.get(kind.__name__, {})


def after_warm_up(
    spec: ScheduleSpec, span: int, length: int, own: frozenset[str] = frozenset(), per_epoch: int = 1
) -> SequentialLR:
    """A warm-up of ``length`` positions, then ``spec`` fitted to the rest of ``span``.

    ``own`` are the fields of ``spec`` that the user chose. They stay, except that counts are shortened by the warm-up,
    so that what they count ends at the same position as before. Where ``spec`` sets its own LRs, a drawn line rises to
    the first of them; a drawn curve stays where it is, and the warm-up takes the place of its beginning.
    """
    left = max(1, span - length)
    levels = ("base_lr", "max_lr", "points")
    fields = {f: v for f, v in suggested(type(spec), left).items() if f not in own and f not in levels}
    if "T_max" in own and isinstance(spec, CosineAnnealingLR):
        fields["T_max"] = max(1, spec.T_max - length)
    elif "total_iters" in own and isinstance(spec, PolynomialLR):
        fields["total_iters"] = max(1, spec.total_iters - length)
    elif "milestones" in own and isinstance(spec, MultiStepLR):
        later = tuple(m - length for m in spec.milestones if m > length)
        fields["milestones"] = later or suggested(MultiStepLR, left)["milestones"]
    then, epochs = spec.model_copy(update=fields), length / per_epoch
    first: ScheduleSpec = LinearLR(start_factor=GENTLE, total_iters=length, interval=spec.interval)
    if isinstance(then, Drawn):
        then = then.after(epochs)
    if isinstance(then, (CyclicLR, Drawn)):
        lr = then.lr_at(0.0) if isinstance(then, Drawn) else highest(then.base_lr)
        line = ((0.0, float(f"{GENTLE * lr:.6g}")), (epochs, lr))
        first = Drawn(points=line, scale="linear", interval=spec.interval)
    return SequentialLR.model_validate(
        {"schedulers": (first, then), "milestones": (length,), "interval": spec.interval}
    )

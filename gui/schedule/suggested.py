"""Values that a schedule begins with in the window, so that it fits the run at once."""

from __future__ import annotations

from typing import Any, Final

from engine.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    ScheduleSpec,
    SequentialLR,
)

GENTLE: Final = 0.1
"""The share of the rate that a warm-up begins with."""


def warm_up_length(span: int, per_epoch: int = 1) -> int:
    """The positions of a warm-up in a plan of ``span`` positions: a sixth of them, at most five epochs."""
    return max(1, min(5 * per_epoch, span // 6))


def suggested(
    kind: type[ScheduleSpec], span: int, lr: float = 0.01, followed: bool = False, per_epoch: int = 1
) -> dict[str, Any]:
    """Values for fields of ``kind`` that suit a plan of ``span`` positions, beside a rate of ``lr``.

    Positions are epochs, or steps, ``per_epoch`` of them in one, where the plan is stepped per batch. Schedules that
    bring their own level go up to ten times ``lr`` where it is usual to. One that is ``followed`` by another moves
    until that takes over.
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


def after_warm_up(spec: ScheduleSpec, span: int, length: int, own: frozenset[str] = frozenset()) -> SequentialLR:
    """A warm-up of ``length`` positions, then ``spec``, fitted to what is left of ``span``.

    ``own`` are the fields of ``spec`` that the person chose: they stay, but where they say when something happens, it
    happens when it did.
    """
    left = max(1, span - length)
    fields = {f: v for f, v in suggested(type(spec), left).items() if f not in own and f not in ("base_lr", "max_lr")}
    if "T_max" in own and isinstance(spec, CosineAnnealingLR):
        fields["T_max"] = max(1, spec.T_max - length)
    elif "total_iters" in own and isinstance(spec, PolynomialLR):
        fields["total_iters"] = max(1, spec.total_iters - length)
    elif "milestones" in own and isinstance(spec, MultiStepLR):
        later = tuple(m - length for m in spec.milestones if m > length)
        fields["milestones"] = later or suggested(MultiStepLR, left)["milestones"]
    first = LinearLR(start_factor=GENTLE, total_iters=length, interval=spec.interval)
    then = spec.model_copy(update=fields)
    return SequentialLR.model_validate(
        {"schedulers": (first, then), "milestones": (length,), "interval": spec.interval}
    )

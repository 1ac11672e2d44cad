"""Values that a schedule begins with in the window, so that it fits the run at once."""

from __future__ import annotations

from typing import Any

from engine.schedules import ScheduleSpec


def suggested(kind: type[ScheduleSpec], epochs: int, lr: float = 0.01) -> dict[str, Any]:
    """Values for fields of ``kind`` that suit a plan of ``epochs`` epochs, beside a rate of ``lr``.

    Schedules that bring their own level go up to ten times ``lr`` where it is usual to. CyclicLR counts epochs here,
    because how many batches make one is not known.
    """
    top = float(f"{lr or 0.01:.3g}")
    halves = sorted({max(1, epochs // 2), max(1, epochs * 3 // 4)})
    known: dict[str, dict[str, Any]] = {
        "StepLR": {"step_size": max(1, epochs // 3)},
        "MultiStepLR": {"milestones": tuple(halves)},
        "ExponentialLR": {"gamma": 0.95},
        "CosineAnnealingLR": {"T_max": max(1, epochs)},
        "ConstantLR": {"total_iters": max(1, min(5, epochs // 6))},
        "LinearLR": {"total_iters": max(1, min(5, epochs // 6))},
        "PolynomialLR": {"total_iters": max(1, epochs)},
        "CosineAnnealingWarmRestarts": {"T_0": max(1, epochs // 3)},
        "CyclicLR": {
            "interval": "epoch",
            "base_lr": min(top / 10, 1000.0),
            "max_lr": min(top, 1000.0),
            "step_size_up": max(1, epochs // 6),
        },
        "OneCycleLR": {"max_lr": min(top * 10, 1000.0)},
        "LambdaLR": {"lr_lambda": ("0.95**epoch",)},
        "MultiplicativeLR": {"lr_lambda": ("0.95",)},
        "Drawn": {"points": ((0.0, top), (float(max(1, epochs)), float(f"{top / 100:.3g}") or top))},
    }
    return known.get(kind.__name__, {})

"""What an expression of LambdaLR gives over a run."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.schedules import LambdaLR
from engine.schedules.expression import Expression, ExpressionError

SHAPES_AT: Final = 200
"""Epochs at which two expressions are compared; more would cost time and tell no more."""
ALIKE: Final = 1e-9
"""Expressions whose quotient moves by less than this share have one shape (rounding moves it by 1e-16)."""


def _values(spec: LambdaLR, index: int, epochs: int, steps_per_epoch: int | None) -> list[float] | None:
    """The multipliers of one expression at up to SHAPES_AT positions of the run; None where one has no value."""
    steps = steps_per_epoch or 1
    expression = Expression(spec.lr_lambda[index])
    length = epochs if spec.interval == "epoch" else epochs * steps
    values = []
    for position in np.unique(np.linspace(0, max(0, length - 1), min(length, SHAPES_AT)).astype(int)).tolist():
        step = position * steps if spec.interval == "epoch" else position
        names = {"epoch": float(position), "step": float(step), "epochs": float(epochs)}
        try:
            values.append(expression({**names, "steps_per_epoch": float(steps)}))
        except ExpressionError:
            return None
    return values


def highest(spec: LambdaLR, epochs: int, steps_per_epoch: int | None) -> float:
    """The largest multiplier of any group, 1 where that cannot be told."""
    found = [_values(spec, i, epochs, steps_per_epoch) for i in range(len(spec.lr_lambda))]
    return max((max(values) for values in found if values), default=1.0)


def factor_between(spec: LambdaLR, index: int, epochs: int, steps_per_epoch: int | None) -> float | None:
    """What the first expression has to be multiplied by to give the one at ``index``; None where nothing does."""
    first, other = _values(spec, 0, epochs, steps_per_epoch), _values(spec, index, epochs, steps_per_epoch)
    if not first or not other or len(first) < 2:
        return None
    a, b = np.array(first), np.array(other)
    top = int(a.argmax())
    if a[top] == 0 or b[top] == 0:
        return None
    factor = float(b[top] / a[top])
    return factor if np.isfinite(factor) and np.allclose(b, factor * a, rtol=ALIKE, atol=0) else None

"""Custom schedules: the learning rate is given by expressions that the user writes."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from pydantic import Field, field_validator

from engine.common.errors import ExpressionError, SpecError
from engine.schedules.base import WHOLE, ScheduleSpec, Share
from engine.schedules.expression import NAMES, Expression

MAX_SAMPLES: Final = 200
"""Positions at which an expression is evaluated to find its maximum or to compare it with another."""
ROUNDING: Final = 1e-9
"""Relative differences up to this are taken for rounding errors, which are about 1e-16."""


def valid_expression(text: str, names: tuple[str, ...] = NAMES, field: str = "") -> str:
    """The expression ``text``, stripped, if it can be parsed.

    Raises:
        SpecError: for ``field``; says what is wrong and at which character.
    """
    try:
        return Expression(text, names).text
    except ExpressionError as error:
        raise SpecError(field, f"{error} (at character {error.position + 1})") from None


class ExpressionSpec(ScheduleSpec):
    """The base of schedules with ``lr_lambda``: one expression for all groups, or one per group."""

    family: ClassVar[Literal["custom"]] = "custom"

    lr_lambda: tuple[str, ...] = Field(
        min_length=1,
        max_length=100,
        title="lr_lambda",
        description="What the LR is multiplied by, such as 0.95**epoch: one expression, or one per group.",
    )

    @field_validator("lr_lambda", mode="before")
    @classmethod
    def _to_tuple(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @field_validator("lr_lambda")
    @classmethod
    def _check_expressions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        many = len(value) > 1
        return tuple(valid_expression(text, field=f"[{i}]" if many else "") for i, text in enumerate(value))

    def for_group(self, index: int, share: Share = WHOLE) -> Self:
        """The schedule with the expression of group ``index`` alone."""
        return self if len(self.lr_lambda) == 1 else self.model_copy(update={"lr_lambda": (self.lr_lambda[index],)})

    def listed(self) -> tuple[str, int] | None:
        """The expressions, unless there is one for all groups."""
        return None if len(self.lr_lambda) == 1 else ("lr_lambda", len(self.lr_lambda))


class LambdaLR(ExpressionSpec):
    """Multiplies the initial learning rate by an expression in epoch, which is 0 in the first epoch."""

    formula: ClassVar[str] = "lr × your expression in epoch, which is n-1"
    when: ClassVar[str] = "A different decay for each group of layers, or any curve you can write."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.LambdaLR"

    name: Literal["LambdaLR"] = "LambdaLR"


class MultiplicativeLR(ExpressionSpec):
    """Multiplies the current learning rate by an expression in epoch after every epoch."""

    formula: ClassVar[str] = "the previous LR × your expression in epoch, which is n-1"
    when: ClassVar[str] = "A decay whose factor changes during the run: 0.9 at first, 0.99 later."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.MultiplicativeLR"

    name: Literal["MultiplicativeLR"] = "MultiplicativeLR"
    lr_lambda: tuple[str, ...] = Field(
        min_length=1,
        max_length=100,
        title="lr_lambda",
        description="Factor after each epoch, such as 0.9 if epoch < 10 else 0.99: one expression, or one per group.",
    )


def max_multiplier(spec: LambdaLR, epochs: int, steps_per_epoch: int | None) -> float:
    """The largest multiplier that ``spec`` gives any group during the run; 1 if it cannot be evaluated.

    Args:
        spec: the schedule of all groups.
        epochs: the length of the run.
        steps_per_epoch: batches per epoch, or None if unknown.
    """
    multipliers = [_multipliers(spec, i, epochs, steps_per_epoch) for i in range(len(spec.lr_lambda))]
    return max((max(values) for values in multipliers if values), default=1.0)


def constant_ratio(spec: LambdaLR, index: int, epochs: int, steps_per_epoch: int | None) -> float | None:
    """The ratio of the expression at ``index`` to the first one, or None if it changes during the run.

    Args:
        spec: the schedule of all groups.
        index: which of its expressions.
        epochs: the length of the run.
        steps_per_epoch: batches per epoch, or None if unknown.
    """
    first = _multipliers(spec, 0, epochs, steps_per_epoch)
    other = _multipliers(spec, index, epochs, steps_per_epoch)
    if not first or not other or len(first) < 2:
        return None
    a, b = np.array(first), np.array(other)
    top = int(a.argmax())
    if a[top] == 0 or b[top] == 0:
        return None
    ratio = float(b[top] / a[top])
    return ratio if np.isfinite(ratio) and np.allclose(b, ratio * a, rtol=ROUNDING, atol=0) else None


def _multipliers(spec: LambdaLR, index: int, epochs: int, steps_per_epoch: int | None) -> list[float] | None:
    """One expression at up to MAX_SAMPLES positions of the run; None if it is undefined at one of them."""
    steps = steps_per_epoch or 1
    expression = Expression(spec.lr_lambda[index])
    length = epochs if spec.interval == "epoch" else epochs * steps
    values = []
    for position in np.unique(np.linspace(0, max(0, length - 1), min(length, MAX_SAMPLES)).astype(int)).tolist():
        step = position * steps if spec.interval == "epoch" else position
        names = {"epoch": float(position), "step": float(step), "epochs": float(epochs)}
        try:
            values.append(expression({**names, "steps_per_epoch": float(steps)}))
        except ExpressionError:
            return None
    return values

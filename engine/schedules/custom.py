"""Custom schedules: the rate is what the person writes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator

from engine.common.spec import SpecError
from engine.schedules.base import ScheduleSpec
from engine.schedules.expression import NAMES, Expression, ExpressionError


def checked(text: str, names: tuple[str, ...] = NAMES, where: str = "") -> str:
    """The expression ``text`` as it is kept.

    Raises:
        SpecError: at ``where``; says what is wrong and at which character.
    """
    try:
        return Expression(text, names).text
    except ExpressionError as error:
        raise SpecError(where, f"{error} (at character {error.position + 1})") from None


class WrittenSpec(ScheduleSpec):
    """What schedules of expressions share: ``lr_lambda``, one expression for every group or one for each."""

    family: ClassVar[Literal["custom"]] = "custom"

    lr_lambda: tuple[str, ...] = Field(
        min_length=1,
        max_length=100,
        title="lr_lambda",
        description="The multiplier of the learning rate, such as 0.95**epoch: one expression, or one per group.",
    )

    @field_validator("lr_lambda", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @field_validator("lr_lambda")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        many = len(value) > 1
        return tuple(checked(text, where=f"[{index}]" if many else "") for index, text in enumerate(value))

    def for_group(self, index: int) -> Self:
        """The expression of group ``index`` alone."""
        return self if len(self.lr_lambda) == 1 else self.model_copy(update={"lr_lambda": (self.lr_lambda[index],)})

    def per_group(self) -> int | None:
        """The number of expressions, or None for one that serves every group."""
        return None if len(self.lr_lambda) == 1 else len(self.lr_lambda)


class LambdaLR(WrittenSpec):
    """Multiplies each group's rate by an expression in ``epoch`` (0 before the first epoch)."""

    formula: ClassVar[str] = "lr × your expression in epoch, which is n-1"
    when: ClassVar[str] = "Layered training, one expression a group; or any curve you can write."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.LambdaLR"

    name: Literal["LambdaLR"] = "LambdaLR"


class MultiplicativeLR(WrittenSpec):
    """Multiplies the rate in force by an expression in ``epoch`` after every epoch; each factor stays."""

    formula: ClassVar[str] = "the last rate × your expression in epoch, which is n-1"
    when: ClassVar[str] = "A decay whose factor changes on the way: 0.9 at first, 0.99 later."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.MultiplicativeLR"

    name: Literal["MultiplicativeLR"] = "MultiplicativeLR"
    lr_lambda: tuple[str, ...] = Field(
        min_length=1,
        max_length=100,
        title="lr_lambda",
        description="The factor after each epoch, such as 0.9 if epoch < 10 else 0.99: one expression, or one per "
        "group.",
    )

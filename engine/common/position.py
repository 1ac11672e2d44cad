"""Where a run is: between which two batches."""

from __future__ import annotations

from pydantic import Field

from engine.common.spec import Spec


class Position(Spec):
    """Before batch ``batch`` (from 0) of epoch ``epoch`` (from 1). Positions are ordered as a run passes them.

    Before batch 0 of an epoch is after the validation of the epoch before it. As JSON: ``{"epoch": 4, "batch": 10}``.
    """

    epoch: int = Field(ge=1)
    batch: int = Field(0, ge=0)

    def __lt__(self, other: Position) -> bool:
        return (self.epoch, self.batch) < (other.epoch, other.batch)

    def __le__(self, other: Position) -> bool:
        return (self.epoch, self.batch) <= (other.epoch, other.batch)

    def __str__(self) -> str:
        return f"epoch {self.epoch}, batch {self.batch}"


class AtPosition:
    """Base of what is at one position of a run and keeps it as two flat fields."""

    epoch: int
    batch: int

    @property
    def position(self) -> Position:
        """``epoch`` and ``batch`` as one value."""
        return Position(epoch=self.epoch, batch=self.batch)

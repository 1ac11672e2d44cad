"""The effect of a change on validation."""

from __future__ import annotations

import math

import pytest

from engine.advice.effect import Effect, effect
from engine.common.position import Position
from engine.messages.events import EpochEvent

LOSSES = [2.0, 1.5, 1.25, 1.0, 0.875, 0.5]  # of epochs 1 to 6


def history(losses: list[float] = LOSSES, first: int = 1) -> list[EpochEvent]:
    return [
        EpochEvent(
            epoch=number,
            lr=[0.1],
            lr_min=[0.1],
            lr_max=[0.1],
            train_loss=9.0,
            train_accuracy=0.0,
            val_loss=loss,
            val_accuracy=1 - loss / 4,
            seconds=1.0,
            images_per_second=1.0,
        )
        for number, loss in enumerate(losses, first)
    ]


def at(epoch: int, batch: int) -> Position:
    return Position(epoch=epoch, batch=batch)


def between(before: int, after: int, *, complete: bool) -> Effect:
    """The effect with ``LOSSES`` of epochs ``before`` and ``after``."""
    losses = LOSSES[before - 1], LOSSES[after - 1]
    return Effect(losses, (1 - losses[0] / 4, 1 - losses[1] / 4), after - before, complete)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ((4, 0), None, between(3, 6, complete=False)),  # epochs 4, 5 and 6, compared with 3
        ((4, 7), None, between(3, 6, complete=False)),  # within epoch 4, which counts as its first
        ((2, 0), (4, 0), between(1, 3, complete=True)),  # the next change is before epoch 4
        ((2, 0), (4, 5), between(1, 3, complete=True)),  # within epoch 4, which counts for the next change
        ((2, 0), (9, 0), between(1, 6, complete=True)),  # the next change is not reached yet
        ((1, 0), None, None),  # no epoch ended before
        ((1, 3), None, None),
        ((7, 0), None, None),  # no epoch has ended since
        ((4, 0), (4, 3), None),  # no epoch ended before the next change
        ((4, 0), (4, 0), None),
    ],
)
def test_epoch_before_the_change_is_compared_with_the_latest(
    since: tuple[int, int], until: tuple[int, int] | None, expected: Effect | None
) -> None:
    assert effect(history(), at(*since), at(*until) if until is not None else None) == expected


def test_effect_of_a_rise() -> None:
    assert effect(history([1.0, 1.5]), at(2, 0)) == Effect((1.0, 1.5), (0.75, 0.625), 1, False)


def test_no_effect_without_epochs_or_finite_losses() -> None:
    assert effect([], at(2, 0)) is None
    assert effect(history([1.0, math.nan]), at(2, 0)) is None


def test_history_that_starts_at_a_later_epoch() -> None:
    assert effect(history([2.0, 1.0, 0.5], first=5), at(7, 0)) == Effect((1.0, 0.5), (0.75, 0.875), 1, False)
    assert effect(history([2.0, 1.0, 0.5], first=5), at(5, 0)) is None

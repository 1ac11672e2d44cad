"""Positions: their order, their JSON, and what is refused."""

from __future__ import annotations

import random

import pytest

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.common.spec import parse

IN_ORDER = [Position(epoch=epoch, batch=batch) for epoch in (1, 2, 10) for batch in (0, 1, 9, 11)]


def test_positions_are_ordered_by_epoch_then_batch() -> None:
    shuffled = list(IN_ORDER)
    random.Random(0).shuffle(shuffled)
    assert sorted(shuffled) == IN_ORDER
    assert max(shuffled) == IN_ORDER[-1]
    assert Position(epoch=1, batch=9) < Position(epoch=2)
    assert Position(epoch=2) >= Position(epoch=2, batch=0)
    assert not Position(epoch=2, batch=1) <= Position(epoch=2)


def test_equal_positions_are_one_key() -> None:
    assert {Position(epoch=3): 1, Position(epoch=3, batch=0): 2} == {Position(epoch=3): 2}


def test_a_position_is_read_back_from_its_json() -> None:
    position = Position(epoch=4, batch=10)
    assert position.model_dump() == {"epoch": 4, "batch": 10}
    assert parse(Position, position.model_dump_json()) == position
    assert parse(Position, '{"epoch": 4}') == Position(epoch=4, batch=0)


@pytest.mark.parametrize(
    "text", ['{"epoch": 0}', '{"epoch": 1, "batch": -1}', '{"batch": 1}', '{"epoch": 1, "step": 2}']
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse(Position, text)

"""The live optimizer's rates, and the state of the rate control: exact, and shared with nothing."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.optimizers import Rejected
from engine.rate import RateControl
from engine.schedules import (
    ExponentialLR,
    MultiStepLR,
    ReduceLROnPlateau,
    StepLR,
)
from tests.engine.raw_torch import after, control, optimizer_of, rates_of, tiller_rates
from tests.engine.strategies import RATES, SPECS

HALVING = StepLR(step_size=10, gamma=0.5)
TWO = ("rest", "head")


# -- the live optimizer, and the state


def test_rates_are_written_to_the_groups_in_order_and_only_there() -> None:
    rate, optimizer = control(HALVING, names=TWO), optimizer_of(1.0, 2.0, momentum=0.9)
    rate.set_lr(0.3, "hold", "head")
    rate.write(optimizer)
    assert rates_of(optimizer) == [0.1, 0.3]
    assert "initial_lr" not in optimizer.param_groups[0]  # no scheduler ever saw it
    with pytest.raises(ValueError, match="zip"):
        rate.write(optimizer_of(1.0))


ACTS = st.sampled_from(
    [
        lambda rate, v: rate.set_lr(v, "follow", None),
        lambda rate, v: rate.set_lr(v, "hold", "head"),
        lambda rate, v: rate.scale_lr(0.5, "keep", None),
        lambda rate, v: rate.release_lr(None),
        lambda rate, v: rate.swap(MultiStepLR(milestones=(2, 4)), v, None, None),
        lambda rate, v: rate.swap(ReduceLROnPlateau(patience=1), None, "rest", [{"val_loss": 1.0}] * 99),
        lambda rate, v: rate.set_epochs(50),
        lambda rate, v: after(rate, 3, loss=1.0),
        lambda rate, v: rate.step_done(),
    ]
)


@given(name=st.sampled_from(list(SPECS)), data=st.data(), acts=st.lists(st.tuples(ACTS, RATES), max_size=8))
def test_from_its_state_everything_goes_on_exactly(name: str, data: Any, acts: list[Any]) -> None:
    rate = control(data.draw(SPECS[name]), epochs=40, steps=2, names=TWO)
    for act, value in acts:
        try:
            act(rate, value)
        except Rejected:
            continue
    state = rate.state()
    first = RateControl.from_state(state, rate._optimizer)
    second = RateControl.from_state(first.copy().state(), rate._optimizer)
    assert state == first.state() == second.state()
    told = [{"val_loss": 1.0 + epoch % 3} for epoch in range(20)]
    wanted = tiller_rates(rate, 20, told)
    assert tiller_rates(first, 20, told) == wanted
    assert tiller_rates(second, 20, told) == wanted
    assert all(math.isfinite(r) and r >= 0 for rates in wanted for r in rates)


def test_copies_do_not_touch_each_other() -> None:
    rate = control(HALVING, names=TWO)
    state, before = rate.state(), copy.deepcopy(rate.state())
    other = rate.copy()
    other.set_lr(0.5, "hold", None)
    other.swap(ExponentialLR(gamma=0.5), None, "head", None)
    after(other, 5)
    assert rate.state() == state == before
    state["bases"].clear()
    state["groups"].clear()
    assert rate.state() == before

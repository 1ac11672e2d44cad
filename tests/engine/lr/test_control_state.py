"""The optimizer's LRs, and the state of the LR control: exact, and sharing nothing."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.common.errors import Rejected
from engine.lr.control import LRControl
from engine.schedules import (
    ExponentialLR,
    MultiStepLR,
    ReduceLROnPlateau,
    StepLR,
)
from tests.engine.raw_torch import after, control, control_if_usable, lrs_of, optimizer_of, tiller_lrs
from tests.engine.strategies import LRS, SPECS

HALVING = StepLR(step_size=10, gamma=0.5)
TWO = ("rest", "head")


# -- the live optimizer, and the state


def test_lrs_are_written_to_the_groups_in_order_and_only_there() -> None:
    lr, optimizer = control(HALVING, names=TWO), optimizer_of(1.0, 2.0, momentum=0.9)
    lr.set_lr(0.3, "hold", "head")
    lr.write(optimizer)
    assert lrs_of(optimizer) == [0.1, 0.3]
    assert "initial_lr" not in optimizer.param_groups[0]  # no scheduler has had this optimizer
    with pytest.raises(ValueError, match="zip"):
        lr.write(optimizer_of(1.0))


INTERVENTIONS = st.sampled_from(
    [
        lambda lr, v: lr.set_lr(v, "follow", None),
        lambda lr, v: lr.set_lr(v, "hold", "head"),
        lambda lr, v: lr.scale_lr(0.5, "keep", None),
        lambda lr, v: lr.release_lr(None),
        lambda lr, v: lr.swap(MultiStepLR(milestones=(2, 4)), v, None, None),
        lambda lr, v: lr.swap(ReduceLROnPlateau(patience=1), None, "rest", [{"val_loss": 1.0}] * 99),
        lambda lr, v: lr.set_epochs(50),
        lambda lr, v: after(lr, 3, loss=1.0),
        lambda lr, v: lr.step_done(),
    ]
)


@given(
    name=st.sampled_from(list(SPECS)),
    data=st.data(),
    interventions=st.lists(st.tuples(INTERVENTIONS, LRS), max_size=8),
)
def test_from_its_state_everything_continues_exactly(name: str, data: Any, interventions: list[Any]) -> None:
    lr = control_if_usable(data.draw(SPECS[name]), epochs=40, steps=2, names=TWO)
    for intervention, value in interventions:
        try:
            intervention(lr, value)
        except Rejected:
            continue
    state = lr.state()
    first = LRControl.from_state(state, lr._optimizer)
    second = LRControl.from_state(first.copy().state(), lr._optimizer)
    assert state == first.state() == second.state()
    metrics = [{"val_loss": 1.0 + epoch % 3} for epoch in range(20)]
    wanted = tiller_lrs(lr, 20, metrics)
    assert tiller_lrs(first, 20, metrics) == wanted
    assert tiller_lrs(second, 20, metrics) == wanted
    assert all(math.isfinite(r) and r >= 0 for lrs in wanted for r in lrs)


def test_copies_are_independent() -> None:
    lr = control(HALVING, names=TWO)
    state, before = lr.state(), copy.deepcopy(lr.state())
    other = lr.copy()
    other.set_lr(0.5, "hold", None)
    other.swap(ExponentialLR(gamma=0.5), None, "head", None)
    after(other, 5)
    assert lr.state() == state == before
    state["bases"].clear()
    state["groups"].clear()
    assert lr.state() == before

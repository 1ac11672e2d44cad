"""The drawn curve: through its points exactly, straight between them, level outside."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from engine.recipe import SGD
from engine.schedules import Drawn
from engine.schedules.plan import Length, Plan
from tests.engine.raw_torch import control, flat, tiller_rates
from tests.engine.strategies import RATES

POINTS = st.lists(st.tuples(st.floats(0, 50), RATES), min_size=1, max_size=8, unique_by=lambda p: p[0]).map(
    lambda points: tuple(sorted(points))
)
APART = POINTS.filter(lambda points: all(b[0] - a[0] >= 1e-3 for a, b in pairwise(points)) and len(points) > 1)


@given(points=POINTS, x=st.floats(0, 60), scale=st.sampled_from(["log", "linear"]))
def test_it_is_numpys_interpolation(points: tuple[tuple[float, float], ...], x: float, scale: str) -> None:
    spec = Drawn.model_validate({"points": points, "scale": scale})
    across, rates = np.array(points).T
    if scale == "log":
        wanted = float(np.exp(np.interp(x, across, np.log(rates))))
    else:
        wanted = float(np.interp(x, across, rates))
    assert spec.rate(x) == pytest.approx(wanted, rel=1e-9)
    assert min(rates) <= spec.rate(x) <= max(rates)
    for at, rate in points:
        assert spec.rate(at) == rate


@given(points=APART, share=st.floats(0, 1), scale=st.sampled_from(["log", "linear"]))
def test_smooth_it_is_scipys_own_curve(points: tuple[tuple[float, float], ...], share: float, scale: str) -> None:
    spec = Drawn.model_validate({"points": points, "scale": scale, "smooth": True})
    across, rates = np.array(points).T
    x = min(float(across[0] + share * (across[-1] - across[0])), float(across[-1]))
    pchip = PchipInterpolator(across, [math.log(lr) for lr in rates] if scale == "log" else rates)
    wanted = math.exp(float(pchip(x))) if scale == "log" else float(pchip(x))
    if x not in across:
        place = int(np.searchsorted(across, x))
        low, high = sorted(rates[place - 1 : place + 1])
        assert spec.rate(x) == min(max(wanted, low), high)
        assert spec.rate(x) == pytest.approx(wanted, rel=1e-9)
    for at, rate in points:
        assert spec.rate(at) == rate
    assert spec.rate(float(across[0]) - 1) == rates[0]
    assert spec.rate(float(across[-1]) + 1) == rates[-1]


def test_smooth_it_never_swings_beyond_its_points_and_a_single_point_is_level() -> None:
    curve = Drawn(points=((0.0, 0.1), (4.0, 0.1), (5.0, 0.001), (9.0, 0.001)), smooth=True).curve()
    rates = [curve(x / 10) for x in range(100)]
    assert rates == sorted(rates, reverse=True)
    assert rates[:41] == [0.1] * 41
    assert Drawn(points=((3.0, 0.1),), smooth=True).rate(7.0) == 0.1


def test_smooth_and_straight_differ_between_the_points() -> None:
    points = ((0.0, 0.1), (4.0, 0.01), (12.0, 0.001))
    assert Drawn(points=points, smooth=True).rate(2.0) != pytest.approx(Drawn(points=points).rate(2.0), rel=1e-3)


def test_the_axis_decides_what_is_straight() -> None:
    ends = ((0.0, 0.1), (4.0, 0.001))
    assert flat(control(Drawn(points=ends, scale="linear")), 7) == pytest.approx(
        [0.1, 0.07525, 0.0505, 0.02575, 0.001, 0.001, 0.001]
    )
    assert flat(control(Drawn(points=ends)), 6) == pytest.approx([0.1, 10**-1.5, 0.01, 10**-2.5, 0.001, 0.001])


def test_the_recipes_rate_is_no_part_of_it() -> None:
    spec = Drawn(points=((1.0, 0.3), (2.0, 0.0)), scale="linear")
    assert flat(control(spec, lr=0.1), 4) == flat(control(spec, lr=0.7), 4) == [0.3, 0.3, 0.0, 0.0]


def test_stepped_per_batch_its_points_still_count_epochs() -> None:
    spec = Drawn(points=((0.0, 0.4), (2.0, 0.2)), scale="linear", interval="step")
    plan = Plan(spec, 0.1, SGD(), Length(3, 4))
    seen = []
    for _ in range(10):
        seen.append(plan.value)
        plan.step()
    assert seen == pytest.approx([0.4 - 0.025 * i for i in range(9)] + [0.2])
    assert tiller_rates(control(spec, steps=4), 3) == [[0.4], [pytest.approx(0.3)], [0.2]]


def test_swapped_in_it_counts_from_there() -> None:
    rate = control(Drawn(points=((0.0, 0.4), (2.0, 0.2)), scale="linear"))
    flat(rate, 5)
    rate.swap(Drawn(points=((0.0, 0.4), (2.0, 0.2)), scale="linear"), None, None, None)
    assert flat(rate, 3) == [0.4, pytest.approx(0.3), 0.2]

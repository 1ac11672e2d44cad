"""The drawn curve: through its points exactly, straight between them, level outside."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from engine import questions, schedules
from engine.recipe import SGD, Recipe
from engine.schedules import Drawn
from engine.schedules.curve import draw
from engine.schedules.plan import Length, Plan
from engine.schedules.query import Curve, CurveQuery
from engine.schedules.thin import drawn_from
from engine.spec import SpecError
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


@given(points=POINTS, cut=st.floats(0, 60), x=st.floats(0, 60), scale=st.sampled_from(["log", "linear"]))
def test_what_is_left_of_it_goes_on_as_it_was(
    points: tuple[tuple[float, float], ...], cut: float, x: float, scale: str
) -> None:
    spec = Drawn.model_validate({"points": points, "scale": scale})
    left = spec.after(cut)
    assert left.rate(0.0) == spec.rate(cut)
    wanted, place = spec.rate(cut + x), np.searchsorted([at for at, _ in points], cut + x)
    steep = min((b[0] - a[0] for a, b in pairwise(points)), default=1.0) < 1e-3
    assert steep or place in (0, len(points)) or left.rate(x) == pytest.approx(wanted, rel=1e-6)
    assert Drawn.model_validate_json(left.model_dump_json()) == left


def test_what_is_left_of_a_smooth_one_keeps_its_points() -> None:
    spec = Drawn(points=((0.0, 0.1), (4.0, 0.05), (9.0, 0.001)), smooth=True)
    assert spec.after(4.0).points == ((0.0, 0.05), (5.0, 0.001))
    assert spec.after(3.0).points == ((0.0, spec.rate(3.0)), (1.0, 0.05), (6.0, 0.001))
    assert spec.after(20.0).points == ((0.0, 0.001),)


THINNED = {
    "level": (schedules.Constant(), 2),
    "decay": (schedules.ExponentialLR(gamma=0.9), 2),
    "steps": (schedules.StepLR(step_size=10, gamma=0.5), 6),
    "line": (schedules.LinearLR(start_factor=1.0, end_factor=0.1, total_iters=30), 2),
    "cosine": (schedules.CosineAnnealingLR(T_max=30, eta_min=1e-4), 9),
    "to zero": (schedules.CosineAnnealingLR(T_max=29), 12),
    "cycle": (schedules.OneCycleLR(max_lr=0.1), 30),
}


@pytest.mark.parametrize("name", THINNED)
def test_any_schedule_becomes_a_few_points_that_are_close_to_it(name: str) -> None:
    spec, most = THINNED[name]
    query = CurveQuery(key="", recipe=Recipe(schedule=spec), epochs=30, steps_per_epoch=4)
    curve = draw(query)
    made = questions.drawn_like(curve, 0)
    assert len(made.points) <= most
    again = draw(CurveQuery(key="", recipe=Recipe(schedule=made), epochs=30, steps_per_epoch=4))
    assert again.x.tolist() == curve.x.tolist()
    assert np.abs(again.lr - curve.lr).max() / curve.lr.max() < 0.021
    assert again.lr[:, 0].tolist() == pytest.approx(curve.lr[:, 0].tolist(), rel=0.03, abs=4e-5)


def test_taken_in_mid_epoch_the_points_count_from_the_epoch_under_way() -> None:
    rates = np.array([0.1, 0.05, 0.05, 0.01, 0.01])
    made = drawn_from(np.array([7.5, 8.0, 9.0, 10.0, 11.0]), rates)
    assert [x for x, _ in made.points] == [7.0, 8.0, 9.0, 10.0]
    assert made.interval == "epoch"


def test_very_many_steps_become_few_points_too() -> None:
    x = np.arange(200_001) / 1000
    made = drawn_from(x, 0.05 * (1.001 + np.cos(np.pi * x / 200)))
    assert made.interval == "step"
    assert 3 <= len(made.points) <= 30
    assert made.rate(100.0) == pytest.approx(0.05 * 1.001, rel=0.03)


def test_of_nothing_there_is_nothing_to_draw() -> None:
    with pytest.raises(SpecError, match="without points"):
        questions.drawn_like(Curve(key="", x=np.empty(0), lr=np.empty((0, 1))), 0)

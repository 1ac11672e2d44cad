"""Drawn schedules: exact at the points, interpolated between them, constant outside."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from engine import schedules
from engine.common.errors import SpecError
from engine.lr.preview import draw
from engine.lr.scheduled import Length, ScheduledLR
from engine.messages.preview import Curve, CurveQuery
from engine.recipe.recipe import SGD, Recipe
from engine.schedules import Drawn
from engine.schedules.simplify import drawn_from
from engine.training import queries
from tests.engine.raw_torch import control, flat, tiller_lrs
from tests.engine.strategies import LRS

POINTS = st.lists(st.tuples(st.floats(0, 50), LRS), min_size=1, max_size=8, unique_by=lambda p: p[0]).map(
    lambda points: tuple(sorted(points))
)
APART = POINTS.filter(lambda points: all(b[0] - a[0] >= 1e-3 for a, b in pairwise(points)) and len(points) > 1)


@given(points=POINTS, x=st.floats(0, 60), scale=st.sampled_from(["log", "linear"]))
def test_straight_lines_equal_numpys_interpolation(
    points: tuple[tuple[float, float], ...], x: float, scale: str
) -> None:
    spec = Drawn.model_validate({"points": points, "scale": scale})
    xs, lrs = np.array(points).T
    expected = np.exp(np.interp(x, xs, np.log(lrs))) if scale == "log" else np.interp(x, xs, lrs)
    assert spec.lr_at(x) == pytest.approx(expected, rel=1e-9)
    assert min(lrs) <= spec.lr_at(x) <= max(lrs)
    for at, lr in points:
        assert spec.lr_at(at) == lr


@given(points=APART, share=st.floats(0, 1), scale=st.sampled_from(["log", "linear"]))
def test_a_smooth_curve_equals_scipys_pchip(points: tuple[tuple[float, float], ...], share: float, scale: str) -> None:
    spec = Drawn.model_validate({"points": points, "scale": scale, "smooth": True})
    xs, lrs = np.array(points).T
    x = min(float(xs[0] + share * (xs[-1] - xs[0])), float(xs[-1]))
    pchip = PchipInterpolator(xs, [math.log(lr) for lr in lrs] if scale == "log" else lrs)
    expected = math.exp(float(pchip(x))) if scale == "log" else float(pchip(x))
    if x not in xs:
        index = int(np.searchsorted(xs, x))
        low, high = sorted(lrs[index - 1 : index + 1])
        assert spec.lr_at(x) == min(max(expected, low), high)
        assert spec.lr_at(x) == pytest.approx(expected, rel=1e-9)
    for at, lr in points:
        assert spec.lr_at(at) == lr
    assert spec.lr_at(float(xs[0]) - 1) == lrs[0]
    assert spec.lr_at(float(xs[-1]) + 1) == lrs[-1]


def test_a_smooth_curve_does_not_overshoot_and_a_single_point_is_constant() -> None:
    curve = Drawn(points=((0.0, 0.1), (4.0, 0.1), (5.0, 0.001), (9.0, 0.001)), smooth=True).curve()
    lrs = [curve(x / 10) for x in range(100)]
    assert lrs == sorted(lrs, reverse=True)
    assert lrs[:41] == [0.1] * 41
    assert Drawn(points=((3.0, 0.1),), smooth=True).lr_at(7.0) == 0.1


def test_smooth_and_straight_differ_between_points() -> None:
    points = ((0.0, 0.1), (4.0, 0.01), (12.0, 0.001))
    assert Drawn(points=points, smooth=True).lr_at(2.0) != pytest.approx(Drawn(points=points).lr_at(2.0), rel=1e-3)


def test_lines_are_straight_on_the_chosen_axis() -> None:
    ends = ((0.0, 0.1), (4.0, 0.001))
    assert flat(control(Drawn(points=ends, scale="linear")), 7) == pytest.approx(
        [0.1, 0.07525, 0.0505, 0.02575, 0.001, 0.001, 0.001]
    )
    assert flat(control(Drawn(points=ends)), 6) == pytest.approx([0.1, 10**-1.5, 0.01, 10**-2.5, 0.001, 0.001])


def test_the_recipes_lr_is_ignored() -> None:
    spec = Drawn(points=((1.0, 0.3), (2.0, 0.0)), scale="linear")
    assert flat(control(spec, lr=0.1), 4) == flat(control(spec, lr=0.7), 4) == [0.3, 0.3, 0.0, 0.0]


def test_points_count_epochs_also_when_stepped_per_batch() -> None:
    spec = Drawn(points=((0.0, 0.4), (2.0, 0.2)), scale="linear", interval="step")
    scheduled = ScheduledLR(spec, 0.1, SGD(), Length(3, 4))
    lrs = []
    for _ in range(10):
        lrs.append(scheduled.value)
        scheduled.step()
    assert lrs == pytest.approx([0.4 - 0.025 * i for i in range(9)] + [0.2])
    assert tiller_lrs(control(spec, steps=4), 3) == [[0.4], [pytest.approx(0.3)], [0.2]]


def test_after_a_swap_points_count_from_the_swap() -> None:
    lr = control(Drawn(points=((0.0, 0.4), (2.0, 0.2)), scale="linear"))
    flat(lr, 5)
    lr.swap(Drawn(points=((0.0, 0.4), (2.0, 0.2)), scale="linear"), None, None, None)
    assert flat(lr, 3) == [0.4, pytest.approx(0.3), 0.2]


@given(points=POINTS, cut=st.floats(0, 60), x=st.floats(0, 60), scale=st.sampled_from(["log", "linear"]))
def test_the_rest_of_a_straight_curve_is_unchanged(
    points: tuple[tuple[float, float], ...], cut: float, x: float, scale: str
) -> None:
    spec = Drawn.model_validate({"points": points, "scale": scale})
    rest = spec.after(cut)
    assert rest.lr_at(0.0) == spec.lr_at(cut)
    expected, index = spec.lr_at(cut + x), np.searchsorted([at for at, _ in points], cut + x)
    steep = min((b[0] - a[0] for a, b in pairwise(points)), default=1.0) < 1e-3
    assert steep or index in (0, len(points)) or rest.lr_at(x) == pytest.approx(expected, rel=1e-6)
    assert Drawn.model_validate_json(rest.model_dump_json()) == rest


def test_the_rest_of_a_smooth_curve_keeps_its_points() -> None:
    spec = Drawn(points=((0.0, 0.1), (4.0, 0.05), (9.0, 0.001)), smooth=True)
    assert spec.after(4.0).points == ((0.0, 0.05), (5.0, 0.001))
    assert spec.after(3.0).points == ((0.0, spec.lr_at(3.0)), (1.0, 0.05), (6.0, 0.001))
    assert spec.after(20.0).points == ((0.0, 0.001),)


APPROXIMATED = {  # a schedule, and the most points that its approximation may have
    "constant": (schedules.Constant(), 2),
    "decay": (schedules.ExponentialLR(gamma=0.9), 2),
    "steps": (schedules.StepLR(step_size=10, gamma=0.5), 6),
    "line": (schedules.LinearLR(start_factor=1.0, end_factor=0.1, total_iters=30), 2),
    "cosine": (schedules.CosineAnnealingLR(T_max=30, eta_min=1e-4), 9),
    "to zero": (schedules.CosineAnnealingLR(T_max=29), 12),
    "cycle": (schedules.OneCycleLR(max_lr=0.1), 30),
}


@pytest.mark.parametrize("name", APPROXIMATED)
def test_a_schedule_is_approximated_by_a_few_points(name: str) -> None:
    spec, max_points = APPROXIMATED[name]
    query = CurveQuery(key="", recipe=Recipe(schedule=spec), epochs=30, steps_per_epoch=4)
    curve = draw(query)
    drawn = queries.drawn_like(curve, 0)
    assert len(drawn.points) <= max_points
    approximation = draw(CurveQuery(key="", recipe=Recipe(schedule=drawn), epochs=30, steps_per_epoch=4))
    assert approximation.x.tolist() == curve.x.tolist()
    assert np.abs(approximation.lr - curve.lr).max() / curve.lr.max() < 0.021
    assert approximation.lr[:, 0].tolist() == pytest.approx(curve.lr[:, 0].tolist(), rel=0.03, abs=4e-5)


def test_in_mid_epoch_points_count_from_the_start_of_the_current_epoch() -> None:
    lrs = np.array([0.1, 0.05, 0.05, 0.01, 0.01])
    drawn = drawn_from(np.array([7.5, 8.0, 9.0, 10.0, 11.0]), lrs)
    assert [x for x, _ in drawn.points] == [7.0, 8.0, 9.0, 10.0]
    assert drawn.interval == "epoch"


def test_a_curve_of_many_steps_is_approximated_by_few_points() -> None:
    x = np.arange(200_001) / 1000
    drawn = drawn_from(x, 0.05 * (1.001 + np.cos(np.pi * x / 200)))
    assert drawn.interval == "step"
    assert 3 <= len(drawn.points) <= 30
    assert drawn.lr_at(100.0) == pytest.approx(0.05 * 1.001, rel=0.03)


def test_an_empty_curve_cannot_be_drawn() -> None:
    with pytest.raises(SpecError, match="without points"):
        queries.drawn_like(Curve(key="", x=np.empty(0), lr=np.empty((0, 1))), 0)

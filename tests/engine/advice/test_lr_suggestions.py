"""The suggestions of an LR range test: for curves with a known answer, and for curves without one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.advice.lr_suggestions import BETA, BOLD, STEADY, FloatArray, Smoothed, noisy_ends, smooth, suggest, with_lr
from engine.common.errors import SpecError
from engine.common.text import Text
from engine.messages.commands import FindLR
from engine.training.dry_run import lrs_ahead
from engine.training.job import Job
from engine.training.queries import find_lr
from tests.engine.running import Live, recipe

STEPS = 100
LR = np.geomspace(1e-6, 10, STEPS)
X = np.log10(LR)


def dip(at: float, high: float = 2.3, low: float = 0.5) -> FloatArray:
    """A loss that falls, is least at the LR 10**at, and rises again."""
    return low + (high - low) * np.minimum(1.0, np.abs(X - at) / 2)


def suggested(
    loss: FloatArray, smoothed: FloatArray | None = None, lr: FloatArray = LR, *, diverged: bool = False
) -> list[float | None]:
    bold, steady = suggest(lr, loss, loss if smoothed is None else smoothed, STEPS, diverged)
    assert (bold.kind, steady.kind) == ("bold", "steady")
    assert isinstance(bold.text, Text)
    assert isinstance(steady.text, Text)
    return [bold.lr, steady.lr]


def reason(loss: FloatArray, lr: FloatArray = LR, *, diverged: bool = False) -> str:
    found = suggest(lr, loss, loss, STEPS, diverged)
    assert [s.lr for s in found] == [None, None]
    assert found[0].text == found[1].text
    return found[0].text


@pytest.mark.parametrize("at", [-4.0, -3.0, -1.5])
def test_suggestions_are_a_little_and_well_below_the_lr_with_the_lowest_loss(at: float) -> None:
    bold, steady = suggested(dip(at))
    assert bold is not None
    assert steady is not None
    assert abs(np.log10(bold / BOLD) - at) <= 0.5 * (X[1] - X[0]) + 1e-9
    assert steady / STEADY == pytest.approx(bold / BOLD)
    assert steady < bold


def test_smoothing_leaves_a_minimum_where_it_is_and_removes_noise() -> None:
    noise = np.random.default_rng(0).lognormal(0.0, 0.3, STEPS)
    for at in (-4.0, -3.0, -2.0):
        smoothed = smooth(dip(at) * noise, STEPS)
        assert abs(X[int(np.argmin(smoothed))] - at) < 0.3
    assert smooth(np.full(STEPS, 2.5), STEPS) == pytest.approx(np.full(STEPS, 2.5))
    assert smooth(np.empty(0), STEPS).size == 0


def test_smoothing_spans_a_share_of_the_steps() -> None:
    few, many = np.ones(100), np.ones(1000)
    few[50], many[500:510] = 100.0, 100.0
    assert smooth(few, 100)[50] == pytest.approx(smooth(many, 1000)[505], rel=0.02)


def test_noisy_ends_are_ignored() -> None:
    begin, end = noisy_ends(STEPS)
    assert (begin, end) == (10, 5)
    loss = dip(-3.0)
    loss[:begin] = np.linspace(60, 10, begin)
    loss[-end:] = np.linspace(0.4, 0, end)
    assert suggested(loss) == suggested(np.concatenate([np.full(begin, 2.3), loss[begin:-end], np.full(end, 9.0)]))


def test_suggestions_after_a_late_divergence() -> None:
    loss = dip(-3.0)[:80]
    loss[75:] = [1, 3, 9, 27, 81]
    steep, bottom = suggested(loss, lr=LR[:80], diverged=True)
    assert steep is not None
    assert bottom is not None
    assert 1e-4 < bottom < 1e-3


def test_no_suggestion_for_a_flat_or_rising_curve() -> None:
    assert "does not clearly fall between 1e-06 and 10" in reason(np.full(STEPS, 2.3))
    assert "does not clearly fall" in reason(np.linspace(1, 9, STEPS))
    assert "does not clearly fall" in reason(np.linspace(2.3, 2.2, STEPS))


def test_no_suggestion_if_the_loss_falls_less_than_it_varies() -> None:
    noise = np.random.default_rng(0).uniform(0.5, 1.5, STEPS)
    smoothed = smooth(noise, STEPS)
    begin, end = noisy_ends(STEPS)
    assert np.ptp(smoothed[begin:-end]) > 0.05  # above LEAST_FALL alone
    assert suggested(noise, smoothed) == [None, None]
    assert suggested(dip(-3.0) + (noise - 1) / 10, dip(-3.0)) == suggested(dip(-3.0))


def test_no_suggestion_after_too_few_steps() -> None:
    assert "not finite at the first LR" in reason(np.empty(0), np.empty(0), diverged=True)
    assert "diverged after 12 of 100 steps" in reason(np.linspace(2, 90, 12), LR[:12], diverged=True)


def test_average_has_no_bias_towards_0() -> None:
    average = Smoothed()
    assert [average.add(2.5) for _ in range(5)] == pytest.approx([2.5] * 5)
    other = Smoothed()
    other.add(1.0)
    assert other.add(3.0) == pytest.approx((BETA * 1 + 3) / (BETA + 1))


@pytest.mark.parametrize(
    ("schedule", "highest"),
    [
        ({"name": "StepLR", "step_size": 3}, 0.04),
        ({"name": "LambdaLR", "lr_lambda": "0.5 * 0.9**epoch"}, 0.04),
        ({"name": "OneCycleLR", "max_lr": 1.0}, 0.04),
        ({"name": "CyclicLR", "base_lr": 0.1, "max_lr": 0.2, "step_size_up": 5}, 0.04),
        ({"name": "Drawn", "points": [[0, 0.1], [5, 0.2]]}, 0.04),
    ],
)
def test_recipe_with_lr_has_it_as_its_highest_lr(schedule: dict[str, Any], highest: float) -> None:
    changed = with_lr(recipe(schedule=schedule, epochs=10), 0.04)
    assert changed is not None
    lrs = [line["lr"][0] for line in lrs_ahead(changed, (), True, lambda *_: None)]
    assert max(lrs) == pytest.approx(highest, rel=0.02)
    assert changed.model_copy(update={"schedule": None, "optimizer": None}) == recipe(epochs=10).model_copy(
        update={"schedule": None, "optimizer": None}
    )


def test_recipe_with_lr_scales_groups_in_proportion() -> None:
    groups = [{"name": "head", "modules": ["head"], "lr": 0.5}, {"name": "first", "modules": ["body.1"]}]
    changed = with_lr(recipe(groups=groups), 0.02)
    assert changed is not None
    assert (changed.optimizer.lr, changed.groups[0].lr, changed.groups[1].lr) == (0.002, 0.02, None)


def test_with_lr_is_none_if_the_schedule_or_the_range_does_not_allow_it() -> None:
    parts = [{"name": "OneCycleLR", "max_lr": 0.1}, {"name": "Constant", "interval": "step"}]
    assert with_lr(recipe(schedule={"name": "ChainedScheduler", "schedulers": parts, "interval": "step"}), 0.1) is None
    assert with_lr(recipe(), 1e9) is None


def test_range_test_before_the_start_equals_that_of_the_ready_run() -> None:
    of = recipe(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}])
    progress: list[tuple[str, int, int]] = []
    event = find_lr(of, FindLR(steps=30), lambda *report: progress.append(report), lambda: False)
    with Live(Job(recipe=of, begin=False)) as live:
        live.reach("ready")
        live.ask(FindLR(steps=30))
        (found,) = live.events.of("range_test")
    assert np.array_equal(event.loss, found.loss)
    assert (event.suggestions, event.group, event.epoch) == (found.suggestions, "head", 1)
    assert [report for report in progress if not report[0]][-1][1:] == (len(event.lr), 30)
    with pytest.raises(SpecError, match="broken, says the test"):
        find_lr(recipe("breaks_in_training"), FindLR(steps=30), lambda *_: None, lambda: False)

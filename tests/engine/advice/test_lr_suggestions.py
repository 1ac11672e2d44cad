"""Reading a range test's curve: known curves have known answers, and a curve that says nothing suggests nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.advice.lr_suggestions import BETA, Curve, Smoothed, begun_at, noisy_ends, steepest, suggest, valley
from engine.common.spec import SpecError
from engine.common.text import Text
from engine.messages.commands import FindLR
from engine.training.dry_run import lrs_ahead
from engine.training.job import Job
from engine.training.queries import find_lr
from tests.engine.running import Live, recipe

STEPS = 100
LR = np.geomspace(1e-6, 10, STEPS)
X = np.log10(LR)


def fall(at: float, high: float = 2.3, low: float = 0.5) -> Curve:
    """A loss that falls in an S about the rate 10**at."""
    return low + (high - low) / (1 + np.exp(4 * (X - at)))


def told(loss: Curve, smoothed: Curve | None = None, lr: Curve = LR, *, diverged: bool = False) -> list[float | None]:
    steep, bottom = suggest(lr, loss, loss if smoothed is None else smoothed, STEPS, diverged)
    assert (steep.kind, bottom.kind) == ("steepest", "valley")
    assert isinstance(steep.text, Text)
    assert isinstance(bottom.text, Text)
    return [steep.lr, bottom.lr]


def reason(loss: Curve, lr: Curve = LR, *, diverged: bool = False) -> str:
    found = suggest(lr, loss, loss, STEPS, diverged)
    assert [s.lr for s in found] == [None, None]
    assert found[0].text == found[1].text
    return found[0].text


@pytest.mark.parametrize("at", [-4.0, -3.0, -2.0])
def test_the_steepest_descent_of_an_s_is_its_middle(at: float) -> None:
    lr, _ = told(fall(at))
    assert lr is not None
    assert abs(np.log10(lr) - at) <= 0.5 * (X[1] - X[0])


def test_the_valley_is_the_middle_of_where_the_loss_falls() -> None:
    level_to, falls_to = 30, 71  # level, straight down, straight up
    loss = np.interp(np.arange(STEPS), [0, level_to, falls_to - 1, STEPS - 1], [2.0, 2.0, 1.0, 1.9])
    assert told(loss)[1] == LR[(level_to + falls_to - 1) // 2]


def test_the_valley_bridges_a_bump_and_keeps_its_own_beginning() -> None:
    smoothed = np.array([5, 9, 8, 7, 7.5, 6.5, 5.5, 4, 6, 7.0])
    assert valley(smoothed) == 4  # 9 8 7 6.5 5.5 4: from index 1 to 7
    assert valley(np.array([1.0, 2.0, 3.0])) == 0
    assert valley(np.array([3.0, 2.0, 1.0])) == 1


def test_one_jump_outweighs_neither_suggestion() -> None:
    smoothed = fall(-2.0)
    smoothed[40:] -= 0.2  # between two neighbours steeper than the S ever is
    assert np.argmin(np.diff(smoothed)) == 39
    steep, _ = told(smoothed)
    assert steep is not None
    assert abs(np.log10(steep) + 2) < 0.2


def test_what_falls_within_the_noisy_ends_is_not_looked_at() -> None:
    begin, end = noisy_ends(STEPS)
    assert (begin, end) == (10, 5)
    loss = fall(-3.0)
    loss[:begin] = np.linspace(60, 10, begin)
    loss[-end:] = np.linspace(0.4, 0, end)
    assert told(loss) == told(np.concatenate([np.full(begin, 2.3), loss[begin:-end], np.full(end, 9.0)]))


def test_a_sweep_that_diverged_late_still_suggests() -> None:
    loss = fall(-3.0)[:80]
    loss[75:] = [1, 3, 9, 27, 81]
    steep, bottom = told(loss, lr=LR[:80], diverged=True)
    assert steep is not None
    assert bottom is not None
    assert 1e-4 < bottom < 1e-1


def test_a_flat_or_rising_curve_suggests_nothing_and_says_why() -> None:
    assert "does not clearly fall between 1e-06 and 10" in reason(np.full(STEPS, 2.3))
    assert "does not clearly fall" in reason(np.linspace(1, 9, STEPS))
    assert "does not clearly fall" in reason(np.linspace(2.3, 2.2, STEPS))


def test_a_fall_within_what_batches_scatter_suggests_nothing() -> None:
    noise = np.random.default_rng(0).uniform(0.5, 1.5, STEPS)
    average = Smoothed()
    smoothed = np.array([average.add(loss) for loss in noise])
    begin, end = noisy_ends(STEPS)
    assert np.ptp(smoothed[begin:-end]) > 0.05  # more than nothing, which is all that a plain limit would ask
    assert told(noise, smoothed) == [None, None]
    assert told(fall(-3.0) + (noise - 1) / 10, fall(-3.0)) == told(fall(-3.0))


def test_too_short_a_sweep_says_so() -> None:
    assert "not finite at the very first rate" in reason(np.empty(0), np.empty(0), diverged=True)
    assert "diverged after 12 of 100 steps" in reason(np.linspace(2, 90, 12), LR[:12], diverged=True)


def test_the_reach_of_a_slope_shrinks_with_the_curve() -> None:
    assert steepest(LR[:3], np.array([3.0, 2.0, 0.0]), 5) == 1


def test_the_average_is_not_pulled_towards_0() -> None:
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
def test_a_recipe_begun_at_a_lr_reaches_it_and_no_more(schedule: dict[str, Any], highest: float) -> None:
    changed = begun_at(recipe(schedule=schedule, epochs=10), 0.04)
    assert changed is not None
    lrs = [line["lr"][0] for line in lrs_ahead(changed, (), True, lambda *_: None)]
    assert max(lrs) == pytest.approx(highest, rel=0.02)
    assert changed.model_copy(update={"schedule": None, "optimizer": None}) == recipe(epochs=10).model_copy(
        update={"schedule": None, "optimizer": None}
    )


def test_groups_of_a_recipe_keep_their_proportions() -> None:
    groups = [{"name": "head", "modules": ["head"], "lr": 0.5}, {"name": "first", "modules": ["body.1"]}]
    changed = begun_at(recipe(groups=groups), 0.02)
    assert changed is not None
    assert (changed.optimizer.lr, changed.groups[0].lr, changed.groups[1].lr) == (0.002, 0.02, None)


def test_a_lr_that_cannot_be_had_is_none() -> None:
    parts = [{"name": "OneCycleLR", "max_lr": 0.1}, {"name": "Constant", "interval": "step"}]
    assert begun_at(recipe(schedule={"name": "ChainedScheduler", "schedulers": parts, "interval": "step"}), 0.1) is None
    assert begun_at(recipe(), 1e9) is None


def test_a_search_before_the_start_finds_what_the_run_itself_would() -> None:
    of = recipe(groups=[{"name": "head", "modules": ["head"], "lr": 0.5}])
    told: list[tuple[str, int, int]] = []
    event = find_lr(of, FindLR(steps=30), lambda *said: told.append(said), lambda: False)
    with Live(Job(recipe=of, begin=False)) as live:
        live.reach("ready")
        live.ask(FindLR(steps=30))
        (found,) = live.events.of("finder")
    assert np.array_equal(event.loss, found.loss)
    assert (event.suggestions, event.group, event.epoch) == (found.suggestions, "head", 1)
    assert [said for said in told if not said[0]][-1][1:] == (len(event.lr), 30)
    with pytest.raises(SpecError, match="broken, says the test"):
        find_lr(recipe("breaks_in_training"), FindLR(steps=30), lambda *_: None, lambda: False)

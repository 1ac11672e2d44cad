"""The LRs that PyTorch's own tests expect: the numbers of test/optim/test_lrscheduler.py.

Those tests use LRs of 0.05 and compare with a tolerance of 1e-5. Their momentum goes up to 22, which no real optimizer
accepts: here such momentum is divided by 100. Where they have cosines, so does this module.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from engine.common.spec import parse
from engine.lr.scheduled import Length, ScheduledLR
from engine.recipe.recipe import SGD, Adam, OptimizerSpec
from engine.schedules import AnySchedule


def cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (math.cos(math.pi * share) + 1)


def restarts(t_mult: int) -> list[float]:
    lrs, t_cur, t_i = [0.05], 0, 10
    for _ in range(99):
        t_cur += 1
        if t_cur >= t_i:
            t_cur, t_i = 0, t_i * t_mult
        lrs.append(cosine(0.05, 1e-10, t_cur / t_i))
    return lrs


def seen(spec: dict[str, Any], count: int, optimizer: OptimizerSpec | None = None) -> tuple[list[float], list[Any]]:
    scheduled = ScheduledLR(parse(AnySchedule, json.dumps(spec)), 0.05, optimizer or SGD(), Length(count, 1))
    lrs, momenta = [], []
    for _ in range(count):
        lrs.append(scheduled.value)
        momenta.append(scheduled.momentum)
        scheduled.step()
    return lrs, momenta


CONSTANT = {"name": "ConstantLR", "factor": 0.1, "total_iters": 3}
EXP = {"name": "ExponentialLR", "gamma": 0.9}
FAST = {"name": "ExponentialLR", "gamma": 0.8}
WARM = {"name": "LinearLR", "start_factor": 0.4, "total_iters": 3}
STEP = {"name": "StepLR", "gamma": 0.1, "step_size": 3}
MULTI = {"name": "MultiStepLR", "gamma": 0.1, "milestones": [2, 5, 9]}
COSINE = {"name": "CosineAnnealingLR", "T_max": 10, "eta_min": 1e-10}

PUBLISHED: dict[str, tuple[dict[str, Any], list[float]]] = {
    "StepLR": (STEP, [0.05] * 3 + [0.005] * 3 + [0.0005] * 3 + [0.00005] * 3),
    "MultiStepLR": (MULTI, [0.05] * 2 + [0.005] * 3 + [0.0005] * 4 + [0.00005] * 3),
    "ConstantLR": ({"name": "ConstantLR", "factor": 0.5, "total_iters": 5}, [0.025] * 5 + [0.05] * 5),
    "LinearLR": (
        {"name": "LinearLR", "start_factor": 0.5, "total_iters": 4},
        [0.025, 0.03125, 0.0375, 0.04375] + [0.05] * 6,
    ),
    "LinearLR to 0.6": (
        {"name": "LinearLR", "start_factor": 0.25, "end_factor": 0.6, "total_iters": 4},
        [0.0125, 0.016875, 0.02125, 0.025625] + [0.03] * 6,
    ),
    "ExponentialLR": (EXP, [0.05 * 0.9**x for x in range(10)]),
    "PolynomialLR": (
        {"name": "PolynomialLR", "power": 0.9, "total_iters": 5},
        [0.05 * (1 - x / 5) ** 0.9 for x in range(5)] + [0.0] * 5,
    ),
    "CosineAnnealingLR": (COSINE, [cosine(0.05, 1e-10, x / 10) for x in range(10)]),
    "LambdaLR": ({"name": "LambdaLR", "lr_lambda": "0.9**epoch"}, [0.05 * 0.9**x for x in range(10)]),
    "MultiplicativeLR": ({"name": "MultiplicativeLR", "lr_lambda": "0.9"}, [0.05 * 0.9**x for x in range(10)]),
    **{
        f"CosineAnnealingWarmRestarts {n}": (
            {"name": "CosineAnnealingWarmRestarts", "T_0": 10, "T_mult": n, "eta_min": 1e-10},
            restarts(n),
        )
        for n in (1, 2, 4)
    },
    "SequentialLR 1": (
        {"name": "SequentialLR", "schedulers": [FAST, {**STEP, "step_size": 4}], "milestones": [3]},
        [0.05, 0.04, 0.032] + [0.05] * 4 + [0.005] * 4 + [0.0005] * 4 + [0.00005] * 4,
    ),
    "SequentialLR 2": (
        {"name": "SequentialLR", "schedulers": [CONSTANT, EXP], "milestones": [3]},
        [0.005] * 3 + [0.05 * 0.9**x for x in range(10)],
    ),
    "SequentialLR 3": (
        {"name": "SequentialLR", "schedulers": [CONSTANT, FAST, {**STEP, "step_size": 2}], "milestones": [3, 6]},
        [0.005, 0.005, 0.005, 0.05, 0.04, 0.032, 0.05, 0.05, 0.005, 0.005, 0.0005, 0.0005],
    ),
    "SequentialLR 5": (
        {
            "name": "SequentialLR",
            "schedulers": [
                {
                    "name": "ChainedScheduler",
                    "schedulers": [
                        {"name": "LinearLR", "start_factor": 0.1, "total_iters": 5},
                        {"name": "ConstantLR", "factor": 0.1, "total_iters": 5},
                    ],
                },
                {"name": "ConstantLR", "factor": 0.5, "total_iters": 5},
            ],
            "milestones": [5],
        },
        [0.0005, 0.0014, 0.0023, 0.0032, 0.0041] + [0.025] * 5,
    ),
    "ChainedScheduler 1": (
        {"name": "ChainedScheduler", "schedulers": [STEP]},
        [0.05] * 3 + [0.005] * 3 + [0.0005] * 3 + [0.00005] * 3,
    ),
    "ChainedScheduler 2": ({"name": "ChainedScheduler", "schedulers": [WARM]}, [0.02, 0.03, 0.04] + [0.05] * 9),
    "ChainedScheduler 3": (
        {"name": "ChainedScheduler", "schedulers": [WARM, {**MULTI, "milestones": [4, 8, 10]}]},
        [0.02, 0.03, 0.04, 0.05] + [0.005] * 4 + [0.0005] * 2,
    ),
    "ChainedScheduler 4": (
        {"name": "ChainedScheduler", "schedulers": [EXP, {**CONSTANT, "factor": 0.2, "total_iters": 4}, STEP]},
        [0.05 * 0.2 * 0.9**x for x in range(3)]
        + [0.05 * 0.2 * 0.9**3 * 0.1]
        + [0.05 * 0.9**x * 0.1 for x in range(4, 6)]
        + [0.05 * 0.9**x * 0.01 for x in range(6, 9)],
    ),
    "ChainedScheduler 5": (
        {
            "name": "ChainedScheduler",
            "schedulers": [
                {"name": "PolynomialLR", "power": 0.9, "total_iters": 5},
                {"name": "ConstantLR", "factor": 0.1},
            ],
        },
        [0.005 * (1 - x / 5) ** 0.9 for x in range(5)] + [0.0] * 5,
    ),
    "cosine and steps": (
        {"name": "ChainedScheduler", "schedulers": [COSINE, STEP]},
        [cosine(0.05, 1e-10, x / 10) * 0.1 ** (x // 3) for x in range(10)],
    ),
}

UP_AND_DOWN = [1, 2, 3, 4, 5, 4, 3, 2, 1, 2, 3]
TWICE = [1, 2, 3, 4, 5, 4, 3, 2, 1, 1.5, 2, 2.5, 3, 2.5, 2, 1.5, 1, 1.25, 1.5, 1.75, 2, 1.75]
SLOW_DOWN = [1, 2, 3, 4, 5, 13 / 3, 11 / 3, 3, 7 / 3, 5 / 3, 1]
HEIGHTS = [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0.25, 0.5, 0.75, 1]
SLOW_HEIGHTS = [0, 0.5, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0, 0.5, 1, 5 / 6, 4 / 6]
CYCLE = {"name": "CyclicLR", "base_lr": 1, "max_lr": 5, "step_size_up": 4, "base_momentum": 0.01, "max_momentum": 0.05}
ONE = {"name": "OneCycleLR", "max_lr": 25, "final_div_factor": 2, "base_momentum": 0.01, "max_momentum": 0.22}
FALL = [x / 7 for x in range(8)]

CYCLED: dict[str, tuple[dict[str, Any], list[float], list[float]]] = {
    "triangular": (CYCLE, UP_AND_DOWN, [6 - x for x in UP_AND_DOWN]),
    "triangular2": ({**CYCLE, "mode": "triangular2"}, TWICE, [6 - x for x in TWICE]),
    "exp_range": (
        {**CYCLE, "mode": "exp_range", "gamma": 0.9},
        [1 + x * 4 * 0.9**i for i, x in enumerate(HEIGHTS)],
        [5 - x * 4 * 0.9**i for i, x in enumerate(HEIGHTS)],
    ),
    "triangular, slow down": ({**CYCLE, "step_size_down": 6}, SLOW_DOWN, [6 - x for x in SLOW_DOWN]),
    "exp_range, slow down": (
        {**CYCLE, "mode": "exp_range", "gamma": 0.9, "step_size_up": 2, "step_size_down": 6},
        [1 + x * 4 * 0.9**i for i, x in enumerate(SLOW_HEIGHTS)],
        [5 - x * 4 * 0.9**i for i, x in enumerate(SLOW_HEIGHTS)],
    ),
    "one cycle, linear": (
        {**ONE, "anneal_strategy": "linear"},
        [1, 13, 25, 21.5, 18, 14.5, 11, 7.5, 4, 0.5],
        [22, 11.5, 1, 4, 7, 10, 13, 16, 19, 22],
    ),
    "one cycle, three phases": (
        {**ONE, "anneal_strategy": "linear", "pct_start": 0.4, "final_div_factor": 4, "three_phase": True},
        [1, 9, 17, 25, 17, 9, 1, 0.75, 0.5, 0.25],
        [22, 15, 8, 1, 8, 15, 22, 22, 22, 22],
    ),
    "one cycle, cosine": (
        ONE,
        [1, 13, *(cosine(25, 0.5, x) for x in FALL)],
        [22, 11.5, *(cosine(1, 22, x) for x in FALL)],
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_lrs_are_those_that_pytorchs_tests_expect(case: str) -> None:
    spec, wanted = PUBLISHED[case]
    assert seen(spec, len(wanted))[0] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=["momentum", "beta"])
@pytest.mark.parametrize("case", CYCLED)
def test_cycled_lrs_and_momenta_are_those_that_pytorchs_tests_expect(case: str, optimizer: OptimizerSpec) -> None:
    spec, wanted, momenta = CYCLED[case]
    lrs, got = seen(spec, len(wanted), optimizer)
    assert lrs == pytest.approx(wanted, abs=1e-9)
    assert [100 * m for m in got] == pytest.approx(momenta, abs=1e-9)

"""Schedules fitted to a changed length of the run."""

from __future__ import annotations

import pytest

from engine.lr.scheduled import Length, ScheduledLR
from engine.recipe.recipe import SGD
from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    Drawn,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
    fit_schedule,
)

# A run of 30 epochs is extended to 50 after epoch 10: the 20 remaining epochs become 40.
LONGER = {"span": 30, "done": 10, "added": 20}


def lrs(spec: ScheduleSpec, base: float, epochs: int, steps: int) -> list[float]:
    scheduled = ScheduledLR(spec, base, SGD(), Length(epochs, 1), steps + 1)
    values = [scheduled.value]
    for _ in range(steps):
        scheduled.step()
        values.append(scheduled.value)
    return values


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (StepLR(step_size=10, gamma=0.5), StepLR(step_size=20, gamma=0.5)),
        (MultiStepLR(milestones=(5, 15, 25), gamma=0.3), MultiStepLR(milestones=(10, 30), gamma=0.3)),
        (CosineAnnealingLR(T_max=30, eta_min=1e-4), CosineAnnealingLR(T_max=40, eta_min=1e-4)),
        (PolynomialLR(total_iters=30, power=2.0), PolynomialLR(total_iters=40, power=2.0)),
        (CosineAnnealingWarmRestarts(T_0=5), CosineAnnealingWarmRestarts(T_0=10)),
        (
            Drawn(points=((0, 0.1), (20, 0.02), (30, 0.001))),
            Drawn(points=((0, 0.1 * 0.2**0.5), (20, 0.02), (40, 0.001))),
        ),
    ],
    ids=lambda s: type(s).__name__,
)
def test_the_rest_is_stretched(spec: ScheduleSpec, expected: ScheduleSpec) -> None:
    fitted = fit_schedule(spec, **LONGER)
    assert fitted is not None
    assert fitted.start == "here"
    if isinstance(spec, Drawn):
        assert fitted.schedule.points[0][1] == pytest.approx(expected.points[0][1])  # type: ignore[attr-defined]
        assert fitted.schedule.points[1:] == expected.points[1:]  # type: ignore[attr-defined]
    else:
        assert fitted.schedule == expected
    assert type(spec).model_validate_json(fitted.schedule.model_dump_json()) == fitted.schedule


@pytest.mark.parametrize(
    "spec",
    [
        ExponentialLR(gamma=0.9),
        CosineAnnealingLR(T_max=30, eta_min=1e-4),
        PolynomialLR(total_iters=30, power=2.0),
        LinearLR(start_factor=1.0, end_factor=0.01, total_iters=30),
    ],
    ids=lambda s: type(s).__name__,
)
@pytest.mark.parametrize("added", [20, -12])
def test_the_last_lr_stays_the_same(spec: ScheduleSpec, added: int) -> None:
    old = lrs(spec, 0.1, 30, 30)
    fitted = fit_schedule(spec, 30, 10, added)
    assert fitted is not None
    new = lrs(fitted.schedule, old[10], 30 + added, 20 + added)
    assert new[-1] == pytest.approx(old[-1], rel=1e-3, abs=1e-12)
    assert new[0] == old[10]


def test_a_shorter_run_compresses_the_rest() -> None:
    fitted = fit_schedule(StepLR(step_size=10), 30, 10, -18)
    assert fitted is not None
    assert fitted.schedule == StepLR(step_size=1)


def test_one_cycle_and_expressions_in_epochs_are_replayed_from_epoch_1() -> None:
    for spec in (OneCycleLR(max_lr=0.1), LambdaLR(lr_lambda=("1 - epoch / epochs",))):
        assert fit_schedule(spec, **LONGER) == (spec, "replay")


def test_after_a_warm_up_only_the_last_stage_is_stretched() -> None:
    warm_up, rest = LinearLR(total_iters=5), CosineAnnealingLR(T_max=25)
    fitted = fit_schedule(SequentialLR(schedulers=(warm_up, rest), milestones=(5,)), **LONGER)
    assert fitted is not None
    assert fitted.start == "replay"
    assert fitted.schedule == SequentialLR(schedulers=(warm_up, CosineAnnealingLR(T_max=45)), milestones=(5,))


@pytest.mark.parametrize(
    "spec",
    [
        Constant(),
        ReduceLROnPlateau(),
        LambdaLR(lr_lambda=("0.95**epoch",)),
        LinearLR(total_iters=20),  # a warm-up keeps its length
        MultiStepLR(milestones=(5, 9)),  # all milestones are reached
        CosineAnnealingLR(T_max=8),  # past its end
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_schedule_that_does_not_depend_on_the_length_is_not_fitted(spec: ScheduleSpec) -> None:
    assert fit_schedule(spec, **LONGER) is None


def test_nothing_is_fitted_without_a_change_or_without_a_rest() -> None:
    assert fit_schedule(StepLR(step_size=3), 30, 10, 0) is None
    assert fit_schedule(StepLR(step_size=3), 30, 30, 10) is None
    assert fit_schedule(StepLR(step_size=3), 30, 20, -10) is None

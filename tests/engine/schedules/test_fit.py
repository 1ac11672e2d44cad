"""A schedule fitted to another length of the run: the same kind, whose rest ends where the run ends."""

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
    fitted,
)

# of a run of 30 epochs, 10 are over; then it is made 50 epochs long: 20 left become 40
LONGER = {"span": 30, "passed": 10, "more": 20}


def lrs(spec: ScheduleSpec, base: float, epochs: int, steps: int) -> list[float]:
    plan = ScheduledLR(spec, base, SGD(), Length(epochs, 1), steps + 1)
    found = [plan.value]
    for _ in range(steps):
        plan.step()
        found.append(plan.value)
    return found


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
def test_what_is_left_of_it_is_stretched(spec: ScheduleSpec, expected: ScheduleSpec) -> None:
    found = fitted(spec, **LONGER)
    assert found is not None
    assert found.start == "here"
    if isinstance(spec, Drawn):
        assert found.schedule.points[0][1] == pytest.approx(expected.points[0][1])  # type: ignore[attr-defined]
        assert found.schedule.points[1:] == expected.points[1:]  # type: ignore[attr-defined]
    else:
        assert found.schedule == expected
    assert type(spec).model_validate_json(found.schedule.model_dump_json()) == found.schedule


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
@pytest.mark.parametrize("more", [20, -12])
def test_it_ends_at_the_lr_at_which_it_would_have_ended(spec: ScheduleSpec, more: int) -> None:
    old = lrs(spec, 0.1, 30, 30)
    found = fitted(spec, 30, 10, more)
    assert found is not None
    new = lrs(found.schedule, old[10], 30 + more, 20 + more)
    assert new[-1] == pytest.approx(old[-1], rel=1e-3, abs=1e-12)
    assert new[0] == old[10]


def test_a_shorter_run_presses_it_together() -> None:
    found = fitted(StepLR(step_size=10), 30, 10, -18)
    assert found is not None
    assert found.schedule == StepLR(step_size=1)


def test_a_cycle_and_an_expression_in_epochs_are_seen_from_their_beginning() -> None:
    for spec in (OneCycleLR(max_lr=0.1), LambdaLR(lr_lambda=("1 - epoch / epochs",))):
        assert fitted(spec, **LONGER) == (spec, "replay")


def test_behind_a_warm_up_only_the_last_stage_is_stretched() -> None:
    warm, rest = LinearLR(total_iters=5), CosineAnnealingLR(T_max=25)
    found = fitted(SequentialLR(schedulers=(warm, rest), milestones=(5,)), **LONGER)
    assert found is not None
    assert found.start == "replay"
    assert found.schedule == SequentialLR(schedulers=(warm, CosineAnnealingLR(T_max=45)), milestones=(5,))


@pytest.mark.parametrize(
    "spec",
    [
        Constant(),
        ReduceLROnPlateau(),
        LambdaLR(lr_lambda=("0.95**epoch",)),
        LinearLR(total_iters=20),  # a warm-up is as long as it is
        MultiStepLR(milestones=(5, 9)),  # all cuts are made
        CosineAnnealingLR(T_max=8),  # past its end
    ],
    ids=lambda s: type(s).__name__,
)
def test_what_does_not_depend_on_the_length_is_left_alone(spec: ScheduleSpec) -> None:
    assert fitted(spec, **LONGER) is None


def test_nothing_is_offered_where_nothing_is_left_or_nothing_changed() -> None:
    assert fitted(StepLR(step_size=3), 30, 10, 0) is None
    assert fitted(StepLR(step_size=3), 30, 30, 10) is None
    assert fitted(StepLR(step_size=3), 30, 20, -10) is None

"""What is left of a planned curve is what would be computed anew; where it is not, that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import questions
from engine.commands import Note, ReleaseLR, ScaleLR, SetEpochs, SetLR, SetSchedule
from engine.events import RateEvent
from engine.rate import RateControl
from engine.recipe import Recipe
from engine.schedules import CosineAnnealingLR, ReduceLROnPlateau, ScheduleSpec, StepLR
from engine.schedules.curve import draw
from engine.schedules.query import Curve, CurveQuery
from gui.plan_ahead import course_of, rest_of
from tests.engine.raw_torch import control
from tests.engine.strategies import SPECS, with_interval
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

TWO = ("rest", "head")
EPOCHS, STEPS = 12, 3
ANY_SPEC = st.sampled_from(list(SPECS)).flatmap(lambda name: SPECS[name])


def told(rate: RateControl, batch: int = 0) -> RateEvent:
    return RateEvent(
        epoch=rate.epochs_done + 1,
        batch=batch,
        epochs=rate.length.epochs,
        groups=[g.name for g in rate.groups],
        lr=rate.rates(),
        plan=rate.planned(),
        holding=[g.hold is not None for g in rate.groups],
        touched=[g.touched for g in rate.groups],
        state=rate.state(),
    )


def drawn(rates: RateEvent) -> Curve:
    query = CurveQuery(
        key="test",
        recipe=Recipe(),
        group_names=tuple(rates.groups),
        steps_per_epoch=rates.state["steps_per_epoch"],
        epochs=rates.epochs,
        state=rates.state,
        position=(rates.epoch, rates.batch),
    )
    return draw(query)


def train(rate: RateControl, epochs: int, batches: int = 0) -> None:
    for _ in range(epochs):
        for _ in range(STEPS):
            rate.step_done()
        rate.epoch_done({"val_loss": 1.0})
    for _ in range(batches):
        rate.step_done()


@settings(max_examples=60, deadline=None)
@given(ANY_SPEC, st.sampled_from(("epoch", "step")), st.integers(0, 4), st.integers(1, 4), st.integers(0, STEPS - 1))
def test_the_rest_is_what_would_be_drawn_anew(
    spec: ScheduleSpec, interval: str, first: int, more: int, batches: int
) -> None:
    spec = spec if isinstance(spec, ReduceLROnPlateau) else with_interval(spec, interval)
    rate = control(spec, names=TWO, epochs=EPOCHS, steps=STEPS)
    train(rate, first)
    before = told(rate)
    curve = drawn(before)
    train(rate, more, batches)
    now = told(rate, batches)
    rest, anew = rest_of(curve, now), drawn(now)
    if rest is None:  # a metric moved the plan
        assert isinstance(spec, ReduceLROnPlateau)
        return
    assert course_of(before) == course_of(now)
    assert rest.x.tolist() == anew.x.tolist()
    assert np.array_equal(rest.lr, anew.lr)


@pytest.mark.parametrize(
    "act",
    [
        SetLR(lr=0.3),
        SetLR(lr=0.3, then="hold", group="head"),
        ScaleLR(factor=0.5),
        SetSchedule(schedule=StepLR(step_size=5)),
        SetSchedule(schedule=CosineAnnealingLR(T_max=9)),
        SetEpochs(epochs=40),
    ],
    ids=lambda act: act.command,
)
def test_an_act_of_the_hand_is_another_course(act: SetLR | ScaleLR | SetSchedule | SetEpochs) -> None:
    rate = control(StepLR(step_size=5), names=TWO, epochs=EPOCHS, steps=STEPS)
    train(rate, 2)
    before, lr = course_of(told(rate)), rate.rates()
    if isinstance(act, SetLR):
        rate.set_lr(act.lr, act.then, act.group)
    elif isinstance(act, ScaleLR):
        rate.scale_lr(act.factor, act.then, act.group)
    elif isinstance(act, SetEpochs):
        rate.set_epochs(act.epochs)
    else:
        rate.swap(act.schedule, None, None, None)
        assert rate.rates() == lr  # so that only the course can tell
    assert course_of(told(rate)) != before


def test_released_at_the_rate_of_the_plan_is_another_course() -> None:
    rate = control(StepLR(step_size=5), names=TWO, epochs=EPOCHS, steps=STEPS)
    rate.set_lr(rate.rates()[0], "hold", None)
    before = course_of(told(rate))
    rate.release_lr(None)
    assert course_of(told(rate)) != before


def test_while_nobody_acts_the_window_asks_for_no_curve_again(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[CurveQuery] = []
    curve = questions.curve

    def counted(query: CurveQuery, cancelled: questions.Cancelled) -> Curve:
        if query.state is not None:
            asked.append(query)
        return curve(query, cancelled)

    monkeypatch.setattr(questions, "curve", counted)
    driver.stand(tiny(), 2, 1)
    driver.wait(lambda: asked)
    driver.settle()
    before = len(asked)
    driver.go_on_to(5)
    driver.wait(lambda: driver.window.plots.rate.plan.begin == 4.0)
    assert driver.window.plots.rate.plan.curve is not None
    assert driver.window.plots.rate.plan.curve.lr[:, 0].tolist() == pytest.approx([0.0125, 0.0125, 0.0125])
    assert len(asked) == before
    driver.app.runs.post(ScaleLR(factor=0.5))
    driver.wait(lambda: len(asked) == before + 1)
    driver.app.runs.post(Note(text="nothing"))
    driver.app.runs.post(ReleaseLR())
    driver.wait(lambda: len(asked) == before + 2)

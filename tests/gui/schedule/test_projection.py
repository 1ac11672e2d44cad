"""What is left of a planned curve is what would be computed anew; where it is not, that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.common.position import Position
from engine.common.progress import IsCancelled
from engine.lr.control import LRControl
from engine.lr.preview import draw
from engine.lr.view import schedule_views
from engine.messages.commands import Note, ReleaseLR, ScaleLR, SetEpochs, SetLR, SetSchedule
from engine.messages.events import LREvent
from engine.messages.preview import Curve, CurveQuery
from engine.messages.schedule_view import ControlState
from engine.recipe.recipe import Recipe
from engine.schedules import CosineAnnealingLR, ReduceLROnPlateau, ScheduleSpec, StepLR
from engine.training import queries
from gui.schedule.projection import course_of, rest_of
from tests.engine.raw_torch import control, control_if_usable
from tests.engine.strategies import SPECS, with_interval
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

TWO = ("rest", "head")
EPOCHS, STEPS = 12, 3
ANY_SPEC = st.sampled_from(list(SPECS)).flatmap(lambda name: SPECS[name])


def told(lr: LRControl, batch: int = 0) -> LREvent:
    return LREvent(
        epoch=lr.epochs_done + 1,
        batch=batch,
        epochs=lr.length.epochs,
        groups=[g.name for g in lr.groups],
        lr=lr.current(),
        steps_per_epoch=lr.length.steps_per_epoch,
        scheduled=lr.scheduled(),
        holding=[g.hold is not None for g in lr.groups],
        touched=[g.touched for g in lr.groups],
        schedules=schedule_views(lr, Position(epoch=lr.epochs_done + 1, batch=batch)),
        control=ControlState(lr.state()),
    )


def drawn(lrs: LREvent) -> Curve:
    query = CurveQuery(
        key="test",
        recipe=Recipe(),
        group_names=tuple(lrs.groups),
        steps_per_epoch=lrs.steps_per_epoch,
        epochs=lrs.epochs,
        control=lrs.control,
        position=lrs.position,
    )
    return draw(query)


def train(lr: LRControl, epochs: int, batches: int = 0) -> None:
    for _ in range(epochs):
        for _ in range(STEPS):
            lr.step_done()
        lr.epoch_done({"val_loss": 1.0})
    for _ in range(batches):
        lr.step_done()


@settings(max_examples=60, deadline=None)
@given(ANY_SPEC, st.sampled_from(("epoch", "step")), st.integers(0, 4), st.integers(1, 4), st.integers(0, STEPS - 1))
def test_the_rest_is_what_would_be_drawn_again(
    spec: ScheduleSpec, interval: str, first: int, more: int, batches: int
) -> None:
    spec = spec if isinstance(spec, ReduceLROnPlateau) else with_interval(spec, interval)
    lr = control_if_usable(spec, names=TWO, epochs=EPOCHS, steps=STEPS)
    train(lr, first)
    before = told(lr)
    curve = drawn(before)
    train(lr, more, batches)
    now = told(lr, batches)
    rest, anew = rest_of(curve, now), drawn(now)
    if rest is None:  # a metric moved the plan
        assert isinstance(spec, ReduceLROnPlateau)
        return
    assert course_of(before) == course_of(now)
    assert rest.x.tolist() == anew.x.tolist()
    assert np.array_equal(rest.lr, anew.lr)


@pytest.mark.parametrize(
    "intervention",
    [
        SetLR(lr=0.3),
        SetLR(lr=0.3, then="hold", group="head"),
        ScaleLR(factor=0.5),
        SetSchedule(schedule=StepLR(step_size=5)),
        SetSchedule(schedule=CosineAnnealingLR(T_max=9)),
        SetEpochs(epochs=40),
    ],
    ids=lambda intervention: intervention.command,
)
def test_an_intervention_is_another_course(intervention: SetLR | ScaleLR | SetSchedule | SetEpochs) -> None:
    rate = control(StepLR(step_size=5), names=TWO, epochs=EPOCHS, steps=STEPS)
    train(rate, 2)
    before, lr = course_of(told(rate)), rate.current()
    if isinstance(intervention, SetLR):
        rate.set_lr(intervention.lr, intervention.then, intervention.group)
    elif isinstance(intervention, ScaleLR):
        rate.scale_lr(intervention.factor, intervention.then, intervention.group)
    elif isinstance(intervention, SetEpochs):
        rate.set_epochs(intervention.epochs)
    else:
        rate.swap(intervention.schedule, None, None, None)
        assert rate.current() == lr  # so that only the course can tell
    assert course_of(told(rate)) != before


def test_released_at_the_lr_of_the_schedule_is_another_course() -> None:
    lr = control(StepLR(step_size=5), names=TWO, epochs=EPOCHS, steps=STEPS)
    lr.set_lr(lr.current()[0], "hold", None)
    before = course_of(told(lr))
    lr.release_lr(None)
    assert course_of(told(lr)) != before


def test_while_nobody_interventions_the_window_asks_for_no_curve_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[CurveQuery] = []
    curve = queries.curve

    def counted(query: CurveQuery, cancelled: IsCancelled) -> Curve:
        if query.control is not None:
            asked.append(query)
        return curve(query, cancelled)

    monkeypatch.setattr(queries, "curve", counted)
    driver.stand(tiny(), 2, 1)
    driver.wait(lambda: asked)
    driver.settle()
    before = len(asked)
    driver.go_on_to(5)
    driver.wait(lambda: driver.window.plots.lr.projected.begin == 4.0)
    assert driver.window.plots.lr.projected.curve is not None
    assert driver.window.plots.lr.projected.curve.lr[:, 0].tolist() == pytest.approx([0.0125, 0.0125, 0.0125])
    assert len(asked) == before
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.wait(lambda: len(asked) == before + 1)
    driver.app.current_run.post(Note(text="nothing"))
    driver.app.current_run.post(ReleaseLR())
    driver.wait(lambda: len(asked) == before + 2)

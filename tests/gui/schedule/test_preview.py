"""The rest of a projected curve equals a curve that is computed again, or is known not to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.lr.preview
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
from gui.schedule.preview import course_of, rest_of
from tests.engine.raw_torch import control, control_if_usable
from tests.engine.strategies import SPECS, with_interval
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

TWO = ("rest", "head")
EPOCHS, STEPS = 12, 3
ANY_SPEC = st.sampled_from(list(SPECS)).flatmap(lambda name: SPECS[name])


def lr_event(lr: LRControl, batch: int = 0) -> LREvent:
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
def test_the_rest_equals_a_curve_that_is_computed_again(
    spec: ScheduleSpec, interval: str, first: int, more: int, batches: int
) -> None:
    spec = spec if isinstance(spec, ReduceLROnPlateau) else with_interval(spec, interval)
    lr = control_if_usable(spec, names=TWO, epochs=EPOCHS, steps=STEPS)
    train(lr, first)
    before = lr_event(lr)
    curve = drawn(before)
    train(lr, more, batches)
    now = lr_event(lr, batches)
    rest, again = rest_of(curve, now), drawn(now)
    if rest is None:  # a metric changed the LR
        assert isinstance(spec, ReduceLROnPlateau)
        return
    assert course_of(before) == course_of(now)
    assert rest.x.tolist() == again.x.tolist()
    assert np.array_equal(rest.lr, again.lr)


def test_the_rest_of_a_thinned_curve_begins_at_the_current_lr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.lr.preview, "MOST_POINTS", 5)
    lr = control(CosineAnnealingLR(T_max=EPOCHS * STEPS, interval="step"), epochs=EPOCHS, steps=STEPS)
    curve = drawn(lr_event(lr))
    train(lr, 3, 2)
    rest = rest_of(curve, lr_event(lr, 2))
    assert rest is not None
    assert (rest.x[0], rest.lr[0].tolist()) == (3 + 2 / STEPS, lr.current())
    assert rest.x[1] > rest.x[0]
    assert rest.x[-1] == EPOCHS


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
def test_an_intervention_changes_the_course(intervention: SetLR | ScaleLR | SetSchedule | SetEpochs) -> None:
    lr = control(StepLR(step_size=5), names=TWO, epochs=EPOCHS, steps=STEPS)
    train(lr, 2)
    before, current = course_of(lr_event(lr)), lr.current()
    if isinstance(intervention, SetLR):
        lr.set_lr(intervention.lr, intervention.then, intervention.group)
    elif isinstance(intervention, ScaleLR):
        lr.scale_lr(intervention.factor, intervention.then, intervention.group)
    elif isinstance(intervention, SetEpochs):
        lr.set_epochs(intervention.epochs)
    else:
        lr.swap(intervention.schedule, None, None, None)
        assert lr.current() == current  # so that only the course differs
    assert course_of(lr_event(lr)) != before


def test_a_release_at_the_scheduled_lr_changes_the_course() -> None:
    lr = control(StepLR(step_size=5), names=TWO, epochs=EPOCHS, steps=STEPS)
    lr.set_lr(lr.current()[0], "hold", None)
    before = course_of(lr_event(lr))
    lr.release_lr(None)
    assert course_of(lr_event(lr)) != before


def test_without_an_intervention_no_curve_is_requested_again(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[CurveQuery] = []
    curve = queries.curve

    def counted(query: CurveQuery, cancelled: IsCancelled) -> Curve:
        if query.control is not None:
            requested.append(query)
        return curve(query, cancelled)

    monkeypatch.setattr(queries, "curve", counted)
    driver.pause_at(tiny(), 2, 1)
    driver.wait(lambda: requested)
    driver.settle()
    before = len(requested)
    driver.resume_to(5)
    driver.wait(lambda: driver.window.plots.lr.projected.begin == 4.0)
    assert driver.window.plots.lr.projected.curve is not None
    assert driver.window.plots.lr.projected.curve.lr[:, 0].tolist() == pytest.approx([0.0125, 0.0125, 0.0125])
    assert len(requested) == before
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.wait(lambda: len(requested) == before + 1)
    driver.app.current_run.post(Note(text="nothing"))
    driver.app.current_run.post(ReleaseLR())
    driver.wait(lambda: len(requested) == before + 2)

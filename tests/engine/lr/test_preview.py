"""The projected LRs are those of training, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.common.errors import Rejected
from engine.common.position import Position
from engine.lr import preview
from engine.lr.control import LRControl
from engine.lr.preview import draw, walk
from engine.messages.commands import Note, ReleaseLR, ScaleLR, SetLR, SetSchedule
from engine.messages.preview import Curve, CurveQuery
from engine.messages.schedule_view import ControlState
from engine.recipe.recipe import SGD, Recipe
from engine.schedules import Constant, CyclicLR, ExponentialLR, ReduceLROnPlateau, ScheduleSpec, StepLR
from tests.engine.raw_torch import after, control, expression
from tests.engine.strategies import LRS, SPECS, with_interval

TWO = ("rest", "head")
EPOCHS, STEPS = 12, 3


def recipe_of(schedule: ScheduleSpec, lr: float = 0.1, epochs: int = EPOCHS) -> Recipe:
    return Recipe(optimizer=SGD(lr=lr, momentum=0.9), schedule=schedule, epochs=epochs)


def ask(lr: LRControl, position: Position, intervention: Any = None, history: Any = ()) -> Curve:
    """The projected LRs of a live run, from its state as JSON."""
    return draw(
        CurveQuery(
            key="test",
            recipe=Recipe(),
            group_names=tuple(g.name for g in lr.groups),
            epochs=lr.length.epochs,
            control=ControlState(lr.state()),
            position=position,
            intervention=intervention,
            history=history,
        )
    )


def trained(lr: LRControl, position: Position) -> list[tuple[float, list[float]]]:
    """Epochs completed and current LRs, for every batch to the end; ``lr`` itself is stepped."""
    seen, batches = [], lr.length.steps_per_epoch
    for epoch in range(position.epoch, lr.length.epochs + 1):
        for batch in range(position.batch if epoch == position.epoch else 0, batches):
            seen.append((epoch - 1 + batch / batches, lr.current()))
            lr.step_done()
        lr.epoch_done(None)
    return seen


def drawn_at(curve: Curve, x: float) -> list[float]:
    """The curve's LRs at ``x``; it is drawn as steps."""
    lrs: list[float] = curve.lr[int(np.searchsorted(curve.x, x, side="right")) - 1].tolist()
    return lrs


def assert_drawn_as_trained(curve: Curve, lr: LRControl, position: Position) -> None:
    assert curve.problem is None
    for x, lrs in trained(lr, position):
        assert drawn_at(curve, x) == lrs


ANY_SPEC = st.sampled_from(list(SPECS)).flatmap(lambda name: SPECS[name])
EITHER_INTERVAL = st.tuples(ANY_SPEC, st.sampled_from(["epoch", "step"])).map(
    lambda t: t[0] if isinstance(t[0], ReduceLROnPlateau) else with_interval(*t)
)
GROUP = st.sampled_from([None, *TWO])
THEN = st.sampled_from(["keep", "follow", "hold"])
INTERVENTIONS = st.one_of(
    st.builds(SetLR, lr=LRS, then=THEN, group=GROUP),
    st.builds(ScaleLR, factor=st.floats(0.1, 3), then=THEN, group=GROUP),
    st.builds(ReleaseLR, group=GROUP),
    st.builds(SetSchedule, schedule=EITHER_INTERVAL, group=GROUP, start=st.sampled_from(["here", "replay"])),
    st.builds(SetSchedule, schedule=EITHER_INTERVAL, lr=LRS, group=GROUP),
)


@settings(max_examples=60)
@given(
    spec=EITHER_INTERVAL, interventions=st.lists(st.tuples(st.integers(0, 4), INTERVENTIONS), min_size=1, max_size=5)
)
def test_a_pending_change_is_drawn_as_training_applies_it(
    spec: ScheduleSpec, interventions: list[tuple[int, Any]]
) -> None:
    lr, done = control(spec, epochs=EPOCHS, steps=STEPS, names=TWO), 0
    for batches, intervention in interventions:
        for _ in range(batches):
            lr.step_done()
            done += 1
            if done % STEPS == 0:
                lr.epoch_done({"val_loss": 1.0 + done % 4})
        position = Position(epoch=done // STEPS + 1, batch=done % STEPS)
        history = [{"val_loss": 1.0}] * (done // STEPS)
        curve, before = ask(lr, position, intervention, tuple(history)), lr.state()
        if curve.problem is not None:
            with pytest.raises(Rejected) as refusal:
                lr.apply(intervention, history)
            assert curve.problem == refusal.value.reason
            assert lr.state() == before
            continue
        lr.apply(intervention, history)
        assert_drawn_as_trained(curve, lr.copy(), position)
        assert_drawn_as_trained(ask(lr, position), lr.copy(), position)


@settings(max_examples=60)
@given(spec=EITHER_INTERVAL, lr=LRS)
def test_a_recipe_is_drawn_as_it_trains(spec: ScheduleSpec, lr: float) -> None:
    recipe = recipe_of(spec, lr)
    curve = draw(CurveQuery(key="test", recipe=recipe, steps_per_epoch=STEPS, epochs=EPOCHS))
    assert_drawn_as_trained(curve, LRControl.from_recipe(recipe, ("all",), STEPS), Position(epoch=1))
    assert curve.x[-1] == EPOCHS
    assert curve.lr[-1].tolist() == curve.lr[-2].tolist()


def test_one_point_per_epoch_or_per_batch() -> None:
    curve = draw(CurveQuery(key="k", recipe=recipe_of(StepLR(step_size=2, gamma=0.5)), steps_per_epoch=4, epochs=5))
    assert curve.key == "k"
    assert curve.x.tolist() == [0, 1, 2, 3, 4, 5]
    assert curve.lr.tolist() == [[0.1], [0.1], [0.05], [0.05], [0.025], [0.025]]
    assert curve.lr.dtype == np.float64
    stepwise = StepLR(step_size=1, gamma=0.5, interval="step")
    curve = draw(CurveQuery(key="k", recipe=recipe_of(stepwise), steps_per_epoch=4, epochs=1))
    assert curve.x.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.lr[:, 0].tolist() == [0.1, 0.05, 0.025, 0.0125, 0.0125]


def test_a_live_run_is_drawn_from_its_position() -> None:
    lr = after(control(StepLR(step_size=1, gamma=0.5, interval="step"), epochs=4, steps=4), 2)
    lr.step_done()
    curve = ask(lr, Position(epoch=3, batch=1))
    assert curve.x.tolist() == [2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4]
    assert curve.lr[0, 0] == 0.1 * 0.5**9


def test_the_epochs_in_an_expression_are_those_of_the_query() -> None:
    recipe = recipe_of(expression("1 - epoch / epochs"), 1.0, epochs=100)
    assert draw(CurveQuery(key="k", recipe=recipe, epochs=4)).lr[:, 0].tolist() == [1, 0.75, 0.5, 0.25, 0.25]


def test_a_plateau_is_drawn_flat() -> None:
    curve = draw(CurveQuery(key="k", recipe=recipe_of(ReduceLROnPlateau(patience=0)), epochs=20))
    assert set(curve.lr[:, 0]) == {0.1}


def test_what_cannot_be_drawn_has_a_problem() -> None:
    curve = draw(CurveQuery(key="k", recipe=recipe_of(expression("1 - epoch / 5")), epochs=20))
    assert curve.problem is not None
    assert "at epoch = 6 the expression '1 - epoch / 5' gives a negative number" in curve.problem
    assert curve.x.shape == (0,)
    assert curve.lr.shape == (0, 1)
    refused = ask(control(Constant()), Position(epoch=1), ReleaseLR())
    assert refused.problem == "the LR is on its schedule already"


def test_the_curve_has_the_warnings() -> None:
    odd = ReduceLROnPlateau(monitor="val_accuracy", mode="min")
    assert draw(CurveQuery(key="k", recipe=recipe_of(odd), epochs=3)).warnings == tuple(odd.warnings())
    rising = ask(control(StepLR(step_size=1, gamma=2.0)), Position(epoch=1), SetLR(lr=0.01, then="follow"))
    assert "rises to" in rising.warnings[0]
    swapped = ask(control(Constant()), Position(epoch=1), SetSchedule(schedule=odd))
    assert swapped.warnings == tuple(odd.warnings())


def test_a_longer_run_is_drawn_to_its_end_with_a_warning_where_the_schedule_ends_before() -> None:
    lr = control(expression("1 - epoch / 9"), 1.0, epochs=10)
    query = CurveQuery(key="k", recipe=Recipe(), epochs=15, control=ControlState(lr.state()))
    curve = draw(query)
    assert curve.x[-1] == 15
    assert curve.lr[9:, 0].tolist() == [0.0] * 7
    assert "does not reach the new end" in curve.warnings[0]
    assert lr.length.epochs == 10


def test_an_intervention_that_does_not_change_lrs_is_drawn_without_a_change() -> None:
    lr = control(ExponentialLR(gamma=0.5), epochs=5)
    assert ask(lr, Position(epoch=1), Note(text="why")).lr.tolist() == ask(lr, Position(epoch=1)).lr.tolist()


def test_a_cancelled_curve_is_empty_without_a_problem() -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) == 2

    recipe = recipe_of(Constant(interval="step"), epochs=50)
    curve = draw(CurveQuery(key="k", recipe=recipe, steps_per_epoch=100, epochs=50), cancelled)
    assert (len(curve.x), len(curve.lr), curve.problem, len(asked)) == (0, 0, None, 2)


def test_drawing_does_not_change_the_given_state() -> None:
    lr = control(StepLR(step_size=2, gamma=0.5), names=TWO)
    state, before = lr.state(), lr.state()
    draw(
        CurveQuery(
            key="k",
            recipe=Recipe(),
            group_names=TWO,
            control=ControlState(state),
            intervention=SetLR(lr=0.5, then="hold"),
        )
    )
    assert state == before == lr.state()


def test_a_walk_yields_the_chosen_positions_on_the_way() -> None:
    lr = after(control(StepLR(step_size=1, gamma=0.5), 0.8, epochs=4, steps=2), 1)
    lr.step_done()
    seen = [(epoch, batch, lrs[0]) for epoch, batch, lrs in walk(lr, Position(epoch=2, batch=1), (0, 1, 4))]
    assert seen == [(2, 1, 0.4), (3, 0, 0.2), (4, 1, 0.1)]


@pytest.mark.parametrize("interval", ["epoch", "step"])
@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=4)
@given(data=st.data(), begin=st.integers(1, 20))
def test_of_very_many_positions_some_are_drawn_each_as_it_trains(
    interval: str, name: str, data: Any, begin: int
) -> None:
    spec = data.draw(SPECS[name])
    lr = control(with_interval(spec, interval) if name != "ReduceLROnPlateau" else spec, epochs=60, steps=STEPS)
    position = Position(epoch=begin, batch=1)
    for _ in range((begin - 1) * STEPS + 1):
        lr.step_done()
    for _ in range(begin - 1):
        lr.epoch_done(None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(preview, "MOST_POINTS", 10)
        curve = ask(lr, position)
    every = dict(trained(lr.copy(), position))
    assert curve.thinned
    assert len(curve.x) == 11
    assert (np.diff(curve.x) > 0).all()
    assert all(lrs == every[x] for x, lrs in zip(curve.x.tolist()[:-1], curve.lr.tolist()[:-1], strict=True))
    assert curve.x[0] == begin - 1 + 1 / STEPS


def test_the_points_of_a_thinned_curve_show_the_height_of_cycles_between_them() -> None:
    spec = CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=10, cycle_momentum=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(preview, "MOST_POINTS", 200)
        curve = draw(CurveQuery(key="test", recipe=recipe_of(spec), steps_per_epoch=2000, epochs=2))
    assert (curve.lr.min(), curve.lr.max()) == (0.01, 0.1)

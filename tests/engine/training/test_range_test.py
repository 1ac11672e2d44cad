"""The LR range test: what it tries, when it ends, and that it does not change the run."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from engine.advice.lr_suggestions import FloatArray, Smoothed
from engine.common.errors import Cancelled, Rejected, SpecError
from engine.common.position import Position
from engine.common.spec import parse
from engine.data.registry import load
from engine.messages.commands import CancelFind, FindLR, Freeze, Pause, Resume, SetLR, Stop
from engine.messages.events import CommandEvent, DivergedEvent, EndEvent, Event, RangeTestEvent, RangeTestProgressEvent
from engine.training.job import Job
from engine.training.range_test import DIVERGED, RangeTestResult, lrs_tried, shares, sweep
from engine.training.run_state import RunState, weights_sha256
from engine.training.step import Stepper
from tests.engine.running import DEVICES, OPTIMIZERS, PER_EPOCH, Live, at, commands, recipe, run
from tests.engine.training.test_step import equal

GROUPS = [{"name": "head", "modules": ["head"], "lr": 0.1}]
SMALL = FindLR(lr_min=1e-5, lr_max=1.0, steps=20)


def state_of(steps: int = 0, network: str = "tiny", device: str = "cpu", **changes: Any) -> RunState:
    """A run after ``steps`` batches."""
    built = recipe(network, device=device, **changes)
    state = RunState(built, load(built.data), torch.device(device))
    for index in range(steps):
        state.lr_control.write(state.optimizer)
        state.stepper.step(*state.batches.batch(1, index), state.meter.sums)
        state.lr_control.step_done()
    state.position = Position(epoch=1, batch=steps)
    return state


def find(state: RunState, settings: FindLR = SMALL) -> RangeTestResult:
    return sweep(state, settings, lambda done, total: None, lambda: False)


def whole(state: RunState) -> list[Any]:
    """Everything that a sweep could have changed."""
    capture = state.capture()
    optimizer = capture.pop("optimizer")
    groups = [{k: v for k, v in g.items() if k != "params"} for g in state.optimizer.param_groups]
    grads = [None if p.grad is None else p.grad.clone() for p in state.model.parameters()]
    modes = [m.training for m in state.model.modules()]
    needs = [p.requires_grad for p in state.model.parameters()]
    made = [list(s) for s in state.optimizer.state.values()]
    return [capture, optimizer, groups, grads, modes, needs, made, state.position, weights_sha256(state.model)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("steps", [0, 2], ids=["fresh", "in mid-epoch"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_sweep_leaves_the_run_as_it_was(optimizer: str, steps: int, device: str) -> None:
    state = state_of(steps, device=device, optimizer=OPTIMIZERS[optimizer], groups=GROUPS)
    before = whole(state)
    objects = [id(t) for t in (state.model, state.optimizer, state.lr_control, *state.optimizer.state)]
    drawn = random.getstate(), pickle.dumps(np.random.get_state())
    found = find(state)
    assert len(found.lr) > 10
    assert equal(whole(state), before)
    assert [id(t) for t in (state.model, state.optimizer, state.lr_control, *state.optimizer.state)] == objects
    assert (random.getstate(), pickle.dumps(np.random.get_state())) == drawn
    assert bool(state.optimizer.state) == (steps > 0 and optimizer != "SGD")


def test_dropout_draws_during_a_sweep_and_the_generator_is_restored() -> None:
    state = state_of()
    before = torch.get_rng_state()
    seen: list[bool] = []
    sweep(
        state,
        SMALL,
        lambda done, total: seen.append(torch.equal(torch.get_rng_state(), before)),
        lambda: False,
    )
    assert seen[0]
    assert not any(seen[1:])
    assert torch.equal(torch.get_rng_state(), before)
    assert state.model.training


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_with_range_tests_ends_with_the_same_weights(optimizer: str) -> None:
    made = recipe(optimizer=OPTIMIZERS[optimizer], data={"name": "digits", "batch_size": 512, "augment": True})
    plain = run(made).end.weights_sha256
    with Live(Job(recipe=made, begin=False)) as live:
        live.reach("ready")
        assert live.ask(SMALL).status == "applied"  # before the optimizer has any state
        live.pause_at(1, 2)
        assert live.ask(SMALL).status == "applied"
        history, interventions = list(live.state.history), list(live.state.interventions)
        assert live.ask(SMALL).status == "applied"
        assert (live.state.history, live.state.interventions) == (history, interventions) == ([], [])
        late = live.trainer.post(SMALL, Position(epoch=3, batch=0))
        live.trainer.post(Resume())
        end = live.finish()
        assert {a.id: a.status for a in live.events.answers}[late] == "applied"
    assert end.weights_sha256 == plain


def test_the_batches_continue_from_the_position_and_start_again_at_the_epochs_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = state_of(2)
    wanted: list[tuple[int, int]] = []
    batch = state.batches.batch

    def noted(epoch: int, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        wanted.append((epoch, index))
        return batch(epoch, index)

    monkeypatch.setattr(state.batches, "batch", noted)
    find(state)
    assert wanted == [(1, (2 + i) % PER_EPOCH) for i in range(20)]


def test_a_sweep_is_training_at_rising_lrs() -> None:
    """Compared with the same steps on another run."""
    state, other = state_of(1), state_of(1)
    torch.set_rng_state(state.capture()["random"]["torch"])
    found = find(state)
    losses = []
    for step, lr in enumerate(lrs_tried(SMALL)):
        other.optimizer.param_groups[0]["lr"] = lr
        losses.append(float(other.stepper.step(*other.batches.batch(1, (1 + step) % PER_EPOCH), other.meter.sums)[0]))
    assert found.loss.tolist() == losses
    assert found.lr.tolist() == lrs_tried(SMALL)
    assert not found.diverged


def test_the_lrs_rise_by_a_constant_factor() -> None:
    lrs = lrs_tried(FindLR())
    assert (len(lrs), lrs[0], lrs[-1]) == (100, 1e-6, 10.0)
    assert np.diff(np.log(lrs)) == pytest.approx(np.full(99, np.log(1e7) / 99))


def test_groups_keep_their_proportions_and_the_fastest_gets_the_lr(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(groups=GROUPS)  # rest 0.05, head 0.1
    state.lr_control.set_lr(0.025, "hold", "rest")
    tried: list[list[float]] = []
    step = Stepper.step

    def noted(self: Stepper, *given: Any) -> Any:
        tried.append([g["lr"] for g in self._optimizer.param_groups])
        return step(self, *given)

    monkeypatch.setattr(Stepper, "step", noted)
    find(state)
    assert [head for _, head in tried] == lrs_tried(SMALL)
    assert [rest / head for rest, head in tried] == pytest.approx([0.25] * 20)
    assert shares([0.0, 0.0]) == [1.0, 1.0]
    assert shares([0.0, 0.1]) == [0.0, 1.0]


def test_momentum_that_a_schedule_cycles_is_that_of_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(schedule={"name": "OneCycleLR", "max_lr": 0.1, "base_momentum": 0.8, "max_momentum": 0.9})
    assert state.optimizer.param_groups[0]["momentum"] == 0.9
    for _ in range(2):
        state.lr_control.step_done()
    seen: set[float] = set()
    step = Stepper.step

    def noted(self: Stepper, *given: Any) -> Any:
        seen.add(self._optimizer.param_groups[0]["momentum"])
        return step(self, *given)

    monkeypatch.setattr(Stepper, "step", noted)
    find(state)
    monkeypatch.undo()
    assert state.optimizer.param_groups[0]["momentum"] == 0.9
    state.lr_control.write(state.optimizer)
    assert seen == {state.optimizer.param_groups[0]["momentum"]} != {0.9}


def test_a_frozen_group_does_not_change_during_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(groups=GROUPS)
    state.freeze("rest")
    models: list[Any] = []
    step = Stepper.step

    def noted(self: Stepper, *given: Any) -> Any:
        models.append(self._network.module)
        return step(self, *given)

    before = copy.deepcopy(dict(state.model.state_dict()))
    monkeypatch.setattr(Stepper, "step", noted)
    find(state)
    after = models[-1].state_dict()
    assert models[-1] is not state.model
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"head.weight", "head.bias"}


def running(losses: FloatArray) -> FloatArray:
    """The average after each loss, by which a test knows that the loss diverged."""
    average = Smoothed()
    return np.array([average.add(loss) for loss in losses])


def test_a_diverging_sweep_ends_early() -> None:
    state = state_of()
    found = find(state, FindLR(lr_min=1e-3, lr_max=1000.0, steps=100))
    assert found.diverged
    assert 10 < len(found.lr) < 100
    assert len(found.lr) == len(found.loss) == len(found.smoothed)
    assert np.isfinite(found.smoothed).all()
    averages = running(found.loss)
    over = averages[10:] > DIVERGED * np.minimum.accumulate(averages[10:])
    assert not over[:-1].any()


def test_the_first_losses_do_not_count_as_divergence() -> None:
    """The network has memorised the first batch: the next batch's loss is more than four times as high."""
    state = state_of(data={"name": "digits", "batch_size": 64})
    state.optimizer.param_groups[0]["lr"] = 0.3
    for _ in range(300):
        state.stepper.step(*state.batches.batch(1, 0), state.meter.sums)
    found = find(state, FindLR(lr_min=1e-6, lr_max=1e-5, steps=20))
    assert running(found.loss)[1] > DIVERGED * found.loss[0]
    assert not found.diverged
    assert len(found.lr) == 20


def test_a_loss_that_is_not_finite_ends_the_sweep_before_it() -> None:
    found = find(state_of(network="poisoned_fifth"))
    assert found.diverged
    assert len(found.lr) == 4
    assert np.isfinite(found.loss).all()
    assert [s.lr for s in found.suggestions] == [None, None]
    nothing = find(state_of(network="poisoned_always"))
    assert (len(nothing.lr), nothing.diverged) == (0, True)
    assert "not finite at the first LR" in nothing.suggestions[0].text


def test_the_suggestions_of_a_real_network_train_it() -> None:
    optimizer = {"name": "SGD", "lr": 0.01, "momentum": 0.9}
    bold, steady = find(state_of(optimizer=optimizer), FindLR()).suggestions
    assert bold.lr is not None
    assert steady.lr is not None
    assert steady.lr < bold.lr
    for lr in (bold.lr, steady.lr):
        trained = run(recipe(optimizer={**optimizer, "lr": lr}, schedule={"name": "Constant"}, epochs=80)).epochs
        assert trained[-1].val_accuracy > 0.7 > trained[0].val_accuracy


def test_progress_is_reported_before_the_first_step_and_after_each() -> None:
    reported: list[tuple[int, int]] = []
    sweep(state_of(), SMALL, lambda done, total: reported.append((done, total)), lambda: False)
    assert reported == [(done, 20) for done in range(21)]


def test_a_cancelled_sweep_takes_no_further_step_and_leaves_the_run_as_it_was() -> None:
    state = state_of(2)
    before, reported = whole(state), [0]
    with pytest.raises(Cancelled):
        sweep(state, SMALL, lambda done, total: reported.append(done), lambda: reported[-1] == 3)
    assert reported[-1] == 3
    assert equal(whole(state), before)


def test_an_error_of_the_network_rejects_the_test_and_does_not_end_the_run() -> None:
    state = state_of(network="breaks_in_training")
    before = torch.get_rng_state()
    with pytest.raises(Rejected, match=r"^the LR range test failed at LR 1e-05: broken, says the test$"):
        find(state)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_that_cannot_be_copied_is_rejected() -> None:
    state = state_of()
    state.model.head.register_buffer("late", torch.zeros(()))
    with pytest.raises(Rejected, match=r"this one cannot be copied: 'head\.late' is missing in the network"):
        find(state)


# -- commands


@pytest.fixture
def live() -> Iterator[Live]:
    with Live(Job(recipe=recipe(epochs=2000), begin=False)) as trainer:
        yield trainer


def findings(live: Live) -> list[RangeTestEvent]:
    return [e for e in live.events if isinstance(e, RangeTestEvent)]


def long(live: Live) -> int:
    """Start a test that takes seconds; returns its id."""
    number = live.trainer.post(FindLR(lr_min=1e-9, lr_max=1e-8, steps=10_000))
    live.wait(lambda e: isinstance(e, RangeTestProgressEvent) and e.id == number and e.done == 1)
    return number


def answered(live: Live, number: int) -> CommandEvent:
    def answer(event: Event) -> bool:
        return isinstance(event, CommandEvent) and event.id == number and event.status != "queued"

    found = live.wait(answer)
    assert isinstance(found, CommandEvent)
    return found


def test_a_range_test_of_a_ready_or_paused_run_does_not_change_it(live: Live) -> None:
    live.reach("ready")
    first = live.ask(SMALL)
    assert (first.status, first.epoch, first.batch, first.name) == ("applied", 1, 0, "find_lr")
    live.pause_at(2, 1)
    second = live.ask(SMALL)
    assert (second.status, second.epoch, second.batch) == ("applied", 2, 1)
    live.reach("paused")
    assert [(e.id, e.epoch, e.batch, e.group) for e in findings(live)] == [
        (first.id, 1, 0, None),
        (second.id, 2, 1, None),
    ]
    reported = [(e.done, e.total) for e in live.events if isinstance(e, RangeTestProgressEvent) and e.id == second.id]
    assert reported == [(done, 20) for done in range(21)]


def test_after_a_range_test_of_a_training_run_it_continues(live: Live) -> None:
    live.reach("ready")
    live.trainer.post(Resume())
    live.reach("training")
    answer = live.ask(SMALL)
    assert answer.status == "applied"
    live.wait(lambda e: e.event == "epoch" and e.epoch > answer.epoch)  # type: ignore[attr-defined]
    live.reach("training")
    assert len(findings(live)) == 1


def test_while_loading_a_range_test_is_pending_until_the_run_is_loaded() -> None:
    live = Live(Job(recipe=recipe(), begin=False))
    number = live.trainer.post(SMALL)
    with live:
        assert answered(live, number).status == "applied"


def test_a_range_test_of_a_diverged_run_is_rejected() -> None:
    with Live(Job(recipe=recipe("poisoned_fifth"), on_divergence="pause")) as live:
        live.wait(lambda e: isinstance(e, DivergedEvent))
        live.reach("diverged")
        answer = live.ask(SMALL)
        assert (answer.status, answer.reason) == (
            "rejected",
            "the loss diverged: go back or resume before an LR range test",
        )
        assert live.ask(CancelFind()).reason == "no LR range test is running"


def test_after_the_end_a_range_test_is_rejected() -> None:
    with Live(Job(recipe=recipe(epochs=1))) as live:
        live.finish()
        assert live.ask(SMALL).reason == "the run has ended"


def test_a_range_test_that_fails_is_rejected_and_the_run_continues(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.pause_at(1, 1)
    live.state.model.head.register_buffer("late", torch.zeros(()))
    answer = live.ask(SMALL)
    assert (answer.status, "cannot be copied" in str(answer.reason)) == ("rejected", True)
    live.trainer.post(Resume())
    live.wait(lambda e: e.event == "epoch")


def test_a_range_test_can_be_cancelled(live: Live) -> None:
    live.reach("ready")
    number = long(live)
    off = live.ask(CancelFind())
    assert (off.status, off.reason) == ("applied", None)
    answer = answered(live, number)
    assert (answer.status, answer.reason) == ("rejected", "the LR range test was cancelled")
    assert not findings(live)
    again = live.ask(CancelFind())
    assert (again.status, again.reason) == ("rejected", "no LR range test is running")


def test_a_pause_or_a_stop_cancels_a_range_test_and_is_applied(live: Live) -> None:
    live.reach("ready")
    live.trainer.post(Resume())
    live.reach("training")
    number = long(live)
    assert live.ask(Pause()).status == "applied"
    assert answered(live, number).reason == "the LR range test was cancelled"
    live.reach("paused")
    number = long(live)
    live.trainer.post(Stop())
    assert live.finish().reason == "stopped"
    assert answered(live, number).reason == "the LR range test was cancelled"


def test_other_commands_posted_meanwhile_are_applied_after_the_range_test(live: Live) -> None:
    live.reach("ready")
    number = long(live)
    set_ = live.trainer.post(SetLR(lr=0.5))
    later = live.trainer.post(Pause(), Position(epoch=5, batch=1))
    live.trainer.post(CancelFind())
    answered(live, number)
    order = [e.id for e in live.events.answers]
    assert answered(live, set_).lr == [0.5]
    assert order.index(number) < [e.id for e in live.events.answers].index(set_)
    assert later not in [e.id for e in live.events.answers]


def test_a_range_test_can_be_posted_for_a_later_position(live: Live) -> None:
    live.reach("ready")
    number = live.trainer.post(SMALL, Position(epoch=2, batch=1))
    live.trainer.post(Resume())
    answer = answered(live, number)
    assert (answer.status, answer.epoch, answer.batch) == ("applied", 2, 1)


def test_with_groups_the_result_names_the_group_of_its_lrs() -> None:
    with Live(Job(recipe=recipe(groups=GROUPS), begin=False)) as live:
        live.reach("ready")
        live.ask(Freeze(group="rest"))
        live.ask(SMALL)
        assert [e.group for e in findings(live)] == ["head"]


def test_a_range_test_is_not_allowed_in_a_commands_file() -> None:
    with pytest.raises(SpecError, match="'find_lr' is not known"):
        commands(at(1, 0, "find_lr"))


@pytest.mark.parametrize(
    ("settings", "field", "problem"),
    [
        ('{"lr_min": 0}', "lr_min", "must be at least 1e-12; it is 0"),
        ('{"lr_max": 1001}', "lr_max", "must be at most 1000"),
        ('{"steps": 19}', "steps", "must be at least 20"),
        ('{"steps": 10001}', "steps", "must be at most 10000"),
        ('{"lr_min": 0.1, "lr_max": 0.1}', "lr_max", "must be greater than the first LR, 0.1"),
        ('{"lr_min": NaN}', "lr_min", "must be a finite number"),
    ],
)
def test_the_range_is_checked(settings: str, field: str, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(FindLR, settings)
    assert caught.value.field == field
    assert problem in caught.value.problem


def test_no_event_of_a_range_test_is_printed(live: Live) -> None:
    live.reach("ready")
    live.ask(SMALL)
    assert not any(e.printed for e in live.events if isinstance(e, (RangeTestEvent, RangeTestProgressEvent)))
    assert not any(isinstance(e, EndEvent) for e in live.events)

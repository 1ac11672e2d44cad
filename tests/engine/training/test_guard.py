"""The guard: a loss above the limit changes nothing and is reported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.common.text import Text
from engine.data.registry import load
from engine.messages.commands import Resume, Rewind
from engine.messages.events import DivergedEvent
from engine.recipe.recipe import DataSpec, GuardSpec, Recipe, recipe_from_json
from engine.training.guard import Divergence, DivergenceTracker, Guard, newest_good, short
from engine.training.job import Job
from engine.training.run_state import RunState
from tests.engine.running import DEVICES, OPTIMIZERS, Events, Live, at, commands, library_at, recipe, run
from tests.engine.training.test_step import equal, everything

EXPLODES = {"name": "SGD", "lr": 1000.0, "momentum": 0.9}


def state_of(optimizer: str, device: str, limit: float | None) -> RunState:
    changes: dict[str, Any] = {"optimizer": OPTIMIZERS[optimizer], "guard": {"loss_limit": limit}, "device": device}
    return RunState(recipe(**changes), load(DataSpec()), torch.device(device))


def train(state: RunState, index: int, factor: float = 1.0) -> bool:
    """Train one batch with its logits multiplied by ``factor``, for a finite loss of any size."""
    x, y = state.batches.batch(1, index)
    head = state.model.get_submodule("head")
    hook = head.register_forward_hook(lambda _module, _inputs, scores: scores * factor)
    try:
        passed = state.stepper.step(x, y, state.meter.sums).passed
    finally:
        hook.remove()
    return passed


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", ["SGD nesterov", "AdamW"])
@pytest.mark.parametrize("steps", [0, 2], ids=["at the first step", "later"])
def test_a_loss_above_the_limit_changes_nothing(optimizer: str, steps: int, device: str) -> None:
    state, clean = state_of(optimizer, device, 1000.0), state_of(optimizer, device, 1000.0)
    for run_state in (state, clean):
        torch.manual_seed(1)
        assert all(train(run_state, index) for index in range(steps))
    before = everything(state)
    assert not train(state, 2, 1e14)
    assert equal(everything(state), before)
    for run_state in (state, clean):
        torch.manual_seed(2)
        assert train(run_state, 1)
    assert equal(everything(state), everything(clean))
    assert state.meter.sums.means() == clean.meter.sums.means()


@pytest.mark.parametrize("limit", [None, 1e30])
def test_without_a_limit_or_below_it_a_huge_loss_is_trained_on(limit: float | None) -> None:
    state = state_of("SGD nesterov", "cpu", limit)
    before = everything(state)
    assert train(state, 0, 1e14)
    assert not equal(everything(state), before)
    assert not train(state_of("SGD nesterov", "cpu", limit), 0, float("nan"))


@pytest.mark.parametrize(
    ("limit", "loss", "masked"),
    [
        (10.0, 10.0, False),
        (10.0, 10.5, True),
        (10.0, float("nan"), True),
        (10.0, float("inf"), True),
        (None, 3e38, False),
        (None, float("nan"), True),
        (None, float("inf"), True),
    ],
)
def test_what_the_guard_masks(limit: float | None, loss: float, masked: bool) -> None:
    assert Guard(GuardSpec(loss_limit=limit)).masks(loss) is masked


def test_a_lr_of_1000_on_batchnorm_ends_the_run_and_reports_the_loss() -> None:
    events = run(recipe(optimizer=EXPLODES, epochs=50))
    assert events.end.reason == "diverged"
    assert events.end.epoch < 50
    text = str(events.end.text)
    assert text.startswith(("the loss was ", "the validation loss of epoch "))
    assert "above the limit of 1000" in text
    assert float(text.split(" was " if " was " in text else " is ")[1].split(" ")[0].strip(",")) > 1000
    (diverged,) = events.of("diverged")
    assert diverged.text == text
    trained = [loss for event in events.of("steps") for loss in event.loss.tolist() if loss == loss]
    assert max(trained) <= 1000


def test_without_a_guard_training_continues() -> None:
    events = run(recipe("loud_fifth", guard={"loss_limit": None}))
    assert events.end.reason == "finished"
    assert max(loss for event in events.of("steps") for loss in event.loss.tolist()) > 50


def weights_at_end(limit: float) -> str:
    """The weights of a run whose fifth loss is above ``limit`` or not, and that is resumed after that."""
    job = Job(recipe=recipe("loud_fifth", guard={"loss_limit": limit}), on_divergence="pause")
    with Live(job) as live:
        if limit < 100:
            live.reach("diverged")
            assert str(diverged(live.events).text).endswith(
                "epoch 2, batch 1, above the limit of 50; that update was skipped"
            )
            live.trainer.post(Resume())
        end = live.finish()
    assert end.reason == "finished"
    return str(end.weights_sha256)


def test_what_is_masked_depends_on_the_recipe_alone() -> None:
    assert weights_at_end(50) == weights_at_end(50)
    assert weights_at_end(50) != weights_at_end(1e30)


def test_a_recipe_without_a_guard_has_the_default() -> None:
    without = json.loads(recipe().to_json())
    del without["guard"]
    assert recipe_from_json(json.dumps(without)) == recipe()
    assert Recipe().guard == GuardSpec(loss_limit=1000.0)


@pytest.mark.parametrize("limit", [0, -1, "much", 1e31])
def test_an_impossible_limit_is_refused(limit: object) -> None:
    with pytest.raises(SpecError) as refusal:
        recipe(guard={"loss_limit": limit})
    assert refusal.value.field == "guard.loss_limit"


@pytest.mark.parametrize(
    ("loss", "text"), [(1000.0, "1000"), (1.2e14, "1.2e14"), (1234.5, "1234.5"), (3e30, "3e30"), (0.5, "0.5")]
)
def test_losses_for_a_person(loss: float, text: str) -> None:
    assert short(loss) == text


# -- the last good state


@pytest.mark.parametrize(
    ("places", "began", "good"),
    [
        ([(1, 0), (2, 0), (2, 2)], (2, 3), (2, 2)),  # a checkpoint before an intervention
        ([(1, 0), (2, 0), (2, 2)], (2, 2), (2, 0)),  # the weights before the masked batch produced its loss
        ([(1, 0), (2, 0)], (2, 0), (2, 0)),  # an epoch's end was validated
        ([(1, 0), (2, 0), (3, 0)], (2, 3), (2, 0)),  # not a newer one
        ([(1, 0)], (1, 0), (1, 0)),
        ([(3, 0)], (2, 1), None),
        ([], (2, 1), None),
    ],
)
def test_the_last_good_state(places: Any, began: tuple[int, int], good: tuple[int, int] | None) -> None:
    positions = [Position(epoch=epoch, batch=batch) for epoch, batch in places]
    found = newest_good(positions, Position(epoch=began[0], batch=began[1]))
    assert (found and (found.epoch, found.batch)) == good


def test_a_divergence_where_the_last_one_was_noticed_began_with_it() -> None:
    tracker = DivergenceTracker()
    positions = [Position(epoch=2, batch=batch) for batch in range(6)]

    def began(batch: int, noticed: int) -> Position:
        return tracker.add(Divergence(positions[batch], Text("too large")), positions[noticed])

    assert began(1, 2) == positions[1]
    assert began(2, 4) == positions[1]  # on a GPU it is noticed later
    assert began(5, 5) == positions[5]


def diverged(events: Events) -> DivergedEvent:
    (event,) = events.of("diverged")
    assert isinstance(event, DivergedEvent)
    return event


def test_the_position_to_go_back_to_is_before_the_intervention_that_caused_it(tmp_path: Path) -> None:
    lines = commands(at(2, 1, "set_lr", lr=1000))
    job = Job(recipe=recipe(epochs=30), lines=lines, on_divergence="pause")
    with library_at(tmp_path) as library, Live(job, library) as live:
        live.reach("diverged")
        event = diverged(live.events)
        assert event.back == Position(epoch=2, batch=1)
        assert live.ask(Rewind(epoch=1, batch=1)).status == "applied"
        assert live.state.lr_control.current() == [pytest.approx(0.05 * 0.7)]
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"


def test_an_epochs_end_that_diverged_is_not_saved(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        events = run(recipe("loud_when_validated_again", epochs=5), library)
        positions = library.positions(events.of("start")[0].run)
    assert re.fullmatch(r"the validation loss of epoch 2 is \S+e\d+, above the limit of 1000", str(events.end.text))
    assert positions == [Position(epoch=1), Position(epoch=2)]

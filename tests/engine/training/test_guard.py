"""The guard: a loss that exploded is not learned from, is said so, and belongs to the recipe; on both ways to mask."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.common.position import Position
from engine.common.spec import SpecError
from engine.common.text import Text
from engine.data.registry import load
from engine.messages.commands import Resume, Rewind
from engine.messages.events import DivergedEvent
from engine.recipe.recipe import DataSpec, GuardSpec, Recipe, recipe_from_json
from engine.training import loop, step
from engine.training.guard import Divergence, DivergenceTracker, Guard, newest_good, short
from engine.training.job import Job
from engine.training.run_state import RunState
from tests.engine.running import DEVICES, OPTIMIZERS, Events, Live, at, commands, library_at, recipe, run
from tests.engine.training.test_step import equal, everything

EXPLODES = {"name": "SGD", "lr": 1000.0, "momentum": 0.9}


@pytest.fixture(params=["host", "device"])
def branch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to leave an update out: looking at the loss, and masking without looking, as on a GPU."""
    way: str = request.param
    if way == "device":
        for module in (step, loop):
            monkeypatch.setattr(module, "looking_is_free", lambda device: False)
    return way


def state_of(optimizer: str, device: str, limit: float | None) -> RunState:
    changes: dict[str, Any] = {"optimizer": OPTIMIZERS[optimizer], "guard": {"loss_limit": limit}, "device": device}
    return RunState(recipe(**changes), load(DataSpec()), torch.device(device))


def train(state: RunState, index: int, factor: float = 1.0) -> bool:
    """One batch, its labels' scores pushed down ``factor`` times: a finite loss of any size."""
    x, y = state.batches.batch(1, index)
    head = state.model.get_submodule("head")
    hook = head.register_forward_hook(lambda _module, _inputs, scores: scores * factor)
    try:
        passed = state.stepper.step(x, y, state.meter.sums).passed
    finally:
        hook.remove()
    return bool(passed)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", ["SGD nesterov", "AdamW"])
@pytest.mark.parametrize("steps", [0, 2], ids=["at the first step", "later"])
def test_a_loss_above_the_limit_reaches_nothing(branch: str, optimizer: str, steps: int, device: str) -> None:
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
def test_without_a_limit_or_below_it_a_huge_loss_is_learned_from(branch: str, limit: float | None) -> None:
    state = state_of("SGD nesterov", "cpu", limit)
    before = everything(state)
    assert train(state, 0, 1e14)
    assert not equal(everything(state), before)
    assert not train(state_of("SGD nesterov", "cpu", limit), 0, float("nan"))


@pytest.mark.parametrize(
    ("limit", "loss", "passes"),
    [
        (10.0, 10.0, True),
        (10.0, 10.5, False),
        (10.0, float("nan"), False),
        (10.0, float("inf"), False),
        (None, 3e38, True),
        (None, float("nan"), False),
        (None, float("inf"), False),
    ],
)
def test_the_device_and_the_words_judge_alike(limit: float | None, loss: float, passes: bool) -> None:
    guard = Guard(GuardSpec(loss_limit=limit))
    assert bool(guard.passes(torch.tensor(loss))) is passes
    assert guard.objects_to(loss) is not passes


def test_a_lr_of_1000_on_batchnorm_ends_the_run_and_says_how_large_the_loss_was(branch: str) -> None:
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


def test_a_guard_that_is_off_lets_it_train_on() -> None:
    events = run(recipe("loud_fifth", guard={"loss_limit": None}))
    assert events.end.reason == "finished"
    assert max(loss for event in events.of("steps") for loss in event.loss.tolist()) > 50


def goes_on_to_the_end(limit: float) -> str:
    """The weights of a run whose fifth loss is above ``limit``, or is not, and that is gone on with."""
    job = Job(recipe=recipe("loud_fifth", guard={"loss_limit": limit}), on_divergence="pause")
    with Live(job) as live:
        if limit < 100:
            live.reach("diverged")
            assert str(diverged(live.events).text).endswith(
                "epoch 2, batch 1, above the limit of 50; that update was not made"
            )
            live.trainer.post(Resume())
        end = live.finish()
    assert end.reason == "finished"
    return str(end.weights_sha256)


def test_what_is_left_out_is_decided_by_the_recipe_alone() -> None:
    assert goes_on_to_the_end(50) == goes_on_to_the_end(50)
    assert goes_on_to_the_end(50) != goes_on_to_the_end(1e30)


def test_a_recipe_from_before_the_guard_has_the_default_and_a_checkpoint_goes_on(tmp_path: Path) -> None:
    old = json.loads(recipe().to_json())
    del old["guard"]
    assert recipe_from_json(json.dumps(old)) == recipe()
    assert Recipe().guard == GuardSpec(loss_limit=1000.0)


@pytest.mark.parametrize("limit", [0, -1, "much", 1e31])
def test_a_limit_that_is_none_is_refused_by_its_name(limit: object) -> None:
    with pytest.raises(SpecError) as refusal:
        recipe(guard={"loss_limit": limit})
    assert refusal.value.field == "guard.loss_limit"


@pytest.mark.parametrize(
    ("loss", "text"), [(1000.0, "1000"), (1.2e14, "1.2e14"), (1234.5, "1234.5"), (3e30, "3e30"), (0.5, "0.5")]
)
def test_losses_are_written_as_people_do(loss: float, text: str) -> None:
    assert short(loss) == text


# -- the last good state


@pytest.mark.parametrize(
    ("places", "began", "well"),
    [
        ([(1, 0), (2, 0), (2, 2)], (2, 3), (2, 2)),  # an act's checkpoint in mid-epoch
        ([(1, 0), (2, 0), (2, 2)], (2, 2), (2, 0)),  # what stands before the refused batch made its loss so
        ([(1, 0), (2, 0)], (2, 0), (2, 0)),  # but an epoch's end was validated
        ([(1, 0), (2, 0), (3, 0)], (2, 3), (2, 0)),  # nothing younger
        ([(1, 0)], (1, 0), (1, 0)),
        ([(3, 0)], (2, 1), None),
        ([], (2, 1), None),
    ],
)
def test_the_last_good_state(places: Any, began: tuple[int, int], well: tuple[int, int] | None) -> None:
    positions = [Position(epoch=epoch, batch=batch) for epoch, batch in places]
    found = newest_good(positions, Position(epoch=began[0], batch=began[1]))
    assert (found and (found.epoch, found.batch)) == well


def test_a_divergence_right_where_the_last_one_left_off_began_with_it() -> None:
    tracker = DivergenceTracker()
    places = [Position(epoch=2, batch=batch) for batch in range(6)]

    def fall(batch: int, stands: int) -> Position:
        return tracker.add(Divergence(places[batch], Text("ill")), places[stands])

    assert fall(1, 2) == places[1]
    assert fall(2, 4) == places[1]  # on a GPU it is known of later
    assert fall(5, 5) == places[5]


def diverged(events: Events) -> DivergedEvent:
    (event,) = events.of("diverged")
    assert isinstance(event, DivergedEvent)
    return event


def test_the_way_back_is_to_the_checkpoint_of_the_intervention_that_made_it_explode(
    branch: str, tmp_path: Path
) -> None:
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


def test_an_epochs_end_that_is_spoiled_is_not_kept(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        events = run(recipe("loud_when_validated_again", epochs=5), library)
        places = library.positions(events.of("start")[0].run)
    assert re.fullmatch(r"the validation loss of epoch 2 is \S+e\d+, above the limit of 1000", str(events.end.text))
    assert places == [Position(epoch=1), Position(epoch=2)]

"""One step: a loss that is not finite changes nothing, on the CPU's code path and on a device's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.data.registry import load
from engine.recipe.recipe import DataSpec
from engine.training import loop, step
from engine.training.job import Job
from engine.training.run_state import RunState
from engine.training.step import Sums
from tests.engine.running import DEVICES, OPTIMIZERS, SCHEDULES, Events, Live, at, commands, recipe, run

CPU = torch.device("cpu")
DAMPENED = {"SGD dampened": {"name": "SGD", "lr": 0.05, "momentum": 0.9, "dampening": 0.5}}
ALL = {**OPTIMIZERS, **DAMPENED}


@pytest.fixture(params=["host", "device"])
def branch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to skip an update: reading the loss, and masking without reading it, as on a GPU."""
    way: str = request.param
    if way == "device":
        for module in (step, loop):
            monkeypatch.setattr(module, "sync_is_free", lambda device: False)
    return way


def state_of(optimizer: str, device: str = "cpu") -> RunState:
    changes: dict[str, Any] = {"optimizer": ALL[optimizer], "device": device}
    return RunState(recipe(**changes), load(DataSpec()), torch.device(device))


def everything(state: RunState) -> list[Any]:
    return [copy.deepcopy(dict(state.model.state_dict())), copy.deepcopy(state.optimizer.state_dict()["state"])]


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def train(state: RunState, index: int, poison: float = 1.0) -> bool:
    x, y = state.batches.batch(1, index)
    passed = state.stepper.step(x * poison, y, state.meter.sums).passed
    return bool(passed)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", ALL)
@pytest.mark.parametrize("steps", [0, 2], ids=["at the first step", "later"])
@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_changes_nothing(
    branch: str, optimizer: str, steps: int, poison: float, device: str
) -> None:
    state, clean = state_of(optimizer, device), state_of(optimizer, device)
    for run_state in (state, clean):
        torch.manual_seed(1)
        assert all(train(run_state, index) for index in range(steps))
    before = everything(state)
    assert not train(state, 2, poison)
    assert equal(everything(state), before)
    # and a later step is not affected
    for run_state in (state, clean):
        torch.manual_seed(2)
        assert train(run_state, 1)
    assert equal(everything(state), everything(clean))
    assert state.meter.sums.tensors() == clean.meter.sums.tensors()


@pytest.mark.parametrize("optimizer", ALL)
def test_both_code_paths_give_the_same_weights(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for free in (True, False):
        monkeypatch.setattr(step, "sync_is_free", lambda device, free=free: free)
        state = state_of(optimizer)
        torch.manual_seed(1)
        for index in (0, 1, 2, 0):
            train(state, index)
        found.append(everything(state))
    assert equal(*found)


def test_the_device_path_synchronises_only_at_a_groups_first_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """Synchronising at every step would halve a GPU's throughput."""
    looks = []

    class Watched(Tensor):
        def __bool__(self) -> bool:
            looks.append(True)
            return super().__bool__()

    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    for _ in range(4):
        weight.grad = torch.ones(3)
        step.masked_update(optimizer, torch.tensor(True).as_subclass(Watched))
    assert len(looks) == 1


def test_sums_count_only_what_was_trained_on() -> None:
    sums = Sums.zero(CPU)
    logits, labels = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    sums.add(torch.tensor(0.5), logits, labels, torch.tensor(True))
    sums.add(torch.tensor(float("nan")), logits * float("nan"), labels, torch.tensor(False))
    sums.add(torch.tensor(2e14), logits, labels, torch.tensor(False))
    sums.add(torch.tensor(1.5), logits, labels, torch.tensor(True))
    assert sums.means() == (1.0, 0.5)
    loss, accuracy = Sums.zero(CPU).means()
    assert (str(loss), accuracy) == ("nan", 0.0)


def test_sums_have_the_same_bits_however_they_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    batches = [(torch.rand(()), torch.randn(7, 5), torch.randint(5, (7,)), torch.rand(()) < 0.8) for _ in range(50)]
    found = []
    for free, read_at in ((False, ()), (True, ()), (True, (3, 4, 33))):
        monkeypatch.setattr(step, "sync_is_free", lambda device, free=free: free)
        sums = Sums.zero(CPU)
        for index, batch in enumerate(batches):
            sums.add(*batch)
            if index in read_at:  # as a checkpoint does
                sums.tensors()
        found.append(sums.tensors())
    assert found[0] == found[1] == found[2]
    assert 0 < found[0]["images"] < 350


def ends_as_diverged(events: Events, epoch: int, batch: int) -> None:
    assert events.end.reason == "diverged"
    assert events.end.text == f"the loss was not finite in epoch {epoch}, batch {batch}; that update was skipped"
    assert events.end.weights_sha256 is not None
    assert len(events.of("diverged")) == 1


def test_a_lr_of_1000_ends_the_run_as_diverged(branch: str) -> None:
    """Without BatchNorm after it the head diverges within a few batches."""
    events = run(
        Job(
            recipe=recipe(
                optimizer={"name": "SGD", "lr": 0.1, "momentum": 0.99}, epochs=200, guard={"loss_limit": None}
            ),
            lines=commands(at(1, 1, "set_lr", lr=1000)),
        )
    )
    assert events.end.reason == "diverged"
    assert "not finite" in str(events.end.text)
    assert events.end.epoch < 200


@pytest.mark.parametrize(("network", "place"), [("poisoned_first", (1, 0)), ("poisoned_fifth", (2, 1))])
def test_the_message_names_the_batch(branch: str, network: str, place: tuple[int, int]) -> None:
    ends_as_diverged(run(recipe(network)), *place)


def test_a_divergence_found_because_of_a_command_is_reported(branch: str) -> None:
    """On a GPU nothing is known until the next report; a command causes one, and its result must not be lost."""
    lines = commands(at(2, 2, "note", text="here"), at(2, 2, "stop"))
    events = run(Job(recipe=recipe("poisoned_fifth"), lines=lines))
    ends_as_diverged(events, 2, 1)
    assert [(a.name, a.status, a.reason) for a in events.answers] == [
        ("note", "rejected", "the run ended"),
        ("stop", "rejected", "the run ended"),
    ]


def test_a_schedule_stepped_per_batch_does_not_step_for_a_skipped_update(branch: str) -> None:
    schedule = {**SCHEDULES["step"], "T_max": 100}
    steps = run(recipe("poisoned_fifth", schedule=schedule)).of("steps")
    lrs = [lr for event in steps for (lr,) in event.lr.tolist()]
    whole = [lr for event in run(recipe(schedule=schedule)).of("steps") for (lr,) in event.lr.tolist()]
    assert lrs == whole[:5]
    assert sum(event.skipped for event in steps) == 1
    job = Job(recipe=recipe("poisoned_fifth", schedule=schedule, epochs=2), on_divergence="pause")
    with Live(job) as live:
        live.reach("diverged")
        assert (live.state.position.epoch, live.state.position.batch) == (2, 2)
        assert live.state.lr_control.steps_done == 4
        assert live.state.lr_control.current() == [lrs[4]]


def test_an_epoch_of_masked_losses_only_is_reported_as_nan(branch: str) -> None:
    events = run(recipe("poisoned_always", data={"name": "digits", "batch_size": 2000}))
    assert events.end.reason == "diverged"
    (epoch,) = events.epochs
    assert str(epoch.train_loss) == "nan"

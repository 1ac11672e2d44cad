"""One step: a loss that is not finite changes nothing, and a device is asked for the loss alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.data.registry import load
from engine.recipe.recipe import DataSpec
from engine.training import step
from engine.training.job import Job
from engine.training.loop import Loop
from engine.training.run_state import RunState
from engine.training.step import Sums
from tests.engine.running import DEVICES, OPTIMIZERS, SCHEDULES, Events, Live, at, commands, recipe, run

CPU = torch.device("cpu")
DAMPENED = {"SGD dampened": {"name": "SGD", "lr": 0.05, "momentum": 0.9, "dampening": 0.5}}
ALL = {**OPTIMIZERS, **DAMPENED}


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
    return state.stepper.step(x * poison, y, state.meter.sums).passed


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", ALL)
@pytest.mark.parametrize("steps", [0, 2], ids=["at the first step", "later"])
@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_changes_nothing(optimizer: str, steps: int, poison: float, device: str) -> None:
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


class Recorded(TorchDispatchMode):
    """Records every operation of PyTorch, and whether it copies to ``device`` and waits for that."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.operations: list[str] = []
        self.blocking: list[str] = []
        self._device = device

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.operations.append(function.overloadpacket.__name__)
        copies_there = kwargs.get("device") == self._device and isinstance(args[0], Tensor) and args[0].is_cpu
        if copies_there and not kwargs.get("non_blocking"):
            self.blocking.append(str(function))
        return function(*args, **kwargs)


WAITING = {"nonzero", "masked_select", "equal", "_unique2", "unique_dim", "_local_scalar_dense"}
"""Operations whose result the host must know to go on."""
AUGMENTED = {"name": "digits", "batch_size": 64, "augment": True, "flip": True, "cutout": 3}


@pytest.mark.parametrize(("optimizer", "schedule"), [*((name, "Constant") for name in ALL), ("SGD nesterov", "step")])
def test_nothing_in_a_batch_waits_for_the_device_but_the_loss(
    optimizer: str, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch's meta device has no values, so that it is an error to ask for one."""

    class Known:  # in place of the only copy to the host
        def __init__(self, number: Tensor) -> None:
            assert (number.device, number.shape) == (meta, ())

        def read(self) -> float:
            return 2.0

    monkeypatch.setattr(step, "ToHost", Known)
    meta = torch.device("meta")
    made = recipe("tiny", data=AUGMENTED, optimizer=ALL[optimizer], schedule=SCHEDULES[schedule])
    state = RunState(made, load(made.data), meta)
    loop = Loop(state, lambda event: None)
    with Recorded(meta) as recorded:
        for _ in range(17):  # predictions of sixteen batches are compared together
            assert loop.batch() is None
    assert recorded.blocking == []
    assert set(recorded.operations) & WAITING <= {"_local_scalar_dense"}  # of counts of steps, which are on the CPU


def test_a_batch_asks_for_one_number() -> None:
    state = state_of("SGD nesterov")
    loop = Loop(state, lambda event: None)
    loop.batch()
    with Recorded(CPU) as recorded:
        loop.batch()
    assert [name for name in recorded.operations if name in WAITING] == ["_local_scalar_dense"]


def test_the_loss_is_read_after_the_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a GPU computes the gradients meanwhile."""
    state, order = state_of("SGD"), []
    weight = next(iter(state.model.parameters()))
    weight.register_post_accumulate_grad_hook(lambda _: order.append("gradients"))

    class Watched(step.ToHost):
        def read(self) -> float:
            order.append("read")
            return super().read()

    monkeypatch.setattr(step, "ToHost", Watched)
    assert train(state, 0)
    assert order == ["gradients", "read"]


def test_sums_count_only_what_was_added() -> None:
    sums = Sums.zero(CPU)
    logits, labels = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    sums.add(0.5, logits, labels)
    sums.add(1.5, logits, labels)
    assert sums.means() == (1.0, 0.5)
    loss, accuracy = Sums.zero(CPU).means()
    assert (str(loss), accuracy) == ("nan", 0.0)


def test_sums_have_the_same_bits_however_often_they_are_read() -> None:
    torch.manual_seed(0)
    batches = [(float(torch.rand(())), torch.randn(7, 5), torch.randint(5, (7,))) for _ in range(50)]
    found = []
    for read_at in ((), (3, 4, 33)):
        sums = Sums.zero(CPU)
        for index, batch in enumerate(batches):
            sums.add(*batch)
            if index in read_at:  # as a checkpoint does
                sums = Sums(**{name: t.clone() for name, t in sums.tensors().items()})
        found.append(sums.tensors())
    assert found[0] == found[1]
    correct = sum(int((logits.argmax(1) == labels).sum()) for _, logits, labels in batches)
    assert (int(found[0]["correct"]), int(found[0]["images"])) == (correct, 350)


def ends_as_diverged(events: Events, epoch: int, batch: int) -> None:
    assert events.end.reason == "diverged"
    assert events.end.text == f"the loss was not finite in epoch {epoch}, batch {batch}; that update was skipped"
    assert events.end.weights_sha256 is not None
    assert len(events.of("diverged")) == 1


def test_a_lr_of_1000_ends_the_run_as_diverged() -> None:
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
def test_the_message_names_the_batch(network: str, place: tuple[int, int]) -> None:
    ends_as_diverged(run(recipe(network)), *place)


def test_a_divergence_comes_before_the_commands_after_it() -> None:
    lines = commands(at(2, 2, "note", text="here"), at(2, 2, "stop"))
    events = run(Job(recipe=recipe("poisoned_fifth"), lines=lines))
    ends_as_diverged(events, 2, 1)
    assert [(a.name, a.status, a.reason) for a in events.answers] == [
        ("note", "rejected", "the run ended"),
        ("stop", "rejected", "the run ended"),
    ]


def test_a_schedule_stepped_per_batch_does_not_step_for_a_skipped_update() -> None:
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


def test_an_epoch_of_masked_losses_only_is_reported_as_nan() -> None:
    events = run(recipe("poisoned_always", data={"name": "digits", "batch_size": 2000}))
    assert events.end.reason == "diverged"
    (epoch,) = events.epochs
    assert str(epoch.train_loss) == "nan"

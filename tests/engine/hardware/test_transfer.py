"""Copies between the host and a device: the same values, and nobody waits."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.data.registry import load
from engine.hardware.transfer import ToHost, to_device, to_host
from engine.training.loop import Loop
from engine.training.run_state import RunState
from tests.engine.running import DEVICES, OPTIMIZERS, SCHEDULES, recipe

LONG = 1_000_000_000  # cycles of a GPU: about half a second


@pytest.mark.parametrize("device", DEVICES)
def test_a_number_arrives_as_it_was(device: str) -> None:
    weight = torch.tensor(0.1, requires_grad=True, device=device)
    copied = ToHost(weight * 3)
    assert copied.read() == copied.read() == float(torch.tensor(0.1) * 3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_state_arrives_with_its_containers(device: str) -> None:
    there = torch.device(device)
    state: dict[str, Any] = {
        "weights": {
            "a": torch.arange(6, device=there).reshape(2, 3).t(),
            "b": torch.tensor(float("nan"), device=there),
        },
        "pair": (torch.ones(2, dtype=torch.float64), "text"),
        "plain": [1, None, {"deep": torch.zeros(0, device=there)}],
    }
    copied = to_host(state)
    assert copied["weights"]["a"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert str(copied["weights"]["b"].item()) == "nan"
    assert copied["pair"][0].dtype == torch.float64
    assert (type(copied["pair"]), copied["pair"][1], copied["plain"][:2]) == (tuple, "text", [1, None])
    assert {t.device.type for t in (*copied["weights"].values(), copied["plain"][2]["deep"])} == {"cpu"}


@pytest.mark.parametrize("device", DEVICES)
def test_a_tensor_arrives_on_the_device(device: str) -> None:
    draws = torch.arange(10)
    there = to_device(draws, torch.device(device))
    assert there.device.type == device
    assert there.tolist() == draws.tolist()
    assert to_device(there, there.device) is there


@pytest.mark.cuda
def test_reading_a_number_waits_only_for_what_was_queued_before_it() -> None:
    queued, later = torch.ones((), device="cuda"), torch.cuda.Event()
    copied = ToHost(queued + 1)
    torch.cuda._sleep(LONG)
    later.record()
    assert copied.read() == 2
    assert not later.query()


@pytest.mark.cuda
def test_a_copy_to_the_device_is_not_waited_for() -> None:
    later = torch.cuda.Event()
    torch.cuda._sleep(LONG)
    later.record()
    there = to_device(torch.arange(3), torch.device("cuda", 0))
    assert not later.query()
    assert there.tolist() == [0, 1, 2]


@pytest.mark.cuda
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["Constant", "step"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("share", [0.0, 1.0], ids=["on the host", "on the device"])
def test_a_batch_does_not_synchronise(optimizer: str, schedule: str, precision: str, share: float) -> None:
    data = {"name": "digits", "batch_size": 64, "augment": True, "flip": True, "cutout": 3}
    made = recipe(
        data=data, optimizer=OPTIMIZERS[optimizer], schedule=SCHEDULES[schedule], precision=precision, device="cuda"
    )
    state = RunState(made, load(made.data), torch.device("cuda", 0), share=share)
    loop = Loop(state, lambda event: None)
    for _ in range(2):  # allocates, and creates the optimizer's state
        assert loop.batch() is None
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(state.batches.per_epoch - 3):
            assert loop.batch() is None
    finally:
        torch.cuda.set_sync_debug_mode("default")
        state.batches.close()


@pytest.mark.cuda
def test_a_gpu_trains_as_the_cpu_does_but_for_rounding() -> None:
    losses = []
    for device in ("cpu", "cuda"):
        made = recipe(model={"name": "small_cnn"}, device=device)
        state = RunState(made, load(made.data), torch.device(device))
        loop = Loop(state, lambda event: None)
        for _ in range(state.batches.per_epoch):
            loop.batch()
        losses.append(state.meter.sums.means()[0])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)

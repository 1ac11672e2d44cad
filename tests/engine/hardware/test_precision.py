"""All precisions and fused updates train equally well; float16's loss scale is part of the run's state."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoints.checkpoint import read
from engine.common.position import Position
from engine.data.registry import load
from engine.hardware import precision
from engine.models import optimizers
from engine.recipe.recipe import DataSpec, GuardSpec
from engine.training.guard import Guard
from engine.training.job import Job
from engine.training.loop import Loop
from engine.training.run_state import RunState
from tests.engine.export.test_python import pytorch_code
from tests.engine.export.test_python import run as run_code
from tests.engine.running import DEVICES, OPTIMIZERS, SCHEDULES, at, commands, recipe, run
from tests.engine.training.test_step import equal, everything

HALF: dict[str, Any] = {"precision": "float16"}


def state_of(**changes: Any) -> RunState:
    made = recipe(**changes)
    return RunState(made, load(DataSpec()), torch.device(made.device))


def scale_to(state: RunState, scale: float) -> None:
    assert state.stepper.scaler is not None
    state.stepper.scaler.load({**state.stepper.scaler.state(), "scale": scale})


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", [{}, {"optimizer": {**OPTIMIZERS["SGD nesterov"], "fused": True}}])
def test_an_overflow_halves_the_scale_and_steps_neither_weights_nor_schedule(
    device: str, optimizer: dict[str, Any]
) -> None:
    state = state_of(**HALF, **optimizer, schedule=SCHEDULES["step"], device=device)
    said: list[Any] = []
    loop = Loop(state, said.append)
    scale_to(state, 2.0**100)
    before, lr = everything(state)[1], state.lr_control.current()
    weights = [p.detach().clone() for p in state.model.parameters()]
    assert loop.batch() is None  # not a divergence
    assert state.stepper.scaler is not None
    assert state.stepper.scaler.scale == 2.0**99
    assert equal(everything(state)[1], before)
    assert all(torch.equal(a, b) for a, b in zip(weights, state.model.parameters(), strict=True))
    assert (state.lr_control.current(), state.lr_control.steps_done) == (lr, 0)
    assert state.position == Position(epoch=1, batch=1)
    (warning,) = [e for e in said if e.event == "warning"]
    assert "overflowed in epoch 1, batch 0, which happens occasionally" in str(warning.text)
    scale_to(state, 2.0**10)
    loop.batch()
    assert state.lr_control.steps_done == 1
    assert not all(torch.equal(a, b) for a, b in zip(weights, state.model.parameters(), strict=True))


def test_gradients_that_overflow_at_the_lowest_scale_are_a_divergence() -> None:
    state = state_of(**HALF)
    scale_to(state, 1.0)
    # the loss is finite, but a gradient is not
    next(iter(state.model.parameters())).register_hook(lambda grad: grad * float("inf"))
    loop = Loop(state, lambda event: None)
    before = everything(state)
    divergence = loop.batch() or loop.report()
    assert divergence is not None
    assert "the gradients were too large for float16 in epoch 1, batch 0" in str(divergence.text)
    assert equal(everything(state), before)


def test_a_loss_that_the_guard_rejects_changes_neither_weights_nor_scale() -> None:
    state = state_of(**HALF)
    x, y = state.batches.batch(1, 0)
    assert state.stepper.step(x, y, state.meter.sums).passed
    assert state.stepper.scaler is not None
    before, scaler = everything(state), state.stepper.scaler.state()
    assert not state.stepper.step(x * float("nan"), y, state.meter.sums).passed
    assert equal(everything(state), before)
    assert state.stepper.scaler.state() == scaler


def test_the_scale_is_in_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "here.tiller"
    run(Job(recipe=recipe(**HALF), lines=commands(at(2, 1, "save", path=str(path)), at(2, 1, "stop"))))
    content = read(path)
    assert content["scaler"]["scale"] == 65536.0
    assert content["scaler"]["_growth_tracker"] == 4  # of three batches and one
    state = state_of(**HALF)
    state.restore(content)
    assert state.capture()["scaler"] == content["scaler"]
    content["scaler"] = {}  # as in a checkpoint without a scaler
    state_of().restore(content)


def test_a_rejected_loss_has_a_reason() -> None:
    assert "too large for float16" in str(Guard(GuardSpec()).batch_text(1.0, 1, 2))
    assert "above the limit" in str(Guard(GuardSpec()).batch_text(2000.0, 1, 2))


def test_a_precision_that_is_no_use_on_a_cpu_is_a_warning() -> None:
    cpu = torch.device("cpu")
    (half,) = precision.remarks(recipe(**HALF), cpu)
    assert "many times slower" in str(half)
    (tf32,) = precision.remarks(recipe(precision="tf32"), cpu)
    assert "no effect on a CPU" in str(tf32)
    assert precision.remarks(recipe(**HALF), torch.device("cuda")) == []
    assert precision.remarks(recipe(precision="bfloat16"), cpu) == []


@pytest.mark.parametrize(("capability", "warned"), [((7, 5), ["bfloat16", "tf32"]), ((8, 0), []), ((9, 0), [])])
def test_a_gpu_that_lacks_a_precision_is_a_warning(
    capability: tuple[int, int], warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    gpu = torch.device("cuda", 0)
    choices = ("float32", "tf32", "bfloat16", "float16")
    found = {choice: precision.remarks(recipe(precision=choice), gpu) for choice in choices}
    assert sorted(choice for choice in choices if found[choice]) == warned
    assert all(f"this GPU has no {choice}" in str(found[choice][0]) for choice in warned)


def test_tf32_is_off_until_a_recipe_turns_it_on() -> None:
    """PyTorch's default is on for convolutions."""
    run(recipe(epochs=1, precision="tf32"))
    try:
        assert _fp32() == ["tf32"] * 3
    finally:
        run(recipe(epochs=1))
    assert _fp32() == ["ieee"] * 3


def _fp32() -> list[str]:
    parts = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn)  # type: ignore[attr-defined]
    return [part.fp32_precision for part in parts]


@pytest.mark.parametrize("optimizer", ["SGD", "SGD nesterov", "Adam", "AdamW"])
def test_a_fused_optimizer_ends_close_to_the_plain_one(optimizer: str) -> None:
    """From the same gradients, because Adam makes a full step even for the sign of a rounding error."""
    ends = []
    for fused in (False, True):
        draw = torch.Generator().manual_seed(1)
        weight = torch.nn.Parameter(torch.randn(500, generator=draw))
        made = recipe(optimizer={**OPTIMIZERS[optimizer], "fused": fused}).optimizer
        built = optimizers.build(made, [([weight], made.lr)])
        assert built.param_groups[0]["fused"] is (True if fused else None)  # False would forbid foreach on a GPU too
        for _ in range(20):
            weight.grad = torch.randn(500, generator=draw)
            built.step()
        ends.append(weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-5, atol=1e-6)


def test_exported_float16_code_uses_gradscaler_and_steps_no_schedule_after_an_overflow() -> None:
    code = pytorch_code(recipe(**HALF, schedule=SCHEDULES["step"], epochs=1))
    assert "torch.autocast(device.type, dtype=torch.float16)" in code
    assert "if scaler.get_scale() >= scale:\n            scheduler.step()" in code
    names, _, _ = run_code(pytorch_code(recipe(**HALF, schedule=SCHEDULES["step"], epochs=1)))
    assert names["scaler"].get_scale() == 65536.0


LEARNS: dict[str, dict[str, Any]] = {
    "bfloat16": {"precision": "bfloat16"},
    "float16": {"precision": "float16"},
    "fused": {"optimizer": {**OPTIMIZERS["SGD nesterov"], "fused": True}},
}


@pytest.mark.slow
@pytest.mark.parametrize("choice", LEARNS)
def test_each_precision_trains_equally_well_within_noise(choice: str) -> None:
    """The median accuracy over five seeds on the 360 validation digits; one image is 0.3%."""

    def accuracy(changes: dict[str, Any], seed: int) -> float:
        made = recipe(
            **{"data": {"name": "digits", "batch_size": 64}, "epochs": 8, "seed": seed, "guard": {}, **changes}
        )
        return run(made).epochs[-1].val_accuracy

    seeds = range(5)
    exact = [accuracy({}, seed) for seed in seeds]
    chosen = [accuracy(LEARNS[choice], seed) for seed in seeds]
    noise = max(0.006, max(exact) - min(exact))
    assert statistics.median(exact) > 0.9
    assert abs(statistics.median(chosen) - statistics.median(exact)) <= noise

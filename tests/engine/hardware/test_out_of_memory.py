"""Out-of-memory errors of PyTorch and Python are recognized, explained, and release the memory."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.common.errors import OutOfMemory
from engine.hardware.out_of_memory import fitting, ran_out, size_text
from engine.messages.events import Event
from engine.models.user_file import describe_error
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.engine.running import MAIN, Events, library_at, recipe, recipe_dict, run

ABSURD = 10**15


def raised_by(code: str) -> BaseException:
    try:
        eval(code, {"ABSURD": ABSURD, "np": np, "torch": torch})
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError(code)


@pytest.mark.parametrize(
    "code",
    [
        "torch.empty(ABSURD)",
        "torch.zeros(ABSURD, dtype=torch.uint8)",
        "torch.nn.Linear(10**8, 10**7)",
        "np.empty(ABSURD)",
        "bytearray(10**17)",
        "[None] * 10**17",
    ],
)
def test_real_errors_are_recognized(code: str) -> None:
    assert ran_out(raised_by(code)) == "cpu"


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"), "cuda"),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be"), "cuda"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "cuda"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "cuda"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:83] data. DefaultCPUAllocator: not enough memory: you tried"),
            "cpu",
        ),
        (OSError(12, "Cannot allocate memory"), "cpu"),
        (MemoryError(), "cpu"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (ValueError("CUDA out of memory"), None),
        (KeyboardInterrupt(), None),
    ],
)
def test_errors_of_other_systems_are_recognized(error: BaseException, whose: str | None) -> None:
    assert ran_out(error) == whose


def test_an_error_in_a_users_network_is_recognized_from_its_cause() -> None:
    inner = raised_by("torch.empty(ABSURD)")
    outer = describe_error("net.py:make", None, inner)
    assert ran_out(outer) is None
    outer.__cause__ = inner
    assert ran_out(outer) == "cpu"


def test_the_error_names_what_did_not_fit_and_other_errors_pass() -> None:
    with pytest.raises(OutOfMemory) as found, fitting("batch", "resnet18", "cuda:0", 256):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total")
    assert str(found.value) == (
        "a batch of 256 images through resnet18 did not fit into the memory of cuda:0: 2.50 GiB more were needed"
    )
    with pytest.raises(OutOfMemory) as found, fitting("data", "mnist", "cuda:0"):
        torch.empty(ABSURD)  # on the host, whatever the device
    assert str(found.value) == (
        "the data set mnist did not fit into the memory of this machine: 3638 TiB more were needed"
    )
    with pytest.raises(OutOfMemory) as found, fitting("data", "outer", "cpu"), fitting("network", "inner", "cpu"):
        raise MemoryError
    assert str(found.value) == "the network inner did not fit into the memory of this machine"
    with pytest.raises(ZeroDivisionError), fitting("data", "mnist", "cpu"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("size", "text"), [(100, "100 bytes"), (1536, "1.5 KiB"), (5 * 2**30, "5 GiB")])
def test_sizes_as_text(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("network", "place", "text"),
    [
        ("greedy_first", "batch", "a batch of 512 images through tiny_networks.py:greedy_first did not fit"),
        ("greedy_when_validated", "validation", "a batch of 512 validation images through"),
        ("greedy_to_build", "network", "the network tiny_networks.py:greedy_to_build did not fit"),
    ],
)
def test_the_end_event_names_what_did_not_fit(network: str, place: str, text: str, tmp_path: Path) -> None:
    events = Events()
    with library_at(tmp_path) as library:
        Trainer(Job(recipe=recipe(network)), events.append, library).run()
    end = events.end
    assert (end.reason, end.out_of_memory, end.field) == ("failed", place, None)
    assert str(end.text).startswith(text)
    assert "more were needed" in str(end.text)
    assert "can't allocate memory" in str(end.details)


def test_no_memory_of_the_run_is_kept_after_its_end_event() -> None:
    """Without Python's garbage collector, which in the window does not run on the training thread."""
    kept: list[weakref.ref[object]] = []
    alive: list[bool] = []

    def hear(event: Event) -> None:
        if event.event == "lr" and trainer._run is not None and not kept:
            state = trainer._run.state
            kept.extend(weakref.ref(o) for o in (state, state.model, next(state.model.parameters())))
        if event.event == "end":
            alive.extend(ref() is not None for ref in kept)

    gc.collect()
    gc.disable()
    try:
        trainer = Trainer(Job(recipe=recipe("greedy_fifth")), hear)
        assert trainer.run().out_of_memory == "batch"
    finally:
        gc.enable()
    assert alive == [False, False, False]


def test_the_process_can_train_again_afterwards() -> None:
    for network in ("greedy_to_build", "greedy_first"):
        events = Events()
        Trainer(Job(recipe=recipe(network)), events.append).run()
    assert run(recipe()).end.reason == "finished"


WIDE = """
from torch import nn
def make(in_channels, num_classes):
    layers = [nn.Conv2d(in_channels, 512, 3, padding=1)]
    for _ in range(3):
        layers += [nn.ReLU(), nn.Conv2d(512, 512, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, num_classes))
"""
LIMITED = """
import resource, runpy, sys
sys.path.insert(0, {folder!r})
import engine.training.trainer  # needs much address space itself
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)
sys.argv = ["main.py", "train", *sys.argv[1:]]
runpy.run_path({main!r}, run_name="__main__")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_process_at_its_memory_limit_names_what_did_not_fit(tmp_path: Path) -> None:
    """A network with activations of 188 MB each, in a process that may allocate 300 MB more."""
    (tmp_path / "net.py").write_text(WIDE)
    data, model = {"name": "digits", "batch_size": 1437}, {"name": "net.py:make"}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe_dict(data=data, model=model)))
    code = LIMITED.format(main=str(MAIN), folder=str(MAIN.parent))
    command = [sys.executable, "-c", code, "recipe.json", "--library", str(tmp_path / "lib")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["event"] for e in events].count("end") == 1
    assert events[-1]["event"] == "end"
    assert events[-1]["out_of_memory"] == "batch", events[-1]
    assert "a batch of 1437 images through net.py:make did not fit into the memory of this machine" in done.stderr


def test_a_gpu_that_failed_for_good_does_not_hide_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an illegal memory access every call fails, the one that returns memory too."""

    def fails() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "empty_cache", fails)
    assert run(recipe(epochs=1)).end.reason == "finished"


@pytest.mark.cuda
def test_a_full_gpu_is_named_and_its_memory_released() -> None:
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.02)
    try:
        events = Events()
        data = {"name": "digits", "batch_size": 1437}
        job = Job(recipe=recipe(data=data, model={"name": "vgg11_bn"}, device="cuda"))
        Trainer(job, events.append).run()
        assert events.end.out_of_memory in ("network", "batch")
        assert "did not fit into the memory of cuda:0" in str(events.end.text)
        assert torch.cuda.memory_allocated() < 50 * 2**20
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert run(recipe(device="cuda")).end.reason == "finished"

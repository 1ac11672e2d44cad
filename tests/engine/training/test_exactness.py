"""A run that was stopped and resumed ends with the weights of an uninterrupted one, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoints.checkpoint import read, write
from engine.recipe.recipe import recipe_from_json
from engine.training import loading
from engine.training.job import Job, to_resume
from tests.engine.running import (
    DEVICES,
    MORE_SCHEDULES,
    OPTIMIZERS,
    SCHEDULES,
    Events,
    at,
    commands,
    library_at,
    recipe,
    run,
)

MIDDLE, LATER = (2, 1), (3, 2)
ON_BOTH = pytest.mark.parametrize("device", DEVICES)


def resumed_twice(folder: Path, job_recipe: Any, lines: tuple[dict[str, Any], ...] = ()) -> Events:
    """Train, stop within an epoch, resume with a new trainer, stop, resume: the events of the last part."""
    first, second = folder / "first.tiller", folder / "second.tiller"
    events = Events()
    for checkpoint, (position, target) in zip(
        (None, first, second), ((MIDDLE, first), (LATER, second), (None, None)), strict=True
    ):
        leave = [] if position is None else [at(*position, "save", path=str(target)), at(*position, "stop")]
        order = sorted([*lines, *leave], key=lambda line: (line["at"]["epoch"], line["at"]["batch"]))
        job = (
            Job(recipe=job_recipe, lines=commands(*order))
            if checkpoint is None
            else Job(checkpoint=checkpoint, lines=commands(*order))
        )
        events = run(job)
        assert events.end.reason == ("finished" if position is None else "stopped")
    return events


def same(left: Events, whole: Events) -> None:
    assert left.end.weights_sha256 == whole.end.weights_sha256
    last, other = left.epochs[-1], whole.epochs[-1]
    assert last.metrics() == other.metrics()
    assert (last.lr, last.lr_min, last.lr_max) == (other.lr, other.lr_min, other.lr_max)


@ON_BOTH
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_with_every_schedule(tmp_path: Path, optimizer: str, schedule: str, device: str) -> None:
    whole = recipe(optimizer=OPTIMIZERS[optimizer], schedule=SCHEDULES[schedule], device=device)
    same(resumed_twice(tmp_path, whole), run(whole))


@ON_BOTH
@pytest.mark.parametrize("schedule", MORE_SCHEDULES)
def test_every_other_schedule_with_an_optimizer_of_its_own(tmp_path: Path, schedule: str, device: str) -> None:
    optimizer, spec = MORE_SCHEDULES[schedule]
    whole = recipe(optimizer=OPTIMIZERS[optimizer], schedule=spec, device=device)
    same(resumed_twice(tmp_path, whole), run(whole))


@ON_BOTH
@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "bfloat16"},
        {"precision": "float16"},
        {"precision": "tf32"},
        {"optimizer": {**OPTIMIZERS["SGD nesterov"], "fused": True}},
        {"optimizer": {**OPTIMIZERS["AdamW"], "fused": True}},
        {"optimizer": {**OPTIMIZERS["Adam"], "fused": True}, "precision": "float16"},
        {"data": {"name": "digits", "batch_size": 512, "augment": True}},
        {"data": {"name": "digits", "batch_size": 512, "flip": True, "cutout": 3, "policy": "TrivialAugment"}},
        {"model": {"name": "small_cnn"}, "data": {"name": "digits", "batch_size": 512, "augment": True}},
        {"groups": [{"name": "head", "modules": ["head"], "lr": 0.2, "schedule": SCHEDULES["step"]}]},
        {"groups": [{"name": "head", "modules": ["head"], "frozen": True}]},
    ],
    ids=[
        "bfloat16",
        "float16",
        "tf32",
        "fused SGD",
        "fused AdamW",
        "fused float16",
        "augment",
        "policy",
        "small_cnn",
        "groups",
        "frozen",
    ],
)
def test_every_kind_of_recipe(tmp_path: Path, changes: dict[str, Any], device: str) -> None:
    whole = recipe(**{"device": device, **changes})
    same(resumed_twice(tmp_path, whole), run(whole))


GROUPS = [{"name": "head", "modules": ["head"]}]
INTERVENTIONS = {
    "hold": [at(1, 1, "set_lr", lr=0.02, then="hold"), at(3, 1, "release_lr")],
    "follow": [at(1, 2, "set_lr", lr=0.2, then="follow"), at(3, 1, "scale_lr", factor=0.5)],
    "swap": [
        at(2, 0, "set_schedule", schedule=SCHEDULES["StepLR"], lr=0.1),
        at(3, 0, "set_schedule", schedule=SCHEDULES["step"], start="replay"),
    ],
    "plateau": [
        at(1, 1, "set_schedule", schedule=SCHEDULES["ReduceLROnPlateau"]),
        at(3, 1, "set_schedule", schedule=SCHEDULES["ReduceLROnPlateau"], start="replay"),
    ],
    "cycled momentum": [
        at(1, 1, "set_schedule", schedule=MORE_SCHEDULES["CyclicLR"][1]),
        at(3, 1, "set_schedule", schedule=SCHEDULES["StepLR"]),
    ],
    "optimizer": [at(1, 2, "set_optimizer", weight_decay=0.1, momentum=0.5), at(3, 0, "set_optimizer", momentum=0.8)],
    "freeze": [at(1, 1, "freeze", group="rest"), at(3, 1, "unfreeze", group="rest")],
    "here": [at(*MIDDLE, "scale_lr", factor=0.5), at(*LATER, "scale_lr", factor=0.5)],
    "longer": [at(1, 1, "set_epochs", epochs=5), at(3, 2, "set_epochs", epochs=4)],
}


@ON_BOTH
@pytest.mark.parametrize("intervention", INTERVENTIONS)
def test_interventions_before_and_after(tmp_path: Path, intervention: str, device: str) -> None:
    lines = tuple(INTERVENTIONS[intervention])
    whole = run(Job(recipe=recipe(groups=GROUPS, device=device), lines=commands(*lines)))
    assert [a.status for a in whole.answers] == ["applied", "applied"]
    same(resumed_twice(tmp_path, recipe(groups=GROUPS, device=device), lines), whole)
    untouched = run(recipe(groups=GROUPS, device=device))
    assert untouched.end.weights_sha256 != whole.end.weights_sha256


@ON_BOTH
def test_a_run_resumed_by_its_id_with_interventions_that_saved_and_stopped_it(tmp_path: Path, device: str) -> None:
    applied = [at(1, 1, "scale_lr", factor=2), at(2, 1, "scale_lr", factor=0.5), at(3, 1, "set_lr", lr=0.01)]
    whole = run(Job(recipe=recipe(device=device), lines=commands(*applied)))
    leaving = [at(2, 1, "save", path=str(tmp_path / "here.tiller")), at(2, 1, "stop")]
    lines = commands(*applied[:2], *leaving, *applied[2:])
    with library_at(tmp_path / "library") as library:
        left = run(Job(recipe=recipe(device=device), lines=lines), library)
        (row,) = library.runs()
        assert (left.end.reason, row.state) == ("stopped", "stopped")
        again = run(to_resume(row.id, library), library)
        assert [r.id for r in library.runs()] == [row.id]
        from_file = run(to_resume(str(tmp_path / "here.tiller"), library, lines), library)
    for resumed in (again, from_file):
        same(resumed, whole)
        assert [a.name for a in resumed.answers] == ["set_lr"]  # those that the checkpoint holds are skipped, and stop


def test_a_run_killed_at_any_position_is_resumed_from_its_newest_checkpoint(tmp_path: Path) -> None:
    """What the library holds after each event is enough: pending lines are recorded at the start."""
    lines = commands(
        at(1, 2, "scale_lr", factor=0.5), at(2, 2, "scale_lr", factor=0.5), at(3, 0, "set_optimizer", momentum=0.5)
    )
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe(), lines=lines), library)
        (row,) = library.runs()
        files = sorted((tmp_path / "checkpoints" / row.id).iterdir(), key=lambda file: file.stat().st_mtime_ns)
        assert len(files) == 3 + 3
        for file in files:
            resumed = run(Job(checkpoint=file, lines=lines))
            assert resumed.end.weights_sha256 == whole.end.weights_sha256, file.name


@ON_BOTH
def test_a_checkpoint_of_this_device_resumes_on_the_cpu(tmp_path: Path, device: str) -> None:
    file = tmp_path / "here.tiller"
    run(Job(recipe=recipe(device=device), lines=commands(at(2, 1, "save", path=str(file)))))
    assert run(Job(checkpoint=file, device="cpu")).end.reason == "finished"


def test_another_gpu_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first.tiller", tmp_path / "second.tiller"
    run(Job(recipe=recipe(), lines=commands(at(2, 1, "save", path=str(first)), at(2, 1, "stop"))))
    content = read(first)
    write({**content, "environment": {**content["environment"], "gpu": "NVIDIA A100"}}, second)
    monkeypatch.setattr(loading, "gpu_name", lambda device: "NVIDIA H100")
    texts = [[str(event.text) for event in run(Job(checkpoint=file)).of("warning")] for file in (first, second)]
    said = "made with gpu NVIDIA A100, resumed with NVIDIA H100: the results may differ in their last bits"
    assert [said in text for text in texts] == [False, True]


def test_the_state_of_the_random_generators_is_plain_data_and_restores_each(tmp_path: Path) -> None:
    import random

    import numpy as np

    from engine.training.run_state import random_state, restore_random

    cpu = torch.device("cpu")
    state = random_state(cpu)
    drawn = [random.random(), float(np.random.random()), float(torch.rand(()))]
    assert [random.random(), float(np.random.random()), float(torch.rand(()))] != drawn
    restore_random(state, cpu)
    assert [random.random(), float(np.random.random()), float(torch.rand(()))] == drawn
    run(Job(recipe=recipe(), lines=commands(at(1, 1, "save", path=str(tmp_path / "s.tiller")))))
    content = read(tmp_path / "s.tiller")
    assert recipe_from_json(content["recipe"]) == recipe()
    assert content["position"] == [1, 1]

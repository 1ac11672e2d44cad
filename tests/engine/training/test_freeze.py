"""A frozen group of a real network does not change, with its statistics and optimizer state, also after a resume."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.messages.commands import Freeze, Rewind, Save, Unfreeze
from engine.training.job import Job
from engine.training.run_state import RunState
from tests.engine.running import DEVICES, Live, library_at, recipe

GROUPS = [{"name": "blocks", "modules": ["block*"]}, {"name": "head", "modules": ["fc"], "lr": 0.01}]
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"name": "SGD", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
    "AdamW": {"name": "AdamW", "lr": 0.003, "weight_decay": 0.1},
}
on_both = pytest.mark.parametrize("device", DEVICES)
with_each = pytest.mark.parametrize("optimizer", OPTIMIZERS)


def job(optimizer: str = "SGD", device: str = "cpu", **changes: Any) -> Job:
    """Three epochs of a network with BatchNorm, ready to start."""
    asked = recipe(model={"name": "small_cnn"}, groups=GROUPS, optimizer=OPTIMIZERS[optimizer], device=device)
    return Job(recipe=asked.model_copy(update=changes), begin=False)


def digest(state: RunState, name: str) -> str:
    """SHA-256 over the weights, the buffers and the optimizer's state of a group."""
    group = state.groups[state.group_names.index(name)]
    found: list[torch.Tensor] = list(group.parameters)
    found += [b for module in group.modules for b in module.buffers(recurse=False)]
    for parameter in group.parameters:
        kept = state.optimizer.state.get(parameter, {})
        found += [torch.as_tensor(kept[key]) for key in sorted(kept) if kept[key] is not None]
    assert sum(t.numel() for t in found) > 100
    return hashlib.sha256(b"".join(t.detach().cpu().numpy().tobytes() for t in found)).hexdigest()


def statistics(state: RunState) -> torch.Tensor:
    return state.model.state_dict()["block1.norm.running_mean"].clone()


@on_both
@with_each
def test_it_does_not_change_while_the_rest_trains_and_can_be_unfrozen(optimizer: str, device: str) -> None:
    with Live(job(optimizer, device)) as live:
        live.pause_at(1, 2)
        live.ask(Freeze(group="blocks"))
        state = live.state
        blocks, head = digest(state, "blocks"), digest(state, "head")
        live.pause_at(3, 1)
        assert digest(state, "blocks") == blocks
        assert digest(state, "head") != head
        counted, mean = state.model.state_dict()["block1.norm.num_batches_tracked"].item(), statistics(state)
        live.ask(Unfreeze(group="blocks"))
        live.pause_at(3, 2)
        assert digest(state, "blocks") != blocks
        assert state.model.state_dict()["block1.norm.num_batches_tracked"].item() == counted + 1
        assert not torch.equal(statistics(state), mean)


@with_each
def test_it_stays_frozen_after_a_resume(tmp_path: Path, optimizer: str) -> None:
    file = tmp_path / "here.tiller"
    with Live(job(optimizer)) as live:
        live.pause_at(1, 2)
        live.ask(Freeze(group="blocks"))
        blocks = digest(live.state, "blocks")
        live.pause_at(2, 1)
        live.ask(Save(path=str(file)))
    with Live(Job(checkpoint=file, begin=False)) as resumed:
        resumed.pause_at(3, 1)
        assert resumed.events.of("lr")[0].frozen == [True, False]
        assert digest(resumed.state, "blocks") == blocks
        resumed.ask(Unfreeze(group="blocks"))
        resumed.pause_at(3, 2)
        assert digest(resumed.state, "blocks") != blocks


def test_a_rewind_to_after_the_freeze_freezes_it_again(tmp_path: Path) -> None:
    with library_at(tmp_path / "library") as library, Live(job(), library) as live:
        live.pause_at(1, 1)
        live.ask(Freeze(group="blocks"))
        blocks = digest(live.state, "blocks")
        live.pause_at(2, 0)
        live.ask(Unfreeze(group="blocks"))
        live.pause_at(3, 0)
        moved = digest(live.state, "blocks")
        assert moved != blocks
        assert live.ask(Rewind(epoch=1)).status == "applied"
        assert digest(live.state, "blocks") == blocks
        live.pause_at(2, 1)
        assert digest(live.state, "blocks") == blocks
        assert live.events.of("lr")[-1].frozen == [True, False]


def test_a_rewind_to_before_the_freeze_trains_it(tmp_path: Path) -> None:
    with library_at(tmp_path / "library") as library, Live(job(), library) as live:
        live.pause_at(2, 1)
        live.ask(Freeze(group="blocks"))
        blocks = digest(live.state, "blocks")
        live.pause_at(3, 0)
        assert live.ask(Rewind(epoch=1)).status == "applied"
        before = digest(live.state, "blocks")
        live.pause_at(2, 2)
        assert digest(live.state, "blocks") not in (before, blocks)
        assert live.events.of("lr")[-1].frozen == [False, False]


# -- what is published


def test_the_lr_event_has_what_is_frozen_and_the_optimizers_hyperparameters() -> None:
    cycle = {"name": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2}
    groups = [GROUPS[0], {**GROUPS[1], "lr": None, "schedule": cycle}]
    asked = recipe(model={"name": "small_cnn"}, groups=groups, optimizer=OPTIMIZERS["SGD"])
    with Live(Job(recipe=asked, begin=False)) as live:
        live.pause_at(1, 1)
        live.ask(Freeze(group="blocks"))
        live.ask(Save())  # rejected, after the LR event
        event = live.events.of("lr")[-1]
        assert (event.groups, event.frozen, event.cycled) == (["blocks", "head"], [True, False], [False, True])
        first, second = event.optimizer
        assert first == {"weight_decay": 0.1, "momentum": 0.9, "dampening": 0.0, "nesterov": False}
        assert second["momentum"] == pytest.approx(0.85)  # halfway through the rise
        assert [g["momentum"] for g in live.state.optimizer.param_groups] == [first["momentum"], second["momentum"]]


def test_a_pause_publishes_the_lrs_of_a_schedule_stepped_per_batch() -> None:
    falling = {"name": "LinearLR", "start_factor": 1.0, "end_factor": 0.5, "total_iters": 2, "interval": "step"}
    with Live(Job(recipe=recipe(schedule=falling), begin=False)) as live:
        live.pause_at(1, 2)
        live.reach("paused")
        live.ask(Save())  # rejected, after the LR event of the pause
        assert live.events.of("lr")[-1].lr == live.state.lr_control.current() == pytest.approx([0.025])
        assert (live.events.of("lr")[-1].epoch, live.events.of("lr")[-1].batch) == (1, 2)

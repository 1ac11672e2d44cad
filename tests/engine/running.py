"""Runs for tests: tiny recipes, trainers that run to their end on this thread, and live ones on their own."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # as main.py does, before CUDA starts

import pytest
import torch

from engine.common.lifecycle import State
from engine.common.position import Position
from engine.library import Library
from engine.messages.commands import CommandAt, Pause, Start, Stop
from engine.messages.commands_file import parse_commands
from engine.messages.events import CommandEvent, EndEvent, EpochEvent, Event, StateEvent
from engine.messages.queue import AnyCommand
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.training.job import Job
from engine.training.run_state import RunState
from engine.training.trainer import Trainer

MAIN = Path(__file__).parents[2] / "main.py"
NETWORKS = Path(__file__).with_name("tiny_networks.py")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]
PER_EPOCH = 3  # batches, of the 1437 training digits in batches of 512
SECONDS = 60.0  # after which something hangs, however busy the machine is

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"name": "SGD", "lr": 0.05},
    "SGD nesterov": {"name": "SGD", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
    "Adam": {"name": "Adam", "lr": 0.003},
    "AdamW": {"name": "AdamW", "lr": 0.003, "amsgrad": True},
    "RMSprop": {"name": "RMSprop", "lr": 0.003, "momentum": 0.5},
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "Constant": {"name": "Constant"},
    "StepLR": {"name": "StepLR", "step_size": 2, "gamma": 0.5},
    "MultiStepLR": {"name": "MultiStepLR", "milestones": [1, 2], "gamma": 0.3},
    "ExponentialLR": {"name": "ExponentialLR", "gamma": 0.7},
    "CosineAnnealingLR": {"name": "CosineAnnealingLR", "T_max": 4, "eta_min": 1e-4},
    # a threshold that no epoch reaches: the LR is reduced after every epoch but the first
    "ReduceLROnPlateau": {"name": "ReduceLROnPlateau", "patience": 0, "factor": 0.5, "threshold": 0.99},
    "LambdaLR": {"name": "LambdaLR", "lr_lambda": "1 / (1 + epoch)"},
    "step": {"name": "CosineAnnealingLR", "T_max": 9, "eta_min": 1e-4, "interval": "step"},
}
# Each with an optimizer; momentum and betas are cycled too.
MORE_SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "ConstantLR": ("SGD", {"name": "ConstantLR", "total_iters": 2}),
    "LinearLR": ("Adam", {"name": "LinearLR", "interval": "step"}),
    "PolynomialLR": ("SGD nesterov", {"name": "PolynomialLR", "total_iters": 3}),
    "CosineAnnealingWarmRestarts": ("AdamW", {"name": "CosineAnnealingWarmRestarts", "T_0": 2, "interval": "step"}),
    "CyclicLR": ("SGD nesterov", {"name": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 3}),
    "CyclicLR epochs": (
        "RMSprop",
        {"name": "CyclicLR", "base_lr": 0.001, "max_lr": 0.01, "step_size_up": 2, "interval": "epoch"},
    ),
    "OneCycleLR": ("AdamW", {"name": "OneCycleLR", "max_lr": 0.01}),
    "OneCycleLR momentum": ("SGD", {"name": "OneCycleLR", "max_lr": 0.1, "three_phase": True}),
    "SequentialLR": (
        "SGD nesterov",
        {
            "name": "SequentialLR",
            "interval": "step",
            "schedulers": [
                {"name": "LinearLR", "total_iters": 2},
                {"name": "MultiStepLR", "milestones": [1, 3]},
                {"name": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2},
            ],
            "milestones": [2, 6],
        },
    ),
    "plateau after a warm-up": (
        "SGD",
        {
            "name": "SequentialLR",
            "schedulers": [{"name": "LinearLR", "total_iters": 2}, SCHEDULES["ReduceLROnPlateau"]],
            "milestones": [2],
        },
    ),
    "cycles after a warm-up": (
        "SGD nesterov",
        {
            "name": "SequentialLR",
            "interval": "step",
            "schedulers": [
                {"name": "Drawn", "points": [[0, 0.001], [1, 0.01]], "scale": "linear"},
                {"name": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2},
            ],
            "milestones": [3],
        },
    ),
    "ChainedScheduler": (
        "Adam",
        {
            "name": "ChainedScheduler",
            "schedulers": [{"name": "LinearLR"}, {"name": "MultiplicativeLR", "lr_lambda": "0.9"}],
        },
    ),
    "MultiplicativeLR": ("SGD", {"name": "MultiplicativeLR", "lr_lambda": "0.9 if epoch < 2 else 0.5"}),
    "Drawn": ("SGD nesterov", {"name": "Drawn", "points": [[0, 0.1], [1.5, 0.2], [3, 0.01]], "interval": "step"}),
}


def recipe_dict(network: str = "tiny", /, **changes: Any) -> dict[str, Any]:
    """A recipe of three epochs of three batches, as JSON data, with ``changes``."""
    return {
        "data": {"name": "digits", "batch_size": 512},
        "model": {"name": f"{NETWORKS}:{network}"},
        "optimizer": OPTIMIZERS["SGD nesterov"],
        "schedule": SCHEDULES["ExponentialLR"],
        "epochs": 3,
        "device": "cpu",
        **changes,
    }


def recipe(network: str = "tiny", /, **changes: Any) -> Recipe:
    """``recipe_dict`` as a recipe."""
    return recipe_from_json(json.dumps(recipe_dict(network, **changes)))


def commands_text(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def commands(*lines: dict[str, Any]) -> tuple[CommandAt, ...]:
    """Lines of a commands file."""
    return tuple(parse_commands(commands_text(*lines)))


def at(epoch: int, batch: int = 0, command: str = "", /, **fields: Any) -> dict[str, Any]:
    """One line of a commands file."""
    return {"at": {"epoch": epoch, "batch": batch}, "command": command, **fields}


@contextmanager
def library_at(folder: Path) -> Iterator[Library]:
    library = Library(folder)
    try:
        yield library
    finally:
        library.close()


class Events(list[Event]):
    """The events of a trainer."""

    @property
    def end(self) -> EndEvent:
        ends = [event for event in self if isinstance(event, EndEvent)]
        assert len(ends) == 1, ends
        return ends[0]

    @property
    def epochs(self) -> list[EpochEvent]:
        return [event for event in self if isinstance(event, EpochEvent)]

    @property
    def answers(self) -> list[CommandEvent]:
        """The answers to commands that were applied or rejected."""
        return [event for event in self if isinstance(event, CommandEvent) and event.status != "queued"]

    def answer(self, command: str) -> CommandEvent:
        (found,) = [event for event in self.answers if event.name == command]
        return found

    def of(self, kind: str) -> list[Any]:
        return [event for event in self if event.event == kind]


def run(job: Job | Recipe, library: Library | None = None) -> Events:
    """Do ``job`` to its end on this thread; the end must be the last event, and not an error of the program."""
    events = Events()
    job = Job(recipe=job) if isinstance(job, Recipe) else job
    end = Trainer(job, events.append, library).run()
    assert events[-1] is end is events.end
    assert end.details is None, end.details
    return events


class Live:
    """A trainer on a thread of its own, which takes commands while it runs."""

    def __init__(self, job: Job, library: Library | None = None) -> None:
        self.events = Events()
        self._changed = threading.Condition()
        self.trainer = Trainer(job, self._hear, library)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if not any(isinstance(event, EndEvent) for event in self.events):
            self.trainer.post(Stop())
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        torch.set_num_threads(1)  # it is set for each thread, and other numbers give other last bits
        self.trainer.run()

    def _hear(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, arrived: Callable[[Event], bool]) -> Event:
        """The first event that ``arrived`` accepts, which may have come already."""
        with self._changed:
            found = self._changed.wait_for(lambda: [e for e in self.events if arrived(e)], SECONDS)
            assert found, self.events
            return found[0]

    def reach(self, state: State) -> None:
        """Wait until the run is in ``state``."""

        def newest() -> bool:
            states = [e.state for e in self.events if isinstance(e, StateEvent)]
            return bool(states) and states[-1] == state

        with self._changed:
            assert self._changed.wait_for(newest, SECONDS), self.events

    def ask(self, command: AnyCommand, when: Position | None = None) -> CommandEvent:
        """Post ``command`` and wait until it is applied or rejected; it must be queued first."""
        number = self.trainer.post(command, when)
        answer = self.wait(lambda e: isinstance(e, CommandEvent) and e.id == number and e.status != "queued")
        assert isinstance(answer, CommandEvent)
        statuses = [e.status for e in self.events if isinstance(e, CommandEvent) and e.id == number]
        assert statuses in (["queued", answer.status], ["rejected"])
        return answer

    def finish(self) -> EndEvent:
        end = self.wait(lambda e: isinstance(e, EndEvent))
        assert isinstance(end, EndEvent)
        return end

    def pause_at(self, epoch: int, batch: int) -> None:
        """From ready or paused: train up to ``batch`` of ``epoch``, and pause there."""
        self.wait(lambda e: isinstance(e, StateEvent) and e.state == "ready")
        pause = self.trainer.post(Pause(), Position(epoch=epoch, batch=batch))
        self.trainer.post(Start())
        self.wait(lambda e: isinstance(e, CommandEvent) and e.id == pause and e.status == "applied")
        assert self.state.position == Position(epoch=epoch, batch=batch)

    @property
    def state(self) -> RunState:
        """The run in memory; read it only while the trainer is paused."""
        assert self.trainer._run is not None
        return self.trainer._run.state

"""Commands: reading them from JSON, their errors, and writing them back."""

from __future__ import annotations

import itertools
import json
import typing
from typing import Any

import pytest
from pydantic import ValidationError

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.common.spec import first_problem, parse
from engine.messages.commands import (
    AnyIntervention,
    CommandAt,
    Intervention,
    Pause,
    Resume,
    RunEpoch,
    ScaleLR,
    SetLR,
    SetOptimizer,
    SetSchedule,
    Start,
)
from engine.schedules import StepLR

STEP = {"name": "StepLR", "step_size": 3}
EXAMPLES: list[dict[str, Any]] = [
    {"command": "set_lr", "lr": 0.05, "then": "follow"},
    {"command": "set_lr", "lr": 0.0, "then": "hold", "group": "head"},
    {"command": "set_lr", "lr": 1},
    {"command": "scale_lr", "factor": 0.5, "then": "follow"},
    {"command": "release_lr"},
    {"command": "release_lr", "group": "rest"},
    {"command": "set_schedule", "schedule": STEP, "start": "here"},
    {"command": "set_schedule", "schedule": STEP, "start": "replay", "lr": 0.1, "group": "head"},
    {"command": "set_schedule", "schedule": {"name": "LambdaLR", "lr_lambda": ["1", "0.5"]}, "lr": [0.1, 0.01]},
    {"command": "set_optimizer", "weight_decay": 0.0005},
    {"command": "set_optimizer", "betas": [0.8, 0.99], "eps": 1e-7, "group": "head"},
    {"command": "freeze", "group": "rest"},
    {"command": "unfreeze", "group": "rest"},
    {"command": "set_epochs", "epochs": 40},
    {"command": "save"},
    {"command": "save", "path": "here.tiller"},
    {"command": "save", "path": "here.tiller", "overwrite": True},
    {"command": "rewind", "epoch": 5},
    {"command": "rewind", "epoch": 0, "batch": 3},
    {"command": "note", "text": "why"},
    {"command": "stop"},
]


def read(command: dict[str, Any]) -> Any:
    return parse(AnyIntervention, json.dumps(command))


def test_the_examples_cover_every_command() -> None:
    kinds = {typing.get_args(c.model_fields["command"].annotation)[0] for c in typing.get_args(Intervention)}
    assert {e["command"] for e in EXAMPLES} == kinds


@pytest.mark.parametrize("command", EXAMPLES, ids=[json.dumps(e)[:60] for e in EXAMPLES])
def test_a_command_survives_a_round_trip(command: dict[str, Any]) -> None:
    intervention = read(command)
    line = CommandAt(at=Position(epoch=4, batch=2), intervention=intervention).to_dict()
    assert line.pop("at") == {"epoch": 4, "batch": 2}
    assert read(line) == intervention
    assert {k: line[k] for k in command if k != "schedule"} == {k: v for k, v in command.items() if k != "schedule"}


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({}, "command", "is required"),
    ({"command": "jump"}, "command", "'jump' is not known; allowed: set_lr, scale_lr,"),
    ({"command": "pause"}, "command", "'pause' is not known"),  # a transport command is not an intervention
    ({"command": "set_lr"}, "lr", "is required"),
    ({"command": "set_lr", "lr": -1}, "lr", "must be at least 0"),
    ({"command": "set_lr", "lr": 1001}, "lr", "must be at most 1000"),
    ({"command": "set_lr", "lr": float("nan")}, "lr", "must be a finite number"),
    ({"command": "set_lr", "lr": "0.1"}, "lr", "must be a number; it is '0.1'"),
    ({"command": "set_lr", "lr": True}, "lr", "must be a number"),
    ({"command": "set_lr", "lr": 0.1, "then": "stay"}, "then", "must be 'keep', 'follow' or 'hold'; it is 'stay'"),
    ({"command": "set_lr", "lr": 0.1, "group": ""}, "group", "must not be empty"),
    ({"command": "set_lr", "lr": 0.1, "factor": 2}, "factor", "is not a key here; allowed: command, lr, then, group"),
    ({"command": "scale_lr", "factor": 0}, "factor", "must be greater than 0"),
    ({"command": "scale_lr", "factor": 1e7}, "factor", "must be at most 1000000"),
    ({"command": "set_schedule"}, "schedule", "is required"),
    ({"command": "set_schedule", "schedule": {"name": "StepLR"}}, "schedule.step_size", "is required"),
    ({"command": "set_schedule", "schedule": STEP, "start": "now"}, "start", "must be 'here' or 'replay'"),
    ({"command": "set_schedule", "schedule": STEP, "lr": -1}, "lr", "must be at least 0"),
    ({"command": "set_schedule", "schedule": STEP, "lr": "x"}, "lr", "must be a number"),
    ({"command": "set_schedule", "schedule": STEP, "lr": [0.1, -1]}, "lr[1]", "must be at least 0"),
    ({"command": "set_optimizer"}, "", "set_optimizer needs at least one of weight_decay, momentum"),
    ({"command": "set_optimizer", "lr": 0.1}, "lr", "is not a key here"),
    ({"command": "set_optimizer", "momentum": 1}, "momentum", "must be less than 1"),
    ({"command": "set_optimizer", "betas": [0.9, 0.99, 0.999]}, "betas", "at most 2 item"),
    ({"command": "freeze"}, "group", "is required"),
    ({"command": "set_epochs", "epochs": 0}, "epochs", "must be at least 1"),
    ({"command": "set_epochs", "epochs": 1.5}, "epochs", "must be a whole number; it is 1.5"),
    ({"command": "save", "path": ""}, "path", "must not be empty"),
    ({"command": "rewind"}, "epoch", "is required"),
    ({"command": "rewind", "epoch": -1}, "epoch", "must be at least 0"),
    ({"command": "note", "text": ""}, "text", "must not be empty"),
    ({"command": "note", "text": "x" * 10_001}, "text", "must have at most 10000 characters"),
    ({"command": "stop", "now": True}, "now", "is not a key here; allowed: command"),
]


@pytest.mark.parametrize(("command", "field", "problem"), BAD, ids=[json.dumps(c)[:60] for c, _, _ in BAD])
def test_the_error_of_a_bad_command_names_the_field_and_what_is_allowed(
    command: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(SpecError) as caught:
        read(command)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert len(str(caught.value)) < 300


def test_a_command_created_in_python_is_validated_too() -> None:
    with pytest.raises(ValidationError) as caught:
        SetSchedule(schedule=StepLR(step_size=3), lr=(0.1, -1.0))
    assert first_problem(caught.value).field == "lr[1]"
    with pytest.raises(ValidationError, match="frozen"):
        ScaleLR(factor=2.0).factor = 3.0  # type: ignore[misc]


def test_keep_and_here_are_the_defaults() -> None:
    assert SetLR(lr=0.1).then == ScaleLR(factor=2.0).then == "keep"
    assert SetSchedule(schedule=StepLR(step_size=3)).start == "here"


def test_only_the_given_hyperparameters_are_changed() -> None:
    assert SetOptimizer(momentum=0.0, group="head").changes() == {"momentum": 0.0}
    assert SetOptimizer(betas=(0.8, 0.9), nesterov=False).changes() == {"betas": (0.8, 0.9), "nesterov": False}


def test_positions_are_ordered_by_epoch_then_batch() -> None:
    positions = [Position(epoch=1), Position(epoch=1, batch=3), Position(epoch=2), Position(epoch=10, batch=1)]
    assert sorted([positions[2], positions[0], positions[3], positions[1]]) == positions
    for earlier, later in itertools.pairwise(positions):
        assert earlier < later
        assert earlier <= later
        assert later > earlier
        assert not later <= earlier
    assert Position(epoch=2) <= Position(epoch=2, batch=0)
    assert str(Position(epoch=2, batch=5)) == "epoch 2, batch 5"
    for bad in ({"epoch": 0}, {"epoch": 1, "batch": -1}, {"epoch": 1.5}, {}):
        with pytest.raises(SpecError):
            parse(Position, json.dumps(bad))


def test_transport_commands_have_no_other_fields() -> None:
    names = [c().model_dump() for c in (Start, Pause, Resume, RunEpoch)]
    assert names == [{"command": n} for n in ("start", "pause", "resume", "run_epoch")]

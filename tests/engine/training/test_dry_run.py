"""``main.py lr`` compared with training: for any recipe, groups and commands, every LR is the same to the last bit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.common.errors import SpecError
from engine.messages.commands import CommandAt
from engine.messages.commands_file import parse_commands
from engine.recipe.recipe import Recipe
from engine.training.dry_run import lrs_ahead
from engine.training.job import Job
from tests.engine.running import OPTIMIZERS, PER_EPOCH, Events, at, commands, recipe, run
from tests.engine.strategies import LRS, SPECS, with_interval

Batch = tuple[int, int, list[float]]
NAMES = ("rest", "head", "first")


def dry_run(of: Recipe, lines: tuple[CommandAt, ...]) -> tuple[list[Batch], list[Batch], list[tuple[str, str]]]:
    """The lines of batches and of epochs as (epoch, batch, LRs), and rejected commands as (command, why)."""
    rejected: list[tuple[str, str]] = []
    printed = list(lrs_ahead(of, lines, True, lambda line, why: rejected.append((line.intervention.command, why))))
    batches = [(line["epoch"], line["batch"], line["lr"]) for line in printed if "batch" in line]
    return batches, [(line["epoch"], 0, line["lr"]) for line in printed if "batch" not in line], rejected


def trained(events: Events) -> tuple[list[Batch], list[tuple[str, str]]]:
    """Every trained batch as (epoch, batch, LRs), and rejected commands."""
    batches: list[Batch] = []
    for steps in events.of("steps"):
        for place, lrs in enumerate(steps.lr.tolist()):
            epochs, batch = divmod(steps.batch + place, PER_EPOCH)
            batches.append((steps.epoch + epochs, batch, lrs))
    answers = [a for a in events.answers if a.status == "rejected" and a.reason != "the run ended"]
    return batches, [(a.name, str(a.reason)) for a in answers]


def assert_same(of: Recipe, lines: tuple[CommandAt, ...]) -> Events:
    batches, epochs, rejected = dry_run(of, lines)
    events = run(Job(recipe=of, lines=lines))
    steps, refusals = trained(events)
    assert events.end.reason in ("finished", "stopped")
    assert rejected == refusals
    assert epochs == [step for step in steps if step[1] == 0]
    rest = iter(steps)  # only schedules stepped per batch have lines for batches, so a swap may begin or end them
    assert all(batch in rest for batch in batches)
    if not any(line.intervention.command == "set_schedule" for line in lines):
        stepped = [schedule for schedule in (of.schedule, *(g.schedule for g in of.groups)) if schedule is not None]
        if all(schedule.interval == "step" for schedule in stepped):
            assert len(batches) == len(steps)
    return events


SCHEDULES = st.sampled_from(sorted(set(SPECS) - {"ReduceLROnPlateau"})).flatmap(
    lambda name: st.builds(with_interval, SPECS[name], st.sampled_from(["epoch", "step"]))
)
AS_JSON = SCHEDULES.map(lambda spec: json.loads(spec.model_dump_json()))
THEN = st.sampled_from(["keep", "follow", "hold"])
SOME = st.one_of(st.none(), st.sampled_from([*NAMES, "nobody"]))
GROUPS = st.one_of(
    st.just([]),
    st.fixed_dictionaries(
        {"lr": st.one_of(st.none(), LRS), "schedule": st.one_of(st.none(), AS_JSON), "frozen": st.booleans()}
    ).map(lambda own: [{"name": "head", "modules": ["head"], **own}, {"name": "first", "modules": ["body.1"]}]),
)
INTERVENTIONS = st.one_of(
    st.fixed_dictionaries({"command": st.just("set_lr"), "lr": LRS, "then": THEN, "group": SOME}),
    st.fixed_dictionaries({"command": st.just("scale_lr"), "factor": st.floats(0.1, 3), "then": THEN, "group": SOME}),
    st.fixed_dictionaries({"command": st.just("release_lr"), "group": SOME}),
    st.fixed_dictionaries(
        {
            "command": st.just("set_schedule"),
            "schedule": AS_JSON,
            "start": st.sampled_from(["here", "replay"]),
            "lr": st.one_of(st.none(), LRS),
            "group": SOME,
        }
    ),
    st.fixed_dictionaries({"command": st.sampled_from(["freeze", "unfreeze"]), "group": st.sampled_from(NAMES)}),
    st.fixed_dictionaries({"command": st.just("set_epochs"), "epochs": st.integers(1, 6)}),
    st.fixed_dictionaries({"command": st.just("set_optimizer"), "momentum": st.floats(0, 0.9), "group": SOME}),
    st.fixed_dictionaries({"command": st.just("rewind"), "epoch": st.integers(0, 4)}),
    st.fixed_dictionaries({"command": st.just("note"), "text": st.just("why")}),
    st.fixed_dictionaries({"command": st.just("stop")}),
)
COMMANDS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, PER_EPOCH), INTERVENTIONS), max_size=5).map(
    lambda interventions: [
        {"at": {"epoch": epoch, "batch": batch}, **{k: v for k, v in intervention.items() if v is not None}}
        for epoch, batch, intervention in sorted(interventions, key=lambda intervention: intervention[:2])
    ]
)


@given(st.sampled_from(sorted(OPTIMIZERS)), AS_JSON, GROUPS, COMMANDS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_recipe_and_any_interventions(
    optimizer: str, schedule: dict[str, Any], groups: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    of = recipe("numb", optimizer={**OPTIMIZERS[optimizer], "weight_decay": 0.0}, schedule=schedule, groups=groups)
    chosen = tuple(parse_commands("".join(json.dumps(line) + "\n" for line in lines)))
    try:
        dry_run(of, chosen)
    except SpecError:
        return  # training rejects it too, before it begins
    assert_same(of, chosen)


STEPWISE = {"name": "CosineAnnealingLR", "T_max": 9, "interval": "step"}
OF_HEAD = [{"name": "head", "modules": ["head"], "lr": 0.2, "schedule": STEPWISE}]


@pytest.mark.parametrize(
    "lines",
    [
        [at(3, 0, "rewind", epoch=1), at(2, 1, "scale_lr", factor=0.5), at(3, 0, "set_lr", lr=0.3, then="hold")],
        [at(1, 2, "scale_lr", factor=0.5), at(3, 1, "rewind", epoch=1, batch=2), at(3, 1, "rewind", epoch=0)],
        [at(2, 0, "set_epochs", epochs=5), at(5, 0, "rewind", epoch=1)],
        [at(2, 0, "rewind", epoch=2), at(2, 0, "rewind", epoch=1, batch=7), at(2, 0, "rewind", epoch=1)],
        [at(2, 0, "set_schedule", schedule={"name": "StepLR", "step_size": 1}), at(3, 0, "rewind", epoch=1)],
        [at(2, 0, "set_schedule", schedule={"name": "StepLR", "step_size": 1}, group="head")],
        [at(2, 1, "set_schedule", schedule={"name": "StepLR", "step_size": 1}, start="replay", group="rest")],
        [at(2, 0, "freeze", group="head"), at(2, 0, "freeze", group="rest"), at(3, 1, "unfreeze", group="head")],
    ],
)
def test_a_commands_file_with_a_rewind_or_with_groups(lines: list[dict[str, Any]]) -> None:
    assert_same(recipe(groups=OF_HEAD, schedule={"name": "ExponentialLR", "gamma": 0.7}), commands(*lines))


def test_a_momentum_that_cannot_be_resumed_is_rejected_as_in_training() -> None:
    cycled = {"name": "CyclicLR", "base_lr": 0.001, "max_lr": 0.01, "step_size_up": 2}
    without = {"name": "RMSprop", "lr": 0.001}
    lines = commands(
        at(2, 0, "set_optimizer", momentum=0.5),
        at(2, 0, "set_optimizer", nesterov=True),
        at(2, 0, "set_schedule", schedule=cycled),
        at(3, 0, "unfreeze", group="head"),  # its first update is now, and it can
        at(3, 0, "set_schedule", schedule=cycled, group="head"),
        at(3, 0, "note", text="why", about={"epoch": 3, "nth": 1}),
        at(3, 0, "note", text="why", about={"epoch": 3, "nth": 2}),
    )
    frozen = [{"name": "head", "modules": ["head"], "frozen": True}]
    of = recipe(optimizer=without, groups=frozen, schedule={"name": "Constant"})
    assert_same(of, lines)
    assert [name for name, _ in dry_run(of, lines)[2]] == [
        "set_optimizer",
        "set_optimizer",
        "set_schedule",
        "note",
    ]


def test_a_plateau_stays_flat() -> None:
    of = recipe(schedule={"name": "ReduceLROnPlateau", "patience": 0, "threshold": 0.99})
    _, epochs, _ = dry_run(of, commands(at(2, 0, "scale_lr", factor=0.5)))
    assert [lrs for _, _, lrs in epochs] == [[0.05], [0.025], [0.025]]

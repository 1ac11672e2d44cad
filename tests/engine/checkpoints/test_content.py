"""A digest proves that a file is whole, not that it makes sense: what makes none is refused in one short sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.checkpoints.checkpoint import read
from engine.checkpoints.header import read_header
from engine.common.errors import CheckpointError
from engine.lr.scheduled import Length, ScheduledLR
from engine.recipe.recipe import recipe_from_json
from engine.schedules import ScheduleSpec
from tests.engine.checkpoints.bad_files import make, resumed, saved, sealed
from tests.engine.running import MORE_SCHEDULES, OPTIMIZERS, SCHEDULES, recipe


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = make(tmp_path_factory.mktemp("good"))
    content: dict[str, Any] = torch.load(file, weights_only=True)
    return content


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """``value`` with ``new`` at ``path``; a part of the path within a JSON text is below the text's own key."""
    if not path:
        return new
    if isinstance(value, str):
        return json.dumps(changed(json.loads(value), path, new))
    if isinstance(value, dict):
        return {**value, path[0]: changed(value.get(path[0]), path[1:], new)}
    items = list(value)
    items[path[0]] = changed(items[path[0]], path[1:], new)
    return type(value)(items)


def keys(path: str) -> tuple[Any, ...]:
    return tuple(int(part) if part.lstrip("-").isdigit() else part for part in path.split("."))


GROUP = "lr.groups.1"
STATE = "optimizer.state.0"
# (the field, its new value, what the sentence says)
REFUSED: list[tuple[str, Any, str]] = [
    ("format", -1, "is not a Tiller checkpoint"),
    ("format", True, "is not a Tiller checkpoint"),
    ("position", [999, 0], "position: must be within the run's 3 epochs; it is epoch 999"),
    ("position", [2, 999], "position: must be one of 3 batches of an epoch"),
    ("position", [-5, 0], "position[0]: must be at least 1; it is -5"),
    ("position", [3, 2], "lr.epochs_done: must be 2 at epoch 3"),
    ("lr.epochs", 10**30, "lr.epochs: must be at most 1000000"),
    ("lr.epochs", 10**5000, "lr.epochs: must be at most 1000000; it is a very large number"),
    ("lr.epochs", math.inf, "lr.epochs: must be a whole number"),
    ("lr.steps_per_epoch", 4, "lr.steps_per_epoch: is 4; with this data and batch size, an epoch has 3 batches"),
    ("lr.bases", [0.1], "lr.bases: must be one for each of 2 group(s)"),
    (f"{GROUP}.name", "other", "lr.groups: are rest, other; those of the recipe are rest, head"),
    (f"{GROUP}.hold", -1.0, "lr.groups[1].hold: must be at least 0; it is -1"),
    (f"{GROUP}.hold", math.nan, "lr.groups[1].hold: must be a finite number"),
    (f"{GROUP}.set_to", 0.1, "lr.groups[1].scheduled_then: must be given with set_to"),
    ("lr.groups.0.scheduled_then", 0.0, "lr.groups[0].scheduled_then: must be greater than 0"),
    (f"{GROUP}.momentum", 1.0, "lr.groups[1].momentum: must be less than 1"),
    (f"{GROUP}.scheduled.spec", "{}", "lr.groups[1].scheduled.spec.name: is required"),
    (f"{GROUP}.scheduled.position", 5, "lr.groups[1].scheduled.position: must be at most 1"),
    (f"{GROUP}.scheduled.scheduler.gamma", 2.0, "lr.groups[1].scheduled.scheduler.gamma: is not what the schedule has"),
    (f"{GROUP}.scheduled.scheduler.last_epoch", 10**9, "scheduler.last_epoch: must be at most 3"),
    (f"{GROUP}.scheduled.scheduler.last_epoch", "1", "scheduler.last_epoch: must be a number of the type int"),
    (f"{GROUP}.scheduled.scheduler.more", 1, "scheduler.more: is not a key here"),
    (f"{GROUP}.scheduled.shadow.param_groups.0.lr", -0.5, "shadow: the schedule gives an LR of -0.5"),
    (f"{GROUP}.scheduled.shadow.param_groups.0.maximize", True, "maximize: is not what the schedule has"),
    ("optimizer.param_groups.0.maximize", True, "optimizer.param_groups[0].maximize: must be False"),
    ("optimizer.param_groups.0.weight_decay", -5.0, "optimizer.param_groups[0].weight_decay: must be at least 0"),
    ("optimizer.param_groups.0.momentum", math.inf, "optimizer.param_groups[0].momentum: must be"),
    ("optimizer.param_groups.0.params", [0, 0, 1], "optimizer.param_groups[0].params: must be"),
    ("optimizer.param_groups.0.params.1", torch.zeros(3), "optimizer.param_groups[0].params: must be"),
    ("optimizer.param_groups", [], "optimizer.param_groups: must be 2"),
    (f"{STATE}.momentum_buffer", torch.zeros(3), "must be a tensor of shape [16, 64]; its shape is [3]"),
    (f"{STATE}.momentum_buffer", 0.5, "must be a tensor of shape [16, 64]; it is none"),
    (f"{STATE}.more", 1, "optimizer.state[0].more: is not a key here"),
    ("optimizer.state.99", {}, "optimizer.state: must be of"),
    ("model.more", torch.zeros(3), "model: 'more' is missing in the network that the recipe builds"),
    ("model", {}, "is missing in the checkpoint"),
    ("frozen", ["rest", "head"], "frozen: must not be all groups"),
    ("frozen", ["body"], "frozen: must be names of groups: rest, head"),
    ("meter.images", -1, "meter.images: must be at least 0"),
    ("meter.lr_first", [], "meter.lr_first: must have LRs where the epoch has begun"),
    ("meter.lr_min", [0.1], "meter.lr_min: must be one for each of 2 group(s)"),
    ("meter.sums.loss", torch.zeros(3), "must be a tensor of shape []; its shape is [3]"),
    ("random.torch", torch.zeros(3), "must be a tensor of shape [5056]"),
    ("random.python.1.0", 2**32, "random.python[1][0]: must be less than 4294967296"),
    ("random.numpy.2", 10**6, "random.numpy[2]: must be at most 624"),
    ("recipe", "{}", "recipe.data: is required"),
    ("recipe.epochs", -1, "recipe.epochs: must be at least 1"),
    ("history.0.epoch", 2, "history: must have the epochs 1 to 1"),
    ("history", "[1]", "history[0]: must be an object"),
    ("history.0.lr", "x", "history[0].lr: must be a list"),
    ("history.0.lr", [0.1], "history[0].lr: must be one for each of 2 group(s)"),
    ("interventions.0.command.command", "fly", "interventions[0].command.command: 'fly' is not known"),
    ("interventions.0.command.lr", -1, "interventions[0].command.lr: must be at least 0"),
    ("interventions.0.epoch", 3, "interventions[0].epoch: must not be after the checkpoint's position"),
    ("interventions.0.status", "queued", "interventions[0].status: must be applied"),
    ("sources", {"/x.py": "0"}, "has characters that are not allowed"),
    ("run.id", "../../victim", "run.id: has characters that are not allowed"),
    ("run.parent", 3, "run.parent: must be text"),
    ("run.branch", [0, 0], "run.branch[0]: must be at least 1"),
    ("environment.threads", -(10**30), "environment.threads: must be at least 1"),
    ("environment.time", math.nan, "environment.time: must be a finite number"),
    ("more", 1, "more: is not a key here"),
]


@pytest.mark.parametrize(("path", "new", "says"), REFUSED, ids=[f"{path}-{n}" for n, (path, *_) in enumerate(REFUSED)])
def test_what_makes_no_sense_is_refused_and_the_field_named(
    good: dict[str, Any], tmp_path: Path, path: str, new: Any, says: str
) -> None:
    file = tmp_path / "bad.tiller"
    file.write_bytes(sealed(saved(changed(good, keys(path), new))))
    end = resumed(file)
    assert (end.reason, end.field, end.details) == ("failed", "checkpoint", None)
    assert says in str(end.text)
    assert len(str(end.text)) < 400
    assert "\n" not in str(end.text)


def test_the_unchanged_checkpoint_is_accepted(good: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "good.tiller"
    file.write_bytes(sealed(saved(good)))
    assert resumed(file).reason == "stopped"
    assert (read_header(file).epoch, read_header(file).batch) == (2, 2)


EVERY: dict[str, tuple[str, dict[str, Any]]] = {name: ("SGD nesterov", spec) for name, spec in SCHEDULES.items()}
EVERY |= MORE_SCHEDULES


@pytest.mark.parametrize("name", EVERY)
def test_the_state_of_every_schedule_is_accepted_wherever_it_is(name: str) -> None:
    optimizer, schedule = EVERY[name]
    made = recipe(optimizer=OPTIMIZERS[optimizer], schedule=schedule)
    spec: ScheduleSpec = made.schedule.for_group(0)
    scheduled = ScheduledLR(spec, made.optimizer.lr, made.optimizer, Length(5, 3))
    for _ in range(25):  # beyond the end of some
        ScheduledLR.check(scheduled.state(), made.optimizer)
        scheduled.step({"val_loss": 1.0, "train_loss": 1.0, "val_accuracy": 0.5, "train_accuracy": 0.5})


# -- anything at all

WEIRD = st.one_of(
    st.sampled_from([None, True, "", "x", "../../victim", [], {}, [1], {"a": 1}, (1, 2), "[]", "{}", torch.zeros(3)]),
    st.sampled_from([10**30, -(10**30), 2**53, 10**5000, -1, 0, 1, 999, 10**6]),
    st.floats(),
    st.integers(),
    st.text(max_size=8),
)


def mutated(draw: Callable[[Any], Any], value: Any) -> Any:
    """``value`` with something else somewhere, or without a part of it."""
    if isinstance(value, str) and value[:1] in "[{" and draw(st.booleans()):
        inner = mutated(draw, json.loads(value))
        return json.dumps(inner, default=str) if inner != 10**5000 else "9" * 5000
    if not isinstance(value, (dict, list, tuple)) or not value or draw(st.integers(0, 5)) == 0:
        return draw(WEIRD)
    key = draw(st.sampled_from(list(value)[:50] if isinstance(value, dict) else list(range(min(len(value), 3)))))
    parts = dict(value) if isinstance(value, dict) else list(value)
    if draw(st.integers(0, 9)) == 0:
        del parts[key]
    else:
        parts[key] = mutated(draw, parts[key])
    return tuple(parts) if isinstance(value, tuple) else parts


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_any_change_gives_a_refusal_or_a_run(
    good: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.getbasetemp() / "mutated.tiller"
    try:
        raw = saved(mutated(data.draw, good))
    except (ValueError, UnicodeError):  # what cannot be written, such as a lone surrogate
        return
    file.write_bytes(sealed(raw))
    end = resumed(file)
    torch.set_num_threads(1)
    assert end.details is None
    assert end.reason != "failed" or end.field is not None
    assert "\n" not in str(end.text)
    assert len(str(end.text)) < 1000
    try:
        read_header(file)
    except CheckpointError:
        assert end.field == "checkpoint"


def test_what_is_read_is_what_was_checked(good: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "good.tiller"
    file.write_bytes(sealed(saved(good)))
    content = read(file)
    assert content.keys() == good.keys()
    assert recipe_from_json(content["recipe"]).epochs == 3

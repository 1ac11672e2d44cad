"""What differs between runs: fields of their recipes, interventions and LRs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.library import Library
from engine.library.comparison import (
    Difference,
    InterventionDifference,
    intervention_differences,
    lrs,
    read_run,
    recipe_differences,
)
from engine.messages.events import CommandEvent, StepsEvent
from engine.recipe.recipe import recipe_from_json
from engine.training.job import Job
from tests.engine.running import at, commands, library_at, recipe, run

PLAIN: dict[str, Any] = {
    "data": {"name": "digits"},
    "model": {"name": "small_cnn"},
    "optimizer": {"name": "SGD", "lr": 0.01, "momentum": 0.9},
    "schedule": {"name": "StepLR", "step_size": 10, "gamma": 0.5},
}


def like(**changes: Any) -> dict[str, Any]:
    """A whole recipe as JSON data, as the library stores it."""
    made: dict[str, Any] = json.loads(recipe_from_json(json.dumps({**PLAIN, **changes})).to_json())
    return made


def intervention(
    epoch: int, batch: int = 0, name: str = "scale_lr", status: str = "applied", **values: Any
) -> CommandEvent:
    command = {"command": name, **values}
    return CommandEvent(id=0, command=command, status=status, epoch=epoch, batch=batch)  # type: ignore[arg-type]


def test_equal_recipes_have_no_differences() -> None:
    assert recipe_differences([like(), like(), like()]) == []


def test_only_the_fields_that_differ_are_named_in_the_order_of_the_recipe() -> None:
    rows = recipe_differences([like(), like(epochs=7, seed=3), like(optimizer={"name": "SGD", "lr": 0.1})])
    assert rows == [
        Difference("optimizer.lr", (0.01, 0.01, 0.1)),
        Difference("optimizer.momentum", (0.9, 0.9, 0.0)),
        Difference("epochs", (30, 7, 30)),
        Difference("seed", (0, 3, 0)),
    ]


def test_a_field_that_only_one_optimizer_has_is_none_in_the_other() -> None:
    rows = {r.field: r.values for r in recipe_differences([like(), like(optimizer={"name": "Adam", "lr": 0.01})])}
    assert rows["optimizer.name"] == ("SGD", "Adam")
    assert rows["optimizer.momentum"] == (0.9, None)
    assert "optimizer.lr" not in rows


def test_schedules_of_different_kinds_are_compared_as_wholes_and_of_one_kind_by_field() -> None:
    other = like(schedule={"name": "CosineAnnealingLR", "T_max": 30})
    (row,) = recipe_differences([like(), other])
    assert row.field == "schedule"
    assert [value["name"] for value in row.values] == ["StepLR", "CosineAnnealingLR"]
    wider = like(schedule={"name": "StepLR", "step_size": 4, "gamma": 0.5})
    assert recipe_differences([like(), wider]) == [Difference("schedule.step_size", (10, 4))]


def test_groups_are_compared_by_name() -> None:
    def grouped(lr: float) -> dict[str, Any]:
        groups = [{"name": "head", "modules": ["fc*"], "lr": lr}, {"name": "first", "modules": ["conv1"]}]
        return like(groups=groups)

    assert recipe_differences([grouped(0.1), grouped(0.2)]) == [Difference("groups.head.lr", (0.1, 0.2))]


def test_equal_interventions_notes_and_rejected_commands_are_left_out() -> None:
    halve, note = intervention(4, factor=0.5), intervention(5, name="note", text="why")
    refused = intervention(6, factor=9, status="rejected")
    assert intervention_differences([[halve, note, refused], [halve]]) == []


def test_interventions_are_listed_by_position_and_run() -> None:
    halve, double, late = intervention(4, factor=0.5), intervention(4, factor=2.0), intervention(2, 3, factor=0.1)
    rows = intervention_differences([[halve], [late, double], [halve, double]])
    assert rows == [
        InterventionDifference(Position(epoch=2, batch=3), ((), (late,), ())),
        InterventionDifference(Position(epoch=4), ((halve,), (double,), (halve, double))),
    ]


def two_runs(library: Library) -> tuple[str, str]:
    run(Job(recipe=recipe(epochs=3)), library)
    run(Job(recipe=recipe(epochs=3), lines=commands(at(2, 1, "scale_lr", factor=0.5))), library)
    first, second = library.runs()
    return first.id, second.id


def test_real_runs_have_their_lrs_at_each_batch(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        first, second = (read_run(library, run) for run in two_runs(library))
        assert recipe_differences([first.recipe, second.recipe]) == []
        (row,) = intervention_differences([first.interventions, second.interventions])
        assert row.position == Position(epoch=2, batch=1)
        assert [len(interventions) for interventions in row.interventions] == [0, 1]
        index = int(np.flatnonzero(np.isclose(second.x, 1 + 1 / 3))[0])
        assert second.lr[index, 0] == pytest.approx(second.lr[index - 1, 0] / 2)
        assert not np.isclose(first.x, 1 + 1 / 3).any()  # no point where the LR does not change
        assert len(first.history) == 3


def test_where_no_batches_are_known_an_epoch_has_the_lr_of_its_first() -> None:
    with_steps = StepsEvent(
        epoch=1, batch=0, loss=np.zeros(2, np.float32), lr=np.array([[0.1], [0.2]]), images_per_second=0.0
    )
    x, lr = lrs([], [with_steps], 2)
    assert (x.tolist(), lr.tolist()) == ([0.0, 0.5], [[0.1], [0.2]])
    x, lr = lrs([], [], 0)
    assert len(x) == len(lr) == 0


def test_a_missing_run_raises(tmp_path: Path) -> None:
    with library_at(tmp_path) as library, pytest.raises(SpecError, match="there is no run feedbeef"):
        read_run(library, "feedbeef")

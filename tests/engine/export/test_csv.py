"""A run as a table that a spreadsheet and Python's own reader understand."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from engine.export.csv import table
from engine.messages.events import CommandEvent, EpochEvent
from engine.training.job import Job
from tests.engine.running import at, commands, recipe, run


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def intervention(command: dict[str, Any], epoch: int, batch: int = 0, status: Any = "applied") -> CommandEvent:
    return CommandEvent(id=1, command=command, status=status, epoch=epoch, batch=batch)


def test_a_real_run_is_there_to_the_last_bit() -> None:
    groups = [{"name": "head", "modules": ["head"], "lr": 0.1}]
    lines = commands(
        at(2, 1, "scale_lr", factor=0.5),
        at(2, 2, "note", text='why, "so"\nsaid é'),
        at(3, 0, "freeze", group="nobody"),
    )
    events = run(Job(recipe=recipe(groups=groups), lines=lines))
    history = [e for e in events if isinstance(e, EpochEvent)]
    applied = [e for e in events if isinstance(e, CommandEvent)]
    text = table(history, applied, ["rest", "head"])
    found = rows(text)
    assert [int(row["epoch"]) for row in found] == [1, 2, 3]
    for row, epoch in zip(found, history, strict=True):
        assert [float(row["lr[rest]"]), float(row["lr[head]"])] == epoch.lr
        assert [float(row["lr_min[rest]"]), float(row["lr_max[head]"])] == [epoch.lr_min[0], epoch.lr_max[1]]
        for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second"):
            assert float(row[name]) == getattr(epoch, name)
    done = [json.loads(line) for line in found[1]["interventions"].splitlines()]
    assert [(line["command"], line["at"]) for line in done] == [
        ("scale_lr", {"epoch": 2, "batch": 1}),
        ("note", {"epoch": 2, "batch": 2}),
    ]
    assert done[1]["text"] == 'why, "so"\nsaid é'
    assert (found[0]["interventions"], found[2]["interventions"]) == ("", "")  # what was refused is no act


def test_interventions_of_an_epoch_that_has_not_ended_have_a_row_of_their_own() -> None:
    found = rows(table([], [intervention({"command": "release_lr"}, 4, 2)], ["all"]))
    assert [(row["epoch"], row["lr"], row["val_loss"]) for row in found] == [("4", "", "")]
    assert json.loads(found[0]["interventions"])["command"] == "release_lr"

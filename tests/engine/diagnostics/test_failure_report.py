"""A report of what went wrong says enough to find it, and nothing private."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from engine.diagnostics.failure_report import LAST, Witness, without_private_folders
from engine.messages.events import Event
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.engine.running import Events, at, commands, recipe


@pytest.fixture(scope="module")
def heard() -> Events:
    """A run that broke in its third epoch, after two interventions."""
    events = Events()
    lines = commands(at(1, 1, "set_lr", lr=0.02), at(2, 0, "note", text="faster"))
    job = Job(recipe=recipe("breaks_on_the_eighth"), lines=lines)
    Trainer(job, events.append).run()
    return events


def witness_of(events: list[Event]) -> Witness:
    witness = Witness()
    for event in events:
        witness.hear(event)
    return witness


def sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split("\n\n"):
        title, _, body = part.partition("\n")
        if title in ("Recipe", "Hand", "Last events", "Details"):
            found[title] = body
    return found


def test_it_says_what_happened_with_what_and_on_what(heard: Events) -> None:
    report = witness_of(heard).report("It broke.", str(heard.end.details))
    found = sections(report)
    assert report.startswith("It broke.\n\nTiller ")
    for word in ("Python 3", "torch ", "PySide6-Essentials ", "cpu, ", " parameters"):
        assert word in report
    assert json.loads(found["Recipe"])["optimizer"]["name"] == "SGD"
    interventions = [json.loads(line) for line in found["Hand"].splitlines()]
    assert interventions[0] == {"at": {"epoch": 1, "batch": 1}, "command": "set_lr", "lr": 0.02, "then": "keep"}
    assert interventions[1]["text"] == "faster"
    last = [json.loads(line) for line in found["Last events"].splitlines()]
    assert last[-1]["event"] == "end"
    assert [e["epoch"] for e in last if e["event"] == "epoch"] == [1, 2]
    assert "RuntimeError: broken on the eighth" in found["Details"]
    assert "tiny_networks.py" in found["Details"]


def test_it_stays_small_however_long_the_run(heard: Events) -> None:
    witness = witness_of([*heard] * 50)
    report = witness.report("It broke.", "Traceback")
    assert len(sections(report)["Last events"].splitlines()) == LAST
    assert len(report) < 20_000


def test_it_tells_nothing_of_whose_machine_it_is(heard: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2-hunter2")
    report = witness_of(heard).report("It broke.", str(heard.end.details))
    assert "hunter2" not in report
    assert str(Path(__file__).parents[3]) not in report
    assert "tiller/engine/training/step.py" in report
    assert f"{sys.prefix}/" not in report
    assert os.environ["PATH"] not in report


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{home}/nets/mine.py:make", "~/nets/mine.py:make"),
        ('File "{home}/x.py", line 3', 'File "~/x.py", line 3'),
        ("{home}less/x.py", "{home}less/x.py"),
        ("in {home}", "in ~"),
    ],
)
def test_folders_of_the_person(monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    monkeypatch.setenv("HOME", "/homes/jane")
    monkeypatch.setenv("USERPROFILE", "/homes/jane")
    home = str(Path.home())
    assert without_private_folders(text.format(home=home)) == told.format(home=home)


def test_what_went_wrong_before_any_run_is_said_with_the_recipe_that_was_asked_for() -> None:
    report = Witness().report("It broke.", "Traceback", {"epochs": 3})
    assert sections(report) == {"Recipe": '{"epochs": 3}', "Details": "Traceback\n"}

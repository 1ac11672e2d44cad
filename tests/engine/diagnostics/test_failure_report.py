"""A failure report has what is needed to find the cause, and nothing private."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from engine.diagnostics.failure_report import LAST, FailureReporter, without_private_folders
from engine.messages.events import Event
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.engine.running import Events, at, commands, recipe


@pytest.fixture(scope="module")
def events() -> Events:
    """The events of a run that failed in its third epoch, after two interventions."""
    recorded = Events()
    lines = commands(at(1, 1, "set_lr", lr=0.02), at(2, 0, "note", text="faster"))
    job = Job(recipe=recipe("breaks_on_the_eighth"), lines=lines)
    Trainer(job, recorded.append).run()
    return recorded


def reporter_of(events: list[Event]) -> FailureReporter:
    reporter = FailureReporter()
    for event in events:
        reporter.record(event)
    return reporter


def sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split("\n\n"):
        title, _, body = part.partition("\n")
        if title in ("Recipe", "Interventions", "Last events", "Details"):
            found[title] = body
    return found


def test_report_has_machine_recipe_interventions_events_and_traceback(events: Events) -> None:
    report = reporter_of(events).report("It broke.", str(events.end.details))
    found = sections(report)
    assert report.startswith("It broke.\n\nTiller ")
    for word in ("Python 3", "torch ", "PySide6-Essentials ", "cpu, ", " parameters"):
        assert word in report
    assert json.loads(found["Recipe"])["optimizer"]["name"] == "SGD"
    interventions = [json.loads(line) for line in found["Interventions"].splitlines()]
    assert interventions[0] == {"at": {"epoch": 1, "batch": 1}, "command": "set_lr", "lr": 0.02, "then": "keep"}
    assert interventions[1]["text"] == "faster"
    last = [json.loads(line) for line in found["Last events"].splitlines()]
    assert last[-1]["event"] == "end"
    assert [e["epoch"] for e in last if e["event"] == "epoch"] == [1, 2]
    assert "RuntimeError: broken on the eighth" in found["Details"]
    assert "tiny_networks.py" in found["Details"]


def test_report_of_a_long_run_stays_short(events: Events) -> None:
    report = reporter_of([*events] * 50).report("It broke.", "Traceback")
    assert len(sections(report)["Last events"].splitlines()) == LAST
    assert len(report) < 20_000


def test_report_has_no_environment_and_no_private_folders(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2-hunter2")
    report = reporter_of(events).report("It broke.", str(events.end.details))
    assert "hunter2" not in report
    assert str(Path(__file__).parents[3]) not in report
    assert "tiller/engine/training/step.py" in report
    assert f"{sys.prefix}/" not in report
    assert os.environ["PATH"] not in report


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{home}/nets/mine.py:make", "~/nets/mine.py:make"),
        ('File "{home}/x.py", line 3', 'File "~/x.py", line 3'),
        ("{home}less/x.py", "{home}less/x.py"),
        ("in {home}", "in ~"),
    ],
)
def test_home_folder_is_shortened(monkeypatch: pytest.MonkeyPatch, text: str, shown: str) -> None:
    monkeypatch.setenv("HOME", "/homes/jane")
    monkeypatch.setenv("USERPROFILE", "/homes/jane")
    home = str(Path.home())
    assert without_private_folders(text.format(home=home)) == shown.format(home=home)


def test_report_before_any_run_has_the_recipe_that_failed() -> None:
    report = FailureReporter().report("It broke.", "Traceback", Recipe(epochs=3))
    found = sections(report)
    assert (recipe_from_json(found.pop("Recipe")), found) == (Recipe(epochs=3), {"Details": "Traceback\n"})

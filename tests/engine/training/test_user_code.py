"""A run knows the files that its user's network came from: it finds them from any folder, and says what changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import main
from engine.checkpoints import checkpoint
from engine.library import Library
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.recipe.user_code import digest
from engine.training.job import Job, to_resume
from tests.engine.running import Events, at, commands, library_at, recipe_dict, run

NETWORK = """
from torch import nn
from blocks import WIDTH
def make(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, num_classes))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a network and its neighbour."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "net.py").write_text(NETWORK)
    (folder / "blocks.py").write_text("WIDTH = 6")
    monkeypatch.chdir(folder)
    return folder


def own() -> Recipe:
    return recipe_from_json(json.dumps(recipe_dict(model={"name": "net.py:make"})))


def stopped(library: Library) -> str:
    """A run that was stopped in epoch 2."""
    run(Job(recipe=own(), lines=commands(at(2, 1, "stop"))), library)
    return library.runs()[-1].id


def said(events: Events) -> list[str]:
    return [event.text for event in events.of("warning") if event.serious]


def test_a_run_is_resumed_from_any_folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run(own()).end.weights_sha256
    with library_at(tmp_path / "library") as library:
        run_id = stopped(library)
        monkeypatch.chdir(tmp_path)
        events = run(to_resume(run_id, library), library)
    assert events.end.weights_sha256 == expected
    assert events.of("start")[0].recipe.model.name == f"{home / 'net.py'}:make"
    assert said(events) == []


def test_an_export_replays_from_its_own_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with library_at(tmp_path / "library") as library:
        expected = run(own(), library).end.weights_sha256
        run_id = library.runs()[0].id
    assert main.main(["export", run_id, str(tmp_path / "out"), "--library", str(tmp_path / "library")]) == 0
    monkeypatch.chdir(tmp_path / "out")
    capfd.readouterr()
    arguments = ["train", "recipe.json", "--commands", "commands.jsonl", "--library", str(tmp_path / "other")]
    assert main.main(arguments) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["weights_sha256"] == expected


def test_a_checkpoint_holds_the_digests_of_all_files_that_were_run(home: Path, tmp_path: Path) -> None:
    with library_at(tmp_path / "library") as library:
        newest = library.newest_checkpoint(stopped(library))
    assert newest is not None
    assert checkpoint.read(newest)["sources"] == {
        str(home / name): digest(home / name) for name in ("net.py", "blocks.py")
    }


@pytest.mark.parametrize("name", ["net.py", "blocks.py"])
def test_a_changed_file_is_reported_once(
    home: Path, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with library_at(tmp_path / "library") as library:
        run_id = stopped(library)
        with (home / name).open("a") as file:
            file.write("\n# edited\n")
        job = to_resume(run_id, library, commands(at(3, 1, "stop")))
        text = f"{home / name} has changed since the checkpoint was written: the network may be another one"
        assert said(run(job, library)) == [text]
        with (home / name).open("a") as file:
            file.write("\n# edited again\n")
    capfd.readouterr()
    for expected in (f"{text}\n", ""):
        assert main.main(["train", "--resume", run_id, "--library", str(tmp_path / "library")]) == 0
        printed = capfd.readouterr()
        assert printed.err == expected
        assert json.loads(printed.out.splitlines()[-1])["event"] == "end"


def test_a_file_that_is_gone_is_named(home: Path, tmp_path: Path) -> None:
    with library_at(tmp_path / "library") as library:
        run_id = stopped(library)
        (home / "net.py").unlink()
        end = run(to_resume(run_id, library), library).end
    assert (end.field, end.text) == ("model.name", f"{home / 'net.py'} does not exist")

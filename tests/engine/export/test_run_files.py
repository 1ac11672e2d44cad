"""The exported recipe and commands repeat a run bit for bit, and its CSV table holds every number."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import main
from engine.export.run_files import csv_table
from engine.library import Library
from engine.messages.events import CommandEvent, EpochEvent
from engine.training.job import Job, to_resume
from tests.engine.running import at, commands, library_at, recipe, run
from tests.engine.training.test_exactness import GROUPS, INTERVENTIONS


def exported(run_id: str, library: Library, folder: Path) -> tuple[str, str]:
    assert main.main(["export", run_id, str(folder), "--library", str(library.root)]) == 0
    return str(folder / "recipe.json"), str(folder / "commands.jsonl")


def replay(files: tuple[str, str], folder: Path, capture: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The end event of ``main.py train`` with the exported files."""
    capture.readouterr()
    assert main.main(["train", files[0], "--commands", files[1], "--library", str(folder / "other")]) == 0
    end: dict[str, Any] = json.loads(capture.readouterr().out.splitlines()[-1])
    return end


@pytest.mark.parametrize("intervention", INTERVENTIONS)
def test_run_with_interventions_is_replayed_bit_for_bit(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], intervention: str
) -> None:
    with library_at(tmp_path / "library") as library:
        original = run(Job(recipe=recipe(groups=GROUPS), lines=commands(*INTERVENTIONS[intervention])), library)
        files = exported(library.runs()[-1].id, library, tmp_path)
    assert replay(files, tmp_path, capfd)["weights_sha256"] == original.end.weights_sha256


def test_extended_resumed_and_stopped_branch_is_replayed_without_what_was_undone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [
        at(1, 1, "scale_lr", factor=0.5),
        at(2, 1, "set_lr", lr=0.5),
        at(3, 1, "rewind", epoch=1, batch=1),
        at(2, 1, "note", text="the branch"),
        at(2, 2, "stop"),
    ]
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe(), lines=commands(*lines)), library)
        branch = library.runs()[-1].id
        job = to_resume(branch, library, commands(at(4, 1, "set_optimizer", momentum=0.5), at(5, 2, "stop")))
        original = run(replace(job, epochs=6), library)
        assert (original.end.reason, original.end.epoch) == ("stopped", 5)
        files = exported(branch, library, tmp_path)
    names = [json.loads(line)["command"] for line in Path(files[1]).read_text().splitlines()]
    assert names == ["scale_lr", "note", "set_epochs", "set_optimizer", "stop"]
    end = replay(files, tmp_path, capfd)
    assert (end["reason"], end["weights_sha256"]) == ("stopped", original.end.weights_sha256)


def test_export_rejects_an_unknown_run_and_a_file_as_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["export", "nothing", str(tmp_path), "--library", str(tmp_path / "library")]
    assert main.main(words) == 2
    assert "'nothing' is neither a checkpoint file nor a run" in capfd.readouterr().err
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe()), library)
        known = library.runs()[-1].id
    (tmp_path / "file").write_text("")
    assert main.main(["export", known, str(tmp_path / "file"), "--library", str(tmp_path / "library")]) == 2
    assert "file cannot be written: File exists" in capfd.readouterr().err


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_table_holds_every_number_of_a_run_unrounded() -> None:
    groups = [{"name": "head", "modules": ["head"], "lr": 0.1}]
    lines = commands(
        at(2, 1, "scale_lr", factor=0.5),
        at(2, 2, "note", text='why, "so"\nsaid é'),
        at(3, 0, "freeze", group="nobody"),
    )
    events = run(Job(recipe=recipe(groups=groups), lines=lines))
    history = [e for e in events if isinstance(e, EpochEvent)]
    answers = [e for e in events if isinstance(e, CommandEvent)]
    table = rows(csv_table(history, answers, ["rest", "head"]))
    assert [int(row["epoch"]) for row in table] == [1, 2, 3]
    for row, epoch in zip(table, history, strict=True):
        assert [float(row["lr[rest]"]), float(row["lr[head]"])] == epoch.lr
        assert [float(row["lr_min[rest]"]), float(row["lr_max[head]"])] == [epoch.lr_min[0], epoch.lr_max[1]]
        for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second"):
            assert float(row[name]) == getattr(epoch, name)
    applied = [json.loads(line) for line in table[1]["interventions"].splitlines()]
    assert [(line["command"], line["at"]) for line in applied] == [
        ("scale_lr", {"epoch": 2, "batch": 1}),
        ("note", {"epoch": 2, "batch": 2}),
    ]
    assert applied[1]["text"] == 'why, "so"\nsaid é'
    assert (table[0]["interventions"], table[2]["interventions"]) == ("", "")  # a rejected command is left out


def test_csv_table_has_a_row_for_commands_in_an_epoch_that_has_not_ended() -> None:
    command = CommandEvent(id=1, command={"command": "release_lr"}, status="applied", epoch=4, batch=2)
    table = rows(csv_table([], [command], ["all"]))
    assert [(row["epoch"], row["lr"], row["val_loss"]) for row in table] == [("4", "", "")]
    assert json.loads(table[0]["interventions"])["command"] == "release_lr"


def test_an_export_replaces_an_older_export_and_other_files_only_with_overwrite(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe(), lines=commands(at(1, 1, "stop"))), library)
        run_id = library.runs()[-1].id
        exported(run_id, library, tmp_path)
        files = exported(run_id, library, tmp_path)
        before = Path(files[0]).read_text()
        Path(files[1]).write_text("my own commands\n")
        Path(files[0]).unlink()
        words = ["export", run_id, str(tmp_path), "--library", str(library.root)]
        capfd.readouterr()
        assert main.main(words) == 2
        err = capfd.readouterr().err
        assert "commands.jsonl cannot be written: it is there already and is not a commands file" in err
        assert "--overwrite" in err
        assert (err.count("\n"), Path(files[1]).read_text()) == (1, "my own commands\n")
        assert not Path(files[0]).exists()
        assert main.main([*words, "--overwrite"]) == 0
    assert Path(files[0]).read_text() == before
    assert json.loads(Path(files[1]).read_text())["command"] == "stop"


def test_an_export_is_not_written_through_a_file_that_was_planted(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("old")
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe(), lines=commands(at(1, 1, "stop"))), library)
        out = tmp_path / "out"
        out.mkdir()
        for name in ("recipe.json.part", "commands.jsonl.part"):
            (out / name).symlink_to(victim)
        exported(library.runs()[-1].id, library, out)
    assert victim.read_text() == "old"

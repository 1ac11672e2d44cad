"""A run written as recipe and hand makes the same weights again, headless."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import main
from engine.library import Library
from engine.training.job import Job, to_resume
from tests.engine.running import at, commands, library_at, recipe, run
from tests.engine.training.test_exactness import ACTS, GROUPS


def exported(run_id: str, library: Library, folder: Path) -> tuple[str, str]:
    assert main.main(["export", run_id, str(folder), "--library", str(library.root)]) == 0
    return str(folder / "recipe.json"), str(folder / "commands.jsonl")


def replayed(files: tuple[str, str], folder: Path, capture: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capture.readouterr()
    assert main.main(["train", files[0], "--commands", files[1], "--library", str(folder / "other")]) == 0
    end: dict[str, Any] = json.loads(capture.readouterr().out.splitlines()[-1])
    return end


@pytest.mark.parametrize("intervention", ACTS)
def test_a_run_with_interventions_is_reproduced_bit_for_bit(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], intervention: str
) -> None:
    with library_at(tmp_path / "library") as library:
        lived = run(Job(recipe=recipe(groups=GROUPS), lines=commands(*ACTS[intervention])), library)
        files = exported(library.runs()[-1].id, library, tmp_path)
    assert replayed(files, tmp_path, capfd)["weights_sha256"] == lived.end.weights_sha256


def test_a_branch_that_was_made_longer_resumed_and_stopped_is_reproduced_without_its_detours(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [
        at(1, 1, "scale_lr", factor=0.5),
        at(2, 1, "set_lr", lr=0.5),
        at(3, 1, "rewind", epoch=1, batch=1),
        at(2, 1, "note", text="the other road"),
        at(2, 2, "stop"),
    ]
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe(), lines=commands(*lines)), library)
        branch = library.runs()[-1].id
        job = to_resume(branch, library, commands(at(4, 1, "set_optimizer", momentum=0.5), at(5, 2, "stop")))
        lived = run(replace(job, epochs=6), library)
        assert (lived.end.reason, lived.end.epoch) == ("stopped", 5)
        files = exported(branch, library, tmp_path)
    names = [json.loads(line)["command"] for line in Path(files[1]).read_text().splitlines()]
    assert names == ["scale_lr", "note", "set_epochs", "set_optimizer", "stop"]
    end = replayed(files, tmp_path, capfd)
    assert (end["reason"], end["weights_sha256"]) == ("stopped", lived.end.weights_sha256)


def test_what_cannot_be_exported_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["export", "nothing", str(tmp_path), "--library", str(tmp_path / "library")]
    assert main.main(words) == 2
    assert "'nothing' is neither a checkpoint's file nor a run" in capfd.readouterr().err
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe()), library)
        known = library.runs()[-1].id
    (tmp_path / "file").write_text("")
    assert main.main(["export", known, str(tmp_path / "file"), "--library", str(tmp_path / "library")]) == 2
    assert "file cannot be made: File exists" in capfd.readouterr().err

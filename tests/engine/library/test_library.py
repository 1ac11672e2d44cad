"""The library: rows and checkpoints on disk, retention, and failures that are reported."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoints.checkpoint import read
from engine.common.errors import SpecError
from engine.common.file_lock import lock
from engine.common.position import Position
from engine.library import (
    Beginning,
    CheckpointResult,
    CheckpointWrite,
    Library,
    Retention,
    RunRow,
    default_library_root,
    new_run_id,
)
from engine.library.index_writer import IndexWriter
from engine.library.schema import VERSION
from engine.messages.commands import Resume, Rewind
from engine.training.job import Job, of_file, to_resume
from tests.engine.running import MAIN, SECONDS, Live, at, commands, library_at, recipe, run


def row(run: str = "a", **changes: Any) -> RunRow:
    values: dict[str, Any] = {
        "id": run,
        "name": "n",
        "state": "training",
        "created": 1.0,
        "updated": 1.0,
        "epochs_done": 0,
        "epochs": 3,
        "parent": None,
        "branch_epoch": None,
        "branch_batch": None,
        "recipe": "{}",
        "commands": "",
    }
    return RunRow(**{**values, **changes})


def begin(library: Library, one: RunRow) -> None:
    library.begin(Beginning(row=one, at=Position(epoch=one.epochs_done + 1)), warn=pytest.fail)


def test_runs_are_listed_oldest_first_and_are_still_there_when_reopened(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        for name, created in (("b", 2.0), ("a", 1.0), ("c", 3.0)):
            begin(library, row(name, created=created, state="stopped"))
        assert library.run("b") == row("b", created=2.0, state="stopped")
        assert library.run("x") is None
    with library_at(tmp_path) as library:
        assert [r.id for r in library.runs()] == ["a", "b", "c"]


def test_a_resumed_run_keeps_its_row(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        begin(library, row(state="failed"))
        begin(library, row(state="stopped", updated=9.0, epochs=40, created=9.0, name="other"))
        assert library.runs() == [row(state="stopped", updated=9.0, epochs=40)]


def test_to_name_tag_or_note_a_run_does_not_change_when_it_last_trained(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        begin(library, row(state="stopped"))
        library.update("a", pytest.fail, name="other", notes="why", tags=("good",))
        library.flush()
        assert library.runs() == [row(state="stopped", name="other", notes="why", tags=("good",))]


def test_ids_are_letters_and_digits_and_differ() -> None:
    ids = {new_run_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(i.isalnum() for i in ids)


def test_autosaves_are_the_last_three_epoch_ends_and_one_before_each_intervention(tmp_path: Path) -> None:
    lines = commands(
        at(1, 1, "scale_lr", factor=0.5), at(2, 2, "note", text="no change"), at(3, 1, "set_optimizer", momentum=0.5)
    )
    with library_at(tmp_path) as library:
        events = run(Job(recipe=recipe(epochs=6), lines=lines), library)
        saved = events.of("saved")
        assert {(e.epoch, e.batch) for e in saved if e.kind == "epoch"} <= {(n, 0) for n in range(1, 8)}
        assert [(e.epoch, e.batch) for e in saved if e.kind == "before"] == [(1, 1), (3, 1)]
        kept = [e for e in saved if Path(e.path).exists()]
        assert [(e.kind, e.epoch, e.batch) for e in kept] == [
            ("before", 1, 1),
            ("before", 3, 1),
            ("epoch", 5, 0),
            ("epoch", 6, 0),
            ("epoch", 7, 0),
        ]
        assert Retention().last == 3
        (known,) = library.runs()
        assert [(p.epoch, p.batch) for p in library.positions(known.id)] == [(1, 1), (3, 1), (5, 0), (6, 0), (7, 0)]
        assert str(library.newest_checkpoint(known.id)) == events.end.checkpoint == kept[-1].path
        assert sorted((tmp_path / "checkpoints" / known.id).iterdir()) == sorted(Path(e.path) for e in kept)


def test_a_runs_row_is_written_before_its_start_and_has_its_state(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        states: list[str] = []
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            start = live.wait(lambda e: e.event == "start")
            assert [r.id for r in library.runs()] == [start.run]  # type: ignore[attr-defined]
            live.pause_at(2, 1)
            library.flush()
            (known,) = library.runs()
            states += [known.state]
            assert (known.epochs_done, known.epochs) == (1, 3)
        (known,) = library.runs()
        assert [*states, known.state] == ["paused", "stopped"]
        run(to_resume(known.id, library), library)
        (known,) = library.runs()
        assert (known.state, known.epochs_done) == ("finished", 3)
        again = run(to_resume(known.id, library), library)
        assert [e.event for e in again if e.event in ("start", "epoch", "end")] == ["start", "end"]


def test_a_run_without_a_checkpoint_begins_again_from_its_recipe_and_interventions(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe(), lines=commands(at(2, 1, "scale_lr", factor=0.5))), library)
        (known,) = library.runs()
        for file in (tmp_path / "checkpoints" / known.id).iterdir():
            file.unlink()
        again = run(to_resume(known.id, library), library)
        assert again.end.weights_sha256 == whole.end.weights_sha256
        assert again.of("start")[0].run == known.id


def test_a_run_that_began_from_a_checkpoint_file_can_be_resumed_from_its_start(tmp_path: Path) -> None:
    file = tmp_path / "here.tiller"
    with library_at(tmp_path / "library") as library:
        whole = run(Job(recipe=recipe(), lines=commands(at(2, 1, "save", path=str(file)))), library)
        run(Job(checkpoint=file, lines=commands(at(2, 1, "note", text="x"), at(2, 2, "stop"))), library)
        first, second = library.runs()
        assert (second.parent, second.branch_epoch, second.branch_batch) == (first.id, 2, 1)
        newest = library.newest_checkpoint(second.id)
        assert newest is not None
        newest.unlink()  # as if the process had been killed before it saved anything else
        again = run(to_resume(second.id, library), library)
        assert (again.of("start")[0].epoch, again.of("start")[0].batch) == (2, 1)
        assert again.end.reason == "stopped"
        assert run(to_resume(str(file), library), library).end.weights_sha256 == whole.end.weights_sha256


def test_what_is_neither_a_file_nor_a_run_cannot_be_resumed(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        for what in ("nothing", str(tmp_path)):
            with pytest.raises(SpecError, match=r"^resume: .* is neither a checkpoint file nor a run in "):
                to_resume(what, library)


def test_a_file_resumes_the_run_whose_newest_it_is_and_is_a_branch_otherwise(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe()), library)
        (known,) = library.runs()
        *older, newest = [s.path for s in library.checkpoints(known.id)]
        assert of_file(newest, library).run == known.id
        copy = tmp_path / "copy.tiller"
        copy.write_bytes(newest.read_bytes())
        for file in (*older, copy):
            assert of_file(file, library) == Job(checkpoint=file)
        assert of_file(newest, None) == Job(checkpoint=newest)
        library.delete(known.id)
        assert of_file(newest, library) == Job(checkpoint=newest)


def test_the_library_can_be_moved(tmp_path: Path) -> None:
    with library_at(tmp_path / "old") as library:
        run(Job(recipe=recipe()), library)
    (tmp_path / "old").rename(tmp_path / "new")
    with library_at(tmp_path / "new") as library:
        (known,) = library.runs()
        found = library.newest_checkpoint(known.id)
        assert found is not None
        assert found.is_relative_to(tmp_path / "new")


def test_a_write_that_fails_in_any_way_is_reported(tmp_path: Path) -> None:
    results: list[CheckpointResult] = []
    with library_at(tmp_path) as library:
        begin(library, row())
        (tmp_path / "file").write_text("")
        good = {"model": {"w": torch.zeros(2)}}
        for content, path in ((good, "file/x.tiller"), ({"model": lambda: 1}, "y.tiller"), (good, "z.tiller")):
            checkpoint = CheckpointWrite(
                content=content, run="a", kind="asked", at=Position(epoch=1), path=tmp_path / path, done=results.append
            )
            library.store(checkpoint)
        library.flush()
        assert [result.path for result in results] == [None, None, tmp_path / "z.tiller"]
        assert [bool(result.error) for result in results] == [True, True, False]
        assert "pickle" in str(results[1].error)
        assert library.newest_checkpoint("a") == tmp_path / "z.tiller"
    assert not (tmp_path / "y.tiller").exists()


def test_an_index_deleted_in_mid_run_causes_a_warning_and_training_continues(tmp_path: Path) -> None:
    with library_at(tmp_path) as library, Live(Job(recipe=recipe(), begin=False), library) as live:
        live.pause_at(2, 1)
        library.flush()
        for file in tmp_path.glob("runs.sqlite*"):
            file.unlink()
        live.trainer.post(Rewind(epoch=1))
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"
        assert live.events.answer("rewind").status == "applied"  # recomputed from the beginning
        texts = [e.text for e in live.events.of("warning")]
        assert any("the library's index was missing and has been rebuilt" in text for text in texts)
        assert [r.state for r in library.runs()] == ["abandoned", "finished"]


def test_statements_delayed_by_a_lock_are_written_exactly_once(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        begin(library, row())
    messages: list[str | None] = []
    count = "UPDATE runs SET epochs_done = epochs_done + 1"
    writer = IndexWriter(tmp_path, busy=0.0)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.write([(count, ())], messages.append)
        writer.flush()
        other.execute("ROLLBACK")
        assert messages == ["another program has locked the index"]
        for expected in (2, 3, 4):
            writer.write([(count, ())], messages.append)
            writer.flush()
            assert other.execute("SELECT epochs_done FROM runs").fetchall() == [(expected,)]
    writer.close()
    assert messages[1:] == [None]


def test_a_folder_that_cannot_be_a_library_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "newer").mkdir()
    with sqlite3.connect(tmp_path / "newer" / "runs.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    for name, problem in (
        ("file", "File exists|Not a directory"),
        ("newer", "another version of Tiller"),
    ):
        with pytest.raises(SpecError, match=f"^library: .*({problem})") as error:
            Library(tmp_path / name)
        assert "--library" in str(error.value)
        assert "\n" not in str(error.value)


def test_opening_waits_for_another_process_that_creates_the_library(tmp_path: Path) -> None:
    with library_at(tmp_path / "made") as library, sqlite3.connect(library.root / "runs.sqlite") as db:
        tables = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    db.close()
    (tmp_path / "new").mkdir()
    db = sqlite3.connect(tmp_path / "new" / "runs.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    opened: list[Library] = []
    other = threading.Thread(target=lambda: opened.append(Library(tmp_path / "new")))
    other.start()
    time.sleep(0.2)  # so that it gets to the lock; were this too short, the test could not fail
    assert opened == []
    for statement in (*tables, f"PRAGMA user_version = {VERSION}", "COMMIT"):
        db.execute(statement)
    db.close()
    other.join(SECONDS)
    assert opened[0].runs() == []
    opened[0].close()


def test_partial_files_of_a_killed_process_are_removed_and_files_being_written_are_not(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        run(recipe(epochs=1), library)
        folder = tmp_path / "checkpoints" / library.runs()[0].id
        (tmp_path / "saved").mkdir()
        left = [folder / ".x.tiller.abc.part", tmp_path / "saved" / ".y.tiller.abc.part"]
        for part in left:
            part.write_bytes(b"half")
        being_written = folder / ".z.tiller.abc.part"
        with being_written.open("wb") as file:
            assert lock(file)
            Library(tmp_path).close()
            assert [p.exists() for p in left] == [False, False]
            assert being_written.exists()
        Library(tmp_path).close()
        assert not list(tmp_path.rglob("*.part"))
        assert len(library.checkpoints(library.runs()[0].id)) == 2


OPEN = "import sys; sys.path.insert(0, sys.argv[1]); from engine.library import Library; Library(sys.argv[2]).close()"


def test_several_processes_can_create_one_library_at_the_same_time(tmp_path: Path) -> None:
    """Opening it does not import torch, or this would take long."""
    command = [sys.executable, "-c", OPEN, str(MAIN.parent), str(tmp_path / "new")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    assert [(p.communicate(timeout=60)[1], p.returncode) for p in processes] == [("", 0)] * 6
    with library_at(tmp_path / "new") as library:
        assert library.runs() == []


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TILLER_LIBRARY", str(tmp_path))
    assert default_library_root() == tmp_path
    monkeypatch.delenv("TILLER_LIBRARY")
    assert default_library_root().name == "library"
    assert "tiller" in str(default_library_root())


def test_a_run_shortened_to_its_position_ends_with_a_checkpoint_of_its_end(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=commands(at(3, 0, "set_epochs", epochs=2))), library)
        (known,) = library.runs()
        newest = library.newest_checkpoint(known.id)
        assert newest is not None
        assert json.loads(read(newest)["interventions"])[-1]["command"] == {"command": "set_epochs", "epochs": 2}
        again = run(to_resume(known.id, library), library)  # nothing is left to train
        assert again.end.checkpoint == str(newest)
        assert library.newest_checkpoint(known.id) == newest

"""The library's index: one of another version is left alone, a damaged or missing one is rebuilt."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.library import Library
from engine.library.schema import TABLES
from engine.messages.commands import ScaleLR, Stop
from engine.training.job import Job, to_resume
from tests.engine.running import Live, at, commands, library_at, recipe, run


def stopped(root: Path) -> str:
    """A run of three epochs that stopped in the second, with a line of its commands file pending; returns its id."""
    with library_at(root) as library:
        lines = commands(at(1, 1, "scale_lr", factor=0.5), at(2, 1, "stop"), at(3, 0, "scale_lr", factor=0.1))
        run(Job(recipe=recipe(), lines=lines, name="mine"), library)
        (row,) = library.runs()
    return row.id


def uninterrupted() -> str | None:
    lines = commands(at(1, 1, "scale_lr", factor=0.5), at(3, 0, "scale_lr", factor=0.1))
    return run(Job(recipe=recipe(), lines=lines)).end.weights_sha256


def test_an_index_of_another_version_is_left_as_it_is(tmp_path: Path) -> None:
    stopped(tmp_path)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    before = (tmp_path / "runs.sqlite").read_bytes()
    with pytest.raises(SpecError, match=r"^library: .* it was made by another version of Tiller"):
        Library(tmp_path)
    assert (tmp_path / "runs.sqlite").read_bytes() == before


def damage(root: Path, how: str) -> None:
    file = root / "runs.sqlite"
    raw = bytearray(file.read_bytes())
    if how == "no database":
        file.write_bytes(b"# no database\n" * 100)
    elif how == "cut short":
        file.write_bytes(raw[: len(raw) // 3])
    elif how == "a page of garbage":
        raw[4096:8192] = b"\xa5" * 4096  # the first table's
        file.write_bytes(raw)
    elif how == "empty":
        file.write_bytes(b"")
    else:
        file.unlink()


@pytest.mark.parametrize("how", ["no database", "cut short", "a page of garbage", "empty", "missing"])
def test_a_damaged_or_missing_index_is_rebuilt_and_the_run_resumes_exactly(tmp_path: Path, how: str) -> None:
    known = stopped(tmp_path)
    damage(tmp_path, how)
    bad = (tmp_path / "runs.sqlite").read_bytes() if how != "missing" else b""
    with library_at(tmp_path) as library:
        (row,) = library.runs()
        assert (row.id, row.name, row.state, row.epochs_done, row.epochs) == (known, "mine", "stopped", 1, 3)
        assert [e.epoch for e in library.history(known)] == [1]
        assert [s.kind for s in library.checkpoints(known)] == ["epoch", "before", "epoch", "stop"]
        aside = list(tmp_path.glob("runs.damaged *.sqlite"))
        if how in ("empty", "missing"):
            assert not aside
        else:
            (text,) = library.remarks
            assert "was damaged and has been rebuilt" in text
            assert aside[0].name in text
            assert aside[0].read_bytes() == bad
        if how == "missing":
            assert "was missing and has been rebuilt from its copy and the checkpoints" in library.remarks[0]
        resumed = run(to_resume(known, library), library)  # the pending line was in the copy
        assert resumed.end.weights_sha256 == uninterrupted()
    with library_at(tmp_path) as library:
        assert library.remarks == []


def test_without_a_copy_the_index_is_rebuilt_from_the_checkpoints_alone(tmp_path: Path) -> None:
    known = stopped(tmp_path)
    for file in tmp_path.glob("runs.*"):
        file.unlink()
    with library_at(tmp_path) as library:
        assert "was missing and has been rebuilt from 4 checkpoints" in library.remarks[0]
        (row,) = library.runs()
        assert (row.id, row.state, row.commands) == (known, "stopped", "")
        resumed = run(to_resume(known, library, commands(at(3, 0, "scale_lr", factor=0.1))), library)
        assert resumed.end.weights_sha256 == uninterrupted()


def test_an_older_copy_does_not_undo_what_the_checkpoints_hold(tmp_path: Path) -> None:
    """What was pending when the copy was made was applied since: it is not applied again."""
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.pause_at(2, 0)
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=2, batch=1))
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=3, batch=1))
            live.ask(Stop())
        (row,) = library.runs()
    old = (tmp_path / "runs.backup.sqlite").read_bytes()
    with library_at(tmp_path) as library, Live(to_resume(row.id, library), library) as live:
        live.wait(lambda e: e.event == "epoch")
        live.ask(Stop(), Position(epoch=3, batch=1))
    (tmp_path / "runs.sqlite").unlink()
    (tmp_path / "runs.backup.sqlite").write_bytes(old)
    with library_at(tmp_path) as library:
        assert library.runs()[0].epochs_done == 2
        resumed = run(to_resume(row.id, library), library)
        lines = commands(at(2, 1, "scale_lr", factor=0.5), at(3, 1, "scale_lr", factor=0.5))
        assert resumed.end.weights_sha256 == run(Job(recipe=recipe(), lines=lines)).end.weights_sha256


def test_the_readable_rows_of_a_damaged_index_are_kept(tmp_path: Path) -> None:
    known = stopped(tmp_path)
    with library_at(tmp_path) as library:
        library.update(known, pytest.fail, name="renamed", tags=("good", "old"), notes="why")
        library.flush()
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as db:  # a later table is damaged, the first ones are not
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'steps'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    raw = bytearray((tmp_path / "runs.sqlite").read_bytes())
    raw[(page - 1) * size : page * size] = b"\xa5" * size
    (tmp_path / "runs.sqlite").write_bytes(raw)
    with library_at(tmp_path) as library:
        (row,) = library.runs()
        assert (row.name, row.tags, row.notes) == ("renamed", ("good", "old"), "why")
        assert library.remarks


def test_checkpoints_missing_from_the_index_are_added(tmp_path: Path) -> None:
    known = stopped(tmp_path)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as db:
        db.execute("DELETE FROM checkpoints WHERE kind = 'stop'")
        db.commit()
    with library_at(tmp_path) as library:
        newest = library.newest_checkpoint(known)
        assert newest is not None
        assert "-stop-2-1" in newest.name
        assert library.run(known).name == "mine"  # type: ignore[union-attr]


def test_every_table_is_copied_when_the_index_is_rebuilt(tmp_path: Path) -> None:
    with library_at(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as db:
        found = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert found == set(TABLES)

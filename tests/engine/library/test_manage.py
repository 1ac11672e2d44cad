"""What a person does with whole runs: the recycle bin, names and tags, imported checkpoints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.library import Library
from engine.training.job import Job, to_resume
from tests.engine.running import at, commands, library_at, recipe, run


def stopped(library: Library) -> str:
    run(Job(recipe=recipe(), lines=commands(at(1, 1, "scale_lr", factor=0.5), at(2, 1, "stop"))), library)
    return library.runs()[-1].id


def uninterrupted() -> str | None:
    return run(Job(recipe=recipe(), lines=commands(at(1, 1, "scale_lr", factor=0.5)))).end.weights_sha256


def test_a_run_in_the_recycle_bin_is_not_listed_and_can_be_restored(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        first, second = stopped(library), stopped(library)
        library.delete(first)
        assert [r.id for r in library.runs()] == [second]
        (row,) = library.runs(deleted=True)
        assert (row.id, row.deleted is not None) == (first, True)
    with library_at(tmp_path) as library:
        assert [r.id for r in library.runs(deleted=True)] == [first]
        library.restore(first)
        assert [r.id for r in library.runs()] == [first, second]
        assert run(to_resume(first, library), library).end.weights_sha256 == uninterrupted()


def test_emptying_the_recycle_bin_frees_the_disk_and_removes_nothing_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine.tiller"
    with library_at(tmp_path / "library") as library:
        lines = commands(at(1, 1, "save", path=str(mine)), at(1, 1, "save"), at(2, 0, "stop"))
        run(Job(recipe=recipe(), lines=lines), library)
        first, second = library.runs()[0].id, stopped(library)
        assert {s.path for s in library.checkpoints(first) if s.kind == "asked"} >= {mine}
        assert library.empty_bin() == []
        library.delete(first)
        assert library.empty_bin([second]) == []  # it is not in the bin
        assert library.empty_bin() == [first]
        assert [r.id for r in (*library.runs(), *library.runs(deleted=True))] == [second]
        assert (
            library.checkpoints(first)
            == library.history(first)
            == library.interventions(first)
            == library.steps(first)
            == []
        )
        assert not (library.root / "checkpoints" / first).exists()
        assert list((library.root / "saved").iterdir()) == []
        assert mine.is_file()  # it is outside the library
        assert library.disk_use() == sum(p.stat().st_size for p in (library.root / "checkpoints").rglob("*.tiller"))
    with library_at(tmp_path / "library") as library:
        assert [r.id for r in library.runs()] == [second]  # the removed run is not found again


def test_a_run_that_does_not_exist_can_neither_be_deleted_nor_restored(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        for action in (library.delete, library.restore):
            with pytest.raises(SpecError, match="there is no run feedbeef in"):
                action("feedbeef")


def test_name_notes_and_tags_are_kept_and_survive_a_resume(tmp_path: Path) -> None:
    failures: list[str] = []
    with library_at(tmp_path) as library:
        known = stopped(library)
        library.update(known, failures.append, name="better", notes="it learnt\nnothing", tags=("bad", "ü"))
        run(to_resume(known, library), library)
        library.flush()
        row = library.run(known)
        assert row is not None
        assert (row.name, row.notes, row.tags, row.state) == ("better", "it learnt\nnothing", ("bad", "ü"), "finished")
    assert failures == []


def test_an_imported_checkpoint_becomes_a_run_that_resumes_exactly(tmp_path: Path) -> None:
    with library_at(tmp_path / "elsewhere") as library:
        origin = stopped(library)
        newest = library.newest_checkpoint(origin)
        assert newest is not None
        file = Path(shutil.copy(newest, tmp_path / "sent by mail.tiller"))
    before = file.read_bytes()
    with library_at(tmp_path / "library") as library:
        known = library.import_checkpoint(file)
        row = library.run(known)
        assert row is not None
        assert known != origin
        assert (row.name, row.state, row.epochs_done, row.epochs, row.parent) == (
            "digits tiny_networks.py:tiny",
            "stopped",
            1,
            3,
            None,
        )
        assert [e.epoch for e in library.history(known)] == [1]
        assert [r.command["command"] for r in library.interventions(known)] == ["scale_lr"]
        assert row.bytes == len(before)
        file.unlink()
        resumed = run(to_resume(known, library), library)
        assert resumed.of("start")[0].run == known
        assert resumed.of("start")[0].parent is None
        assert resumed.end.weights_sha256 == uninterrupted()


def test_a_checkpoint_of_a_known_run_is_imported_as_its_branch(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        origin = stopped(library)
        newest = library.newest_checkpoint(origin)
        assert newest is not None
        known = library.import_checkpoint(newest)
        row = library.run(known)
        assert row is not None
        assert (row.parent, row.branch) == (origin, Position(epoch=2, batch=1))
        assert sum(len(e.loss) for e in library.steps(known)) == 4  # its parent's batches
        assert run(to_resume(known, library), library).end.weights_sha256 == uninterrupted()


@pytest.mark.parametrize("how", ["no checkpoint", "one bit", "cut short", "not there"])
def test_a_damaged_or_foreign_file_is_not_imported(tmp_path: Path, how: str) -> None:
    with library_at(tmp_path / "library") as library:
        stopped(library)
        newest = library.newest_checkpoint(library.runs()[0].id)
        assert newest is not None
        raw = bytearray(newest.read_bytes())
        file = tmp_path / "bad.tiller"
        if how == "one bit":
            raw[len(raw) // 2] ^= 1
        if how != "not there":
            file.write_bytes(b"hello" * 100 if how == "no checkpoint" else raw[:-1] if how == "cut short" else raw)
        with pytest.raises(SpecError, match=r"^checkpoint: .*bad\.tiller (is|cannot)"):
            library.import_checkpoint(file)
        assert len(library.runs()) == 1
        assert len(list((library.root / "checkpoints").iterdir())) == 1

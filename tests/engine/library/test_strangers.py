"""Whatever is in a library's folder and index, the library opens, and touches nothing outside of its folder."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.common.errors import CheckpointError
from engine.library import Library, Retention, overviews
from engine.training.job import Job, to_resume
from tests.engine.checkpoints.bad_files import saved, sealed
from tests.engine.running import at, commands, library_at, recipe, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A library with two runs, and their ids."""
    root = tmp_path_factory.mktemp("made") / "library"
    with library_at(root) as library:
        for line in (at(2, 1, "scale_lr", factor=0.5), at(2, 1, "set_lr", lr=0.2)):
            run(Job(recipe=recipe(), lines=commands(line, at(2, 2, "stop"))), library)
        first, second = (row.id for row in library.runs())
    return root, first, second


@pytest.fixture
def root(made: tuple[Path, str, str], tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made[0], tmp_path / "library")
    return tmp_path / "library"


def change(root: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(root / "runs.sqlite")) as db:
        db.execute(statement, values)
        db.commit()


def works(library: Library, *runs: str) -> None:
    """Everything that lists or opens runs works, and shows these."""
    assert [row.id for row in library.runs()] == list(runs)
    assert [overview.row.id for overview in overviews(library)] == list(runs)
    for known in runs:
        library.history(known), library.steps(known), library.interventions(known)
        end = run(to_resume(known, library), library).end
        assert (end.reason in ("finished", "stopped"), end.details) == (True, None)  # from an older one, it stops again
    library.check(lambda *_: None, lambda: False)
    library.runs(deleted=True)


# (table, column, value, whether the whole run is skipped)
ROWS: list[tuple[str, str, Any, bool]] = [
    ("runs", "id", "../../victim", True),
    ("runs", "tags", "x", True),
    ("runs", "tags", 3, True),
    ("runs", "tags", "[" * 100_000, True),
    ("runs", "state", "flying", True),
    ("runs", "created", "yesterday", True),
    ("runs", "created", float("inf"), True),
    ("runs", "epochs", "many", True),
    ("runs", "epochs_done", -1, True),
    ("runs", "parent", "../../victim", True),
    ("runs", "name", b"\xff\xfe", True),
    ("runs", "deleted", "x", True),
    ("runs", "branch_epoch", 0, True),
    ("checkpoints", "path", 3, False),
    ("checkpoints", "path", "a\0b", False),
    ("checkpoints", "path", "x" * 300, False),
    ("checkpoints", "kind", "other", False),
    ("checkpoints", "epoch", 0, False),
    ("checkpoints", "bytes", "many", False),
    ("checkpoints", "bytes", 2**62, False),
    ("checkpoints", "metrics", "[]", False),
    ("checkpoints", "metrics", '{"val_loss": "x"}', False),
    ("epochs", "event", "x", False),
    ("epochs", "event", '{"epoch": 1, "lr": "x"}', False),
    ("epochs", "event", 5, False),
    ("steps", "loss", "x", False),
    ("steps", "count", 10**12, False),
    ("steps", "epoch", -1, False),
    ("steps", "lr", zlib.compress(bytes(50_000_000)), False),
    ("interventions", "command", "x", False),
    ("interventions", "command", '{"command": "fly"}', False),
    ("interventions", "state", "other", False),
    ("interventions", "answer", "{}", False),
    ("interventions", "at_epoch", -1, False),
    ("interventions", "epoch", "x", False),
]


@pytest.mark.parametrize(
    ("table", "column", "value", "skipped"), ROWS, ids=[f"{t}-{c}-{n}" for n, (t, c, *_) in enumerate(ROWS)]
)
def test_a_row_that_makes_no_sense_is_skipped_alone(
    root: Path, made: tuple[Path, str, str], table: str, column: str, value: Any, skipped: bool
) -> None:
    _, first, second = made
    key = "id" if table == "runs" else "run"
    newest = f"AND rowid = (SELECT MAX(rowid) FROM {table} WHERE {key} = ?)"
    change(root, f"UPDATE {table} SET {column} = ? WHERE {key} = ? {newest}", value, first, first)
    with library_at(root) as library:
        assert library.remarks == []
        if skipped:
            works(library, *([first, second] if column == "id" else [second]))  # found again by its checkpoints
        else:
            works(library, first, second)


def plant(folder: Path, kind: str, victim: Path) -> None:
    if kind == "a FIFO":
        os.mkfifo(folder / "1-1-stop-1-1.tiller")
    elif kind == "a link to nothing":
        (folder / "1-1-stop-1-1.tiller").symlink_to(folder / "gone")
    elif kind == "a link to a file":
        (folder / "1-1-stop-1-1.tiller").symlink_to(victim)
    elif kind == "a folder":
        (folder / "1-1-stop-1-1.tiller").mkdir()
    elif kind == "an empty file":
        (folder / "1-1-stop-1-1.tiller").touch()
    elif kind == "a name that is no time":
        (folder / f"{'f' * 200}.tiller").touch()
    elif kind == "a name that is not UTF-8":
        os.close(os.open(os.fsencode(folder) + b"/\xff.tiller", os.O_CREAT))
    elif kind == "a partial file that is a FIFO":
        os.mkfifo(folder / ".x.part")
    elif kind == "a partial file that is a link":
        (folder / ".x.part").symlink_to(victim)
    elif kind == "a partial file that is a folder":
        (folder / ".x.part").mkdir()
    else:
        raise AssertionError


KINDS = [
    "a FIFO",
    "a link to nothing",
    "a link to a file",
    "a folder",
    "an empty file",
    "a name that is no time",
    "a name that is not UTF-8",
    "a partial file that is a FIFO",
    "a partial file that is a link",
    "a partial file that is a folder",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stray_thing_in_the_folders_is_left_alone(
    root: Path, made: tuple[Path, str, str], tmp_path: Path, kind: str
) -> None:
    _, first, second = made
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (root / "saved").mkdir(exist_ok=True)
    (root / "checkpoints" / "not an id").mkdir()
    (root / "checkpoints" / "f11e").symlink_to(tmp_path)
    (root / "checkpoints" / "f11f").touch()
    for folder in (root / "checkpoints" / first, root / "saved", root / "checkpoints" / "not an id"):
        plant(folder, kind, victim)
    with library_at(root) as library:
        assert library.remarks == []
        works(library, first, second)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("where", ["runs.backup.sqlite", "locks", "checkpoints", "saved"])
def test_a_fifo_instead_of_the_librarys_own_file_ends_in_a_sentence_at_worst(root: Path, where: str) -> None:
    if (root / where).is_dir():
        shutil.rmtree(root / where)
    else:
        (root / where).unlink(missing_ok=True)
    os.mkfifo(root / where)
    try:
        with library_at(root) as library:
            assert len(library.runs()) == 2
    except ValueError as error:
        assert "cannot be used" in str(error)  # noqa: PT017 - or it works


def test_the_id_of_a_run_never_leads_out_of_the_library(
    root: Path, made: tuple[Path, str, str], tmp_path: Path
) -> None:
    _, first, _ = made
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file.tiller").write_text("mine")
    change(root, "UPDATE runs SET id = '../../victim', deleted = ? WHERE id = ?", time.time(), first)
    change(root, "UPDATE checkpoints SET run = '../../victim' WHERE run = ?", first)
    with library_at(root) as library:
        assert library.runs(deleted=True) == []
        assert library.empty_bin() == library.empty_bin(["../../victim"]) == []
    assert (victim / "file.tiller").read_text() == "mine"


@pytest.mark.parametrize("path", ["{victim}", "../../victim/file.tiller", "checkpoints/{first}/link/file.tiller"])
def test_neither_retention_nor_the_bin_removes_a_file_outside(
    root: Path, made: tuple[Path, str, str], tmp_path: Path, path: str
) -> None:
    _, first, _ = made
    victim = tmp_path / "victim" / "file.tiller"
    victim.parent.mkdir()
    victim.write_text("mine")
    (root / "checkpoints" / first / "link").symlink_to(victim.parent)
    kind = "UPDATE checkpoints SET path = ?, kind = 'epoch' WHERE rowid = (SELECT MIN(rowid) FROM checkpoints)"
    change(root, kind, path.format(victim=victim, first=first))
    with closing(Library(root, Retention(last=1, best=0, before=0))) as library:
        run(to_resume(first, library), library)
        assert all("victim" not in str(row.path) for row in library.checkpoints(first))  # its row is gone
        library.delete(first)
        assert library.empty_bin() == [first]
    assert victim.read_text() == "mine"


def test_nothing_is_written_through_a_link(root: Path, made: tuple[Path, str, str], tmp_path: Path) -> None:
    _, first, second = made
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("mine")
    (root / "locks" / f"{second}.lock").unlink(missing_ok=True)
    (root / "locks" / f"{second}.lock").symlink_to(victim / "file")
    (root / "checkpoints" / first).rename(root / "checkpoints" / "aside")
    (root / "checkpoints" / first).symlink_to(victim)
    with library_at(root) as library:
        for known in (first, second):
            events = run(to_resume(known, library), library)
            assert events.end.details is None
            assert [event for event in events if event.event == "warning"]
    assert [(p.name, p.read_text()) for p in victim.iterdir()] == [("file", "mine")]


def test_the_folder_of_checkpoints_may_be_on_another_disk(
    root: Path, made: tuple[Path, str, str], tmp_path: Path
) -> None:
    _, first, second = made
    (root / "checkpoints").rename(tmp_path / "disk")
    (root / "checkpoints").symlink_to(tmp_path / "disk")
    with library_at(root) as library:
        works(library, first, second)
        library.delete(first)
        assert library.empty_bin() == [first]
    assert not (tmp_path / "disk" / first).exists()


BAD: list[tuple[str, Any]] = [
    ("lr", {"epochs": 10**30}),
    ("history", '[{"epoch": [1]}]'),
    ("position", [-5, 0]),
    ("run", {"id": "../../victim", "name": "x", "parent": None, "branch": None}),
]


@pytest.mark.parametrize(("key", "value"), BAD, ids=[key for key, _ in BAD])
def test_a_bad_checkpoint_is_neither_imported_nor_found_in_the_folder(
    root: Path, made: tuple[Path, str, str], tmp_path: Path, key: str, value: Any
) -> None:
    _, first, second = made
    source = next((root / "checkpoints" / first).glob("*.tiller"))
    content = torch.load(source, weights_only=True)
    content[key] = {**content[key], **value} if isinstance(value, dict) else value
    bad = tmp_path / "bad.tiller"
    bad.write_bytes(sealed(saved(content)))
    before = sorted(root.rglob("*.tiller"))
    with library_at(root) as library:
        with pytest.raises(CheckpointError, match=f"is not a valid checkpoint: {key}"):
            library.import_checkpoint(bad)
        assert sorted(root.rglob("*.tiller")) == before
    (root / "checkpoints" / "beef").mkdir()
    shutil.copy(bad, root / "checkpoints" / "beef" / "1-1-stop-1-1.tiller")
    with library_at(root) as library:
        works(library, first, second)

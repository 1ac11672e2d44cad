"""Files are replaced as a whole, only where they may be, and keep the permissions that they had."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.common.errors import SpecError
from engine.common.files import check_replaceable, given_path, open_regular, path_of, replacing


def write(path: Path, content: bytes = b"new") -> None:
    with replacing(path) as file:
        file.write(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    write(tmp_path / "new")
    assert mode(tmp_path / "new") == 0o666 & ~umask


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path, umask: int) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"old")
    old.chmod(0o640)
    write(old)
    assert (mode(old), old.read_bytes()) == (0o640, b"new")


def test_what_is_being_written_has_a_name_that_nobody_can_know_before(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        with replacing(tmp_path / "x") as file:
            names.add(file.name)
            assert list(tmp_path.glob(".*.part")) == [Path(file.name)]
    assert len(names) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"old")

    def fail() -> None:
        with replacing(old) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("old", b"old")]


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link)
    assert (target.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"old", b"new", False)


def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    write(tmp_path / ("ä" * 127))
    assert (tmp_path / ("ä" * 127)).read_bytes() == b"new"


def test_a_temporary_file_that_was_removed_before_its_lock_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.common import files

    lock, removed = files.lock, []

    def remove_first(file: object) -> bool:
        if not removed:
            removed.extend(tmp_path.glob(".*.part"))
            removed[0].unlink()
        return lock(file)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "lock", remove_first)
    write(tmp_path / "x")
    assert removed
    assert (tmp_path / "x").read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["nothing", "own", "other", "link", "dangling link", "folder", "fifo"])
def test_only_what_is_of_the_same_kind_is_replaced_unasked(tmp_path: Path, kind: str, overwrite: bool) -> None:
    path = tmp_path / "there"
    if kind in ("own", "other"):
        path.write_text(kind)
    elif kind == "link":
        (tmp_path / "own").write_text("own")
        path.symlink_to(tmp_path / "own")
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "gone")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    may = kind in ("nothing", "own") or (overwrite and kind not in ("folder", "fifo"))

    def check() -> None:
        check_replaceable(path, lambda p: p.read_text() == "own", "our own", overwrite=overwrite)

    if may:
        check()
    else:
        with pytest.raises(FileExistsError, match="it is "):
            check()


@pytest.mark.parametrize("text", ["", "a\0b", "~no-such-user/x", "x" * 256, "x/" * 3000])
def test_a_path_that_no_file_can_have_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(OSError, match=r"."):
        given_path(text)
    with pytest.raises(SpecError) as error:
        path_of("resume", text)
    assert str(error.value).startswith("resume: ")
    assert "\n" not in str(error.value)


def test_a_path_is_absolute_and_its_home_folder_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given_path("a/b") == given_path("~/a/b") == tmp_path / "a" / "b"


def test_only_a_file_is_opened_and_nothing_that_one_would_wait_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="it is not a file"):
        open_regular(tmp_path / "fifo")
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"x"

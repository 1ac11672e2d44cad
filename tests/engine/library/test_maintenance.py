"""Checking the library, and rebuilding its index on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.common.errors import RunInUseError, SpecError
from engine.library import Library, RunLock
from engine.training.job import Job, to_open
from tests.engine.running import library_at, recipe, run


def ignore(_what: str, _done: int, _total: int) -> None:
    pass


def never() -> bool:
    return False


def one_run(library: Library) -> str:
    run(Job(recipe=recipe(epochs=2)), library)
    return library.runs()[-1].id


def test_a_sound_library_is_reported_sound_with_the_number_of_checkpoints(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        known = one_run(library)
        found = library.check(ignore, never)
        assert found is not None
        assert found.sound
        assert found.read == len(library.checkpoints(known)) > 0


def test_a_flipped_bit_and_a_missing_file_are_each_reported(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        files = [s.path for s in library.checkpoints(one_run(library))]
        content = bytearray(files[0].read_bytes())
        content[len(content) // 2] ^= 1
        files[0].write_bytes(content)
        files[-1].unlink()
        found = library.check(ignore, never)
        assert found is not None
        assert (found.sound, found.bad, found.read) == (False, 2, len(files) - 2)
        assert sorted(str(p).split(" is ")[1] for p in found.problems) == ["damaged", "missing"]


def test_a_check_can_be_cancelled(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        one_run(library)
        assert library.check(ignore, lambda: True) is None


def test_the_index_is_rebuilt_with_names_and_notes_and_the_old_one_is_kept(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        first, second = one_run(library), one_run(library)
        library.update(first, pytest.fail, notes="remember", tags=("a",))
        library.checkpoints(second)[0].path.unlink()
        (remark,) = library.rebuild()
        assert "the old one is kept as runs.old" in remark
        assert len(list(tmp_path.glob("runs.old *.sqlite"))) == 1
        assert [(r.id, r.notes) for r in library.runs()] == [(first, "remember"), (second, "")]
        assert len(library.history(first)) == 2
        found = library.check(ignore, never)
        assert found is not None
        assert found.sound  # the missing file is no longer in the index
        library.update(second, pytest.fail, notes="written after")  # on the same writer thread, to the new index
        library.flush()
        assert library.runs()[1].notes == "written after"


def test_the_index_is_not_rebuilt_while_a_run_is_open(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        known = one_run(library)
        lock = RunLock(library.root, known)
        with pytest.raises(SpecError, match="is running: stop it first"):
            library.rebuild()
        lock.release()


def test_a_run_that_is_in_use_or_in_the_recycle_bin_is_not_opened(tmp_path: Path) -> None:
    with library_at(tmp_path) as library, library_at(tmp_path) as another:
        known = one_run(library)
        assert to_open(known, library).run == known
        lock = another.own(known)
        with pytest.raises(RunInUseError, match="is running in another window or program: stop it there first"):
            to_open(known, library)
        lock.release()
        library.delete(known)
        with pytest.raises(SpecError, match="is in the recycle bin: restore it first"):
            to_open(known, library)
        with pytest.raises(SpecError, match="no longer in the library"):
            to_open("feedbeef", library)

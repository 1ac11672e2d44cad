"""A process that crashes leaves a crash log in the library's folder."""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.diagnostics.crash_log import NAME, crash_log, written_since
from tests.engine.running import MAIN, recipe_dict

CRASHES = """
import ctypes, pathlib, time
from engine.library import Reader
from tests.engine.tiny_networks import Poisoned
folder = pathlib.Path(__file__).parent
def first_epoch_is_saved():
    reader = Reader(folder / "library")
    return any((p.epoch, p.batch) == (2, 0) for run in reader.runs() for p in reader.positions(run.id))
def when(n):
    if n == 5 and (folder / "crash").exists():
        while not first_epoch_is_saved():
            time.sleep(0.01)
        ctypes.string_at(0)
    return False
def make(in_channels, num_classes):
    return Poisoned(in_channels, num_classes, when)
"""


def crash_in_training(folder: Path) -> Path:
    """Run without a window until a segmentation fault in the second epoch; returns the library's folder."""
    (folder / "net.py").write_text(CRASHES)
    (folder / "crash").touch()
    (folder / "recipe.json").write_text(json.dumps(recipe_dict(model={"name": f"{folder / 'net.py'}:make"}, epochs=4)))
    command = [sys.executable, str(MAIN), "train", "recipe.json", "--library", str(folder / "library")]
    environ = {**os.environ, "PYTHONPATH": str(MAIN.parent)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, env=environ)
    assert done.returncode < 0, done.stderr
    (folder / "crash").unlink()
    return folder / "library"


@pytest.mark.skipif(sys.platform == "win32", reason="an invalid access is an exception there")
def test_crash_log_shows_what_each_thread_was_doing(tmp_path: Path) -> None:
    text = (crash_in_training(tmp_path) / NAME).read_text()
    assert "Segmentation fault" in text
    assert "net.py" in text
    assert "step.py" in text


def test_message_is_written_at_once_with_time_and_process(tmp_path: Path) -> None:
    with crash_log(tmp_path / "new") as log:
        assert log is not None
        assert faulthandler.is_enabled()
        log.write("Qt gave up: no screen")
        text = (tmp_path / "new" / NAME).read_text()
    assert text.endswith(f"(process {os.getpid()}) Qt gave up: no screen\n")
    with crash_log(tmp_path / "new") as log:
        assert log is not None
        log.write("again")
    assert len((tmp_path / "new" / NAME).read_text().splitlines()) == 2


def test_large_file_is_renamed(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("x" * 400_000)
    with crash_log(tmp_path):
        pass
    assert (tmp_path / NAME).stat().st_size == 0
    assert (tmp_path / "crash.old.log").stat().st_size == 400_000


def test_crash_log_is_none_if_the_folder_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with crash_log(tmp_path / "file" / "library") as log:
        assert log is None


def test_written_since(tmp_path: Path) -> None:
    assert written_since(tmp_path, 0) is None
    path = tmp_path / NAME
    path.touch()
    assert written_since(tmp_path, 0) is None
    path.write_text("Fatal Python error")
    os.utime(path, (1000, 1000))
    assert written_since(tmp_path, 999) == path
    assert written_since(tmp_path, 1001) is None

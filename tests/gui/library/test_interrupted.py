"""After a crash, the next start offers once to continue the run, and shows where the crash log is."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.library import Library
from gui.library.interrupted import newest_interrupted
from tests.engine.diagnostics.test_crash_log import crash_in_training
from tests.gui.app_fixture import Driver, open_dialog, tiny

pytestmark = [
    pytest.mark.qt_log_ignore("does not support propagateSizeHints"),
    pytest.mark.skipif(sys.platform == "win32", reason="a bad access is an exception there"),
]


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose library holds a run that crashed in its second epoch of four."""
    folder = tmp_path_factory.mktemp("crashed")
    crash_in_training(folder)
    return folder


def test_the_run_is_offered_continued_and_not_offered_again(
    crashed: Path, new_driver: Callable[..., Driver], own_folders: Path
) -> None:
    shutil.copytree(crashed / "library", own_folders / "library")
    driver = new_driver()
    banner = driver.window.banner
    driver.wait(lambda: banner.subject() == "offer")
    assert banner.text() == ("Tiller ended unexpectedly in the middle of digits net.py:make, epoch 2 of 4. Continue?")
    assert driver.shows(banner, "crash.log")
    driver.settle()
    driver.close()
    again = new_driver()
    again.wait(lambda: again.window.start_page.isVisible())
    again.settle(200)
    assert again.window.banner.isHidden()
    again.app.settings.offered = ""
    again.app.interrupted.look()
    again.wait(lambda: again.window.banner.subject() == "offer")
    again.click(again.window.banner, "Continue")
    again.click(open_dialog(again), "Run this file")  # the network's
    again.wait(lambda: again.of("start"))
    assert again.finish().reason == "finished"
    assert again.of("start")[0].epoch == 2  # from the end of the first epoch, which was saved
    assert again.model.history.epoch_x.values.tolist() == [1, 2, 3, 4]


def test_not_now_leaves_it_in_the_library(crashed: Path, new_driver: Callable[..., Driver], own_folders: Path) -> None:
    shutil.copytree(crashed / "library", own_folders / "library")
    driver = new_driver()
    driver.wait(lambda: driver.window.banner.subject() == "offer")
    driver.click(driver.window.banner, "Not now")
    assert driver.window.banner.isHidden()
    driver.wait(lambda: driver.shows(driver.window.start_page, "epoch 1 of 4"))


def test_a_run_that_is_open_elsewhere_or_ended_normally_is_not_offered(driver: Driver) -> None:
    library = driver.app.library
    assert library is not None
    driver.pause_at(tiny(), 2, 1)
    assert newest_interrupted(library, "") is None
    driver.click(driver.window.transport, "Stop")
    driver.finish()
    assert newest_interrupted(library, "") is None


def test_a_killed_process_leaves_no_crash_log(crashed: Path, tmp_path: Path) -> None:
    root = shutil.copytree(crashed / "library", tmp_path / "library")
    library = Library(root)
    try:
        found = newest_interrupted(library, "")
        assert found is not None
        assert found.log is not None
        os.utime(root / "crash.log", (time.time() - 3600, time.time() - 3600))  # of an earlier crash
        found = newest_interrupted(library, "")
        assert found is not None
        assert found.log is None
        assert newest_interrupted(library, found.run) is None
    finally:
        library.close()

"""The whole window, for the tests that drive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.app_fixture import Driver


@pytest.fixture
def new_driver(qtbot: QtBot, qapp: QApplication, own_folders: Path) -> Iterator[Callable[..., Driver]]:
    """Makes windows on this test's own library, one after the other."""
    made: list[Driver] = []

    def make(wait_for_torch: bool = True) -> Driver:
        driver = Driver(qtbot, qapp, own_folders / "library")
        made.append(driver)
        if wait_for_torch:
            driver.wait(lambda: driver.app.lookups.ready)
        return driver

    yield make
    for driver in reversed(made):
        driver.close()


@pytest.fixture
def driver(new_driver: Callable[..., Driver]) -> Driver:
    return new_driver()

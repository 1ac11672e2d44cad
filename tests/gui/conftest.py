"""Waits that no busy machine fails, and the whole window for the tests that drive it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.app_fixture import SECONDS, Driver


class PatientBot(QtBot):
    """Waits until what is awaited happens; only what hangs meets the limit."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = 1000 * SECONDS) -> None:  # noqa: N802
        super().waitUntil(callback, timeout=timeout)

    def waitExposed(  # noqa: N802
        self, widget: QWidget, *, timeout: int = 1000 * SECONDS
    ) -> AbstractContextManager[QWidget]:
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


@pytest.fixture(autouse=True, scope="module")
def no_garbage_left_behind() -> Iterator[None]:
    """Collect a file's garbage here, with its timers and widgets: a later test's thread must not destroy them."""
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def garbage_of_this_thread() -> Iterator[None]:
    """Collect a test's garbage here as well; while it runs, no thread of it may destroy what is of this one."""
    gc.disable()
    yield
    gc.collect(1)


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

"""Waits that do not fail on a busy machine, and the whole window for the tests that use it."""

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
    """Waits until the condition holds; the limit is reached only by a test that hangs."""

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
    """Collect the garbage of a test file with its timers and widgets, so that no later thread destroys them."""
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def garbage_of_this_thread() -> Iterator[None]:
    """Collect the garbage of a test. While a test runs, none of its threads may destroy objects of another test."""
    gc.disable()
    yield
    gc.collect(1)


@pytest.fixture
def new_driver(qtbot: QtBot, qapp: QApplication, own_folders: Path) -> Iterator[Callable[..., Driver]]:
    """Creates windows on this test's own library, one after another."""
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

"""Resuming runs; the library is never read on the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from engine.library import reader
from engine.library.schema import INDEX
from tests.gui.app_fixture import Driver, tiny

Make = Callable[..., Driver]


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that read the library from here on."""
    names: list[str] = []
    connect = reader.connect

    def watched(*where: Any, **how: Any) -> Any:
        names.append(threading.current_thread().name)
        return connect(*where, **how)

    monkeypatch.setattr(reader, "connect", watched)
    return names


def go_on(driver: Driver, intervention: Callable[[], Any]) -> Any:
    """Call ``resume``, which resumes a run, and wait for its end; returns its start event."""
    before = len(driver.of("start"))
    intervention()
    driver.wait(lambda: len(driver.of("start")) > before and not driver.app.current_run.active)
    return driver.of("start")[-1]


def test_the_library_is_read_on_a_worker_thread(driver: Driver, readers: list[str]) -> None:
    driver.start(tiny(epochs=2))
    end = driver.finish()
    (first,) = driver.of("start")
    banner, files = driver.window.banner, driver.app.files
    assert end.checkpoint is not None
    longer = go_on(driver, lambda: banner.more_epochs_wanted.emit(1))
    assert (longer.run, longer.epoch) == (first.run, 3)
    longest = driver.of("end")[-1]
    assert longest.epoch == 3
    again = go_on(driver, lambda: files.open_path(longest.checkpoint))
    assert again.run == first.run  # the file is where the run stopped: the run itself continues
    branch = go_on(driver, lambda: files.open_path(end.checkpoint or "", begin=True))
    assert branch.run != first.run
    assert branch.parent == first.run
    driver.window.show_runs.trigger()
    driver.wait(
        lambda: driver.app.library_controller.panel is not None and driver.app.library_controller.panel.isVisible()
    )
    go_on(driver, lambda: driver.app.library_controller.open(first.run))
    assert readers
    assert threading.main_thread().name not in readers


def test_a_library_that_cannot_be_read_is_reported_and_another_run_can_start(driver: Driver) -> None:
    driver.start(tiny(epochs=2))
    driver.finish()
    index = driver.app.current_run.library.root / INDEX  # type: ignore[union-attr]
    whole = index.read_bytes()
    index.write_bytes(b"not a database, " * 1000)
    driver.window.banner.more_epochs_wanted.emit(1)
    driver.wait(lambda: driver.shows(driver.window.banner, "The library cannot be read"))
    assert not driver.app.current_run.active
    index.write_bytes(whole)
    go_on(driver, lambda: driver.window.banner.more_epochs_wanted.emit(1))
    assert driver.of("end")[-1].epoch == 3

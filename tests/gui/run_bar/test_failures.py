"""Failures in the window: the banner shows a report and what can be done, and training continues."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision.models
from PySide6.QtCore import QTimer, qCritical, qWarning
from PySide6.QtGui import QGuiApplication

from engine.models import torchvision_networks
from engine.recipe.recipe import ModelSpec, Recipe
from gui.core.exception_hook import ExceptionHook
from tests.gui.app_fixture import Driver, own_network, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def choices(driver: Driver) -> list[str]:
    return [button.text() for button in driver.window.banner._choices]


def details(driver: Driver) -> str:
    text: str = driver.window.banner._details.toPlainText()
    return text


def halved(recipe: Recipe) -> Recipe:
    half = recipe.data.batch_size // 2
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"batch_size": half})})


def fails(driver: Driver, part: str) -> None:
    driver.wait(lambda: driver.window.banner.subject() == "failure" and part in driver.window.banner.text())


# -- what can be downloaded


def test_missing_weights_are_named_in_the_windows_words_and_downloaded_from_the_banner(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "weights")
    content = (tmp_path / "weights").read_bytes()
    served = tmp_path / f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    served.write_bytes(content)
    monkeypatch.setattr(torchvision_networks, "pretrained", lambda _: (served.as_uri(), len(content)))
    recipe = Recipe().model_copy(update={"model": ModelSpec(name="resnet18", pretrained=True), "device": "cpu"})
    driver.start(recipe)
    fails(driver, f"Pretrained weights not found: {tmp_path / 'torch' / 'hub' / 'checkpoints' / served.name}.")
    text = driver.window.banner.text()
    assert "--download" not in text
    assert "model.pretrained" not in text
    assert choices(driver) == ["Download"]
    driver.click(driver.window.banner, "Download")
    driver.wait(lambda: driver.of("start"))
    assert driver.of("start")[0].recipe == recipe


# -- memory


def test_a_batch_that_does_not_fit_is_reported_and_half_of_it_is_offered(driver: Driver) -> None:
    recipe = tiny("greedy_over_300_images", data={"name": "digits", "batch_size": 600}, epochs=2)
    driver.start(recipe)
    fails(driver, "A batch of 600 images through tiny_networks.py:greedy_over_300_images did not fit into the memory")
    assert "more were needed" in driver.window.banner.text()
    assert choices(driver) == ["Start with batches of 300"]
    assert "can't allocate memory" in details(driver)
    driver.click(
        driver.window.banner, "Start with batches of 300"
    )  # while the thread of the first run may still be alive
    driver.wait(lambda: len(driver.of("end")) == 2)
    assert driver.finish().reason == "finished"
    assert driver.of("start")[-1].recipe == halved(recipe)
    assert driver.window.banner.subject() == "finished"


def test_an_active_run_keeps_its_batch_size_and_can_be_duplicated_with_a_smaller_one(driver: Driver) -> None:
    recipe = tiny("greedy_fifth")
    driver.start(recipe)
    fails(driver, "A batch of 256 images")
    assert choices(driver) == ["Duplicate as new with batches of 128", "Continue"]
    assert driver.shows(driver.window.banner, "A run that is continued keeps its batch size")
    driver.wait(lambda: not driver.app.current_run.active)
    driver.click(driver.window.banner, "Duplicate as new with batches of 128")
    driver.wait(lambda: driver.window.setup.recipe() == halved(recipe))
    assert driver.window.chip.text() == "Ready"
    assert not driver.app.current_run.active


def test_a_network_that_does_not_fit_is_reported_and_the_next_one_trains(driver: Driver) -> None:
    driver.start(tiny("greedy_to_build"))
    fails(driver, "The network tiny_networks.py:greedy_to_build did not fit into the memory of this machine")
    assert choices(driver) == []
    driver.wait(lambda: not driver.app.current_run.active)
    driver.start(tiny(epochs=1))
    driver.wait(lambda: driver.of("start"))
    assert driver.finish().reason == "finished"


# -- whatever else


def test_a_failure_has_a_report_to_copy(driver: Driver, tmp_path: Path) -> None:
    driver.start(tiny("breaks_on_the_eighth"))
    fails(driver, "RuntimeError: broken on the eighth")
    assert choices(driver) == ["Continue"]
    driver.click(driver.window.banner, "Copy")
    copied = QGuiApplication.clipboard().text()
    for word in ("Python 3", "Recipe\n", '"batch_size": 256', "Last events\n", "Traceback", "broken on the eighth"):
        assert word in copied
    driver.wait(lambda: not driver.app.current_run.active)
    driver.click(driver.window.banner, "Continue")
    driver.wait(lambda: len(driver.of("start")) == 2)
    assert driver.of("start")[1].run == driver.of("start")[0].run


def test_an_invalid_recipe_needs_no_report(driver: Driver, tmp_path: Path) -> None:
    name = own_network(tmp_path, "def make(in_channels, num_classes): return 3\n")
    driver.set_up(tiny(model={"name": name}))
    driver.app.setup_controller.start()
    fails(driver, "model.name: ")
    assert choices(driver) == []
    assert not details(driver)


# -- what nothing caught


@pytest.fixture
def caught(driver: Driver) -> Iterator[Driver]:
    """The window with the program's exception hooks."""
    last_resort = ExceptionHook()
    last_resort.uncaught.connect(driver.app.failures.report_uncaught)
    yield driver
    last_resort.close()


def break_slot() -> None:
    raise LookupError("a slot broke")


def break_thread() -> None:
    def work() -> None:
        raise LookupError("a thread broke")

    thread = threading.Thread(target=work, name="helper")
    thread.start()
    thread.join()


class Careless:
    def __del__(self) -> None:
        raise LookupError("nobody could catch it")


def break_finalizer() -> None:
    Careless()
    gc.collect()


def break_qt() -> None:
    qCritical("the platform is gone")


@pytest.mark.parametrize(
    ("intervention", "part", "where"),
    [
        (break_slot, "LookupError: a slot broke", "in break_slot"),
        (break_thread, "LookupError: a thread broke", "In thread helper"),
        (break_finalizer, "LookupError: nobody could catch it", "__del__"),
        (break_qt, "the platform is gone", "in break_qt"),
    ],
)
def test_uncaught_exceptions_are_in_the_banner_and_on_standard_error(
    caught: Driver, capfd: pytest.CaptureFixture[str], intervention: object, part: str, where: str
) -> None:
    QTimer.singleShot(0, intervention)
    fails(caught, f"Something went wrong in the window: {part}")
    assert where in details(caught)
    assert "Python 3" in details(caught)
    assert where in capfd.readouterr().err
    caught.start(tiny(epochs=1))
    caught.wait(lambda: caught.of("end"))
    assert caught.finish().reason == "finished"


def test_a_repeated_exception_does_not_change_the_report(caught: Driver) -> None:
    timer = QTimer(caught.window)
    timer.timeout.connect(break_slot)
    timer.start(1)
    fails(caught, "a slot broke")
    caught.click(caught.window.banner, "Details")
    box = caught.window.banner._details
    box.selectAll()
    caught.settle(50)
    timer.stop()
    assert box.isVisible()
    assert box.textCursor().hasSelection()
    caught.window.banner.clear()
    QTimer.singleShot(0, break_slot)  # once it is closed, the next one is reported
    fails(caught, "a slot broke")


def test_a_warning_of_qt_is_not_reported(caught: Driver, capfd: pytest.CaptureFixture[str]) -> None:
    qWarning("a font is missing")
    caught.settle()
    assert caught.window.banner.isHidden()
    assert "a font is missing" in capfd.readouterr().err


def test_the_hooks_are_restored(driver: Driver) -> None:
    import sys

    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    ExceptionHook().close()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_a_run_whose_end_could_not_be_saved_says_so(driver: Driver, own_folders: Path) -> None:
    driver.pause_at(tiny(epochs=2), 2, 1)
    (folder,) = (own_folders / "library" / "checkpoints").iterdir()
    folder.rename(own_folders / "elsewhere")
    folder.symlink_to(own_folders / "elsewhere")  # out of the library, where nothing is written
    driver.click(driver.window.transport, "Resume")
    end = driver.finish()
    assert end.reason == "finished"
    fails(driver, "last state was not saved")

"""Opening and saving files, and starts that fail: a message, and the window still works."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from engine.common.lifecycle import State
from engine.common.position import Position
from engine.messages.commands import Pause, ScaleLR
from engine.schedules import CosineAnnealingLR
from engine.training.job import Job
from tests.engine.running import run
from tests.gui.app_fixture import Driver, own_network, tiny, tiny_dict
from tests.gui.run_bar.test_controller import lines

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def activate_window(driver: Driver) -> None:
    """Switch to another program's window and back."""
    assert driver.window.isActiveWindow()
    QApplication.sendEvent(driver.window, QEvent(QEvent.Type.ActivationChange))


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths that the file dialogs return, the last entry first."""
    paths: list[Path] = []

    def choose(*_: object) -> tuple[str, str]:
        return (str(paths.pop()), "") if paths else ("", "")

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    return paths


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions, each answered with yes."""
    questions: list[str] = []

    def answer_yes(_parent: object, _title: str, text: str, *_: object) -> QMessageBox.StandardButton:
        questions.append(text)
        return QMessageBox.StandardButton.Yes

    monkeypatch.setattr(QMessageBox, "question", answer_yes)
    return questions


def fails(driver: Driver, part: str) -> None:
    driver.wait(lambda: driver.window.banner.subject() == "failure")
    assert part in driver.window.banner.text()


def trains_afterwards(driver: Driver) -> None:
    """The forms are shown, and Start begins a run that finishes."""
    driver.wait(lambda: not driver.app.current_run.active)
    assert driver.window.chip.text() == "Ready"
    assert driver.window.setup.length.isVisible()
    driver.set_up(tiny(epochs=1))
    driver.start()
    assert driver.finish().reason == "finished"


def test_a_saved_file_opens_in_another_library_with_its_history_and_continues_exactly(
    driver: Driver, new_driver: Callable[[], Driver], chosen: list[Path]
) -> None:
    recipe = tiny()
    driver.pause_at(recipe, 2, 4)
    driver.click(driver.window.lr_panel, "×2")
    driver.answer("scale_lr")
    driver.resume_to(4, 2)
    driver.click(driver.window, "Save")
    assert driver.answer("save").status == "applied"
    saved = next(e.path for e in driver.of("saved") if e.kind == "asked")
    driver.settle()
    assert Path(saved).is_file()
    assert driver.shows(driver.window.action_line, f"Saved as {saved}")
    never_stopped = run(Job(recipe=recipe, lines=lines(driver.events)))
    driver.close()

    second = new_driver()
    chosen.append(Path(saved))
    second.click(second.window, "Open")
    second.wait(lambda: second.of("start"))
    second.reach("ready")
    second.settle()
    assert second.model.history.metrics["train_loss"].values.tolist() == [
        e.train_loss for e in never_stopped.epochs[:3]
    ]
    assert second.window.plots.accuracy._curves["val"].getData()[0].tolist() == [1, 2, 3]
    assert "Epoch 4/6" in second.window.transport._epoch_readout.text()
    second.click(second.window.transport, "Resume")
    assert second.finish().weights_sha256 == never_stopped.end.weights_sha256
    assert second.model.history.epoch_x.values.tolist() == [1, 2, 3, 4, 5, 6]


def test_save_as_writes_to_the_chosen_path_in_mid_run_and_after_the_end(
    driver: Driver, chosen: list[Path], tmp_path: Path
) -> None:
    import torch

    driver.pause_at(tiny(), 2, 1)
    chosen.append(tmp_path / "mine.tiller")
    driver.window.save_as.trigger()
    driver.wait((tmp_path / "mine.tiller").is_file)
    driver.wait(lambda: driver.shows(driver.window.action_line, str(tmp_path / "mine.tiller")))
    (tmp_path / "other").write_text("the dialog asks whether to replace it")
    chosen.append(tmp_path / "other")
    driver.window.save_as.trigger()
    driver.wait(lambda: driver.shows(driver.window.action_line, str(tmp_path / "other")))
    assert torch.load(tmp_path / "other", weights_only=True)["position"] == [2, 1]
    driver.click(driver.window.transport, "Resume")
    end = driver.finish()
    driver.click(driver.window, "Save")
    assert driver.shows(driver.window.action_line, f"Saved as {end.checkpoint}")
    chosen.append(tmp_path / "end.tiller")
    driver.window.save_as.trigger()
    content = torch.load(tmp_path / "end.tiller", weights_only=True)
    assert content["position"] == [7, 0]
    assert not list(tmp_path.glob("*.part"))


def test_a_failed_save_is_reported(driver: Driver, chosen: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    driver.set_up(tiny(epochs=2))
    chosen.append(tmp_path / "file" / "recipe.json")
    driver.click(driver.window, "Save")
    fails(driver, "Not saved")
    driver.pause_at(tiny(), 2, 1)
    chosen.append(tmp_path / "file" / "run.tiller")
    driver.window.save_as.trigger()
    fails(driver, "ot saved")
    assert driver.model.state == "paused"


def test_a_recipe_is_saved_and_opened_again(driver: Driver, chosen: list[Path], tmp_path: Path) -> None:
    driver.set_up(tiny(epochs=2))
    chosen.append(tmp_path / "recipe.json")
    driver.click(driver.window, "Save")
    assert driver.shows(driver.window.action_line, f"Saved as {tmp_path / 'recipe.json'}")
    driver.set_up(tiny())
    chosen.append(tmp_path / "recipe.json")
    driver.window.open.trigger()
    assert driver.window.setup.recipe() == tiny(epochs=2)
    (tmp_path / "recipe.json").rename(tmp_path / "no suffix")
    driver.set_up(tiny())
    driver.app.files.open_path(str(tmp_path / "no suffix"))
    assert driver.window.setup.recipe() == tiny(epochs=2)


def test_damaged_foreign_and_missing_files_are_reported(driver: Driver, tmp_path: Path) -> None:
    driver.start(tiny(epochs=2))
    end = driver.finish()
    assert end.checkpoint is not None
    whole = Path(end.checkpoint).read_bytes()
    damaged = tmp_path / "damaged.tiller"
    damaged.write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    (tmp_path / "picture.png").write_bytes(b"\x89PNG not a checkpoint")
    (tmp_path / "bad.json").write_text(json.dumps(tiny_dict(epochs=0)))
    (tmp_path / "broken.json").write_text("{")
    for name, words in (
        ("damaged.tiller", "damaged.tiller"),
        ("picture.png", "picture.png"),
        ("missing.tiller", "missing.tiller does not exist"),
        ("bad.json", "epochs: must be at least 1"),
        ("broken.json", "is not JSON"),
    ):
        driver.window.banner.clear()
        driver.app.files.open_path(str(tmp_path / name))
        fails(driver, words)
        driver.wait(lambda: not driver.app.current_run.active)
        assert driver.window.chip.text() == "Finished"
        assert driver.model.history.epoch_x.values.tolist() == [1, 2]
    driver.click(driver.window, "New")
    trains_afterwards(driver)


@pytest.mark.parametrize("state", ["training", "paused"])
def test_opening_a_file_that_is_no_checkpoint_leaves_the_run_as_it_is(
    driver: Driver, asked: list[str], tmp_path: Path, state: State
) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG not a checkpoint")
    driver.start(tiny(epochs=100_000, schedule={"name": "Constant"}))
    driver.wait(lambda: driver.of("epoch"))
    if state == "paused":
        driver.click(driver.window.transport, "Pause")
    driver.reach(state)
    before = driver.model.position
    driver.app.files.open_path(str(tmp_path / "picture.png"))
    fails(driver, "picture.png is")
    assert not asked
    assert not driver.of("end")
    assert driver.model.state == state
    if state == "paused":
        assert driver.model.position == before
        assert driver.button(driver.window.transport, "Resume").isEnabled()


def test_opening_while_training_asks_saves_and_then_opens(driver: Driver, asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(tiny_dict(epochs=2)))
    driver.start(tiny(epochs=3000, schedule={"name": "Constant"}))
    driver.wait(lambda: driver.of("epoch"))
    driver.app.files.open_path(str(tmp_path / "none.json"))
    fails(driver, "does not exist")
    assert driver.model.state == "training"
    driver.app.files.open_path(str(tmp_path / "recipe.json"))
    driver.wait(lambda: driver.window.setup.recipe() == tiny(epochs=2) and driver.window.setup.length.isVisible())
    assert len(asked) == 1
    assert "recipe.json" in asked[0]
    (end,) = driver.of("end")
    assert end.reason == "stopped"
    assert end.checkpoint is not None
    driver.app.files.open_path(end.checkpoint)  # the run itself, exactly where it stopped
    driver.wait(lambda: len(driver.of("start")) == 2)
    driver.reach("ready")
    first, again = driver.of("start")
    assert again.run == first.run
    assert (again.epoch, again.batch) == (end.epoch, end.batch)


def test_a_network_that_raises_in_training_is_reported_with_details(driver: Driver) -> None:
    driver.start(tiny("breaks_in_training"))
    fails(driver, "broken, says the test")
    driver.click(driver.window.banner, "Details")
    assert "Traceback" in driver.window.banner._details.toPlainText()
    driver.wait(lambda: driver.window.chip.text() == "Ready")
    assert driver.window.setup.recipe() == tiny("breaks_in_training")
    trains_afterwards(driver)


def test_a_failure_in_mid_run_keeps_what_was_trained(driver: Driver, tmp_path: Path) -> None:
    code = (
        "from tests.engine.tiny_networks import Poisoned\n"
        "def when(n):\n    if n == 15: raise RuntimeError('broke in epoch 3')\n    return False\n"
        "def make(in_channels, num_classes): return Poisoned(in_channels, num_classes, when)\n"
    )
    driver.start(tiny(model={"name": own_network(tmp_path, code)}))
    fails(driver, "broke in epoch 3")
    driver.wait(lambda: not driver.app.current_run.active)
    assert driver.window.chip.text() == "Failed"
    assert driver.model.history.epoch_x.values.tolist() == [1, 2]
    driver.click(driver.window.setup, "Duplicate as new")
    trains_afterwards(driver)


def test_a_users_network_that_is_missing_is_reported(driver: Driver, tmp_path: Path) -> None:
    name = own_network(tmp_path, "def make(in_channels, num_classes): pass\n")
    driver.set_up(tiny(model={"name": name}))
    (tmp_path / "net.py").unlink()
    driver.start()
    fails(driver, "net.py")
    trains_afterwards(driver)


def test_missing_data_and_a_failed_download_are_reported(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # a port where no server listens, whatever the network
    window = driver.window
    driver.set_up(tiny(data={"name": "mnist", "batch_size": 256, "root": str(tmp_path)}))
    driver.wait(lambda: driver.shows(window.setup, "Data set not found in "))
    start = driver.button(window.transport, "Start")
    assert not start.isEnabled()
    assert "Press Download" in start.toolTip()
    driver.click(window.setup, "Download")
    assert "is being downloaded" in start.toolTip()
    assert driver.button(window.transport, "Cancel").isVisible()
    driver.wait(lambda: driver.shows(window.setup, "could not be downloaded"))
    assert not any(b.isVisible() for b in (window.transport._cancel,))
    assert not driver.button(window.transport, "Stop").isEnabled()
    trains_afterwards(driver)


def test_data_that_was_added_is_found_when_the_window_is_activated(driver: Driver, tmp_path: Path) -> None:
    files = Path(os.environ.get("TILLER_TEST_DATA", "/nowhere")) / "MNIST"
    if not files.is_dir():
        pytest.skip("TILLER_TEST_DATA names no folder with MNIST")
    driver.set_up(tiny(data={"name": "mnist", "batch_size": 256, "root": str(tmp_path)}))
    driver.wait(lambda: driver.shows(driver.window.setup, "Data set not found in "))
    assert not driver.button(driver.window.transport, "Start").isEnabled()
    (tmp_path / "MNIST").symlink_to(files)
    activate_window(driver)
    driver.wait(lambda: driver.button(driver.window.transport, "Start").isEnabled())
    assert driver.shows(driver.window.setup, "Data set found")


# -- a network of one's own


def test_an_error_of_a_users_network_is_shown_at_its_field(driver: Driver, tmp_path: Path) -> None:
    name = own_network(tmp_path, "def make(in_channels, num_classes):\n    return 1 / 0\n")
    driver.set_up(tiny(model={"name": name}))
    form, start = driver.window.setup.model, driver.button(driver.window.transport, "Start")
    driver.wait(lambda: form.note("name").is_error())
    assert form.note("name").full_text() == "net.py:make raised at line 2: ZeroDivisionError: division by zero"
    assert not start.isEnabled()
    assert "division by zero" in start.toolTip()
    own_network(tmp_path, "from torch import nn\ndef make(in_channels, num_classes): return nn.Linear(3, 2)\n")
    activate_window(driver)
    driver.click(driver.window.setup, "Run this file")  # another version of it
    driver.wait(lambda: "ZeroDivisionError" not in form.note("name").full_text())
    driver.wait(lambda: form.note("name").is_error())  # which does not fit the images
    driver.set_up(tiny())
    driver.wait(lambda: start.isEnabled())
    assert not form.note("name").is_error()


def test_an_error_at_a_later_epoch_of_an_expression_is_shown_at_its_field(driver: Driver) -> None:
    driver.set_up(tiny(schedule={"name": "LambdaLR", "lr_lambda": "1/(3-epoch)"}))
    form, start = driver.window.schedule.editor.form, driver.button(driver.window.transport, "Start")
    driver.wait(lambda: form.note("lr_lambda").is_error())
    assert "zero" in form.note("lr_lambda").full_text()
    driver.wait(lambda: not start.isEnabled())
    line = form.editor("lr_lambda").lines[0]
    line.setFocus()
    line.selectAll()
    driver.qtbot.keyClicks(line, "1/(30-epoch)")
    driver.wait(lambda: start.isEnabled())
    assert not form.note("lr_lambda").is_error()


def test_a_run_starts_only_when_no_network_is_being_built(driver: Driver, tmp_path: Path) -> None:
    """Building it restores PyTorch's global generator afterwards, which would change the run's."""
    slow = "import time, torch\nfrom tests.engine.tiny_networks import tiny\n"
    slow += "def make(in_channels, num_classes):\n    time.sleep(0.5)\n    return tiny(in_channels, num_classes)\n"
    driver.set_up(tiny(model={"name": own_network(tmp_path, slow)}, epochs=1))
    driver.wait(lambda: driver.app.lookups._building)
    driver.start()
    assert not driver.app.current_run.active
    driver.wait(lambda: driver.of("end"))
    assert driver.finish().reason == "finished"


def test_what_is_downloaded_does_not_hide_the_run_that_trains(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    window = driver.window
    driver.set_up(tiny(data={"name": "mnist", "batch_size": 256, "root": str(tmp_path)}))
    driver.wait(lambda: driver.shows(window.setup, "Data set not found in "))
    driver.click(window.setup, "Download")
    driver.pause_at(tiny(), 2, 1)
    driver.wait(lambda: "could not be downloaded" in window.setup.status.full_text())
    assert driver.button(window.transport, "Resume").isEnabled()
    assert not window.transport._cancel.isVisible()


def test_start_before_pytorch_is_loaded_starts_the_run_afterwards(new_driver: Callable[..., Driver]) -> None:
    driver = new_driver(wait_for_torch=False)
    driver.set_up(tiny(epochs=1))
    driver.click(driver.window.transport, "Start")
    assert driver.window.chip.text() == "Loading"
    assert driver.shows(driver.window.transport, "Loading PyTorch")
    driver.wait(lambda: driver.of("end"))
    assert driver.finish().reason == "finished"


def test_cancel_while_pytorch_loads_starts_no_run(new_driver: Callable[..., Driver]) -> None:
    driver = new_driver(wait_for_torch=False)
    driver.set_up(tiny(epochs=1))
    driver.click(driver.window.transport, "Start")
    driver.click(driver.window.transport, "Cancel")
    assert driver.window.chip.text() == "Ready"
    assert not driver.button(driver.window.transport, "Stop").isEnabled()
    driver.wait(lambda: driver.app.lookups.ready)
    driver.settle()
    assert not driver.events
    trains_afterwards(driver)


def test_cancel_while_a_run_loads_shows_the_forms_again(driver: Driver, tmp_path: Path) -> None:
    code = "import time\ntime.sleep(0.5)\nfrom tests.engine.tiny_networks import tiny as make\n"
    driver.start(tiny(model={"name": own_network(tmp_path, code)}))
    driver.wait(lambda: driver.of("loading"))
    driver.click(driver.window.transport, "Cancel")
    driver.finish()
    trains_afterwards(driver)


def test_start_while_loading_starts_no_second_run(driver: Driver) -> None:
    driver.start(tiny(epochs=2))
    driver.press(Qt.Key.Key_Space)
    driver.app.setup_controller.start()
    assert driver.finish().reason == "finished"
    assert len(driver.of("start")) == 1


def test_without_a_library_the_run_trains_and_a_message_is_shown(
    new_driver: Callable[..., Driver], own_folders: Path
) -> None:
    own_folders.mkdir(parents=True)
    (own_folders / "library").write_text("in the way")
    driver = new_driver()
    fails(driver, "The run is not kept")
    driver.start(tiny("poisoned_fifth"))
    driver.reach("diverged")
    assert driver.button(driver.window.banner, "Go back and use LR 0.005").isEnabled()  # it is recomputed
    driver.click(driver.window, "Save")
    fails(driver, "there is no library")
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.app.current_run.post(Pause(), Position(epoch=9))


def test_a_schedule_that_follows_the_epochs_is_drawn_and_stored_with_them(driver: Driver) -> None:
    driver.set_up(tiny(epochs=8, schedule={"name": "CosineAnnealingLR", "T_max": 8}))
    epochs = driver.window.setup.length.editor("epochs").control()
    epochs.setFocus()
    epochs.selectAll()
    driver.qtbot.keyClicks(epochs, "80")
    recipe = driver.window.setup.recipe()
    assert recipe is not None
    assert (recipe.epochs, recipe.schedule) == (80, CosineAnnealingLR(T_max=80))
    assert driver.app.settings.last_recipe == recipe


def test_a_stopped_run_is_continued_from_its_banner(driver: Driver) -> None:
    driver.start(tiny(epochs=200))
    driver.wait(lambda: driver.of("epoch"))
    driver.click(driver.window.transport, "Stop")
    driver.finish()
    run = driver.model.start.run
    assert not driver.window.schedule.isEnabled()
    driver.click(driver.window.banner, "Continue")
    driver.reach("training")
    assert driver.model.start.run == run
    assert driver.window.schedule.isEnabled()


def test_a_click_on_a_button_leaves_space_to_the_transport(driver: Driver) -> None:
    driver.start(tiny(epochs=500))
    driver.reach("training")
    driver.click(driver.window.lr_panel, "÷2")
    driver.answer("scale_lr")
    driver.press(Qt.Key.Key_Space)
    driver.reach("paused")
    assert len(driver.answers("scale_lr")) == 1

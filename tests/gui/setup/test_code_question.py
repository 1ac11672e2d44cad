"""A Python file with a network is run in the window after one explicit yes, and never when the window opens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPlainTextEdit

from engine.recipe.recipe import Recipe
from engine.recipe.user_code import version
from engine.training import queries
from engine.training.job import Job
from gui.core.allowed_code import AllowedCode
from gui.core.session import Session
from gui.core.settings import Settings
from tests.engine.running import at, commands, library_at, run
from tests.gui.app_fixture import Driver, open_dialog, own_network, tiny, tiny_dict
from tests.gui.setup.test_controller import activate_window

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")
NewDriver = Callable[..., Driver]

NETWORK = """
from pathlib import Path
from torch import nn
with (Path(__file__).parent / "runs.txt").open("a") as file: file.write("x")
def make(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
"""


class Own:
    """A network of one's own that counts how often its file was run, and a recipe with it."""

    def __init__(self, folder: Path, code: str = NETWORK) -> None:
        self.folder, self.name = folder, own_network(folder, code)
        self.file = folder / "net.py"
        self.recipe = tiny(model={"name": self.name}, epochs=2)
        self.path = folder / "recipe.json"
        self.path.write_text(json.dumps(tiny_dict(model={"name": self.name}, epochs=2)))

    @property
    def runs(self) -> int:
        file = self.folder / "runs.txt"
        return len(file.read_text()) if file.exists() else 0

    def allow(self) -> None:
        found = version(str(self.file))
        assert found is not None
        AllowedCode(Settings()).allow(found)

    def checkpoint(self) -> str:
        """A checkpoint of a run of it that was trained elsewhere."""
        with library_at(self.folder / "elsewhere") as library:
            run(Job(recipe=self.recipe, lines=commands(at(2, 0, "stop"))), library)
            path = library.newest_checkpoint(library.runs()[-1].id)
        (self.folder / "runs.txt").unlink()
        return str(path)


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path)


def asks(driver: Driver) -> bool:
    return driver.window.setup.code_question.isVisibleTo(driver.window)


def test_a_recipes_file_is_run_after_a_yes(driver: Driver, own: Own) -> None:
    window = driver.window
    driver.app.files.open_path(str(own.path))
    start = driver.button(window.transport, "Start")
    assert asks(driver)
    assert not start.isEnabled()
    assert str(own.file) in start.toolTip()
    assert window.setup.code_question._path.text().replace("\u200b", "") == str(own.file)
    driver.app.setup_controller.press_space()
    driver.settle(500)  # longer than typing must pause
    assert (own.runs, driver.app.current_run.active) == (0, False)
    driver.click(window.setup, "Not now")
    assert not start.isEnabled()
    driver.settle(400)
    assert own.runs == 0
    driver.click(window.setup, "Run this file")
    assert not asks(driver)
    driver.wait(lambda: own.runs > 0 and driver.app.lookups.ready)
    driver.click(window.transport, "Start")
    assert driver.finish().reason == "finished"


def test_the_file_is_shown_before_it_is_run(driver: Driver, own: Own) -> None:
    driver.app.files.open_path(str(own.path))
    driver.click(driver.window.setup, "Show the file")
    shown = open_dialog(driver)
    (text,) = shown.findChildren(QPlainTextEdit)
    assert text.toPlainText() == own.file.read_text()
    driver.click(shown, "Not now")
    assert asks(driver)
    assert own.runs == 0
    driver.click(driver.window.setup, "Show the file")
    driver.click(open_dialog(driver), "Run this file")
    driver.wait(lambda: own.runs > 0)
    assert not asks(driver)


def test_a_yes_is_remembered_until_the_file_changes(new_driver: NewDriver, own: Own) -> None:
    first = new_driver()
    first.app.files.open_path(str(own.path))
    first.click(first.window.setup, "Run this file")
    first.close()
    second = new_driver()
    second.app.files.open_path(str(own.path))
    assert not asks(second)
    second.wait(lambda: own.runs > 0 and second.app.lookups.ready)
    runs = own.runs
    own.file.write_text(NETWORK + "# edited\n")
    activate_window(second)
    assert asks(second)
    assert not second.button(second.window.transport, "Start").isEnabled()
    second.settle(400)
    assert own.runs == runs


def test_a_window_that_opens_runs_no_file_even_an_allowed_one(new_driver: NewDriver, own: Own) -> None:
    own.allow()
    Settings().last_recipe = own.recipe
    driver = new_driver()
    driver.settle(500)
    assert (own.runs, asks(driver)) == (0, False)
    driver.click(driver.window.transport, "Start")
    assert driver.finish().reason == "finished"
    assert own.runs > 0


@pytest.mark.parametrize("begin", [False, True])
def test_a_checkpoints_file_is_run_after_a_yes(driver: Driver, own: Own, begin: bool) -> None:
    path = own.checkpoint()
    driver.app.files.open_path(path, begin)
    driver.click(open_dialog(driver), "Not now")
    driver.settle()
    assert (own.runs, driver.app.current_run.active, driver.window.banner.subject()) == (0, False, None)
    driver.app.files.open_path(path, begin)
    driver.click(open_dialog(driver), "Run this file")
    driver.wait(lambda: bool(driver.of("start")))
    if not begin:
        driver.reach("ready")
        assert driver.model.position.epoch == 2
        driver.click(driver.window.transport, "Resume")
    assert driver.finish().reason == "finished"


def test_start_on_the_command_line_is_the_yes(driver: Driver, own: Own) -> None:
    checkpoint = own.checkpoint()
    driver.app.files.open_path(str(own.path), begin=True, ask=False)
    assert driver.finish().reason == "finished"
    Settings().allowed_code = {}
    driver.app.files.open_path(checkpoint, begin=True, ask=False)
    driver.wait(lambda: len(driver.of("start")) == 2)
    assert driver.finish().reason == "finished"


def test_code_and_the_range_test_do_not_run_the_file_unasked(driver: Driver, own: Own) -> None:
    recipe = own.recipe.model_copy(update={"groups": tiny(groups=[{"name": "last", "modules": ["1"]}]).groups})
    driver.app.setup_controller.set_up(recipe)
    driver.app.export.copy_code.trigger()
    driver.wait(lambda: driver.window.banner.subject() == "failure")
    assert "you have not allowed it yet" in driver.window.banner.text()
    panel = driver.app.range_test.panel
    driver.app.range_test.open()
    driver.click(panel, "Find a learning rate")
    driver.wait(lambda: "you have not allowed it yet" in panel._note.full_text())
    assert own.runs == 0


# -- after a crash


def test_after_a_crash_the_window_opens_with_the_default_recipe(new_driver: NewDriver, own: Own) -> None:
    settings = Settings()
    settings.last_recipe = own.recipe
    own.allow()
    settings.path.parent.mkdir(parents=True, exist_ok=True)
    (settings.path.parent / "window-1-dead.lock").touch()  # of a process that is gone
    driver = new_driver()
    assert driver.window.setup.recipe() == Recipe()
    driver.click(driver.window.banner, "Show the last recipe")
    assert driver.window.setup.recipe() == own.recipe
    driver.close()
    assert new_driver().window.setup.recipe() == own.recipe


def test_only_a_window_that_did_not_end_properly_has_crashed(tmp_path: Path) -> None:
    first = Session(tmp_path)
    second = Session(tmp_path)  # beside it
    second.end()
    first.end()
    crashed = Session(tmp_path)
    assert not any(session.after_crash for session in (first, second, crashed))
    assert crashed._file is not None
    crashed._file.close()  # as the system does when the process ends
    after = Session(tmp_path)
    assert after.after_crash
    after.end()
    last = Session(tmp_path)
    assert not last.after_crash
    last.end()


# -- code that does not come back


def test_an_endless_network_is_given_up_and_the_next_one_is_built(
    driver: Driver, own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "BUILD_SECONDS", 0.5)
    form = driver.window.setup.model
    (tmp_path / "endless").mkdir()
    driver.set_up(Own(tmp_path / "endless", "while True: pass").recipe)
    driver.wait(lambda: form.note("name").is_error())
    assert "net.py:make did not return within" in form.note("name").full_text()
    assert not driver.button(driver.window.transport, "Start").isEnabled()
    own.file.write_text("raise KeyboardInterrupt")
    driver.set_up(own.recipe)
    driver.wait(lambda: "KeyboardInterrupt" in form.note("name").full_text())
    own.file.write_text(NETWORK)
    driver.start(own.recipe)
    assert driver.finish().reason == "finished"


@pytest.mark.parametrize("started", [False, True])
def test_the_window_closes_while_a_network_is_built(driver: Driver, own: Own, started: bool) -> None:
    own.file.write_text(NETWORK.split("def make")[0] + "while True: pass")
    driver.set_up(own.recipe)
    if started:
        driver.click(driver.window.transport, "Start")
    driver.wait(lambda: own.runs == 1)
    driver.app.setup_controller.leave(ask=False)
    driver.wait(lambda: bool(driver.left))
    driver.close()

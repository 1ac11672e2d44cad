"""The whole window on real runs, used as a person uses it."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.common.lifecycle import State
from engine.common.position import Position
from engine.messages.commands import Pause
from engine.messages.events import CommandEvent, EndEvent, Event
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.recipe.user_code import version
from gui.app import App
from gui.core.allowed_code import AllowedCode
from gui.core.run_model import RunModel
from gui.core.settings import Settings
from gui.learning_rate.staged_change import StagedChange
from gui.setup.code_question import CodeDialog

NETWORKS = Path(__file__).parents[1] / "engine" / "tiny_networks.py"
MAIN = Path(__file__).parents[2] / "main.py"
LEFT = Qt.MouseButton.LeftButton
BATCHES = 6  # in an epoch: 1437 training digits in batches of 256
SECONDS = 60  # after which a test has failed, however busy the machine is


def tiny_dict(network: str = "tiny", **changes: Any) -> dict[str, Any]:
    """A recipe with six batches per epoch that trains in milliseconds, as JSON data."""
    return {
        "data": {"name": "digits", "batch_size": 256},
        "model": {"name": f"{NETWORKS}:{network}"},
        "optimizer": {"name": "SGD", "lr": 0.05, "momentum": 0.9},
        "schedule": {"name": "StepLR", "step_size": 2, "gamma": 0.5},
        "epochs": 6,
        "device": "cpu",
        **changes,
    }


def tiny(network: str = "tiny", **changes: Any) -> Recipe:
    return recipe_from_json(json.dumps(tiny_dict(network, **changes)))


def own_network(folder: Path, code: str) -> str:
    """A user's network, ``make`` in a file in ``folder``; returns its name in a recipe."""
    file = folder / "net.py"
    file.write_text(code)
    return f"{file}:make"


def open_dialog(driver: Driver) -> CodeDialog:
    """The dialog that asks whether a Python file may be run, once it is open."""
    found: list[CodeDialog] = []

    def is_open() -> bool:
        found[:] = [dialog for dialog in driver.window.findChildren(CodeDialog) if dialog.isVisible()]
        return bool(found)

    driver.wait(is_open)
    return found[0]


class Driver:
    """A window with its own library, and the events of its runs."""

    def __init__(self, qtbot: QtBot, application: QApplication, library: Path) -> None:
        self.qtbot = qtbot
        settings = Settings()
        AllowedCode(settings).allow(version(str(NETWORKS)) or ("", ""))
        self.app = App(application, str(library), settings)
        self.window = self.app.window
        self.window.resize(1280, 800)  # as on a usual screen: the one of Qt's offscreen platform is smaller
        self.events: list[Event] = []
        self.left: list[bool] = []
        self.closed = False
        self.app.current_run.happened.connect(self.events.append)
        self.app.setup_controller.left.connect(lambda: self.left.append(True))
        self.app.show()
        self.window.activateWindow()

    @property
    def model(self) -> RunModel:
        """The window's RunModel."""
        return self.app.current_run.model

    # -- waiting

    def wait(self, until: Callable[[], Any], seconds: float = SECONDS) -> None:
        self.qtbot.waitUntil(lambda: bool(until()), timeout=round(seconds * 1000))

    def reach(self, state: State) -> None:
        self.wait(lambda: self.model.state == state)

    def finish(self) -> EndEvent:
        """Wait until the run and its thread have ended."""
        self.wait(lambda: not self.app.current_run.active and self.app.setup_controller._job is None)
        self.wait(lambda: self.events and isinstance(self.events[-1], EndEvent))  # also of one that has yet to begin
        end = self.events[-1]
        assert isinstance(end, EndEvent)
        return end

    def answer(self, name: str) -> CommandEvent:
        """Wait for the newest answer to a command."""
        found: list[CommandEvent] = []

        def arrived() -> bool:
            found[:] = self.answers(name)
            return bool(found)

        self.wait(arrived)
        return found[-1]

    def answers(self, name: str) -> list[CommandEvent]:
        commands = [e for e in self.events if isinstance(e, CommandEvent)]
        return [e for e in commands if e.name == name and e.status != "queued"]

    def of(self, kind: str) -> list[Any]:
        return [e for e in self.events if e.event == kind]

    def settle(self, milliseconds: int = 60) -> None:
        self.qtbot.wait(milliseconds)

    # -- what a person does

    def button(self, where: QWidget, text: str) -> QAbstractButton:
        found = [b for b in where.findChildren(QAbstractButton) if b.text() == text and b.isVisibleTo(self.window)]
        assert len(found) == 1, (text, [b.text() for b in where.findChildren(QPushButton)])
        return found[0]

    def click(self, where: QWidget, text: str) -> None:
        button = self.button(where, text)
        assert button.isEnabled(), button.toolTip()
        self.qtbot.mouseClick(button, LEFT)

    def press(self, key: Qt.Key, where: QWidget | None = None) -> None:
        self.qtbot.keyClick(where or self.window, key)

    def shows(self, where: QWidget, part: str) -> bool:
        return any(part in w.text() for w in where.findChildren(QLabel) if w.isVisibleTo(self.window))

    @property
    def lr_field(self) -> QLineEdit:
        field: QLineEdit = self.window.lr_panel.findChild(StagedChange).findChild(QLineEdit)
        return field

    @property
    def number(self) -> str:
        """The large LR of the LR panel."""
        shown: str = self.window.lr_panel._number.text()
        return shown

    def type_lr(self, text: str) -> None:
        self.lr_field.setFocus()
        self.lr_field.selectAll()
        self.qtbot.keyClicks(self.lr_field, text)

    # -- runs

    def set_up(self, recipe: Recipe) -> None:
        """Show ``recipe`` in the forms, and allow the file of its network to be run."""
        self.app.setup_controller.allow(recipe)
        self.app.setup_controller.set_up(recipe)

    def start(self, recipe: Recipe | None = None) -> None:
        if recipe is not None:
            self.set_up(recipe)
        self.click(self.window.transport, "Start")

    def pause_at(self, recipe: Recipe, epoch: int, batch: int = 0) -> None:
        """Start ``recipe`` and pause just before ``batch`` of ``epoch``."""
        self.set_up(recipe)
        self.wait(lambda: self.app.lookups.ready)  # otherwise the run begins later, and the command has nowhere to go
        self.start()
        self.app.current_run.post(Pause(), Position(epoch=epoch, batch=batch))
        self.reach("paused")
        assert self.model.position == Position(epoch=epoch, batch=batch)

    def resume_to(self, epoch: int, batch: int = 0) -> None:
        """Resume, and pause just before ``batch`` of ``epoch``."""
        before = len(self.answers("pause"))
        self.app.current_run.post(Pause(), Position(epoch=epoch, batch=batch))
        self.click(self.window.transport, "Resume")
        self.wait(lambda: len(self.answers("pause")) > before and self.model.state == "paused")

    def close(self) -> None:
        """Close everything as the program does, and check that nothing is left."""
        if self.closed:
            return
        self.closed = True
        self.app.current_run.stop()
        self.wait(lambda: not self.app.current_run.active)
        self.app.close()
        assert not self.app.tasks.running
        assert gc.isenabled()
        assert not self.window.isVisible()
        self.window.deleteLater()  # otherwise the next window's style sheet would be applied to this one too
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete.value)
        self.app.application.setStyleSheet("")  # the next window is built without a style sheet, as in the program

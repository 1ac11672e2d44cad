"""What leaves the window: the recipe as PyTorch code, the run as a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, get_args

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QPushButton

from engine.common.position import Position
from engine.export.run_files import commands_to_replay, csv_table, replay, write_file
from engine.messages.commands import Intervention
from engine.messages.events import BranchEvent, CommandEvent, EndEvent, EpochEvent, Event, StartEvent
from engine.recipe.recipe import Recipe
from engine.training import queries
from gui.core.current_run import CurrentRun
from gui.core.settings import Settings
from gui.core.task_runner import Failure, TaskRunner
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.widgets.intervention_text import describe

_SAID_MS: Final = 2000
_INTERVENTIONS: Final = {kind.model_fields["command"].default for kind in get_args(Intervention)} - {"save", "stop"}


class ExportController(QObject):
    """The menu File, Export, and the button beside the schedule's preview.

    The code is of the recipe: before the start the forms', else the run's, with what the hand did as remarks.
    """

    def __init__(
        self, window: MainWindow, runs: CurrentRun, tasks: TaskRunner, settings: Settings, in_run: Callable[[], bool]
    ) -> None:
        """``in_run`` says whether a run is shown, rather than a recipe that is being set up."""
        super().__init__(window)
        self._window, self._tasks, self._settings, self._in_run = window, tasks, settings, in_run
        self._start: StartEvent | None = None
        self._history: list[EpochEvent] = []
        self._hand: list[CommandEvent] = []
        self._stopped: Position | None = None
        self.copy_code = QAction(tr("Copy as PyTorch code"), window)
        self.copy_code.setShortcut("Ctrl+Shift+C")
        self.copy_code.setToolTip(tr("Optimizer, groups, schedule and a training loop, ready to paste"))
        self.save_code = QAction(tr("PyTorch code…"), window)
        self.save_table = QAction(tr("Table of epochs (CSV)…"), window)
        self.save_replay = QAction(tr("Recipe and interventions…"), window)
        self.button = QPushButton(tr("Copy as PyTorch code"))
        self.button.setToolTip(tr("Optimizer, groups, schedule and a training loop, ready to paste (Ctrl+Shift+C)"))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_SAID_MS)
        self._back.timeout.connect(lambda: self.button.setText(tr("Copy as PyTorch code")))
        self._place()
        self.copy_code.triggered.connect(self._copy_code)
        self.button.clicked.connect(self._copy_code)
        self.save_code.triggered.connect(self._save_code)
        self.save_table.triggered.connect(self._save_table)
        self.save_replay.triggered.connect(self._save_replay)
        runs.listen(self._happened, StartEvent, EndEvent, BranchEvent, EpochEvent, CommandEvent)

    def _place(self) -> None:
        menu, panel = self._window.export, self._window.schedule
        menu.addActions([self.copy_code, self.save_code, self.save_table, self.save_replay])
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._show_what_can_be)
        panel.candidates.add_beside(self.button)

    # -- what the run did

    def _happened(self, event: Event) -> None:
        match event:
            case StartEvent():
                self._start = event
                self._history, self._hand, self._stopped = list(event.history), list(event.interventions), None
            case EndEvent(reason="stopped"):
                self._stopped = Position(epoch=event.epoch, batch=event.batch)
            case BranchEvent():
                self._history, self._hand = list(event.history), list(event.interventions)
            case EpochEvent():
                self._history.append(event)
            case CommandEvent(status="applied") if event.name in _INTERVENTIONS:
                self._hand.append(event)

    def _show_what_can_be(self) -> None:
        there = self._in_run() and bool(self._history)
        self.save_table.setEnabled(there)
        tip = tr("One row per epoch: metrics, LR and interventions") if there else tr("No epoch has ended yet.")
        self.save_table.setToolTip(tip)
        self.save_replay.setEnabled(self._in_run())
        self.save_replay.setToolTip(
            tr("Two files from which main.py train reproduces the weights, bit for bit")
            if self._in_run()
            else tr("There is no run yet; Save writes the recipe.")
        )

    # -- code

    def _recipe(self) -> Recipe | None:
        if self._in_run() and self._start is not None:
            return self._start.recipe
        return self._window.setup.recipe()

    def _remarks(self) -> list[str]:
        interventions = (
            [intervention for intervention in self._hand if intervention.name != "note"] if self._in_run() else []
        )
        if not interventions:
            return []
        lines = [
            tr(
                "epoch {epoch}, batch {batch}: {intervention}",
                epoch=intervention.epoch,
                batch=intervention.batch,
                intervention=describe(intervention),
            )
            for intervention in interventions
        ]
        return [tr("The run also had these interventions, which this code leaves out:"), *lines]

    def _copy_code(self) -> None:
        recipe, remarks = self._recipe(), self._remarks()
        if recipe is None:
            self._say_wrong()
            return
        work = partial(queries.pytorch_code, recipe, remarks)
        self._tasks.submit(lambda _: work(), self._copied, self._failed, lane="torch", key="code to copy")

    def _save_code(self) -> None:
        recipe, remarks = self._recipe(), self._remarks()
        if recipe is None:
            self._say_wrong()
        elif path := self._ask_where(tr("Save PyTorch code"), "train.py", tr("Python files (*.py)")):
            self._write(lambda: _write(path, queries.pytorch_code(recipe, remarks)))

    def _save_table(self) -> None:
        if self._start is None:
            return
        history, interventions, groups = tuple(self._history), tuple(self._hand), tuple(self._start.groups)
        if path := self._ask_where(tr("Save the table"), "run.csv", tr("Tables (*.csv)")):
            self._write(lambda: _write(path, csv_table(history, interventions, groups)))

    def _save_replay(self) -> None:
        if self._start is None:
            return
        recipe, interventions = replay(self._start.recipe, commands_to_replay(self._hand, self._stopped))
        chosen = QFileDialog.getExistingDirectory(
            self._window,
            tr("Folder for recipe.json and commands.jsonl"),
            self._settings.last_folder or str(Path.home()),
        )
        if chosen:
            self._settings.last_folder = chosen
            self._write(lambda: _write_both(Path(chosen), recipe, interventions))

    def _ask_where(self, title: str, name: str, kind: str) -> Path | None:
        folder = Path(self._settings.last_folder or Path.home())
        chosen, _ = QFileDialog.getSaveFileName(self._window, title, str(folder / name), kind)
        if not chosen:
            return None
        self._settings.last_folder = str(Path(chosen).parent)
        return Path(chosen)

    # -- what became of it

    def _say_wrong(self) -> None:
        problem = self._window.setup.first_error() or ""
        self._window.action_line.show_text(tr("Not copied: {problem}", problem=said(problem)))

    def _write(self, work: Callable[[], str]) -> None:
        """Have files written; ``work`` returns the path to name."""
        show = self._window.action_line.show_saved
        self._tasks.submit(lambda _: work(), show, self._failed, lane="torch", must_finish=True)

    def _copied(self, code: str) -> None:
        QGuiApplication.clipboard().setText(code)
        text = tr("Copied as PyTorch code. Paste it where your model and data loaders are.")
        self._window.action_line.show_text(text)
        self.button.setText(tr("Copied"))
        self._back.start()

    def _failed(self, failure: Failure) -> None:
        problem = said(failure.problem)
        text = tr("{field}: {text}", field=failure.field, text=problem) if failure.field else problem
        self._window.banner.show_failure(tr("Not exported: {problem}", problem=text), failure.details)


def _write(path: Path, text: str) -> str:
    """Write ``text`` to ``path``, which is returned."""
    write_file(path, text)
    return str(path)


def _write_both(folder: Path, recipe: str, interventions: str) -> str:
    """Write the two files of a replay into ``folder``; returns what is said of it."""
    write_file(folder / "recipe.json", recipe)
    write_file(folder / "commands.jsonl", interventions)
    return str(folder)

"""Exporting from the window: the recipe as PyTorch code, the run as a table or as files that reproduce it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QPushButton, QWidget

from engine.common.position import Position
from engine.common.program import program
from engine.export.run_files import REPLAY_FILES, commands_to_replay, csv_table, replay, write_file, write_replay
from engine.recipe.recipe import Recipe
from engine.training import queries
from gui.core.allowed_code import AllowedCode
from gui.core.run_model import RunModel
from gui.core.settings import Settings
from gui.core.task_runner import Failure, TaskRunner
from gui.core.translation import said, tr
from gui.run_bar.action_line import ActionLine
from gui.run_bar.banner import Banner
from gui.setup.panel import SetupPanel
from gui.widgets.intervention_text import command_text

_COPIED_MS: Final = 2000


class ExportController(QObject):
    """The menu File, Export, and the button beside the schedule's preview.

    The code is of the run's recipe, with its interventions as comments; before the start, of the recipe in the forms.
    ``button`` copies the code; the caller places it.
    """

    def __init__(
        self,
        window: QWidget,
        model: RunModel,
        tasks: TaskRunner,
        settings: Settings,
        code: AllowedCode,
        *,
        menu: QMenu,
        setup: SetupPanel,
        banner: Banner,
        action_line: ActionLine,
    ) -> None:
        super().__init__(window)
        self._window, self._model, self._tasks, self._settings = window, model, tasks, settings
        self._code = code
        self._setup, self._banner, self._action_line = setup, banner, action_line
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
        self._back.setInterval(_COPIED_MS)
        self._back.timeout.connect(lambda: self.button.setText(tr("Copy as PyTorch code")))
        menu.addActions([self.copy_code, self.save_code, self.save_table, self.save_replay])
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._enable)
        self.copy_code.triggered.connect(self._copy_code)
        self.button.clicked.connect(self._copy_code)
        self.save_code.triggered.connect(self._save_code)
        self.save_table.triggered.connect(self._save_table)
        self.save_replay.triggered.connect(self._save_replay)

    def _enable(self) -> None:
        """Enable the entries that are possible now; the tooltips of the others give the reason."""
        there = bool(self._model.epochs_done)
        self.save_table.setEnabled(there)
        tip = tr("One row per epoch: metrics, LR and interventions") if there else tr("No epoch has ended yet.")
        self.save_table.setToolTip(tip)
        self.save_replay.setEnabled(self._model.shown)
        self.save_replay.setToolTip(
            tr("Two files from which {command} reproduces the weights, bit for bit", command=f"{program()} train")
            if self._model.shown
            else tr("There is no run yet; Save writes the recipe.")
        )

    # -- code

    def _recipe(self) -> Recipe | None:
        return self._model.recipe if self._model.recipe is not None else self._setup.recipe()

    def _remarks(self) -> list[str]:
        interventions = [applied for applied in self._model.interventions if applied.name != "note"]
        if not interventions:
            return []
        lines = [
            tr(
                "epoch {epoch}, batch {batch}: {intervention}",
                epoch=intervention.epoch,
                batch=intervention.batch,
                intervention=command_text(intervention),
            )
            for intervention in interventions
        ]
        return [tr("The run also had these interventions, which this code leaves out:"), *lines]

    def _copy_code(self) -> None:
        recipe, remarks = self._recipe(), self._remarks()
        if recipe is None:
            self._show_not_copied()
            return
        work = partial(queries.pytorch_code, recipe, remarks, self._code.current())
        self._tasks.submit(lambda _: work(), self._copied, self._failed, lane="torch", key="code to copy")

    def _save_code(self) -> None:
        recipe, remarks = self._recipe(), self._remarks()
        if recipe is None:
            self._show_not_copied()
        elif path := self._ask_where(tr("Save PyTorch code"), "train.py", tr("Python files (*.py)")):
            allowed = self._code.current()
            self._write(lambda: _write(path, queries.pytorch_code(recipe, remarks, allowed)))

    def _save_table(self) -> None:
        model = self._model
        history, interventions, groups = tuple(model.epochs_done), tuple(model.interventions), tuple(model.groups)
        if path := self._ask_where(tr("Save the table"), "run.csv", tr("Tables (*.csv)")):
            self._write(lambda: _write(path, csv_table(history, interventions, groups)))

    def _save_replay(self) -> None:
        recipe, end = self._model.recipe, self._model.end
        if recipe is None:
            return
        stopped = Position(epoch=end.epoch, batch=end.batch) if end is not None and end.reason == "stopped" else None
        texts = replay(recipe, commands_to_replay(self._model.interventions, stopped))
        chosen = QFileDialog.getExistingDirectory(
            self._window,
            tr("Folder for recipe.json and commands.jsonl"),
            self._settings.last_folder or str(Path.home()),
        )
        if not chosen:
            return
        self._settings.last_folder = chosen
        folder = Path(chosen)
        there = [name for name in REPLAY_FILES if os.path.lexists(folder / name)]
        if there and not self._may_replace(folder, there):
            return

        def work() -> str:
            write_replay(folder, *texts, overwrite=bool(there))
            return chosen

        self._write(work)

    def _may_replace(self, folder: Path, names: Sequence[str]) -> bool:
        """Ask whether files may be replaced; choosing a folder asks nothing by itself."""
        text = tr("{folder} has {names} already. Replace?", folder=folder, names=", ".join(names))
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        answer = QMessageBox.question(self._window, tr("Recipe and interventions"), text, buttons)
        return answer == QMessageBox.StandardButton.Yes

    def _ask_where(self, title: str, name: str, kind: str) -> Path | None:
        folder = Path(self._settings.last_folder or Path.home())
        chosen, _ = QFileDialog.getSaveFileName(self._window, title, str(folder / name), kind)
        if not chosen:
            return None
        self._settings.last_folder = str(Path(chosen).parent)
        return Path(chosen)

    # -- results

    def _show_not_copied(self) -> None:
        problem = self._setup.first_error() or ""
        self._action_line.show_text(tr("Not copied: {problem}", problem=said(problem)))

    def _write(self, work: Callable[[], str]) -> None:
        """Write files in the background; ``work`` returns the path to show."""
        show = self._action_line.show_saved
        self._tasks.submit(lambda _: work(), show, self._failed, lane="torch", must_finish=True)

    def _copied(self, code: str) -> None:
        QGuiApplication.clipboard().setText(code)
        text = tr("Copied as PyTorch code. Paste it where your model and data loaders are.")
        self._action_line.show_text(text)
        self.button.setText(tr("Copied"))
        self._back.start()

    def _failed(self, failure: Failure) -> None:
        problem = said(failure.problem)
        text = tr("{field}: {text}", field=failure.field, text=problem) if failure.field else problem
        self._banner.show_failure(tr("Not exported: {problem}", problem=text), failure.details)


def _write(path: Path, text: str) -> str:
    """Write ``text`` to ``path``, which is returned; the dialog has asked whether to replace what is there."""
    write_file(path, text)
    return str(path)

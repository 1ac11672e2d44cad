"""Opening and saving files: recipes and checkpoints."""

from __future__ import annotations

import codecs
import os
import shutil
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.common.errors import SpecError
from engine.common.files import check_replaceable, open_regular, replacing
from engine.messages.commands import Save
from engine.recipe.recipe import read_recipe
from gui.core.current_run import CurrentRun
from gui.core.settings import Settings
from gui.core.translation import said, tr
from gui.library.resume import ResumeController
from gui.run_bar.action_line import ActionLine
from gui.run_bar.banner import Banner
from gui.setup.controller import SetupController
from gui.setup.panel import SetupPanel

_SNIFFED = 64


class FilesController(QObject):
    """Opens and saves files, chosen in a dialog or given by path."""

    def __init__(
        self,
        window: QWidget,
        runs: CurrentRun,
        setup_controller: SetupController,
        settings: Settings,
        taking_up: ResumeController,
        *,
        setup: SetupPanel,
        banner: Banner,
        action_line: ActionLine,
        open_action: QAction,
        save_action: QAction,
        save_as_action: QAction,
    ) -> None:
        super().__init__(window)
        self._window, self._runs = window, runs
        self._setup, self._banner, self._action_line = setup, banner, action_line
        self._setup_controller, self._settings, self._taking_up = setup_controller, settings, taking_up
        open_action.triggered.connect(self.open)
        save_action.triggered.connect(self._save)
        save_as_action.triggered.connect(self._save_as)
        action_line.folder_wanted.connect(lambda path: show_folder(Path(path).parent))

    def open_path(self, path: str, begin: bool = False, *, ask: bool = True) -> None:
        """Open a recipe (in the forms) or a checkpoint (loaded, with its history in the plots).

        ``begin`` starts training at once. Without ``ask``, the Python file of its network is run unasked. An active
        run is saved and ended first, if the user agrees.
        """
        file = Path(path).absolute()
        self._settings.last_folder = str(file.parent)
        try:
            if not file.is_file():
                raise SpecError("", tr("{path} does not exist.", path=path))
            recipe = read_recipe(file) if _is_recipe(file) else None
        except (SpecError, OSError) as error:
            self._banner.show_failure(said(error))
            return
        question = tr("Stop and save the run, then open {name}? It can be continued later.", name=file.name)

        if recipe is None:
            self._taking_up.from_file(file, begin, question, ask=ask)
            return

        def go_on() -> None:
            if not ask:
                self._setup_controller.allow(recipe)
            self._setup_controller.set_up(recipe)
            if begin:
                self._setup_controller.start()

        self._setup_controller.when_free(go_on, question)

    def open(self) -> None:
        """Ask for a file, and open it."""
        filters = tr("Recipes and checkpoints (*.json *.tiller);;All files (*)")
        path, _ = QFileDialog.getOpenFileName(self._window, tr("Open"), self._settings.last_folder, filters)
        if path:
            self.open_path(path)

    def _save(self) -> None:
        if self._runs.active:
            self._runs.post(Save(path=None))
        elif (checkpoint := self._runs.model.checkpoint) is not None:
            self._action_line.show_saved(str(checkpoint))  # the end of a run is saved automatically
        else:
            self._save_as()

    def _save_as(self) -> None:
        is_run = self._runs.active or self._runs.model.checkpoint is not None
        folder = Path(self._settings.last_folder or Path.home())
        name = "run.tiller" if is_run else "recipe.json"
        kind = tr("Checkpoints (*.tiller)") if is_run else tr("Recipes (*.json)")
        path, _ = QFileDialog.getSaveFileName(self._window, tr("Save as"), str(folder / name), kind)
        if not path:
            return
        self._settings.last_folder = str(Path(path).parent)
        agreed = os.path.lexists(path)  # the dialog has asked whether to replace it
        if self._runs.active:
            self._runs.post(Save(path=path, overwrite=agreed or None))
            return
        try:
            self._write(Path(path), agreed)
        except OSError as error:
            self._banner.show_failure(tr("Not saved: {reason}", reason=error.strerror or error))
        except SpecError as error:
            self._banner.show_failure(said(error))
        else:
            self._action_line.show_saved(path)

    def _write(self, path: Path, overwrite: bool) -> None:
        """Write the checkpoint of the run that has ended, or the recipe of the forms, completely or not at all."""
        checkpoint, recipe = self._runs.model.checkpoint, self._setup.recipe()
        check_replaceable(path, lambda _: False, "what the dialog asked about", overwrite=overwrite)
        if checkpoint is not None:
            with open_regular(Path(checkpoint)) as source, replacing(path) as file:
                shutil.copyfileobj(source, file)
        elif recipe is not None:
            with replacing(path) as file:
                file.write(f"{recipe.to_json(indent=1)}\n".encode())
        else:
            raise SpecError("", self._setup.first_error() or "")


def _is_recipe(file: Path) -> bool:
    """Whether ``file`` is a recipe, by its name or its first characters. Raises OSError."""
    with file.open("rb") as opened:
        begins = opened.read(_SNIFFED).removeprefix(codecs.BOM_UTF8).lstrip()
    return file.suffix.lower() == ".json" or begins.startswith(b"{")


def show_folder(folder: Path) -> None:
    """Open ``folder`` in the file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

"""What the person does around a run: choose, begin, open, save, leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QMessageBox

from engine.job import Job, job_of
from engine.recipe import Recipe, read_recipe, recipe_from_json
from engine.schedules import ScheduleSpec
from engine.spec import SpecError
from gui.chores import Chores
from gui.preview import Preview
from gui.runs import Runs
from gui.session import Session
from gui.settings import Settings
from gui.window import Window
from gui.words import said, tr


class Reception(QObject):
    """Begins runs from the forms or from files, and sees the window off.

    Signals:
        left(): nothing is under way any more, and the window may go.
    """

    left = Signal()

    def __init__(
        self,
        window: Window,
        session: Session,
        runs: Runs,
        preview: Preview,
        chores: Chores,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._session, self._runs, self._preview = window, session, runs, preview
        self._chores, self._settings = chores, settings
        self._job: Job | None = None  # to begin when PyTorch is there
        self._then: Callable[[], None] | None = None  # to do when the run under way is gone
        self._leaving = False
        self._name = ""
        self._connect()

    # -- choosing

    def show_recipe(self, recipe: Recipe) -> None:
        """Bring ``recipe`` into the forms, for a new run."""
        window = self._window
        window.banner.clear()
        window.setup.set_running(None)
        window.fold(False)
        window.setup.set_recipe(recipe)
        window.schedule.set_group_names(window.setup.group_names())
        window.schedule.set_context(recipe.epochs, 0, recipe.optimizer.lr, False)
        window.schedule.set_schedule(recipe.schedule)
        window.setup.set_schedule(recipe.schedule)  # the context may have made the panel's old one follow the epochs
        window.hand.set_enabled_because(tr("There is no run yet: Start begins one."))
        window.show_side(window.schedule)
        window.chip.show_state("ready")
        window.transport.clear_progress()
        window.start_page.show()
        window.show_title("")
        window.plots.set_pending(None)
        self._recipe_changed(recipe)

    def _recipe_changed(self, recipe: Recipe | None) -> None:
        window = self._window
        error = window.setup.first_error() if recipe is None else None
        if not self._runs.active:
            window.transport.show_state("ready", error, begun=False)
        names = window.setup.group_names()
        if recipe is not None:
            window.schedule.set_group_names(names)
            window.schedule.set_context(recipe.epochs, 0, recipe.optimizer.lr, False)
            window.plots.set_epochs(recipe.epochs)
            window.plots.set_group_names(names)
            window.show_name(self._name, f"{recipe.data.name} {recipe.model.name}")
            self._settings.last_recipe = recipe
            self._sparkline(recipe.schedule)
            self._chores.check_data(recipe.data)
        self._preview.show_recipe(recipe, names)

    def _schedule_changed(self, spec: ScheduleSpec | None) -> None:
        if not self._runs.active:
            self._window.setup.set_schedule(spec)

    # -- beginning

    def begin(self, job: Job) -> None:
        """Do ``job`` as soon as PyTorch is there and no other run is under way."""
        if self._runs.active:
            self._end_then(lambda: self.begin(job))
        elif self._chores.ready:
            self._job = None
            self._runs.begin(job)
        else:
            self._job = job
            self._window.chip.show_state("loading")
            self._window.transport.show_state("loading")
            self._window.transport.show_loading(tr("Loading PyTorch…"))

    def start(self, one_epoch: bool = False) -> None:
        """Begin the run that the forms describe, or only its first epoch."""
        recipe = self._window.setup.recipe()
        if recipe is None or self._runs.active:
            return
        self.begin(Job(recipe=recipe, name=self._name, on_divergence="pause", one_epoch=one_epoch))

    def _run_epoch(self) -> None:
        if not self._runs.active:
            self.start(one_epoch=True)

    def _end_then(self, act: Callable[[], None]) -> None:
        self._then = act
        self._runs.stop()

    def open_path(self, path: str, begin: bool = False) -> None:
        """Open a recipe (into the forms) or a snapshot (loaded, with its plots full, ready to go on)."""
        file = Path(path)
        self._settings.last_folder = str(file.parent)
        try:
            if not file.is_file():
                raise SpecError("", tr("{path} is not there.", path=path))
            if file.suffix.lower() != ".json":
                self.begin(self._job_of(file, begin))
                return
            self.show_recipe(read_recipe(file))
        except SpecError as error:
            self._window.banner.show_failure(said(str(error)))
            return
        if begin:
            self.start()

    def _job_of(self, file: Path, begin: bool) -> Job:
        """The run of the library whose newest snapshot ``file`` is goes on as itself; any other file as a branch."""
        library = self._runs.library
        for row in library.runs() if library is not None else ():
            if library is not None and library.newest_snapshot(row.id) == file:
                job = job_of(row, library)
                return Job(
                    snapshot=job.snapshot,
                    run=job.run,
                    name=job.name,
                    lines=job.lines,
                    begin=begin,
                    on_divergence="pause",
                )
        return Job(snapshot=file.absolute(), begin=begin, on_divergence="pause")

    def _more_epochs(self, more: int) -> None:
        end, start = self._session.end, self._session.start
        if end is None or start is None or end.snapshot is None:
            return
        epochs = end.epoch + more
        self.begin(
            Job(snapshot=Path(end.snapshot), run=start.run, name=start.name, epochs=epochs, on_divergence="pause")
        )

    # -- leaving and the like

    def leave(self, ask: bool) -> None:
        """Save and end what is under way, then let the window go; asks first while training, with ``ask``."""
        if self._leaving:
            return
        if self._runs.active and ask and self._session.state == "training":
            answer = QMessageBox.question(
                self._window,
                tr("Training is under way"),
                tr("Stop and save the run, then leave? It can be continued later, exactly where it was."),
                QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
                QMessageBox.StandardButton.Yes,
            )
            if answer != QMessageBox.StandardButton.Yes:
                return
        self._leaving = True
        self._job = self._then = None
        if self._runs.active:
            self._runs.stop()
        else:
            self.left.emit()

    def _gone(self) -> None:
        """The thread of the run is gone."""
        then, self._then = self._then, None
        if self._leaving:
            self.left.emit()
        elif then is not None:
            then()
        elif self._session.start is None:  # it ended while loading: the forms are still there to mend
            self._recipe_changed(self._window.setup.recipe())

    def _torch_loaded(self) -> None:
        if self._job is not None:
            self.begin(self._job)

    def _torch_failed(self, problem: str, details: str) -> None:
        self._job = None
        self._window.banner.show_failure(tr("PyTorch could not be loaded: {problem}", problem=problem), details)
        self._window.transport.show_state("ready", tr("PyTorch could not be loaded."))

    def _cancel(self) -> None:
        """Give up what is being loaded."""
        if self._runs.active:
            self._runs.stop()
        elif self._job is not None:
            self._job = None
            self._window.chip.show_state("ready")
            self._window.transport.show_state("ready")
        else:
            self._chores.cancel_download()
            self._window.transport.show_state("ready")

    def _new(self) -> None:
        if self._runs.active:
            answer = QMessageBox.question(
                self._window,
                tr("A run is under way"),
                tr("Stop and save it, and set up a new one? It can be continued later."),
                QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
                QMessageBox.StandardButton.Yes,
            )
            if answer != QMessageBox.StandardButton.Yes:
                return
            self._end_then(self._set_up_again)
        else:
            self._set_up_again()

    def _set_up_again(self) -> None:
        start = self._session.start
        recipe = recipe_from_json(json.dumps(start.recipe)) if start is not None else self._settings.last_recipe
        self._session.forget()
        self._name = ""
        self.show_recipe(recipe)

    def _open(self) -> None:
        filters = tr("Recipes and snapshots (*.json *.tiller);;All files (*)")
        path, _ = QFileDialog.getOpenFileName(self._window, tr("Open"), self._settings.last_folder, filters)
        if path:
            self.open_path(path)

    def _save(self) -> None:
        if self._runs.active:
            self._session.save(None)
        else:
            self._save_as()

    def _save_as(self) -> None:
        running = self._runs.active
        folder = Path(self._settings.last_folder or Path.home())
        name = "run.tiller" if running else "recipe.json"
        kind = tr("Snapshots (*.tiller)") if running else tr("Recipes (*.json)")
        path, _ = QFileDialog.getSaveFileName(self._window, tr("Save as"), str(folder / name), kind)
        if not path:
            return
        self._settings.last_folder = str(Path(path).parent)
        if running:
            self._session.save(path)
            return
        recipe = self._window.setup.recipe()
        if recipe is None:
            self._window.banner.show_failure(self._window.setup.first_error() or "")
            return
        try:
            Path(path).write_text(recipe.to_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            self._window.banner.show_failure(tr("Not saved: {reason}", reason=error.strerror or error))
        else:
            self._window.action_line.show_saved(path)

    def _renamed(self, name: str) -> None:
        self._name = name
        start, library = self._session.start, self._runs.library
        if start is not None and library is not None and name:
            library.update(start.run, lambda text: self._window.banner.show_failure(said(text)), name=name)

    def _space(self) -> None:
        """Space works the transport, unless a button has the focus and Space is how it is pressed."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QAbstractButton) and focus.isEnabled():
            focus.animateClick()
        else:
            self._window.transport.toggle()

    def _connect(self) -> None:
        window = self._window
        window.setup.recipe_changed.connect(self._recipe_changed)
        window.setup.outline_wanted.connect(self._chores.outline)
        window.setup.download_requested.connect(self._chores.download)
        window.setup.duplicate_requested.connect(self._new)
        window.schedule.schedule_changed.connect(self._schedule_changed)
        window.schedule.base_lr_wanted.connect(window.setup.set_base_lr)
        window.schedule.sparkline_wanted.connect(self._sparkline)
        window.transport.start.connect(self.start)
        window.transport.run_epoch.connect(self._run_epoch)
        window.transport.cancel.connect(self._cancel)
        window.start_page.continue_requested.connect(self.open_path)
        window.start_page.open_requested.connect(self._open)
        window.banner.more_epochs_wanted.connect(self._more_epochs)
        window.action_line.folder_wanted.connect(_show_folder)
        window.renamed.connect(self._renamed)
        window.new.triggered.connect(self._new)
        window.open.triggered.connect(self._open)
        window.save.triggered.connect(self._save)
        window.save_as.triggered.connect(self._save_as)
        window.toggle.triggered.connect(self._space)
        window.run_epoch.triggered.connect(window.transport.run_epoch)
        window.finish.triggered.connect(window.transport.finish)
        window.leave_wanted.connect(lambda: self.leave(ask=True))
        self._runs.gone.connect(self._gone)
        self._chores.torch_loaded.connect(self._torch_loaded)
        self._chores.torch_failed.connect(self._torch_failed)

    def _sparkline(self, spec: ScheduleSpec) -> None:
        self._preview.sparkline(spec, self._window.setup.recipe() or Recipe())


def _show_folder(path: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))

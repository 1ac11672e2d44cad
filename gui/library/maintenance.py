"""Maintenance of the library: importing checkpoints, the recycle bin, checking, and rebuilding the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from engine.common.text import Text
from engine.library import Library, Overview, Soundness
from gui.core.run_text import sentence
from gui.core.settings import Settings
from gui.core.task_runner import Failure, TaskRunner
from gui.core.translation import said, tr
from gui.library.files import show_folder
from gui.library.panel import RunsPanel
from gui.run_bar.banner import Banner

T = TypeVar("T")


class Do(Protocol):
    """Runs work with the library; ``not_done`` begins the message if it fails."""

    def __call__(self, work: Callable[[], T], done: Callable[[T], None], not_done: str = "") -> None:
        """Run ``work`` and pass its result to ``done``."""


class ShowNote(Protocol):
    """Shows the outcome of an action, with an Undo button if there is ``undo``."""

    def __call__(self, text: str, error: bool = False, undo: Callable[[], None] | None = None) -> None:
        """Show ``text``."""


class MaintenanceController(QObject):
    """The actions of the library's menu."""

    def __init__(
        self,
        window: QWidget,
        banner: Banner,
        library: Library,
        panel: RunsPanel,
        tasks: TaskRunner,
        do: Do,
        show_note: ShowNote,
        settings: Settings,
    ) -> None:
        """``do`` runs work with the library, ``show_note`` shows its outcome."""
        super().__init__(window)
        self._window, self._banner, self._library, self._settings = window, banner, library, settings
        self._tasks, self._do, self._show_note = tasks, do, show_note
        self._checking = False
        actions = panel.run_actions
        actions.remove.triggered.connect(lambda: self._remove(panel.chosen()))
        actions.import_checkpoint.triggered.connect(self._ask_for_checkpoint)
        actions.empty_bin.triggered.connect(lambda: self._remove(None))
        actions.check.triggered.connect(self._check)
        actions.rebuild.triggered.connect(self._rebuild)
        actions.folder.triggered.connect(lambda: show_folder(library.root))

    def _ask_for_checkpoint(self) -> None:
        filters = tr("Checkpoints (*.tiller);;All files (*)")
        title = tr("Import a checkpoint")
        path, _ = QFileDialog.getOpenFileName(self._window, title, self._settings.last_folder, filters)
        if path:
            self._settings.last_folder = str(Path(path).parent)
            self.import_checkpoint(Path(path))

    def import_checkpoint(self, file: Path) -> None:
        """Copy the checkpoint ``file`` into the library as a run."""

        def done(run: str) -> None:
            self._show_note(tr("Imported {file} as run {run}.", file=file.name, run=run))

        self._do(lambda: self._library.import_checkpoint(file), done, tr("Not imported"))

    def _check(self) -> None:
        if self._checking:
            return
        self._checking = True
        self._tasks.submit(
            lambda task: self._library.check(task.progress, task.cancelled),
            self._checked,
            self._not_checked,
            progress=lambda what, done, total: self._show_note(
                tr("{what}: {done} of {total}", what=sentence(what).rstrip("."), done=done, total=total)
            ),
        )

    def _checked(self, found: Soundness | None) -> None:
        self._checking = False
        if found is None:
            return
        if found.sound:
            self._show_note(tr("The library is intact: the index and all {n} checkpoints.", n=found.read))
            return
        details = "\n".join(said(problem) for problem in found.problems)
        if found.index:
            text = tr("{bad} checkpoints are damaged or missing, {n} are intact.", bad=found.bad, n=found.read)
            text = tr("{what} A run resumes from its newest intact one.", what=text)
        else:
            text = sentence(found.problems[0])
        self._show_note(text, error=True)
        self._banner.show_failure(text, details)

    def _not_checked(self, failure: Failure) -> None:
        self._checking = False
        text = tr("The library cannot be read: {problem}", problem=said(failure.problem))
        self._show_note(text, error=True)

    def _rebuild(self) -> None:
        def done(remarks: list[Text]) -> None:
            self._show_note(" ".join(sentence(remark) for remark in remarks))

        def apply() -> None:
            self._do(self._library.rebuild, done, tr("Not rebuilt"))

        question = tr(
            "Rebuild the index? Names, notes and tags are kept, and runs found only as checkpoints are added."
        )
        self._ask(question, tr("Rebuild"), apply)

    def _remove(self, runs: Sequence[Overview] | None) -> None:
        """Ask, then permanently delete ``runs`` of the bin, or all that are in it."""
        ids = None if runs is None else [run.row.id for run in runs]

        def done(gone: list[str]) -> None:
            self._show_note(tr("Deleted {n} runs permanently.", n=len(gone)))

        def apply() -> None:
            self._do(lambda: self._library.empty_bin(ids), done, tr("Not deleted"))

        if runs is None:
            question = tr(
                "Empty the recycle bin? Its runs are deleted with all their checkpoints. This cannot be undone."
            )
        else:
            question = tr("Delete {n} runs with all their checkpoints? This cannot be undone.", n=len(runs))
        self._ask(question, tr("Delete permanently"), apply)

    def _ask(self, question: str, yes: str, intervention: Callable[[], None]) -> None:
        box = QMessageBox(QMessageBox.Icon.Question, tr("Library"), question, parent=self._window)
        go = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        go.clicked.connect(intervention)
        box.finished.connect(box.deleteLater)
        box.open()

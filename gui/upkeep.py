"""What is done with the library as a whole: import, the bin, a check, and its index made anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox

from engine.library import Library, Overview, Soundness
from engine.qthread import Failure
from engine.words import Words
from gui.asking import Asking
from gui.errands import Errands, show_folder
from gui.panels.runs_panel import RunsPanel
from gui.run_words import sentence
from gui.settings import Settings
from gui.window import Window
from gui.words import said, tr


class Upkeep(QObject):
    """Carries out what the drawer's menu of the library offers."""

    def __init__(
        self,
        window: Window,
        library: Library,
        panel: RunsPanel,
        asking: Asking,
        errands: Errands,
        settings: Settings,
    ) -> None:
        super().__init__(window)
        self._window, self._library, self._settings = window, library, settings
        self._asking, self._errands = asking, errands
        self._checking = False
        acts = panel.acts
        acts.remove.triggered.connect(lambda: self._remove(panel.chosen()))
        acts.bring_in.triggered.connect(self._ask_for_snapshot)
        acts.empty_bin.triggered.connect(lambda: self._remove(None))
        acts.check.triggered.connect(self._check)
        acts.rebuild.triggered.connect(self._rebuild)
        acts.folder.triggered.connect(lambda: show_folder(library.root))

    def _ask_for_snapshot(self) -> None:
        filters = tr("Snapshots (*.tiller);;All files (*)")
        title = tr("Import a snapshot")
        path, _ = QFileDialog.getOpenFileName(self._window, title, self._settings.last_folder, filters)
        if path:
            self._settings.last_folder = str(Path(path).parent)
            self.bring_in(Path(path))

    def bring_in(self, file: Path) -> None:
        """Copy the snapshot ``file`` into the library as a run."""

        def told(run: str) -> None:
            self._errands.say(tr("{file} is in the library, as run {run}.", file=file.name, run=run))

        self._errands.do(lambda: self._library.import_snapshot(file), told, tr("Not imported"))

    def _check(self) -> None:
        if self._checking:
            return
        self._checking = True
        self._asking.ask(
            lambda question: self._library.check(question.progress, question.cancelled),
            self._checked,
            self._not_checked,
            progress=lambda what, done, total: self._errands.say(
                tr("{what}: {done} of {total}", what=sentence(what).rstrip("."), done=done, total=total)
            ),
        )

    def _checked(self, found: Soundness | None) -> None:
        self._checking = False
        if found is None:
            return
        if found.sound:
            self._errands.say(tr("The library is sound: its index, and {n} snapshots to the last byte.", n=found.read))
            return
        details = "\n".join(said(problem) for problem in found.problems)
        if found.index:
            text = tr("{bad} snapshots are damaged or gone, {n} are sound.", bad=found.bad, n=found.read)
            text = tr("{what} A run goes on from its newest sound one.", what=text)
        else:
            text = sentence(found.problems[0])
        self._errands.say(text, error=True)
        self._window.banner.show_failure(text, details)

    def _not_checked(self, failure: Failure) -> None:
        self._checking = False
        text = tr("The library cannot be read: {problem}", problem=said(failure.problem))
        self._errands.say(text, error=True)

    def _rebuild(self) -> None:
        def told(remarks: list[Words]) -> None:
            self._errands.say(" ".join(sentence(remark) for remark in remarks))

        def act() -> None:
            self._errands.do(self._library.rebuild, told, tr("Not made anew"))

        question = tr("Make the index anew? Names, notes and tags stay, runs that only their snapshots know come in.")
        self._ask(question, tr("Make it anew"), act)

    def _remove(self, runs: Sequence[Overview] | None) -> None:
        """Ask, then remove ``runs`` in the bin for good, or all that are there."""
        ids = None if runs is None else [run.row.id for run in runs]

        def told(gone: list[str]) -> None:
            self._errands.say(tr("{n} runs are removed for good.", n=len(gone)))

        def act() -> None:
            self._errands.do(lambda: self._library.empty_bin(ids), told, tr("Not removed"))

        if runs is None:
            question = tr("Empty the bin? Its runs are removed with all their snapshots, and cannot be brought back.")
        else:
            question = tr("Remove {n} runs with all their snapshots? They cannot be brought back.", n=len(runs))
        self._ask(question, tr("Remove for good"), act)

    def _ask(self, question: str, yes: str, act: Callable[[], None]) -> None:
        box = QMessageBox(QMessageBox.Icon.Question, tr("Library"), question, parent=self._window)
        go = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        go.clicked.connect(act)
        box.finished.connect(box.deleteLater)
        box.open()

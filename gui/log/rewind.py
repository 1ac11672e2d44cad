"""Going back: where it is asked for, how far it is, and what became of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMenu, QMessageBox, QProgressDialog

from engine.common.position import Position
from engine.messages.commands import CancelRewind, Rewind
from engine.messages.events import CommandEvent, EndEvent, Event, RewindProgressEvent, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.widgets.intervention_text import describe

_AFTER_MS = 500


class RewindController(QObject):
    """Takes the run back to an epoch's end, or to just before an intervention, once the person has agreed.

    The road that is left stays on the plots as a faint line, and in the library as a run of its own.
    """

    def __init__(self, window: MainWindow, current_run: CurrentRun) -> None:
        super().__init__(window)
        self._window, self._current_run, self._model = window, current_run, current_run.model
        self._asked: set[int] = set()
        self._dialog: QProgressDialog | None = None
        window.action_line.go_back.connect(self.before)
        window.log.go_back.connect(self.before)
        window.plots.menu_opening.connect(self._offer)
        current_run.listen(self._happened, StartEvent, RewindProgressEvent, CommandEvent, EndEvent)

    # -- what can be gone back to

    def why_not(self, position: Position) -> str | None:
        """Why the run cannot go back to ``position``, or None."""
        why_not = self._model.why_not("rewind")
        if why_not is not None:
            return why_not
        return None if position < self._model.position else tr("The run stands there.")

    def epochs_since(self, position: Position) -> float:
        """How many epochs lie between ``position`` and the run's."""
        now = self._model.position
        return now.epoch - position.epoch + (now.batch - position.batch) / self._model.batches_per_epoch

    def before(self, intervention: CommandEvent) -> None:
        """Ask for the moment just before ``act``."""
        where = tr(
            "just before “{intervention}” (epoch {epoch}, batch {batch})",
            intervention=describe(intervention),
            epoch=intervention.epoch,
            batch=intervention.batch,
        )
        self._ask(intervention.position, tr("Go back to {where}?", where=where))

    def to_end_of(self, epoch: int) -> None:
        """Ask for the end of ``epoch``; 0 is the run's beginning."""
        where = tr("the end of epoch {epoch}", epoch=epoch) if epoch else tr("the very beginning")
        self._ask(Position(epoch=epoch + 1), tr("Go back to {where}?", where=where))

    def _offer(self, menu: QMenu, x: float, marker: object) -> None:
        """Add the ways back from a place on the plots to its context menu."""
        if not self._current_run.active:
            return
        menu.addSeparator()
        intervention = self._window.log.event_of(marker) if isinstance(marker, int) else None
        if isinstance(intervention, CommandEvent):
            here = menu.addAction(tr("Go back to just before “{intervention}”…", intervention=describe(intervention)))
            here.triggered.connect(lambda: self.before(intervention))
            here.setEnabled(self.why_not(intervention.position) is None)
        epoch = max(0, round(min(x, self._model.epochs_completed(self._model.position))))
        if self.why_not(Position(epoch=epoch + 1)) is not None and epoch:
            epoch -= 1
        text = tr("Go back to the end of epoch {epoch}…", epoch=epoch) if epoch else tr("Go back to the beginning…")
        back = menu.addAction(text)
        back.setEnabled(self.why_not(Position(epoch=epoch + 1)) is None)
        back.triggered.connect(lambda: self.to_end_of(epoch))

    # -- going

    def _ask(self, position: Position, question: str) -> None:
        why_not = self.why_not(position)
        if why_not is not None:
            self._window.banner.show_failure(tr("Not gone back: {reason}", reason=why_not))
            return
        box = QMessageBox(QMessageBox.Icon.Question, tr("Go back"), question, parent=self._window)
        kept = (
            tr("They stay on the plots as a faint line, and in the library as a run of its own.")
            if self._current_run.library is not None
            else tr("They stay on the plots as a faint line. There is no library to keep them in.")
        )
        since = f"{self.epochs_since(position):.1f}".removesuffix(".0")
        box.setInformativeText(tr("{n} epochs are left behind. {kept}", n=since, kept=kept))
        go = box.addButton(tr("Go back"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(go)
        box.exec()
        if box.clickedButton() is go and self.why_not(position) is None:
            self._asked.add(self._current_run.post(Rewind(epoch=position.epoch - 1, batch=position.batch or None)))

    def _happened(self, event: Event) -> None:
        match event:
            case StartEvent():
                self._asked.clear()
            case RewindProgressEvent():
                self._show_progress(event.done, event.total)
            case CommandEvent() if event.name == "rewind" and event.status != "queued":
                self._close()
                if event.id in self._asked and event.status == "rejected":
                    reason = said(event.reason or "")
                    self._window.banner.show_failure(tr("Not gone back: {reason}", reason=reason))
            case EndEvent():
                self._close()

    def _show_progress(self, done: int, total: int) -> None:
        if self._dialog is None:
            text = tr("No checkpoint stands there: the way to it is computed again.")
            dialog = self._dialog = QProgressDialog(text, tr("Cancel"), 0, total, self._window)
            dialog.setWindowTitle(tr("Going back"))
            dialog.setWindowModality(Qt.WindowModality.WindowModal)
            dialog.setMinimumDuration(_AFTER_MS)
            dialog.setAutoClose(False)
            dialog.setAutoReset(False)
            dialog.canceled.connect(lambda: self._current_run.post(CancelRewind()))
        self._dialog.setMaximum(total)
        self._dialog.setValue(done)

    def _close(self) -> None:
        if self._dialog is not None:
            self._dialog.canceled.disconnect()  # which closing it would say too
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None

"""Going back: where it is asked for, what it abandons, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMenu, QMessageBox, QProgressDialog, QWidget

from engine.common.position import Position
from engine.messages.commands import CancelRewind, Rewind
from engine.messages.events import CommandEvent, EndEvent, RewindProgressEvent, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import said, tr
from gui.log.panel import LogPanel
from gui.plots.stack import PlotStack
from gui.run_bar.action_line import ActionLine
from gui.run_bar.banner import Banner
from gui.run_bar.transport import duration_text
from gui.widgets.intervention_text import short_command_text

_PROGRESS_AFTER_MS = 500
_WORTH_SAYING = 5.0  # seconds


class RewindController(QObject):
    """Lets the run go back to the end of an epoch, or to just before an intervention, after the person agreed.

    The abandoned branch stays in the plots as a faint line, and in the library as a run of its own.
    """

    def __init__(
        self,
        parent: QWidget,
        log: LogPanel,
        action_line: ActionLine,
        plots: PlotStack,
        banner: Banner,
        current_run: CurrentRun,
    ) -> None:
        """``parent`` is the window that the dialogs belong to."""
        super().__init__(parent)
        self._parent, self._log, self._banner = parent, log, banner
        self._current_run, self._model = current_run, current_run.model
        self._asked: set[int] = set()
        self._dialog: QProgressDialog | None = None
        self._first = 0.0, 0  # when the first progress was reported, and how many batches were recomputed by then
        action_line.go_back.connect(self.before)
        log.go_back.connect(self.before)
        plots.menu_opening.connect(self._add_to_menu)
        current_run.listen(lambda _: self._asked.clear(), StartEvent)
        current_run.listen(self._on_progress, RewindProgressEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(lambda _: self._close(), EndEvent)

    # -- what the run can go back to

    def why_not(self, position: Position) -> str | None:
        """Why the run cannot go back to ``position``, as a sentence; None if it can."""
        why_not = self._model.why_not("rewind")
        if why_not is None and not position < self._model.position:
            return tr("The run is not past this position.")
        return why_not

    def epochs_since(self, position: Position) -> float:
        """The number of epochs between ``position`` and the run's."""
        return self._model.epochs_completed(self._model.position) - self._model.epochs_completed(position)

    def before(self, intervention: CommandEvent) -> None:
        """Ask whether to go back to just before ``intervention``."""
        where = tr(
            "just before “{intervention}” (epoch {epoch}, batch {batch})",
            intervention=short_command_text(intervention),
            epoch=intervention.epoch,
            batch=intervention.batch,
        )
        self._ask(intervention.position, where)

    def to_end_of(self, epoch: int) -> None:
        """Ask whether to go back to the end of ``epoch``; 0 is the start of the run."""
        where = tr("the end of epoch {epoch}", epoch=epoch) if epoch else tr("the start")
        self._ask(Position(epoch=epoch + 1), where)

    def _add_to_menu(self, menu: QMenu, x: float, marker: object) -> None:
        """Add what the run can go back to, from ``x`` or a marker on the plots, to their context menu."""
        if not self._current_run.active:
            return
        menu.addSeparator()
        intervention = self._log.event_of(marker) if isinstance(marker, int) else None
        if isinstance(intervention, CommandEvent):
            here = menu.addAction(
                tr("Go back to just before “{intervention}”…", intervention=short_command_text(intervention))
            )
            here.triggered.connect(lambda: self.before(intervention))
            here.setEnabled(self.why_not(intervention.position) is None)
        epoch = max(0, round(min(x, self._model.epochs_completed(self._model.position))))
        if self.why_not(Position(epoch=epoch + 1)) is not None and epoch:
            epoch -= 1
        text = tr("Go back to epoch {epoch}…", epoch=epoch) if epoch else tr("Go back to the start…")
        back = menu.addAction(text)
        back.setEnabled(self.why_not(Position(epoch=epoch + 1)) is None)
        back.triggered.connect(lambda: self.to_end_of(epoch))

    # -- going back

    def _ask(self, position: Position, where: str) -> None:
        why_not = self.why_not(position)
        if why_not is not None:
            self._banner.show_failure(tr("Could not go back: {reason}", reason=why_not))
            return
        question = tr("Go back to {where}?", where=where)
        box = QMessageBox(QMessageBox.Icon.Question, tr("Go back"), question, parent=self._parent)
        kept = (
            tr("They stay in the plots as a faint line, and in the library as a run of its own.")
            if self._current_run.library is not None
            else tr("They stay in the plots as a faint line. There is no library to keep them in.")
        )
        since = f"{self.epochs_since(position):.1f}".removesuffix(".0")
        informative = tr("{n} epochs are abandoned. {kept}", n=since, kept=kept)
        longest = self._longest(position)
        if longest >= _WORTH_SAYING:
            informative = tr(
                "{text} Without a checkpoint close before it, going back takes up to {time}.",
                text=informative,
                time=duration_text(longest),
            )
        box.setInformativeText(informative)
        go = box.addButton(tr("Go back"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(go)
        box.exec()
        if box.clickedButton() is go and self.why_not(position) is None:
            rewind = Rewind(epoch=position.epoch - 1, batch=position.batch or None)
            self._asked.add(self._current_run.post(rewind))

    def _longest(self, position: Position) -> float:
        """Seconds that it takes to train all epochs up to ``position`` again, as long as they took before."""
        return sum(event.seconds for event in self._model.epochs_done[: position.epoch])

    def _on_command(self, event: CommandEvent) -> None:
        if event.name != "rewind" or event.status == "queued":
            return
        self._close()
        if event.id in self._asked and event.status == "rejected":
            self._banner.show_failure(tr("Could not go back: {reason}", reason=said(event.reason or "")))

    def _on_progress(self, event: RewindProgressEvent) -> None:
        text = tr("No checkpoint here; recomputing from the nearest one.")
        if self._dialog is None:
            self._first = self._model.when, event.done
            dialog = self._dialog = QProgressDialog(text, tr("Cancel"), 0, event.total, self._parent)
            dialog.setWindowTitle(tr("Go back"))
            dialog.setWindowModality(Qt.WindowModality.WindowModal)
            dialog.setMinimumDuration(_PROGRESS_AFTER_MS)
            dialog.setAutoClose(False)
            dialog.setAutoReset(False)
            dialog.canceled.connect(lambda: self._current_run.post(CancelRewind()))
        since, done = self._first
        if event.done > done:
            left = (self._model.when - since) / (event.done - done) * (event.total - event.done)
            self._dialog.setLabelText(tr("{text} About {time} left.", text=text, time=duration_text(left)))
        self._dialog.setMaximum(event.total)
        self._dialog.setValue(event.done)

    def _close(self) -> None:
        if self._dialog is not None:
            self._dialog.canceled.disconnect()  # closing the dialog would emit it
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None

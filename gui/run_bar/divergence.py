"""After a loss that was not learned from: the ways out that the banner offers, as commands."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.messages.commands import Resume, Rewind, ScaleLR, Stop
from engine.messages.events import BranchEvent, CommandEvent, DivergedEvent, Event, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.run_text import sentence
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.run_bar.banner import Choice

TENTH = 0.1


class DivergenceController(QObject):
    """Offers the way back to the last good state, at a tenth of the rate or as it was; to go on; or to stop."""

    def __init__(self, window: MainWindow, runs: CurrentRun, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window, self._runs = window, runs
        self._per_epoch = 1
        self._lower: dict[int, bool] = {}  # ways back under way, and whether the rate is to be lower then
        runs.listen(self._happened, StartEvent, DivergedEvent, CommandEvent, BranchEvent)

    def _happened(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._per_epoch = event.batches_per_epoch
            self._lower.clear()
        elif isinstance(event, DivergedEvent):
            self._offer(event)
        elif isinstance(event, CommandEvent) and event.status != "queued" and event.id in self._lower:
            self._went_back(event, self._lower.pop(event.id))
        elif isinstance(event, BranchEvent) and self._window.banner.subject() == "diverged":
            self._window.banner.clear()  # gone back by another way

    def _offer(self, event: DivergedEvent) -> None:
        place, batches = self._place(event), self._batches_since(event)
        if batches == 1:
            hint = tr("The last good state is {place}, 1 batch back.", place=place)
        else:
            hint = tr("The last good state is {place}, {n} batches back.", place=place, n=batches)
        self._window.banner.show_diverged(
            sentence(event.text),
            hint,
            [
                Choice(
                    tr("Back, at a tenth of the LR"),
                    tr("Go back to the last good state and on from there at a tenth of the rate. This run is kept."),
                    lambda: self._back(event, lower=True),
                    primary=True,
                ),
                Choice(
                    tr("Back, as it was"),
                    tr("Go back to the last good state, with the rate it had, and stand paused there."),
                    lambda: self._back(event, lower=False),
                ),
                Choice(
                    tr("Go on as it is"),
                    tr("Resume with the weights as they are; the bad update was not made."),
                    lambda: self._runs.post(Resume()),
                ),
                Choice(tr("Stop"), tr("Save and end the run."), lambda: self._runs.post(Stop())),
            ],
        )

    def _place(self, event: DivergedEvent) -> str:
        epoch, batch = event.back.epoch, event.back.batch
        if batch:
            return tr("before batch {batch} of epoch {epoch}", batch=batch, epoch=epoch)
        return tr("the end of epoch {epoch}", epoch=epoch - 1) if epoch > 1 else tr("the start")

    def _batches_since(self, event: DivergedEvent) -> int:
        epoch, batch = event.back.epoch, event.back.batch
        return (event.epoch - epoch) * self._per_epoch + event.batch - batch

    def _back(self, event: DivergedEvent, lower: bool) -> None:
        epoch, batch = event.back.epoch, event.back.batch
        number = self._runs.post(Rewind(epoch=epoch - 1, batch=batch or None))
        self._lower[number] = lower  # the rest follows once that is done

    def _went_back(self, event: CommandEvent, lower: bool) -> None:
        if event.status != "applied":
            text = tr("Not gone back: {reason}", reason=said(event.reason or ""))
            self._window.banner.show_failure(text)
        elif lower:
            self._runs.post(ScaleLR(factor=TENTH))
            self._runs.post(Resume())

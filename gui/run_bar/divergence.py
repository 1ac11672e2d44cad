"""After a divergence: the choices that the banner offers, as commands."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QObject

from engine.messages.commands import Resume, Rewind, ScaleLR, Stop
from engine.messages.events import BranchEvent, CommandEvent, DivergedEvent, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.lr_text import lr_text
from gui.core.run_text import sentence
from gui.core.translation import said, tr
from gui.run_bar.banner import Banner, BannerAction

FACTOR: Final = 0.1
"""What the LR is multiplied by for another try."""


class DivergenceController(QObject):
    """Offers to go back to the last good state, with a lower LR or the same; to resume; or to stop."""

    def __init__(self, banner: Banner, current_run: CurrentRun) -> None:
        super().__init__(banner)
        self._banner, self._current_run, self._model = banner, current_run, current_run.model
        self._lower: dict[int, bool] = {}  # rewinds that were posted, by id: whether the LR is to be lower then
        current_run.listen(lambda _: self._lower.clear(), StartEvent)
        current_run.listen(self._offer, DivergedEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(self._on_branch, BranchEvent)

    def _on_command(self, event: CommandEvent) -> None:
        if event.status == "queued" or event.id not in self._lower:
            return
        lower = self._lower.pop(event.id)
        if event.status != "applied":
            self._banner.show_failure(tr("Could not go back: {reason}", reason=said(event.reason or "")))
        elif lower:
            self._current_run.post(ScaleLR(factor=FACTOR))
            self._current_run.post(Resume())

    def _on_branch(self, _: BranchEvent) -> None:
        if self._banner.subject() == "diverged":  # gone back in another way
            self._banner.clear()

    def _offer(self, event: DivergedEvent) -> None:
        where, batches = self._position_text(event), self._batches_since(event)
        if batches == 1:
            hint = tr("The last good state is {where}, 1 batch back.", where=where)
        else:
            hint = tr("The last good state is {where}, {n} batches back.", where=where, n=batches)
        self._banner.show_diverged(
            sentence(event.text),
            hint,
            [
                BannerAction(
                    self._lower_text(event),
                    tr("Go back to the last good state and train on from there with a lower LR. This run is kept."),
                    lambda: self._go_back(event, lower=True),
                    primary=True,
                ),
                BannerAction(
                    tr("Go back"),
                    tr("Go back to the last good state, with the LR that it had, and pause there."),
                    lambda: self._go_back(event, lower=False),
                ),
                BannerAction(
                    tr("Resume"),
                    tr("Resume with the weights as they are; the failed update was not applied."),
                    lambda: self._current_run.post(Resume()),
                ),
                BannerAction(tr("Stop"), tr("Save the run and end it here."), lambda: self._current_run.post(Stop())),
            ],
        )

    def _lower_text(self, event: DivergedEvent) -> str:
        lrs = set(self._lrs_before(event))
        if len(lrs) == 1 and np.isfinite(lr := lrs.pop()):
            return tr("Go back and use LR {lr}", lr=lr_text(lr * FACTOR, 3))
        return tr("Go back and use LR ×{factor}", factor=lr_text(FACTOR))

    def _lrs_before(self, event: DivergedEvent) -> list[float]:
        """The LR of each group in the last good state, which is the one before what was applied at its position."""
        for intervention in self._model.interventions:
            if intervention.position == event.back:
                return intervention.lr_before
        return self._model.history.lrs_at(self._model.epochs_completed(event.back))

    def _position_text(self, event: DivergedEvent) -> str:
        epoch, batch = event.back.epoch, event.back.batch
        if batch:
            return tr("before batch {batch} of epoch {epoch}", batch=batch, epoch=epoch)
        return tr("the end of epoch {epoch}", epoch=epoch - 1) if epoch > 1 else tr("the start")

    def _batches_since(self, event: DivergedEvent) -> int:
        epoch, batch = event.back.epoch, event.back.batch
        return (event.epoch - epoch) * self._model.batches_per_epoch + event.batch - batch

    def _go_back(self, event: DivergedEvent, lower: bool) -> None:
        epoch, batch = event.back.epoch, event.back.batch
        number = self._current_run.post(Rewind(epoch=epoch - 1, batch=batch or None))
        self._lower[number] = lower  # the LR follows once the run has gone back

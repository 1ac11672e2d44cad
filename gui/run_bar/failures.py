"""Failures, wherever they happen: shown in the banner, with a report to copy and what can be done."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Signal

from engine.diagnostics.failure_report import FailureReporter
from engine.messages.events import EndEvent, EpochEvent, Event, StepsEvent
from engine.recipe.recipe import Recipe
from gui.core.current_run import CurrentRun
from gui.core.run_text import sentence
from gui.core.translation import said, tr
from gui.run_bar.banner import Banner, BannerAction


class FailuresController(QObject):
    """Shows why runs failed, also for lack of memory, and exceptions that nothing caught.

    Signals:
        begin_wanted(Recipe): set this up and begin.
        set_up_wanted(Recipe): set this up, for the person to begin.
        download_wanted(): begin the same again, and download what is missing.
    """

    begin_wanted = Signal(object)
    set_up_wanted = Signal(object)
    download_wanted = Signal()

    def __init__(self, banner: Banner, current_run: CurrentRun) -> None:
        super().__init__(banner)
        self._banner, self._current_run, self._model = banner, current_run, current_run.model
        self._reporter = FailureReporter()
        self._trained = False  # since the thread was started
        self._ended = True
        self._failed = False
        self._uncaught = ""
        current_run.listen(self._on_event)
        current_run.gone.connect(self._on_gone)

    def report_uncaught(self, text: str, details: str) -> None:
        """Show an exception that nothing caught, with a report; the same one again changes nothing."""
        again = details == self._uncaught
        if again and self._banner.subject() == "failure":
            return  # keep what the user is reading or copying
        self._uncaught = details
        what = tr("Something went wrong in the window: {error}", error=text)
        self._banner.show_failure(what, self._reporter.report(what, details, self._job_recipe()))

    # -- the run

    def _on_event(self, event: Event) -> None:
        if self._ended:
            self._ended, self._trained = False, False
            self._reporter.clear()
        self._reporter.record(event)
        if isinstance(event, (StepsEvent, EpochEvent)):
            self._trained = True
        elif isinstance(event, EndEvent):
            self._ended, self._failed = True, event.reason == "failed"
            if self._failed and event.not_allowed is None:  # otherwise the user is asked about the file
                self._show_failure(event)

    def _show_failure(self, event: EndEvent) -> None:
        text = said(event.text or tr("The run failed."))
        text = tr("{field}: {text}", field=event.field, text=text) if event.field else text
        hint, choices = "", []
        if event.checkpoint and self._model.end is event:
            choices.append(self._banner.continue_action())
        if event.missing is not None:
            text, choices = said(event.missing), [self._download()]
        elif event.out_of_memory == "batch":
            text = sentence(text)
            hint, smaller = self._smaller_batches()
            choices = [*smaller, *choices] if self._trained else smaller
        elif event.out_of_memory is not None:
            text = sentence(text)
            hint = tr("Close other programs that use memory, or choose a smaller network or another device.")
        report = self._reporter.report(text, event.details, self._job_recipe()) if event.details else None
        self._banner.show_failure(text, report, hint=hint, choices=choices)

    def _download(self) -> BannerAction:
        tip = tr("Download what is missing, then begin")
        return BannerAction(tr("Download"), tip, self.download_wanted.emit, primary=True)

    def _smaller_batches(self) -> tuple[str, list[BannerAction]]:
        """A hint for batches that need too much memory, and the choice of smaller ones if there can be any."""
        recipe = self._recipe()
        if recipe is None or recipe.data.batch_size < 2:
            return tr("Choose a smaller network, or another device."), []
        half = recipe.data.batch_size // 2
        smaller = recipe.model_copy(update={"data": recipe.data.model_copy(update={"batch_size": half})})
        if self._trained:
            hint = tr("A run that is continued keeps its batch size; a new run can have a smaller one.")
            text = tr("Duplicate as new with batches of {n}", n=half)
            tip = tr("A new recipe that differs only in the batch size, to look at and to start")
            return hint, [BannerAction(text, tip, lambda: self.set_up_wanted.emit(smaller), primary=True)]
        text = tr("Start with batches of {n}", n=half)
        tip = tr("Start the same recipe again with half the batch size")
        return "", [BannerAction(text, tip, lambda: self.begin_wanted.emit(smaller), primary=True)]

    def _recipe(self) -> Recipe | None:
        """The recipe of the run that failed, or that it was to have; None if it could not be read."""
        return self._model.recipe if self._reporter.start is not None else self._job_recipe()

    def _job_recipe(self) -> Recipe | None:
        """The recipe of the newest job; None if that was to continue a checkpoint."""
        job = self._current_run.job
        return job.recipe if job is not None else None

    def _on_gone(self) -> None:
        if self._failed:  # frees what the traceback, or the user's network, still holds
            self._failed = False
            gc.collect()

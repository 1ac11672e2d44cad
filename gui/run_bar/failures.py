"""What went wrong, wherever it did: said in the banner, with a report to copy and what can be done about it."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Signal

from engine.diagnostics.failure_report import FailureReporter
from engine.messages.events import EndEvent, EpochEvent, Event, StepsEvent
from engine.recipe.recipe import Recipe
from gui.core.current_run import CurrentRun
from gui.core.run_text import sentence
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.run_bar.banner import Choice


class FailuresController(QObject):
    """Tells of runs that failed, of memory that ran out, and of what nothing caught.

    Signals:
        begin_wanted(Recipe): set this up and begin.
        set_up_wanted(Recipe): set this up, for the person to begin.
    """

    begin_wanted = Signal(object)
    set_up_wanted = Signal(object)

    def __init__(self, window: MainWindow, runs: CurrentRun, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window, self._runs = window, runs
        self._reporter = FailureReporter()
        self._trained = False
        self._over = True
        self._failed = False
        self._uncaught = ""
        runs.listen(self._happened)
        runs.gone.connect(self._gone)

    def report_uncaught(self, text: str, details: str) -> None:
        """Something that nothing caught: said with a report; the same once more changes nothing."""
        banner, again = self._window.banner, details == self._uncaught
        if again and banner.subject() == "failure":
            return  # what is being read, or copied, stays as it is
        self._uncaught = details
        what = tr("Something went wrong in the window: {error}", error=text)
        banner.show_failure(what, self._reporter.report(what, details, self._recipe_asked()))

    # -- the run

    def _happened(self, event: Event) -> None:
        if self._over:
            self._over, self._trained = False, False
            self._reporter.clear()
        self._reporter.record(event)
        if isinstance(event, (StepsEvent, EpochEvent)):
            self._trained = True
        elif isinstance(event, EndEvent):
            self._over, self._failed = True, event.reason == "failed"
            if self._failed:
                self._tell_failure(event)

    def _tell_failure(self, event: EndEvent) -> None:
        text = said(event.text or tr("The run failed."))
        text = tr("{field}: {text}", field=event.field, text=text) if event.field else text
        hint, choices = "", []
        if event.checkpoint and self._reporter.start is not None:
            choices.append(self._window.banner.go_on())
        if event.out_of_memory == "batch":
            text = sentence(text)
            hint, smaller = self._smaller()
            choices = [*smaller, *choices] if self._trained else smaller
        elif event.out_of_memory is not None:
            text = sentence(text)
            hint = tr("Close what else takes memory, or choose a smaller network or another device.")
        report = self._reporter.report(text, event.details, self._recipe_asked()) if event.details else None
        self._window.banner.show_failure(text, report, hint=hint, choices=choices)

    def _smaller(self) -> tuple[str, list[Choice]]:
        """What to do about a batch that is too large: a word about it, and the choice where there is one."""
        recipe = self._recipe_of_run()
        if recipe is None or recipe.data.batch_size < 2:
            return tr("Choose a smaller network, or another device."), []
        half = recipe.data.batch_size // 2
        smaller = recipe.model_copy(update={"data": recipe.data.model_copy(update={"batch_size": half})})
        if self._trained:
            hint = tr("A run that goes on keeps its batch size. A new one can have a smaller one.")
            text = tr("Duplicate as new with batches of {n}", n=half)
            tip = tr("A new recipe like this run's, but for the batch size, to look at and to start")
            return hint, [Choice(text, tip, lambda: self.set_up_wanted.emit(smaller), primary=True)]
        text = tr("Start with batches of {n}", n=half)
        tip = tr("Begin the same recipe anew with half the batch size")
        return "", [Choice(text, tip, lambda: self.begin_wanted.emit(smaller), primary=True)]

    def _recipe_of_run(self) -> Recipe | None:
        start = self._reporter.start
        return start.recipe if start is not None else self._recipe_asked()

    def _recipe_asked(self) -> Recipe | None:
        """The recipe of the job that was begun last; None where it was a checkpoint's."""
        job = self._runs.job
        return job.recipe if job is not None else None

    def _gone(self) -> None:
        if self._failed:  # what a traceback or a network of the person's own still tied together
            self._failed = False
            gc.collect()

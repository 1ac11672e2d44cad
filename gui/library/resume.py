"""Resuming runs from their checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from engine.training.job import Job, check_file, from_checkpoint, of_file
from gui.core.current_run import CurrentRun
from gui.core.run_text import sentence
from gui.core.task_runner import Failure, TaskRunner
from gui.core.translation import said, tr
from gui.run_bar.banner import Banner
from gui.setup.controller import SetupController


class ResumeController(QObject):
    """Resumes the run that is shown, or the run of a checkpoint file. Files are read in the background."""

    def __init__(
        self,
        banner: Banner,
        runs: CurrentRun,
        setup_controller: SetupController,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._banner, self._runs = banner, runs
        self._setup_controller, self._tasks = setup_controller, tasks
        banner.more_epochs_wanted.connect(self._more_epochs)
        banner.continue_wanted.connect(self._go_on)

    def from_file(self, file: Path, begin: bool, question: str, *, ask: bool = True) -> None:
        """Resume from the checkpoint ``file``; ``begin`` starts training at once. ``question`` is asked while a run
        trains. A file that is no checkpoint leaves the run as it is. ``ask``: as in ``SetupController.begin``.
        """
        library = self._runs.library

        def resume(_: None) -> None:
            self._setup_controller.when_free(lambda: self._ask(lambda: of_file(file, library), found), question)

        def found(job: Job) -> None:
            if not self._runs.active:
                self._setup_controller.begin(replace(job, begin=begin, on_divergence="pause"), ask=ask)

        self._tasks.submit(lambda _: check_file(file, library), resume, self._not_opened, key="resume")

    def _more_epochs(self, more: int) -> None:
        end = self._runs.model.end
        if end is not None:
            self._shown_run(end.epoch + more)

    def _go_on(self) -> None:
        self._shown_run(None)

    def _shown_run(self, epochs: int | None) -> None:
        """Continue the run that is shown where it ended, with its commands that are still pending."""
        start, checkpoint, library = self._runs.model.start, self._runs.model.checkpoint, self._runs.library
        if start is None or checkpoint is None or self._runs.active:
            return

        def found(job: Job) -> None:
            if self._runs.model.start is start and not self._runs.active:
                self._setup_controller.begin(replace(job, epochs=epochs, on_divergence="pause"))

        self._ask(lambda: from_checkpoint(checkpoint, start.run, start.name, library), found)

    def _ask(self, work: Callable[[], Job], found: Callable[[Job], None]) -> None:
        self._tasks.submit(lambda _: work(), found, self._not_found, key="resume")

    def _not_opened(self, failure: Failure) -> None:
        if failure.field is not None:  # the file is at fault, not the library
            self._banner.show_failure(sentence(failure.problem))
        else:
            self._not_found(failure)

    def _not_found(self, failure: Failure) -> None:
        text = tr("The library cannot be read: {problem}", problem=said(failure.problem))
        self._banner.show_failure(text, failure.details or "")

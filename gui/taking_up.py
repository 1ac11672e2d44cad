"""Runs that are taken up from their snapshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from engine.job import Job, from_snapshot, of_file
from engine.qthread import Failure
from gui.asking import Asking
from gui.reception import Reception
from gui.runs import Runs
from gui.session import Session
from gui.window import Window
from gui.words import said, tr

_KEY = "take up"


class TakingUp(QObject):
    """Goes on from a snapshot: the shown run's or a file's. What the library knows of it is asked beside the window."""

    def __init__(
        self,
        window: Window,
        session: Session,
        runs: Runs,
        reception: Reception,
        asking: Asking,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._session, self._runs = window, session, runs
        self._reception, self._asking = reception, asking
        window.banner.more_epochs_wanted.connect(self._more_epochs)
        window.banner.continue_wanted.connect(self._go_on)

    def from_file(self, file: Path, begin: bool, question: str) -> None:
        """Go on from a snapshot's ``file``, at once with ``begin``; ``question`` is asked where a run trains."""
        library = self._runs.library

        def found(job: Job) -> None:
            job = replace(job, begin=begin, on_divergence="pause")
            self._reception.when_free(lambda: self._reception.begin(job), question)

        self._ask(lambda: of_file(file, library), found)

    def _more_epochs(self, more: int) -> None:
        end = self._session.end
        if end is not None:
            self._shown_run(end.epoch + more)

    def _go_on(self) -> None:
        self._shown_run(None)

    def _shown_run(self, epochs: int | None) -> None:
        """Take up the run that is shown where it ended, with the lines of its hand that still wait."""
        start, snapshot, library = self._session.start, self._session.snapshot, self._runs.library
        if start is None or snapshot is None or self._runs.active:
            return

        def found(job: Job) -> None:
            if self._session.start is start and not self._runs.active:
                self._reception.begin(replace(job, epochs=epochs, on_divergence="pause"))

        self._ask(lambda: from_snapshot(snapshot, start.run, start.name, library), found)

    def _ask(self, work: Callable[[], Job], found: Callable[[Job], None]) -> None:
        self._asking.ask(lambda _: work(), found, self._not_found, key=_KEY)

    def _not_found(self, failure: Failure) -> None:
        text = tr("The library cannot be read: {problem}", problem=said(failure.problem))
        self._window.banner.show_failure(text, failure.details or "")

"""After a crash: the run that was training is offered once, at the next start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.diagnostics.crash_log import written_since
from engine.library import Library
from gui.core.current_run import CurrentRun
from gui.core.settings import Settings
from gui.core.task_runner import TaskRunner
from gui.core.translation import tr
from gui.run_bar.banner import Banner, BannerAction


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """A run whose process ended while it trained; ``log`` is the crash log of that process, if there is one."""

    run: str
    name: str
    epoch: int
    epochs: int
    path: Path
    log: Path | None


class InterruptedRuns(QObject):
    """Looks for an interrupted run when the window opens, and offers to continue it.

    Signals:
        continue_wanted(str): resume from this checkpoint.
    """

    continue_wanted = Signal(str)

    def __init__(
        self, banner: Banner, runs: CurrentRun, tasks: TaskRunner, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._banner, self._runs, self._tasks, self._settings = banner, runs, tasks, settings

    def look(self) -> None:
        """Look for an interrupted run, and offer it unless it was offered before."""
        library, offered = self._runs.library, self._settings.offered
        if library is not None:
            self._tasks.submit(lambda _: newest_interrupted(library, offered), self._offer, lambda _: None)

    def _offer(self, found: Interrupted | None) -> None:
        if found is None or self._runs.active:
            return
        self._settings.offered = found.run
        text = tr(
            "Tiller ended unexpectedly in the middle of {name}, epoch {epoch} of {epochs}. Continue?",
            name=found.name,
            epoch=found.epoch,
            epochs=found.epochs,
        )
        hint = tr("Details are in {path}.", path=found.log) if found.log is not None else ""
        go_on = BannerAction(
            tr("Continue"),
            tr("Resume from the newest checkpoint, exactly as it would have continued."),
            lambda: self.continue_wanted.emit(str(found.path)),
            primary=True,
        )
        later = BannerAction(
            tr("Not now"), tr("The run stays in the library and can be continued later."), lambda: None
        )
        self._banner.show_offer(text, hint, [go_on, later])


def newest_interrupted(library: Library, offered: str) -> Interrupted | None:
    """The newest run of ``library``, if it was interrupted and was not ``offered`` already."""
    rows = library.runs()
    row = max(rows, key=lambda r: r.updated, default=None)
    if row is None or row.state != "interrupted" or row.id == offered:
        return None
    path = library.newest_checkpoint(row.id)
    if path is None:
        return None
    return Interrupted(
        run=row.id,
        name=row.name,
        epoch=min(row.epochs_done + 1, row.epochs),
        epochs=row.epochs,
        path=path,
        log=written_since(library.root, row.updated),
    )

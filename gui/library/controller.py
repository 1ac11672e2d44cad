"""The panel of runs: the library is read in the background, and the person's actions are applied to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from engine.common.position import Position
from engine.library import Library, Overview, overviews, size_text
from engine.messages.events import BranchEvent, EndEvent, EpochEvent, Event, SavedEvent, StartEvent, StateEvent
from engine.training.job import Job, to_open
from gui.core.current_run import CurrentRun
from gui.core.run_text import sentence
from gui.core.settings import Settings
from gui.core.task_runner import Failure, TaskRunner
from gui.core.translation import said, tr
from gui.library.files import show_folder
from gui.log.rewind import RewindController
from gui.run_bar.action_line import ActionLine
from gui.run_bar.banner import Banner
from gui.setup.controller import SetupController

if TYPE_CHECKING:
    from gui.library.maintenance import MaintenanceController
    from gui.library.panel import RunsPanel

T = TypeVar("T")
SETTLE_MS: Final = 400
TRAINING_MS: Final = 2000
"""While training the table is refreshed less often, because painting slows training down."""
LOOK_MS: Final = 4000
"""How often the open panel looks for changes by other windows or programs."""
_SHOWN: Final = (StartEvent, StateEvent, EpochEvent, SavedEvent, BranchEvent, EndEvent)


@dataclass(frozen=True)
class LibraryView:
    """What the library has.

    ``runs`` are those in the recycle bin or those outside it, ``names`` the names of all runs by id, ``binned`` the
    number of runs in the bin, ``bytes`` the size of all checkpoints.
    """

    in_bin: bool
    runs: list[Overview]
    names: dict[str, str]
    binned: int
    bytes: int


def look(library: Library, in_bin: bool) -> LibraryView:
    """Read what ``library`` has."""
    rows, binned = library.runs(), library.runs(deleted=True)
    names = {row.id: row.name or row.id for row in (*rows, *binned)}
    return LibraryView(in_bin, overviews(library, deleted=in_bin), names, len(binned), library.disk_use())


class LibraryController(QObject):
    """The panel of runs, which is created when it is first opened; until then the library is not read.

    Args:
        window: the parent of dialogs.
        compare: called with the ids of runs to compare.
        show_runs: the action that shows and hides the panel.
        settings_action: the action that opens the library settings.
        add_drawer: puts the panel into the window.
        show_name: called with the new name of the run in the window.

    Signals:
        undoable(object): what undoes the newest action on runs, as a callable; None if it cannot be undone.
    """

    undoable = Signal(object)

    def __init__(
        self,
        window: QWidget,
        runs: CurrentRun,
        setup_controller: SetupController,
        going_back: RewindController,
        tasks: TaskRunner,
        settings: Settings,
        compare: Callable[[list[str]], None],
        *,
        banner: Banner,
        action_line: ActionLine,
        show_runs: QAction,
        settings_action: QAction,
        add_drawer: Callable[[QWidget], None],
        show_name: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._banner, self._action_line, self._settings_action = banner, action_line, settings_action
        self._add_drawer, self._show_name = add_drawer, show_name
        self._window, self._runs, self._setup_controller, self._rewind = window, runs, setup_controller, going_back
        self._tasks, self._settings, self._compare = tasks, settings, compare
        self._own, self._trains = "", False
        self.panel: RunsPanel | None = None
        self.maintenance: MaintenanceController | None = None
        self._settle, self._look = QTimer(self), QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.look)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self.look)
        if runs.library is None:
            show_runs.setEnabled(False)
            show_runs.setToolTip(tr("There is no library, so runs are not kept."))
        show_runs.toggled.connect(self._toggled)
        runs.listen(self._happened, *_SHOWN)
        runs.gone.connect(self.refresh_soon)

    # -- what the library has

    def _toggled(self, shown: bool) -> None:
        if shown and self.panel is None and self._runs.library is not None:
            self._make(self._runs.library)
        if self.panel is not None:
            self.panel.setVisible(shown)
        if shown:
            self.look()
            self._look.start()
        else:
            self._look.stop()

    def look(self) -> None:
        """Read the library and show it."""
        library, panel = self._runs.library, self.panel
        if library is not None and panel is not None and panel.isVisible():
            in_bin = panel.shows_bin
            self._tasks.submit(lambda _: look(library, in_bin), self._show, self._not_read, key="library view")

    def _show(self, found: LibraryView) -> None:
        panel, library = self.panel, self._runs.library
        if panel is None or library is None:
            return
        panel.show_own(self._own, self._runs.active)
        panel.show_runs(found.runs, found.names, found.binned, found.in_bin)
        limit, use = library.retention.limit_bytes, size_text(found.bytes)
        count = len(found.names) - found.binned
        runs = tr("1 run") if count == 1 else tr("{n} runs", n=count)
        if limit is None:
            panel.show_use(tr("{runs}, {size}", runs=runs, size=use), problem=False)
        elif found.bytes <= limit:
            text = tr("{runs}, {size} of {limit}", runs=runs, size=use, limit=size_text(limit))
            panel.show_use(text, problem=False)
        else:
            text = tr(
                "{size}, more than {limit}: delete runs and empty the recycle bin", size=use, limit=size_text(limit)
            )
            panel.show_use(text, problem=True)

    def _not_read(self, failure: Failure) -> None:
        self._show_note(tr("The library cannot be read: {problem}", problem=said(failure.problem)), error=True)

    def refresh_soon(self) -> None:
        """Read the library again after a short delay, if the panel is open."""
        if self.panel is not None and self.panel.isVisible() and not self._settle.isActive():
            self._settle.start(TRAINING_MS if self._trains else SETTLE_MS)

    def _happened(self, event: Event) -> None:
        if isinstance(event, (StartEvent, BranchEvent)):
            self._own = event.run
        if isinstance(event, StateEvent):
            self._trains = event.state == "training"
        self.refresh_soon()

    # -- what is done with runs

    def open(self, run: str) -> None:
        """Load ``run`` where it stopped, unless another process has it open."""
        self._resume(run, None)

    def continue_run(self, run: str) -> None:
        """Load ``run`` where it stopped, unless another process has it open, and go on training at once."""
        self._resume(run, None, begin=True)

    def _do(self, work: Callable[[], T], done: Callable[[T], None], not_done: str = "") -> None:
        """Run ``work`` in the background, then read the library again. Closing the window waits for it.

        ``not_done`` begins the message if it fails, such as "Not deleted".
        """

        def show(result: T) -> None:
            done(result)
            self.look()

        def failed(failure: Failure) -> None:
            problem = sentence(failure.problem)
            self._show_note(
                tr("{what}: {problem}", what=not_done, problem=problem) if not_done else problem, error=True
            )
            self.look()

        self._tasks.submit(lambda _: work(), show, failed, must_finish=True)

    def _resume(self, run: str, back_to: Position | None, begin: bool = False) -> None:
        library = self._library
        if run == self._own and self._runs.active:
            self._show_note(tr("This run is shown in this window already."))
            return

        def found(job: Job) -> None:
            question = tr("Stop and save the run, then return to {name}? It can be continued later.", name=job.name)
            job = replace(job, back_to=back_to, begin=begin)
            self._setup_controller.when_free(lambda: self._setup_controller.begin(job), question)

        self._do(lambda: to_open(run, library), found, tr("Not opened"))

    def _ask_where(self, run: Overview) -> None:
        """Ask which end of an epoch of ``run`` to go back to."""
        library = self._library

        def offer(ends: list[tuple[str, int]]) -> None:
            from gui.log.epochs_dialog import EpochsDialog

            dialog = EpochsDialog(run.row.name or run.row.id, ends, self._window)
            dialog.chosen.connect(lambda epoch: self._back(run.row.id, epoch))
            dialog.open()

        def ends() -> list[tuple[str, int]]:
            from gui.log.epochs_dialog import ends_of

            checkpoints = library.checkpoints(run.row.id)
            position = checkpoints[-1].position if checkpoints and not run.row.live else None
            return ends_of(library.history(run.row.id), position)

        self._do(ends, offer, tr("Could not go back"))

    def _back(self, run: str, epoch: int) -> None:
        if run == self._own and self._runs.active:
            self._rewind.to_end_of(epoch)
        else:
            self._resume(run, Position(epoch=epoch + 1))

    def _delete(self, runs: Sequence[Overview]) -> None:
        library, ids = self._library, [run.row.id for run in runs]

        def work() -> int:
            for run in ids:
                library.delete(run)
            return len(ids)

        def deleted(count: int) -> None:
            name = runs[0].row.name or runs[0].row.id
            text = tr("Deleted “{name}”.", name=name) if count == 1 else tr("Deleted {n} runs.", n=count)
            self._show_note(text, undo=lambda: self._restore(ids))

        self._do(work, deleted, tr("Not deleted"))

    def _restore(self, ids: list[str]) -> None:
        library = self._library

        def work() -> int:
            for run in ids:
                library.restore(run)
            return len(ids)

        self._do(work, lambda n: self._show_note(tr("Restored.") if n == 1 else tr("Restored {n} runs.", n=n)))

    def _typed(self, run: str, column: int, text: str) -> None:
        from gui.library.run_list import NAME, NOTE, tags_of

        library, problems = self._library, list[str]()
        values: dict[str, Any] = {"tags": tags_of(text)}
        if column in (NAME, NOTE):
            values = {"name" if column == NAME else "notes": text}

        def work() -> list[str]:
            library.update(run, problems.append, **values)
            library.flush()
            return problems

        def saved(problems: list[str]) -> None:
            if problems:
                self._show_note(said(problems[0]), error=True)
            elif column == NAME and run == self._own:
                self._show_name(text)

        self._do(work, saved)

    def _reveal(self, run: Overview) -> None:
        folder = self._library.root / "checkpoints" / run.row.id
        show_folder(folder if folder.is_dir() else self._library.root)

    # -- help

    @property
    def _library(self) -> Library:
        library = self._runs.library
        assert library is not None
        return library

    def _show_note(self, text: str, error: bool = False, undo: Callable[[], None] | None = None) -> None:
        if self.panel is not None and self.panel.isVisible():
            self.panel.show_note(text, error=error, undo=undo)
            self.undoable.emit(self.panel.take_back if undo is not None else None)
        elif error:
            self._banner.show_failure(text)
        else:
            self._action_line.show_text(text)

    def _make(self, library: Library) -> None:
        from gui.library.maintenance import MaintenanceController
        from gui.library.panel import RunsPanel

        panel = self.panel = RunsPanel()
        actions, chosen = panel.run_actions, panel.chosen
        self._add_drawer(panel)
        panel.bin_wanted.connect(self.look)
        panel.model.typed.connect(self._typed)
        actions.open.triggered.connect(lambda: self.open(chosen()[0].row.id))
        actions.compare.triggered.connect(lambda: self._compare([run.row.id for run in chosen()]))
        actions.go_back.triggered.connect(lambda: self._ask_where(chosen()[0]))
        actions.delete.triggered.connect(lambda: self._delete(chosen()))
        actions.restore.triggered.connect(lambda: self._restore([run.row.id for run in chosen()]))
        actions.reveal.triggered.connect(lambda: self._reveal(chosen()[0]))
        self.maintenance = MaintenanceController(
            self._window, self._banner, library, panel, self._tasks, self._do, self._show_note, self._settings
        )
        actions.settings.triggered.connect(self._settings_action.trigger)

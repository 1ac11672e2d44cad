"""The drawer of runs: what the library has, looked up beside the window, and what a person does with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer

from engine.commands import At
from engine.events import BranchEvent, EndEvent, EpochEvent, Event, SavedEvent, StartEvent, StateEvent
from engine.job import Job, to_open
from engine.library import Library, Overview, overviews, size_words
from engine.qthread import Failure
from gui.asking import Asking
from gui.errands import Errands, show_folder
from gui.going_back import GoingBack
from gui.reception import Reception
from gui.runs import Runs
from gui.settings import Settings
from gui.window import Window
from gui.words import said, tr

if TYPE_CHECKING:
    from gui.panels.runs_panel import RunsPanel
    from gui.upkeep import Upkeep

SETTLE_MS: Final = 400
TRAINING_MS: Final = 2000
"""While it trains the table is painted less often: painting holds the training up."""
LOOK_MS: Final = 4000
"""How often it is looked whether another window or program has changed something, while the drawer is open."""
_SHOWN: Final = (StartEvent, StateEvent, EpochEvent, SavedEvent, BranchEvent, EndEvent)


@dataclass(frozen=True)
class Shelved:
    """What the library has: ``runs`` in the bin or outside it, all runs' names, the bin's number, and bytes in all."""

    in_bin: bool
    runs: list[Overview]
    names: dict[str, str]
    binned: int
    bytes: int


def look(library: Library, in_bin: bool) -> Shelved:
    """Look up what ``library`` has."""
    rows, binned = library.runs(), library.runs(deleted=True)
    names = {row.id: row.name or row.id for row in (*rows, *binned)}
    return Shelved(in_bin, overviews(library, deleted=in_bin), names, len(binned), library.disk_use())


class Shelf(QObject):
    """Owns the drawer, which is made when it is first opened; until then it asks for nothing.

    ``compare`` is called with the ids of runs to compare.
    """

    def __init__(
        self,
        window: Window,
        runs: Runs,
        reception: Reception,
        going_back: GoingBack,
        asking: Asking,
        settings: Settings,
        compare: Callable[[list[str]], None],
    ) -> None:
        super().__init__(window)
        self._window, self._runs, self._reception, self._going_back = window, runs, reception, going_back
        self._asking, self._settings, self._compare = asking, settings, compare
        self._own, self._trains = "", False
        self.panel: RunsPanel | None = None
        self.upkeep: Upkeep | None = None
        self._errands = Errands(asking, self._say, self.look)
        self._settle, self._look = QTimer(self), QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.look)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self.look)
        if runs.library is None:
            window.show_runs.setEnabled(False)
            window.show_runs.setToolTip(tr("There is no library: runs are not kept."))
        window.show_runs.toggled.connect(self._toggled)
        window.renamed.connect(lambda _: self._changed())
        window.start_page.continue_requested.connect(self.open)
        runs.listen(self._happened, *_SHOWN)
        runs.gone.connect(self._changed)

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
        """Look up what there is now, and show it."""
        library, panel = self._runs.library, self.panel
        if library is not None and panel is not None and panel.isVisible():
            in_bin = panel.shows_bin
            self._asking.ask(lambda _: look(library, in_bin), self._show, self._not_read, key="shelf")

    def _show(self, found: Shelved) -> None:
        panel, library = self.panel, self._runs.library
        if panel is None or library is None:
            return
        panel.show_own(self._own, self._runs.active)
        panel.show_runs(found.runs, found.names, found.binned, found.in_bin)
        limit, use = library.keeping.limit_bytes, size_words(found.bytes)
        if limit is None:
            panel.show_use(tr("{n} runs, {size}", n=len(found.names), size=use), problem=False)
        elif found.bytes <= limit:
            text = tr("{n} runs, {size} of {limit}", n=len(found.names), size=use, limit=size_words(limit))
            panel.show_use(text, problem=False)
        else:
            text = tr("{size}, more than {limit}: delete runs and empty the bin", size=use, limit=size_words(limit))
            panel.show_use(text, problem=True)

    def _not_read(self, failure: Failure) -> None:
        self._errands.say(tr("The library cannot be read: {problem}", problem=said(failure.problem)), error=True)

    def _changed(self) -> None:
        if self.panel is not None and self.panel.isVisible() and not self._settle.isActive():
            self._settle.start(TRAINING_MS if self._trains else SETTLE_MS)

    def _happened(self, event: Event) -> None:
        if isinstance(event, (StartEvent, BranchEvent)):
            self._own = event.run
        if isinstance(event, StateEvent):
            self._trains = event.state == "training"
        self._changed()

    # -- what is done with runs

    def open(self, run: str) -> None:
        """Take ``run`` up where it was left, if nobody else is at it."""
        self._take_up(run, None)

    def _take_up(self, run: str, back_to: At | None) -> None:
        library = self._library
        if run == self._own and self._runs.active:
            self._errands.say(tr("This run is the one in the window."))
            return

        def begin(job: Job) -> None:
            question = tr("Stop and save the run, then return to {name}? It can be continued later.", name=job.name)
            self._reception.when_free(lambda: self._reception.begin(replace(job, back_to=back_to)), question)

        self._errands.do(lambda: to_open(run, library), begin, tr("Not opened"))

    def _ask_where(self, run: Overview) -> None:
        """Offer the ends of the epochs of ``run`` to go back to."""
        library = self._library

        def offer(ends: list[tuple[str, int]]) -> None:
            from gui.panels.epochs import EpochsDialog

            dialog = EpochsDialog(run.row.name or run.row.id, ends, self._window)
            dialog.chosen.connect(lambda epoch: self._back(run.row.id, epoch))
            dialog.open()

        def ends() -> list[tuple[str, int]]:
            from gui.panels.epochs import ends_of

            snapshots = library.snapshots(run.row.id)
            stands = (snapshots[-1].epoch, snapshots[-1].batch) if snapshots and not run.row.live else None
            return ends_of(library.history(run.row.id), stands)

        self._errands.do(ends, offer, tr("Not gone back"))

    def _back(self, run: str, epoch: int) -> None:
        if run == self._own and self._runs.active:
            self._going_back.to_end_of(epoch)
        else:
            self._take_up(run, At(epoch=epoch + 1))

    def _delete(self, runs: Sequence[Overview]) -> None:
        library, ids = self._library, [run.row.id for run in runs]

        def work() -> int:
            for run in ids:
                library.delete(run)
            return len(ids)

        def told(count: int) -> None:
            name = runs[0].row.name or runs[0].row.id
            text = tr("“{name}” is in the bin.", name=name) if count == 1 else tr("{n} runs are in the bin.", n=count)
            self._errands.say(text, undo=lambda: self._restore(ids))

        self._errands.do(work, told, tr("Not deleted"))

    def _restore(self, ids: list[str]) -> None:
        library = self._library

        def work() -> int:
            for run in ids:
                library.restore(run)
            return len(ids)

        self._errands.do(
            work, lambda n: self._errands.say(tr("Restored.") if n == 1 else tr("{n} runs are restored.", n=n))
        )

    def _typed(self, run: str, column: int, text: str) -> None:
        from gui.panels.run_list import NAME, NOTE, tags_of

        library, problems = self._library, list[str]()
        values: dict[str, Any] = {"tags": tags_of(text)}
        if column in (NAME, NOTE):
            values = {"name" if column == NAME else "notes": text}

        def work() -> list[str]:
            library.update(run, problems.append, **values)
            library.flush()
            return problems

        def told(wrong: list[str]) -> None:
            if wrong:
                self._errands.say(said(wrong[0]), error=True)
            elif column == NAME and run == self._own:
                self._window.show_name(text, self._window.name.placeholderText())

        self._errands.do(work, told)

    def _reveal(self, run: Overview) -> None:
        folder = self._library.root / "snapshots" / run.row.id
        show_folder(folder if folder.is_dir() else self._library.root)

    # -- help

    @property
    def _library(self) -> Library:
        library = self._runs.library
        assert library is not None
        return library

    def _say(self, text: str, error: bool = False, undo: Callable[[], None] | None = None) -> None:
        if self.panel is not None and self.panel.isVisible():
            self.panel.say(text, error=error, undo=undo)
        elif error:
            self._window.banner.show_failure(text)
        else:
            self._window.action_line.show_text(text)

    def _make(self, library: Library) -> None:
        from gui.panels.runs_panel import RunsPanel
        from gui.upkeep import Upkeep

        panel = self.panel = RunsPanel()
        acts, chosen = panel.acts, panel.chosen
        self._window.add_drawer(panel)
        panel.bin_wanted.connect(self.look)
        panel.model.typed.connect(self._typed)
        acts.open.triggered.connect(lambda: self.open(chosen()[0].row.id))
        acts.compare.triggered.connect(lambda: self._compare([run.row.id for run in chosen()]))
        acts.go_back.triggered.connect(lambda: self._ask_where(chosen()[0]))
        acts.delete.triggered.connect(lambda: self._delete(chosen()))
        acts.restore.triggered.connect(lambda: self._restore([run.row.id for run in chosen()]))
        acts.reveal.triggered.connect(lambda: self._reveal(chosen()[0]))
        self.upkeep = Upkeep(self._window, library, panel, self._asking, self._errands, self._settings)
        acts.settings.triggered.connect(self._window.library_settings.trigger)

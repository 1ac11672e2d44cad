"""Composition root: makes the parts, wires them, runs Qt's loop. Nothing else."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from engine.crash_log import crash_log
from engine.library import Library, default_root
from engine.qthread import Worker
from engine.recipe import Recipe
from engine.spec import SpecError
from gui import translations
from gui.advisor import Advisor
from gui.aftermath import Aftermath
from gui.asking import Asking
from gui.candidates import Candidates
from gui.chores import Chores
from gui.comparison import Comparison
from gui.export import Export
from gui.files import Files
from gui.finding import Finding
from gui.frames import FrameClock
from gui.garbage import GarbageTimer
from gui.going_back import GoingBack
from gui.help import Help
from gui.keeping import KeepingChoice
from gui.last_resort import LastResort
from gui.memory import recall, remember
from gui.mishaps import Mishaps
from gui.preview import Preview
from gui.reception import Reception
from gui.recovery import Recovery
from gui.runs import Runs
from gui.salvage import Salvage
from gui.session import Session
from gui.settings import Settings
from gui.shelf import Shelf
from gui.signals import UnixSignals
from gui.sketch import Sketch
from gui.steering import Steering
from gui.story import Story
from gui.taking_up import TakingUp
from gui.theme import Theme
from gui.undo import Undo
from gui.waiting import Waiting
from gui.window import Window
from gui.words import said, tr


class App:
    """Everything that the window is made of, alive as long as it."""

    def __init__(self, application: QApplication, library: str | None, settings: Settings | None = None) -> None:
        self.application = application
        self.settings = settings or Settings()
        self.theme = Theme(application)
        self.theme.set_mode(self.settings.theme)
        self.theme.prepare(application)
        self.window = Window()
        self.theme.apply(application)
        problem = None
        try:
            self.library: Library | None = Library(library or default_root())
        except SpecError as error:
            self.library, problem = None, error
        self.curves, self.errands, self.downloads = Worker(), Worker(), Worker()
        self.clock = FrameClock(window=self.window)
        self.runs = Runs(self.library, self.clock)
        self.preview = Preview(self.window, self.curves, self.window)
        self.chores = Chores(self.window, self.errands, self.downloads, self.window)
        self.story = Story(self.window)
        self.session = Session(self.window, self.runs, self.preview, self.story, self.clock)
        self.reception = Reception(self.window, self.session, self.runs, self.preview, self.chores, self.settings)
        self.asking = Asking(self.window)
        self.taking_up = TakingUp(self.window, self.session, self.runs, self.reception, self.asking)
        self.files = Files(self.window, self.session, self.runs, self.reception, self.settings, self.taking_up)
        self.help = Help(self.window)
        self.sketch = Sketch(self.window, self.runs, self.session.change, self.curves, self.window)
        self.candidates = Candidates(self.window, self.preview, self.session.change, self.curves, self.window)
        self.steering = Steering(self.window, self.runs, self.clock)
        self.waiting = Waiting(self.window, self.runs)
        self.recovery = Recovery(self.window, self.runs)
        self.mishaps = Mishaps(self.window, self.runs)
        self.salvage = Salvage(self.window, self.runs, self.errands, self.settings)
        window, session = self.window, self.session
        self.finding = Finding(window, self.runs, self.errands, lambda: session.start is not None)
        self.advisor = Advisor(
            window, self.runs, window.advice, lambda: session.start is not None, window.schedule.stage, window
        )
        self.aftermath = Aftermath(window, self.runs, self.story)
        self.export = Export(window, self.runs, self.errands, self.settings, lambda: session.start is not None)
        self.going_back = GoingBack(window, self.runs, lambda: session.progress.position, lambda: session.state)
        self.comparison = Comparison(window, self.runs, self.asking)
        self.keeping = KeepingChoice(window, self.library, self.settings)
        self.shelf = Shelf(
            window,
            self.runs,
            self.reception,
            self.going_back,
            self.asking,
            self.settings,
            self.comparison.compare,
        )
        self.undo = Undo(window, self.runs, self.preview, self.going_back, self.shelf.open)
        self.garbage = GarbageTimer()
        self._wire()
        recall(self.window, self.settings)
        self.reception.set_up(self.settings.last_recipe)
        for remark in self.library.remarks if self.library is not None else ():
            self.window.banner.show_failure(tr("{what}.", what=said(remark)[:1].upper() + said(remark)[1:]))
        if problem is not None:
            self.window.banner.show_failure(tr("{problem} The run is not kept.", problem=said(problem)))

    def show(self) -> None:
        """Show the window; what is slow begins after its first painting."""
        self.clock.start()
        self.window.show()

    def close(self) -> None:
        """End what is still alive; nothing trains any more."""
        remember(self.window, self.settings)
        self.window.leave()
        self.clock.stop()
        for worker in (self.curves, self.errands, self.downloads):  # an import of PyTorch under way cannot be cut short
            worker.stop()
        self.asking.stop()
        if self.library is not None:
            self.library.close()
        self.garbage.stop()

    def _wire(self) -> None:
        window = self.window
        window.first_painted.connect(self._begin)
        self.chores.torch_loaded.connect(self.garbage.freeze)
        self.theme.changed.connect(window.plots.apply_theme)
        self.theme.changed.connect(self.steering.show_colours)
        self.theme.changed.connect(self.candidates.show_colours)
        window.plots.apply_theme(self.theme.colors)
        self.steering.show_colours(self.theme.colors)
        for action in window.themes.actions():
            action.setChecked(action.data() == self.settings.theme)
            action.triggered.connect(lambda _=False, a=action: self._choose_theme(a.data()))
        self.help.example_wanted.connect(self.reception.set_up_instead)
        self.mishaps.set_up_wanted.connect(self.reception.set_up_instead)
        self.mishaps.begin_wanted.connect(self._begin_anew)
        self.salvage.continue_wanted.connect(lambda path: self.files.open_path(path, begin=True))
        window.find_rate.triggered.connect(self.finding.open)
        window.hand.finder_wanted.connect(self.finding.open)
        self.curves.answered.connect(self.advisor.show_curve)
        self.advisor.recipe_wanted.connect(self.reception.amend)
        self.finding.recipe_wanted.connect(self.reception.amend)
        self.finding.found.connect(self.advisor.take_finding)

    def _begin(self) -> None:
        for worker in (self.curves, self.errands, self.downloads):
            worker.start()
        self.salvage.look()
        self.chores.load_torch()

    def _begin_anew(self, recipe: Recipe) -> None:
        """Begin ``recipe`` in place of a run that failed, whose thread may still be on its way out."""

        def act() -> None:
            self.reception.set_up(recipe)
            self.reception.start()

        self.reception.when_free(act, "")

    def _choose_theme(self, mode: str) -> None:
        self.theme.set_mode(mode)  # type: ignore[arg-type]
        self.settings.theme = self.theme.mode


def run(what: str | None, *, start: bool, events: bool, library: str | None) -> int:
    """Open the window, on ``what`` if it is given; returns the exit status when it is closed.

    Args:
        what: a recipe or a snapshot to open.
        start: begin training at once.
        events: print the events as the headless face does.
        library: the run library's folder, or None for the usual one.
    """
    from engine import display

    problem = display.problem(os.environ)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    application = QApplication(sys.argv[:1])
    application.setApplicationName("tiller")
    application.setApplicationDisplayName("Tiller")
    translations.install(application, QLocale.system())
    with crash_log(Path(library) if library else default_root()) as log, closing(LastResort(log)) as last_resort:
        app = App(application, library)
        last_resort.uncaught.connect(app.mishaps.tell_uncaught)
        app.reception.left.connect(application.exit)  # quit would ask the window again
        signals = UnixSignals()
        signals.asked_to_leave.connect(lambda: app.reception.leave(ask=False))
        printer = None
        if events:
            from engine.printing import LinePrinter

            printer = LinePrinter(sys.stdout)
            app.runs.happened.connect(printer)
        app.show()
        if what is not None:
            app.files.open_path(what, begin=start)
        elif start:
            app.reception.start()
        status = application.exec()
        app.close()
        signals.close()
        if printer is not None:
            printer.close()
    return status

"""Composition root: creates the parts, connects them, and runs Qt's event loop. Nothing else."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication

from engine.common.errors import SpecError
from engine.diagnostics.crash_log import crash_log
from engine.library import Library, default_library_root
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from gui.advice.controller import AdviceController
from gui.compare.controller import CompareController
from gui.core import language
from gui.core.allowed_code import AllowedCode
from gui.core.current_run import CurrentRun
from gui.core.exception_hook import ExceptionHook
from gui.core.frame_clock import FrameClock
from gui.core.gc_timer import GarbageTimer
from gui.core.session import Session
from gui.core.settings import Settings
from gui.core.task_runner import TaskRunner
from gui.core.translation import said, tr
from gui.core.unix_signals import UnixSignals
from gui.export.controller import ExportController
from gui.help.controller import HelpController
from gui.learning_rate.controller import LRController
from gui.learning_rate.range_test import RangeTestController
from gui.library.controller import LibraryController
from gui.library.files import FilesController
from gui.library.interrupted import InterruptedRuns
from gui.library.resume import ResumeController
from gui.library.retention import RetentionController
from gui.log.controller import LogController
from gui.log.effects import EffectsController
from gui.log.rewind import RewindController
from gui.log.undo import UndoController
from gui.main_window import MainWindow
from gui.plots.controller import PlotsController
from gui.run_bar.banner import BannerAction
from gui.run_bar.controller import RunController
from gui.run_bar.divergence import DivergenceController
from gui.run_bar.failures import FailuresController
from gui.run_bar.progress import ProgressController
from gui.run_bar.waiting import WaitingController
from gui.schedule.candidates import Candidates
from gui.schedule.drawing import DrawingController
from gui.schedule.pending_change import PendingChange
from gui.schedule.preview import Preview
from gui.setup.controller import Frame, Panels, SetupController
from gui.setup.lookups import Lookups
from gui.theme.theme import Theme


class App:
    """All parts of the window."""

    def __init__(self, application: QApplication, library: str | None, settings: Settings | None = None) -> None:
        self.application = application
        self.settings = settings or Settings()
        self.session = Session(self.settings.path.parent)
        self.theme = Theme(application)
        self.theme.set_mode(self.settings.theme)
        self.theme.prepare(application)
        self.window = MainWindow()
        self.theme.apply(application)
        problem = None
        try:
            self.library: Library | None = Library(library or default_library_root())
        except SpecError as error:
            self.library, problem = None, error
        self.tasks = TaskRunner(self.window)
        self.clock = FrameClock(window=self.window)
        self.current_run = CurrentRun(self.library, self.clock)
        window, run, model = self.window, self.current_run, self.current_run.model
        self.plots_controller = PlotsController(window.plots, run, self.clock)
        self.run_controller = RunController(
            window.transport, window.chip, window.banner, window.action_line, run, self.clock
        )
        self.progress = ProgressController(window.transport, window.show_title, run, self.clock)
        self.waiting = WaitingController(window.transport, window.action_line, run)
        self.divergence = DivergenceController(window.banner, run)
        self.failures = FailuresController(window.banner, run)
        self.preview = Preview(window.schedule, window.lr_panel, window.plots, run, self.tasks, window)
        self.pending_change = PendingChange(window.schedule, window.lr_panel, run, self.preview, window)
        self.drawing = DrawingController(
            window.schedule,
            window.plots.lr,
            window.side,
            window.show_side,
            run,
            self.pending_change,
            self.tasks,
            window,
        )
        self.candidates = Candidates(
            window.schedule,
            window.setup.recipe,
            window.plots.lr,
            self.preview,
            self.pending_change,
            self.tasks,
            window,
        )
        self.lr_controller = LRController(window.lr_panel, run, self.clock)
        self.log_controller = LogController(window.log, window.show_log, window.action_line, window.plots, run)
        self.effects = EffectsController(window.log, window.action_line, window.plots, self.log_controller, run)
        self.rewind = RewindController(window, window.log, window.action_line, window.plots, window.banner, run)
        self.code = AllowedCode(self.settings)
        self.lookups = Lookups(window.setup, window.start_page, window.device, self.tasks, self.code, window)
        frame = Frame(
            window=window,
            fold=window.fold,
            show_side=window.show_side,
            show_title=window.show_title,
            show_name=window.show_name,
        )
        panels = Panels(
            setup=window.setup,
            schedule=window.schedule,
            lr_panel=window.lr_panel,
            transport=window.transport,
            banner=window.banner,
            start_page=window.start_page,
            plots=window.plots,
            chip=window.chip,
            device=window.device,
        )
        self.setup_controller = SetupController(
            frame, panels, run, self.preview, self.lookups, self.settings, self.code
        )
        self.resume = ResumeController(window.banner, run, self.setup_controller, self.tasks)
        self.files = FilesController(
            window,
            run,
            self.setup_controller,
            self.settings,
            self.resume,
            setup=window.setup,
            banner=window.banner,
            action_line=window.action_line,
            open_action=window.open,
            save_action=window.save,
            save_as_action=window.save_as,
        )
        self.help = HelpController(window, tutorial=window.tutorial, about=window.about, examples=window.examples)
        self.interrupted = InterruptedRuns(window.banner, run, self.tasks, self.settings)
        self.range_test = RangeTestController(
            window,
            run,
            self.tasks,
            recipe=window.setup.recipe,
            first_error=window.setup.first_error,
            allowed=self.code.current,
            lr_panel=window.lr_panel,
            show_side=window.show_side,
        )
        self.advice = AdviceController(
            run, window.advice, window.setup, window.lr_panel, window.show_side, self._stage_schedule, window
        )
        self.export = ExportController(
            window,
            model,
            self.tasks,
            self.settings,
            self.code,
            menu=window.export,
            setup=window.setup,
            banner=window.banner,
            action_line=window.action_line,
        )
        window.schedule.candidates.add_beside(self.export.button)
        self.comparison = CompareController(window, window.banner, run, self.tasks)
        self.retention = RetentionController(
            window, self.library, self.settings, window.library_settings, window.action_line
        )
        self.library_controller = LibraryController(
            window,
            run,
            self.setup_controller,
            self.rewind,
            self.tasks,
            self.settings,
            self.comparison.compare,
            banner=window.banner,
            action_line=window.action_line,
            show_runs=window.show_runs,
            settings_action=window.library_settings,
            add_drawer=window.add_drawer,
            show_name=lambda name: window.show_name(name, window.name.placeholderText()),
        )
        window.renamed.connect(self.library_controller.refresh_soon)
        window.start_page.continue_requested.connect(self.library_controller.continue_run)
        window.start_page.open_requested.connect(self.files.open)
        self.undo = UndoController(
            window.edit,
            window.action_line,
            window.lr_panel,
            window.schedule,
            self.preview,
            self.rewind,
            self.library_controller.open,
            run,
        )
        self.library_controller.undoable.connect(self.undo.remember)
        self.garbage = GarbageTimer()
        self._wire()
        self.window.restore_layout(self.settings)
        self._set_up_first()
        for remark in self.library.remarks if self.library is not None else ():
            self.window.banner.show_failure(tr("{what}.", what=said(remark)[:1].upper() + said(remark)[1:]))
        if problem is not None:
            self.window.banner.show_failure(tr("{problem} The run is not kept.", problem=said(problem)))

    def _set_up_first(self) -> None:
        """Show the recipe of the last window, or after a crash, which it may have caused, the default one."""
        last = self.settings.last_recipe
        self.setup_controller.set_up(Recipe() if self.session.after_crash else last)
        self.lookups.wait_with_code()
        if self.session.after_crash and last != Recipe():
            text = tr("Tiller did not close properly last time, so it opens with the default recipe.")
            tip = tr("Show the recipe that was set up then. Nothing is started.")
            show = BannerAction(tr("Show the last recipe"), tip, lambda: self.setup_controller.set_up_instead(last))
            self.window.banner.show_offer(text, "", [show])

    def show(self) -> None:
        """Show the window; slow work begins after it was painted for the first time."""
        self.clock.start()
        self.window.show()
        if (handle := self.window.windowHandle()) is not None:
            self.clock.watch(handle)

    def close(self) -> None:
        """Stop and close everything. No run may be active."""
        self.window.store_layout(self.settings)
        self.window.leave()
        self.clock.stop()
        self.tasks.stop()  # an import of PyTorch cannot be interrupted
        if self.library is not None:
            self.library.close()
        self.session.end()
        self.garbage.stop()

    def _wire(self) -> None:
        window = self.window
        window.first_painted.connect(self._begin)
        window.renamed.connect(self.setup_controller.rename)
        window.new.triggered.connect(self.setup_controller.new)
        window.toggle.triggered.connect(self.setup_controller.press_space)
        window.toggle.setAutoRepeat(False)
        window.run_epoch.triggered.connect(window.transport.run_epoch)
        window.stop.triggered.connect(window.transport.stop)
        window.came_back.connect(self.setup_controller.look_again)
        window.leave_wanted.connect(lambda: self.setup_controller.leave(ask=True))
        self.lookups.torch_loaded.connect(self.garbage.freeze)
        self.theme.changed.connect(window.plots.apply_theme)
        self.theme.changed.connect(self.clock.hurry)
        self.theme.changed.connect(self.lr_controller.show_colours)
        self.theme.changed.connect(self.candidates.show_colours)
        window.plots.apply_theme(self.theme.colors)
        self.lr_controller.show_colours(self.theme.colors)
        for action in window.themes.actions():
            action.setChecked(action.data() == self.settings.theme)
            action.triggered.connect(lambda _=False, a=action: self._choose_theme(a.data()))
        self.help.example_wanted.connect(self.setup_controller.set_up_instead)
        self.failures.set_up_wanted.connect(self.setup_controller.set_up_instead)
        self.failures.begin_wanted.connect(self._begin_again)
        self.failures.download_wanted.connect(self._begin_with_download)
        self.interrupted.continue_wanted.connect(lambda path: self.files.open_path(path, begin=True))
        QShortcut(QKeySequence(Qt.Key.Key_Escape), window).activated.connect(self.pending_change.discard)
        window.plots.dragged.connect(window.lr_panel.stage_lr)
        window.lr_panel.group_chosen.connect(self.plots_controller.show_group)
        window.lr_panel.schedule_wanted.connect(lambda: window.show_side(window.schedule))
        window.lr_panel.table.schedule_wanted.connect(window.schedule.choose_group)
        self.lr_controller.fit_wanted.connect(lambda: window.show_side(window.schedule))
        self.lr_controller.fit_wanted.connect(window.schedule.stage_fit)
        self.preview.curve_shown.connect(self.clock.hurry)
        window.find_lr.triggered.connect(self.range_test.open)
        window.lr_panel.range_test_wanted.connect(self.range_test.open)
        window.setup.recipe_changed.connect(self.range_test.validate)
        window.transport.start.connect(self.range_test.cancel_before_start)
        window.transport.run_epoch.connect(self.range_test.cancel_before_start)
        self.preview.projected.connect(self.advice.show_curve)
        self.advice.recipe_wanted.connect(self.setup_controller.amend)
        self.range_test.recipe_wanted.connect(self.setup_controller.amend)
        self.range_test.finished.connect(self.advice.take_range_test)

    def _stage_schedule(self, schedule: ScheduleSpec) -> None:
        self.window.show_side(self.window.schedule)
        self.window.schedule.stage(schedule)

    def _begin(self) -> None:
        self.tasks.start()
        self.interrupted.look()
        self.lookups.load_torch()

    def _begin_again(self, recipe: Recipe) -> None:
        """Start ``recipe`` in place of a run that failed, whose thread may not have ended yet."""

        def begin() -> None:
            self.setup_controller.set_up(recipe)
            self.setup_controller.start()

        self.setup_controller.when_free(begin, "")

    def _begin_with_download(self) -> None:
        """Begin again what failed for a missing file, which is downloaded first."""
        job = self.current_run.job
        if job is not None:
            again = replace(job, download=True)
            self.setup_controller.when_free(lambda: self.setup_controller.begin(again), "")

    def _choose_theme(self, mode: str) -> None:
        self.theme.set_mode(mode)  # type: ignore[arg-type]
        self.settings.theme = self.theme.mode


def run(what: str | None, *, start: bool, events: TextIO | None, library: str | None) -> int:
    """Open the window; returns the exit status when it is closed.

    Args:
        what: a recipe or a checkpoint to open, or None.
        start: start training at once.
        events: where to print the events, as ``train`` does; None: nowhere.
        library: the folder of the run library; None: the default.
    """
    from engine.diagnostics import display

    problem = display.problem(os.environ)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    application = QApplication(sys.argv[:1])
    application.setApplicationName("tiller")
    application.setApplicationDisplayName("Tiller")
    language.install(application, QLocale.system())
    with (
        crash_log(Path(library) if library else default_library_root()) as log,
        closing(ExceptionHook(log)) as last_resort,
    ):
        app = App(application, library)
        last_resort.uncaught.connect(app.failures.report_uncaught)
        app.setup_controller.left.connect(application.exit)  # quit would ask the window again
        signals = UnixSignals()
        signals.asked_to_leave.connect(lambda: app.setup_controller.leave(ask=False))
        printer = None
        if events is not None:
            from engine.messages.printing import LinePrinter

            printer = LinePrinter(events)
            app.current_run.happened.connect(printer)
        app.show()
        if what is not None:
            app.files.open_path(what, begin=start, ask=not start)
        elif start:
            app.setup_controller.allow(app.settings.last_recipe)
            app.setup_controller.start()
        status = application.exec()
        app.close()
        signals.close()
        if printer is not None:
            printer.close()
    return status

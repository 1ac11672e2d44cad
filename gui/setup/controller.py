"""Setting up a run, starting it, and closing the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QMessageBox, QWidget

from engine.messages.events import EndEvent, StartEvent
from engine.recipe.recipe import Recipe
from engine.recipe.user_code import version
from engine.schedules import ScheduleSpec
from engine.training.job import Job
from gui.core import run_text
from gui.core.allowed_code import AllowedCode
from gui.core.current_run import CurrentRun
from gui.core.settings import Settings
from gui.core.translation import said, tr
from gui.learning_rate.panel import LRPanel
from gui.plots.stack import PlotStack
from gui.run_bar.banner import Banner
from gui.run_bar.transport import Transport
from gui.schedule.group_schedules import Schedules
from gui.schedule.panel import SchedulePanel
from gui.schedule.preview import Preview
from gui.setup.code_question import CodeDialog
from gui.setup.lookups import Lookups
from gui.setup.panel import SetupPanel
from gui.setup.start_page import StartPage
from gui.widgets.state_chip import StateChip


@dataclass(frozen=True, kw_only=True)
class Panels:
    """The panels that show the setup of a run."""

    setup: SetupPanel
    schedule: SchedulePanel
    lr_panel: LRPanel
    transport: Transport
    banner: Banner
    start_page: StartPage
    plots: PlotStack
    chip: StateChip
    device: QLabel


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Functions that change the window around the panels; ``window`` is the parent of dialogs."""

    window: QWidget
    fold: Callable[[bool], None]
    show_side: Callable[[QWidget], None]
    show_title: Callable[[str], None]
    show_name: Callable[[str, str], None]


class SetupController(QObject):
    """Starts runs from the forms, and ends the run before the window closes.

    Signals:
        left(): no run is active any more; the window may close.
    """

    left = Signal()
    _not_renamed = Signal(str)  # emitted on the library's writer thread

    def __init__(
        self,
        frame: Frame,
        panels: Panels,
        current_run: CurrentRun,
        preview: Preview,
        lookups: Lookups,
        settings: Settings,
        code: AllowedCode,
    ) -> None:
        super().__init__(frame.window)
        self._frame, self._panels, self._current_run, self._preview = frame, panels, current_run, preview
        self._lookups, self._settings, self._code = lookups, settings, code
        self._not_allowed: str | None = None  # the file that the run that just ended was not allowed to run
        self._job: Job | None = None  # to begin once PyTorch is loaded
        self._then: Callable[[], None] | None = None  # to call once the active run has ended
        self._leaving = False
        self._showing = False
        self._name = ""
        self._no_torch: str | None = None
        self._curve_problem: str | None = None
        self._connect()

    # -- setting up

    def set_up(self, recipe: Recipe) -> None:
        """Show ``recipe`` in the forms for a new run, in place of the run that was shown."""
        self._current_run.model.forget()
        self._name = ""
        self._panels.banner.clear()
        self._show_recipe(recipe)
        if self._current_run.library is not None:
            self._lookups.look_for_runs(self._current_run.library)

    def allow(self, recipe: Recipe) -> None:
        """Allow the Python file of the network in ``recipe`` to be run."""
        needed = self._code.needed(recipe.model)
        if needed is not None:
            self._code.allow(needed)

    def amend(self, recipe: Recipe) -> None:
        """Show ``recipe`` in the forms as a change of the recipe there. Does nothing once a run was started."""
        if not self._current_run.active and self._current_run.model.start is None:
            self._show_recipe(recipe)

    def _show_recipe(self, recipe: Recipe) -> None:
        panels = self._panels
        self._job = None
        self._showing = True  # until both panels show the recipe, changes that they report are not the user's
        panels.setup.set_running(None)
        panels.schedule.setEnabled(True)
        panels.schedule.setToolTip("")
        known = recipe == self._settings.last_recipe  # the commands belong to that recipe only
        panels.setup.set_recipe(recipe, self._settings.last_commands if known else ())
        self._show_context(recipe, panels.setup.group_names())
        panels.schedule.set_schedules(Schedules.of_recipe(recipe))
        self._showing = False
        self._frame.fold(False)
        panels.lr_panel.set_enabled_because(tr("There is no run yet: Start begins one."))
        self._frame.show_side(panels.schedule)
        panels.transport.clear_progress()
        panels.start_page.show()
        self._frame.show_title("")
        panels.plots.set_pending(None)
        self._recipe_changed(recipe)

    def _recipe_changed(self, recipe: Recipe | None) -> None:
        if self._showing:
            return
        panels = self._panels
        names = panels.setup.group_names()
        self._curve_problem = None
        self._lookups.check_code(panels.setup.model.value())
        if recipe is not None:
            self._show_context(recipe, names)
            if panels.setup.recipe() != recipe:
                return  # the schedule was fitted to the number of epochs; that recipe was handled in a nested call
            panels.plots.set_epochs(recipe.epochs)
            panels.plots.set_group_names(names)
            self._frame.show_name(self._name, f"{recipe.data.name} {Path(recipe.model.name).name}")
            self._settings.last_recipe, self._settings.last_commands = recipe, panels.setup.commands()
            self._sparkline(recipe.schedule)
            self._lookups.check_data(recipe.data)
        self._preview.show_recipe(recipe, names)
        self._show_ready()

    def _show_context(self, recipe: Recipe, names: Sequence[str]) -> None:
        """Pass what the schedule editor needs of ``recipe``: epochs, group names and LRs."""
        own = {group.name: group.lr for group in recipe.groups if group.lr is not None}
        self._panels.schedule.set_group_names(names)
        lrs = [own.get(name, recipe.optimizer.lr) for name in names]
        self._panels.schedule.set_context(recipe.epochs, 0, lrs, False)

    def _curve_checked(self, problem: str | None) -> None:
        self._curve_problem = problem
        self._show_ready()

    def _show_ready(self) -> None:
        """Enable Start, or show why it is not possible. Does nothing while a run is shown or about to begin."""
        if self._current_run.active or self._current_run.model.start is not None or self._job is not None:
            return
        self._panels.chip.show_state("ready")
        blocked = (
            self._no_torch
            or self._panels.setup.first_error()
            or self._lookups.code_problem
            or self._lookups.data_problem
            or self._curve_problem
        )
        why_not = self._current_run.model.why_not
        self._panels.transport.show_state("ready", lambda action: blocked or why_not(action), self._lookups.fetching)

    def _schedule_changed(self, spec: ScheduleSpec | None) -> None:
        if not self._current_run.active and not self._showing and self._current_run.model.start is None:
            schedules = self._panels.schedule.schedules()
            self._panels.setup.set_schedule(spec and schedules.shared, schedules.own)

    def _base_lr_wanted(self, lr: float | None) -> None:
        if not self._showing:
            self._panels.setup.set_base_lr(lr)

    def _sparkline(self, spec: ScheduleSpec) -> None:
        self._preview.sparkline(spec, self._panels.setup.recipe() or Recipe())

    def set_up_instead(self, recipe: Recipe) -> None:
        """Show ``recipe`` in the forms; a run that is training is saved and ended first, if the user agrees."""
        self.when_free(lambda: self.set_up(recipe), _instead())

    def new(self) -> None:
        """Set up a new run; asks first while training."""
        self.when_free(self._set_up_again, _instead())

    def _set_up_again(self) -> None:
        self.set_up(self._current_run.model.recipe or self._settings.last_recipe)

    # -- beginning

    def when_free(self, action: Callable[[], None], question: str) -> None:
        """Call ``action`` once no run is active. A run that is training is saved first, if the user agrees."""
        if not self._current_run.active:
            action()
        elif self._agreed(question):
            self._then = action
            self._current_run.stop()

    def begin(self, job: Job, *, ask: bool = True) -> None:
        """Start ``job`` as soon as PyTorch is loaded. No run may be active.

        With ``ask``, a Python file that the run needs is run only if the user allowed it.
        """
        self._job = None
        job = replace(job, allowed=self._code.current() if ask else None)
        self._lookups.drop_outline()
        if self._lookups.ready:
            self._current_run.model.load()
            self._current_run.begin(job)
        elif self._no_torch is not None:
            self._panels.banner.show_failure(self._no_torch)
        else:
            self._job = job
            self._current_run.model.load()
            self._panels.transport.show_loading(tr("Loading PyTorch and the network…"))

    def start(self, one_epoch: bool = False) -> None:
        """Start the run that the forms describe, or only its first epoch."""
        recipe = self._panels.setup.recipe()
        if recipe is None or self._lookups.code_problem is not None:
            return
        if not self._current_run.active and self._current_run.model.start is None:
            commands = self._panels.setup.commands()
            job = Job(recipe=recipe, name=self._name, lines=commands, on_divergence="pause", one_epoch=one_epoch)
            self.begin(job)

    def _run_epoch(self) -> None:
        if not self._current_run.active and self._job is None:
            self.start(one_epoch=True)

    def _cancel(self) -> None:
        """Cancel what is being loaded."""
        if self._current_run.active:
            self._current_run.stop()
        elif self._job is not None:
            self._job = None
            self._current_run.model.unload()
            self._show_ready()
        else:
            self._lookups.cancel_download()

    def _free(self) -> None:
        job = self._job
        if job is None:
            return
        if job.checkpoint is None and job.run is None and self._panels.setup.first_error() is not None:
            self._cancel()  # the network could not be built
        else:
            self.begin(job, ask=job.allowed is not None)

    def _torch_failed(self, problem: str, details: str) -> None:
        self._no_torch = tr("PyTorch could not be loaded: {problem}", problem=problem)
        self._panels.banner.show_failure(self._no_torch, details)
        if self._job is not None:
            self._job = None
            self._current_run.model.unload()
        self._show_ready()

    def _show_download(self, text: str, done: int, total: int) -> None:
        if not self._current_run.active and self._job is None and self._current_run.model.start is None:
            self._panels.transport.show_loading(text, done, total)

    # -- leaving

    def leave(self, ask: bool) -> None:
        """Save and end the active run, then emit ``left``; with ``ask``, ask first while training."""
        if self._leaving:
            return
        question = tr("Stop and save the run, then leave? It can be continued later, exactly where it was.")
        if ask and self._current_run.active and not self._agreed(question):
            return
        self._leaving = True
        self._job = self._then = None
        if self._current_run.active:
            self._current_run.stop()
        else:
            self.left.emit()

    def _agreed(self, question: str) -> bool:
        """Whether the run may be ended. Asks only while training; every run is saved."""
        if self._current_run.model.state != "training":
            return True
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        title, default = tr("Training is under way"), QMessageBox.StandardButton.Yes
        return QMessageBox.question(self._frame.window, title, question, buttons, default) == default

    def _gone(self) -> None:
        """The run's thread has ended."""
        then, self._then = self._then, None
        file, self._not_allowed = self._not_allowed, None
        model = self._current_run.model
        if self._leaving:
            self.left.emit()
        elif then is not None:
            then()
        elif model.recipe is not None and model.ended_untrained:
            recipe = model.recipe
            model.forget()  # the forms are more useful than empty plots; the banner shows what happened
            self._show_recipe(recipe)
        else:
            self._show_ready()
        if file is not None and then is None and not self._leaving:
            self._ask_to_run(file)

    def _ask_to_run(self, file: str) -> None:
        """Ask whether ``file`` may be run, which the job that just ended needs; if so, begin that job again."""
        job, needed = self._current_run.job, version(file)
        if job is None or needed is None or (job.checkpoint is None and job.run is None):
            return  # a recipe's file is asked about in the forms

        def allow() -> None:
            self._code.allow(needed)
            if not self._current_run.active:
                self.begin(job)

        dialog = CodeDialog(needed, self._frame.window)
        dialog.accepted.connect(allow)
        dialog.open()

    def _on_end(self, event: EndEvent) -> None:
        self._not_allowed = event.not_allowed

    # -- the like

    def look_again(self) -> None:
        """Check again for missing data or a network that could not be built: the user may have fixed it."""
        if not self._current_run.active and self._current_run.model.start is None:
            self._lookups.look_again()

    def _on_start(self, event: StartEvent) -> None:
        """Show the run in place of the forms."""
        panels, recipe, job = self._panels, self._current_run.model.recipe, self._current_run.job
        assert recipe is not None
        panels.start_page.hide()
        self._frame.show_name(event.name, event.name)
        panels.device.setText(tr("CPU") if event.device == "cpu" else event.device)
        panels.setup.set_running(run_text.summary(recipe, event, job.lines if job is not None else ()))
        self._frame.fold(True)
        self._frame.show_side(panels.lr_panel)

    def rename(self, name: str) -> None:
        """Rename the run that is shown or being set up."""
        self._name = name
        start, library = self._current_run.model.start, self._current_run.library
        if start is not None and library is not None and name:
            library.update(start.run, self._not_renamed.emit, name=name)

    def press_space(self) -> None:
        """Press Start, Pause or Resume, or the focused button or combo box, which use Space themselves."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QAbstractButton) and focus.isEnabled():
            focus.animateClick()
        elif isinstance(focus, QComboBox):
            focus.showPopup()
        else:
            self._panels.transport.toggle()

    def _connect(self) -> None:
        panels, lookups = self._panels, self._lookups
        panels.setup.recipe_changed.connect(self._recipe_changed)
        panels.setup.outline_wanted.connect(lookups.outline)
        panels.setup.download_requested.connect(lookups.download)
        panels.setup.duplicate_requested.connect(self.new)
        panels.schedule.schedule_changed.connect(self._schedule_changed)
        panels.schedule.base_lr_wanted.connect(self._base_lr_wanted)
        panels.schedule.sparkline_wanted.connect(self._sparkline)
        panels.transport.start.connect(self.start)
        panels.transport.run_epoch.connect(self._run_epoch)
        panels.transport.cancel.connect(self._cancel)
        self._preview.recipe_checked.connect(self._curve_checked)
        self._current_run.listen(self._on_start, StartEvent)
        self._current_run.listen(self._on_end, EndEvent)
        self._current_run.gone.connect(self._gone)
        self._not_renamed.connect(lambda text: panels.banner.show_failure(said(text)))
        lookups.free.connect(self._free)
        lookups.checked.connect(self._show_ready)
        lookups.torch_failed.connect(self._torch_failed)
        lookups.download_progressed.connect(self._show_download)
        lookups.download_over.connect(self._show_ready)


def _instead() -> str:
    return tr("Stop and save the run, and set up a new one? It can be continued later.")

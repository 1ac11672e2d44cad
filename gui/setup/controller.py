"""What the person does around a run: set one up, begin it, leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QMessageBox

from engine.messages.events import StartEvent
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from engine.training.job import Job
from gui.core import run_text
from gui.core.current_run import CurrentRun
from gui.core.settings import Settings
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.schedule.group_schedules import Schedules
from gui.schedule.preview import Preview
from gui.setup.lookups import Lookups


class SetupController(QObject):
    """Begins runs from the forms, and sees the window off.

    Signals:
        left(): nothing is under way any more, and the window may go.
    """

    left = Signal()
    _not_renamed = Signal(str)  # from the library's own thread

    def __init__(
        self,
        window: MainWindow,
        runs: CurrentRun,
        preview: Preview,
        lookups: Lookups,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._runs, self._preview = window, runs, preview
        self._lookups, self._settings = lookups, settings
        self._job: Job | None = None  # to begin when PyTorch is there
        self._then: Callable[[], None] | None = None  # to do when the run under way is gone
        self._leaving = False
        self._showing = False
        self._name = ""
        self._no_torch: str | None = None
        self._plan_problem: str | None = None
        self._connect()

    # -- setting up

    def set_up(self, recipe: Recipe) -> None:
        """Make room for a new run: bring ``recipe`` into the forms and forget the run that was shown."""
        self._runs.model.forget()
        self._name = ""
        self._window.banner.clear()
        self._show_recipe(recipe)
        if self._runs.library is not None:
            self._lookups.look_for_runs(self._runs.library)

    def amend(self, recipe: Recipe) -> None:
        """Bring ``recipe`` into the forms, as a change to what stands there."""
        if not self._runs.active and self._runs.model.start is None:
            self._show_recipe(recipe)

    def _show_recipe(self, recipe: Recipe) -> None:
        window = self._window
        self._job = None
        self._showing = True  # until both panels show the recipe, neither's reports are the person's
        window.setup.set_running(None)
        window.schedule.setEnabled(True)
        window.schedule.setToolTip("")
        known = recipe == self._settings.last_recipe  # of any other, no hand is known
        window.setup.set_recipe(recipe, self._settings.last_commands if known else ())
        self._show_context(recipe, window.setup.group_names())
        window.schedule.set_schedules(Schedules.of_recipe(recipe))
        self._showing = False
        window.fold(False)
        window.lr_panel.set_enabled_because(tr("There is no run yet: Start begins one."))
        window.show_side(window.schedule)
        window.transport.clear_progress()
        window.start_page.show()
        window.show_title("")
        window.plots.set_pending(None)
        self._recipe_changed(recipe)

    def _recipe_changed(self, recipe: Recipe | None) -> None:
        if self._showing:
            return
        window = self._window
        names = window.setup.group_names()
        self._plan_problem = None
        if recipe is not None:
            self._show_context(recipe, names)
            if window.setup.recipe() != recipe:
                return  # the schedule followed the epochs, and that recipe has been dealt with
            window.plots.set_epochs(recipe.epochs)
            window.plots.set_group_names(names)
            window.show_name(self._name, f"{recipe.data.name} {Path(recipe.model.name).name}")
            self._settings.last_recipe, self._settings.last_commands = recipe, window.setup.commands()
            self._sparkline(recipe.schedule)
            self._lookups.check_data(recipe.data)
        self._preview.show_recipe(recipe, names)
        self._show_ready()

    def _show_context(self, recipe: Recipe, names: Sequence[str]) -> None:
        """Tell the schedule editor what a schedule of ``recipe`` is for."""
        own = {group.name: group.lr for group in recipe.groups if group.lr is not None}
        self._window.schedule.set_group_names(names)
        lrs = [own.get(name, recipe.optimizer.lr) for name in names]
        self._window.schedule.set_context(recipe.epochs, 0, lrs, False)

    def _plan_judged(self, problem: str | None) -> None:
        self._plan_problem = problem
        self._show_ready()

    def _show_ready(self) -> None:
        """Offer the start, or say what is in its way; nothing where a run is shown or about to begin."""
        if self._runs.active or self._runs.model.start is not None or self._job is not None:
            return
        self._window.chip.show_state("ready")
        blocked = self._no_torch or self._window.setup.first_error() or self._lookups.data_problem or self._plan_problem
        why_not = self._runs.model.why_not
        self._window.transport.show_state("ready", lambda action: blocked or why_not(action), self._lookups.fetching)

    def _schedule_changed(self, spec: ScheduleSpec | None) -> None:
        if not self._runs.active and not self._showing and self._runs.model.start is None:
            schedules = self._window.schedule.schedules()
            self._window.setup.set_schedule(spec and schedules.shared, schedules.own)

    def _base_lr_wanted(self, lr: float | None) -> None:
        if not self._showing:
            self._window.setup.set_base_lr(lr)

    def _sparkline(self, spec: ScheduleSpec) -> None:
        self._preview.sparkline(spec, self._window.setup.recipe() or Recipe())

    def set_up_instead(self, recipe: Recipe) -> None:
        """Bring ``recipe`` into the forms; a run that trains is saved and ended first, if the person says yes."""
        self.when_free(lambda: self.set_up(recipe), _instead())

    def _new(self) -> None:
        self.when_free(self._set_up_again, _instead())

    def _set_up_again(self) -> None:
        self.set_up(self._runs.model.recipe or self._settings.last_recipe)

    # -- beginning

    def when_free(self, intervention: Callable[[], None], question: str) -> None:
        """Do ``act`` once no run is under way: one that trains is saved and ended if the person says yes to that."""
        if not self._runs.active:
            intervention()
        elif self._agreed(question):
            self._then = intervention
            self._runs.stop()

    def begin(self, job: Job) -> None:
        """Do ``job`` as soon as PyTorch is there. No run may be under way."""
        self._job = None
        self._lookups.drop_outline()
        if self._lookups.ready:
            self._runs.model.load()
            self._runs.begin(job)
        elif self._no_torch is not None:
            self._window.banner.show_failure(self._no_torch)
        else:
            self._job = job
            self._runs.model.load()
            self._window.transport.show_loading(tr("Loading PyTorch and the network…"))

    def start(self, one_epoch: bool = False) -> None:
        """Begin the run that the forms describe, or only its first epoch."""
        recipe = self._window.setup.recipe()
        if recipe is not None and not self._runs.active and self._runs.model.start is None:
            lr_panel = self._window.setup.commands()
            job = Job(recipe=recipe, name=self._name, lines=lr_panel, on_divergence="pause", one_epoch=one_epoch)
            self.begin(job)

    def _run_epoch(self) -> None:
        if not self._runs.active and self._job is None:
            self.start(one_epoch=True)

    def _cancel(self) -> None:
        """Give up what is being loaded."""
        if self._runs.active:
            self._runs.stop()
        elif self._job is not None:
            self._job = None
            self._runs.model.unload()
            self._show_ready()
        else:
            self._lookups.cancel_download()

    def _free(self) -> None:
        if self._job is not None:
            self.begin(self._job)

    def _torch_failed(self, problem: str, details: str) -> None:
        self._no_torch = tr("PyTorch could not be loaded: {problem}", problem=problem)
        self._window.banner.show_failure(self._no_torch, details)
        if self._job is not None:
            self._job = None
            self._runs.model.unload()
        self._show_ready()

    def _download_told(self, text: str, done: int, total: int) -> None:
        if not self._runs.active and self._job is None and self._runs.model.start is None:
            self._window.transport.show_loading(text, done, total)

    # -- leaving

    def leave(self, ask: bool) -> None:
        """Save and end what is under way, then let the window go; asks first while training, with ``ask``."""
        if self._leaving:
            return
        question = tr("Stop and save the run, then leave? It can be continued later, exactly where it was.")
        if ask and self._runs.active and not self._agreed(question):
            return
        self._leaving = True
        self._job = self._then = None
        if self._runs.active:
            self._runs.stop()
        else:
            self.left.emit()

    def _agreed(self, question: str) -> bool:
        """Whether the run may be ended; only one that trains is asked about, and all are saved."""
        if self._runs.model.state != "training":
            return True
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        title, default = tr("Training is under way"), QMessageBox.StandardButton.Yes
        return QMessageBox.question(self._window, title, question, buttons, default) == default

    def _gone(self) -> None:
        """The thread of the run is gone."""
        then, self._then = self._then, None
        model = self._runs.model
        if self._leaving:
            self.left.emit()
        elif then is not None:
            then()
        elif model.recipe is not None and model.ended_untrained:
            recipe = model.recipe
            model.forget()  # the forms are of more use than empty plots; the banner says what happened
            self._show_recipe(recipe)
        else:
            self._show_ready()

    # -- the like

    def _came_back(self) -> None:
        if not self._runs.active and self._runs.model.start is None:
            self._lookups.look_again()

    def _on_start(self, event: StartEvent) -> None:
        """Show a run in place of the forms."""
        window, recipe, job = self._window, self._runs.model.recipe, self._runs.job
        assert recipe is not None
        window.start_page.hide()
        window.show_name(event.name, event.name)
        window.device.setText(event.device)
        window.setup.set_running(run_text.summary(recipe, event, job.lines if job is not None else ()))
        window.fold(True)
        window.show_side(window.lr_panel)

    def _renamed(self, name: str) -> None:
        self._name = name
        start, library = self._runs.model.start, self._runs.library
        if start is not None and library is not None and name:
            library.update(start.run, self._not_renamed.emit, name=name)

    def _space(self) -> None:
        """Space works the transport, unless what has the focus is worked by Space itself."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QAbstractButton) and focus.isEnabled():
            focus.animateClick()
        elif isinstance(focus, QComboBox):
            focus.showPopup()
        else:
            self._window.transport.toggle()

    def _connect(self) -> None:
        window, lookups = self._window, self._lookups
        window.setup.recipe_changed.connect(self._recipe_changed)
        window.setup.outline_wanted.connect(lookups.outline)
        window.setup.download_requested.connect(lookups.download)
        window.setup.duplicate_requested.connect(self._new)
        window.schedule.schedule_changed.connect(self._schedule_changed)
        window.schedule.base_lr_wanted.connect(self._base_lr_wanted)
        window.schedule.sparkline_wanted.connect(self._sparkline)
        window.transport.start.connect(self.start)
        window.transport.run_epoch.connect(self._run_epoch)
        window.transport.cancel.connect(self._cancel)
        window.renamed.connect(self._renamed)
        window.new.triggered.connect(self._new)
        window.toggle.triggered.connect(self._space)
        window.toggle.setAutoRepeat(False)
        window.run_epoch.triggered.connect(window.transport.run_epoch)
        window.stop.triggered.connect(window.transport.stop)
        window.came_back.connect(self._came_back)
        window.leave_wanted.connect(lambda: self.leave(ask=True))
        self._preview.judged.connect(self._plan_judged)
        self._runs.listen(self._on_start, StartEvent)
        self._runs.gone.connect(self._gone)
        self._not_renamed.connect(lambda text: window.banner.show_failure(said(text)))
        lookups.free.connect(self._free)
        lookups.judged.connect(self._show_ready)
        lookups.torch_failed.connect(self._torch_failed)
        lookups.download_told.connect(self._download_told)
        lookups.download_over.connect(self._show_ready)


def _instead() -> str:
    return tr("Stop and save the run, and set up a new one? It can be continued later.")

"""What the person does around a run: set one up, begin it, leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QMessageBox, QWidget

from engine.messages.events import StartEvent
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from engine.training.job import Job
from gui.core import run_text
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
from gui.setup.lookups import Lookups
from gui.setup.panel import SetupPanel
from gui.setup.start_page import StartPage
from gui.widgets.state_chip import StateChip


@dataclass(frozen=True, kw_only=True)
class Panels:
    """What the setup of a run is shown in."""

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
    """How the window around the panels is changed; ``window`` is the parent of dialogs."""

    window: QWidget
    fold: Callable[[bool], None]
    show_side: Callable[[QWidget], None]
    show_title: Callable[[str], None]
    show_name: Callable[[str, str], None]


class SetupController(QObject):
    """Begins runs from the forms, and sees the window off.

    Signals:
        left(): nothing is under way any more, and the window may go.
    """

    left = Signal()
    _not_renamed = Signal(str)  # from the library's own thread

    def __init__(
        self,
        frame: Frame,
        panels: Panels,
        runs: CurrentRun,
        preview: Preview,
        lookups: Lookups,
        settings: Settings,
    ) -> None:
        super().__init__(frame.window)
        self._frame, self._panels, self._runs, self._preview = frame, panels, runs, preview
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
        self._panels.banner.clear()
        self._show_recipe(recipe)
        if self._runs.library is not None:
            self._lookups.look_for_runs(self._runs.library)

    def amend(self, recipe: Recipe) -> None:
        """Bring ``recipe`` into the forms, as a change to what stands there."""
        if not self._runs.active and self._runs.model.start is None:
            self._show_recipe(recipe)

    def _show_recipe(self, recipe: Recipe) -> None:
        panels = self._panels
        self._job = None
        self._showing = True  # until both panels show the recipe, neither's reports are the person's
        panels.setup.set_running(None)
        panels.schedule.setEnabled(True)
        panels.schedule.setToolTip("")
        known = recipe == self._settings.last_recipe  # of any other, no hand is known
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
        self._plan_problem = None
        if recipe is not None:
            self._show_context(recipe, names)
            if panels.setup.recipe() != recipe:
                return  # the schedule followed the epochs, and that recipe has been dealt with
            panels.plots.set_epochs(recipe.epochs)
            panels.plots.set_group_names(names)
            self._frame.show_name(self._name, f"{recipe.data.name} {Path(recipe.model.name).name}")
            self._settings.last_recipe, self._settings.last_commands = recipe, panels.setup.commands()
            self._sparkline(recipe.schedule)
            self._lookups.check_data(recipe.data)
        self._preview.show_recipe(recipe, names)
        self._show_ready()

    def _show_context(self, recipe: Recipe, names: Sequence[str]) -> None:
        """Tell the schedule editor what a schedule of ``recipe`` is for."""
        own = {group.name: group.lr for group in recipe.groups if group.lr is not None}
        self._panels.schedule.set_group_names(names)
        lrs = [own.get(name, recipe.optimizer.lr) for name in names]
        self._panels.schedule.set_context(recipe.epochs, 0, lrs, False)

    def _plan_judged(self, problem: str | None) -> None:
        self._plan_problem = problem
        self._show_ready()

    def _show_ready(self) -> None:
        """Offer the start, or say what is in its way; nothing where a run is shown or about to begin."""
        if self._runs.active or self._runs.model.start is not None or self._job is not None:
            return
        self._panels.chip.show_state("ready")
        blocked = self._no_torch or self._panels.setup.first_error() or self._lookups.data_problem or self._plan_problem
        why_not = self._runs.model.why_not
        self._panels.transport.show_state("ready", lambda action: blocked or why_not(action), self._lookups.fetching)

    def _schedule_changed(self, spec: ScheduleSpec | None) -> None:
        if not self._runs.active and not self._showing and self._runs.model.start is None:
            schedules = self._panels.schedule.schedules()
            self._panels.setup.set_schedule(spec and schedules.shared, schedules.own)

    def _base_lr_wanted(self, lr: float | None) -> None:
        if not self._showing:
            self._panels.setup.set_base_lr(lr)

    def _sparkline(self, spec: ScheduleSpec) -> None:
        self._preview.sparkline(spec, self._panels.setup.recipe() or Recipe())

    def set_up_instead(self, recipe: Recipe) -> None:
        """Bring ``recipe`` into the forms; a run that trains is saved and ended first, if the person says yes."""
        self.when_free(lambda: self.set_up(recipe), _instead())

    def new(self) -> None:
        """Set up a new run, after a question if one trains."""
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
            self._panels.banner.show_failure(self._no_torch)
        else:
            self._job = job
            self._runs.model.load()
            self._panels.transport.show_loading(tr("Loading PyTorch and the network…"))

    def start(self, one_epoch: bool = False) -> None:
        """Begin the run that the forms describe, or only its first epoch."""
        recipe = self._panels.setup.recipe()
        if recipe is not None and not self._runs.active and self._runs.model.start is None:
            lr_panel = self._panels.setup.commands()
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
        self._panels.banner.show_failure(self._no_torch, details)
        if self._job is not None:
            self._job = None
            self._runs.model.unload()
        self._show_ready()

    def _download_told(self, text: str, done: int, total: int) -> None:
        if not self._runs.active and self._job is None and self._runs.model.start is None:
            self._panels.transport.show_loading(text, done, total)

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
        return QMessageBox.question(self._frame.window, title, question, buttons, default) == default

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

    def look_again(self) -> None:
        """Look again for what was missing: the person may have provided it."""
        if not self._runs.active and self._runs.model.start is None:
            self._lookups.look_again()

    def _on_start(self, event: StartEvent) -> None:
        """Show a run in place of the forms."""
        panels, recipe, job = self._panels, self._runs.model.recipe, self._runs.job
        assert recipe is not None
        panels.start_page.hide()
        self._frame.show_name(event.name, event.name)
        panels.device.setText(event.device)
        panels.setup.set_running(run_text.summary(recipe, event, job.lines if job is not None else ()))
        self._frame.fold(True)
        self._frame.show_side(panels.lr_panel)

    def rename(self, name: str) -> None:
        """Give the run, or the one that is being set up, another name."""
        self._name = name
        start, library = self._runs.model.start, self._runs.library
        if start is not None and library is not None and name:
            library.update(start.run, self._not_renamed.emit, name=name)

    def press_space(self) -> None:
        """Space works the transport, unless what has the focus is worked by Space itself."""
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
        self._preview.recipe_checked.connect(self._plan_judged)
        self._runs.listen(self._on_start, StartEvent)
        self._runs.gone.connect(self._gone)
        self._not_renamed.connect(lambda text: panels.banner.show_failure(said(text)))
        lookups.free.connect(self._free)
        lookups.judged.connect(self._show_ready)
        lookups.torch_failed.connect(self._torch_failed)
        lookups.download_told.connect(self._download_told)
        lookups.download_over.connect(self._show_ready)


def _instead() -> str:
    return tr("Stop and save the run, and set up a new one? It can be continued later.")

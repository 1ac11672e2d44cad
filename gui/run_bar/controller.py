"""From intent to command, and from event to the widget that shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut

from engine.common.lifecycle import State
from engine.messages.commands import Pause, Resume, RunEpoch, Save, ScaleLR, SetLR, Start, Stop
from engine.messages.events import (
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    EpochEvent,
    LoadingEvent,
    LREvent,
    SavedEvent,
    ScheduleEvent,
    StartEvent,
    StateEvent,
    StepsEvent,
    WarningEvent,
)
from engine.recipe.recipe import recipe_from_json
from gui.core import run_text
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.core.history import RunHistory
from gui.core.translation import said, tr
from gui.log.controller import LogController
from gui.main_window import MainWindow
from gui.run_bar.progress import Progress
from gui.schedule.pending_change import PendingChange
from gui.schedule.preview import Preview


class RunController(QObject):
    """One run in the window, from its loading to its end."""

    def __init__(
        self,
        window: MainWindow,
        runs: CurrentRun,
        preview: Preview,
        log_controller: LogController,
        clock: FrameClock,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._runs, self._preview, self._log, self._clock = window, runs, preview, log_controller, clock
        self.series = RunHistory(lambda: runs.when)  # events are shown some at a time
        self.progress = Progress(window)
        self.change = PendingChange(window, runs, preview, self.progress, self)
        self.state: State = "ready"
        self.start: StartEvent | None = None
        self.end: EndEvent | None = None
        self._loading = False
        self._lrs: LREvent | None = None
        self._beyond: list[float] = []
        window.plots.set_history(self.series)
        for paint in window.plots.paints():
            clock.register(paint)
        clock.register(self.progress.paint)
        # Not to a search for a rate, which has a window of its own.
        runs.listen(self._on_loading, LoadingEvent)
        runs.listen(self._on_start, StartEvent)
        runs.listen(self._on_state, StateEvent)
        runs.listen(self._on_steps, StepsEvent)
        runs.listen(self._on_epoch, EpochEvent)
        runs.listen(self._on_command, CommandEvent)
        runs.listen(self._on_lr, LREvent)
        runs.listen(self._on_saved, SavedEvent)
        runs.listen(self._on_branch, BranchEvent)
        runs.listen(log_controller.tell, ScheduleEvent, WarningEvent, DivergedEvent)
        runs.listen(self._on_end, EndEvent)
        self._connect()

    @property
    def checkpoint(self) -> Path | None:
        """The file that holds the run as it ended; None where none has, or none was written."""
        return Path(self.end.checkpoint) if self.end is not None and self.end.checkpoint else None

    @property
    def came_to_nothing(self) -> bool:
        """Whether the run ended before anything was trained."""
        return self.end is not None and not len(self.series.x) and not len(self.series.epoch_x)

    def load(self) -> None:
        """A run is about to be loaded; the one shown stays until it is."""
        self._loading = True
        self._show_state("loading")

    def unload(self) -> None:
        """It was not loaded after all."""
        self._loading = False
        self._show_state("ready" if self.end is None else self.end.reason)

    def forget(self) -> None:
        """There is no run any more: a new one is being set up."""
        self.start, self.end, self._lrs = None, None, None
        self.state, self._loading = "ready", False
        self.series.clear()
        self.progress.clear()
        self._log.forget()
        self.change.forget()
        self._window.lr_panel.clear()
        self._clock.poke()

    def save(self, path: str | None) -> None:
        """Save the run's state to ``path``, or to a place named by itself; the answer comes as an event."""
        self._runs.post(Save(path=path))

    # -- intents

    def _connect(self) -> None:
        window, post = self._window, self._runs.post
        transport, lr_panel = window.transport, window.lr_panel
        transport.start.connect(self._start)
        transport.pause.connect(lambda: post(Pause()))
        transport.resume.connect(self._resume)
        transport.run_epoch.connect(self._run_epoch)
        transport.finish.connect(lambda: post(Stop()))
        lr_panel.command_wanted.connect(post)
        lr_panel.group_chosen.connect(self._group_chosen)
        lr_panel.schedule_wanted.connect(lambda: window.show_side(window.schedule))
        QShortcut(QKeySequence(Qt.Key.Key_Escape), window).activated.connect(self.change.drop)
        window.plots.dragged.connect(lr_panel.stage_lr)
        window.plots.dragging.connect(self._clock.set_dragging)
        window.plots.redraw_requested.connect(self._clock.poke)
        self._preview.drawn.connect(self._clock.hurry)
        self._log.put_back_wanted.connect(post)

    def _start(self) -> None:
        if self.state == "ready" and self.start is not None:  # a run that was loaded and stands ready
            self._resume()

    def _resume(self) -> None:
        self._window.banner.clear()
        self._runs.post(Start() if self.state == "ready" else Resume())

    def _run_epoch(self) -> None:
        if self._runs.active and not self._loading:
            self._runs.post(RunEpoch())

    def _group_chosen(self, group: str | None) -> None:
        names = self.start.groups if self.start else []
        self._window.plots.lr.set_active_group(names.index(group) if group in names else None)

    # -- events

    def _on_loading(self, event: LoadingEvent) -> None:
        self._window.transport.show_loading(said(event.what), event.done, event.total)

    def _on_start(self, event: StartEvent) -> None:
        window, goes_on = self._window, self._goes_on(event)
        self._loading = False
        self.start, self.end, self._lrs = event, None, None
        recipe = recipe_from_json(json.dumps(event.recipe))
        window.banner.clear()
        window.start_page.hide()
        window.show_name(event.name, event.name)
        window.device.setText(event.device)
        job = self._runs.job
        window.setup.set_running(run_text.summary(recipe, event, job.lines if job is not None else ()))
        window.fold(True)
        window.plots.set_epochs(event.epochs)
        window.plots.set_group_names(event.groups)
        window.schedule.set_group_names(event.groups)
        if not goes_on:
            self.series.restore(event.history, event.batches_per_epoch, event.steps)
        self.progress.begin(event, recipe.data.batch_size)
        self._preview.show_run(recipe, event.batches_per_epoch, [e.metrics() for e in event.history])
        self.change.forget()
        self._log.begin(event, goes_on)
        window.lr_panel.set_enabled_because(None)
        window.show_side(window.lr_panel)
        self._clock.poke()

    def _goes_on(self, event: StartEvent) -> bool:
        """Whether the run that begins is the one shown, right where it was left: what is drawn of it still holds."""
        before, series = self.start, self.series
        if before is None or before.run != event.run or series.batches_per_epoch != event.batches_per_epoch:
            return False
        at = event.epoch - 1 + event.batch / event.batches_per_epoch
        return abs(series.position - at) < 0.5 / event.batches_per_epoch

    def _on_state(self, event: StateEvent) -> None:
        if self._loading:
            return  # it ends while it is loaded; the end says the rest
        self.progress.at(event.epoch, event.batch)
        self._show_state(event.state)
        self._clock.hurry()

    def _show_state(self, state: State) -> None:
        self.state = state
        training = state == "training"
        self._window.transport.show_state(state)
        self._window.chip.show_state(state)
        self._clock.set_mode("training" if training else "free")
        self.series.stand(not training)
        self.change.show_state(state)

    def _on_steps(self, event: StepsEvent) -> None:
        assert self.start is not None
        self.series.append_steps(event, self.start.batches_per_epoch)
        self.progress.steps(event)
        self._clock.poke()

    def _on_epoch(self, event: EpochEvent) -> None:
        self.series.append_epoch(event)
        self._preview.add_metrics(event.metrics())
        self.progress.epoch(event)
        self._clock.poke()

    def _on_command(self, event: CommandEvent) -> None:
        self._clock.hurry()
        if self._loading:
            return  # a stop that came before the run
        self._log.tell(event)
        lr_panel = self._window.lr_panel
        if event.status == "queued":
            return
        if event.name in ("set_lr", "scale_lr", "release_lr"):
            lr_panel.show_warning(event.reason or event.warning)
            if event.hold:
                kind = SetLR if event.name == "set_lr" else ScaleLR
                lr_panel.offer_hold(kind.model_validate(event.command))
        elif event.name == "set_schedule":
            self.change.answered(event)
        elif event.name == "save" and event.status == "rejected":
            self._window.banner.show_failure(tr("{reason}", reason=said(event.reason or "")))

    def _on_lr(self, event: LREvent) -> None:
        if event.epoch > event.epochs and self._lrs is not None:
            self._beyond = event.lr  # what the last epoch trained with stays in sight
            return
        self._lrs = event
        self.progress.lrs(event)
        window = self._window
        window.plots.set_epochs(event.epochs)
        window.lr_panel.show_lrs(event.groups, event.lr, event.plan, event.holding, event.touched)
        self._preview.show_lrs(event)
        self.change.show_lrs(event)
        self._clock.poke()

    def _on_saved(self, event: SavedEvent) -> None:
        self._log.tell(event)
        if event.kind == "asked":
            self._window.action_line.show_saved(event.path)
            self._clock.hurry()

    def _on_branch(self, event: BranchEvent) -> None:
        assert self.start is not None
        self.start = replace(self.start, run=event.run, parent=event.parent)
        self.series.truncate(event.epoch, event.batch)
        self._preview.show_run(
            recipe_from_json(json.dumps(self.start.recipe)),
            self.start.batches_per_epoch,
            [e.metrics() for e in event.history],
        )
        self._log.retell(event.interventions)
        self.progress.at(event.epoch, event.batch)
        self.change.renew()  # the plan in force may be an older one again
        self._clock.poke()

    def _on_end(self, event: EndEvent) -> None:
        window = self._window
        if self._loading:
            self.unload()
            return
        self._log.tell(event)
        self.end = event
        self.change.close()
        window.lr_panel.set_enabled_because(tr("The run has ended."))
        if event.reason == "stopped" and event.checkpoint and self._lrs is not None:
            window.action_line.show_saved(event.checkpoint)
            window.banner.show_stopped(run_text.stopped(event.epoch, self._lrs.epochs))
        elif event.reason == "finished" and self.progress.val_accuracy is not None:
            assert self._lrs is not None
            text = run_text.finished(self.progress.val_accuracy, self._lrs.epochs)
            window.banner.show_finished(
                text, run_text.more_epochs(self._beyond or self._lrs.lr), 10 if event.checkpoint else 0
            )
        self._clock.poke()

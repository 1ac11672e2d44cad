"""From intent to command, and from event to the widget that shows it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut

from engine.messages.commands import Pause, Resume, RunEpoch, ScaleLR, SetLR, Start, Stop
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
from gui.core import run_text
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
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
        current_run: CurrentRun,
        preview: Preview,
        log_controller: LogController,
        clock: FrameClock,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._current_run, self._model = window, current_run, current_run.model
        self._preview, self._log, self._clock = preview, log_controller, clock
        self._shown = False
        progress = Progress(window, current_run)
        self.change = PendingChange(window, current_run, preview, self)
        window.plots.set_history(self._model.history)
        for paint in window.plots.paints():
            clock.register(paint)
        clock.register(progress.paint)
        self._model.changed.connect(self._on_changed)
        # Not to the LR range test, which has a window of its own.
        current_run.listen(self._on_loading, LoadingEvent)
        current_run.listen(self._on_start, StartEvent)
        current_run.listen(self._on_state, StateEvent)
        current_run.listen(lambda _: clock.poke(), StepsEvent)
        current_run.listen(self._on_epoch, EpochEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(self._on_lr, LREvent)
        current_run.listen(self._on_saved, SavedEvent)
        current_run.listen(self._on_branch, BranchEvent)
        current_run.listen(log_controller.tell, ScheduleEvent, WarningEvent, DivergedEvent)
        current_run.listen(self._on_end, EndEvent)
        self._connect()

    def _forget(self) -> None:
        """No run is shown any more: a new one is being set up."""
        self._log.forget()
        self.change.forget()
        self._window.lr_panel.clear()
        self._clock.poke()

    # -- intents

    def _connect(self) -> None:
        window, post = self._window, self._current_run.post
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
        if self._model.state == "ready" and self._model.shown:  # a run that was loaded and stands ready
            self._resume()

    def _resume(self) -> None:
        self._window.banner.clear()
        self._current_run.post(Start() if self._model.state == "ready" else Resume())

    def _run_epoch(self) -> None:
        if self._current_run.active and not self._model.loading:
            self._current_run.post(RunEpoch())

    def _group_chosen(self, group: str | None) -> None:
        names = self._model.groups
        self._window.plots.lr.set_active_group(names.index(group) if group in names else None)

    # -- events

    def _on_loading(self, event: LoadingEvent) -> None:
        self._window.transport.show_loading(said(event.what), event.done, event.total)

    def _on_start(self, event: StartEvent) -> None:
        window, model = self._window, self._model
        assert model.recipe is not None
        window.banner.clear()
        window.start_page.hide()
        window.show_name(event.name, event.name)
        window.device.setText(event.device)
        job = self._current_run.job
        window.setup.set_running(run_text.summary(model.recipe, event, job.lines if job is not None else ()))
        window.fold(True)
        window.plots.set_epochs(event.epochs)
        window.plots.set_group_names(event.groups)
        window.schedule.set_group_names(event.groups)
        self._preview.show_run(model.recipe, event.batches_per_epoch, [e.metrics() for e in event.history])
        self.change.forget()
        self._log.begin(event, model.continued)
        window.lr_panel.set_enabled_because(None)
        window.show_side(window.lr_panel)
        self._clock.poke()

    def _on_changed(self) -> None:
        """Show the state that the run is in."""
        before, self._shown, state = self._shown, self._model.shown, self._model.state
        if before and not self._shown:
            self._forget()
        self._window.transport.show_state(state)
        self._window.chip.show_state(state)
        self._clock.set_mode("training" if state == "training" else "free")
        self.change.show_state()

    def _on_state(self, event: StateEvent) -> None:
        if not self._model.loading:  # else it ends while it is loaded; the end says the rest
            self._clock.hurry()

    def _on_epoch(self, event: EpochEvent) -> None:
        self._preview.add_metrics(event.metrics())
        self._clock.poke()

    def _on_command(self, event: CommandEvent) -> None:
        self._clock.hurry()
        if self._model.loading:
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
        window = self._window
        window.plots.set_epochs(event.epochs)
        self._preview.show_lrs(event)
        self.change.show_lrs(event)
        self._clock.poke()

    def _on_saved(self, event: SavedEvent) -> None:
        self._log.tell(event)
        if event.kind == "asked":
            self._window.action_line.show_saved(event.path)
            self._clock.hurry()

    def _on_branch(self, event: BranchEvent) -> None:
        assert self._model.recipe is not None
        self._preview.show_run(self._model.recipe, self._model.batches_per_epoch, [e.metrics() for e in event.history])
        self._log.retell(event.interventions)
        self.change.renew()  # the current schedule may be an older one again
        self._clock.poke()

    def _on_end(self, event: EndEvent) -> None:
        window, model = self._window, self._model
        if model.end is not event:
            return  # it was not loaded
        self._log.tell(event)
        self.change.close()
        window.lr_panel.set_enabled_because(tr("The run has ended."))
        if event.reason == "stopped" and event.checkpoint and model.lrs is not None:
            window.action_line.show_saved(event.checkpoint)
            window.banner.show_stopped(run_text.stopped(event.epoch, model.epochs))
        elif event.reason == "finished" and model.val_accuracy is not None:
            assert model.current_lrs is not None
            text = run_text.finished(model.val_accuracy, model.epochs)
            window.banner.show_finished(
                text, run_text.more_epochs(model.lr_beyond or model.current_lrs.lr), 10 if event.checkpoint else 0
            )
        self._clock.poke()

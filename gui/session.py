"""From intent to command, and from event to the widget that shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut

from engine.commands import Pause, Resume, RunEpoch, Save, ScaleLR, SetLR, Start, Stop
from engine.events import (
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    EpochEvent,
    LoadingEvent,
    PlanEvent,
    RateEvent,
    SavedEvent,
    StartEvent,
    StateEvent,
    StepsEvent,
    WarningEvent,
)
from engine.lifecycle import State
from engine.recipe import recipe_from_json
from gui import run_words
from gui.change import PendingChange
from gui.frames import FrameClock
from gui.preview import Preview
from gui.progress import Progress
from gui.runs import Runs
from gui.series import RunSeries
from gui.story import Story
from gui.window import Window
from gui.words import said, tr


class Session(QObject):
    """One run in the window, from its loading to its end."""

    def __init__(
        self,
        window: Window,
        runs: Runs,
        preview: Preview,
        story: Story,
        clock: FrameClock,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._runs, self._preview, self._story, self._clock = window, runs, preview, story, clock
        self.series = RunSeries(lambda: runs.when)  # events are shown some at a time
        self.progress = Progress(window)
        self.change = PendingChange(window, runs, preview, self.progress, self)
        self.state: State = "ready"
        self.start: StartEvent | None = None
        self.end: EndEvent | None = None
        self._loading = False
        self._rates: RateEvent | None = None
        self._beyond: list[float] = []
        window.plots.set_series(self.series)
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
        runs.listen(self._on_rate, RateEvent)
        runs.listen(self._on_saved, SavedEvent)
        runs.listen(self._on_branch, BranchEvent)
        runs.listen(story.tell, PlanEvent, WarningEvent, DivergedEvent)
        runs.listen(self._on_end, EndEvent)
        self._connect()

    @property
    def snapshot(self) -> Path | None:
        """The file that holds the run as it ended; None where none has, or none was written."""
        return Path(self.end.snapshot) if self.end is not None and self.end.snapshot else None

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
        self.start, self.end, self._rates = None, None, None
        self.state, self._loading = "ready", False
        self.series.clear()
        self.progress.clear()
        self._story.forget()
        self.change.forget()
        self._window.hand.clear()
        self._clock.poke()

    def save(self, path: str | None) -> None:
        """Save the run's state to ``path``, or to a place named by itself; the answer comes as an event."""
        self._runs.post(Save(path=path))

    # -- intents

    def _connect(self) -> None:
        window, post = self._window, self._runs.post
        transport, hand = window.transport, window.hand
        transport.start.connect(self._start)
        transport.pause.connect(lambda: post(Pause()))
        transport.resume.connect(self._resume)
        transport.run_epoch.connect(self._run_epoch)
        transport.finish.connect(lambda: post(Stop()))
        hand.command_wanted.connect(post)
        hand.group_chosen.connect(self._group_chosen)
        hand.schedule_wanted.connect(lambda: window.show_side(window.schedule))
        QShortcut(QKeySequence(Qt.Key.Key_Escape), window).activated.connect(self.change.drop)
        window.plots.dragged.connect(hand.stage_lr)
        window.plots.dragging.connect(self._clock.set_dragging)
        window.plots.touched.connect(self._clock.poke)
        self._preview.drawn.connect(self._clock.hurry)
        self._story.put_back_wanted.connect(post)

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
        self._window.plots.rate.set_active_group(names.index(group) if group in names else None)

    # -- events

    def _on_loading(self, event: LoadingEvent) -> None:
        self._window.transport.show_loading(said(event.what), event.done, event.total)

    def _on_start(self, event: StartEvent) -> None:
        window, goes_on = self._window, self._goes_on(event)
        self._loading = False
        self.start, self.end, self._rates = event, None, None
        recipe = recipe_from_json(json.dumps(event.recipe))
        window.banner.clear()
        window.start_page.hide()
        window.show_name(event.name, event.name)
        window.device.setText(event.device)
        job = self._runs.job
        window.setup.set_running(run_words.summary(recipe, event, job.lines if job is not None else ()))
        window.fold(True)
        window.plots.set_epochs(event.epochs)
        window.plots.set_group_names(event.groups)
        window.schedule.set_group_names(event.groups)
        if not goes_on:
            self.series.restore(event.history, event.batches_per_epoch, event.steps)
        self.progress.begin(event, recipe.data.batch_size)
        self._preview.show_run(recipe, event.batches_per_epoch, [e.metrics() for e in event.history])
        self.change.forget()
        self._story.begin(event, goes_on)
        window.hand.set_enabled_because(None)
        window.show_side(window.hand)
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
        self._story.tell(event)
        hand = self._window.hand
        if event.status == "queued":
            return
        if event.name in ("set_lr", "scale_lr", "release_lr"):
            hand.show_warning(event.reason or event.warning)
            if event.hold:
                kind = SetLR if event.name == "set_lr" else ScaleLR
                hand.offer_hold(kind.model_validate(event.command))
        elif event.name == "set_schedule":
            self.change.answered(event)
        elif event.name == "save" and event.status == "rejected":
            self._window.banner.show_failure(tr("{reason}", reason=said(event.reason or "")))

    def _on_rate(self, event: RateEvent) -> None:
        if event.epoch > event.epochs and self._rates is not None:
            self._beyond = event.lr  # what the last epoch trained with stays in sight
            return
        self._rates = event
        self.progress.rates(event)
        window = self._window
        window.plots.set_epochs(event.epochs)
        window.hand.show_rates(event.groups, event.lr, event.plan, event.holding, event.touched)
        self._preview.show_rates(event)
        self.change.show_rates(event)
        self._clock.poke()

    def _on_saved(self, event: SavedEvent) -> None:
        self._story.tell(event)
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
        self._story.retell(event.hand)
        self.progress.at(event.epoch, event.batch)
        self.change.renew()  # the plan in force may be an older one again
        self._clock.poke()

    def _on_end(self, event: EndEvent) -> None:
        window = self._window
        if self._loading:
            self.unload()
            return
        self._story.tell(event)
        self.end = event
        self.change.close()
        window.hand.set_enabled_because(tr("The run has ended."))
        if event.reason == "stopped" and event.snapshot and self._rates is not None:
            window.action_line.show_saved(event.snapshot)
            window.banner.show_stopped(run_words.stopped(event.epoch, self._rates.epochs))
        elif event.reason == "finished" and self.progress.val_accuracy is not None:
            assert self._rates is not None
            text = run_words.finished(self.progress.val_accuracy, self._rates.epochs)
            window.banner.show_finished(
                text, run_words.more_epochs(self._beyond or self._rates.lr), 10 if event.snapshot else 0
            )
        self._clock.poke()

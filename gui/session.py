"""From intent to command, and from event to the widget that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from engine.commands import At, Pause, Resume, Rewind, RunEpoch, Save, ScaleLR, SetSchedule, Start, Stop, Withdraw
from engine.events import (
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    EpochEvent,
    Event,
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
from engine.recipe import OptimizerSpec, Recipe, recipe_from_json
from engine.schedules import AnySchedule
from engine.spec import parse
from gui.frames import FrameClock
from gui.panels.slider import rate_text
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
        self.series = RunSeries()
        self.progress = Progress(window)
        self.state: State = "ready"
        self.start: StartEvent | None = None
        self.end: EndEvent | None = None
        self._rates: RateEvent | None = None
        self._waiting: int | None = None  # the command with a new plan that waits for the next epoch
        self._withdrawn: set[int] = set()
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            LoadingEvent: self._on_loading,
            StartEvent: self._on_start,
            StateEvent: self._on_state,
            StepsEvent: self._on_steps,
            EpochEvent: self._on_epoch,
            CommandEvent: self._on_command,
            PlanEvent: story.tell,
            RateEvent: self._on_rate,
            SavedEvent: self._on_saved,
            BranchEvent: self._on_branch,
            WarningEvent: story.tell,
            DivergedEvent: self._on_diverged,
            EndEvent: self._on_end,
        }
        window.plots.set_series(self.series)
        clock.register(window.plots.refresh)
        clock.register(self.progress.paint)
        runs.happened.connect(self.show)
        self._connect()

    def show(self, event: Event) -> None:
        """Show what an event brought."""
        self._handlers[type(event)](event)

    # -- intents

    def _connect(self) -> None:
        window, post = self._window, self._runs.post
        transport, hand, schedule, banner = window.transport, window.hand, window.schedule, window.banner
        transport.pause.connect(lambda: post(Pause()))
        transport.resume.connect(self._resume)
        transport.run_epoch.connect(self._run_epoch)
        transport.finish.connect(lambda: post(Stop()))
        hand.command_wanted.connect(post)
        hand.staged.connect(self._preview.set_pending)
        hand.group_chosen.connect(self._group_chosen)
        hand.schedule_wanted.connect(lambda: window.show_side(schedule))
        schedule.pending_changed.connect(self._pending_schedule)
        schedule.apply_requested.connect(self._apply_schedule)
        schedule.drop_requested.connect(self._drop_schedule)
        window.plots.dragged.connect(hand.stage_lr)
        window.plots.dragging.connect(self._clock.set_dragging)
        window.plots.touched.connect(self._clock.poke)
        self._preview.drawn.connect(self._clock.hurry)
        banner.back_wanted.connect(self._back)
        banner.go_on_wanted.connect(self._resume)
        banner.stop_wanted.connect(lambda: post(Stop()))
        self._story.put_back_wanted.connect(post)

    def forget(self) -> None:
        """There is no run any more: a new one is being set up."""
        self.start, self.end, self._rates, self.state = None, None, None, "ready"
        self.series.clear()
        self._window.plots.clear_markers()
        self._window.action_line.clear()
        self._clock.poke()

    def save(self, path: str | None) -> None:
        """Save the run's state to ``path``, or to a place named by itself; the answer comes as an event."""
        self._runs.post(Save(path=path))

    def _resume(self) -> None:
        self._window.banner.clear()
        self._runs.post(Start() if self.state == "ready" else Resume())

    def _run_epoch(self) -> None:
        if self._runs.active:
            self._runs.post(RunEpoch())

    def _back(self, epoch: int) -> None:
        self._runs.post(Rewind(epoch=epoch))
        self._runs.post(ScaleLR(factor=0.1))
        self._runs.post(Resume())

    def _group_chosen(self, group: str | None) -> None:
        names = self.start.groups if self.start else []
        self._window.plots.rate.set_active_group(names.index(group) if group in names else None)

    def _pending_schedule(self, command: SetSchedule | None) -> None:
        confirmed = self._schedule_in_force()
        if command is not None and (
            command.schedule != confirmed or command.start == "replay" or command.lr is not None
        ):
            self._preview.set_pending(command, self._next_epoch(command))
        else:
            self._preview.set_pending(None)

    def _apply_schedule(self, command: SetSchedule) -> None:
        self._withdraw()
        at = self._next_epoch(command)
        number = self._runs.post(command, At(epoch=at[0], batch=at[1]) if at else None)
        if at is not None:
            self._waiting = number
            self._window.schedule.show_waiting(
                tr("Sent: it begins with epoch {epoch}. Drop takes it back.", epoch=at[0])
            )

    def _drop_schedule(self) -> None:
        self._withdraw()
        self._preview.set_pending(None)

    def _withdraw(self) -> None:
        """Take back the new plan that waits for the next epoch, if there is one."""
        if self._waiting is not None:
            self._runs.post(Withdraw(id=self._waiting))
            self._withdrawn.add(self._waiting)
            self._waiting = None
            self._window.schedule.show_waiting(None)

    def _next_epoch(self, command: SetSchedule) -> tuple[int, int] | None:
        """Where a new plan begins: at the next epoch's start if it counts epochs and the run is in mid-epoch."""
        epoch, batch = self.progress.position
        once = self._window.schedule.pending.at_once() or command.schedule.interval == "step"
        if once or self._rates is None or epoch >= self._rates.epochs or not (batch or self.state == "training"):
            return None
        return epoch + 1, 0

    def _schedule_in_force(self) -> Any:
        if self._rates is None:
            return None
        return parse(AnySchedule, self._rates.state["groups"][0]["plan"]["spec"])

    # -- events

    def _on_loading(self, event: LoadingEvent) -> None:
        self._window.transport.show_loading(said(event.what), event.done, event.total)

    def _on_start(self, event: StartEvent) -> None:
        window = self._window
        self.start, self.end, self._rates = event, None, None
        recipe = recipe_from_json(json.dumps(event.recipe))
        window.banner.clear()
        window.start_page.hide()
        window.show_name(event.name, event.name)
        window.device.setText(event.device)
        window.setup.set_running(_summary(recipe, event))
        window.fold(True)
        window.plots.set_epochs(event.epochs)
        window.plots.set_group_names(event.groups)
        window.schedule.set_group_names(event.groups)
        self.series.clear()
        self.series.restore(event.history, event.batches_per_epoch)
        self.progress.begin(event, recipe.data.batch_size)
        self._preview.show_run(recipe, event.batches_per_epoch, [e.metrics() for e in event.history])
        self._story.begin(event)
        window.hand.set_enabled_because(None)
        window.show_side(window.hand)
        self._clock.poke()

    def _on_state(self, event: StateEvent) -> None:
        self.state = event.state
        training = event.state == "training"
        self._window.transport.show_state(event.state)
        self._window.chip.show_state(event.state)
        self._clock.set_mode("training" if training else "free")
        self.series.stand(not training)
        self.progress.at(event.epoch, event.batch)
        self._show_context()
        self._clock.hurry()

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
        self._story.tell(event)
        self._clock.hurry()
        hand = self._window.hand
        if event.status == "queued":
            return
        if event.name in ("set_lr", "scale_lr", "release_lr"):
            hand.show_warning(event.reason or event.warning)
        elif event.name == "set_schedule" and event.id not in self._withdrawn:
            if event.id == self._waiting:
                self._waiting = None
                self._window.schedule.show_waiting(None)
            self._window.schedule.set_problem(said(event.reason) if event.reason else None)
            if event.status == "applied":
                self._preview.set_pending(None)
                self._rates = None  # the next rates bring the new plan into the editor
        elif event.name == "save" and event.status == "rejected":
            self._window.banner.show_failure(tr("Not saved: {reason}", reason=said(event.reason or "")))

    def _on_rate(self, event: RateEvent) -> None:
        first = self._rates is None
        self._rates = event
        self.progress.rates(event)
        window = self._window
        window.plots.set_epochs(event.epochs)
        window.hand.show_rates(event.groups, event.lr, event.plan, event.holding, event.touched)
        self._show_context()
        if first:
            window.schedule.set_schedule(self._schedule_in_force())
        self._preview.show_rates(event)
        self._clock.poke()

    def _show_context(self) -> None:
        """Tell the schedule editor where a new plan would begin: here, or at the start of the next epoch."""
        if self._rates is None:
            return
        epoch, batch = self.progress.position
        done = epoch if batch or self.state == "training" else epoch - 1
        schedule = self._window.schedule
        schedule.set_context(self._rates.epochs, done, self._rates.lr[0], True)
        schedule.pending.offer_epoch(done + 1 if epoch <= done < self._rates.epochs else None)

    def _on_saved(self, event: SavedEvent) -> None:
        self._story.tell(event)
        if event.kind == "asked":
            self._window.action_line.show_saved(event.path)
            self._clock.hurry()

    def _on_branch(self, event: BranchEvent) -> None:
        assert self.start is not None
        self.series.truncate(event.epoch, event.batch)
        self._preview.show_run(
            recipe_from_json(json.dumps(self.start.recipe)),
            self.start.batches_per_epoch,
            [e.metrics() for e in event.history],
        )
        self._story.retell(event.hand)
        self.progress.at(event.epoch, event.batch)
        self._clock.poke()

    def _on_diverged(self, event: DivergedEvent) -> None:
        self._story.tell(event)
        text = tr("{what}.", what=said(event.text)[:1].upper() + said(event.text)[1:])
        self._window.banner.show_diverged(text, event.epoch - 1 if event.batch else max(0, event.epoch - 2))

    def _on_end(self, event: EndEvent) -> None:
        self._story.tell(event)
        self.end = event
        window = self._window
        self._clock.set_mode("free")
        reason = tr("The run has ended.")
        window.hand.set_enabled_because(reason)
        self._preview.set_pending(None)
        if event.reason == "failed":
            self.state = "failed"
            window.chip.show_state("failed")
            window.banner.show_failure(said(event.text or tr("The run failed.")), event.details)
        elif event.reason == "finished" and self.progress.val_accuracy is not None:
            more = 10 if event.snapshot else 0
            window.banner.show_finished(self._finished_words(), self._next_words(), more)
        self._clock.poke()

    def _finished_words(self) -> str:
        accuracy = self.progress.val_accuracy
        assert self._rates is not None
        if accuracy is None:
            return tr("Finished after {epochs} epochs.", epochs=self._rates.epochs)
        return tr(
            "Finished: {accuracy} validation accuracy after {epochs} epochs.",
            accuracy=f"{accuracy:.1%}",
            epochs=self._rates.epochs,
        )

    def _next_words(self) -> str:
        assert self._rates is not None
        rates = ", ".join(rate_text(rate) for rate in self._rates.lr)
        return tr("With more epochs the plan goes on at {lr}.", lr=rates)


def _summary(recipe: Recipe, event: StartEvent) -> list[tuple[str, str]]:
    """What the run trains, as names and values."""
    augmented = tr("{name}, augmented", name=recipe.data.name) if recipe.data.augment else recipe.data.name
    summary = [
        (tr("Data set"), augmented),
        (tr("Network"), recipe.model.name),
        (tr("Parameters"), f"{event.parameters:,}"),
        (tr("Optimizer"), tr("{name}, LR {lr}", name=_name(recipe.optimizer), lr=rate_text(recipe.optimizer.lr))),
        (tr("Batch size"), str(recipe.data.batch_size)),
        (tr("Seed"), str(recipe.seed)),
        (tr("Device, precision"), f"{event.device}, {recipe.precision}"),
    ]
    if len(event.groups) > 1:
        sizes = zip(event.groups, event.group_parameters, strict=True)
        summary.append((tr("Groups"), ", ".join(f"{name} ({size:,})" for name, size in sizes)))
    return summary


def _name(spec: OptimizerSpec) -> str:
    return str(spec.model_dump()["name"])

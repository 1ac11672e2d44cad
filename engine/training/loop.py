"""Trains the batches and epochs of one run; knows nothing of commands or the lifecycle."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.common.position import Position
from engine.common.text import Text
from engine.data.batches import EVALUATION_BATCH
from engine.hardware.out_of_memory import fitting
from engine.lr.view import schedule_views
from engine.messages.events import EpochEvent, Event, LREvent, ScheduleEvent, WarningEvent
from engine.messages.schedule_view import ControlState
from engine.models.optimizers import changeable
from engine.training.guard import Divergence
from engine.training.reports import StepReports
from engine.training.run_state import Meter, RunState
from engine.training.step import Sums, evaluate


class Loop:
    """Trains ``state`` batch by batch; ``publish`` is called with every event."""

    def __init__(self, state: RunState, publish: Callable[[Event], None]) -> None:
        self.state = state
        self._publish = publish
        self._reports = StepReports()
        self._network = Path(state.recipe.model.name).name

    @property
    def at_epochs_end(self) -> bool:
        """Whether this epoch has no batch left."""
        return self.state.position.batch == self.state.batches.per_epoch

    @property
    def at_runs_end(self) -> bool:
        """Whether the run has no epoch left."""
        return self.state.position.epoch > self.state.epochs

    def batch(self) -> Divergence | None:
        """Train on the next batch. Returns a divergence, if the guard masked its loss."""
        state, at = self.state, self.state.position
        began = time.perf_counter()
        lrs = state.lr_control.current()
        state.lr_control.write(state.optimizer)
        state.meter.add_lrs(lrs)
        with fitting("batch", self._network, state.device, state.recipe.data.batch_size):
            x, y = state.batches.batch(at.epoch, at.batch)
            loss, passed, reduced_scale = state.stepper.step(x, y, state.meter.sums)
        if passed and reduced_scale is None:  # a skipped update is no step of a schedule stepped per batch
            state.lr_control.step_done()
        seconds = time.perf_counter() - began
        state.meter.add_batch(len(y), seconds)
        self._reports.add(at, loss, passed, lrs, len(y), seconds)
        state.position = Position(epoch=at.epoch, batch=at.batch + 1)
        if reduced_scale is not None:
            self._warn_of_overflow(at, reduced_scale)
        if not passed or self._reports.is_time or self.at_epochs_end:
            self.report()
        return None if passed else Divergence(at, state.guard.batch_text(loss, at.epoch, at.batch))

    def _warn_of_overflow(self, at: Position, scale: float) -> None:
        text = Text(
            "float16: the gradients overflowed in epoch {epoch}, batch {batch}, which happens occasionally; that "
            "update was skipped, and losses are scaled by {scale} from now on",
            epoch=at.epoch,
            batch=at.batch,
            scale=scale,
        )
        self._publish(WarningEvent(text=text))

    def report(self) -> None:
        """Publish the batches since the last report."""
        event = self._reports.take()
        if event is None:
            return
        self._publish(event)
        for text in self.state.lr_control.ended():
            self._publish(WarningEvent(text=text))

    def finish_epoch(self) -> Divergence | None:
        """Validate, step the schedules, begin the next epoch. Returns a divergence, if there is one."""
        state, epoch, meter = self.state, self.state.position.epoch, self.state.meter
        began = time.perf_counter()
        train_loss, train_accuracy = meter.sums.means()
        precision = state.recipe.precision
        with fitting("validation", self._network, state.device, EVALUATION_BATCH):
            val_loss, val_accuracy = evaluate(state.model, state.batches.validation(), state.device, precision)
        state.training_mode()
        event = EpochEvent(
            epoch=epoch,
            lr=meter.lr_first,
            lr_min=meter.lr_min,
            lr_max=meter.lr_max,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            seconds=meter.seconds + time.perf_counter() - began,
            images_per_second=meter.images / meter.train_seconds if meter.train_seconds else 0.0,
        )
        state.history.append(event)
        changes = state.lr_control.epoch_done(event.metrics())
        state.meter = Meter(Sums.zero(state.device))
        state.position = Position(epoch=epoch + 1)
        self._publish(event)
        for change in changes if not self.at_runs_end else ():
            self._publish(
                ScheduleEvent(
                    epoch=epoch + 1,
                    batch=0,
                    group=change.group,
                    schedule=change.schedule,
                    old=change.old,
                    new=change.new,
                    text=change.text,
                )
            )
        self.publish_lrs()
        text = state.guard.epoch_text(train_loss, val_loss, epoch)
        return Divergence(Position(epoch=epoch, batch=state.batches.per_epoch), text) if text is not None else None

    def publish_lrs(self) -> None:
        """Publish the current and scheduled LRs, the schedules, and what a preview needs."""
        state, lr = self.state, self.state.lr_control
        lr.write(state.optimizer)  # so that what is published is what the optimizer has
        self._publish(
            LREvent(
                epoch=state.position.epoch,
                batch=state.position.batch,
                epochs=state.epochs,
                groups=state.group_names,
                steps_per_epoch=lr.length.steps_per_epoch,
                lr=lr.current(),
                scheduled=lr.scheduled(),
                holding=[g.hold is not None for g in lr.groups],
                touched=[g.touched for g in lr.groups],
                schedules=schedule_views(lr, state.position),
                control=ControlState(lr.state()),
                frozen=[name in state.frozen for name in state.group_names],
                cycled=[g.scheduled.momentum is not None for g in lr.groups],
                optimizer=[changeable(state.optimizer, group) for group in state.optimizer.param_groups],
            )
        )

"""Batches and epochs of one run: the part of the trainer that trains. Knows nothing of commands or the lifecycle."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from engine.batches import EVALUATION_BATCH
from engine.commands import At
from engine.events import EpochEvent, Event, PlanEvent, RateEvent, WarningEvent
from engine.optimizers import changeable
from engine.report import StepReports
from engine.run_state import Meter, RunState
from engine.shortage import fitting
from engine.step import Sums, evaluate, looking_is_free
from engine.words import Words


class Trouble(NamedTuple):
    """A loss that the guard did not pass, said in words; what stands before ``at`` is not touched by it."""

    at: At
    text: Words


class Loop:
    """Trains ``state`` batch by batch and reports what happened through ``emit``."""

    def __init__(self, state: RunState, emit: Callable[[Event], None]) -> None:
        self.state = state
        self._emit = emit
        self._reports = StepReports()
        self._network = Path(state.recipe.model.name).name

    @property
    def at_epochs_end(self) -> bool:
        """Whether the epoch under way has no batch left."""
        return self.state.position.batch == self.state.batches.per_epoch

    @property
    def at_runs_end(self) -> bool:
        """Whether the run has no epoch left."""
        return self.state.position.epoch > self.state.epochs

    def batch(self) -> Trouble | None:
        """Train on the next batch. Returns the trouble, if some is known of."""
        state, at = self.state, self.state.position
        began = time.perf_counter()
        rates = state.rate.rates()
        state.rate.write(state.optimizer)
        state.meter.note(rates)
        with fitting("batch", self._network, state.device, state.recipe.data.batch_size):
            x, y = state.batches.batch(at.epoch, at.batch)
            loss, passed, overflowed = state.stepper.step(x, y, state.meter.sums)
        # A plan stepped per batch must know at once, whatever it costs: a skipped update skips its step.
        skipped = (looking_is_free(state.device) or state.rate.stepwise) and not bool(passed)
        if not skipped and not overflowed:
            state.rate.step_done()
        seconds = time.perf_counter() - began
        state.meter.add_batch(len(y), seconds)
        self._reports.add(at, loss, passed, rates, len(y), seconds)
        state.position = At(epoch=at.epoch, batch=at.batch + 1)
        if overflowed:
            self._say_overflow(at)
        return self.report() if skipped or self._reports.is_time or self.at_epochs_end else None

    def _say_overflow(self, at: At) -> None:
        assert self.state.stepper.scaler is not None
        text = Words(
            "float16: the gradients overflowed in epoch {epoch}, batch {batch}, as they do now and then; that update "
            "was not made, and losses are scaled by {scale} from here on",
            epoch=at.epoch,
            batch=at.batch,
            scale=self.state.stepper.scaler.scale,
        )
        self._emit(WarningEvent(text=text))

    def report(self) -> Trouble | None:
        """Report the batches since the last report. Returns the trouble that was among them, if there was some."""
        report = self._reports.take()
        if report is None:
            return None
        self._emit(report.event)
        if report.refused is None:
            return None
        epoch, batch = divmod(report.event.batch + report.refused.place, self.state.batches.per_epoch)
        at = At(epoch=report.event.epoch + epoch, batch=batch)
        return Trouble(at, self.state.guard.batch_words(report.refused.loss, at.epoch, at.batch))

    def finish_epoch(self) -> Trouble | None:
        """Validate, let the plans move on, begin the next epoch. Returns the trouble, if there is some."""
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
        cuts = state.rate.epoch_done(event.metrics())
        state.meter = Meter(Sums.zero(state.device))
        state.position = At(epoch=epoch + 1)
        self._emit(event)
        for cut in cuts if not self.at_runs_end else ():
            self._emit(
                PlanEvent(
                    epoch=epoch + 1,
                    batch=0,
                    group=cut.group,
                    schedule=cut.schedule,
                    old=cut.old,
                    new=cut.new,
                    text=cut.text,
                )
            )
        self.say_rates()
        text = state.guard.epoch_words(train_loss, val_loss, epoch)
        return Trouble(At(epoch=epoch, batch=state.batches.per_epoch), text) if text is not None else None

    def say_rates(self) -> None:
        """Tell the rates in force, the plan's, and what is needed to draw the rest of the curve."""
        state, rate = self.state, self.state.rate
        rate.write(state.optimizer)  # so that what is told is what the optimizer has
        self._emit(
            RateEvent(
                epoch=state.position.epoch,
                batch=state.position.batch,
                epochs=state.epochs,
                groups=state.group_names,
                lr=rate.rates(),
                plan=rate.planned(),
                holding=[g.hold is not None for g in rate.groups],
                touched=[g.touched for g in rate.groups],
                state=rate.state(),
                frozen=[name in state.frozen for name in state.group_names],
                cycled=[g.plan.momentum is not None for g in rate.groups],
                optimizer=[changeable(state.optimizer, group) for group in state.optimizer.param_groups],
            )
        )

"""What the window knows of the current run. Free of Qt but for one signal.

It is the only owner of the run's state: ``CurrentRun`` updates it with every event before it calls the listeners, so
controllers and panels read it and keep no copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from PySide6.QtCore import QObject, Signal

from engine.common.errors import IllegalAction
from engine.common.lifecycle import TERMINAL, Action, State, next_state
from engine.common.position import Position
from engine.messages.commands import Intervention
from engine.messages.events import (
    BranchEvent,
    CommandEvent,
    EndEvent,
    EpochEvent,
    Event,
    LREvent,
    StartEvent,
    StateEvent,
    StepsEvent,
)
from engine.recipe.recipe import Recipe
from gui.core.history import RunHistory
from gui.core.run_text import sentence
from gui.core.translation import tr

RECORDED: Final = frozenset(kind.model_fields["command"].default for kind in get_args(Intervention)) - {"save", "stop"}
"""The names of the commands that become part of the run when they are applied."""


def refusal(state: State, action: Action) -> str | None:
    """Why ``action`` is not possible in ``state``, as a sentence; None if it is possible."""
    try:
        next_state(state, action)
    except IllegalAction as error:
        return sentence(str(error))
    return None


class RunModel(QObject):
    """The run that the window shows: none before the first start and after ``forget``.

    A run that is being loaded is shown from its ``StartEvent`` on. Until then the model describes the run before it,
    except that ``state`` is ``loading``.

    Attributes:
        when: when the newest event happened, in seconds of ``time.perf_counter``.
        start: the run's first event, with ``run`` and ``parent`` of the newest branch. None: no run is shown.
        recipe: the run's recipe; None if no run is shown.
        continued: whether the run started at the position of the run shown before it, so that the plots stay valid.
        state: the lifecycle state; ``ready`` if no run is shown.
        loading: whether a run is being loaded, so that its ``StartEvent`` has not come yet.
        position: the next batch. After an epoch's last batch it is the next epoch's first, also past the run's end.
        epochs: the number of epochs.
        images_per_second: of the newest report or epoch, None before the first.
        lrs: the newest event with current and scheduled LRs, of a position within the run (see ``lr_beyond``).
        current_lrs: ``lrs`` with the LRs of the newest batch, if a schedule changes the LR within the epoch. Keeps
            the last batch's LRs when the run is over.
        lr_beyond: the LRs of a further epoch after the run's end, one a group; empty before the end.
        history: every step and epoch so far, as the plots need it.
        epochs_done: the events of the completed epochs of the current branch.
        metrics: the metrics of those epochs, by name, as a schedule can monitor them.
        interventions: the applied commands that are part of the run (see ``RECORDED``), of the current branch.
        queued: the commands without an answer yet, by id.
        end: the run's last event, None while the run is under way.

    Signals:
        changed(): another run is shown, or the state or the end changed. Not for steps, epochs, LRs or commands: use
            ``CurrentRun.listen`` for those.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.when = 0.0
        self.state: State = "ready"
        self.loading = False
        self.continued = False
        self.queued: dict[int, CommandEvent] = {}
        self.history = RunHistory(lambda: self.when)  # the time of the event: several are delivered at once
        self._forget()

    def _forget(self) -> None:
        self.start: StartEvent | None = None
        self.recipe: Recipe | None = None
        self.position = Position(epoch=1)
        self.epochs = 1
        self.images_per_second: float | None = None
        self.lrs: LREvent | None = None
        self.current_lrs: LREvent | None = None
        self.lr_beyond: list[float] = []
        self._of_batch: tuple[Position, list[float]] | None = None  # the newest batch's end and LRs
        self._set_epochs_done(())
        self.interventions: list[CommandEvent] = []
        self.end: EndEvent | None = None

    # -- reading

    @property
    def shown(self) -> bool:
        """Whether a run is shown, and not a recipe that is being set up."""
        return self.start is not None

    @property
    def run(self) -> str:
        """The run's id; empty if no run is shown."""
        return self.start.run if self.start is not None else ""

    @property
    def groups(self) -> Sequence[str]:
        """The names of the parameter groups, in order."""
        return self.start.groups if self.start is not None else ()

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches in an epoch, at least 1."""
        return max(1, self.start.batches_per_epoch) if self.start is not None else 1

    @property
    def mid_epoch(self) -> bool:
        """Whether a command that is posted now is applied within an epoch, and not at its start."""
        return self.position.batch > 0 or self.state == "training"

    @property
    def live_lrs(self) -> LREvent | None:
        """``lrs`` while the run is under way; None before its first, and after the run's end."""
        return self.lrs if self.end is None else None

    @property
    def val_accuracy(self) -> float | None:
        """The validation accuracy (0 to 1) of the newest epoch."""
        return self.epochs_done[-1].val_accuracy if self.epochs_done else None

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint of the run's end; None while the run is under way, or if none was written."""
        return Path(self.end.checkpoint) if self.end is not None and self.end.checkpoint else None

    @property
    def ended_untrained(self) -> bool:
        """Whether the run ended before anything was trained."""
        return self.end is not None and not len(self.history.x) and not len(self.history.epoch_x)

    def epochs_completed(self, position: Position) -> float:
        """``position`` on the plots' axis: epochs completed, with the fraction of the current one."""
        return position.epoch - 1 + position.batch / self.batches_per_epoch

    def why_not(self, action: Action) -> str | None:
        """Why ``action`` is not possible now, as a sentence; None if it is possible.

        If no run is shown, ``start`` and ``run_epoch`` are possible: they start one.
        """
        if not self.shown and not self.loading and action not in ("start", "run_epoch"):
            return tr("There is no run yet.")
        return refusal(self.state, action)

    # -- updating

    def load(self) -> None:
        """A run is being loaded; the one shown stays until its ``StartEvent``."""
        self.loading = True
        self._set_state("loading")
        self.changed.emit()

    def unload(self) -> None:
        """The run was not loaded: return to the state of the run shown."""
        self.loading = False
        self._set_state("ready" if self.end is None else self.end.reason)
        self.changed.emit()

    def forget(self) -> None:
        """Show no run any more: a new one is being set up."""
        self._forget()
        self.loading, self.continued = False, False
        self.history.clear()
        self._set_state("ready")
        self.changed.emit()

    def update(self, event: Event, when: float | None = None) -> None:
        """Update the model with the run's newest event, which happened at ``when`` (default: with the one before)."""
        if when is not None:
            self.when = when
        match event:
            case StartEvent():
                self._begin(event)
            case CommandEvent():
                self._on_answer(event)
            case EndEvent() if self.loading:
                self.queued.clear()
                self.unload()
            case _ if self.loading:
                return  # events of the loading itself
            case StateEvent():
                self._set_position(event.epoch, event.batch)
                self._set_state(event.state)
                self.changed.emit()
            case StepsEvent():
                self._add_steps(event)
            case EpochEvent():
                self.history.append_epoch(event)
                self.epochs_done.append(event)
                self.metrics.append(event.metrics())
                self.images_per_second = event.images_per_second
                self._set_position(event.epoch + 1, 0)
            case LREvent():
                self._set_lrs(event)
            case BranchEvent():
                self._branch(event)
            case EndEvent():
                self.queued.clear()
                self.end = event
                if event.reason in TERMINAL:
                    self._set_state(event.reason)
                self.changed.emit()

    def _begin(self, event: StartEvent) -> None:
        self.continued = self._continues(event)
        if not self.continued:
            self.history.restore(event.history, event.batches_per_epoch, event.steps)
        self._forget()
        self.start, self.recipe = event, event.recipe
        self.epochs, self.loading = event.epochs, False
        self._set_epochs_done(event.history)
        self.interventions = list(event.interventions)
        self._set_position(event.epoch, event.batch)
        self.changed.emit()

    def _continues(self, event: StartEvent) -> bool:
        before, history = self.start, self.history
        if before is None or before.run != event.run or history.batches_per_epoch != event.batches_per_epoch:
            return False
        start = event.epoch - 1 + event.batch / event.batches_per_epoch
        return abs(history.position - start) < 0.5 / event.batches_per_epoch

    def _set_epochs_done(self, epochs: Sequence[EpochEvent]) -> None:
        self.epochs_done = list(epochs)
        self.metrics = [epoch.metrics() for epoch in epochs]

    def _on_answer(self, event: CommandEvent) -> None:
        if event.status == "queued":
            self.queued[event.id] = event
            return
        self.queued.pop(event.id, None)
        if event.status == "applied" and event.name in RECORDED and not self.loading:
            self.interventions.append(event)

    def _set_position(self, epoch: int, batch: int) -> None:
        complete = batch >= self.batches_per_epoch
        self.position = Position(epoch=epoch + 1) if complete else Position(epoch=epoch, batch=batch)

    def _set_state(self, state: State) -> None:
        self.state = state
        self.history.set_paused(state != "training")

    def _add_steps(self, event: StepsEvent) -> None:
        self.history.append_steps(event, self.batches_per_epoch)
        self.images_per_second = event.images_per_second
        self._set_position(event.epoch, event.batch + len(event.loss))
        if len(event.lr):
            self._of_batch = self.position, event.lr[-1].tolist()
            self.current_lrs = self._as_of_batch()

    def _set_lrs(self, event: LREvent) -> None:
        self.epochs = event.epochs
        if event.epoch > event.epochs and self.lrs is not None:
            self.lr_beyond = event.lr  # lrs stays at the LRs of the last batch
            return
        self.lrs, self.lr_beyond = event, []
        self.current_lrs = self._as_of_batch()
        if self.position < event.position:  # else later batches are reported already
            self._set_position(event.epoch, event.batch)

    def _as_of_batch(self) -> LREvent | None:
        """``lrs``, or if the newest batch is newer, ``lrs`` with the LRs of that batch."""
        lrs = self.lrs
        if lrs is None or self._of_batch is None:
            return lrs
        position, lr = self._of_batch
        if position <= lrs.position or len(lr) != len(lrs.lr) or lr == lrs.lr:
            return lrs
        scheduled_lrs = (
            scheduled if held or not before else scheduled * (now / before)
            for scheduled, held, before, now in zip(lrs.scheduled, lrs.holding, lrs.lr, lr, strict=True)
        )
        return replace(lrs, lr=lr, scheduled=list(scheduled_lrs))

    def _branch(self, event: BranchEvent) -> None:
        assert self.start is not None
        self.start = replace(self.start, run=event.run, parent=event.parent)
        self.history.truncate(event.epoch, event.batch)
        self._set_epochs_done(event.history)
        self.interventions = list(event.interventions)
        self._of_batch, self.current_lrs = None, self.lrs
        self._set_position(event.epoch, event.batch)
        self.changed.emit()

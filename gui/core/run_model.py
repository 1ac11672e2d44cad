"""What the window knows of the current run. Qt-free but for one signal.

The one owner: ``CurrentRun`` updates it with every event before anybody else hears of the event, so controllers and
panels read it and keep no copy.
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
"""The commands, by name, that belong to a run once they are applied."""


def refusal(state: State, action: Action) -> str | None:
    """Why ``action`` is not possible in ``state``, as a sentence; None where it is."""
    try:
        next_state(state, action)
    except IllegalAction as error:
        return sentence(str(error))
    return None


class RunModel(QObject):
    """The run that the window shows; before the first start, and after ``forget``, none.

    A run that is being loaded is not shown before its ``StartEvent``: the one shown until then stays, but for
    ``state``, which is ``loading``.

    Attributes:
        when: when the newest event happened, in seconds of ``time.perf_counter``.
        start: how the run began; ``run`` and ``parent`` in it are those of the newest branch. None: no run is shown.
        recipe: what the run trains; None where ``start`` is.
        continued: whether the run began right where the one shown before it stood: what was drawn still holds.
        state: the lifecycle; ``ready`` where no run is shown.
        loading: a run is being loaded, and its ``StartEvent`` has not come.
        position: the next batch. After an epoch's last batch it is the next epoch's first, past the end included.
        epochs: the number of epochs.
        images_per_second: of the newest report or epoch, None before the first.
        lrs: the newest event with current and scheduled LRs, of a position that is not past the run's end (see
            ``lr_beyond``).
        current_lrs: the same as of the newest batch, where a schedule moves the LR within the epoch. What the last
            batch trained with stays when the run is over.
        lr_beyond: the LRs with which more epochs would go on, one a group; empty before the run's end.
        history: every step and epoch so far, as the plots need it.
        epochs_done: the events of the epochs that ended, on the branch that the run is on.
        interventions: the applied commands that belong to the run (see ``RECORDED``), on that branch, in order.
        queued: the commands that wait for their answer, by id.
        end: how the run ended, None while it goes on.

    Signals:
        changed(): which run is shown, its state, or its end is another. Not for steps, epochs, LRs or commands: those
            are events to listen to (``CurrentRun.listen``).
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.when = 0.0
        self.state: State = "ready"
        self.loading = False
        self.continued = False
        self.queued: dict[int, CommandEvent] = {}
        self.history = RunHistory(lambda: self.when)  # events are delivered some at a time
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
        self._of_batch: tuple[Position, list[float]] | None = None  # after the newest batch, the LRs that it had
        self.epochs_done: list[EpochEvent] = []
        self.interventions: list[CommandEvent] = []
        self.end: EndEvent | None = None

    # -- what is known

    @property
    def shown(self) -> bool:
        """Whether a run is shown, rather than a recipe that is being set up."""
        return self.start is not None

    @property
    def run(self) -> str:
        """The run's id; empty where no run is shown."""
        return self.start.run if self.start is not None else ""

    @property
    def groups(self) -> Sequence[str]:
        """The names of the parameter groups, in order."""
        return self.start.groups if self.start is not None else ()

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has, at least 1."""
        return max(1, self.start.batches_per_epoch) if self.start is not None else 1

    @property
    def mid_epoch(self) -> bool:
        """Whether an epoch is under way by the time that a command posted now arrives."""
        return self.position.batch > 0 or self.state == "training"

    @property
    def val_accuracy(self) -> float | None:
        """The validation accuracy (0 to 1) of the newest epoch."""
        return self.epochs_done[-1].val_accuracy if self.epochs_done else None

    @property
    def checkpoint(self) -> Path | None:
        """The file that holds the run as it ended; None where it goes on, or none was written."""
        return Path(self.end.checkpoint) if self.end is not None and self.end.checkpoint else None

    @property
    def ended_untrained(self) -> bool:
        """Whether the run ended before anything was trained."""
        return self.end is not None and not len(self.history.x) and not len(self.history.epoch_x)

    def epochs_completed(self, position: Position) -> float:
        """``position`` on the plots' axis: epochs completed, with the share of the one under way."""
        return position.epoch - 1 + position.batch / self.batches_per_epoch

    def why_not(self, action: Action) -> str | None:
        """Why ``action`` is not possible now, as a sentence; None where it is.

        Where no run is shown, ``start`` and ``run_epoch`` are possible: they begin one.
        """
        if not self.shown and not self.loading and action not in ("start", "run_epoch"):
            return tr("There is no run yet.")
        return refusal(self.state, action)

    # -- what moves it

    def load(self) -> None:
        """A run is about to be loaded; the one shown stays until it is."""
        self.loading = True
        self._move("loading")
        self.changed.emit()

    def unload(self) -> None:
        """It was not loaded after all: the state is again that of the run shown."""
        self.loading = False
        self._move("ready" if self.end is None else self.end.reason)
        self.changed.emit()

    def forget(self) -> None:
        """No run is shown any more: a new one is being set up."""
        self._forget()
        self.loading, self.continued = False, False
        self.history.clear()
        self._move("ready")
        self.changed.emit()

    def update(self, event: Event, when: float | None = None) -> None:
        """Take in the newest event of the run, which happened at ``when`` (the time before, by default)."""
        if when is not None:
            self.when = when
        match event:
            case StartEvent():
                self._begin(event)
            case CommandEvent():
                self._answer(event)
            case EndEvent() if self.loading:
                self.queued.clear()
                self.unload()
            case _ if self.loading:
                return  # what the thread says of itself while a run is loaded
            case StateEvent():
                self._place(event.epoch, event.batch)
                self._move(event.state)
                self.changed.emit()
            case StepsEvent():
                self._add_steps(event)
            case EpochEvent():
                self.history.append_epoch(event)
                self.epochs_done.append(event)
                self.images_per_second = event.images_per_second
                self._place(event.epoch + 1, 0)
            case LREvent():
                self._set_lrs(event)
            case BranchEvent():
                self._branch(event)
            case EndEvent():
                self.queued.clear()
                self.end = event
                if event.reason in TERMINAL:
                    self._move(event.reason)
                self.changed.emit()

    def _begin(self, event: StartEvent) -> None:
        self.continued = self._continues(event)
        if not self.continued:
            self.history.restore(event.history, event.batches_per_epoch, event.steps)
        self._forget()
        self.start, self.recipe = event, event.recipe
        self.epochs, self.loading = event.epochs, False
        self.epochs_done, self.interventions = list(event.history), list(event.interventions)
        self._place(event.epoch, event.batch)
        self.changed.emit()

    def _continues(self, event: StartEvent) -> bool:
        before, history = self.start, self.history
        if before is None or before.run != event.run or history.batches_per_epoch != event.batches_per_epoch:
            return False
        at = event.epoch - 1 + event.batch / event.batches_per_epoch
        return abs(history.position - at) < 0.5 / event.batches_per_epoch

    def _answer(self, event: CommandEvent) -> None:
        if event.status == "queued":
            self.queued[event.id] = event
            return
        self.queued.pop(event.id, None)
        if event.status == "applied" and event.name in RECORDED and not self.loading:
            self.interventions.append(event)

    def _place(self, epoch: int, batch: int) -> None:
        whole = batch >= self.batches_per_epoch
        self.position = Position(epoch=epoch + 1) if whole else Position(epoch=epoch, batch=batch)

    def _move(self, state: State) -> None:
        self.state = state
        self.history.stand(state != "training")

    def _add_steps(self, event: StepsEvent) -> None:
        self.history.append_steps(event, self.batches_per_epoch)
        self.images_per_second = event.images_per_second
        self._place(event.epoch, event.batch + len(event.loss))
        if len(event.lr):
            self._of_batch = self.position, event.lr[-1].tolist()
            self.current_lrs = self._as_of_batch()

    def _set_lrs(self, event: LREvent) -> None:
        self.epochs = event.epochs
        if event.epoch > event.epochs and self.lrs is not None:
            self.lr_beyond = event.lr  # what the last batch trained with stays in sight
            return
        self.lrs, self.lr_beyond = event, []
        self.current_lrs = self._as_of_batch()
        if self.position < event.position:  # else batches were reported sooner
            self._place(event.epoch, event.batch)

    def _as_of_batch(self) -> LREvent | None:
        """``lrs`` with the LRs of the newest batch, if that is newer."""
        lrs = self.lrs
        if lrs is None or self._of_batch is None:
            return lrs
        at, lr = self._of_batch
        if at <= lrs.position or len(lr) != len(lrs.lr) or lr == lrs.lr:
            return lrs
        scheduled = (
            planned if held or not before else planned * (now / before)
            for planned, held, before, now in zip(lrs.scheduled, lrs.holding, lrs.lr, lr, strict=True)
        )
        return replace(lrs, lr=lr, scheduled=list(scheduled))

    def _branch(self, event: BranchEvent) -> None:
        assert self.start is not None
        self.start = replace(self.start, run=event.run, parent=event.parent)
        self.history.truncate(event.epoch, event.batch)
        self.epochs_done, self.interventions = list(event.history), list(event.interventions)
        self._of_batch, self.current_lrs = None, self.lrs
        self._place(event.epoch, event.batch)
        self.changed.emit()

"""Applies interventions to a run, except those that concern its files, branches and end."""

from __future__ import annotations

from typing import Protocol

from torch.optim import Optimizer

from engine.common.errors import Rejected
from engine.common.position import Position
from engine.common.progress import IsCancelled
from engine.common.text import Text
from engine.lr import momentum
from engine.lr.control import LRControl
from engine.messages.commands import (
    Freeze,
    Intervention,
    Note,
    ReleaseLR,
    Rewind,
    ScaleLR,
    SetEpochs,
    SetLR,
    SetOptimizer,
    SetSchedule,
    Unfreeze,
)
from engine.messages.events import CommandEvent
from engine.messages.notes import referenced
from engine.models.optimizers import change

CHANGES = (SetLR, ScaleLR, ReleaseLR, SetSchedule, SetOptimizer, Freeze, Unfreeze, SetEpochs)


class Steerable(Protocol):
    """What interventions need of a run; ``RunState`` has all of it."""

    lr_control: LRControl
    optimizer: Optimizer
    position: Position
    interventions: list[CommandEvent]
    group_names: list[str]
    frozen: set[str]

    def metrics(self) -> list[dict[str, float]]:
        """The metrics of each epoch so far."""

    def freeze(self, name: str, frozen: bool = True) -> None:
        """Stop training a group, or train it again."""


def apply(intervention: Intervention, state: Steerable, cancelled: IsCancelled = lambda: False) -> Text | None:
    """Apply ``intervention`` to ``state``; returns a warning for the person, or None.

    Raises:
        Rejected: it cannot be applied, and nothing was changed; says why.
        Cancelled: ``cancelled``, which is asked where that takes long, returned true; nothing was changed.
    """
    match intervention:
        case SetEpochs():
            check_length(intervention.epochs, state.position, state.lr_control)
            return state.lr_control.set_epochs(intervention.epochs)
        case Note():
            if intervention.about is not None and referenced(intervention.about, state.interventions) is None:
                raise Rejected(
                    Text(
                        "the note is about an intervention at epoch {epoch}, batch {batch}, and there is none",
                        batch=intervention.about.batch,
                        epoch=intervention.about.epoch,
                    )
                )
            return None
    check_not_over(state.position, state.lr_control)
    match intervention:
        case SetLR() | ScaleLR() | ReleaseLR() | SetSchedule():
            if isinstance(intervention, SetSchedule) and intervention.schedule.cycles_momentum():
                live = state.optimizer.param_groups
                momentum.check_can_cycle([live[i] for i in _chosen(intervention.group, state)], state.optimizer)
            warning = state.lr_control.apply(intervention, state.metrics(), cancelled)
            state.lr_control.write(state.optimizer)
            return warning
        case SetOptimizer():
            chosen = state.lr_control.chosen(intervention.group)
            momentum.check_free(chosen, intervention.changes())
            change(state.optimizer, intervention.changes(), _chosen(intervention.group, state))
            momentum.remember(chosen, intervention.changes())
        case Freeze() | Unfreeze():
            _freeze(intervention.group, isinstance(intervention, Freeze), state)
        case _:
            raise AssertionError(f"{intervention.command} is applied elsewhere")
    return None


def check_not_over(at: Position, lr_control: LRControl) -> None:
    """Check that a run with ``lr_control`` has something left to train ``at`` its position.

    Raises:
        Rejected: it is at its end.
    """
    if at.epoch > lr_control.length.epochs:
        epochs = lr_control.length.epochs
        raise Rejected(Text("the run is at its end (epoch {epochs}); raise the number of epochs first", epochs=epochs))


def check_length(epochs: int, at: Position, lr_control: LRControl) -> None:
    """Check that a run with ``lr_control``, ``at`` its position, can be made ``epochs`` long.

    Raises:
        Rejected: it is further already, or has that length.
    """
    least = max(1, at.epoch if at.batch else at.epoch - 1)
    if epochs < least:
        raise Rejected(Text("epoch {least} is reached already; epochs must be at least that", least=least))
    if epochs == lr_control.length.epochs:
        raise Rejected(Text("the run has {epochs} epochs already", epochs=epochs))


def target_of(rewind: Rewind) -> Position:
    """The position that ``rewind`` goes back to."""
    return Position(epoch=rewind.epoch + 1, batch=rewind.batch or 0)


def check_behind(target: Position, now: Position, batches: int) -> None:
    """Check that a run at ``now``, with epochs of ``batches``, can go back to ``target``.

    Raises:
        Rejected: it is not before ``now``, or there is no such batch.
    """
    if not target < now:
        raise Rejected(Text("{target} is not before {now}, where the run is", target=target, now=now))
    problem = no_such_batch(target, batches)
    if problem is not None:
        raise Rejected(problem)


def no_such_batch(at: Position, batches: int) -> Text | None:
    """Why there is no position ``at`` in epochs of ``batches``, or None where there is."""
    if at.batch < batches:
        return None
    return Text("there is no batch {batch}: an epoch has batches 0 to {last}", batch=at.batch, last=batches - 1)


def _freeze(name: str, frozen: bool, state: Steerable) -> None:
    _chosen(name, state)
    if (name in state.frozen) == frozen:
        how = "frozen" if frozen else "not frozen"
        raise Rejected(Text("group {group} is {how} already", group=name, how=how))
    if frozen and len(state.frozen) + 1 == len(state.group_names):
        raise Rejected(Text("with group {group} frozen too, nothing would be left to train", group=name))
    state.freeze(name, frozen)


def _chosen(group: str | None, state: Steerable) -> list[int]:
    if group is None:
        return list(range(len(state.group_names)))
    if group not in state.group_names:
        names = ", ".join(state.group_names)
        raise Rejected(Text("no group {group!r}; the groups are {names}", group=group, names=names))
    return [state.group_names.index(group)]

"""Acts of the hand on a run, but for those that concern its files and its end."""

from __future__ import annotations

from engine.acts import act_on_rate
from engine.commands import (
    Freeze,
    HandCommand,
    Note,
    ReleaseLR,
    ScaleLR,
    SetEpochs,
    SetLR,
    SetOptimizer,
    SetSchedule,
    Unfreeze,
)
from engine.optimizers import Rejected, change
from engine.run_state import RunState
from engine.words import Words

CHANGES = (SetLR, ScaleLR, ReleaseLR, SetSchedule, SetOptimizer, Freeze, Unfreeze, SetEpochs)


def carry_out(act: HandCommand, state: RunState) -> Words | None:
    """Do ``act`` to ``state``; returns a warning for the person, or None.

    Raises:
        Rejected: it cannot be done, and nothing was changed; says why.
    """
    match act:
        case SetEpochs():
            _set_epochs(act.epochs, state)
            return None
        case Note():
            return None
    if state.position.epoch > state.epochs:
        raise Rejected(
            Words("the run is at its end (epoch {epochs}); raise the number of epochs first", epochs=state.epochs)
        )
    match act:
        case SetLR() | ScaleLR() | ReleaseLR() | SetSchedule():
            warning = act_on_rate(state.rate, act, state.metrics())
            state.rate.write(state.optimizer)
            return warning
        case SetOptimizer():
            change(state.optimizer, act.changes(), _chosen(act.group, state))
        case Freeze() | Unfreeze():
            _freeze(act.group, isinstance(act, Freeze), state)
        case _:
            raise AssertionError(f"{act.command} is not for here")
    return None


def _set_epochs(epochs: int, state: RunState) -> None:
    done = state.position.epoch - 1
    least = max(1, done + 1 if state.position.batch else done)
    if epochs < least:
        raise Rejected(Words("epoch {least} is reached already; epochs must be at least that", least=least))
    if epochs == state.epochs:
        raise Rejected(Words("the run has {epochs} epochs already", epochs=epochs))
    state.rate.set_epochs(epochs)


def _freeze(name: str, frozen: bool, state: RunState) -> None:
    _chosen(name, state)
    if (name in state.frozen) == frozen:
        how = "frozen" if frozen else "not frozen"
        raise Rejected(Words("group {group} is {how} already", group=name, how=how))
    if frozen and len(state.frozen) + 1 == len(state.group_names):
        raise Rejected(Words("with group {group} frozen too, nothing would be left to train", group=name))
    state.freeze(name, frozen)


def _chosen(group: str | None, state: RunState) -> list[int]:
    if group is None:
        return list(range(len(state.group_names)))
    if group not in state.group_names:
        names = ", ".join(state.group_names)
        raise Rejected(Words("no group {group!r}; the groups are {names}", group=group, names=names))
    return [state.group_names.index(group)]

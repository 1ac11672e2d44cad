"""Acts of the hand on a run, but for those that concern its files and its end."""

from __future__ import annotations

from typing import Protocol

from torch.optim import Optimizer

from engine import momentum
from engine.acts import act_on_rate
from engine.commands import (
    At,
    Freeze,
    HandCommand,
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
from engine.events import CommandEvent
from engine.optimizers import Rejected, change
from engine.rate import RateControl
from engine.remarks import meant
from engine.words import Words

CHANGES = (SetLR, ScaleLR, ReleaseLR, SetSchedule, SetOptimizer, Freeze, Unfreeze, SetEpochs)


class Acted(Protocol):
    """What of a run the acts of the hand ask for and change; ``RunState`` has it all."""

    rate: RateControl
    optimizer: Optimizer
    position: At
    hand: list[CommandEvent]
    group_names: list[str]
    frozen: set[str]

    def metrics(self) -> list[dict[str, float]]:
        """The metrics of each epoch so far."""

    def freeze(self, name: str, frozen: bool = True) -> None:
        """Stop training a group, or take it up again."""


def carry_out(act: HandCommand, state: Acted) -> Words | None:
    """Do ``act`` to ``state``; returns a warning for the person, or None.

    Raises:
        Rejected: it cannot be done, and nothing was changed; says why.
    """
    match act:
        case SetEpochs():
            check_length(act.epochs, state.position, state.rate)
            return state.rate.set_epochs(act.epochs)
        case Note():
            if act.about is not None and meant(act.about, state.hand) is None:
                raise Rejected(
                    Words(
                        "the note is about an act before batch {batch} of epoch {epoch}, and there is none",
                        batch=act.about.batch,
                        epoch=act.about.epoch,
                    )
                )
            return None
    check_not_over(state.position, state.rate)
    match act:
        case SetLR() | ScaleLR() | ReleaseLR() | SetSchedule():
            if isinstance(act, SetSchedule) and act.schedule.cycles_momentum():
                live = state.optimizer.param_groups
                momentum.check_can_cycle([live[i] for i in _chosen(act.group, state)], state.optimizer)
            warning = act_on_rate(state.rate, act, state.metrics())
            state.rate.write(state.optimizer)
            return warning
        case SetOptimizer():
            chosen = state.rate.chosen(act.group)
            momentum.check_free(chosen, act.changes())
            change(state.optimizer, act.changes(), _chosen(act.group, state))
            momentum.remember(chosen, act.changes())
        case Freeze() | Unfreeze():
            _freeze(act.group, isinstance(act, Freeze), state)
        case _:
            raise AssertionError(f"{act.command} is not for here")
    return None


def check_not_over(at: At, rate: RateControl) -> None:
    """Know whether a run with ``rate`` has anything left to train ``at``.

    Raises:
        Rejected: it is at its end.
    """
    if at.epoch > rate.length.epochs:
        raise Rejected(
            Words("the run is at its end (epoch {epochs}); raise the number of epochs first", epochs=rate.length.epochs)
        )


def check_length(epochs: int, at: At, rate: RateControl) -> None:
    """Know whether a run with ``rate`` can be made ``epochs`` long ``at`` where it stands.

    Raises:
        Rejected: it is further already, or that long already.
    """
    least = max(1, at.epoch if at.batch else at.epoch - 1)
    if epochs < least:
        raise Rejected(Words("epoch {least} is reached already; epochs must be at least that", least=least))
    if epochs == rate.length.epochs:
        raise Rejected(Words("the run has {epochs} epochs already", epochs=epochs))


def target_of(act: Rewind) -> At:
    """The moment that ``act`` goes back to."""
    return At(epoch=act.epoch + 1, batch=act.batch or 0)


def check_behind(target: At, now: At, batches: int) -> None:
    """Know whether a run that stands at ``now``, with epochs of ``batches``, can go back to ``target``.

    Raises:
        Rejected: it is not behind, or there is no such batch.
    """
    if not target < now:
        raise Rejected(Words("{target} is not behind: the run is at {now}", target=target, now=now))
    problem = no_such_batch(target, batches)
    if problem is not None:
        raise Rejected(problem)


def no_such_batch(at: At, batches: int) -> Words | None:
    """Why nothing can happen ``at`` in epochs of ``batches``, or None where it can."""
    if at.batch < batches:
        return None
    return Words("there is no batch {batch}: an epoch has batches 0 to {last}", batch=at.batch, last=batches - 1)


def _freeze(name: str, frozen: bool, state: Acted) -> None:
    _chosen(name, state)
    if (name in state.frozen) == frozen:
        how = "frozen" if frozen else "not frozen"
        raise Rejected(Words("group {group} is {how} already", group=name, how=how))
    if frozen and len(state.frozen) + 1 == len(state.group_names):
        raise Rejected(Words("with group {group} frozen too, nothing would be left to train", group=name))
    state.freeze(name, frozen)


def _chosen(group: str | None, state: Acted) -> list[int]:
    if group is None:
        return list(range(len(state.group_names)))
    if group not in state.group_names:
        names = ", ".join(state.group_names)
        raise Rejected(Words("no group {group!r}; the groups are {names}", group=group, names=names))
    return [state.group_names.index(group)]

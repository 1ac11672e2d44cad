"""``main.py lr``: the LRs that training would use, without training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from engine.common.errors import Rejected
from engine.common.position import Position
from engine.data.order import batches_in
from engine.data.registry import describe
from engine.lr.control import LRControl
from engine.messages.commands import CommandAt, Intervention, Rewind, Save, Stop
from engine.messages.commands_file import WaitingCommands, command_json
from engine.messages.events import CommandEvent
from engine.models import optimizers
from engine.recipe.recipe import Recipe
from engine.training.apply import apply, check_behind, no_such_batch, target_of


def group_names(recipe: Recipe) -> list[str]:
    """The parameter groups of ``recipe``, in order, found without data and without memory for the network.

    Raises:
        SpecError: a pattern matches nothing.
    """
    if not recipe.groups:
        return ["all"]
    from engine.models import groups, registry  # torchvision loads slowly, and most recipes have one group

    facts = describe(recipe.data)
    network = registry.on_meta(
        recipe.model, channels=facts.channels, height=facts.height, width=facts.width, classes=facts.num_classes
    )
    return [g.name for g in groups.split(network, recipe.groups)]


class DryRun:
    """A run without network and images: all of it that decides the LRs, and which interventions are rejected.

    It has what ``apply`` needs. Each group is one number whose gradient is 0, so that the optimizer has state when a
    real one has.

    Raises:
        SpecError: the recipe cannot be trained.
    """

    def __init__(self, recipe: Recipe, per_epoch: int) -> None:
        self.group_names = group_names(recipe)
        self.lr_control = LRControl.from_recipe(recipe, self.group_names, per_epoch)
        self._numbers = [torch.zeros(1, requires_grad=True) for _ in self.group_names]
        pairs = zip(self._numbers, self.lr_control.current(), strict=True)
        self.optimizer = optimizers.build(recipe.optimizer, [([number], lr) for number, lr in pairs])
        self.position = Position(epoch=1)
        self.interventions: list[CommandEvent] = []
        self.frozen: set[str] = set()
        self._per_epoch = per_epoch
        self._unstepped = True
        for number in self._numbers:
            number.grad = torch.zeros(1)
        for group in recipe.groups:
            if group.frozen:
                self.freeze(group.name)

    def metrics(self) -> list[dict[str, float]]:
        """Empty: nothing is measured."""
        return []

    def freeze(self, name: str, frozen: bool = True) -> None:
        """Stop training a group, or train it again."""
        self._numbers[self.group_names.index(name)].grad = None if frozen else torch.zeros(1)
        (self.frozen.add if frozen else self.frozen.discard)(name)
        self._unstepped = True

    def apply(self, intervention: Intervention) -> None:
        """Apply an intervention here.

        Raises:
            Rejected: training would reject it.
        """
        apply(intervention, self)
        epoch, batch = self.position.epoch, self.position.batch
        command = command_json(intervention)
        self.interventions.append(CommandEvent(id=0, command=command, status="applied", epoch=epoch, batch=batch))

    def lines(self, batches: bool) -> Iterator[dict[str, Any]]:
        """The lines to print at this position."""
        epoch, batch, lrs = self.position.epoch, self.position.batch, self.lr_control.current()
        if batch == 0:
            yield {"epoch": epoch, "lr": lrs}
        if batches and self.lr_control.stepwise:
            yield {"epoch": epoch, "batch": batch, "lr": lrs}

    def next_batch(self) -> None:
        """Go to the next batch, or to the next epoch."""
        if self._unstepped:  # an optimizer creates its state at its first step; the others change nothing here
            self.lr_control.write(self.optimizer)
            self.optimizer.step()
            self._unstepped = False
        self.lr_control.step_done()
        epoch, batch = self.position.epoch, self.position.batch + 1
        if batch == self._per_epoch:
            self.lr_control.epoch_done(None)
            epoch, batch = epoch + 1, 0
        self.position = Position(epoch=epoch, batch=batch)

    def copy(self) -> DryRun:
        """An independent run in the same state."""
        made = copy.copy(self)
        made.lr_control = self.lr_control.copy()
        made._numbers, made.optimizer = copy.deepcopy((self._numbers, self.optimizer))
        made.interventions, made.frozen = list(self.interventions), set(self.frozen)
        return made


def lrs_ahead(
    recipe: Recipe, commands: Iterable[CommandAt], batches: bool, rejected: Callable[[CommandAt, str], None]
) -> Iterator[dict[str, Any]]:
    """A line for the start of each epoch and, with ``batches`` and a schedule stepped per batch, for each batch.

    Where a command goes back, so do the lines. A schedule that a metric drives gets no metric, and so stays flat.

    Args:
        recipe: the run.
        commands: its commands file.
        batches: whether to give a line for each batch too.
        rejected: called with each command that training would reject, and why.

    Raises:
        SpecError: the recipe cannot be trained.
    """
    per_epoch = batches_in(describe(recipe.data).train, recipe.data.batch_size)
    lines = list(commands)
    targets = {target_of(line.intervention) for line in lines if isinstance(line.intervention, Rewind)}
    run, waiting, kept = DryRun(recipe, per_epoch), WaitingCommands(lines), dict[Position, DryRun]()
    while True:
        if run.position in targets:
            kept[run.position] = run.copy()
        line = waiting.due(run.position)
        while line is not None:
            if isinstance(line.intervention, Stop) and no_such_batch(line.at, per_epoch) is None:
                return
            try:
                run = _after(run, line, kept, per_epoch)
            except Rejected as refusal:
                rejected(line, str(refusal.reason))
            line = waiting.due(run.position)
        if run.position.epoch > run.lr_control.length.epochs:
            return
        yield from run.lines(batches)
        run.next_batch()


def _after(run: DryRun, line: CommandAt, kept: dict[Position, DryRun], per_epoch: int) -> DryRun:
    """The run after a line of the commands file.

    Raises:
        Rejected: training would reject it.
    """
    problem = no_such_batch(line.at, per_epoch)
    if problem is not None:
        raise Rejected(problem)
    if isinstance(line.intervention, Rewind):
        target = target_of(line.intervention)
        check_behind(target, run.position, per_epoch)
        return kept[target].copy()
    if not isinstance(line.intervention, Save):
        run.apply(line.intervention)
    return run


def shown(line: CommandAt) -> str:
    """A line of the commands file in short, for a message."""
    return f"{command_json(line.intervention)['command']} at {line.at}"

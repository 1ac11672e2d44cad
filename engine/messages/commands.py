"""Commands to the trainer: immutable and validated.

Interventions change the run and are recorded with their position; they are the lines of a commands file. Transport
commands start and pause training. The LR range test changes nothing. Every command is answered by a ``CommandEvent``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.common.spec import Spec, parse
from engine.common.text import number
from engine.recipe.optimizers import LR_MAX, LearningRate, changeable_fields
from engine.recipe.recipe import MAX_EPOCHS
from engine.schedules import AnySchedule

Then = Literal["keep", "follow", "hold"]
GroupName = Annotated[str, Field(min_length=1, max_length=40)]
MAX_FACTOR: Final = 1e6
# The discriminator lets an error name the item of the list. Tags that contain a space do not appear in error paths.
OneOrMany = Annotated[
    Annotated[LearningRate, Tag("one LR")] | Annotated[tuple[LearningRate, ...], Tag("several LRs")],
    Discriminator(lambda value: "several LRs" if isinstance(value, (list, tuple)) else "one LR"),
]


class Command(Spec):
    """The base of all commands."""

    model_config = ConfigDict(defer_build=True)


class SetLR(Command):
    """Set the LR of every group, or of ``group``, to ``lr``.

    With ``then`` ``follow``, the schedule continues from this LR with the same shape; with ``hold``, the LR is constant
    until it is released; with ``keep``, a held LR stays held and any other follows the schedule.
    """

    command: Literal["set_lr"] = "set_lr"
    lr: LearningRate
    then: Then = "keep"
    group: GroupName | None = None


class ScaleLR(Command):
    """Multiply the current LR by ``factor``. ``then`` is that of ``SetLR``."""

    command: Literal["scale_lr"] = "scale_lr"
    factor: float = Field(gt=0, le=MAX_FACTOR)
    then: Then = "keep"
    group: GroupName | None = None


class ReleaseLR(Command):
    """Return to the scheduled LR."""

    command: Literal["release_lr"] = "release_lr"
    group: GroupName | None = None


class SetSchedule(Command):
    """Replace the schedule.

    With ``start`` ``here``, the new schedule starts at its position 0 from ``lr`` (one, or one per group), by default
    the current LR. With ``replay``, it continues as if it had been used since epoch 1 with the recipe's LR.
    """

    command: Literal["set_schedule"] = "set_schedule"
    schedule: AnySchedule
    start: Literal["here", "replay"] = "here"
    lr: OneOrMany | None = None
    group: GroupName | None = None


class _SetOptimizer(Command):
    """Change hyperparameters of the optimizer other than its LR."""

    command: Literal["set_optimizer"] = "set_optimizer"
    group: GroupName | None = None

    @model_validator(mode="after")
    def _check_changes(self) -> _SetOptimizer:
        if not self.changes():
            raise SpecError("", f"set_optimizer needs at least one of {', '.join(changeable_fields())}")
        return self

    def changes(self) -> dict[str, Any]:
        """The hyperparameters to change, by PyTorch's names."""
        return self.model_dump(exclude={"command", "group"}, exclude_none=True)


if TYPE_CHECKING:

    class SetOptimizer(_SetOptimizer):
        """Its fields are those of the optimizers that can be changed in mid-run; None leaves one as it is."""

else:
    SetOptimizer = create_model(
        "SetOptimizer",
        __base__=_SetOptimizer,
        __module__=__name__,
        **{name: (kind | None, None) for name, kind in changeable_fields().items()},
    )


class Freeze(Command):
    """Stop training a group: its weights, optimizer state and BatchNorm statistics no longer change."""

    command: Literal["freeze"] = "freeze"
    group: GroupName


class Unfreeze(Command):
    """Train a frozen group again."""

    command: Literal["unfreeze"] = "unfreeze"
    group: GroupName


class SetEpochs(Command):
    """Change the length of the run. The schedules stay as they are."""

    command: Literal["set_epochs"] = "set_epochs"
    epochs: int = Field(ge=1, le=MAX_EPOCHS)


class Save(Command):
    """Save a checkpoint to ``path``, or to the library if it is None.

    A file at ``path`` is replaced if it is a checkpoint; another one only if ``overwrite`` is true.
    """

    command: Literal["save"] = "save"
    path: str | None = Field(None, min_length=1, max_length=4000)
    overwrite: bool | None = None


class Rewind(Command):
    """Go back to the end of ``epoch`` and continue in a new branch.

    With ``batch``, go back to before that batch (from 0) of the epoch after it.
    """

    command: Literal["rewind"] = "rewind"
    epoch: int = Field(ge=0)
    batch: int | None = Field(None, ge=0)


class CancelRewind(Command):
    """Cancel the rewind in progress; the run stays where it was."""

    command: Literal["cancel_rewind"] = "cancel_rewind"


def to_intervention(data: Mapping[str, Any]) -> Intervention:
    """The intervention of ``CommandEvent.command``.

    Raises:
        SpecError: ``data`` is not an intervention.
    """
    intervention: Intervention = parse(AnyIntervention, json.dumps({k: v for k, v in data.items() if v is not None}))
    return intervention


class About(Position):
    """The intervention that a note is about: the ``nth`` (from 0) of those applied at this position."""

    nth: int = Field(0, ge=0)


class Note(Command):
    """A note about the run or, with ``about``, about an earlier intervention.

    A later note about the same intervention replaces it; one with an empty text removes it.
    """

    command: Literal["note"] = "note"
    text: str = Field(max_length=10_000)
    about: About | None = None

    @model_validator(mode="after")
    def _check_text(self) -> Note:
        if not self.text and self.about is None:
            raise SpecError("text", "must not be empty, except to remove a note about an intervention")
        return self


class Stop(Command):
    """Save a checkpoint and end the run."""

    command: Literal["stop"] = "stop"


class Start(Command):
    """Start training."""

    command: Literal["start"] = "start"


class Pause(Command):
    """Pause after the current batch."""

    command: Literal["pause"] = "pause"


class Resume(Command):
    """Resume training after a pause."""

    command: Literal["resume"] = "resume"


class RunEpoch(Command):
    """Train to the end of the current epoch, or of the next one between two epochs, then pause."""

    command: Literal["run_epoch"] = "run_epoch"


class Withdraw(Command):
    """Withdraw the posted command ``id``, which waits for a later position."""

    command: Literal["withdraw"] = "withdraw"
    id: int = Field(ge=1)


class FindLR(Command):
    """LR range test (Smith, 2015): train a copy of the run with an LR that grows every batch. The run does not change.

    With several groups, the one with the highest LR gets the tested LR, and the others keep their ratio to it.

    Attributes:
        lr_min: LR of the first batch.
        lr_max: LR of the last batch.
        steps: number of batches.
    """

    command: Literal["find_lr"] = "find_lr"
    lr_min: float = Field(1e-6, ge=1e-12, le=LR_MAX)
    lr_max: float = Field(10.0, ge=1e-12, le=LR_MAX)
    steps: int = Field(100, ge=20, le=10_000)

    @model_validator(mode="after")
    def _check_range(self) -> FindLR:
        if self.lr_max <= self.lr_min:
            raise SpecError("lr_max", f"must be greater than the first LR, {number(self.lr_min)}")
        return self


class CancelFind(Command):
    """Cancel the range test in progress."""

    command: Literal["cancel_find"] = "cancel_find"


Intervention = (
    SetLR
    | ScaleLR
    | ReleaseLR
    | SetSchedule
    | SetOptimizer
    | Freeze
    | Unfreeze
    | SetEpochs
    | Save
    | Rewind
    | Note
    | Stop
)
TransportCommand = Start | Pause | Resume | RunEpoch
RangeTestCommand = FindLR | CancelFind
AnyIntervention = Annotated[Intervention, Field(discriminator="command")]


class CommandAt(Spec):
    """An intervention and its position; a line of a commands file."""

    model_config = ConfigDict(defer_build=True)

    at: Position
    intervention: AnyIntervention

    def to_dict(self) -> dict[str, Any]:
        """The line as JSON data: ``at`` beside the keys of the command."""
        return {"at": self.at.model_dump(), **self.intervention.model_dump(mode="json", exclude_none=True)}

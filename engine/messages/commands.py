"""Messages to the trainer: frozen, checked, torch-free.

Three kinds: interventions, which change what is trained and are recorded with their exact position (the lines of a
commands file); transport commands, which start and pause training; and the LR range test, which changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from engine.common.position import Position
from engine.common.spec import Spec, SpecError, parse
from engine.common.text import number
from engine.recipe.optimizers import LR_MAX, LearningRate, changeable_fields
from engine.schedules import AnySchedule

Then = Literal["keep", "follow", "hold"]
GroupName = Annotated[str, Field(min_length=1, max_length=40)]
LARGEST_FACTOR: Final = 1e6
# Told apart by kind, so that a bad rate in a list is what the answer names. (Tags with a space are left out of paths.)
OneOrMany = Annotated[
    Annotated[LearningRate, Tag("one rate")] | Annotated[tuple[LearningRate, ...], Tag("many rates")],
    Discriminator(lambda value: "many rates" if isinstance(value, (list, tuple)) else "one rate"),
]


class Command(Spec):
    """One message to the trainer."""

    model_config = ConfigDict(defer_build=True)


class SetLR(Command):
    """Set the rate of every group (or of ``group``) to ``lr``."""

    command: Literal["set_lr"] = "set_lr"
    lr: LearningRate
    then: Then = "keep"
    group: GroupName | None = None


class ScaleLR(Command):
    """Multiply the rate in force by ``factor``."""

    command: Literal["scale_lr"] = "scale_lr"
    factor: float = Field(gt=0, le=LARGEST_FACTOR)
    then: Then = "keep"
    group: GroupName | None = None


class ReleaseLR(Command):
    """Back on the plan."""

    command: Literal["release_lr"] = "release_lr"
    group: GroupName | None = None


class SetSchedule(Command):
    """A new plan: from here (position 0, on the rate in force or on ``lr``), or as if from epoch 1 (``replay``)."""

    command: Literal["set_schedule"] = "set_schedule"
    schedule: AnySchedule
    start: Literal["here", "replay"] = "here"
    lr: OneOrMany | None = None
    group: GroupName | None = None


class _SetOptimizer(Command):
    """Change hyperparameters of the live optimizer other than its learning rate."""

    command: Literal["set_optimizer"] = "set_optimizer"
    group: GroupName | None = None

    @model_validator(mode="after")
    def _says_something(self) -> _SetOptimizer:
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
    """Stop training a group: weights, optimizer state and BatchNorm statistics stand still."""

    command: Literal["freeze"] = "freeze"
    group: GroupName


class Unfreeze(Command):
    """Train a frozen group again."""

    command: Literal["unfreeze"] = "unfreeze"
    group: GroupName


class SetEpochs(Command):
    """Change the length of the run; the plan stays as it is."""

    command: Literal["set_epochs"] = "set_epochs"
    epochs: int = Field(ge=1, le=1_000_000)


class Save(Command):
    """Write a checkpoint to ``path``, or into the library where it is None."""

    command: Literal["save"] = "save"
    path: str | None = Field(None, min_length=1, max_length=4000)


class Rewind(Command):
    """Back to the end of ``epoch`` (or to before ``batch`` of the epoch after it), in a new branch."""

    command: Literal["rewind"] = "rewind"
    epoch: int = Field(ge=0)
    batch: int | None = Field(None, ge=0)


class CancelRewind(Command):
    """Go back no longer: stay where the run was."""

    command: Literal["cancel_rewind"] = "cancel_rewind"


def to_intervention(data: Mapping[str, Any]) -> Intervention:
    """The intervention that an answer to it holds as JSON data.

    Raises:
        SpecError: it is none.
    """
    intervention: Intervention = parse(AnyIntervention, json.dumps({k: v for k, v in data.items() if v is not None}))
    return intervention


class About(Position):
    """An act that the hand did before this batch; ``nth`` (from 0) tells several at one moment apart."""

    nth: int = Field(0, ge=0)


class Note(Command):
    """A remark, kept with the run; ``about`` an earlier act, or of its own. A later one about an act replaces it."""

    command: Literal["note"] = "note"
    text: str = Field(max_length=10_000)
    about: About | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Note:
        if not self.text and self.about is None:
            raise SpecError("text", "must not be empty; only a note about an act is taken back by an empty one")
        return self


class Stop(Command):
    """Save and end the run."""

    command: Literal["stop"] = "stop"


class Start(Command):
    """Begin training."""

    command: Literal["start"] = "start"


class Pause(Command):
    """Stand still after the batch under way."""

    command: Literal["pause"] = "pause"


class Resume(Command):
    """Go on."""

    command: Literal["resume"] = "resume"


class RunEpoch(Command):
    """Train to the end of the epoch under way (or of the next one, at its start), then stand still."""

    command: Literal["run_epoch"] = "run_epoch"


class Withdraw(Command):
    """Take back the posted command ``id`` that still waits for its moment."""

    command: Literal["withdraw"] = "withdraw"
    id: int = Field(ge=1)


class FindLR(Command):
    """Try rates from ``lr_min`` to ``lr_max`` on a copy of the run, one a batch; the run itself stays as it is.

    With several groups the fastest gets the rate that is tried, and the others keep their proportion to it.
    """

    command: Literal["find_lr"] = "find_lr"
    lr_min: float = Field(1e-6, ge=1e-12, le=LR_MAX)
    lr_max: float = Field(10.0, ge=1e-12, le=LR_MAX)
    steps: int = Field(100, ge=20, le=10_000)

    @model_validator(mode="after")
    def _rises(self) -> FindLR:
        if self.lr_max <= self.lr_min:
            raise SpecError("lr_max", f"must be greater than the first rate, {number(self.lr_min)}")
        return self


class CancelFind(Command):
    """Search for a rate no longer."""

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
FinderCommand = FindLR | CancelFind
AnyIntervention = Annotated[Intervention, Field(discriminator="command")]


class CommandAt(Spec):
    """One intervention and its moment; a line of COMMANDS.jsonl."""

    model_config = ConfigDict(defer_build=True)

    at: Position
    intervention: AnyIntervention

    def to_dict(self) -> dict[str, Any]:
        """The line as COMMANDS.jsonl has it: ``at`` beside the command's own keys."""
        return {"at": self.at.model_dump(), **self.intervention.model_dump(mode="json", exclude_none=True)}

"""Events from the trainer: immutable, and made of numbers, strings, specs and small NumPy arrays only.

The command line prints them as lines of JSON, except those that only the window needs (``printed``).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field

from engine.common.lifecycle import State
from engine.common.position import AtPosition, Position
from engine.common.spec import LARGEST, Spec
from engine.common.text import Text
from engine.messages.schedule_view import ControlState, ScheduleView
from engine.recipe.recipe import Recipe

WITHDRAWN: Final = Text("withdrawn")
"""The reason in the answer to a command that was withdrawn before it was applied."""
EndReason = Literal["finished", "stopped", "diverged", "failed"]
Status = Literal["queued", "applied", "rejected"]


Epoch = Annotated[int, Field(ge=1, le=LARGEST)]
Batch = Annotated[int, Field(ge=0, le=LARGEST)]
LRs = list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]


@dataclass(frozen=True, kw_only=True)
class Event:
    """The base of all events.

    Attributes:
        event: the kind of event in JSON.
        printed: whether the command line prints it.
    """

    event: ClassVar[str]
    printed: ClassVar[bool] = True
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")  # of stored events

    def as_json(self) -> dict[str, Any]:
        """The event as JSON data."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        specs = {name: value.model_dump(mode="json") for name, value in fields.items() if isinstance(value, Spec)}
        return {"event": self.event, **fields, **specs}


@dataclass(frozen=True, kw_only=True)
class LoadingEvent(Event):
    """Progress while a run is loaded.

    Attributes:
        what: what is being loaded.
        done: bytes or items done.
        total: bytes or items in total; 0 if not known.
    """

    event: ClassVar[str] = "loading"
    printed: ClassVar[bool] = False
    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class StartEvent(Event, AtPosition):
    """The run is loaded and in the library.

    Attributes:
        run: its id.
        name: its name in the library.
        device: the device, such as ``cuda:0``.
        groups: names of the parameter groups, in the optimizer's order.
        parameters: number of parameters of the network.
        batches_per_epoch: training batches per epoch.
        epochs: the length of the run.
        epoch: epoch of the next batch, from 1.
        batch: the next batch, from 0.
        recipe: the recipe.
        threads: CPU threads that PyTorch uses.
        parent: id of the run that this one is a branch of.
        group_parameters: number of parameters of each group.
        history: the epochs so far, of a resumed run. Not in JSON, as the next two.
        interventions: the applied commands so far.
        steps: the batches so far, as far as they are known.
    """

    event: ClassVar[str] = "start"
    run: str
    name: str
    device: str
    groups: list[str]
    parameters: int
    batches_per_epoch: int
    epochs: int
    epoch: int
    batch: int
    recipe: Recipe
    threads: int
    parent: str | None = None
    group_parameters: list[int] = field(default_factory=list)
    history: list[EpochEvent] = field(default_factory=list)
    interventions: list[CommandEvent] = field(default_factory=list)
    steps: list[StepsEvent] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The event without what earlier events contain."""
        line = super().as_json()
        del line["history"], line["interventions"], line["steps"]
        return line


@dataclass(frozen=True, kw_only=True)
class StateEvent(Event, AtPosition):
    """The lifecycle of the run changed to ``state``."""

    event: ClassVar[str] = "state"
    printed: ClassVar[bool] = False
    state: State
    epoch: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class StepsEvent(Event, AtPosition):
    """The batches since the last such event.

    Attributes:
        epoch: epoch of the first of them, from 1.
        batch: the first of them, from 0.
        loss: training loss of each, float32 [steps].
        lr: LR of each, float64 [steps, groups].
        images_per_second: training speed.
        skipped: number of updates that were skipped because of their loss.
    """

    event: ClassVar[str] = "steps"
    printed: ClassVar[bool] = False
    epoch: int
    batch: int
    loss: np.ndarray
    lr: np.ndarray
    images_per_second: float
    skipped: int = 0


@dataclass(frozen=True, kw_only=True)
class EpochEvent(Event):
    """An epoch ended. Lists have one entry per group.

    Attributes:
        epoch: the epoch, from 1.
        lr: LR of its first batch, after the commands due there.
        lr_min: lowest LR in the epoch.
        lr_max: highest LR in the epoch.
        train_loss: mean training loss.
        train_accuracy: training accuracy, 0 to 1.
        val_loss: mean validation loss.
        val_accuracy: validation accuracy, 0 to 1.
        seconds: wall time of the whole epoch.
        images_per_second: speed of its training batches.
    """

    event: ClassVar[str] = "epoch"
    epoch: Epoch
    lr: LRs
    lr_min: LRs
    lr_max: LRs
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    images_per_second: float

    def metrics(self) -> dict[str, float]:
        """The metrics that a schedule can monitor, by name."""
        names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class CommandEvent(Event, AtPosition):
    """The answer to a command: ``queued``, then ``applied`` or ``rejected``.

    Attributes:
        id: what ``post`` returned; 0 for a line of a commands file.
        command: the command as JSON data.
        status: the answer.
        reason: why it was rejected.
        epoch: epoch at which it was answered, from 1.
        batch: batch before which it was answered, from 0.
        warning: what the user should know about an applied command.
        lr: LR of each group after it.
        lr_before: LR of each group before it.
        hold: whether a rejected LR would have been accepted with ``then`` ``hold``.
    """

    event: ClassVar[str] = "command"
    id: int
    command: dict[str, Any]
    status: Status
    reason: str | None = None
    epoch: Epoch
    batch: Batch
    warning: str | None = None
    lr: LRs = field(default_factory=list)
    lr_before: LRs = field(default_factory=list)
    hold: bool = False

    @property
    def name(self) -> str:
        """The command's name, such as ``set_lr``."""
        return str(self.command.get("command"))


@dataclass(frozen=True, kw_only=True)
class ScheduleEvent(Event, AtPosition):
    """The schedule changed the LR of a group at a distinct position ("StepLR 0.01 -> 0.005")."""

    event: ClassVar[str] = "schedule_step"
    epoch: int
    batch: int
    group: str
    schedule: str
    old: float
    new: float
    text: str


@dataclass(frozen=True, kw_only=True)
class LREvent(Event, AtPosition):
    """The LR of each group, and its schedule, at the run's position.

    Published at every epoch's start, after every intervention and at a pause. One entry a group: ``lr`` is the current
    LR, ``scheduled`` what its schedule alone says; ``optimizer`` holds the live hyperparameters that ``set_optimizer``
    changes, by PyTorch's names; ``cycled`` says that the schedule moves the momentum among them. ``control`` is what a
    preview of this run needs (``CurveQuery.control``).
    """

    event: ClassVar[str] = "lr"
    printed: ClassVar[bool] = False
    epoch: int
    batch: int
    epochs: int
    groups: list[str]
    steps_per_epoch: int
    lr: list[float]
    scheduled: list[float]
    holding: list[bool]
    touched: list[bool]
    schedules: tuple[ScheduleView, ...]
    control: ControlState
    frozen: list[bool] = field(default_factory=list)
    cycled: list[bool] = field(default_factory=list)
    optimizer: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class RangeTestProgressEvent(Event):
    """The range test with the id ``id`` has trained ``done`` of ``total`` batches."""

    event: ClassVar[str] = "range_test_progress"
    printed: ClassVar[bool] = False
    id: int
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """An LR suggested by the curve of a range test.

    Attributes:
        kind: how near it is to the LR with the lowest loss: bold, or steady and safer.
        lr: the LR, or None if the curve allows none.
        text: what the LR is, or why there is none.
    """

    kind: Literal["bold", "steady"]
    lr: float | None
    text: str


@dataclass(frozen=True, kw_only=True)
class RangeTestEvent(Event, AtPosition):
    """The result of the range test with the id ``id``.

    Attributes:
        id: what ``post`` returned.
        epoch: epoch of the run's position, from 1.
        batch: batch of the run's position, from 0.
        lr: tested LRs in increasing order, float64 [steps].
        loss: training loss at each, float64 [steps], all finite.
        smoothed: smoothed loss at each, float64 [steps].
        diverged: whether the test ended early because the loss diverged.
        suggestions: one for each method.
        group: the group that ``lr`` belongs to, the one with the highest LR; None if there is only one group.
    """

    event: ClassVar[str] = "range_test"
    printed: ClassVar[bool] = False
    id: int
    epoch: int
    batch: int
    lr: np.ndarray
    loss: np.ndarray
    smoothed: np.ndarray
    diverged: bool
    suggestions: tuple[Suggestion, ...]
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class SavedEvent(Event, AtPosition):
    """A checkpoint was saved.

    Attributes:
        path: its file.
        kind: why it was saved: at the end of an epoch, after some time in an epoch, before an intervention, because a
            command asked for it, or at a stop.
        epoch: epoch of its position, from 1.
        batch: batch of its position, from 0.
    """

    event: ClassVar[str] = "saved"
    path: str
    kind: Literal["epoch", "timed", "before", "asked", "stop"]
    epoch: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class BranchEvent(Event, AtPosition):
    """The run went back and continues as a branch.

    Attributes:
        run: id of the branch.
        parent: id of the run that it branches from.
        epoch: epoch of the branching position, from 1.
        batch: batch of the branching position, from 0.
        history: the epochs before that position. Not in JSON, as ``interventions``.
        interventions: the applied commands before that position.
    """

    event: ClassVar[str] = "branch"
    run: str
    parent: str
    epoch: int
    batch: int
    history: list[EpochEvent] = field(default_factory=list)
    interventions: list[CommandEvent] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The event without what earlier events contain."""
        line = super().as_json()
        del line["history"], line["interventions"]
        return line


@dataclass(frozen=True, kw_only=True)
class RewindProgressEvent(Event):
    """The rewind with the id ``id`` has recomputed ``done`` of ``total`` batches."""

    event: ClassVar[str] = "rewind_progress"
    printed: ClassVar[bool] = False
    id: int
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class WarningEvent(Event):
    """Something the user should know. Training continues.

    Attributes:
        text: what it is, a sentence.
        serious: whether it concerns what is trained; the command line prints it on standard error too.
    """

    event: ClassVar[str] = "warning"
    text: str
    serious: bool = False


@dataclass(frozen=True, kw_only=True)
class DivergedEvent(Event, AtPosition):
    """The loss diverged: the update was skipped, and the run pauses (window) or ends (command line).

    Attributes:
        epoch: epoch of that batch, from 1.
        batch: the batch, from 0.
        text: what happened.
        back: the position to go back to: of the last checkpoint before the divergence, or else the
            start of its epoch.
    """

    event: ClassVar[str] = "diverged"
    epoch: int
    batch: int
    text: str
    back: Position


@dataclass(frozen=True, kw_only=True)
class EndEvent(Event, AtPosition):
    """The last event of every run, exactly one.

    Attributes:
        reason: how the run ended.
        epoch: epoch of its last position, from 1.
        batch: batch of its last position, from 0.
        weights_sha256: SHA-256 of the weights; None if there are none.
        text: what happened, if ``reason`` does not say enough.
        details: the traceback of a failure.
        field: the field of the recipe, commands file or checkpoint that is invalid (exit status 2).
        out_of_memory: what there was not enough memory for.
        not_allowed: the Python file that was not run, because the user has not allowed it (in the window only).
        missing: what is missing or damaged and can be downloaded, as a sentence for a person at the window.
        checkpoint: the file of the last checkpoint.
        unsaved: why the last checkpoint could not be written (exit status 1).
    """

    event: ClassVar[str] = "end"
    reason: EndReason
    epoch: int
    batch: int = 0
    weights_sha256: str | None = None
    text: str | None = None
    details: str | None = None
    field: str | None = None
    out_of_memory: Literal["data", "network", "batch", "validation", "run"] | None = None
    not_allowed: str | None = None
    missing: str | None = None
    checkpoint: str | None = None
    unsaved: str | None = None

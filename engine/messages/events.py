"""Messages from the trainer: frozen, and made of numbers, strings and small NumPy arrays only.

``as_json`` gives the line that the headless face prints; events that only the window needs print too, which readers
are promised to tolerate.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import numpy as np

from engine.common.lifecycle import State
from engine.common.text import Text
from engine.messages.schedule_view import ControlState, ScheduleView
from engine.recipe.recipe import Recipe

WITHDRAWN: Final = Text("withdrawn")
"""The reason of a command that was taken back before its moment came."""
EndReason = Literal["finished", "stopped", "diverged", "failed"]
Status = Literal["queued", "applied", "rejected"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One message from the trainer. ``printed`` says whether the headless face prints it."""

    event: ClassVar[str]
    printed: ClassVar[bool] = True

    def as_json(self) -> dict[str, Any]:
        """The event as plain JSON data, its kind under ``event``."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {"event": self.event, **fields}


@dataclass(frozen=True, kw_only=True)
class LoadingEvent(Event):
    """What is being prepared; ``done`` and ``total`` in bytes or items, total 0 where it is not known."""

    event: ClassVar[str] = "loading"
    printed: ClassVar[bool] = False
    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class StartEvent(Event):
    """The run is built and about to train; its row is in the library.

    ``history`` is the epoch events so far (of a resumed run), ``steps`` what is known of its batches, ``interventions``
    its applied commands; (``epoch``, ``batch``) is the next batch.
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
        """The event without the history, which a reader of the log already has."""
        line = super().as_json() | {"recipe": self.recipe.model_dump(mode="json")}
        del line["history"], line["interventions"], line["steps"]
        return line


@dataclass(frozen=True, kw_only=True)
class StateEvent(Event):
    """The lifecycle moved to ``state``."""

    event: ClassVar[str] = "state"
    printed: ClassVar[bool] = False
    state: State
    epoch: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class StepsEvent(Event):
    """What happened since the last report, one entry a batch.

    ``epoch`` and ``batch`` are the first entry's; ``loss`` is float32 [steps]; ``lr`` is float64 [steps, groups];
    ``skipped`` counts updates that were masked because the guard did not pass the loss.
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
    """An epoch ended. Rates are of its first batch (``lr``) and the extremes within; accuracies are 0 to 1.

    ``seconds`` is the whole epoch's wall time; ``images_per_second`` counts training batches alone.
    """

    event: ClassVar[str] = "epoch"
    epoch: int
    lr: list[float]
    lr_min: list[float]
    lr_max: list[float]
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    images_per_second: float

    def metrics(self) -> dict[str, float]:
        """The four metrics that a schedule can monitor."""
        names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class CommandEvent(Event):
    """The answer to a command: queued, then applied or rejected.

    ``id`` is what ``post`` returned (0 for a line of a hand file); ``lr`` the rates in force afterwards, ``lr_before``
    those before; ``warning`` what the person should know although it was done; ``hold`` that a rejected rate would have
    been taken, had it been asked to be held.
    """

    event: ClassVar[str] = "command"
    id: int
    command: dict[str, Any]
    status: Status
    reason: str | None = None
    epoch: int
    batch: int
    warning: str | None = None
    lr: list[float] = field(default_factory=list)
    lr_before: list[float] = field(default_factory=list)
    hold: bool = False

    @property
    def name(self) -> str:
        """The command's name, such as ``set_lr``."""
        return str(self.command.get("command"))


@dataclass(frozen=True, kw_only=True)
class ScheduleEvent(Event):
    """The schedule itself moved a group's LR in a way worth a line ("StepLR 0.01 -> 0.005")."""

    event: ClassVar[str] = "schedule_step"
    epoch: int
    batch: int
    group: str
    schedule: str
    old: float
    new: float
    text: str


@dataclass(frozen=True, kw_only=True)
class LREvent(Event):
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
class FinderProgressEvent(Event):
    """The search for a rate that was posted as ``id`` has tried ``done`` of ``total`` rates."""

    event: ClassVar[str] = "finder_progress"
    printed: ClassVar[bool] = False
    id: int
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What one way of reading the finder's curve suggests.

    ``text`` says what ``lr`` is, or, where it is None, why the curve does not allow it.
    """

    kind: Literal["steepest", "valley"]
    lr: float | None
    text: str


@dataclass(frozen=True, kw_only=True)
class FinderEvent(Event):
    """What the search that was posted as ``id`` found; the run is as it was before.

    ``lr``, ``loss`` and ``smoothed`` are float64 [steps], all finite, the rates rising. They end early where the loss
    ``diverged``. ``group`` is the group that the rates are of (the fastest), None where there is only one.
    """

    event: ClassVar[str] = "finder"
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
class SavedEvent(Event):
    """A checkpoint stands at ``path``; ``kind`` says what it is for."""

    event: ClassVar[str] = "saved"
    path: str
    kind: Literal["epoch", "timed", "before", "asked", "stop"]
    epoch: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class BranchEvent(Event):
    """The run went back: from here on it is ``run``, a branch of ``parent``.

    ``history`` is what of the metrics still holds, ``interventions`` of the commands.
    """

    event: ClassVar[str] = "branch"
    run: str
    parent: str
    epoch: int
    batch: int
    history: list[EpochEvent] = field(default_factory=list)
    interventions: list[CommandEvent] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The event without the history, which a reader of the log already has."""
        line = super().as_json()
        del line["history"], line["interventions"]
        return line


@dataclass(frozen=True, kw_only=True)
class GoingBackEvent(Event):
    """For the rewind that was posted as ``id``, ``done`` of ``total`` batches are computed again."""

    event: ClassVar[str] = "going_back"
    printed: ClassVar[bool] = False
    id: int
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class WarningEvent(Event):
    """Something a person should know; training goes on."""

    event: ClassVar[str] = "warning"
    text: str


@dataclass(frozen=True, kw_only=True)
class DivergedEvent(Event):
    """The guard did not pass a loss: the update was masked, and the run stands still (window) or ends (headless).

    ``back`` is the newest moment, (epoch, batch), from before the trouble that is easily gone back to.
    """

    event: ClassVar[str] = "diverged"
    epoch: int
    batch: int
    text: str
    back: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class EndEvent(Event):
    """The last event of every run, exactly one.

    ``text`` says in words what happened where it is not plain; ``details`` is the traceback of a failure;
    ``field`` names the field of the recipe, commands file or checkpoint at fault, if any (exit status 2); ``shortage``
    names what there was not enough memory for, if that was the reason.
    """

    event: ClassVar[str] = "end"
    reason: EndReason
    epoch: int
    batch: int = 0
    weights_sha256: str | None = None
    text: str | None = None
    details: str | None = None
    field: str | None = None
    shortage: Literal["data", "network", "batch", "validation", "run"] | None = None
    checkpoint: str | None = None

"""What a checkpoint must hold. A digest proves that a file is as it was written, not that it makes sense.

Whether it fits the network that its recipe builds is checked where that network is (``engine.training.fits``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from engine.checkpoints.archive import Outline
from engine.common.errors import CheckpointError, SpecError
from engine.common.run_id import RunId
from engine.common.spec import LARGEST, first_problem
from engine.messages.commands import GroupName, SetOptimizer
from engine.messages.events import CommandEvent, EpochEvent
from engine.messages.stored import commands_from_json, epochs_from_json
from engine.recipe.optimizers import OPTIMIZERS, LearningRate
from engine.recipe.recipe import MAX_EPOCHS, Recipe, recipe_from_json

FORMAT: Final = 1
_PLAIN: Final = (dict, list, set, str, bytes, int, float, type(None))


def _tensor(value: Any) -> Any:
    if isinstance(value, _PLAIN) or (isinstance(value, tuple) and not isinstance(value, Outline)):
        raise SpecError("", "must be a tensor")
    return value


Tensor = Annotated[Any, BeforeValidator(_tensor)]
"""A tensor, or its outline: this module imports no PyTorch."""
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Length = Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
Steps = Annotated[int, Field(ge=1, le=LARGEST)]
LRs = list[Annotated[float, Field(ge=0)]]
PathName = Annotated[str, Field(max_length=4096)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Field(max_length=1000)]


class Part(BaseModel):
    """A part of a checkpoint: plain data and tensors; unknown keys, conversions, NaN and infinity are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True, protected_namespaces=())


class Scheduled(Part):
    """The scheduled LR of a group. What its scheduler holds is checked against a new one (``engine.lr.scheduled``)."""

    spec: str
    base: LearningRate
    epochs: Length
    steps_per_epoch: Steps
    span: Steps
    position: Count
    ended: str | None
    scheduler: dict[str, Any]
    shadow: dict[str, Any]


class Group(Part):
    """The LR of a group, by the LR rule."""

    name: GroupName
    scheduled: Scheduled
    hold: LearningRate | None
    set_to: LearningRate | None
    scheduled_then: Annotated[float, Field(gt=0)] | None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None

    @model_validator(mode="after")
    def _check(self) -> Group:
        if (self.set_to is None) != (self.scheduled_then is None):
            raise SpecError("scheduled_then", "must be given with set_to, and only with it")
        if self.hold is not None and self.set_to is not None:
            raise SpecError("hold", "must not be given with set_to")
        return self


class Control(Part):
    """All LRs."""

    groups: list[Group] = Field(min_length=1)
    bases: list[LearningRate]
    epochs: Length
    steps_per_epoch: Steps
    epochs_done: Count
    steps_done: Count


class Optimizer(Part):
    """The optimizer's state_dict."""

    state: dict[Count, dict[str, Any]]
    param_groups: list[dict[str, Any]]


class Meter(Part):
    """What was measured in the epoch so far."""

    sums: dict[str, Tensor]
    lr_first: LRs
    lr_min: LRs
    lr_max: LRs
    seconds: Annotated[float, Field(ge=0)]
    train_seconds: Annotated[float, Field(ge=0)]
    images: Count


Word = Annotated[int, Field(ge=0, lt=2**32)]
# Lists in the file.
PythonState = Annotated[
    tuple[Literal[3], Annotated[list[Word], Field(min_length=625, max_length=625)], float | None], Field(strict=False)
]
NumpyState = Annotated[
    tuple[
        Literal["MT19937"],
        Annotated[list[Word], Field(min_length=624, max_length=624)],
        Annotated[int, Field(ge=0, le=624)],
        Annotated[int, Field(ge=0, le=1)],
        float,
    ],
    Field(strict=False),
]
At = Annotated[
    tuple[Annotated[int, Field(ge=1, le=MAX_EPOCHS + 1)], Annotated[int, Field(ge=0, le=LARGEST)]], Field(strict=False)
]


class Random(Part):
    """The states of the global random generators: PyTorch's, Python's and NumPy's."""

    torch: Tensor
    cuda: Tensor | None
    python: PythonState
    numpy: NumpyState


class Run(Part):
    """The run that a checkpoint is of."""

    id: RunId
    name: Name
    parent: RunId | None
    branch: At | None


class Environment(Part):
    """What the checkpoint was made with."""

    tiller: Name
    torch: Name
    device: Name
    gpu: Name | None
    threads: Annotated[int, Field(ge=1, le=10_000)]
    time: Annotated[float, Field(ge=0)]


class Content(Part):
    """Everything in a checkpoint, and that it is consistent."""

    format: Literal[1]
    model: dict[str, Any]
    optimizer: Optimizer
    scaler: dict[str, Any]
    lr: Control
    random: Random
    position: At
    meter: Meter
    frozen: list[GroupName]
    recipe: str
    history: str
    interventions: str
    sources: dict[PathName, Sha256]
    run: Run
    environment: Environment
    outside: dict[str, Tensor]

    @model_validator(mode="after")
    def _check(self) -> Content:
        self._check_position()
        self._check_groups()
        with _field("recipe"):
            recipe = recipe_from_json(self.recipe)
        self._check_optimizer(recipe)
        with _field("history"):
            self._check_history(epochs_from_json(self.history))
        with _field("interventions"):
            self._check_interventions(commands_from_json(self.interventions))
        return self

    def _check_position(self) -> None:
        (epoch, batch), lr = self.position, self.lr
        last = lr.epochs + 1
        if epoch > last or (epoch == last and batch):
            raise SpecError("position", f"must be within the run's {lr.epochs} epochs; it is epoch {epoch}")
        if batch >= lr.steps_per_epoch:
            raise SpecError(
                "position", f"must be one of {lr.steps_per_epoch} batches of an epoch, from 0; it is {batch}"
            )
        if lr.epochs_done != epoch - 1:
            raise SpecError("lr.epochs_done", f"must be {epoch - 1} at epoch {epoch}; it is {lr.epochs_done}")
        most = lr.epochs_done * lr.steps_per_epoch + batch
        if lr.steps_done > most:
            raise SpecError(
                "lr.steps_done", f"must be at most {most} at epoch {epoch}, batch {batch}; it is {lr.steps_done}"
            )
        if bool(batch) != bool(self.meter.lr_first):
            raise SpecError("meter.lr_first", "must have LRs where the epoch has begun, and only there")

    def _check_groups(self) -> None:
        lr, names = self.lr, [group.name for group in self.lr.groups]
        if len(set(names)) != len(names):
            raise SpecError("lr.groups", "must have different names")
        if len(lr.bases) != len(names):
            raise SpecError("lr.bases", f"must be one for each of {len(names)} group(s)")
        if set(self.frozen) - set(names) or len(set(self.frozen)) != len(self.frozen):
            raise SpecError("frozen", f"must be names of groups: {', '.join(names)}")
        if len(self.frozen) == len(names):
            raise SpecError("frozen", "must not be all groups, or nothing would be trained")
        for name in ("lr_first", "lr_min", "lr_max"):
            if len(getattr(self.meter, name)) not in (0, len(names)):
                raise SpecError(f"meter.{name}", f"must be one for each of {len(names)} group(s)")
        for index, group in enumerate(lr.groups):
            scheduled = group.scheduled
            done = lr.steps_done if '"interval":"step"' in scheduled.spec else lr.epochs_done
            if scheduled.position > done:
                raise SpecError(
                    f"lr.groups[{index}].scheduled.position", f"must be at most {done}; it is {scheduled.position}"
                )

    def _check_optimizer(self, recipe: Recipe) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.lr.groups):
            raise SpecError("optimizer.param_groups", f"must be {len(self.lr.groups)}")
        changeable = OPTIMIZERS[recipe.optimizer.name].changeable
        for index, group in enumerate(groups):
            with _field(f"optimizer.param_groups[{index}]"):
                try:
                    SetOptimizer(**{name: group[name] for name in changeable if name in group})
                except ValidationError as error:
                    raise first_problem(error) from None

    def _check_history(self, history: list[EpochEvent]) -> None:
        if [epoch.epoch for epoch in history] != list(range(1, self.position[0])):
            raise SpecError("", f"must have the epochs 1 to {self.position[0] - 1}")
        for epoch in history:
            if {len(epoch.lr), len(epoch.lr_min), len(epoch.lr_max)} != {len(self.lr.groups)}:
                raise SpecError(f"[{epoch.epoch - 1}].lr", f"must be one for each of {len(self.lr.groups)} group(s)")

    def _check_interventions(self, interventions: list[CommandEvent]) -> None:
        for index, event in enumerate(interventions):
            if event.status != "applied":
                raise SpecError(f"[{index}].status", f"must be applied; it is {event.status}")
            if {len(event.lr), len(event.lr_before)} - {0, len(self.lr.groups)}:
                raise SpecError(f"[{index}].lr", f"must be one for each of {len(self.lr.groups)} group(s)")
            if event.name != "rewind" and (event.epoch, event.batch) > self.position:
                raise SpecError(f"[{index}].epoch", "must not be after the checkpoint's position")


@contextmanager
def _field(field: str) -> Iterator[None]:
    """Prefix the field of a SpecError."""
    try:
        yield
    except SpecError as error:
        raise SpecError(".".join(filter(None, (field, error.field))).replace(".[", "["), error.problem) from None


def checked(content: Any, path: Path) -> Content:
    """``content``, read from ``path``, as a checkpoint.

    Raises:
        CheckpointError: it is none, is of another version, or a field is missing or wrong.
    """
    known = content.get("format") if isinstance(content, dict) else None
    if type(known) is not int or not 0 < known < LARGEST:
        raise CheckpointError(path, "is not a Tiller checkpoint")
    if known != FORMAT:
        text = f"was made by another version of Tiller (format {known}, this one reads {FORMAT})"
        raise CheckpointError(path, text)
    try:
        return Content.model_validate(content)
    except ValidationError as error:
        problem = first_problem(error)
        raise CheckpointError(path, f"is not a valid checkpoint: {problem}") from None

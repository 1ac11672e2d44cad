"""The recipe of a run: what to train and how. Reads and writes JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Union

from pydantic import Field, field_validator, model_validator

from engine.common.errors import SpecError
from engine.common.files import path_problem
from engine.common.json_text import read_json, read_text
from engine.common.spec import Spec, parse
from engine.common.text import Text
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.networks import NETWORKS, find_network
from engine.recipe.optimizers import (
    LR_MAX,
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    LearningRate,
    OptimizerSpec,
    RMSprop,
)
from engine.recipe.user_code import absolute
from engine.schedules import AnySchedule, StepLR
from engine.schedules.base import advanced, usual

__all__ = [
    "LR_MAX",
    "MAX_EPOCHS",
    "SGD",
    "Adam",
    "AdamW",
    "AnyOptimizer",
    "DataSpec",
    "GroupSpec",
    "GuardSpec",
    "LearningRate",
    "ModelSpec",
    "OptimizerSpec",
    "RMSprop",
    "Recipe",
    "read_recipe",
    "recipe_from_json",
]

if TYPE_CHECKING:
    AnyOptimizer = OptimizerSpec
else:
    AnyOptimizer = Annotated[Union[tuple(OPTIMIZERS.values())], Field(discriminator="name")]  # noqa: UP007 - of a tuple


MAX_EPOCHS: Final = 1_000_000


def _check_path(text: str | None) -> None:
    problem = path_problem(text) if text is not None else None
    if problem is not None:
        raise SpecError("", problem)


class DataSpec(Spec):
    """The data set and how its images are fed to the network."""

    name: str = Field("digits", title="Data set", description="The labelled images to train on.")
    batch_size: int = Field(
        64,
        ge=1,
        le=65536,
        title="Batch size",
        description="Images per optimizer step.",
        json_schema_extra=usual(32, 256),
    )
    augment: bool = Field(
        False,
        title="Augment",
        description="Shift each training image at random by up to an eighth of its size (a crop of the padded image).",
    )
    flip: bool = Field(
        False,
        title="Flip",
        description="Flip half of the training images horizontally. Not for digits and letters.",
        json_schema_extra=advanced(),
    )
    cutout: int = Field(
        0,
        ge=0,
        le=1024,
        title="Cutout",
        description="Side in pixels of a square that is erased at random from each training image; 0 for none.",
        json_schema_extra={**advanced(), **usual(4, 16)},
    )
    policy: Literal["none", "RandAugment", "TrivialAugment"] = Field(
        "none",
        title="Policy",
        description="Random operations from torchvision on each training image of 32 or more pixels: "
        "RandAugment (two of moderate strength) or TrivialAugment (one of random strength).",
        json_schema_extra=advanced(),
    )
    root: str | None = Field(
        None,
        min_length=1,
        title="Folder",
        description="The folder that contains the data set, in torchvision's layout (MNIST/raw/...).",
    )

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if value not in DATA_SETS:
            raise SpecError("", f"{value!r} is not known; allowed: {', '.join(DATA_SETS)}")
        return value

    @field_validator("root")
    @classmethod
    def _check_root(cls, value: str | None) -> str | None:
        _check_path(value)
        return value

    @property
    def augmented(self) -> bool:
        """Whether training images are augmented in any way."""
        return self.augment or self.flip or self.cutout > 0 or self.policy != "none"


class ModelSpec(Spec):
    """The network."""

    name: str = Field(
        "small_cnn",
        max_length=1000,
        title="Network",
        description="A built-in network, or FILE.py:FUNCTION, a function of your own that takes in_channels and "
        "num_classes and returns an nn.Module.",
    )
    pretrained: bool = Field(
        False,
        title="Pretrained",
        description="Start from torchvision's ImageNet weights, where the network has them.",
    )

    @field_validator("name")
    @classmethod
    def _make_absolute(cls, value: str) -> str:
        own = _user_function(value)
        return f"{absolute(own[0])}:{own[1]}" if own is not None else value

    @model_validator(mode="after")
    def _check_name(self) -> ModelSpec:
        if not self.name:
            raise SpecError("name", "enter the name of a network, or FILE.py:FUNCTION")
        own, entry = self.user_function(), find_network(self.name)
        if own is not None:
            try:
                _check_path(own[0])
            except SpecError as error:
                raise SpecError("name", error.problem) from None
        if own is None and entry is None:
            allowed = ", ".join(NETWORKS)
            raise SpecError("name", f"{self.name!r} is not known; allowed: {allowed}, or FILE.py:FUNCTION")
        if own is not None and not own[1].isidentifier():
            raise SpecError("name", f"{own[1]!r} is not a function name; enter FILE.py:FUNCTION")
        if self.pretrained and (entry is None or not entry.pretrained):
            have = ", ".join(name for name, network in NETWORKS.items() if network.pretrained)
            raise SpecError("pretrained", f"{self.name} has no pretrained weights; these networks have: {have}")
        return self

    def user_function(self) -> tuple[str, str] | None:
        """File (its absolute path) and function of a user's own network, or None for a built-in one."""
        return _user_function(self.name)


def _user_function(name: str) -> tuple[str, str] | None:
    file, colon, function = name.rpartition(":")
    return (file, function) if colon and file.endswith(".py") else None


class GroupSpec(Spec):
    """A parameter group: modules whose names match a pattern, with their own learning rate and schedule."""

    name: str = Field(min_length=1, max_length=40, title="Name", description="Name of the group.")
    modules: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        min_length=1,
        max_length=100,
        title="Modules",
        description="Patterns of module names: fc, layer4.*, features.[0-3]*.",
    )
    lr: LearningRate | None = Field(None, title="Learning rate", description="LR of the group; empty: the optimizer's.")
    frozen: bool = Field(False, title="Frozen", description="Do not train these modules.")
    schedule: AnySchedule | None = Field(None, title="Schedule", description="Schedule of the group; empty: the run's.")


class GuardSpec(Spec):
    """When the update of a batch is skipped and the run pauses."""

    loss_limit: float | None = Field(
        1000.0,
        gt=0,
        le=1e30,
        title="Loss limit",
        description="If the loss of a batch is above this, its update is skipped and the run pauses. Empty: only if "
        "the loss is not a finite number.",
        json_schema_extra={**advanced(), **usual(100, 10_000)},
    )


class Recipe(Spec):
    """Everything that determines a run except its interventions."""

    data: DataSpec = DataSpec()
    model: ModelSpec = ModelSpec()
    optimizer: AnyOptimizer = SGD(lr=0.01, momentum=0.9)
    schedule: AnySchedule = StepLR(step_size=10, gamma=0.5)
    groups: tuple[GroupSpec, ...] = Field(
        (), max_length=50, title="Groups", description="Parameter groups with their own learning rates."
    )
    epochs: int = Field(
        30,
        ge=1,
        le=MAX_EPOCHS,
        title="Epochs",
        description="Passes over the training images.",
        json_schema_extra=usual(5, 100),
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**63 - 1,
        title="Seed",
        description="Determines the initial weights, the order of the images and the augmentation.",
    )
    device: str = Field(
        "auto",
        title="Device",
        description="auto: the first CUDA GPU, or the CPU if there is none.",
    )
    precision: Literal["float32", "tf32", "bfloat16", "float16"] = Field(
        "float32",
        title="Precision",
        description="float32: full precision. tf32: an NVIDIA GPU multiplies with a 10-bit mantissa; no effect on a "
        "CPU. bfloat16: half the bits, faster on hardware that supports it. float16: likewise, for GPUs; the loss is "
        "scaled.",
    )

    guard: GuardSpec = GuardSpec()

    @field_validator("device")
    @classmethod
    def _check_device(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d{1,2})?", value):
            raise SpecError("", f"must be auto, cpu, cuda or cuda:N; it is {value!r}")
        return value

    @model_validator(mode="after")
    def _check_group_names(self) -> Recipe:
        names = [g.name for g in self.groups]
        for index, name in enumerate(names):
            if name in ("all", "rest"):
                raise SpecError(f"groups[{index}].name", f"{name!r} is reserved; choose another name")
            if name in names[:index]:
                raise SpecError(f"groups[{index}].name", f"{name!r} is used twice")
        return self

    def warnings(self) -> list[Text]:
        """Settings that are allowed but probably unintended, one sentence each."""
        schedules = [self.schedule, *(group.schedule for group in self.groups if group.schedule)]
        return [warning for schedule in schedules for warning in schedule.warnings()]

    def to_json(self, indent: int | None = None) -> str:
        """The recipe as JSON, from which ``recipe_from_json`` makes an equal recipe."""
        return self.model_dump_json(indent=indent)


def group_lr(recipe: Recipe, own: GroupSpec | None) -> float:
    """The LR that ``recipe`` gives the group ``own``, or a group without a spec."""
    return own.lr if own is not None and own.lr is not None else recipe.optimizer.lr


REQUIRED: Final = ("data", "model", "optimizer", "schedule")


def recipe_from_json(text: str) -> Recipe:
    """Read a recipe from JSON.

    Raises:
        SpecError: the text is not JSON, or a field is missing, unknown or invalid.
    """
    try:
        loaded = read_json(text)
    except SpecError as error:
        raise SpecError("", f"the recipe {error.problem}") from None
    if isinstance(loaded, dict):
        for key in REQUIRED:
            if key not in loaded:
                raise SpecError(key, f"is required; a recipe needs {', '.join(REQUIRED)}")
    recipe: Recipe = parse(Recipe, json.dumps(loaded))
    return recipe


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a file.

    Raises:
        SpecError: the file cannot be read or does not contain a recipe.
    """
    return recipe_from_json(read_text(path, "recipe"))

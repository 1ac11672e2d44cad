"""The recipe of a run: what to train, and how. Read from JSON and written to JSON; imports no torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from engine.common.spec import Spec, SpecError, parse
from engine.common.text import Text
from engine.recipe.optimizers import (
    LR_MAX,
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    AnyOptimizer,
    LearningRate,
    OptimizerSpec,
    RMSprop,
)
from engine.schedules import AnySchedule, StepLR
from engine.schedules.base import advanced, usual

__all__ = [
    "LR_MAX",
    "MODELS",
    "OPTIMIZERS",
    "PRETRAINED",
    "SGD",
    "Adam",
    "AdamW",
    "AnyOptimizer",
    "DataName",
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

DataName = Literal["digits", "mnist", "fashion_mnist"]
MODELS: Final = ("small_cnn", "lenet5", "resnet18", "vgg11_bn")
PRETRAINED: Final = ("resnet18", "vgg11_bn")


class DataSpec(Spec):
    """Which images, and how they are fed."""

    name: DataName = Field("digits", title="Data set", description="Labelled images to learn from.")
    batch_size: int = Field(
        64,
        ge=1,
        le=65536,
        title="Batch size",
        description="Images per step.",
        json_schema_extra=usual(32, 256),
    )
    augment: bool = Field(
        False,
        title="Augment",
        description="Shift each training image by up to an eighth of its size at random: a crop of the padded image.",
    )
    flip: bool = Field(
        False,
        title="Flip",
        description="Mirror half of the training images, left to right. Not for digits and letters.",
        json_schema_extra=advanced(),
    )
    cutout: int = Field(
        0,
        ge=0,
        le=1024,
        title="Cutout",
        description="Side in pixels of a square that is blanked at a random place of each training image; 0 for none.",
        json_schema_extra={**advanced(), **usual(4, 16)},
    )
    policy: Literal["none", "RandAugment", "TrivialAugment"] = Field(
        "none",
        title="Policy",
        description="torchvision's random operations on each training image, for images of 32 pixels and more: "
        "RandAugment (two of moderate strength) or TrivialAugment (one of any strength).",
        json_schema_extra=advanced(),
    )
    root: str | None = Field(
        None,
        min_length=1,
        title="Folder",
        description="The folder that holds the data set, in torchvision's layout (MNIST/raw/...).",
    )

    @property
    def augmented(self) -> bool:
        """Whether anything is done to training images."""
        return self.augment or self.flip or self.cutout > 0 or self.policy != "none"


class ModelSpec(Spec):
    """Which network."""

    name: str = Field(
        "small_cnn",
        min_length=1,
        max_length=1000,
        title="Network",
        description="A built-in network, or FILE.py:FUNCTION, a function of your own that takes in_channels and "
        "num_classes and returns an nn.Module.",
    )
    pretrained: bool = Field(
        False,
        title="Pretrained",
        description="Start from torchvision's ImageNet weights (resnet18, vgg11_bn).",
    )

    @model_validator(mode="after")
    def _known(self) -> ModelSpec:
        own = self.own_function()
        if own is None and self.name not in MODELS:
            allowed = ", ".join(MODELS)
            raise SpecError("name", f"{self.name!r} is not known; allowed: {allowed}, or FILE.py:FUNCTION")
        if own is not None and not own[1].isidentifier():
            raise SpecError("name", f"{own[1]!r} is not a function's name; write FILE.py:FUNCTION")
        if self.pretrained and self.name not in PRETRAINED:
            raise SpecError("pretrained", f"only {' and '.join(PRETRAINED)} have pretrained weights")
        return self

    def own_function(self) -> tuple[str, str] | None:
        """File and function of a network of the person's own, or None for a built-in one."""
        file, colon, function = self.name.rpartition(":")
        return (file, function) if colon and file.endswith(".py") else None


class GroupSpec(Spec):
    """A parameter group: modules whose names match a pattern, with a rate (and a schedule) of their own."""

    name: str = Field(min_length=1, max_length=40, title="Name", description="What the group is called.")
    modules: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        min_length=1,
        max_length=100,
        title="Modules",
        description="Patterns of module names: fc, layer4.*, features.[0-3]*.",
    )
    lr: LearningRate | None = Field(
        None, title="Learning rate", description="The group's own rate; empty: the optimizer's."
    )
    frozen: bool = Field(False, title="Frozen", description="Do not train these modules.")
    schedule: AnySchedule | None = Field(None, title="Schedule", description="The group's own schedule.")


class GuardSpec(Spec):
    """When a batch's update is not made and the run stands still."""

    loss_limit: float | None = Field(
        1000.0,
        gt=0,
        le=1e30,
        title="Loss limit",
        description="A batch with a greater loss is not learned from, and the run pauses. One that is not a number "
        "never is.",
        json_schema_extra={**advanced(), **usual(100, 10_000)},
    )


class Recipe(Spec):
    """Everything that determines a run, apart from the hand."""

    data: DataSpec = DataSpec()
    model: ModelSpec = ModelSpec()
    optimizer: AnyOptimizer = SGD(lr=0.01, momentum=0.9)
    schedule: AnySchedule = StepLR(step_size=10, gamma=0.5)
    groups: tuple[GroupSpec, ...] = Field(
        (), max_length=50, title="Groups", description="Parameter groups with rates of their own."
    )
    epochs: int = Field(
        30,
        ge=1,
        le=1_000_000,
        title="Epochs",
        description="Passes over the training images.",
        json_schema_extra=usual(5, 100),
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**63 - 1,
        title="Seed",
        description="Decides the initial weights, the order and the augmentation.",
    )
    device: str = Field(
        "auto",
        title="Device",
        description="auto takes the first CUDA GPU, or the CPU where there is none.",
    )
    precision: Literal["float32", "tf32", "bfloat16", "float16"] = Field(
        "float32",
        title="Precision",
        description="float32 is exact. bfloat16 and float16 compute the network in half the bits: faster where the "
        "hardware has it. tf32 lets an NVIDIA GPU multiply with 10 bits of mantissa, and does nothing on a CPU; "
        "float16 is for GPUs too, and scales its losses.",
    )

    guard: GuardSpec = GuardSpec()

    @field_validator("device")
    @classmethod
    def _device_is_a_name(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d{1,2})?", value):
            raise SpecError("", f"must be auto, cpu, cuda or cuda:N; it is {value!r}")
        return value

    @model_validator(mode="after")
    def _groups_have_names_of_their_own(self) -> Recipe:
        names = [g.name for g in self.groups]
        for index, name in enumerate(names):
            if name in ("all", "rest"):
                raise SpecError(f"groups[{index}].name", f"{name!r} is taken; choose another name")
            if name in names[:index]:
                raise SpecError(f"groups[{index}].name", f"{name!r} is used twice")
        return self

    def warnings(self) -> list[Text]:
        """Choices that are allowed but probably not meant."""
        own = [g.schedule.warnings() for g in self.groups if g.schedule]
        return [*self.schedule.warnings(), *(w for ws in own for w in ws)]

    def to_json(self, indent: int | None = None) -> str:
        """The recipe as JSON that ``recipe_from_json`` reads back to an equal recipe."""
        return self.model_dump_json(indent=indent)


REQUIRED: Final = ("data", "model", "optimizer", "schedule")


def recipe_from_json(text: str | bytes) -> Recipe:
    """Read a recipe.

    Raises:
        SpecError: names the field, what is wrong and what is allowed.
    """
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError("", f"the recipe is not JSON: {error}") from None
    if isinstance(loaded, dict):
        for key in REQUIRED:
            if key not in loaded:
                raise SpecError(key, f"is required; a recipe needs {', '.join(REQUIRED)}")
    recipe: Recipe = parse(Recipe, text)
    return recipe


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a file.

    Raises:
        SpecError: the file cannot be read, or what it holds is not a recipe.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise SpecError("recipe", f"{path} cannot be read: {error.strerror}") from None
    return recipe_from_json(text)

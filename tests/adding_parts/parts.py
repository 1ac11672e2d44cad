"""A made-up data set, network and optimizer: one registry entry each, made before anything reads the registries.

``-p tests.adding_parts.parts`` has pytest import this first.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.recipe.data_sets import DATA_SETS, DataSet, Facts
from engine.recipe.networks import NETWORKS, Network
from engine.recipe.optimizers import OPTIMIZERS, LearningRate, OptimizerSpec

if TYPE_CHECKING:
    from engine.data.image_set import ImageSet, LoadOptions
    from engine.recipe.recipe import DataSpec

assert "engine.recipe.recipe" not in sys.modules, "recipes were read before the entries were there"

FACTS = Facts(channels=3, height=12, width=10, classes=("red", "green", "blue"), train=90, val=30)
DATA_SETS["colours"] = DataSet(
    name="colours", title="Colours, 12 × 10", loader=f"{__name__}:load", facts=FACTS, in_root=False
)
NETWORKS["mean_net"] = Network(name="mean_net", family="Made up", builder=f"{__name__}:mean_net", head="last")


class Adadelta(OptimizerSpec):
    """Adapts each step to the last ones."""

    when: ClassVar[str] = "Where no learning rate is known."
    starting_values: ClassVar[Mapping[str, float]] = {"lr": 0.5}
    changeable: ClassVar[tuple[str, ...]] = ("weight_decay", "rho")

    name: Literal["Adadelta"] = "Adadelta"
    lr: LearningRate = Field(1.0, title="Learning rate", description="Factor of each step.")
    rho: float = Field(0.9, ge=0, lt=1, title="rho", description="Decay of the averages.")


OPTIMIZERS["Adadelta"] = Adadelta


def load(data_set: DataSet, spec: DataSpec, options: LoadOptions) -> ImageSet:
    """Noise in which one channel is brighter: the label."""
    from engine.data.image_set import ImageSet, Split

    def split(count: int, seed: int) -> Split:
        labels = np.arange(count, dtype=np.int64) % 3
        images = np.random.default_rng(seed).integers(0, 100, (count, 3, 12, 10), dtype=np.uint8)
        images[np.arange(count), labels] += 100
        return Split(images, labels)

    assert data_set.facts is not None
    return ImageSet(data_set.name, split(90, 0), split(30, 1), data_set.facts.classes)


def mean_net(channels: int, height: int, width: int, classes: int) -> object:
    """A linear layer on the mean of each channel."""
    from torch import nn

    network = nn.Sequential()
    network.add_module("pool", nn.AvgPool2d((height, width)))
    network.add_module("flat", nn.Flatten())
    network.add_module("norm", nn.BatchNorm1d(channels))
    network.add_module("last", nn.Linear(channels, classes))
    return network

"""The networks that a recipe can name, and what is known of each without building it.

Adding one is an entry in ``NETWORKS`` and the class or function that its ``builder`` names. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Network:
    """An entry of the registry.

    Attributes:
        name: ``model.name`` in a recipe.
        family: what the network is a member of.
        builder: ``module:function``; the function is an ``engine.models.registry.Builder``, imported when it is needed.
        head: the pattern of its last layers' module names, which ``groups`` of a recipe can use.
        smallest: side in pixels of the smallest images that it can be built for.
        large: it computes far more for each pixel than a small CNN; more threads pay, and the task counts as harder.
        pretrained: torchvision has ImageNet weights of that name.
    """

    name: str
    family: str
    builder: str
    head: str
    smallest: int = 4
    large: bool = False
    pretrained: bool = False


_ENTRIES: Final = (
    Network(name="small_cnn", family="Tiller", builder="engine.models.builtin:SmallCNN", head="fc"),
    Network(name="lenet5", family="LeNet", builder="engine.models.builtin:LeNet5", head="fc*"),
    Network(
        name="resnet18",
        family="ResNet",
        builder="engine.models.torchvision_networks:resnet18",
        head="fc",
        large=True,
        pretrained=True,
    ),
    Network(
        name="vgg11_bn",
        family="VGG",
        builder="engine.models.torchvision_networks:vgg11_bn",
        head="classifier",
        large=True,
        pretrained=True,
    ),
)
NETWORKS: Final[dict[str, Network]] = {entry.name: entry for entry in _ENTRIES}
"""By name, in the order in which the window lists them."""


def find_network(name: str) -> Network | None:
    """The entry of the network that a recipe calls ``name``; None for one of the person's own, or an unknown name."""
    return NETWORKS.get(name)

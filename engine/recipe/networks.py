"""The registry of networks: what is known of each without building it.

To add one, add an entry here and the class or function in ``engine.models`` that its ``builder`` names. Imports no
torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Network:
    """An entry of the registry.

    Attributes:
        name: ``model.name`` in a recipe.
        family: the architecture that it belongs to, by which lists of networks are grouped.
        builder: ``module:function`` of an ``engine.models.registry.Builder``, which is imported when it is needed.
        head: the module name (or a pattern) of its last layers, as in ``groups`` of a recipe.
        smallest: side in pixels of the smallest images that it can be built for.
        large: whether it computes far more per pixel than a small CNN. More threads are worthwhile for it.
        pretrained: whether torchvision has ImageNet weights for it.
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
"""By name, in the order of the window's list."""


def find_network(name: str) -> Network | None:
    """The entry for a recipe's ``model.name``; None for a user's own network and for an unknown name."""
    return NETWORKS.get(name)

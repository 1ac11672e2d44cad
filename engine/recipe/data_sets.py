"""The registry of data sets: what is known of each without loading it.

To add one, add an entry here and the function in ``engine.data`` that its ``loader`` names. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Facts:
    """Image size in pixels, class names in the order of the labels, and numbers of images (``train``, ``val``)."""

    channels: int
    height: int
    width: int
    classes: tuple[str, ...]
    train: int
    val: int

    @property
    def num_classes(self) -> int:
        """Number of labels."""
        return len(self.classes)


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """An entry of the registry.

    Attributes:
        name: ``data.name`` in a recipe.
        title: its name in the window.
        loader: ``module:function`` of an ``engine.data.image_set.Loader``, which is imported when it is needed.
        facts: None if they depend on the files.
        in_root: whether its files are below ``data.root``; if not, an installed package contains them.
        can_download: whether missing files can be downloaded.
        difficulty: which kind of schedule the advice suggests: StepLR for a ``simple`` set and a small network, a
            cosine for a ``complex`` set, and for a ``moderate`` one and a large network.
        torchvision: the class in ``torchvision.datasets`` that has its layout and its mirrors, if any.
    """

    name: str
    title: str
    loader: str
    facts: Facts | None = None
    in_root: bool = True
    can_download: bool = False
    difficulty: Literal["simple", "moderate", "complex"] = "complex"
    torchvision: str = ""


_DIGITS: Final = tuple("0123456789")
_GARMENTS: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_ENTRIES: Final = (
    DataSet(
        name="digits",
        title="Digits, 8 × 8",
        loader="engine.data.digits:load",
        facts=Facts(1, 8, 8, _DIGITS, train=1437, val=360),
        in_root=False,
        difficulty="simple",
    ),
    DataSet(
        name="mnist",
        title="MNIST",
        loader="engine.data.mnist:load",
        facts=Facts(1, 28, 28, _DIGITS, train=60_000, val=10_000),
        can_download=True,
        difficulty="simple",
        torchvision="MNIST",
    ),
    DataSet(
        name="fashion_mnist",
        title="Fashion-MNIST",
        loader="engine.data.mnist:load",
        facts=Facts(1, 28, 28, _GARMENTS, train=60_000, val=10_000),
        can_download=True,
        difficulty="moderate",
        torchvision="FashionMNIST",
    ),
)
DATA_SETS: Final[dict[str, DataSet]] = {entry.name: entry for entry in _ENTRIES}
"""By name, in the order of the window's list."""

"""The data sets that a recipe can name, and what is known of each without reading it.

Adding one is an entry in ``DATA_SETS`` and the module of ``engine.data`` that its ``loader`` names. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Facts:
    """Sizes in pixels, names of the classes in the order of the labels, and numbers of images (``train``, ``val``)."""

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
        title: how the window lists it.
        loader: ``module:function``; the function is an ``engine.data.image_set.Loader``, imported when it is needed.
        facts: None where they depend on what is in the files.
        in_root: its files lie under ``data.root``. False: they come with an installed package, and are always there.
        can_download: whether what is missing can be fetched.
        difficulty: what the advice on schedules goes by: ``simple`` sets are soon learned by a small network,
            ``moderate`` ones still, ``complex`` ones by no network.
        torchvision: the class of ``torchvision.datasets`` whose layout and mirrors are this set's, if any.
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
"""By name, in the order in which the window lists them."""

"""The built-in image sets, as NumPy arrays in memory. Imports no torch.

Sources: the digits are scikit-learn's copy of the UCI Optical Recognition of Handwritten Digits (test part); MNIST and
Fashion-MNIST are read in torchvision's layout (``ROOT/MNIST/raw``), and fetched from where torchvision says.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import platformdirs

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.data.download import Cancelled, Checksum, DownloadError, Progress, fetch, ignore, never
from engine.data.idx import IdxError, map_idx, read_idx
from engine.recipe.recipe import DataName, DataSpec

__all__ = ["FACTS", "Cancelled", "DataMissing", "Facts", "ImageSet", "Split", "default_root", "describe", "load"]


@dataclass(frozen=True)
class Split:
    """Images uint8 [N, C, H, W] (0 black, 255 white) and their labels int64 [N], each from 0 to classes - 1."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class ImageSet:
    """Labelled images for training and for validation; ``classes`` names the labels in order."""

    name: str
    train: Split
    val: Split
    classes: tuple[str, ...]

    @property
    def channels(self) -> int:
        """Values per pixel."""
        return int(self.train.images.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.train.images.shape[2])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.train.images.shape[3])

    @property
    def num_classes(self) -> int:
        """Number of labels."""
        return len(self.classes)


@dataclass(frozen=True)
class Facts:
    """What is known of a built-in set without reading it; ``train`` and ``val`` are numbers of images."""

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


_TEN: Final = tuple("0123456789")
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
FACTS: Final[dict[DataName, Facts]] = {
    "digits": Facts(1, 8, 8, _TEN, train=1437, val=360),
    "mnist": Facts(1, 28, 28, _TEN, train=60_000, val=10_000),
    "fashion_mnist": Facts(1, 28, 28, _GARMENTS, train=60_000, val=10_000),
}
_TORCHVISION: Final = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
_FILES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class DataMissing(SpecError):  # noqa: N818 - a state of the disk; the message says the ways out
    """Files of a data set are not there. ``files`` are their names, ``folder`` is where they were looked for."""

    def __init__(self, files: Sequence[str], folder: Path, root: Path) -> None:
        super().__init__(
            "data.root",
            Text(
                "the data is not there: {files} not found in {folder} (root is {root}). Fetch it with --download (in "
                "the window: Download), or, offline, put the files into {folder}, or name another folder as root",
                files=", ".join(files),
                folder=folder,
                root=root,
            ),
        )
        self.files = tuple(files)
        self.folder = folder


def describe(name: DataName) -> Facts:
    """Sizes, classes and counts of a built-in set, without reading it."""
    return FACTS[name]


def default_root() -> Path:
    """The folder of data sets where a recipe names none: ``TILLER_DATA``, or one in the user-data folder."""
    own = os.environ.get("TILLER_DATA")
    return Path(own).expanduser() if own else platformdirs.user_data_path("tiller", appauthor=False) / "data"


def load(
    spec: DataSpec,
    *,
    download: bool = False,
    progress: Progress = ignore,
    cancelled: Callable[[], bool] = never,
    room: int | None = None,
) -> ImageSet:
    """Read a data set into memory; images of more than ``room`` bytes stay in their file, where that allows it.

    With ``download``, fetch first what is missing or damaged.

    ``progress`` is called with a sentence and how much is done of how much (files, or bytes of a download).

    Raises:
        DataMissing: files are not there and may not be fetched.
        SpecError: files are damaged or cannot be read or fetched; names the file.
        Cancelled: ``cancelled`` said so.
    """
    if spec.name == "digits":
        progress(Text("Reading {file}", file="digits"), 0, 1)
        train, val = _digits()
    else:
        root = Path(spec.root).expanduser() if spec.root else default_root()
        train, val = _Mnist(_TORCHVISION[spec.name], root, progress, cancelled, room).splits(download)
    if cancelled():
        raise Cancelled
    return ImageSet(spec.name, train, val, describe(spec.name).classes)


_DIGITS_VAL_PER_CLASS: Final = 36


def _digits() -> tuple[Split, Split]:
    # What sklearn.datasets.load_digits reads, without the second and the thread pools that importing scipy costs.
    package = importlib.util.find_spec("sklearn")
    path = Path(package.origin or "").parent / "datasets" / "data" / "digits.csv.gz" if package else None
    if path is None or not path.is_file():
        raise SpecError("data.name", Text("the digits come with scikit-learn, which is not installed whole"))
    with gzip.open(path, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    labels = np.ascontiguousarray(table[:, -1])
    # 0..16 becomes 0..255; no sixteenth of 255 lies half way between two whole numbers but 8, which rounds to 128
    images = ((table[:, :-1] * 255 + 8) // 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    # A fixed shuffle that no library's random numbers can change: images in the order of the hash of their index
    order = sorted(range(len(labels)), key=lambda i: hashlib.sha256(f"digits {i}".encode()).digest())
    by_class = [[i for i in order if labels[i] == c] for c in range(10)]
    val = np.array(sorted(i for members in by_class for i in members[:_DIGITS_VAL_PER_CLASS]))
    train = np.setdiff1d(np.arange(len(labels)), val)
    return Split(images[train], labels[train]), Split(images[val], labels[val])


class _Mnist:
    """One data set of four IDX files in torchvision's layout."""

    def __init__(
        self, folder: str, root: Path, progress: Progress, cancelled: Callable[[], bool], room: int | None
    ) -> None:
        self._set = folder
        self._root = root
        self._raw = root / folder / "raw"
        self._progress = progress
        self._cancelled = cancelled
        self._room = room

    def splits(self, download: bool) -> tuple[Split, Split]:
        """The training and the validation images; the set's own test part is validation."""
        missing = [name for name in _FILES if not self._copies(name)]
        if missing and not download:
            raise DataMissing([f"{name}.gz" for name in missing], self._raw, self._root)
        arrays = []
        for index, name in enumerate(_FILES):
            self._progress(Text("Reading {file}", file=name), index, len(_FILES))
            arrays.append(self._array(name, download))
        self._progress(Text("Reading {file}", file=self._set), len(_FILES), len(_FILES))
        images, labels, val_images, val_labels = arrays
        return self._split(images, labels, _FILES[:2]), self._split(val_images, val_labels, _FILES[2:])

    def _copies(self, name: str) -> list[Path]:
        return [path for path in (self._raw / name, self._raw / f"{name}.gz") if path.is_file()]

    def _array(self, name: str, download: bool) -> np.ndarray:
        problem: SpecError | None = None
        for path in self._copies(name):
            try:
                return self._checked(path)
            except SpecError as error:
                problem = error
        if download:
            self._fetch(f"{name}.gz")
            return self._checked(self._raw / f"{name}.gz")
        if problem is None:
            raise DataMissing([f"{name}.gz"], self._raw, self._root)
        raise problem

    def _checked(self, path: Path) -> np.ndarray:
        images = "images" in path.name
        try:
            if images and self._room is not None and path.suffix != ".gz" and path.stat().st_size > self._room:
                array: np.ndarray = map_idx(path, 3)
            else:
                array = read_idx(path, 3 if images else 1, cancelled=self._cancelled)
            if images and array.shape[1:] != (28, 28):
                size = f"{array.shape[1]} x {array.shape[2]}"
                raise IdxError(Text("its images are {size} pixels, not 28 x 28", size=size))
            if not images and int(array.max()) > 9:
                raise IdxError(Text("it has a label {label}; labels go from 0 to 9", label=int(array.max())))
        except IdxError as error:
            raise SpecError(
                "data.root",
                Text(
                    "{path} is damaged: {reason}. Replace it, or fetch it anew with --download (in the window: "
                    "Download)",
                    path=path,
                    reason=str(error),
                ),
            ) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError("data.root", Text("{path} cannot be read: {reason}", path=path, reason=reason)) from error
        return array

    def _split(self, images: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> Split:
        if len(images) != len(labels):
            raise SpecError(
                "data.root",
                Text(
                    "{images} has {n} images but {labels} has {m} labels, in {folder}; they do not belong together",
                    images=names[0],
                    n=len(images),
                    labels=names[1],
                    m=len(labels),
                    folder=self._raw,
                ),
            )
        return Split(images[:, None], labels.astype(np.int64))

    def _fetch(self, name: str) -> None:
        # torchvision knows the mirrors and the digests; it takes seconds to import, so only when something is fetched
        import torchvision.datasets

        published = getattr(torchvision.datasets, self._set)
        checksum = Checksum("md5", dict(published.resources)[name])
        urls = [mirror + name for mirror in published.mirrors]
        try:
            fetch(urls, self._raw / name, checksum, progress=self._progress, cancelled=self._cancelled)
        except DownloadError as error:
            raise SpecError("data.root", error.args[0]) from error

"""MNIST and Fashion-MNIST, in torchvision's layout (``ROOT/MNIST/raw``), downloaded from mirrors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from engine.common.errors import DataMissing, DownloadError, NotDownloaded, SpecError
from engine.common.text import Text
from engine.data.download import Checksum, Published, fetch
from engine.data.idx import IdxError, map_idx, read_idx
from engine.data.image_set import ImageSet, LoadOptions, Split
from engine.data.root import root_of
from engine.recipe.data_sets import DataSet, Facts
from engine.recipe.recipe import DataSpec

_FILES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class Mirrors(NamedTuple):
    """What torchvision does not know of a set: further mirrors, and the SHA-256 and the size in bytes of each file."""

    files: dict[str, tuple[str, int]]
    mirrors: tuple[str, ...] = ()


SOURCES: Final[dict[str, Mirrors]] = {
    "MNIST": Mirrors(
        {
            "train-images-idx3-ubyte.gz": (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                9_912_422,
            ),
            "train-labels-idx1-ubyte.gz": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
            "t10k-images-idx3-ubyte.gz": (
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                1_648_877,
            ),
            "t10k-labels-idx1-ubyte.gz": ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
        }
    ),
    "FashionMNIST": Mirrors(
        {
            "train-images-idx3-ubyte.gz": (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                26_421_880,
            ),
            "train-labels-idx1-ubyte.gz": ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
            "t10k-images-idx3-ubyte.gz": (
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                4_422_102,
            ),
            "t10k-labels-idx1-ubyte.gz": ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
        },
        # the authors' own; torchvision's mirror is without HTTPS
        ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",),
    ),
}
"""By the name of the class in ``torchvision.datasets``."""


def load(data_set: DataSet, spec: DataSpec, options: LoadOptions) -> ImageSet:
    """See ``engine.data.image_set.Loader``. The set's test part is used for validation."""
    assert data_set.facts is not None
    train, val = _Files(data_set.torchvision, data_set.facts, root_of(spec), options).splits()
    return ImageSet(data_set.name, train, val, data_set.facts.classes)


class _Files:
    """The four IDX files of a data set: training and test, images and labels.

    Args:
        name: the class in ``torchvision.datasets``, and the folder below ``root``.
        facts: the expected size of the images and the number of classes.
        root: the folder of data sets.
        options: how to read them.
    """

    def __init__(self, name: str, facts: Facts, root: Path, options: LoadOptions) -> None:
        self._name, self._facts, self._options = name, facts, options
        self._root, self._raw = root, root / name / "raw"

    def splits(self) -> tuple[Split, Split]:
        """The training part and the test part."""
        missing = [name for name in _FILES if not self._copies(name)]
        if missing and not self._options.download:
            raise DataMissing([f"{name}.gz" for name in missing], self._raw, self._root)
        arrays = []
        for index, name in enumerate(_FILES):
            self._options.progress(Text("Reading {file}", file=name), index, len(_FILES))
            arrays.append(self._array(name))
        self._options.progress(Text("Reading {file}", file=self._name), len(_FILES), len(_FILES))
        images, labels, test_images, test_labels = arrays
        return self._split(images, labels, _FILES[:2]), self._split(test_images, test_labels, _FILES[2:])

    def _copies(self, name: str) -> list[Path]:
        return [path for path in (self._raw / name, self._raw / f"{name}.gz") if path.is_file()]

    def _array(self, name: str) -> np.ndarray:
        problem: SpecError | None = None
        for path in self._copies(name):
            try:
                return self._checked(path)
            except SpecError as error:
                problem = error
        if self._options.download:
            self._fetch(f"{name}.gz")
            return self._checked(self._raw / f"{name}.gz")
        if problem is None:
            raise DataMissing([f"{name}.gz"], self._raw, self._root)
        raise problem

    def _checked(self, path: Path) -> np.ndarray:
        images, room = "images" in path.name, self._options.room
        size, last = (self._facts.height, self._facts.width), self._facts.num_classes - 1
        try:
            if images and room is not None and path.suffix != ".gz" and path.stat().st_size > room:
                array: np.ndarray = map_idx(path, 3)
            else:
                array = read_idx(path, 3 if images else 1, cancelled=self._options.cancelled)
            if images and array.shape[1:] != size:
                found, expected = (f"{height} x {width}" for height, width in (array.shape[1:], size))
                raise IdxError(Text("its images are {size} pixels, not {expected}", size=found, expected=expected))
            if not images and int(array.max()) > last:
                label = int(array.max())
                raise IdxError(Text("it has a label {label}; labels go from 0 to {last}", label=label, last=last))
        except IdxError as error:
            raise NotDownloaded(
                "data.root",
                Text(
                    "{path} is damaged: {reason}. Replace it, or download it again with --download",
                    path=path,
                    reason=str(error),
                ),
                Text("{path} is damaged: {reason}. Replace it, or press Download.", path=path, reason=str(error)),
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
                    "{images} has {n} images but {labels} has {m} labels, in {folder}: they are of different data sets",
                    images=names[0],
                    n=len(images),
                    labels=names[1],
                    m=len(labels),
                    folder=self._raw,
                ),
            )
        return Split(images[:, None], labels.astype(np.int64))

    def _fetch(self, name: str) -> None:
        # torchvision has mirrors and MD5 digests, but takes seconds to import
        import torchvision.datasets

        theirs, ours, options = getattr(torchvision.datasets, self._name), SOURCES[self._name], self._options
        sha256, size = ours.files[name]
        published = Published((Checksum("sha256", sha256), Checksum("md5", dict(theirs.resources)[name])), size)
        urls = [mirror + name for mirror in (*theirs.mirrors, *ours.mirrors)]
        try:
            fetch(urls, self._raw / name, published, progress=options.progress, cancelled=options.cancelled)
        except DownloadError as error:
            raise SpecError("data.root", error.args[0]) from error

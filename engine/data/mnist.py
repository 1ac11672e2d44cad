"""MNIST and Fashion-MNIST, in torchvision's layout (``ROOT/MNIST/raw``), downloaded from torchvision's mirrors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from engine.common.errors import DataMissing, DownloadError, SpecError
from engine.common.text import Text
from engine.data.download import Checksum, fetch
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
            raise SpecError(
                "data.root",
                Text(
                    "{path} is damaged: {reason}. Replace it, or download it again with --download (in the window: "
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
        # torchvision has the mirrors and checksums, but takes seconds to import
        import torchvision.datasets

        published = getattr(torchvision.datasets, self._name)
        checksum = Checksum("md5", dict(published.resources)[name])
        urls, options = [mirror + name for mirror in published.mirrors], self._options
        try:
            fetch(urls, self._raw / name, checksum, progress=options.progress, cancelled=options.cancelled)
        except DownloadError as error:
            raise SpecError("data.root", error.args[0]) from error

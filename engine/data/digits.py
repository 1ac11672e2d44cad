"""The digits: scikit-learn's copy of the UCI Optical Recognition of Handwritten Digits (test part)."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from pathlib import Path
from typing import Final

import numpy as np

from engine.common.errors import SpecError
from engine.common.text import Text
from engine.data.image_set import ImageSet, LoadOptions, Split
from engine.recipe.data_sets import DataSet
from engine.recipe.recipe import DataSpec

_VAL_PER_CLASS: Final = 36


def load(data_set: DataSet, spec: DataSpec, options: LoadOptions) -> ImageSet:
    """See ``engine.data.image_set.Loader``. The split is fixed: 36 images of each class are for validation."""
    options.progress(Text("Reading {file}", file=data_set.name), 0, 1)
    assert data_set.facts is not None
    images, labels = _read()
    # in the order of the hash of their index: a shuffle that does not depend on a library's random numbers
    order = sorted(range(len(labels)), key=lambda i: hashlib.sha256(f"digits {i}".encode()).digest())
    by_class = [[i for i in order if labels[i] == c] for c in range(data_set.facts.num_classes)]
    val = np.array(sorted(i for members in by_class for i in members[:_VAL_PER_CLASS]))
    train = np.setdiff1d(np.arange(len(labels)), val)
    train_split, val_split = (Split(images[part], labels[part]) for part in (train, val))
    return ImageSet(data_set.name, train_split, val_split, data_set.facts.classes)


def _read() -> tuple[np.ndarray, np.ndarray]:
    # the file of sklearn.datasets.load_digits, which would import scipy: a second, and thread pools
    package = importlib.util.find_spec("sklearn")
    path = Path(package.origin or "").parent / "datasets" / "data" / "digits.csv.gz" if package else None
    if path is None or not path.is_file():
        raise SpecError("data.name", Text("the digits come with scikit-learn, which is not completely installed"))
    with gzip.open(path, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    # 0..16 becomes 0..255, rounded; the only tie is 8, which becomes 128
    images = ((table[:, :-1] * 255 + 8) // 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    return images, np.ascontiguousarray(table[:, -1])

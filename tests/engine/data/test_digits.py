"""The digits that come with scikit-learn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from engine.common.errors import Cancelled
from engine.data.registry import load
from engine.recipe.recipe import DataSpec


def test_the_digits_are_scikit_learns_as_uint8() -> None:
    from sklearn.datasets import load_digits

    given, theirs = load(DataSpec(name="digits")), load_digits()
    assert given.train.images.shape == (1437, 1, 8, 8)
    assert given.val.images.shape == (360, 1, 8, 8)
    assert given.train.images.dtype == np.uint8
    assert given.train.labels.dtype == np.int64

    def rows(pixels: np.ndarray, targets: np.ndarray) -> list[bytes]:
        return sorted(p.tobytes() + bytes([int(t)]) for p, t in zip(pixels, targets, strict=True))

    every = np.concatenate([given.train.images, given.val.images])
    scaled = np.round(theirs.images * 255 / 16).astype(np.uint8)
    assert rows(every, np.concatenate([given.train.labels, given.val.labels])) == rows(scaled, theirs.target)


def test_the_validation_split_is_fixed_and_balanced() -> None:
    one, two = load(DataSpec(name="digits")), load(DataSpec(name="digits"))
    assert np.array_equal(one.val.images, two.val.images)
    assert np.bincount(one.val.labels).tolist() == [36] * 10
    # a changed split would make old runs incomparable
    assert one.val.labels[:20].tolist() == [0, 8, 5, 5, 0, 8, 2, 8, 0, 1, 7, 3, 4, 5, 0, 2, 7, 6, 3, 9]


def test_loading_imports_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from engine.data.registry import load; from engine.recipe.recipe import DataSpec;"
        "load(DataSpec(name='digits'));"
        "print(sorted({'torch', 'torchvision', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_loading_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        load(DataSpec(name="digits"), cancelled=lambda: True)

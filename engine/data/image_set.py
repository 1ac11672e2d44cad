"""Image sets, and the interface of the modules that load one. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.common.progress import IsCancelled, Progress, never
from engine.data.download import ignore
from engine.recipe.data_sets import DataSet, Facts
from engine.recipe.recipe import DataSpec


@dataclass(frozen=True)
class Split:
    """Images uint8 [N, C, H, W] (0 black, 255 white) and their labels int64 [N], each from 0 to classes - 1."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class ImageSet:
    """Labelled images for training and validation. ``classes`` are the names of the labels, in order."""

    name: str
    train: Split
    val: Split
    classes: tuple[str, ...]

    @property
    def facts(self) -> Facts:
        """Its size, classes and counts."""
        _, channels, height, width = self.train.images.shape
        return Facts(channels, height, width, self.classes, len(self.train.labels), len(self.val.labels))


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """How to load a data set.

    Attributes:
        download: download missing or damaged files first.
        progress: called with a sentence, what is done and the total (files, or bytes of a download).
        cancelled: called regularly; once it returns True, ``Cancelled`` is raised.
        room: images that take more bytes stay in their file, if its format allows that; None: all go into memory.
    """

    download: bool = False
    progress: Progress = ignore
    cancelled: IsCancelled = never
    room: int | None = None


class Loader(Protocol):
    """Loads a data set. ``DataSet.loader`` names one."""

    def __call__(self, data_set: DataSet, spec: DataSpec, options: LoadOptions) -> ImageSet:
        """Load the images of ``data_set``; ``spec`` is the recipe's ``data``.

        Raises:
            DataMissing: files are missing, and ``options.download`` is False.
            SpecError: a file is damaged, or cannot be read or downloaded. Names the file.
            Cancelled: ``options.cancelled`` returned True.
        """

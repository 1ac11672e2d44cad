"""What reading a data set gives, and what a module that reads one is given. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.data.download import Progress, ignore, never
from engine.recipe.data_sets import DataSet, Facts
from engine.recipe.recipe import DataSpec


class DataMissing(SpecError):  # noqa: N818 - a state of the disk; the message says the ways out
    """Files of a data set were not found. ``files`` are their names, ``folder`` is where they were looked for."""

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
    def facts(self) -> Facts:
        """Its sizes, classes and counts."""
        _, channels, height, width = self.train.images.shape
        return Facts(channels, height, width, self.classes, len(self.train.labels), len(self.val.labels))


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """How a data set is to be read.

    Attributes:
        download: fetch first what is missing or damaged.
        progress: called with a sentence and how much is done of how much (files, or bytes of a download).
        cancelled: asked now and then; once it says so, ``Cancelled`` is raised.
        room: images of more bytes than this stay in their file, where its format allows it; None: all go into memory.
    """

    download: bool = False
    progress: Progress = ignore
    cancelled: Callable[[], bool] = never
    room: int | None = None


class Loader(Protocol):
    """Reads a data set: what ``DataSet.loader`` names."""

    def __call__(self, data_set: DataSet, spec: DataSpec, options: LoadOptions) -> ImageSet:
        """The images of ``data_set`` as ``spec`` asks for them.

        Raises:
            DataMissing: files are not there and may not be fetched.
            SpecError: files are damaged or cannot be read or fetched; names the file.
            Cancelled: ``options.cancelled`` said so.
        """

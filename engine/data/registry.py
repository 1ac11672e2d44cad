"""Load data sets by name. Imports no torch.

The entries are in ``engine.recipe.data_sets``, because recipes and the window need them too.
"""

from __future__ import annotations

from pkgutil import resolve_name

from engine.common.errors import Cancelled
from engine.common.progress import IsCancelled, Progress, never
from engine.data.download import ignore
from engine.data.image_set import ImageSet, Loader, LoadOptions
from engine.recipe.data_sets import DATA_SETS, Facts
from engine.recipe.recipe import DataSpec


def describe(spec: DataSpec) -> Facts:
    """The size, classes and counts of a data set. It is loaded only if they depend on its files.

    Raises:
        SpecError: as ``load``, if it is loaded.
    """
    known = DATA_SETS[spec.name].facts
    return load(spec).facts if known is None else known


def load(
    spec: DataSpec,
    *,
    download: bool = False,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    room: int | None = None,
) -> ImageSet:
    """Load a data set. See ``LoadOptions`` for the arguments.

    Raises:
        DataMissing: files are missing, and ``download`` is False.
        SpecError: a file is damaged, or cannot be read or downloaded. Names the file.
        Cancelled: ``cancelled`` returned True.
    """
    entry = DATA_SETS[spec.name]
    loader: Loader = resolve_name(entry.loader)
    options = LoadOptions(download=download, progress=progress, cancelled=cancelled, room=room)
    images = loader(entry, spec, options)
    if cancelled():
        raise Cancelled
    return images

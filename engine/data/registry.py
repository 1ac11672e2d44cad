"""Data sets by name: described without reading them where that is possible, and read. Imports no torch.

The names and their entries are in ``engine.recipe.data_sets``, where recipes and the window see them too.
"""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name

from engine.data.download import Cancelled, Progress, ignore, never
from engine.data.image_set import ImageSet, Loader, LoadOptions
from engine.recipe.data_sets import DATA_SETS, Facts
from engine.recipe.recipe import DataSpec


def describe(spec: DataSpec) -> Facts:
    """Sizes, classes and counts of a data set. One whose facts depend on its files is read for them.

    Raises:
        SpecError: it is read, and ``load`` raises it.
    """
    known = DATA_SETS[spec.name].facts
    return load(spec).facts if known is None else known


def load(
    spec: DataSpec,
    *,
    download: bool = False,
    progress: Progress = ignore,
    cancelled: Callable[[], bool] = never,
    room: int | None = None,
) -> ImageSet:
    """Read a data set into memory; ``LoadOptions`` says what the arguments mean.

    Raises:
        DataMissing: files are not there and may not be fetched.
        SpecError: files are damaged or cannot be read or fetched; names the file.
        Cancelled: ``cancelled`` said so.
    """
    entry = DATA_SETS[spec.name]
    loader: Loader = resolve_name(entry.loader)
    options = LoadOptions(download=download, progress=progress, cancelled=cancelled, room=room)
    images = loader(entry, spec, options)
    if cancelled():
        raise Cancelled
    return images

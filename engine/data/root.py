"""The folder of the data sets."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from engine.common.files import path_of
from engine.recipe.recipe import DataSpec


def default_data_root() -> Path:
    """The folder of data sets if a recipe names none: ``TILLER_DATA``, or one in the user-data folder."""
    own = os.environ.get("TILLER_DATA")
    return path_of("TILLER_DATA", own) if own else platformdirs.user_data_path("tiller", appauthor=False) / "data"


def root_of(spec: DataSpec) -> Path:
    """The folder that ``spec`` names, or the default one."""
    return path_of("data.root", spec.root) if spec.root else default_data_root()

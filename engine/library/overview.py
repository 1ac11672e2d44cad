"""All runs as a list: what each trains, how far it is, and its best results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from engine.library.reader import Reader
from engine.library.rows import RunRow

_RECIPES: Final = 2000  # parsed once each, since the list of runs is refreshed often


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A run as a line of a list. What is not known yet is None or empty.

    ``best_accuracy`` (0 to 1) and ``best_loss`` are the best validation results of all epochs; ``lr`` holds the LR of
    each group in the newest batch.
    """

    row: RunRow
    data: str = ""
    network: str = ""
    optimizer: str = ""
    schedule: str = ""
    best_accuracy: float | None = None
    best_loss: float | None = None
    lr: tuple[float, ...] = ()


def overviews(reader: Reader, *, deleted: bool = False) -> list[Overview]:
    """All runs, oldest first; with ``deleted`` those in the recycle bin instead. Raises sqlite3.Error."""
    figures = reader.figures()
    return [_overview(row, figures.get(row.id, (None, None, ()))) for row in reader.runs(deleted=deleted)]


def _overview(row: RunRow, figures: tuple[float | None, float | None, tuple[float, ...]]) -> Overview:
    data, network, optimizer, schedule = _parts(row.recipe)
    accuracy, loss, lr = figures
    return Overview(
        row=row,
        data=data,
        network=network,
        optimizer=optimizer,
        schedule=schedule,
        best_accuracy=accuracy,
        best_loss=loss,
        lr=lr,
    )


@lru_cache(_RECIPES)
def _parts(recipe: str) -> tuple[str, str, str, str]:
    """The names of a recipe's parts; empty where a recipe has none."""
    try:
        parts: Any = json.loads(recipe)
    except ValueError:
        parts = None
    known = parts if isinstance(parts, dict) else {}

    def name(part: str) -> str:
        found = known.get(part)
        return str(found.get("name", "")) if isinstance(found, dict) else ""

    return name("data"), _short(name("model")), name("optimizer"), name("schedule")


def _short(model: str) -> str:
    """A network's name without the folder of its file."""
    return model.replace("\\", "/").rpartition("/")[2]

"""Roads that a run left when it went back: what is drawn of them, faintly. Imports no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
MOST: Final = 5
"""Ghosts of one run; the oldest make room."""
POINTS: Final = 1000
"""Of one line of batches at most."""


@dataclass(frozen=True, kw_only=True)
class AbandonedBranch:
    """What lay beyond the moment to which a run went back; positions in epochs completed.

    ``x`` and ``loss`` [points] are the smoothed loss of the batches, thinned; ``lr_x`` and ``rates`` (one a group)
    the rates in force from ``lr_x`` on, to ``end``; ``epoch_x`` and ``metrics`` (by name) the epochs.
    """

    end: float
    x: FloatArray
    loss: FloatArray
    lr_x: FloatArray
    lrs: tuple[FloatArray, ...]
    epoch_x: FloatArray
    metrics: dict[str, FloatArray]

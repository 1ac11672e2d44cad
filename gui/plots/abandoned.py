"""Roads that the run left when it went back, as one faint line a plot and colour."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gui.plots.items import Trace
from gui.theme.theme import mixed

FloatArray = npt.NDArray[np.float64]
_SHARE = 0.38  # of the colour of the road that is lived


class AbandonedTrace(Trace):
    """All ghosts' lines of one kind, behind the road that the run is on."""

    def __init__(self) -> None:
        super().__init__(thin=True)
        self.setZValue(-30)

    def set_faint(self, color: str, background: str) -> None:
        """Draw in ``color``, stepped back towards ``background``."""
        self.set_color(mixed(color, background, _SHARE))

    def show_abandoned(self, abandoned_branches: Iterable[tuple[FloatArray, FloatArray]]) -> None:
        """Draw each road's x and y, with nothing between one road and the next."""
        gap = np.array([np.nan])
        pairs = [(x, y) for x, y in abandoned_branches if len(x)]
        xs = [part for x, _ in pairs for part in (x, gap)]
        ys = [part for _, y in pairs for part in (y, gap)]
        self.setVisible(bool(pairs))
        self.show_points(np.concatenate(xs) if xs else gap[:0], np.concatenate(ys) if ys else gap[:0], smooth=False)

"""Where a run fell ill, and the last moment that was well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress

from engine.messages.commands import Position
from engine.training.loop import Divergence
from engine.training.recorder import RunRecorder


class DivergenceTracker:
    """Follows a run's troubles: one that comes right where the last one left off began with it."""

    def __init__(self) -> None:
        self._began: Position | None = None
        self._stood: Position | None = None

    def fall(self, divergence: Divergence, stands: Position) -> Position:
        """Note ``trouble``, known of now that the run ``stands`` there. Returns where the illness began."""
        if self._began is None or divergence.at != self._stood:
            self._began = divergence.at
        self._stood = stands
        return self._began


def last_good_position(recorder: RunRecorder, began: Position) -> Position:
    """The newest moment from before the illness ``began`` that a checkpoint of the run holds.

    Where none is known, the end of the epoch before it, which is computed again.
    """
    places: list[tuple[int, int]] = []
    with suppress(OSError, sqlite3.Error):
        places = recorder.positions()
    return newest_good(places, began) or Position(epoch=began.epoch)


def newest_good(places: Iterable[tuple[int, int]], began: Position) -> Position | None:
    """The newest of ``places``, (epoch, batch), whose weights are from before the illness ``began``; None without one.

    Weights that stand before the very batch that was refused are what made its loss so, unless they are an epoch's end:
    that was validated.
    """
    well = [Position(epoch=epoch, batch=batch) for epoch, batch in places]
    well = [at for at in well if at < began or (at == began and at.batch == 0)]
    return max(well, key=lambda at: (at.epoch, at.batch), default=None)

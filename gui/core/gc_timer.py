"""Python's garbage collector, on the window's thread only: on the training thread it could destroy widgets."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GarbageTimer(QObject):
    """Turns automatic collection off and collects with a timer, by the thresholds of the generations."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_EVERY_MS)

    def freeze(self) -> None:
        """Exclude the present objects from collection. After the large libraries are imported, a collection is fast."""
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Turn automatic collection on again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if 0 < thresholds[generation] < counts[generation]:
                gc.collect(generation)
                return

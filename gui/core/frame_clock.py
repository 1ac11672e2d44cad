"""The one repaint clock. Nothing else in the window repaints on its own while a run trains.

Painting holds the interpreter lock, so what painting takes, training loses. The clock therefore measures what a frame
cost and waits until that cost is no more than its share of the time gone by. A person does not wait for that: for a
moment after a click, a key or an answer frames come in quick succession, and at any time at least twice a second.

What counts as the cost: the registered callables change items, and Qt paints those later, from its event queue. So the
frame ends with a synchronous flush: repainting one pixel of a window makes Qt paint everything that is marked dirty in
it, in one go, before the call returns. A graphics scene tells its view what is dirty by a queued call of its own; the
plots deliver that call themselves (``gui.plots.base.RunPlot.flush``), or their painting would happen after the
measurement, and twice.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QWidget

Paint = Callable[[], bool]
ClockMode = Literal["training", "free"]

SHARE: Final = 0.01
FASTEST_TRAINING: Final = 1 / 30
FASTEST_FREE: Final = 1 / 60
SLOWEST: Final = 0.5
HURRIED: Final = 0.05
"""Seconds between two frames after a person did something: what it changed is painted within twice as long."""
ATTENTION: Final = 1.0
"""Seconds for which that lasts: long enough for an answer, a curve and the first batches with another LR to come."""
HEARTBEAT: Final = 1.0
TURN: Final = 0.005
"""Seconds after which a frame, while training, lets clicks and keys have their turn before it paints on."""

_ACTS: Final = frozenset(
    {
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.Wheel,
        QEvent.Type.KeyPress,
        QEvent.Type.TouchBegin,
    }
)


class FrameClock(QObject):
    """Repaints what is registered, inside its share of wall time while training and freely otherwise.

    Args:
        window: the window whose pending painting belongs to a frame; more can be given with ``add_window``.
        share: part of wall time that painting may take while training, 0 to 1.
        now: the time in seconds, from any zero.
        timer: what calls the next frame; its own by default.
    """

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        window: QWidget | None = None,
        share: float = SHARE,
        now: Callable[[], float] = time.perf_counter,
        timer: QTimer | None = None,
    ) -> None:
        super().__init__(parent)
        self._share, self._now = share, now
        self._paints: list[Paint] = []
        self._windows: list[QWidget] = []
        self._mode: ClockMode = "free"
        self._dragging = False
        self._running = False
        self._painting = False
        self._due = 0.0
        self._last = 0.0  # when the last frame ended
        self._hurried_until = 0.0
        self._left: deque[Paint] = deque()  # of the frame under way
        self._cost, self._worked = 0.0, False
        self._rest = 0.0  # what the last frame took, and no hurry cuts short: clicks have their turn
        self._timer = timer or QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._frame)
        if window is not None:
            self.add_window(window)

    def register(self, paint: Paint) -> None:
        """Call ``paint`` in every frame; it returns whether it had anything to do. Many small ones delay no click."""
        self._paints.append(paint)

    def add_window(self, window: QWidget) -> None:
        """Count the pending painting of ``window`` as part of a frame, until it is destroyed."""
        self._windows.append(window)
        window.destroyed.connect(lambda: self._windows.remove(window) if window in self._windows else None)

    def start(self) -> None:
        """Begin to tick."""
        if not self._running:
            self._running = True
            self._last = self._now()
            self._schedule(0.0)

    def stop(self) -> None:
        """Tick no more; ``start`` begins again."""
        self._running = False
        self._timer.stop()

    def set_mode(self, mode: ClockMode) -> None:
        """``training``: stay inside the share. ``free``: idle or paused, repaint whenever something is dirty."""
        if mode != self._mode:
            self._mode = mode
            self.poke()

    def set_dragging(self, dragging: bool) -> None:
        """The person is dragging in the window: painting is free until it ends."""
        self._dragging = dragging
        self.poke()

    def poke(self) -> None:
        """Something is dirty: do not sleep until the next heartbeat. While training the share is kept all the same."""
        if not self._running or self._painting:
            return
        now = self._now()
        self._schedule(max(0.0, self._due - now) if self._frugal else max(0.0, self._last + FASTEST_FREE - now))

    def hurry(self) -> None:
        """The person did something and waits to see it: paint now, and what follows from it soon."""
        now = self._now()
        self._hurried_until = now + ATTENTION
        if self._running and not self._painting:
            self._schedule(max(0.0, self._last + self._rest - now))

    def watch(self, window: QWindow) -> None:
        """Hurry with each click, key or turn of the wheel in ``window``."""
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note what the person does in a window that is watched. A window gets few other events."""
        if event.type() in _ACTS:
            self.hurry()
        return False

    @property
    def _frugal(self) -> bool:
        return self._mode == "training" and not self._dragging

    def _frame(self) -> None:
        if not self._left:
            self._left.extend(self._paints)
            self._cost, self._worked = 0.0, False
        began = self._now()
        self._painting = True
        try:
            while self._left and not (self._frugal and self._now() - began > TURN):
                self._worked |= self._left.popleft()()
            if self._worked and not self._left:
                self._flush()
        finally:
            self._painting = False
        now = self._now()
        self._cost += now - began
        if self._left:
            if self._running:
                self._schedule(0.0)
            return
        self._last = now
        if not self._running:
            return
        cost = self._rest = self._cost
        if self._frugal:
            slowest = max(HURRIED, 2 * cost) if now < self._hurried_until else SLOWEST
            wait = min(slowest, max(FASTEST_TRAINING, cost / self._share)) - cost
            self._due = now + wait
        elif self._worked:
            # As long a rest as the work took, so that a slow frame never starves the person's clicks.
            wait = max(FASTEST_FREE - cost, cost)
            self._due = now + wait
        else:
            wait = HEARTBEAT
            self._due = now
        self._schedule(wait)

    def _flush(self) -> None:
        for window in self._windows:
            if window.isVisible() and not window.isMinimized():
                window.repaint(0, 0, 1, 1)

    def _schedule(self, seconds: float) -> None:
        self._timer.start(max(0, round(seconds * 1000)))

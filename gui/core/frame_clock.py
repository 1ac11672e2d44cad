"""The one repaint clock. While a run trains, nothing else in the window repaints.

Painting holds the interpreter lock, so training loses the time that painting takes. The clock measures the cost of each
frame and waits until that is at most its share of the elapsed time. The user does not wait for that: for a short time
after a click, a key or an answer, frames follow each other quickly, and there are always at least two per second.

The registered callables change items, which Qt paints later, from its event queue. To measure that too, a frame ends
with a synchronous repaint of one pixel of a window, which makes Qt paint everything that is marked dirty in it. A
graphics scene tells its view what is dirty in a queued call; the plots send that call themselves
(``gui.plots.base.RunPlot.flush``), or their painting would happen after the measurement, and twice.
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
"""Seconds between two frames after the user did something: the change is painted within twice that time."""
ATTENTION: Final = 1.0
"""Seconds for which frames follow quickly: enough for an answer, a curve and the first batches with another LR."""
HEARTBEAT: Final = 1.0
TURN: Final = 0.005
"""Seconds after which a frame lets Qt handle clicks and keys before it continues, while training."""

_INPUTS: Final = frozenset(
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
    """Repaints what is registered: within its share of wall time while training, otherwise without limit.

    Args:
        window: the window whose pending painting belongs to a frame; ``add_window`` adds more.
        share: part of wall time that painting may take while training, 0 to 1.
        now: returns the time in seconds, from any zero.
        timer: calls the next frame; by default a timer of its own.
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
        self._last = 0.0  # end of the last frame
        self._hurried_until = 0.0
        self._left: deque[Paint] = deque()  # of the current frame
        self._cost, self._worked = 0.0, False
        self._rest = 0.0  # duration of the last frame; not even ``hurry`` paints earlier, so that clicks are handled
        self._timer = timer or QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._frame)
        if window is not None:
            self.add_window(window)

    def register(self, paint: Paint) -> None:
        """Call ``paint`` in every frame. It returns whether it did anything, and should be short, so that it delays no
        click.
        """
        self._paints.append(paint)

    def add_window(self, window: QWidget) -> None:
        """Count the pending painting of ``window`` as part of a frame, until it is destroyed."""
        self._windows.append(window)
        window.destroyed.connect(lambda: self._windows.remove(window) if window in self._windows else None)

    def start(self) -> None:
        """Start ticking."""
        if not self._running:
            self._running = True
            self._last = self._now()
            self._schedule(0.0)

    def stop(self) -> None:
        """Stop ticking; ``start`` starts it again."""
        self._running = False
        self._timer.stop()

    def set_mode(self, mode: ClockMode) -> None:
        """``training``: limit painting to the share. ``free``: idle or paused, repaint whenever something is dirty."""
        if mode != self._mode:
            self._mode = mode
            self.poke()

    def set_dragging(self, dragging: bool) -> None:
        """The user is dragging in the window: painting is not limited until that ends."""
        self._dragging = dragging
        self.poke()

    def poke(self) -> None:
        """Something is dirty: do not wait for the next heartbeat. While training, the share is still respected."""
        if not self._running or self._painting:
            return
        now = self._now()
        self._schedule(max(0.0, self._due - now) if self._frugal else max(0.0, self._last + FASTEST_FREE - now))

    def hurry(self) -> None:
        """Repaint now, and for a short time quickly, because the user did something."""
        now = self._now()
        self._hurried_until = now + ATTENTION
        if self._running and not self._painting:
            self._schedule(max(0.0, self._last + self._rest - now))

    def watch(self, window: QWindow) -> None:
        """Hurry with each click, key or turn of the wheel in ``window``."""
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hurry when the user does something in a watched window. A window gets few other events."""
        if event.type() in _INPUTS:
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
            # Rest at least as long as the frame took, so that slow frames leave time for clicks.
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

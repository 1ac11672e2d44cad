"""The repaint clock: within its share while training, not limited otherwise, asleep if there is nothing to do.

Time is simulated: it passes when a test says so, and a frame takes exactly as long as its painters.
"""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.core.frame_clock import ATTENTION, FASTEST_FREE, FASTEST_TRAINING, HEARTBEAT, SLOWEST, FrameClock

MILLISECOND = 0.001  # timers' intervals are rounded to this


class SimulatedTimer(QTimer):
    """A timer that fires when simulated time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.due: float | None = None

    def start(self, milliseconds: int) -> None:
        self.due = self.now + milliseconds / 1000

    def stop(self) -> None:
        self.due = None

    def fire(self) -> None:
        """Let time pass until the timer is due, and call it."""
        assert self.due is not None
        self.now, self.due = max(self.now, self.due), None
        self.timeout.emit()

    def run(self, seconds: float) -> None:
        """Let ``seconds`` pass, and call the timer whenever it is due."""
        end, fired = self.now + seconds, 0
        while self.due is not None and self.due <= end:
            self.fire()
            fired += 1
            assert fired <= 1000 * (seconds + 1), "it never rests"
        self.now = max(self.now, end)


class Painter:
    """Takes ``cost`` seconds of simulated time per frame, and records when each of its frames began."""

    def __init__(self, timer: SimulatedTimer, cost: float = 0.0, busy: bool = True) -> None:
        self._timer = timer
        self.cost, self.busy = cost, busy
        self.began: list[float] = []

    def __call__(self) -> bool:
        self.began.append(self._timer.now)
        if self.busy:
            self._timer.now += self.cost
        return self.busy

    @property
    def calls(self) -> int:
        return len(self.began)


@pytest.fixture
def timer(qapp: QApplication) -> SimulatedTimer:
    return SimulatedTimer()


def clock_of(timer: SimulatedTimer, *painters: Painter, share: float = 0.01) -> FrameClock:
    """A clock that was started, and lives as long as ``timer``."""
    clock = FrameClock(timer, share=share, now=lambda: timer.now, timer=timer)
    for painter in painters:
        clock.register(painter)
    clock.start()
    return clock


def test_while_training_painting_stays_inside_its_share(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.004)
    clock = clock_of(timer, painter, share=0.05)
    clock.set_mode("training")
    timer.run(10.0)
    assert painter.calls * painter.cost / 10.0 == pytest.approx(0.05, rel=0.02)


def test_cheap_frames_are_capped_at_thirty_a_second(timer: SimulatedTimer) -> None:
    painter = Painter(timer)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    timer.run(10.0)
    assert painter.calls / 10.0 == pytest.approx(1 / FASTEST_TRAINING, rel=0.02)


def test_an_expensive_frame_comes_twice_a_second_at_the_slowest(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.05)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    timer.run(10.0)
    assert painter.began == pytest.approx([0.5 * i for i in range(21)])


def test_dragging_lifts_the_limit(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.005)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    timer.run(0.4)
    assert painter.calls == 1
    clock.set_dragging(True)
    timer.run(1.0)
    assert painter.calls == pytest.approx(1.0 / FASTEST_FREE, abs=3)
    clock.set_dragging(False)
    timer.run(0.1)
    dragged = painter.calls
    timer.run(0.3)
    assert painter.calls == dragged


def test_a_free_frame_rests_as_long_as_it_took(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.1)
    clock_of(timer, painter)
    timer.run(1.0)
    assert painter.began == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_cheap_free_frame_comes_sixty_times_a_second_at_the_most(timer: SimulatedTimer) -> None:
    painter = Painter(timer)
    clock_of(timer, painter)
    timer.run(1.0)
    assert painter.calls == pytest.approx(1 / FASTEST_FREE, abs=3)


def test_with_nothing_to_paint_it_sleeps_and_a_poke_wakes_it(timer: SimulatedTimer) -> None:
    painter = Painter(timer)
    clock = clock_of(timer, painter)
    timer.run(0.5)
    painter.busy = False
    timer.fire()
    asleep = painter.calls
    timer.run(HEARTBEAT - MILLISECOND)
    assert painter.calls == asleep
    timer.run(2 * MILLISECOND)
    assert painter.calls == asleep + 1  # the heartbeat
    clock.poke()
    timer.run(FASTEST_FREE + MILLISECOND)
    assert painter.calls == asleep + 2


def test_poking_while_training_does_not_break_the_share(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.005)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    for _ in range(98):
        clock.poke()
        timer.run(0.005)
    assert painter.calls == 1
    timer.run(0.015)
    assert painter.calls == 2


def test_what_qt_paints_afterwards_is_part_of_the_frame(qtbot: QtBot, timer: SimulatedTimer) -> None:
    class Expensive(QWidget):
        paints = 0

        def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
            self.paints += 1
            timer.now += 0.02

    window = Expensive()
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    clock = FrameClock(window=window, share=0.1, now=lambda: timer.now, timer=timer)
    clock.set_mode("training")

    def paint() -> bool:
        window.update()
        return True

    clock.register(paint)
    clock.start()
    window.paints = 0
    timer.run(0.99)
    assert window.paints == 5  # one in 200 ms


def test_stopped_it_does_not_tick(timer: SimulatedTimer) -> None:
    painter = Painter(timer)
    clock = clock_of(timer, painter)
    timer.run(1.0)
    clock.stop()
    stopped = painter.calls
    clock.poke()
    clock.hurry()
    timer.run(10.0)
    assert painter.calls == stopped
    clock.start()
    timer.run(0.0)
    assert painter.calls == stopped + 1


def test_it_ticks_in_real_time_and_deleted_it_leaves_no_timer(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    clock = FrameClock(owner)
    calls: list[bool] = []

    def paint() -> bool:
        calls.append(True)
        return True

    clock.register(paint)
    clock.start()
    qtbot.waitUntil(lambda: len(calls) >= 3)
    clock.stop()
    timer = clock.findChild(QTimer)
    assert timer is not None
    assert not timer.isActive()
    with qtbot.waitSignal(timer.destroyed, timeout=30_000):
        clock.deleteLater()


def test_what_the_user_waits_for_is_painted_at_once(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.02)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    timer.run(0.05)  # at a share of 1% the next frame is two seconds away
    assert painter.calls == 1
    clock.hurry()
    timer.run(0.0)
    assert painter.calls == 2


@pytest.mark.parametrize("cost", [0.001, 0.01, 0.03])
@pytest.mark.parametrize("after", [0.0, 0.004, 0.03, 0.21, 0.4, 0.9])
def test_what_follows_from_the_users_input_is_painted_within_100_ms(
    timer: SimulatedTimer, cost: float, after: float
) -> None:
    """The answer, the curve and the batches that show it come one after the other, each some time ``after``."""
    painter = Painter(timer, cost)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    timer.run(3.3)
    clock.hurry()
    timer.run(after)
    changed, before = timer.now, painter.calls
    clock.poke()
    timer.run(0.1)
    assert changed <= painter.began[before] <= changed + 0.1 - cost


def test_after_the_users_input_is_painted_the_share_is_respected_again(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.004)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    clock.hurry()
    timer.run(ATTENTION + SLOWEST)
    before = painter.calls
    timer.run(10.0)
    assert (painter.calls - before) * painter.cost / 10.0 == pytest.approx(0.01, rel=0.1)


def test_rapid_input_leaves_as_much_time_between_frames_as_they_take(timer: SimulatedTimer) -> None:
    painter = Painter(timer, 0.04)
    clock = clock_of(timer, painter)
    clock.set_mode("training")
    for _ in range(200):
        clock.hurry()
        timer.run(0.005)
    assert np.diff(painter.began).min() >= 2 * painter.cost - MILLISECOND


@pytest.mark.parametrize("kind", ["click", "key", "wheel"])
def test_input_in_a_watched_window_is_painted_at_once(qtbot: QtBot, timer: SimulatedTimer, kind: str) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    handle = window.windowHandle()
    assert handle is not None
    painter = Painter(timer, 0.02)
    clock = clock_of(timer, painter)
    clock.watch(handle)
    clock.set_mode("training")
    timer.run(0.3)
    QTest.mouseMove(handle, QPoint(5, 5))
    timer.run(0.0)
    assert painter.calls == 1
    if kind == "click":
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton)
    elif kind == "key":
        QTest.keyClick(handle, Qt.Key.Key_A)
    else:
        QTest.wheelEvent(handle, QPointF(5, 5), QPoint(0, 120))
    timer.run(0.0)
    assert painter.calls == 2


def test_an_expensive_frame_lets_the_event_loop_run_between_its_painters(timer: SimulatedTimer) -> None:
    painters = [Painter(timer, 0.01) for _ in range(4)]
    clock = clock_of(timer, *painters)
    clock.set_mode("training")
    for count in (1, 2, 3, 4):
        timer.fire()
        assert [painter.calls for painter in painters] == [1] * count + [0] * (4 - count)
        assert timer.now == pytest.approx(0.01 * count)
    assert timer.due == pytest.approx(SLOWEST)  # what all four took is what is waited for
    clock.set_mode("free")
    timer.fire()
    assert [painter.calls for painter in painters] == [2, 2, 2, 2]

"""The repaint clock: inside its share while training, free otherwise, asleep when there is nothing to do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.frames import FrameClock


class Painter:
    """Takes ``cost`` seconds a frame and counts them; idle when told so."""

    def __init__(self, cost: float) -> None:
        self.cost, self.calls, self.busy = cost, 0, True

    def __call__(self) -> bool:
        self.calls += 1
        if self.busy:
            until = time.perf_counter() + self.cost
            while time.perf_counter() < until:
                pass
        return self.busy


@pytest.fixture
def clock(qtbot: QtBot) -> Iterator[FrameClock]:
    made = FrameClock()
    yield made
    made.stop()


def test_while_training_painting_stays_inside_its_share(qtbot: QtBot, clock: FrameClock) -> None:
    painter = Painter(0.004)
    clock.register(painter)
    clock.budget = 0.05
    clock.set_mode("training")
    clock.start()
    qtbot.wait(1200)
    assert 0.02 < clock.share < 0.065
    assert 8 <= painter.calls <= 17


def test_cheap_frames_are_capped_at_thirty_a_second(qtbot: QtBot, clock: FrameClock) -> None:
    painter = Painter(0.0)
    clock.register(painter)
    clock.set_mode("training")
    clock.start()
    qtbot.wait(500)
    assert 4 <= painter.calls <= 17


def test_a_dear_frame_comes_every_two_seconds_at_the_slowest(qtbot: QtBot, clock: FrameClock) -> None:
    painter = Painter(0.05)
    clock.register(painter)
    clock.set_mode("training")
    clock.start()
    qtbot.waitUntil(lambda: painter.calls == 1)
    timer = clock.findChild(QTimer)
    assert timer is not None
    assert 1500 < timer.interval() <= 2000


def test_dragging_sets_painting_free(qtbot: QtBot, clock: FrameClock) -> None:
    painter = Painter(0.005)
    clock.register(painter)
    clock.set_mode("training")
    clock.start()
    qtbot.wait(200)
    slow = painter.calls
    assert slow <= 3
    clock.set_dragging(True)
    qtbot.waitUntil(lambda: painter.calls >= slow + 10, timeout=1500)
    clock.set_dragging(False)
    qtbot.wait(50)
    after = painter.calls
    qtbot.wait(200)
    assert painter.calls <= after + 3


def test_idle_it_sleeps_and_a_poke_wakes_it(qtbot: QtBot, clock: FrameClock) -> None:
    painter = Painter(0.0)
    painter.busy = False
    clock.register(painter)
    clock.start()
    qtbot.wait(400)
    assert painter.calls <= 2
    asleep = painter.calls
    clock.poke()
    qtbot.waitUntil(lambda: painter.calls > asleep, timeout=300)


def test_poking_while_training_does_not_break_the_share(qtbot: QtBot, clock: FrameClock) -> None:
    painter = Painter(0.005)
    clock.register(painter)
    clock.set_mode("training")
    clock.start()
    for _ in range(40):
        clock.poke()
        qtbot.wait(5)
    assert painter.calls <= 2


def test_what_qt_paints_afterwards_is_part_of_the_frame(qtbot: QtBot, clock: FrameClock) -> None:
    class Dear(QWidget):
        paints = 0

        def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
            Dear.paints += 1
            time.sleep(0.02)

    window = Dear()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(50)
    Dear.paints = 0

    def paint() -> bool:
        window.update()
        return True

    clock.add_window(window)
    clock.register(paint)
    clock.budget = 0.1
    clock.set_mode("training")
    clock.start()
    qtbot.wait(700)
    assert 2 <= Dear.paints <= 5
    assert clock.share > 0.04


def test_stopped_it_rests_and_deleted_it_leaves_no_timer(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    clock = FrameClock(owner)
    painter = Painter(0.0)
    clock.register(painter)
    clock.start()
    qtbot.waitUntil(lambda: painter.calls >= 2)
    clock.stop()
    stopped = painter.calls
    clock.poke()
    qtbot.wait(100)
    assert painter.calls == stopped
    timer = clock.findChild(QTimer)
    assert timer is not None
    with qtbot.waitSignal(timer.destroyed):
        clock.deleteLater()


def test_what_the_person_waits_for_is_painted_at_once(qtbot: QtBot) -> None:
    clock = FrameClock()
    clock.set_mode("training")
    painted: list[float] = []

    def paint() -> bool:
        painted.append(time.perf_counter())
        time.sleep(0.02)  # at a share of 1% the next frame would be two seconds away
        return True

    clock.register(paint)
    clock.start()
    qtbot.waitUntil(lambda: len(painted) >= 1)
    qtbot.wait(50)
    asked = time.perf_counter()
    clock.hurry()
    qtbot.waitUntil(lambda: painted[-1] > asked, timeout=1000)
    clock.stop()


def test_a_dear_frame_leaves_the_loop_its_turns_and_counts_as_one(qtbot: QtBot, clock: FrameClock) -> None:
    painters = [Painter(0.01) for _ in range(4)]
    for painter in painters:
        clock.register(painter)
    seen: list[int] = []
    between = QTimer()
    between.timeout.connect(lambda: seen.append(sum(painter.calls for painter in painters)))
    clock.set_mode("training")
    between.start(0)
    clock.start()
    qtbot.waitUntil(lambda: painters[-1].calls == 1)
    assert {1, 2, 3} <= set(seen)
    timer = clock.findChild(QTimer)
    assert timer is not None
    qtbot.waitUntil(lambda: timer.interval() > 0)
    assert [painter.calls for painter in painters] == [1, 1, 1, 1]
    assert timer.interval() == pytest.approx(2000 - 40, abs=30)  # all four are what is waited for

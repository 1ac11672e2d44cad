"""Background tasks: results and failures on the GUI thread, keys, progress, cancelling, and the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from engine.common.errors import SpecError
from gui.core.task_runner import LANES, Failure, Task, TaskRunner

WAIT = 10


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[TaskRunner]:
    made = TaskRunner()
    made.start()
    yield made
    made.stop()
    assert not made.running


def fail(failure: Failure) -> None:
    raise AssertionError(failure)


def ignore(_: object) -> None:
    """Ignore a result."""


def test_results_and_failures_arrive_in_order_on_the_gui_thread(tasks: TaskRunner, qtbot: QtBot) -> None:
    heard, threads = list[object](), set[threading.Thread]()

    def receive(result: object) -> None:
        heard.append(result)
        threads.add(threading.current_thread())

    def broken(_: Task) -> None:
        raise ValueError("no disk")

    def wrong(_: Task) -> None:
        raise SpecError("data.root", "there is no such folder")

    worker = threading.Event()
    tasks.submit(lambda _: threading.current_thread() is not threading.main_thread() and worker.set(), ignore, fail)
    tasks.submit(lambda _: 1, receive, fail)
    tasks.submit(broken, ignore, receive)
    tasks.submit(wrong, ignore, receive)
    tasks.submit(lambda _: 2, receive, fail)
    qtbot.waitUntil(lambda: len(heard) == 4)
    assert worker.is_set()
    assert threads == {threading.main_thread()}
    assert [heard[0], heard[3]] == [1, 2]
    failure = heard[1]
    assert isinstance(failure, Failure)
    assert failure.problem == "ValueError: no disk"
    assert failure.details is not None
    assert "in broken" in failure.details
    assert heard[2] == Failure("there is no such folder", "data.root")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_system_exit_is_a_failure_and_the_thread_continues(
    tasks: TaskRunner, qtbot: QtBot, error: type[BaseException]
) -> None:
    heard = list[object]()

    def leaves(_: Task) -> None:
        raise error

    tasks.submit(leaves, ignore, heard.append)
    tasks.submit(lambda _: "next", heard.append, fail)
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert isinstance(heard[0], Failure)
    assert heard[1] == "next"


def test_of_tasks_with_one_key_only_the_newest_delivers_a_result(tasks: TaskRunner, qtbot: QtBot) -> None:
    heard, go_on, ran = list[int](), threading.Event(), list[int]()
    tasks.submit(lambda _: go_on.wait(WAIT), ignore, fail)

    def work(number: int) -> int:
        ran.append(number)
        return number

    for number in range(5):
        tasks.submit(lambda _, n=number: work(n), heard.append, fail, key="list")  # type: ignore[misc]
    go_on.set()
    qtbot.waitUntil(lambda: bool(heard))
    assert (heard, ran) == ([4], [4])


def test_a_result_is_dropped_if_a_newer_task_is_submitted_before_its_delivery(tasks: TaskRunner, qtbot: QtBot) -> None:
    heard, computed = list[str](), threading.Event()
    tasks.submit(lambda _: "old", heard.append, fail, key="curve")
    tasks.submit(lambda _: computed.set(), ignore, fail)
    assert computed.wait(WAIT)  # so the old result waits for Qt's event loop, which has not run meanwhile
    tasks.submit(lambda _: "new", heard.append, fail, key="curve")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["new"]


def test_a_cancelled_task_delivers_nothing(tasks: TaskRunner, qtbot: QtBot) -> None:
    begun, over, heard = threading.Event(), list[str](), list[object]()

    def long(task: Task) -> None:
        begun.set()
        while not task.cancelled():
            pass
        task.progress("late", 1, 1)
        raise ValueError("after it was cancelled")

    by_handle = tasks.submit(long, heard.append, heard.append, progress=lambda *progress: heard.append(progress))
    assert begun.wait(WAIT)
    by_handle.cancel()
    begun.clear()
    tasks.submit(long, heard.append, heard.append, key="outline")
    assert begun.wait(WAIT)
    tasks.cancel("outline")
    tasks.cancel("outline")  # a second time does no harm
    tasks.submit(lambda _: "next", over.append, fail)
    qtbot.waitUntil(lambda: bool(over))
    assert heard == []


def test_progress_arrives_before_the_result_and_counts_may_be_large(tasks: TaskRunner, qtbot: QtBot) -> None:
    heard = list[object]()
    tasks.submit(
        lambda task: task.progress("bytes", 2**40, 2**41),
        heard.append,
        fail,
        progress=lambda *progress: heard.append(progress),
    )
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard == [("bytes", 2**40, 2**41), None]


def test_a_slow_lane_delays_no_other(tasks: TaskRunner, qtbot: QtBot) -> None:
    go_on, heard = threading.Event(), list[str]()
    tasks.submit(lambda _: go_on.wait(WAIT), ignore, fail, lane="torch")
    for lane in LANES:
        tasks.submit(lambda _, lane=lane: lane, heard.append, fail, lane=lane)  # type: ignore[misc]
    qtbot.waitUntil(lambda: len(heard) == len(LANES) - 1)
    assert "torch" not in heard
    go_on.set()
    qtbot.waitUntil(lambda: "torch" in heard)


def test_nothing_runs_before_the_start(qtbot: QtBot) -> None:
    tasks, heard = TaskRunner(), list[int]()
    tasks.submit(lambda _: 1, heard.append, fail)
    qtbot.wait(50)
    assert not tasks.running
    tasks.start()
    qtbot.waitUntil(lambda: heard == [1])
    tasks.stop()


def test_the_end_waits_for_what_must_finish_and_cancels_the_rest(qtbot: QtBot) -> None:
    tasks, done, begun = TaskRunner(), list[str](), threading.Event()
    tasks.start()

    def long(task: Task) -> None:
        begun.set()
        while not task.cancelled():
            pass

    tasks.submit(long, ignore, fail)
    assert begun.wait(WAIT)
    tasks.submit(lambda _: done.append("looked"), ignore, fail)
    tasks.submit(lambda _: done.append("renamed"), lambda _: done.append("delivered"), fail, must_finish=True)
    tasks.stop()
    assert not tasks.running
    qtbot.wait(20)
    assert done == ["renamed"]
    tasks.stop()  # a second time does no harm

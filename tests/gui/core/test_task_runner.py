"""Questions and errands beside the window, and what becomes of them when it closes."""

from __future__ import annotations

import threading

from pytestqt.qtbot import QtBot

from engine.qthread import Failure, Question
from gui.core.task_runner import TaskRunner


def fail(failure: Failure) -> None:
    raise AssertionError(failure)


def test_each_errand_is_answered_in_order_and_a_failure_goes_its_own_way(qtbot: QtBot) -> None:
    tasks, heard = TaskRunner(), list[object]()

    def broken(_: Question) -> None:
        raise ValueError("no disk")

    tasks.ask(lambda _: 1, heard.append, fail)
    tasks.ask(broken, heard.append, lambda failure: heard.append(failure.problem))
    tasks.ask(lambda _: 2, heard.append, fail)
    qtbot.waitUntil(lambda: len(heard) == 3)
    assert heard == [1, "ValueError: no disk", 2]
    tasks.stop()


def test_of_questions_with_one_key_the_newest_is_answered(qtbot: QtBot) -> None:
    tasks, heard, go_on = TaskRunner(), list[int](), threading.Event()
    tasks.ask(lambda _: go_on.wait(10), lambda _: None, fail)
    for number in range(5):
        tasks.ask(lambda _, n=number: n, heard.append, fail, key="list")  # type: ignore[misc]
    go_on.set()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [4]
    tasks.stop()


def test_the_end_waits_for_errands_and_calls_questions_off(qtbot: QtBot) -> None:
    tasks, done, begun = TaskRunner(), list[str](), threading.Event()

    def long(question: Question) -> None:
        begun.set()
        while not question.cancelled():
            pass

    tasks.ask(long, lambda _: None, fail, progress=lambda *_: None)
    begun.wait(10)
    tasks.ask(lambda _: done.append("looked"), lambda _: None, fail, key="list")
    tasks.ask(lambda _: done.append("renamed"), lambda _: None, fail)
    tasks.stop()
    assert done == ["renamed"]
    tasks.stop()  # and once more is no harm

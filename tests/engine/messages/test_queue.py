"""The mailbox: in order, with ids, and nothing that is posted stays unanswered."""

from __future__ import annotations

import threading

from engine.messages.commands import Note, Pause, Resume
from engine.messages.queue import CommandQueue, PostedCommand


def test_letters_come_in_order_under_ids_from_1() -> None:
    box = CommandQueue()
    queued: list[int] = []
    for command in (Pause(), Note(text="x"), Resume()):
        box.post(command, None, queued.append, lambda number: None)
    assert queued == [1, 2, 3]
    assert [box.take(wait=False) for _ in range(4)] == [
        PostedCommand(1, Pause()),
        PostedCommand(2, Note(text="x")),
        PostedCommand(3, Resume()),
        None,
    ]


def test_a_command_is_said_to_be_queued_before_it_can_be_taken() -> None:
    box = CommandQueue()
    said: list[str | PostedCommand | None] = []
    taken = threading.Thread(target=lambda: said.append(box.take(wait=True)))
    taken.start()
    box.post(Pause(), None, lambda number: said.append("queued"), lambda number: None)
    taken.join(5)
    assert said == ["queued", PostedCommand(1, Pause())]


def test_closing_hands_over_what_was_never_taken_and_refuses_the_rest() -> None:
    box = CommandQueue()
    refused: list[int] = []
    box.post(Pause(), None, lambda number: None, refused.append)
    assert box.close() == [PostedCommand(1, Pause())]
    assert box.close() == []
    assert box.post(Resume(), None, lambda number: None, refused.append) == 2
    assert refused == [2]
    assert box.take(wait=False) is None


def test_of_what_many_threads_post_while_it_closes_each_is_answered_once() -> None:
    box, lock = CommandQueue(), threading.Lock()
    queued: list[int] = []
    refused: list[int] = []

    def post() -> None:
        for _ in range(200):
            box.post(Pause(), None, queued.append, refused.append)

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    taken = [posted.number for posted in (box.take(wait=False) for _ in range(100)) if posted]
    with lock:
        taken += [posted.number for posted in box.close()]
    for thread in threads:
        thread.join(5)
    assert sorted(taken) == sorted(queued)
    assert sorted(queued + refused) == list(range(1, 801))

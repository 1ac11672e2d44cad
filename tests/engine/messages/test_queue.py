"""The command queue: order, ids, and an answer for every command."""

from __future__ import annotations

import threading

from engine.messages.commands import Note, Pause, Resume
from engine.messages.queue import CommandQueue, PostedCommand
from tests.engine.running import SECONDS


def test_commands_are_taken_in_order_with_ids_from_1() -> None:
    commands = CommandQueue()
    queued: list[int] = []
    for command in (Pause(), Note(text="x"), Resume()):
        commands.post(command, None, queued.append, lambda number: None)
    assert queued == [1, 2, 3]
    assert [commands.take(wait=False) for _ in range(4)] == [
        PostedCommand(1, Pause()),
        PostedCommand(2, Note(text="x")),
        PostedCommand(3, Resume()),
        None,
    ]


def test_a_command_is_reported_as_queued_before_it_can_be_taken() -> None:
    commands = CommandQueue()
    calls: list[str | PostedCommand | None] = []
    taker = threading.Thread(target=lambda: calls.append(commands.take(wait=True)))
    taker.start()
    commands.post(Pause(), None, lambda number: calls.append("queued"), lambda number: None)
    taker.join(SECONDS)
    assert calls == ["queued", PostedCommand(1, Pause())]


def test_close_returns_the_remaining_commands_and_rejects_later_ones() -> None:
    commands = CommandQueue()
    rejected: list[int] = []
    commands.post(Pause(), None, lambda number: None, rejected.append)
    assert commands.close() == [PostedCommand(1, Pause())]
    assert commands.close() == []
    assert commands.post(Resume(), None, lambda number: None, rejected.append) == 2
    assert rejected == [2]
    assert commands.take(wait=False) is None


def test_every_command_posted_while_the_queue_closes_is_answered_once() -> None:
    commands = CommandQueue()
    queued: list[int] = []
    rejected: list[int] = []

    def post() -> None:
        for _ in range(200):
            commands.post(Pause(), None, queued.append, rejected.append)

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    taken = [posted.number for posted in (commands.take(wait=False) for _ in range(100)) if posted]
    taken += [posted.number for posted in commands.close()]
    for thread in threads:
        thread.join(SECONDS)
    assert sorted(taken) == sorted(queued)
    assert sorted(queued + rejected) == list(range(1, 801))

"""Events from the training thread to the window: routine together, news at once, all in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine import qthread
from engine.common.position import Position
from engine.messages.commands import Pause, ScaleLR, Start, Stop
from engine.messages.events import CommandEvent, EndEvent, EpochEvent, Event, LREvent, StateEvent
from engine.qthread import TrainingThread
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.gui.app_fixture import tiny

HOUR = 3_600_000


class Delivered:
    """A run without a window, its events, and how many iterations of Qt's event loop delivered them."""

    def __init__(self, qtbot: QtBot, recipe: Recipe) -> None:
        import engine.training.trainer  # noqa: F401 - a thread is made once PyTorch is there

        self._qtbot = qtbot
        self.events: list[Event] = []
        self.routine: list[bool] = []
        self.when: list[float] = []
        self.turns: list[int] = []
        self._turn = 0
        self.thread = TrainingThread(Job(recipe=recipe, begin=False), None)
        self.thread.happened.connect(self._on_event)
        self.thread.start()

    def _on_event(self, event: Event, routine: bool, when: float) -> None:
        self.events.append(event)
        self.routine.append(routine)
        self.when.append(when)
        self.turns.append(self._turn)
        QTimer.singleShot(0, self._next_turn)

    def _next_turn(self) -> None:
        self._turn += 1

    def answered(self, number: int) -> CommandEvent | None:
        found = (e for e in self.events if isinstance(e, CommandEvent) and e.id == number and e.status != "queued")
        return next(found, None)

    def wait(self, number: int) -> CommandEvent:
        """Wait for the answer to the command ``number``."""
        self._qtbot.waitUntil(lambda: self.answered(number) is not None)
        answer = self.answered(number)
        assert answer is not None
        return answer

    def reach(self, state: str) -> None:
        def reached() -> bool:
            return any(isinstance(e, StateEvent) and e.state == state for e in self.events)

        self._qtbot.waitUntil(reached)

    def end(self) -> None:
        if self.thread.isRunning():
            self.thread.post(Stop())
        self._qtbot.waitUntil(lambda: any(isinstance(e, EndEvent) for e in self.events))
        self.thread.wait()


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events that trainers emit from here on."""
    events: list[Event] = []
    make = Trainer.__init__

    def watched(self: Trainer, job: Job, emit: object, library: object = None) -> None:
        def both(event: Event) -> None:
            events.append(event)
            emit(event)  # type: ignore[operator]

        make(self, job, both, library)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "__init__", watched)
    return events


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Routine events wait for news, however long that takes."""
    monkeypatch.setattr(qthread, "HOLD_MS", HOUR)


@pytest.fixture
def endless(qapp: QApplication, qtbot: QtBot, emitted: list[Event]) -> Iterator[Delivered]:
    """A run that is ready to train for a long time."""
    run = Delivered(qtbot, tiny(epochs=3000, schedule={"name": "Constant"}))
    run.reach("ready")
    yield run
    run.end()
    assert run.events == emitted


def test_all_arrives_in_order_with_the_time_it_happened(endless: Delivered, emitted: list[Event]) -> None:
    endless.wait(endless.thread.post(Pause(), Position(epoch=30)) if endless.thread.post(Start()) else 0)
    assert endless.events == emitted[: len(endless.events)]
    assert sum(isinstance(e, EpochEvent) for e in endless.events) == 29
    assert all(before <= after for before, after in pairwise(endless.when))
    assert endless.when[-1] > endless.when[0]


def test_rare_routine_events_arrive_without_news(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    """After a pause longer than the time between two deliveries, the next event is delivered too."""
    monkeypatch.setattr(qthread, "HOLD_MS", 0)
    run = Delivered(qtbot, tiny(epochs=3000, schedule={"name": "Constant"}))
    run.reach("ready")
    run.wait(run.thread.post(Start()))
    qtbot.waitUntil(lambda: len({turn for turn, routine in zip(run.turns, run.routine, strict=True) if routine}) > 20)
    run.end()


@pytest.mark.usefixtures("held")
def test_routine_arrives_together(endless: Delivered, emitted: list[Event], qtbot: QtBot) -> None:
    endless.wait(endless.thread.post(Start()))
    qtbot.waitUntil(lambda: len(emitted) > len(endless.events) + 100)
    begun = len(endless.events)
    endless.thread._timer.timeout.emit()
    assert sum(endless.routine[begun:]) > 100
    assert all(endless.routine[begun:])
    assert len(set(endless.turns[begun:])) == 1


@pytest.mark.usefixtures("held")
def test_news_arrives_at_once_after_all_earlier_events(endless: Delivered, emitted: list[Event]) -> None:
    intervention, pause = (
        endless.thread.post(c, Position(epoch=e)) for c, e in ((ScaleLR(factor=0.5), 4), (Pause(), 6))
    )
    endless.thread.post(Start())
    answer = endless.wait(intervention)
    place = emitted.index(answer)
    assert endless.events[: place + 1] == emitted[: place + 1]
    assert sum(isinstance(e, EpochEvent) for e in endless.events[:place]) == 3
    endless.wait(pause)
    since = list(zip(endless.events, endless.routine, strict=True))[place:]
    hands, epochs, *_ = [routine for event, routine in since if isinstance(event, LREvent)]
    assert (hands, epochs) == (False, True)


@pytest.mark.usefixtures("held")
def test_an_answer_to_a_listeners_command_arrives_in_order(endless: Delivered) -> None:
    """A command that is posted while an event is delivered is answered after earlier events, for all listeners."""
    posted: list[int] = []

    def ask(event: Event, routine: bool, when: float) -> None:
        if isinstance(event, CommandEvent) and event.name == "start" and event.status == "applied" and not posted:
            posted.append(endless.thread.post(ScaleLR(factor=0.5), Position(epoch=3)))
            assert not any(isinstance(e, CommandEvent) and e.name == "scale_lr" for e in endless.events)

    endless.thread.happened.connect(ask)
    endless.wait(endless.thread.post(Start()))
    assert endless.wait(posted[0]).status == "applied"

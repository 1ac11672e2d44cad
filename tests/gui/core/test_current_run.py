"""What a run comes to by itself is passed on frame by frame, what the hand did at once; nothing is lost or late."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtWidgets import QApplication

from engine.lr.control import LRControl
from engine.messages.delivery import Routine
from engine.messages.events import CommandEvent, EpochEvent, Event, LREvent, StateEvent
from engine.schedules import ReduceLROnPlateau, ScheduleSpec, StepLR
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from tests.engine.raw_torch import control
from tests.gui.schedule.test_projection import told, train


class Heard:
    """Runs whose events are made by hand, and what they passed on."""

    def __init__(self, spec: ScheduleSpec) -> None:
        self.clock = FrameClock()  # which ticks only when it is asked to
        self.runs = CurrentRun(None, self.clock)
        self.routine = Routine()
        self.events: list[Event] = []
        self.runs.happened.connect(self.events.append)
        self.lr: LRControl = control(spec, names=("rest", "head"), epochs=12, steps=3)
        self.say(StateEvent(state="training", epoch=1, batch=0))

    def say(self, event: Event) -> None:
        self.runs._pass_on(event, self.routine.has(event), 0.0)

    def publish_lrs(self) -> LREvent:
        event = told(self.lr)
        self.say(event)
        return event

    def epoch(self) -> LREvent:
        train(self.lr, 1)
        self.say(EPOCH)
        return self.publish_lrs()

    def lrs(self) -> list[Event]:
        return [e for e in self.events if isinstance(e, LREvent)]


EPOCH = EpochEvent(
    epoch=1,
    lr=[0.1],
    lr_min=[0.1],
    lr_max=[0.1],
    train_loss=1.0,
    train_accuracy=0.5,
    val_loss=1.0,
    val_accuracy=0.5,
    seconds=0.1,
    images_per_second=100.0,
)


@pytest.fixture
def heard(qapp: QApplication) -> Heard:
    made = Heard(StepLR(step_size=2))
    made.publish_lrs()
    return made


def test_of_lrs_that_come_by_themselves_a_frame_passes_on_the_newest(heard: Heard) -> None:
    first = heard.lrs()
    newest = [heard.epoch() for _ in range(5)][-1]
    assert heard.lrs() == first
    assert sum(isinstance(e, EpochEvent) for e in heard.events) == 5
    assert heard.runs._pass_on_lrs()
    assert heard.lrs() == [*first, newest]
    assert not heard.runs._pass_on_lrs()


@pytest.mark.parametrize("intervention", ["scale_lr", "freeze", "set_optimizer"])
def test_what_interventions_did_is_passed_on_at_once_and_nothing_older_after_it(
    heard: Heard, intervention: str
) -> None:
    older = heard.epoch()
    answer = CommandEvent(id=7, command={"command": intervention}, status="applied", reason=None, epoch=2, batch=0)
    heard.say(answer)
    acted = heard.publish_lrs()
    assert heard.events[-3:] == [older, answer, acted]
    assert not heard.runs._pass_on_lrs()
    heard.epoch()
    assert isinstance(heard.events[-1], EpochEvent)


def test_before_anything_else_is_passed_on_the_lrs_are(heard: Heard) -> None:
    newest = heard.epoch()
    paused = StateEvent(state="paused", epoch=2, batch=0)
    heard.say(paused)
    assert heard.events[-2:] == [newest, paused]


def test_while_it_stands_still_lrs_are_passed_on_at_once(heard: Heard) -> None:
    heard.say(StateEvent(state="paused", epoch=2, batch=0))
    again = heard.publish_lrs()
    assert heard.events[-1] == again


def test_a_cut_that_a_metric_caused_comes_with_a_frame_too(qapp: QApplication) -> None:
    heard = Heard(ReduceLROnPlateau(patience=0))
    heard.publish_lrs()
    before = heard.lr.lrs()
    newest = [heard.epoch() for _ in range(3)][-1]
    assert newest.lr != before
    assert heard.runs._pass_on_lrs()
    assert heard.events[-1] == newest


def test_each_hears_the_kinds_it_listens_to_in_order_whoever_fails(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Event]] = []
    failures: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, where: failures.append(str(error)))

    def fails(event: Event) -> None:
        raise ValueError(event.event)

    heard.runs.listen(fails, EpochEvent)
    heard.runs.listen(lambda event: told.append(("epochs", event)), EpochEvent)
    heard.runs.listen(lambda event: told.append(("all", event)))
    paused = StateEvent(state="paused", epoch=2, batch=0)
    heard.runs.tell(EPOCH)
    heard.runs.tell(paused)
    assert told == [("epochs", EPOCH), ("all", EPOCH), ("all", paused)]
    assert failures == ["epoch"]
    assert heard.events[-2:] == [EPOCH, paused]

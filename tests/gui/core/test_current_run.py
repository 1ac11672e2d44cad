"""The model has every event at once; listeners to LRs hear the newest once a frame or before news; none is lost."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication

from engine.lr.control import LRControl
from engine.messages.delivery import RoutineEvents
from engine.messages.events import CommandEvent, EndEvent, EpochEvent, Event, LREvent, StateEvent
from engine.schedules import CosineAnnealingLR, ReduceLROnPlateau, ScheduleSpec, StepLR
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from tests.engine.raw_torch import control
from tests.gui.schedule.test_preview import lr_event, train

EPOCHS = 12


class Heard:
    """A run whose events are made by hand, and what its listeners heard."""

    def __init__(self, spec: ScheduleSpec) -> None:
        self.clock = FrameClock()  # which ticks only when it is asked to
        self.run = CurrentRun(None, self.clock)
        self.model = self.run.model
        self.routine = RoutineEvents()
        self.events: list[Event] = []
        self.run.listen(self.events.append)
        self.lr: LRControl = control(spec, names=("rest", "head"), epochs=EPOCHS, steps=3)
        self.deliver(StateEvent(state="training", epoch=1, batch=0))

    def deliver(self, event: Event) -> None:
        self.run._deliver(event, self.routine.includes(event), 0.0)

    def publish_lrs(self) -> LREvent:
        event = lr_event(self.lr)
        self.deliver(event)
        return event

    def epoch(self) -> LREvent:
        train(self.lr, 1)
        self.deliver(EPOCH)
        return self.publish_lrs()

    def frame(self) -> bool:
        """A frame of the clock; whether listeners had yet to hear of LRs."""
        return self.run._publish_lrs()

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


def test_listeners_hear_the_newest_of_routine_lrs_with_a_frame_and_the_model_each_at_once(heard: Heard) -> None:
    first = heard.lrs()
    for _ in range(5):
        newest = heard.epoch()
        assert heard.model.lrs == newest
    assert heard.lrs() == first
    assert sum(isinstance(e, EpochEvent) for e in heard.events) == 5
    assert heard.frame()
    assert heard.lrs() == [*first, newest]
    assert not heard.frame()


def test_the_signal_carries_every_event_in_order(heard: Heard) -> None:
    signalled: list[Event] = []
    heard.run.happened.connect(signalled.append)
    made = [e for _ in range(3) for e in (EPOCH, heard.epoch())]
    assert signalled == made


def test_at_a_fast_runs_end_the_lrs_of_the_last_epoch_arrive_and_stay(qapp: QApplication) -> None:
    """The LRs past the end, which come last, replace none that was trained with."""
    heard = Heard(CosineAnnealingLR(T_max=EPOCHS))
    heard.publish_lrs()
    every = [heard.epoch() for _ in range(EPOCHS)]
    heard.deliver(EndEvent(reason="finished", epoch=EPOCHS))
    last, beyond = every[-2], every[-1]
    assert (last.epoch, beyond.epoch) == (EPOCHS, EPOCHS + 1)
    assert heard.lrs()[-1] == last
    assert heard.model.lrs == last
    assert heard.model.lr_beyond == beyond.lr


@pytest.mark.parametrize("intervention", ["scale_lr", "freeze", "set_optimizer"])
def test_what_interventions_did_is_published_at_once_and_nothing_older_after_it(
    heard: Heard, intervention: str
) -> None:
    older = heard.epoch()
    answer = CommandEvent(id=7, command={"command": intervention}, status="applied", reason=None, epoch=2, batch=0)
    heard.deliver(answer)
    changed = heard.publish_lrs()
    assert heard.events[-3:] == [older, answer, changed]
    assert not heard.frame()
    heard.epoch()
    assert isinstance(heard.events[-1], EpochEvent)


def test_before_anything_else_is_published_the_lrs_are(heard: Heard) -> None:
    newest = heard.epoch()
    paused = StateEvent(state="paused", epoch=2, batch=0)
    heard.deliver(paused)
    assert heard.events[-2:] == [newest, paused]


def test_while_the_run_is_paused_lrs_are_published_at_once(heard: Heard) -> None:
    heard.deliver(StateEvent(state="paused", epoch=2, batch=0))
    again = heard.publish_lrs()
    assert heard.events[-1] == again


def test_a_cut_that_a_metric_caused_comes_with_a_frame_too(qapp: QApplication) -> None:
    heard = Heard(ReduceLROnPlateau(patience=0))
    heard.publish_lrs()
    before = heard.lr.current()
    newest = [heard.epoch() for _ in range(3)][-1]
    assert newest.lr != before
    assert heard.frame()
    assert heard.events[-1] == newest


def test_each_hears_the_kinds_it_listens_to_in_order_whoever_fails(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    lr_event: list[tuple[str, Event]] = []
    failures: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, where: failures.append(str(error)))

    def fails(event: Event) -> None:
        raise ValueError(event.event)

    heard.run.listen(fails, EpochEvent)
    heard.run.listen(lambda event: lr_event.append(("epochs", event)), EpochEvent)
    heard.run.listen(lambda event: lr_event.append(("all", event)))
    paused = StateEvent(state="paused", epoch=2, batch=0)
    heard.run.publish(EPOCH)
    heard.run.publish(paused)
    assert lr_event == [("epochs", EPOCH), ("all", EPOCH), ("all", paused)]
    assert failures == ["epoch"]
    assert heard.events[-2:] == [EPOCH, paused]


def test_who_listens_finds_the_event_in_the_model(heard: Heard) -> None:
    seen: list[tuple[int, float | None]] = []
    heard.run.listen(lambda _: seen.append((len(heard.model.epochs_done), heard.model.val_accuracy)), EpochEvent)
    heard.run.publish(EPOCH)
    heard.run.publish(replace(EPOCH, epoch=2, val_accuracy=0.75))
    assert seen == [(1, 0.5), (2, 0.75)]

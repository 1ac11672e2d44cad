"""The model gets every event at once; listeners to LRs get the newest in a frame or before other news."""

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


class ListenedRun:
    """A run whose events the test makes, and what its listeners got."""

    def __init__(self, spec: ScheduleSpec) -> None:
        self.clock = FrameClock()  # ticks only when the test asks it to
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
        """A frame of the clock; returns whether listeners got new LRs."""
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
def listened(qapp: QApplication) -> ListenedRun:
    made = ListenedRun(StepLR(step_size=2))
    made.publish_lrs()
    return made


def test_listeners_get_the_newest_routine_lrs_in_a_frame_and_the_model_all_at_once(listened: ListenedRun) -> None:
    first = listened.lrs()
    for _ in range(5):
        newest = listened.epoch()
        assert listened.model.lrs == newest
    assert listened.lrs() == first
    assert sum(isinstance(e, EpochEvent) for e in listened.events) == 5
    assert listened.frame()
    assert listened.lrs() == [*first, newest]
    assert not listened.frame()


def test_the_signal_carries_every_event_in_order(listened: ListenedRun) -> None:
    signalled: list[Event] = []
    listened.run.happened.connect(signalled.append)
    made = [e for _ in range(3) for e in (EPOCH, listened.epoch())]
    assert signalled == made


def test_at_a_fast_runs_end_the_lrs_of_the_last_epoch_arrive_and_stay(qapp: QApplication) -> None:
    """The LRs after the end, which come last, replace none that was used for training."""
    listened = ListenedRun(CosineAnnealingLR(T_max=EPOCHS))
    listened.publish_lrs()
    every = [listened.epoch() for _ in range(EPOCHS)]
    listened.deliver(EndEvent(reason="finished", epoch=EPOCHS))
    last, beyond = every[-2], every[-1]
    assert (last.epoch, beyond.epoch) == (EPOCHS, EPOCHS + 1)
    assert listened.lrs()[-1] == last
    assert listened.model.lrs == last
    assert listened.model.lr_beyond == beyond.lr


@pytest.mark.parametrize("intervention", ["scale_lr", "freeze", "set_optimizer"])
def test_lrs_of_an_intervention_are_published_at_once_and_nothing_older_after_them(
    listened: ListenedRun, intervention: str
) -> None:
    older = listened.epoch()
    answer = CommandEvent(id=7, command={"command": intervention}, status="applied", reason=None, epoch=2, batch=0)
    listened.deliver(answer)
    changed = listened.publish_lrs()
    assert listened.events[-3:] == [older, answer, changed]
    assert not listened.frame()
    listened.epoch()
    assert isinstance(listened.events[-1], EpochEvent)


def test_lrs_are_published_before_any_other_event(listened: ListenedRun) -> None:
    newest = listened.epoch()
    paused = StateEvent(state="paused", epoch=2, batch=0)
    listened.deliver(paused)
    assert listened.events[-2:] == [newest, paused]


def test_while_the_run_is_paused_lrs_are_published_at_once(listened: ListenedRun) -> None:
    listened.deliver(StateEvent(state="paused", epoch=2, batch=0))
    again = listened.publish_lrs()
    assert listened.events[-1] == again


def test_a_change_by_a_plateau_schedule_arrives_in_a_frame_too(qapp: QApplication) -> None:
    listened = ListenedRun(ReduceLROnPlateau(patience=0))
    listened.publish_lrs()
    before = listened.lr.current()
    newest = [listened.epoch() for _ in range(3)][-1]
    assert newest.lr != before
    assert listened.frame()
    assert listened.events[-1] == newest


def test_listeners_get_their_kinds_in_order_even_if_one_fails(
    listened: ListenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    lr_event: list[tuple[str, Event]] = []
    failures: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, where: failures.append(str(error)))

    def fails(event: Event) -> None:
        raise ValueError(event.event)

    listened.run.listen(fails, EpochEvent)
    listened.run.listen(lambda event: lr_event.append(("epochs", event)), EpochEvent)
    listened.run.listen(lambda event: lr_event.append(("all", event)))
    paused = StateEvent(state="paused", epoch=2, batch=0)
    listened.run.publish(EPOCH)
    listened.run.publish(paused)
    assert lr_event == [("epochs", EPOCH), ("all", EPOCH), ("all", paused)]
    assert failures == ["epoch"]
    assert listened.events[-2:] == [EPOCH, paused]


def test_listeners_find_the_event_in_the_model(listened: ListenedRun) -> None:
    seen: list[tuple[int, float | None]] = []
    listened.run.listen(
        lambda _: seen.append((len(listened.model.epochs_done), listened.model.val_accuracy)), EpochEvent
    )
    listened.run.publish(EPOCH)
    listened.run.publish(replace(EPOCH, epoch=2, val_accuracy=0.75))
    assert seen == [(1, 0.5), (2, 0.75)]

"""What the window knows of its run, from hand-made events: the newest of everything, and what may be done now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.common.position import Position
from engine.lr.view import schedule_views
from engine.messages.events import (
    BranchEvent,
    CommandEvent,
    EndEvent,
    EpochEvent,
    LREvent,
    StartEvent,
    StateEvent,
    StepsEvent,
)
from engine.messages.schedule_view import ControlState
from engine.recipe.recipe import Recipe
from engine.schedules import StepLR
from gui.core.run_model import RunModel
from tests.engine.raw_torch import control

BATCHES, EPOCHS = 4, 3


def start(**changes: Any) -> StartEvent:
    given = {
        "run": "one",
        "name": "digits",
        "device": "cpu",
        "groups": ["rest", "head"],
        "parameters": 10,
        "batches_per_epoch": BATCHES,
        "epochs": EPOCHS,
        "epoch": 1,
        "batch": 0,
        "recipe": Recipe(),
        "threads": 1,
    }
    return StartEvent(**{**given, **changes})


def epoch(number: int, accuracy: float = 0.5) -> EpochEvent:
    lr, metrics = [0.1, 0.2], {"train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": accuracy}
    return EpochEvent(epoch=number, lr=lr, lr_min=lr, lr_max=lr, **metrics, seconds=1.0, images_per_second=100.0)


def steps(epoch: int, batch: int, lr: list[list[float]]) -> StepsEvent:
    return StepsEvent(
        epoch=epoch, batch=batch, loss=np.ones(len(lr), np.float32), lr=np.array(lr), images_per_second=50.0
    )


def lrs(epoch: int, batch: int, lr: list[float], **changes: Any) -> LREvent:
    position = Position(epoch=epoch, batch=batch)
    given = {
        "epochs": EPOCHS,
        "steps_per_epoch": BATCHES,
        "groups": ["rest", "head"],
        "scheduled": lr,
        "holding": [False] * 2,
        "touched": [False] * 2,
        "schedules": schedule_views(control(StepLR(step_size=2), names=("rest", "head")), position),
        "control": ControlState({}),
    }
    return LREvent(**{"epoch": epoch, "batch": batch, "lr": lr, **given, **changes})


def command(name: str, status: str = "applied", number: int = 1) -> CommandEvent:
    return CommandEvent(id=number, command={"command": name}, status=status, epoch=1, batch=0)  # type: ignore[arg-type]


def state(name: str, epoch: int = 1, batch: int = 0) -> StateEvent:
    return StateEvent(state=name, epoch=epoch, batch=batch)  # type: ignore[arg-type]


@pytest.fixture
def model() -> RunModel:
    made = RunModel()
    made.load()
    made.update(start())
    made.update(state("ready"))
    return made


def test_before_a_run_there_is_none_and_only_a_start_is_possible() -> None:
    model = RunModel()
    assert (model.shown, model.run, model.recipe, model.lrs, model.checkpoint) == (False, "", None, None, None)
    assert model.why_not("start") is None
    assert model.why_not("run_epoch") is None
    for action in ("pause", "stop", "act", "rewind"):
        assert model.why_not(action) == "There is no run yet."  # type: ignore[arg-type]


def test_while_a_run_is_loaded_the_one_shown_stays(model: RunModel) -> None:
    model.update(EndEvent(reason="finished", epoch=EPOCHS, checkpoint="/tmp/end.tiller"))
    before = model.start
    model.load()
    model.update(state("failed"))
    assert (model.state, model.start) == ("loading", before)
    assert model.why_not("start") == "The run is still loading."
    model.update(EndEvent(reason="failed", epoch=1))  # of the run that was being loaded
    assert (model.state, model.loading, model.start) == ("finished", False, before)
    assert str(model.checkpoint) == "/tmp/end.tiller"


def test_the_position_is_the_next_batch(model: RunModel) -> None:
    model.update(steps(1, 0, [[0.1, 0.2]] * 3))
    assert model.position == Position(epoch=1, batch=3)
    model.update(lrs(1, 0, [0.1, 0.2]))  # told late
    assert model.position == Position(epoch=1, batch=3)
    model.update(steps(1, 3, [[0.1, 0.2]]))
    assert model.position == Position(epoch=2)
    assert model.epochs_completed(model.position) == 1.0
    model.update(lrs(2, 2, [0.1, 0.2], epochs=9))
    assert model.position == Position(epoch=2, batch=2)
    assert model.epochs_completed(model.position) == 1.5
    assert model.epochs == 9


def test_current_lrs_are_those_of_the_newest_batch(model: RunModel) -> None:
    event = lrs(1, 0, [0.1, 0.2], scheduled=[0.2, 0.2], touched=[True, False])
    model.update(event)
    assert model.current_lrs == event
    model.update(steps(1, 0, [[0.1, 0.2], [0.05, 0.1]]))
    assert model.lrs == event
    assert model.current_lrs == replace(event, lr=[0.05, 0.1], scheduled=[0.1, 0.1])
    model.update(replace(event, epoch=1, batch=1))  # of a batch before the newest reported
    assert model.current_lrs is not None
    assert model.current_lrs.lr == [0.05, 0.1]
    newer = lrs(1, 2, [0.04, 0.08])
    model.update(newer)
    assert model.current_lrs is newer


def test_a_held_groups_scheduled_lr_does_not_move_with_its_batches(model: RunModel) -> None:
    model.update(lrs(1, 0, [0.1, 0.2], scheduled=[0.3, 0.2], holding=[True, False]))
    model.update(steps(1, 0, [[0.1, 0.1]]))
    assert model.current_lrs is not None
    assert model.current_lrs.scheduled == [0.3, 0.1]


def test_lrs_past_the_end_leave_those_of_the_last_batch_in_sight(model: RunModel) -> None:
    model.update(lrs(EPOCHS, 0, [0.1, 0.2]))
    model.update(steps(EPOCHS, 0, [[0.01, 0.02]] * BATCHES))
    model.update(epoch(EPOCHS))
    model.update(lrs(EPOCHS + 1, 0, [0.3, 0.3]))
    assert model.current_lrs is not None
    assert model.current_lrs.lr == [0.01, 0.02]
    assert model.lr_beyond == [0.3, 0.3]
    model.update(lrs(EPOCHS + 1, 0, [0.3, 0.3], epochs=EPOCHS + 2))  # the run is longer now
    assert model.current_lrs.lr == [0.3, 0.3]
    assert model.lr_beyond == []


def test_live_lrs_are_those_of_a_run_under_way(model: RunModel) -> None:
    assert model.live_lrs is None
    newest = lrs(2, 0, [0.1, 0.2])
    model.update(newest)
    assert model.live_lrs is newest
    model.update(EndEvent(reason="stopped", epoch=2))
    assert (model.live_lrs, model.lrs) == (None, newest)


def test_interventions_are_the_applied_commands_that_belong_to_the_run(model: RunModel) -> None:
    given = [
        command("set_lr", "queued", 1),
        command("set_lr", "applied", 1),
        command("scale_lr", "rejected", 2),
        command("note", "applied", 3),
        command("save", "applied", 4),
        command("pause", "applied", 5),
    ]
    for event in given:
        model.update(event)
    assert model.interventions == [given[1], given[3]]


def test_queued_commands_are_known_until_they_are_answered(model: RunModel) -> None:
    first, second = command("set_lr", "queued", 1), command("rewind", "queued", 2)
    for event in (first, second, command("set_lr", "rejected", 1)):
        model.update(event)
    assert model.queued == {2: second}
    model.update(EndEvent(reason="stopped", epoch=1))
    assert model.queued == {}


def test_what_was_posted_while_the_run_was_loaded_is_still_queued_when_it_begins() -> None:
    model, posted = RunModel(), command("rewind", "queued", 1)
    model.load()
    model.update(posted)
    model.update(start())
    assert model.queued == {1: posted}


def test_a_branch_keeps_what_still_holds(model: RunModel) -> None:
    epochs, intervention = [epoch(1, 0.5), epoch(2, 0.75)], command("set_lr")
    for event in (*epochs, intervention):
        model.update(event)
    assert model.val_accuracy == 0.75
    assert model.metrics == [done.metrics() for done in epochs]
    model.update(BranchEvent(run="two", parent="one", epoch=2, batch=0, history=epochs[:1], interventions=[]))
    assert (model.run, model.epochs_done, model.interventions) == ("two", epochs[:1], [])
    assert model.metrics == [epochs[0].metrics()]
    assert model.start is not None
    assert model.start.parent == "one"
    assert model.position == Position(epoch=2)
    assert model.val_accuracy == 0.5
    assert model.history.epoch_x.values.tolist() == [1.0]


def test_a_run_that_continues_where_it_stood_keeps_its_history(model: RunModel) -> None:
    model.update(steps(1, 0, [[0.1, 0.2]] * BATCHES))
    model.update(epoch(1))
    model.update(EndEvent(reason="stopped", epoch=2))
    model.load()
    model.update(start(epoch=2, history=[epoch(1)]))
    assert model.continued
    assert len(model.history.x) == BATCHES
    assert model.end is None
    model.update(EndEvent(reason="stopped", epoch=2))
    model.load()
    model.update(start(run="another", epoch=2, history=[epoch(1)]))
    assert not model.continued
    assert len(model.history.x) == 0


def test_why_not_is_the_lifecycles_reason(model: RunModel) -> None:
    model.update(state("training"))
    assert model.why_not("pause") is None
    assert model.why_not("start") == "The run is already training."
    model.update(EndEvent(reason="stopped", epoch=2))
    assert model.why_not("act") == "The run was stopped."


def test_a_run_that_ended_untrained_is_told_from_one_that_trained(model: RunModel) -> None:
    assert not model.ended_untrained
    model.update(EndEvent(reason="failed", epoch=1))
    assert model.ended_untrained
    model.update(steps(1, 0, [[0.1, 0.2]]))
    assert not model.ended_untrained


def test_changed_tells_of_runs_states_and_ends_and_not_of_steps(model: RunModel) -> None:
    told: list[str] = []
    model.changed.connect(lambda: told.append(model.state))
    model.update(state("training"))
    for event in (steps(1, 0, [[0.1, 0.2]]), epoch(1), lrs(2, 0, [0.1, 0.2]), command("set_lr")):
        model.update(event)
    assert told == ["training"]
    model.update(EndEvent(reason="finished", epoch=1))
    model.forget()
    assert told == ["training", "finished", "ready"]
    assert not model.shown
    assert len(model.history.epoch_x) == 0


def test_pauses_do_not_count_as_training(model: RunModel) -> None:
    model.update(state("training"), when=10.0)
    model.update(steps(1, 0, [[0.1, 0.2]] * 2), when=14.0)
    model.update(state("paused"), when=14.0)
    model.update(state("training"), when=100.0)
    model.update(steps(1, 2, [[0.1, 0.2]] * 2), when=106.0)
    assert model.history.seconds == pytest.approx(10.0)

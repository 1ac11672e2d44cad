"""The trainer's lifecycle: every state, every transport command, exactly one end."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.common.lifecycle import TERMINAL, Action, State, allowed, next_state
from engine.common.spec import Spec
from engine.messages.commands import Command, Note, Pause, Resume, Rewind, RunEpoch, SetLR, Start, Stop
from engine.messages.events import CommandEvent, EndEvent, Event, StateEvent, StepsEvent
from engine.messages.schedule_view import ControlState, NextChange, PlateauView, ScheduleView
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.engine.running import PER_EPOCH, SCHEDULES, Events, Live, at, commands, library_at, recipe, run

TRANSPORT: dict[Action, type[Command]] = {"start": Start, "pause": Pause, "resume": Resume, "run_epoch": RunEpoch}
LONG = {"epochs": 1000}


def ready(live: Live) -> None:
    live.reach("ready")


def training(live: Live) -> None:
    live.reach("ready")
    live.trainer.post(Start())
    live.wait(lambda e: isinstance(e, StateEvent) and e.state == "training")


def paused(live: Live) -> None:
    training(live)
    live.trainer.post(Pause())
    live.reach("paused")


def diverged(live: Live) -> None:
    training(live)
    live.reach("diverged")


def over(live: Live) -> None:
    training(live)
    live.finish()


def stopped(live: Live) -> None:
    live.reach("ready")
    live.trainer.post(Stop())
    live.finish()


DRIVE: dict[State, tuple[Job, Callable[[Live], None]]] = {
    "ready": (Job(recipe=recipe(**LONG), begin=False), ready),
    "training": (Job(recipe=recipe(**LONG), begin=False), training),
    "paused": (Job(recipe=recipe(**LONG), begin=False), paused),
    "diverged": (Job(recipe=recipe("poisoned_fifth", **LONG), begin=False, on_divergence="pause"), diverged),
    "finished": (Job(recipe=recipe(epochs=1), begin=False), over),
    "stopped": (Job(recipe=recipe(), begin=False), stopped),
    "failed": (Job(recipe=recipe("breaks_in_training"), begin=False), over),
}


@pytest.mark.parametrize("action", [*TRANSPORT, "stop", "intervene"])
@pytest.mark.parametrize("state", DRIVE)
def test_every_state_answers_every_command_according_to_the_table(state: State, action: Action) -> None:
    job, drive = DRIVE[state]
    command = TRANSPORT[action]() if action in TRANSPORT else Stop() if action == "stop" else Note(text="x")
    with Live(job) as live:
        drive(live)
        before = len(live.events)
        answer = live.ask(command)  # type: ignore[arg-type]
        if not allowed(state, action):
            assert answer.status == "rejected"
            assert answer.reason
            assert [e for e in live.events[before:] if isinstance(e, StateEvent)] == []
            return
        assert answer.status == "applied"
        after = next_state(state, action)
        if after in TERMINAL:
            assert live.finish().reason == after
        elif action in TRANSPORT:
            moved = [e.state for e in live.events[before:] if isinstance(e, StateEvent)]
            assert moved[0] == after


def test_commands_posted_while_loading_are_applied_after_it() -> None:
    live = Live(Job(recipe=recipe(**LONG)))
    number = live.trainer.post(Pause())
    with live:
        live.reach("paused")
        (answer,) = [e for e in live.events.answers if e.id == number]
        assert answer.status == "applied"


def _paused_at(epoch: int, event: Event) -> bool:
    return isinstance(event, StateEvent) and (event.state, event.epoch, event.batch) == ("paused", epoch, 0)


def test_run_epoch_pauses_at_the_end_of_the_epoch() -> None:
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.pause_at(1, 2)
        for epoch in (2, 3):
            live.trainer.post(RunEpoch())
            live.wait(partial(_paused_at, epoch))
            assert (live.state.position.epoch, live.state.position.batch) == (epoch, 0)
        live.trainer.post(RunEpoch())  # the last one: the run ends
        assert live.finish().reason == "finished"


def test_a_job_for_one_epoch_pauses_after_it() -> None:
    with Live(Job(recipe=recipe(), one_epoch=True)) as live:
        live.reach("paused")
        assert [e.epoch for e in live.events.epochs] == [1]


def test_after_a_divergence_the_window_can_lower_the_lr_and_resume() -> None:
    with Live(Job(recipe=recipe("poisoned_fifth"), on_divergence="pause")) as live:
        live.reach("diverged")
        (event,) = live.events.of("diverged")
        assert event.text == "the loss was not finite in epoch 2, batch 1; that update was skipped"
        assert "diverged" in str(live.ask(Pause()).reason)
        assert live.ask(SetLR(lr=0.001)).status == "applied"
        live.trainer.post(Resume())
        end = live.finish()
        assert (end.reason, end.weights_sha256 is not None) == ("finished", True)


def test_after_a_divergence_the_window_can_go_back(tmp_path: Path) -> None:
    with (
        library_at(tmp_path) as library,
        Live(Job(recipe=recipe("poisoned_fifth"), on_divergence="pause"), library) as live,
    ):
        live.reach("diverged")
        assert live.ask(Rewind(epoch=1)).status == "applied"
        live.reach("paused")
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"


def test_a_failure_in_training_is_reported_once_with_its_details() -> None:
    events = Events()
    end = Trainer(Job(recipe=recipe("breaks_in_training")), events.append).run()
    assert events[-1] is end is events.end
    assert end.reason == "failed"
    assert str(end.text).startswith("RuntimeError: broken, says the test")
    assert "tiny_networks.py" in str(end.details)
    assert end.weights_sha256 is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"device": "cuda:99"}, "device"),
        ({"model": {"name": "/nowhere/net.py:make"}}, "model.name"),
        ({"data": {"name": "mnist", "root": "/nowhere"}}, "data.root"),
        ({"groups": [{"name": "head", "modules": ["nothing*"]}]}, "groups[0].modules[0]"),
        ({"schedule": {"name": "LambdaLR", "lr_lambda": ["1", "2"]}}, "schedule.lr_lambda"),
    ],
)
def test_what_is_wrong_with_the_recipe_is_reported_with_its_field(changes: dict[str, object], field: str) -> None:
    end = run(recipe(**changes)).end
    assert (end.reason, end.field, end.details) == ("failed", field, None)


def test_events_are_numbers_text_and_small_arrays_and_frozen(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        events = run(recipe(schedule=SCHEDULES["step"]), library)

    def plain(value: object) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, (str, int)) and plain(item) for key, item in value.items())
        if isinstance(value, (list, tuple)):
            return all(map(plain, value))
        if isinstance(value, (Event, ScheduleView, ControlState, NextChange, PlateauView)):
            return plain({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
        return value is None or isinstance(value, (str, int, float, bool, np.ndarray, Spec))

    assert all(map(plain, events))
    with pytest.raises(dataclasses.FrozenInstanceError):
        events.end.epoch = 9  # type: ignore[misc]


def test_steps_are_reported_one_entry_a_batch_with_the_lr_that_trained_it() -> None:
    events = run(recipe(schedule=SCHEDULES["step"]))
    steps = [e for e in events if isinstance(e, StepsEvent)]
    positions = [(e.epoch, e.batch + i) for e in steps for i in range(len(e.loss))]
    assert positions == [(epoch, batch) for epoch in (1, 2, 3) for batch in range(PER_EPOCH)]
    lrs = np.concatenate([e.lr for e in steps])[:, 0]
    assert np.all(np.diff(lrs) < 0)
    assert [e.lr for e in events.epochs] == [[lrs[i]] for i in (0, 3, 6)]
    assert [(e.lr_min, e.lr_max) for e in events.epochs] == [([lrs[i + 2]], [lrs[i]]) for i in (0, 3, 6)]


def test_the_order_of_events() -> None:
    kinds = [e.event for e in run(recipe(epochs=2)) if e.event not in ("loading", "steps", "lr", "schedule_step")]
    assert kinds == ["start", "state", "state", "epoch", "epoch", "state", "end"]


def test_a_run_with_a_hundred_commands_posted_at_once_answers_each_once() -> None:
    with Live(Job(recipe=recipe(epochs=20))) as live:
        threads = [
            threading.Thread(target=lambda: [live.trainer.post(SetLR(lr=0.01)) for _ in range(25)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        live.finish()
        answered = sorted(a.id for a in live.events.answers)
        assert answered == list(range(1, 101))
        queued = [e.id for e in live.events if isinstance(e, CommandEvent) and e.status == "queued"]
        assert len(queued) <= 100


def test_the_end_has_the_digest_of_the_weights(tmp_path: Path) -> None:
    """As DESIGN defines it, computed here from what plain PyTorch reads."""
    with library_at(tmp_path) as library:
        end: EndEvent = run(recipe(), library).end
    digest = hashlib.sha256()
    for name, t in torch.load(str(end.checkpoint), weights_only=True)["model"].items():
        digest.update(f"{name} {t.dtype} {tuple(t.shape)}\n".encode())
        digest.update(bytes(t.contiguous().reshape(-1).view(torch.uint8).tolist()))
    assert end.weights_sha256 == digest.hexdigest()


def test_the_default_recipe_learns_the_digits() -> None:
    events = run(Recipe(epochs=8, device="cpu"))
    assert max(e.val_accuracy for e in events.epochs) >= 0.95


def test_only_a_resumed_run_publishes_that_its_checkpoint_is_read(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        new = run(Job(recipe=recipe()), library)
        assert new.end.checkpoint is not None
        again = run(Job(checkpoint=Path(new.end.checkpoint)), library)
    loading = [[event.what for event in events.of("loading")] for events in (new, again)]
    assert ["reading the checkpoint" in what for what in loading] == [False, True]


def test_a_stop_ends_the_run_while_a_schedule_is_run_forward() -> None:
    swap = {"schedule": {"name": "CosineAnnealingLR", "T_max": 9, "interval": "step"}, "start": "replay"}
    lines = commands(at(1, 1, "note", text="x"), at(1, 1, "set_schedule", **swap))
    events = Events()

    def hear(event: Event) -> None:
        events.append(event)
        if isinstance(event, CommandEvent) and event.name == "note" and event.status == "applied":
            trainer.post(Stop())

    trainer = Trainer(Job(recipe=recipe(), lines=lines), hear)
    trainer.run()
    assert events.end.reason == "stopped"
    assert "the run was stopped" in str(events.answer("set_schedule").reason)


def test_a_schedule_that_ends_before_its_run_is_reported_once_and_not_at_the_runs_end() -> None:
    made = recipe(schedule={"name": "OneCycleLR", "max_lr": 0.1}, epochs=2)
    events = run(Job(recipe=made, lines=commands(at(1, 1, "set_epochs", epochs=4))))
    (text,) = [e.text for e in events.of("warning") if "is at its end" in e.text]
    assert "one cycle is over after 6 positions" in text
    assert not [e for e in run(made).of("warning") if "is at its end" in e.text]

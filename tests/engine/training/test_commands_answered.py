"""Every command of the contract is answered: queued, then applied at its position, or rejected with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoints.checkpoint import read
from engine.common.position import Position
from engine.library import Library
from engine.messages.commands import (
    Freeze,
    Intervention,
    Note,
    ReleaseLR,
    Resume,
    Rewind,
    Save,
    ScaleLR,
    SetEpochs,
    SetLR,
    SetOptimizer,
    SetSchedule,
    Stop,
    Unfreeze,
    Withdraw,
)
from engine.messages.events import CommandEvent
from engine.schedules import CosineAnnealingLR, LambdaLR, StepLR
from engine.training.job import Job, to_resume
from tests.engine.running import OPTIMIZERS, Live, at, commands, library_at, recipe, run
from tests.engine.training.test_step import equal, everything

GROUPS = [{"name": "head", "modules": ["head"], "lr": 0.1}]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_at(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def live() -> Iterator[Live]:
    """A run with the groups rest and head, paused before batch 1 of epoch 2 of 3."""
    with Live(Job(recipe=recipe(groups=GROUPS), begin=False)) as trainer:
        trainer.pause_at(2, 1)
        yield trainer


APPLIED: list[Intervention] = [
    SetLR(lr=0.3),
    SetLR(lr=0.3, then="hold", group="head"),
    ScaleLR(factor=0.5, then="follow"),
    SetSchedule(schedule=StepLR(step_size=1)),
    SetSchedule(schedule=CosineAnnealingLR(T_max=3), start="replay", group="head"),
    SetSchedule(schedule=LambdaLR(lr_lambda=("1", "0.5")), lr=(0.1, 0.2)),
    SetOptimizer(weight_decay=0.01),
    SetOptimizer(momentum=0.5, group="head"),
    Freeze(group="rest"),
    SetEpochs(epochs=2),
    SetEpochs(epochs=40),
    Note(text="why"),
]


@pytest.mark.parametrize("command", APPLIED, ids=lambda c: c.command)
def test_while_paused_a_command_is_applied_at_the_position(live: Live, command: Intervention) -> None:
    before = live.state.lr_control.current()
    answer = live.ask(command)
    assert (answer.status, answer.reason, answer.epoch, answer.batch) == ("applied", None, 2, 1)
    assert answer.command == command.model_dump(mode="json", exclude_none=True)
    assert answer.lr_before == before
    assert answer.lr == live.state.lr_control.current() == [g["lr"] for g in live.state.optimizer.param_groups]
    assert live.state.interventions[-1] == answer
    live.wait(lambda e: e.event == "lr" and e.lr == answer.lr)  # type: ignore[attr-defined]
    live.trainer.post(Resume())
    assert live.finish().reason == "finished"


REFUSED: list[tuple[Intervention, str]] = [
    (SetLR(lr=0.1, group="tail"), "no group 'tail'; the groups are rest, head"),
    (ScaleLR(factor=1e6), "the LR would be"),
    (ReleaseLR(), "the LR is on its schedule already"),
    (SetSchedule(schedule=StepLR(step_size=1), lr=(0.1,)), "lr lists 1 values for 2 group(s)"),
    (SetSchedule(schedule=LambdaLR(lr_lambda=("1", "1", "1"))), "lr_lambda: lists 3 values for 2 group(s)"),
    (SetSchedule(schedule=LambdaLR(lr_lambda=("1/(1-epoch)",))), "the schedule cannot be used"),
    (SetOptimizer(betas=(0.9, 0.9)), "SGD has no betas; it has weight_decay, momentum, dampening, nesterov"),
    (SetOptimizer(momentum=0.0), "nesterov needs a momentum above 0"),
    (SetOptimizer(momentum=0.5, group="tail"), "no group 'tail'"),
    (Freeze(group="tail"), "no group 'tail'"),
    (Unfreeze(group="head"), "group head is not frozen already"),
    (SetEpochs(epochs=1), "epoch 2 is reached already"),
    (SetEpochs(epochs=3), "the run has 3 epochs already"),
    (Rewind(epoch=1, batch=1), "is not before epoch 2, batch 1"),
    (Rewind(epoch=9), "is not before epoch 2, batch 1"),
    (Save(), "there is no library to save into; name a file"),
]


@pytest.mark.parametrize(("command", "reason"), REFUSED, ids=[f"{c.command} {r[:20]}" for c, r in REFUSED])
def test_a_command_that_cannot_be_applied_is_rejected_with_the_reason_and_changes_nothing(
    live: Live, command: Intervention, reason: str
) -> None:
    state = live.state
    before = everything(state), state.lr_control.state(), [dict(g, params=None) for g in state.optimizer.param_groups]
    answer = live.ask(command)
    assert (answer.status, answer.epoch, answer.batch) == ("rejected", 2, 1)
    assert reason in str(answer.reason)
    after = everything(state), state.lr_control.state(), [dict(g, params=None) for g in state.optimizer.param_groups]
    assert all(map(equal, before, after))
    assert state.interventions == []
    assert live.trainer.post(Resume())
    assert live.finish().reason == "finished"


def test_a_command_for_all_groups_changes_all_or_none() -> None:
    """The scheduled LR of one group is 0 here, which cannot be followed, so no group changes."""
    groups = [{**GROUPS[0], "schedule": {"name": "LambdaLR", "lr_lambda": "0 if epoch else 1"}}]
    lines = commands(at(2, 0, "set_lr", lr=0.2, then="follow"), at(2, 0, "set_lr", lr=0.2, then="hold"))
    events = run(Job(recipe=recipe(groups=groups), lines=lines))
    refused, held = events.answers
    assert (refused.status, held.status) == ("rejected", "applied")
    assert refused.lr == refused.lr_before
    assert "the scheduled LR of group head is 0 here" in str(refused.reason)
    assert held.lr == [0.2, 0.2]


@pytest.mark.parametrize(
    ("optimizer", "changes"),
    [
        ("SGD", {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}),
        ("SGD nesterov", {"nesterov": False, "momentum": 0.0}),
        ("Adam", {"betas": [0.8, 0.9], "eps": 1e-6}),
        ("AdamW", {"weight_decay": 0.2}),
        ("RMSprop", {"alpha": 0.9, "momentum": 0.1}),
    ],
)
def test_each_optimizer_takes_its_own_hyperparameters_in_mid_run(optimizer: str, changes: dict[str, Any]) -> None:
    job = Job(recipe=recipe(optimizer=OPTIMIZERS[optimizer]), begin=False)
    with Live(job) as live:
        live.pause_at(1, 2)
        live.ask(SetOptimizer.model_validate({"command": "set_optimizer", **changes}))
        (group,) = live.state.optimizer.param_groups
        assert {name: list(v) if isinstance(v, tuple) else v for name, v in group.items() if name in changes} == changes
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"


def test_a_command_for_a_later_position_is_applied_there() -> None:
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.reach("ready")
        number = live.trainer.post(SetLR(lr=0.5), Position(epoch=2, batch=2))
        never = live.trainer.post(SetLR(lr=0.5), Position(epoch=9))
        nowhere = live.trainer.post(SetLR(lr=0.5), Position(epoch=2, batch=3))
        live.pause_at(2, 1)
        live.trainer.post(Resume())
        live.finish()
        answers = {a.id: a for a in live.events.answers}
        assert (answers[number].status, answers[number].epoch, answers[number].batch) == ("applied", 2, 2)
        assert (answers[never].status, answers[never].reason) == ("rejected", "the run ended")
        assert answers[nowhere].reason == "there is no batch 3: an epoch has batches 0 to 2"


def test_what_is_posted_after_the_end_is_rejected() -> None:
    with Live(Job(recipe=recipe(epochs=1))) as live:
        live.finish()
        answer = live.ask(SetLR(lr=0.1))
        assert (answer.status, answer.reason) == ("rejected", "the run has ended")


def test_lines_that_are_never_reached_are_answered_too() -> None:
    events = run(
        Job(recipe=recipe(), lines=commands(at(1, 3, "note", text="no such batch"), at(9, 0, "note", text="never")))
    )
    first, second = events.answers
    assert (first.status, first.epoch, first.batch) == ("rejected", 2, 0)
    assert first.reason == "there is no batch 3: an epoch has batches 0 to 2"
    assert (second.status, second.reason) == ("rejected", "the run ended")
    assert events.end.reason == "finished"  # a command rejected while running does not change the outcome


def test_at_the_end_of_the_run_only_its_length_can_be_changed() -> None:
    lines = commands(at(4, 0, "set_lr", lr=0.1), at(4, 0, "set_epochs", epochs=4), at(5, 0, "note", text="end"))
    events = run(Job(recipe=recipe(), lines=lines))
    assert [(a.name, a.status) for a in events.answers] == [
        ("set_lr", "rejected"),
        ("set_epochs", "applied"),
        ("note", "applied"),
    ]
    assert "raise the number of epochs first" in str(events.answers[0].reason)
    assert [e.epoch for e in events.epochs] == [1, 2, 3, 4]


def test_a_run_can_be_shortened_to_the_epochs_completed() -> None:
    events = run(Job(recipe=recipe(), lines=commands(at(2, 0, "set_epochs", epochs=1))))
    assert ([e.epoch for e in events.epochs], events.end.epoch) == ([1], 1)


def test_set_epochs_warns_where_the_schedule_does_not_reach_the_new_end() -> None:
    schedule = {"name": "LambdaLR", "lr_lambda": "1/(4-epoch)"}
    events = run(Job(recipe=recipe(schedule=schedule), lines=commands(at(2, 0, "set_epochs", epochs=6))))
    (answer,) = events.answers
    assert answer.status == "applied"
    assert "does not reach the new end" in str(answer.warning)
    assert len(events.epochs) == 6


# -- frozen groups


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_frozen_groups_weights_state_and_statistics_do_not_change(optimizer: str) -> None:
    chosen = {**OPTIMIZERS[optimizer], "weight_decay": 0.1}
    with Live(Job(recipe=recipe(groups=GROUPS, optimizer=chosen), begin=False)) as live:
        live.pause_at(2, 1)
        assert live.ask(Freeze(group="rest")).status == "applied"
        before, state = everything(live.state), live.state
        live.pause_at(3, 2)
        after = everything(state)
        moved = {name for name, t in after[0].items() if not torch.equal(t, before[0][name])}
        assert moved == {"head.weight", "head.bias"}
        frozen = range(sum(1 for group in state.groups[:1] for _ in group.parameters))
        assert all(equal(before[1].get(i), after[1].get(i)) for i in frozen)
        assert live.ask(Unfreeze(group="rest")).status == "applied"
        live.trainer.post(Resume())
        live.finish()
        moved = {name for name, t in everything(state)[0].items() if not torch.equal(t, after[0][name])}
        assert "body.1.weight" in moved
        assert "body.2.running_mean" in moved


def test_the_last_group_cannot_be_frozen(live: Live) -> None:
    assert live.ask(Freeze(group="rest")).status == "applied"
    assert "nothing would be left to train" in str(live.ask(Freeze(group="head")).reason)
    assert "is frozen already" in str(live.ask(Freeze(group="rest")).reason)


def test_a_recipe_that_freezes_everything_is_refused() -> None:
    groups = [
        {"name": "one", "modules": ["body"], "frozen": True},
        {"name": "two", "modules": ["head"], "frozen": True},
    ]
    end = run(recipe(groups=groups)).end
    assert (end.reason, end.field) == ("failed", "groups")
    assert "all are frozen" in str(end.text)


# -- save and stop


def test_a_save_is_answered_once_the_file_is_written(live: Live, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "here.tiller"
    there: list[bool] = []
    hear = live.trainer._emit

    def watch(event: Any) -> None:
        if isinstance(event, CommandEvent) and event.name == "save" and event.status == "applied":
            there.append(target.exists())
        hear(event)

    live.trainer._run._answers._publish = watch  # type: ignore[union-attr]
    answer = live.ask(Save(path=str(target)))
    assert (answer.status, answer.epoch, answer.batch) == ("applied", 2, 1)
    assert there == [True]
    assert read(target)["position"] == [2, 1]


@pytest.mark.parametrize("with_library", [False, True])
def test_a_save_where_no_file_can_be_written_is_rejected_and_training_continues(
    tmp_path: Path, library: Library, with_library: bool
) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    own = library.root / "runs.sqlite"
    reasons = {
        tmp_path / "file" / "here.tiller": "Not a directory|File exists",
        tmp_path / "folder": "it is there already and is not a file",
        tmp_path / "file": 'it is there already and is not a Tiller checkpoint.*"overwrite": true',
        "~no-such-user/x.tiller": "the home folder at its beginning is not known",
        "a\0b": "must not contain a NUL character",
        "x" * 256: "the path is too long: a name has at most 255 bytes",
        own: "belongs to the run library" if with_library else "is not a Tiller checkpoint",
        library.root / "checkpoints" / "x.tiller": "belongs to the run library" if with_library else "",
    }
    lines = commands(*(at(2, 1, "save", path=str(path)) for path in reasons), at(2, 2, "note", text="goes on"))
    events = run(Job(recipe=recipe(), lines=lines), library if with_library else None)
    answers = {answer.command["path"]: answer for answer in events.answers if answer.name == "save"}
    for path, reason in reasons.items():
        answer = answers[str(path)]
        assert answer.status == ("rejected" if reason else "applied")
        assert re.search(f"not saved: .*({reason})" if reason else "", str(answer.reason))
    assert events.answer("note").status == "applied"
    assert events.end.reason == "finished"
    assert (tmp_path / "file").read_text() == "old"
    assert list((tmp_path / "folder").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder", "library"]
    assert library.runs() == [] or with_library  # the index is whole


def test_a_save_replaces_a_checkpoint_and_any_other_file_only_with_overwrite(tmp_path: Path) -> None:
    first, thesis, link = tmp_path / "first.tiller", tmp_path / "thesis.docx", tmp_path / "link.tiller"
    thesis.write_text("long work")
    thesis.chmod(0o600)
    link.symlink_to(thesis)
    lines = commands(
        at(1, 1, "save", path=str(first)),
        at(1, 2, "save", path=str(first)),
        at(1, 2, "save", path=str(thesis)),
        at(1, 2, "save", path=str(link)),
        at(2, 0, "save", path=str(link), overwrite=True),
    )
    answers = [answer.status for answer in run(Job(recipe=recipe(epochs=2), lines=lines)).answers]
    assert answers == ["applied", "applied", "rejected", "rejected", "applied"]
    assert read(first)["position"] == [1, 2]
    assert thesis.read_text() == "long work"
    assert read(link)["position"] == [2, 0]
    run(Job(recipe=recipe(epochs=2), lines=commands(at(2, 1, "save", path=str(thesis), overwrite=True))))
    assert read(thesis)["position"] == [2, 1]
    assert thesis.stat().st_mode & 0o777 == 0o600


def test_a_save_without_a_path_goes_into_the_library_under_the_runs_name(library: Library) -> None:
    events = run(Job(recipe=recipe(), name="my/run", lines=commands(at(2, 1, "save"))), library)
    (saved,) = [event for event in events.of("saved") if event.kind == "asked"]
    assert Path(saved.path).parent == library.root / "saved"
    assert Path(saved.path).name.startswith("my_run, epoch 2 batch 1, ")
    assert events.answer("save").status == "applied"


def test_stop_saves_where_it_stopped(library: Library) -> None:
    events = run(Job(recipe=recipe(), lines=commands(at(2, 1, "stop"))), library)
    end = events.end
    assert (end.reason, end.epoch, end.batch, events.answer("stop").status) == ("stopped", 2, 1, "applied")
    assert read(str(end.checkpoint))["position"] == [2, 1]


def test_stop_while_loading_is_applied() -> None:
    live = Live(Job(recipe=recipe()))
    live.trainer.post(Stop())
    with live:
        end = live.finish()
        assert (end.reason, live.events.answer("stop").status) == ("stopped", "applied")


# -- rewind


def test_rewind_goes_back_to_a_checkpoint_in_a_new_branch(library: Library) -> None:
    whole = run(Job(recipe=recipe()))
    lines = commands(at(2, 1, "scale_lr", factor=3), at(3, 1, "rewind", epoch=1), at(3, 1, "note", text="after"))
    events = run(Job(recipe=recipe(), lines=lines), library)
    first, second = library.runs()
    (branch,) = events.of("branch")
    assert (branch.run, branch.parent, branch.epoch, branch.batch) == (second.id, first.id, 2, 0)
    assert [e.epoch for e in branch.history] == [1]
    assert branch.interventions == []
    answer = events.answer("rewind")
    assert (answer.status, answer.epoch, answer.batch) == ("applied", 3, 1)
    assert [e.epoch for e in events.epochs] == [1, 2, 2, 3]
    assert events.end.weights_sha256 == whole.end.weights_sha256  # the intervention was undone too
    assert (first.state, first.epochs_done) == ("abandoned", 2)
    assert (second.state, second.epochs_done, second.parent) == ("finished", 3, first.id)
    assert (second.branch_epoch, second.branch_batch) == (2, 0)


def test_rewind_to_the_checkpoint_before_an_intervention(library: Library) -> None:
    lines = commands(at(2, 1, "scale_lr", factor=3), at(3, 1, "rewind", epoch=1, batch=1), at(2, 2, "stop"))
    events = run(Job(recipe=recipe(), lines=lines), library)
    assert events.answer("rewind").lr == [pytest.approx(0.035)]
    assert events.of("branch")[0].batch == 1
    assert (events.end.epoch, events.end.batch) == (2, 2)


def test_a_branch_is_resumed_by_its_id_and_its_rewind_is_not_applied_again(library: Library) -> None:
    lines = [
        at(1, 1, "scale_lr", factor=0.5),
        at(3, 1, "rewind", epoch=1),
        at(2, 1, "set_lr", lr=0.02),
        at(2, 2, "stop"),
        at(3, 0, "scale_lr", factor=0.5),
    ]
    whole = run(Job(recipe=recipe(), lines=commands(*lines[:3], lines[4])), library)
    left = run(Job(recipe=recipe(), lines=commands(*lines)), library)
    branch = library.runs()[-1]
    assert (left.end.reason, branch.state) == ("stopped", "stopped")
    again = run(to_resume(branch.id, library), library)
    assert [a.name for a in again.answers] == ["scale_lr"]
    assert again.of("branch") == []
    assert again.end.weights_sha256 == whole.end.weights_sha256


def test_a_branch_can_be_resumed_from_its_start(library: Library) -> None:
    whole = run(Job(recipe=recipe(), lines=commands(at(1, 2, "scale_lr", factor=0.5))))
    lines = [at(1, 2, "scale_lr", factor=0.5), at(3, 1, "rewind", epoch=1), at(2, 0, "stop")]
    run(Job(recipe=recipe(), lines=commands(*lines)), library)
    branch = library.runs()[-1]
    newest = library.newest_checkpoint(branch.id)
    assert newest is not None
    newest.unlink()  # as if the process had been killed right after the rewind
    again = run(to_resume(branch.id, library), library)
    assert again.of("start")[0].epoch == 2
    assert again.end.weights_sha256 == whole.end.weights_sha256


def test_a_rewind_does_not_use_a_checkpoint_of_another_branch(library: Library) -> None:
    """The parent's checkpoint of epoch 2 is from after the branch, and the branch has none there."""
    lines = commands(at(3, 1, "rewind", epoch=1), at(2, 2, "rewind", epoch=1), at(2, 2, "note", text="in the second"))
    events = run(Job(recipe=recipe(), lines=lines), library)
    assert [a.status for a in events.answers] == ["applied"] * 3
    with Live(Job(recipe=recipe(), lines=commands(at(3, 1, "rewind", epoch=1)), begin=False), library) as live:
        live.pause_at(2, 2)
        first = live.state.history[:]
        live.trainer.post(Resume())
        live.finish()
    branch = library.runs()[-1]
    parent = library.runs()[-2]
    assert branch.parent == parent.id
    assert len(first) == 1
    parents = {s.path for s in library.checkpoints(parent.id) if s.position > Position(epoch=2)}
    assert parents
    found = library.checkpoints_up_to(branch.id, Position(epoch=3))
    assert branch.id in str(found[0])
    assert not parents & set(found)
    found[0].unlink()
    assert library.checkpoints_up_to(branch.id, Position(epoch=3)) == found[1:]
    assert library.checkpoints_up_to(branch.id, Position(epoch=1)) == library.checkpoints_up_to(
        parent.id, Position(epoch=1)
    )


def test_a_pending_command_can_be_withdrawn_once() -> None:
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.reach("ready")
        waiting = live.trainer.post(SetLR(lr=0.5), Position(epoch=2, batch=1))
        first = live.trainer.post(Withdraw(id=waiting))
        second = live.trainer.post(Withdraw(id=waiting))
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"
        answers = {a.id: a for a in live.events.answers}
        assert (answers[waiting].status, answers[waiting].reason) == ("rejected", "withdrawn")
        assert answers[first].status == "applied"
        assert (answers[second].status, answers[second].reason) == ("rejected", "the command is no longer pending")
        assert all(0.5 not in epoch.lr_max for epoch in live.events.epochs)

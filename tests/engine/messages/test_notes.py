"""Notes about interventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.checkpoints import checkpoint
from engine.common.errors import SpecError
from engine.common.spec import parse
from engine.messages.commands import Note
from engine.messages.events import BranchEvent, CommandEvent
from engine.messages.notes import can_have_note, notes, reference, referenced
from engine.messages.stored import commands_from_json
from engine.training.job import Job
from tests.engine.running import at, commands, library_at, recipe, run

TWICE = [at(2, 1, "scale_lr", factor=0.5), at(2, 1, "set_optimizer", weight_decay=0.01)]


def event(command: str, epoch: int, batch: int = 0, status: Any = "applied", **fields: Any) -> CommandEvent:
    return CommandEvent(id=0, command={"command": command, **fields}, status=status, epoch=epoch, batch=batch)


def note(text: str, epoch: int, batch: int = 0, nth: int = 0) -> CommandEvent:
    return event("note", 9, text=text, about={"epoch": epoch, "batch": batch, "nth": nth})


def noted(of: list[CommandEvent]) -> list[tuple[str, str]]:
    return [(intervention.name, text) for intervention, text in notes(of)]


def test_a_reference_distinguishes_interventions_at_one_position_and_ignores_rejected_ones() -> None:
    interventions = [
        event("scale_lr", 2, status="rejected"),
        event("scale_lr", 2),
        event("note", 2),
        event("freeze", 2),
    ]
    assert [can_have_note(intervention) for intervention in interventions] == [False, True, False, True]
    for intervention in (interventions[1], interventions[3]):
        about = reference(intervention, interventions)
        assert about is not None
        assert referenced(about, interventions) is intervention
    assert reference(interventions[0], interventions) is None
    assert reference(event("freeze", 2), interventions) is None  # an equal intervention of another run


def test_the_latest_note_counts_and_an_empty_one_removes_it() -> None:
    interventions = [event("scale_lr", 2), event("freeze", 2), note("a", 2), note("b", 2, nth=1), note("c", 2)]
    assert noted(interventions) == [("scale_lr", "c"), ("freeze", "b")]
    assert noted([*interventions, note("", 2)]) == [("freeze", "b")]
    assert noted([*interventions, note("about nothing", 3), event("note", 3, text="of its own")]) == noted(
        interventions
    )


def test_only_a_note_about_an_intervention_may_be_empty() -> None:
    assert parse(Note, '{"text": "", "about": {"epoch": 2}}').about.nth == 0
    with pytest.raises(SpecError, match="must not be empty"):
        parse(Note, '{"text": ""}')


def test_notes_are_saved_and_restored_with_the_run(tmp_path: Path) -> None:
    lines = commands(
        *TWICE,
        at(3, 0, "note", text="noisy", about={"epoch": 2, "batch": 1}),
        at(3, 0, "note", text="as the paper has it", about={"epoch": 2, "batch": 1, "nth": 1}),
        at(3, 0, "note", text="about nothing", about={"epoch": 1}),
        at(3, 1, "save", path=str(tmp_path / "here.tiller")),
    )
    events = run(Job(recipe=recipe(), lines=lines))
    rejected = [answer for answer in events.answers if answer.status == "rejected"]
    assert [(r.command["text"], str(r.reason)) for r in rejected] == [
        ("about nothing", "the note is about an intervention at epoch 1, batch 0, and there is none")
    ]
    expected = [("scale_lr", "noisy"), ("set_optimizer", "as the paper has it")]
    kept = commands_from_json(checkpoint.read(tmp_path / "here.tiller")["interventions"])
    assert noted(kept) == expected
    resumed = run(Job(checkpoint=tmp_path / "here.tiller"))
    assert noted(resumed.of("start")[0].interventions) == expected
    assert resumed.end.weights_sha256 == events.end.weights_sha256


def test_a_rewind_keeps_the_notes_about_interventions_that_remain(tmp_path: Path) -> None:
    lines = commands(
        at(1, 1, "scale_lr", factor=0.5),
        at(2, 1, "scale_lr", factor=0.5),
        at(2, 2, "note", text="remains", about={"epoch": 1, "batch": 1}),
        at(2, 2, "note", text="is undone", about={"epoch": 2, "batch": 1}),
        at(2, 2, "note", text="of its own"),
        at(3, 0, "rewind", epoch=1),
    )
    with library_at(tmp_path) as library:
        events = run(Job(recipe=recipe(), lines=lines), library)
        (branch,) = (e for e in events if isinstance(e, BranchEvent))
        assert [(e.name, e.command.get("text")) for e in branch.interventions] == [
            ("scale_lr", None),
            ("note", "remains"),
        ]
        newest = library.newest_checkpoint(branch.run)
        assert newest is not None
        kept = commands_from_json(checkpoint.read(newest)["interventions"])
    assert noted(kept) == [("scale_lr", "remains")]
    assert [e.name for e in kept] == ["scale_lr", "note", "rewind"]

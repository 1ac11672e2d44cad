"""What the library keeps of a run beside checkpoints: batches, epochs, the hand with what became of each command."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.common.position import Position
from engine.library import Library
from engine.library.reader import Reader
from engine.messages.commands import Note, Resume, Rewind, Save, ScaleLR, SetLR, Stop, Withdraw
from engine.messages.events import CommandEvent, StepsEvent
from engine.training import recorder
from engine.training.job import Job, to_resume
from tests.engine.running import PER_EPOCH, Live, at, commands, library_at, recipe, run


def per_batch(reports: list[StepsEvent]) -> dict[tuple[int, int], tuple[float, list[float]]]:
    return {(e.epoch, e.batch + i): (float(loss), e.lr[i].tolist()) for e in reports for i, loss in enumerate(e.loss)}


def states(library: Reader, run_id: str) -> list[tuple[Any, ...]]:
    return [(r.command["command"], r.state, r.epoch, r.batch) for r in library.interventions(run_id)]


def test_a_resumed_run_has_the_curve_of_each_batch_back(tmp_path: Path) -> None:
    lines = commands(at(1, 2, "scale_lr", factor=0.5), at(2, 1, "stop"))
    whole = run(Job(recipe=recipe(), lines=lines[:1]))
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=lines), library)
        (row,) = library.runs()
        resumed = run(to_resume(row.id, library), library)
        before = per_batch(resumed.of("start")[0].steps)
        everything = per_batch(whole.of("steps"))
        assert before == {place: seen for place, seen in everything.items() if place < (2, 1)}
        assert per_batch(library.steps(row.id)) == everything
        assert [e.metrics() for e in library.history(row.id)] == [e.metrics() for e in whole.epochs]
        assert library.run(row.id).batches_per_epoch == PER_EPOCH  # type: ignore[union-attr]
    assert "steps" not in resumed.of("start")[0].as_json()


def test_a_branch_has_its_parents_batches_up_to_where_it_left(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        events = run(
            Job(recipe=recipe(), lines=commands(at(3, 1, "rewind", epoch=1), at(2, 1, "scale_lr", factor=0.1))), library
        )
        first, second = library.runs()
        parent, branch = per_batch(library.steps(first.id)), per_batch(library.steps(second.id))
        assert sorted(parent) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)]
        assert sorted(branch) == [(e, b) for e in (1, 2, 3) for b in range(3)]
        assert {p: branch[p] for p in branch if p < (2, 1)} == {p: parent[p] for p in parent if p < (2, 1)}
        assert branch[2, 1][1] != parent[2, 1][1]
        assert [e.epoch for e in library.history(second.id)] == [1, 2, 3]
        library.delete(first.id)
        library.empty_bin()
        assert per_batch(library.steps(second.id)) == branch  # they are its own now
        assert [r.id for r in library.runs()] == [second.id]
    assert events.end.reason == "finished"


def test_batches_of_a_very_long_epoch_stay_in_parts_and_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_JOINED", 2)
    monkeypatch.setattr(recorder, "_STEPS_SECONDS", 0.0)
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe()), library)
        (row,) = library.runs()
        assert per_batch(library.steps(row.id)) == per_batch(whole.of("steps"))
        assert [e.batch for e in library.steps(row.id)] == [e.batch for e in whole.of("steps")]


def test_reports_are_exact_whatever_the_losses(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe("poisoned_fifth")), library)
        (row,) = library.runs()
        (loss,) = [e.loss[1] for e in library.steps(row.id) if e.epoch == 2]
        assert np.isnan(loss)
        assert whole.end.reason == "diverged"


def test_interventions_is_kept_with_the_state_of_each_command(tmp_path: Path) -> None:
    lines = commands(at(1, 1, "scale_lr", factor=0.5), at(2, 0, "freeze", group="tail"), at(9, 0, "note", text="never"))
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), lines=lines, begin=False), library) as live:
            live.stand(2, 1)
            live.ask(SetLR(lr=0.01))
            live.trainer.post(ScaleLR(factor=0.9), Position(epoch=3, batch=2))
            number = live.trainer.post(ScaleLR(factor=0.8), Position(epoch=3, batch=1))
            live.ask(Withdraw(id=number))
            live.ask(Note(text="here"))
            live.ask(Save(path=str(tmp_path / "mine.tiller")))
            library.flush()
            (row,) = library.runs()
            assert states(library, row.id) == [
                ("scale_lr", "applied", 1, 1),
                ("freeze", "rejected", 2, 0),
                ("set_lr", "applied", 2, 1),
                ("scale_lr", "rejected", 2, 1),
                ("note", "applied", 2, 1),
                ("save", "applied", 2, 1),
                ("scale_lr", "waiting", None, None),
                ("note", "waiting", None, None),
            ]
            kept = library.interventions(row.id)
            assert [r.source for r in kept] == [
                "file",
                "file",
                "direct",
                "posted",
                "direct",
                "direct",
                "posted",
                "file",
            ]
            assert [r.at for r in kept[-2:]] == [Position(epoch=3, batch=2), Position(epoch=9)]
            assert (kept[1].reason, kept[3].reason) != (None, None)
            assert kept[3].reason == "withdrawn"
            assert kept[2].answer is not None
            assert kept[2].answer["lr"] == [0.01]
        assert states(library, row.id)[-2:] == [("scale_lr", "waiting", None, None), ("note", "waiting", None, None)]


def queued(events: list[Any]) -> list[str]:
    return [e.name for e in events if isinstance(e, CommandEvent) and e.status == "queued"]


def test_what_was_posted_for_later_waits_again_in_a_run_that_is_resumed(tmp_path: Path) -> None:
    whole = run(Job(recipe=recipe(), lines=commands(at(2, 2, "scale_lr", factor=0.5), at(3, 1, "set_lr", lr=0.001))))
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.stand(2, 0)
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=2, batch=2))
            live.trainer.post(SetLR(lr=0.001), Position(epoch=3, batch=1))
            assert live.ask(Stop()).status == "applied"
        (row,) = library.runs()
        with Live(to_resume(row.id, library), library) as live:
            assert live.finish().weights_sha256 == whole.end.weights_sha256
        answers = [(a.name, a.status, a.epoch, a.batch) for a in live.events.answers]
        assert answers == [("scale_lr", "applied", 2, 2), ("set_lr", "applied", 3, 1)]
        assert queued(live.events) == ["scale_lr", "set_lr"]
        assert [a.id for a in live.events.answers] == [1, 2]  # and could have been withdrawn
        assert [s[:2] for s in states(library, row.id)] == [
            ("stop", "applied"),
            ("scale_lr", "applied"),
            ("set_lr", "applied"),
        ]


def test_a_commands_file_given_on_resume_takes_the_place_of_all_that_waited(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.stand(2, 0)
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=2, batch=2))
            live.ask(Stop())
        (row,) = library.runs()
        again = run(to_resume(row.id, library, ()), library)
        assert again.answers == []
        assert again.end.weights_sha256 == run(recipe()).end.weights_sha256


def crash(library: Library, root: Path, keep: int) -> None:
    """As if the process had been killed: all but the ``keep`` oldest checkpoints were never written."""
    (row,) = library.runs()
    for s in library.checkpoints(row.id)[keep:]:
        s.path.unlink(missing_ok=True)


def test_interventions_since_the_last_checkpoint_are_done_again_at_their_moments(tmp_path: Path) -> None:
    """Posted for later, from a file, at once; several at one moment; in the order in which they were done."""
    lines = commands(at(2, 1, "set_lr", lr=0.02), at(3, 1, "scale_lr", factor=0.5))
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), lines=lines, begin=False), library) as live:
            live.stand(2, 0)
            live.trainer.post(SetLR(lr=0.3), Position(epoch=2, batch=1))
            live.trainer.post(Resume())
            live.wait(lambda e: isinstance(e, CommandEvent) and e.name == "set_lr" and e.status == "applied")
            live.ask(ScaleLR(factor=0.9))
            end = live.finish()
        for keep in (4, 2, 1, 0):
            crash(library, tmp_path, keep)
            (row,) = library.runs()
            again = run(to_resume(row.id, library), library)
            assert again.end.weights_sha256 == end.weights_sha256, keep
            applied = [r for r in library.interventions(row.id) if r.place is not None]
            assert [(r.place, r.state) for r in applied] == [(n, "applied") for n in range(4)]


def test_a_branch_that_was_killed_before_it_saved_anything_is_resumed_where_it_left(tmp_path: Path) -> None:
    lines = commands(at(2, 1, "scale_lr", factor=0.5), at(3, 1, "rewind", epoch=1), at(3, 2, "scale_lr", factor=0.3))
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe(), lines=lines), library)
        first, second = library.runs()
        for s in library.checkpoints(second.id):
            s.path.unlink()
        again = run(to_resume(second.id, library), library)
        assert again.end.weights_sha256 == whole.end.weights_sha256
        assert again.of("start")[0].run == second.id
        assert again.of("branch") == []  # it does not go back once more
        assert library.run(second.id).parent == first.id  # type: ignore[union-attr]
        for s in (*library.checkpoints(first.id), *library.checkpoints(second.id)):
            s.path.unlink(missing_ok=True)
        assert run(to_resume(second.id, library), library).end.weights_sha256 == whole.end.weights_sha256


def test_going_back_takes_what_waits_along(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.stand(2, 1)
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=3, batch=1))
            live.ask(Rewind(epoch=1))
            live.ask(Stop())
        first, second = library.runs()
        assert [r.state for r in library.interventions(first.id)] == []
        assert states(library, second.id)[-1] == ("scale_lr", "waiting", None, None)
        resumed = run(to_resume(second.id, library), library)
        assert [(a.name, a.epoch, a.batch) for a in resumed.answers] == [("scale_lr", 3, 1)]


def test_an_intervention_that_only_the_checkpoint_knows_takes_its_place_after_those_that_the_index_has(
    tmp_path: Path,
) -> None:
    """As when the disk was full, and only the end's checkpoint found room."""
    lines = commands(at(1, 1, "scale_lr", factor=0.5), at(2, 1, "set_optimizer", weight_decay=0.1))
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=lines), library)
        (known,) = library.runs()
        with sqlite3.connect(tmp_path / "runs.sqlite") as db:
            db.execute("DELETE FROM commands WHERE place = 1")
        db.close()
        assert [row.command["command"] for row in library.interventions(known.id)] == ["scale_lr"]
        run(to_resume(known.id, library), library)
        assert [row.command["command"] for row in library.interventions(known.id)] == ["scale_lr", "set_optimizer"]

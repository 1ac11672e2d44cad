"""What the library records of a run beside checkpoints: batches, epochs, and interventions with their answers."""

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


def test_a_resumed_run_gets_the_curve_of_each_batch(tmp_path: Path) -> None:
    lines = commands(at(1, 2, "scale_lr", factor=0.5), at(2, 1, "stop"))
    whole = run(Job(recipe=recipe(), lines=lines[:1]))
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=lines), library)
        (row,) = library.runs()
        resumed = run(to_resume(row.id, library), library)
        before = per_batch(resumed.of("start")[0].steps)
        everything = per_batch(whole.of("steps"))
        assert before == {at: batch for at, batch in everything.items() if at < (2, 1)}
        assert per_batch(library.steps(row.id)) == everything
        assert [e.metrics() for e in library.history(row.id)] == [e.metrics() for e in whole.epochs]
        assert library.run(row.id).batches_per_epoch == PER_EPOCH  # type: ignore[union-attr]
    assert "steps" not in resumed.of("start")[0].as_json()


def test_a_branch_has_its_parents_batches_up_to_the_branch(tmp_path: Path) -> None:
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
        assert per_batch(library.steps(second.id)) == branch  # they have been copied to the branch
        assert [r.id for r in library.runs()] == [second.id]
    assert events.end.reason == "finished"


def test_batches_of_a_very_long_epoch_are_stored_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_JOINED", 2)
    monkeypatch.setattr(recorder, "_STEPS_SECONDS", 0.0)
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe()), library)
        (row,) = library.runs()
        assert per_batch(library.steps(row.id)) == per_batch(whole.of("steps"))
        assert [e.batch for e in library.steps(row.id)] == [e.batch for e in whole.of("steps")]


def test_a_loss_that_is_not_finite_is_recorded_as_nan(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe("poisoned_fifth")), library)
        (row,) = library.runs()
        (loss,) = [e.loss[1] for e in library.steps(row.id) if e.epoch == 2]
        assert np.isnan(loss)
        assert whole.end.reason == "diverged"


def test_interventions_are_recorded_with_their_state(tmp_path: Path) -> None:
    lines = commands(at(1, 1, "scale_lr", factor=0.5), at(2, 0, "freeze", group="tail"), at(9, 0, "note", text="never"))
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), lines=lines, begin=False), library) as live:
            live.pause_at(2, 1)
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
                ("scale_lr", "pending", None, None),
                ("note", "pending", None, None),
            ]
            rows = library.interventions(row.id)
            assert [r.source for r in rows] == [
                "file",
                "file",
                "direct",
                "posted",
                "direct",
                "direct",
                "posted",
                "file",
            ]
            assert [r.at for r in rows[-2:]] == [Position(epoch=3, batch=2), Position(epoch=9)]
            assert (rows[1].reason, rows[3].reason) != (None, None)
            assert rows[3].reason == "withdrawn"
            assert rows[2].answer is not None
            assert rows[2].answer.lr == [0.01]
        assert states(library, row.id)[-2:] == [("scale_lr", "pending", None, None), ("note", "pending", None, None)]


def queued(events: list[Any]) -> list[str]:
    return [e.name for e in events if isinstance(e, CommandEvent) and e.status == "queued"]


def test_what_was_posted_for_later_is_pending_again_in_a_resumed_run(tmp_path: Path) -> None:
    whole = run(Job(recipe=recipe(), lines=commands(at(2, 2, "scale_lr", factor=0.5), at(3, 1, "set_lr", lr=0.001))))
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.pause_at(2, 0)
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=2, batch=2))
            live.trainer.post(SetLR(lr=0.001), Position(epoch=3, batch=1))
            assert live.ask(Stop()).status == "applied"
        (row,) = library.runs()
        with Live(to_resume(row.id, library), library) as live:
            assert live.finish().weights_sha256 == whole.end.weights_sha256
        answers = [(a.name, a.status, a.epoch, a.batch) for a in live.events.answers]
        assert answers == [("scale_lr", "applied", 2, 2), ("set_lr", "applied", 3, 1)]
        assert queued(live.events) == ["scale_lr", "set_lr"]
        assert [a.id for a in live.events.answers] == [1, 2]  # ids with which they could have been withdrawn
        assert [s[:2] for s in states(library, row.id)] == [
            ("stop", "applied"),
            ("scale_lr", "applied"),
            ("set_lr", "applied"),
        ]


def test_a_commands_file_given_on_resume_replaces_all_that_was_pending(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.pause_at(2, 0)
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


def test_interventions_since_the_last_checkpoint_are_applied_again_at_their_positions(tmp_path: Path) -> None:
    """Posted for later, from a file, applied at once; several at one position; in their order."""
    lines = commands(at(2, 1, "set_lr", lr=0.02), at(3, 1, "scale_lr", factor=0.5))
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), lines=lines, begin=False), library) as live:
            live.pause_at(2, 0)
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
            applied = [r for r in library.interventions(row.id) if r.ordinal is not None]
            assert [(r.ordinal, r.state) for r in applied] == [(n, "applied") for n in range(4)]


def test_a_branch_killed_before_it_saved_anything_resumes_where_it_branched(tmp_path: Path) -> None:
    lines = commands(at(2, 1, "scale_lr", factor=0.5), at(3, 1, "rewind", epoch=1), at(3, 2, "scale_lr", factor=0.3))
    with library_at(tmp_path) as library:
        whole = run(Job(recipe=recipe(), lines=lines), library)
        first, second = library.runs()
        for s in library.checkpoints(second.id):
            s.path.unlink()
        again = run(to_resume(second.id, library), library)
        assert again.end.weights_sha256 == whole.end.weights_sha256
        assert again.of("start")[0].run == second.id
        assert again.of("branch") == []  # the rewind is not applied again
        assert library.run(second.id).parent == first.id  # type: ignore[union-attr]
        for s in (*library.checkpoints(first.id), *library.checkpoints(second.id)):
            s.path.unlink(missing_ok=True)
        assert run(to_resume(second.id, library), library).end.weights_sha256 == whole.end.weights_sha256


def test_pending_interventions_go_to_the_branch(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.pause_at(2, 1)
            live.trainer.post(ScaleLR(factor=0.5), Position(epoch=3, batch=1))
            live.ask(Rewind(epoch=1))
            live.ask(Stop())
        first, second = library.runs()
        assert [r.state for r in library.interventions(first.id)] == []
        assert states(library, second.id)[-1] == ("scale_lr", "pending", None, None)
        resumed = run(to_resume(second.id, library), library)
        assert [(a.name, a.epoch, a.batch) for a in resumed.answers] == [("scale_lr", 3, 1)]


def test_an_intervention_that_only_the_checkpoint_holds_is_listed_after_those_of_the_index(
    tmp_path: Path,
) -> None:
    """As when the disk was full, and there was room for the last checkpoint only."""
    lines = commands(at(1, 1, "scale_lr", factor=0.5), at(2, 1, "set_optimizer", weight_decay=0.1))
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=lines), library)
        (known,) = library.runs()
        with sqlite3.connect(tmp_path / "runs.sqlite") as db:
            db.execute("DELETE FROM interventions WHERE ordinal = 1")
        db.close()
        assert [row.command["command"] for row in library.interventions(known.id)] == ["scale_lr"]
        run(to_resume(known.id, library), library)
        assert [row.command["command"] for row in library.interventions(known.id)] == ["scale_lr", "set_optimizer"]

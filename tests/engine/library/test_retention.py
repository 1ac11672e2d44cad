"""Which checkpoints are kept: the last epochs, the best one, those before interventions, saved ones; and the limits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import torch

from engine.common.position import Position
from engine.library import CheckpointResult, CheckpointRow, CheckpointWrite, Kind, Library, Retention, size_text
from engine.training.job import Job, to_resume
from tests.engine.running import SECONDS, at, commands, library_at, recipe, run


def row(number: int, kind: Kind = "epoch", **metrics: float) -> CheckpointRow:
    return CheckpointRow(
        path=Path(str(number)), run="a", kind=kind, epoch=number + 1, batch=0, created=0.0, bytes=1, metrics=metrics
    )


def kept(retention: Retention, *rows: CheckpointRow) -> list[str]:
    expired = retention.expired(rows)
    return [str(r.path) for r in rows if r not in expired]


def test_the_last_three_and_the_best_by_the_monitored_metric() -> None:
    losses = [row(n, val_loss=loss, val_accuracy=1 - loss / 9) for n, loss in enumerate([5, 2, 1, 3, 4, 6, 7, 8])]
    assert kept(Retention(), *losses) == ["2", "5", "6", "7"]
    assert kept(Retention(monitor="val_accuracy"), *losses) == ["2", "5", "6", "7"]
    assert kept(Retention(best=2, last=1), *losses) == ["1", "2", "7"]
    assert kept(Retention(best=0, last=2), *losses) == ["6", "7"]
    assert kept(Retention(), *losses[:3]) == ["0", "1", "2"]


def test_a_metric_that_is_not_finite_is_never_the_best() -> None:
    assert kept(Retention(last=1), row(0, val_loss=float("nan")), row(1, val_loss=2.0), row(2), row(3)) == ["1", "3"]


def test_saved_checkpoints_and_those_before_interventions_are_kept() -> None:
    rows = [row(0, "before"), row(1, "asked"), *(row(n) for n in range(2, 7)), row(7, "before"), row(8, "stop")]
    assert kept(Retention(), *rows) == ["0", "1", "4", "5", "6", "7", "8"]
    assert kept(Retention(before=1), *rows) == ["1", "4", "5", "6", "7", "8"]


def test_of_checkpoints_within_an_epoch_the_newest_is_kept_until_the_epochs_end() -> None:
    assert kept(Retention(), row(0), row(1, "timed"), row(2, "timed")) == ["0", "2"]
    assert kept(Retention(), row(0), row(1, "timed"), row(2)) == ["0", "2"]


def test_a_long_epoch_is_saved_in_between_and_the_run_resumes_from_there(tmp_path: Path) -> None:
    library = Library(tmp_path, Retention(minutes=1e-9))
    try:
        whole = run(Job(recipe=recipe(), lines=commands(at(3, 2, "stop"))), library)
        (known,) = library.runs()
        positions = [(s.kind, s.epoch, s.batch) for s in library.checkpoints(known.id)]
        assert {(e.epoch, e.batch) for e in whole.of("saved") if e.kind == "timed"} == {
            (epoch, batch) for epoch in (1, 2, 3) for batch in (1, 2)
        }
        assert positions == [("epoch", 1, 0), ("epoch", 2, 0), ("epoch", 3, 0), ("stop", 3, 2)]
        again = run(to_resume(known.id, library), library)
        assert again.end.weights_sha256 == run(recipe()).end.weights_sha256
    finally:
        library.close()


def test_the_checkpoint_of_a_stop_is_kept_when_the_run_resumes(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        stop = run(
            Job(recipe=recipe(epochs=9), lines=commands(at(2, 0, "stop"))), library
        ).end.checkpoint  # an epoch's end
        (known,) = library.runs()
        idle = run(to_resume(known.id, library, commands(at(2, 0, "note", text="x"), at(2, 0, "stop"))), library)
        again = run(to_resume(known.id, library, commands(at(2, 0, "stop"))), library)
        assert idle.end.checkpoint == again.end.checkpoint != stop  # nothing has changed, so nothing is written
        run(to_resume(known.id, library, ()), library)
        assert stop is not None
        assert Path(stop).is_file()
        assert run(Job(checkpoint=Path(stop)), library).end.weights_sha256 == run(recipe(epochs=9)).end.weights_sha256


def test_checkpoints_within_an_epoch_are_only_as_frequent_as_set(tmp_path: Path) -> None:
    for minutes in (0.0, 10.0):
        library = Library(tmp_path, Retention(minutes=minutes))
        events = run(recipe(), library)
        library.close()
        assert {e.kind for e in events.of("saved")} == {"epoch"}


def test_the_best_epoch_of_a_real_run_is_kept(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        chosen = recipe(epochs=7, optimizer={"name": "SGD", "lr": 0.05}, schedule={"name": "ExponentialLR", "gamma": 2})
        events = run(Job(recipe=chosen, lines=commands(at(3, 0, "set_lr", lr=3.0, then="hold"))), library)
        best = min(events.epochs, key=lambda e: e.val_loss).epoch
        (known,) = library.runs()
        ends = [s for s in library.checkpoints(known.id) if s.kind == "epoch"]
        assert best + 1 in [s.epoch for s in ends]
        assert best < 5
        assert len(ends) <= 4  # some may have been replaced while they were queued
        assert {s.metrics["val_loss"] for s in ends} <= {e.val_loss for e in events.epochs}


def test_a_library_beyond_its_limit_causes_one_warning_and_keeps_everything(tmp_path: Path) -> None:
    library = Library(tmp_path, Retention(limit_bytes=60_000))
    try:
        events = run(recipe(epochs=8), library)
        texts = [e.text for e in events.of("warning")]
        assert [t for t in texts if "more than the limit of 60 kB" in t] == texts
        assert len(texts) == 1
        assert "delete runs and empty the recycle bin" in texts[0]
        assert events.end.reason == "finished"
        assert library.disk_use() > 60_000
        assert library.runs()[0].bytes == library.disk_use()
    finally:
        library.close()


def test_sizes_for_a_person() -> None:
    assert [size_text(n) for n in (0, 999, 1000, 60_000, 2_340_000, 20 * 1024**3)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "60 kB",
        "2.3 MB",
        "21.5 GB",
    ]


class Slow:
    """A library whose disk does nothing until ``go``."""

    def __init__(self, folder: Path, **retention: Any) -> None:
        self.library = Library(folder, Retention(**retention))
        self._go = threading.Event()
        self.library._index.submit(lambda: self._go.wait(SECONDS))
        self.results: list[tuple[str, bool, str | None]] = []

    def store(self, name: str, kind: Kind, megabytes: int = 1, **metrics: float) -> CheckpointWrite:
        def done(result: CheckpointResult) -> None:
            self.results.append((name, result.path is not None, result.error))

        checkpoint = CheckpointWrite(
            content={"model": {"w": torch.zeros(megabytes * 250_000)}},
            run="a",
            kind=kind,
            at=Position(epoch=1),
            path=self.library.root / "checkpoints" / "a" / f"{name}.tiller",
            done=done,
            metrics=metrics,
        )
        self.library.store(checkpoint)
        return checkpoint

    def go(self) -> list[str]:
        self._go.set()
        self.library.flush()
        self.library.close()
        return sorted(p.stem for p in (self.library.root / "checkpoints" / "a").iterdir())


def test_checkpoints_queued_for_a_slow_disk_stay_within_their_memory(tmp_path: Path) -> None:
    slow = Slow(tmp_path, memory_bytes=3_500_000)
    checkpoints = [slow.store(f"epoch{n}", "epoch") for n in range(3)]
    checkpoints += [slow.store("before1", "before"), slow.store("before2", "before"), slow.store("before3", "before")]
    assert slow.library._checkpoints.queued <= 3_500_000
    checkpoints += [slow.store("before4", "before"), slow.store("asked", "asked")]
    assert [(name, written) for name, written, _ in slow.results] == [("before4", False), ("asked", False)]
    assert slow.results[0][2] == "the disk is slow: 3.0 MB are waiting to be written"
    slow.store("stop", "stop")  # a stop is written whatever its size
    assert [bool(c.content) for c in checkpoints] == [False] * 3 + [True] * 3 + [False] * 2  # their memory is freed
    assert slow.go() == ["before1", "before2", "before3", "stop"]


def test_a_checkpoint_larger_than_the_memory_is_written_where_nothing_else_is_queued(tmp_path: Path) -> None:
    slow = Slow(tmp_path, memory_bytes=1000)
    slow.store("one", "epoch", 2)
    assert slow.go() == ["one"]


def test_an_epoch_end_queued_behind_newer_ones_is_not_written(tmp_path: Path) -> None:
    slow = Slow(tmp_path)
    for n in range(6):
        slow.store(f"epoch{n}", "epoch", val_loss=1.0 if n == 1 else 2.0)
    assert slow.go() == ["epoch1", "epoch3", "epoch4", "epoch5"]  # the best is kept
    assert [name for name, *_ in slow.results] == ["epoch1", "epoch3", "epoch4", "epoch5"]

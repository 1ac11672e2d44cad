"""The history buffers: positions, rates, smoothing, branches, and that they stay cheap."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from engine.messages.events import EpochEvent, StepsEvent
from gui.core.column import Column
from gui.core.history import RunHistory
from gui.core.smoothing import Average


def steps(epoch: int, batch: int, loss: list[float], lr: list[list[float]]) -> StepsEvent:
    return StepsEvent(
        epoch=epoch, batch=batch, loss=np.array(loss, np.float32), lr=np.array(lr, np.float64), images_per_second=1.0
    )


def ended(epoch: int, lr: float = 0.1, seconds: float = 10.0) -> EpochEvent:
    return EpochEvent(
        epoch=epoch,
        lr=[lr],
        lr_min=[lr / 2],
        lr_max=[lr],
        train_loss=1.0 / epoch,
        train_accuracy=0.5,
        val_loss=2.0 / epoch,
        val_accuracy=0.6,
        seconds=seconds,
        images_per_second=1.0,
    )


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def two_epochs() -> RunHistory:
    series = RunHistory()
    series.append_steps(steps(1, 0, [4.0, 3.0, 2.0, 1.0], [[0.1]] * 4), 4)
    series.append_epoch(ended(1))
    series.append_steps(steps(2, 0, [0.9, 0.8, 0.7, 0.6], [[0.1], [0.1], [0.05], [0.05]]), 4)
    series.append_epoch(ended(2))
    return series


def test_nothing_of_a_run_is_known_of_the_next_one_not_even_how_many_batches_an_epoch_has() -> None:
    series = two_epochs()
    assert series.batches_per_epoch == 4
    series.clear()
    assert series.batches_per_epoch == 0


def test_a_batchs_loss_stands_where_it_ends_and_its_lr_where_it_begins() -> None:
    series = two_epochs()
    assert series.x.values.tolist() == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    assert series.lr_x.values.tolist() == [0.0, 1.5]
    assert series.lrs[0].values.tolist() == [0.1, 0.05]
    assert series.epoch_x.values.tolist() == [1.0, 2.0]
    assert series.metrics["val_loss"].values.tolist() == [2.0, 1.0]
    assert series.epoch_lrs[1] == ([0.1], [0.05], [0.1])
    assert series.position == 2.0


def test_a_report_may_span_the_end_of_an_epoch() -> None:
    series = RunHistory()
    series.append_steps(steps(1, 2, [1.0, 1.0, 1.0, 1.0], [[0.1], [0.1], [0.2], [0.2]]), 4)
    assert series.x.values.tolist() == [0.75, 1.0, 1.25, 1.5]
    assert series.lr_x.values.tolist() == [0.5, 1.0]


def test_restored_epochs_are_there_and_the_lr_of_the_missing_batches_is_a_gap() -> None:
    series = RunHistory()
    series.restore([ended(1, 0.1), ended(2, 0.1), ended(3, 0.05)], batches_per_epoch=4)
    assert series.epoch_x.values.tolist() == [1.0, 2.0, 3.0]
    assert series.lr_x.values.tolist() == [0.0, 2.0]
    series.append_steps(steps(4, 2, [1.0], [[0.05]]), 4)
    assert series.lr_x.values.tolist() == [0.0, 2.0, 3.0, 3.5]
    assert np.isnan(series.lrs[0].values[2])
    assert series.lrs[0].values[3] == 0.05
    assert series.to_axis(3.0, "time") == pytest.approx(30.0)


def test_restored_batches_are_there_as_if_they_had_just_been_trained() -> None:
    live, again = RunHistory(), RunHistory()
    reports = [
        steps(1, 0, [4.0, 3.0], [[0.1], [0.1]]),
        steps(1, 2, [2.0, 1.0], [[0.2], [0.2]]),
        steps(2, 0, [0.9], [[0.3]]),
    ]
    for report in reports[:2]:
        live.append_steps(report, 4)
    live.append_epoch(ended(1, 0.1))
    live.append_steps(reports[2], 4)
    again.restore([ended(1, 0.1)], 4, reports)
    for name in ("x", "loss", "smoothed", "lr_x", "epoch_x"):
        assert getattr(again, name).values.tolist() == getattr(live, name).values.tolist(), name
    assert again.lrs[0].values.tolist() == live.lrs[0].values.tolist()
    assert again.position == live.position == 1.25
    assert again.to_axis([0.5, 1.0, 1.25], "time").tolist() == pytest.approx([5.0, 10.0, 12.5])


def test_truncate_drops_what_lies_after_the_branch() -> None:
    series = two_epochs()
    series.truncate(2, 0)
    assert series.x.values.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert series.epoch_x.values.tolist() == [1.0]
    assert series.lrs[0].values.tolist() == [0.1]
    series.append_steps(steps(2, 0, [5.0], [[0.3]]), 4)
    assert series.x.last == 1.25
    assert series.lr_x.values.tolist() == [0.0, 1.0]


def test_truncate_in_mid_epoch_keeps_the_batches_before_it() -> None:
    series = two_epochs()
    series.truncate(2, 3)
    assert series.x.last == 1.75
    assert series.epoch_x.values.tolist() == [1.0]
    assert series.lrs[0].values.tolist() == [0.1, 0.05]
    series.truncate(2, 2)
    assert series.lrs[0].values.tolist() == [0.1]


def test_steps_and_epochs_that_come_again_replace_the_old_ones() -> None:
    series = two_epochs()
    series.append_steps(steps(2, 2, [9.0], [[0.7]]), 4)
    assert series.loss.values.tolist() == pytest.approx([4.0, 3.0, 2.0, 1.0, 0.9, 0.8, 9.0])
    assert series.lrs[0].values.tolist() == [0.1, 0.7]
    again = two_epochs()
    again.append_epoch(ended(1))
    assert again.epoch_x.values.tolist() == [1.0]


def test_versions_tell_steps_from_epochs() -> None:
    series = RunHistory()
    series.append_steps(steps(1, 0, [1.0], [[0.1]]), 1)
    assert (series.version, series.epoch_version) == (1, 0)
    series.append_epoch(ended(1))
    assert (series.version, series.epoch_version) == (2, 1)
    before = series.generation
    series.truncate(1, 0)
    assert series.generation > before
    assert len(series.x) == 0


def test_time_counts_training_and_leaves_pauses_out() -> None:
    clock = Clock()
    series = RunHistory(clock=clock)
    series.set_paused(False)
    clock.now += 4
    series.append_steps(steps(1, 0, [1.0, 1.0], [[0.1]] * 2), 4)
    series.set_paused(True)
    clock.now += 1000
    series.set_paused(False)
    clock.now += 6
    series.append_steps(steps(1, 2, [1.0, 1.0], [[0.1]] * 2), 4)
    assert series.seconds == pytest.approx(10.0)
    assert series.to_axis([0.25, 0.5, 0.75, 1.0], "time").tolist() == pytest.approx([2, 4, 7, 10])
    assert series.from_axis([2.0, 7.0, 20.0], "time").tolist() == pytest.approx([0.25, 0.75, 2.0])
    assert series.to_axis(3.0, "time") == pytest.approx(30.0)


def test_an_axis_that_is_not_known_yet_is_nan() -> None:
    series = RunHistory()
    assert np.isnan(series.to_axis(1.0, "time"))
    assert np.isnan(series.to_axis(1.0, "steps"))
    series.batches_per_epoch = 23
    assert series.to_axis(2.0, "steps") == 46.0


def test_a_loss_that_is_not_a_number_is_a_gap_and_does_not_spoil_the_average() -> None:
    series = RunHistory()
    series.smoothing = 0.5
    series.append_steps(steps(1, 0, [1.0, float("nan"), 1.0], [[0.1]] * 3), 3)
    assert np.isnan(series.loss.values[1])
    assert series.smoothed.values.tolist() == pytest.approx([1.0, 1.0, 1.0])


@pytest.mark.parametrize("pieces", [[1000], [1] * 40, [255, 1, 257, 3, 700]])
def test_the_average_is_the_textbook_one_however_it_is_fed(pieces: list[int]) -> None:
    values = np.random.default_rng(0).normal(size=sum(pieces))
    expected, total = [], 0.0
    for n, value in enumerate(values, 1):
        total = 0.9 * total + 0.1 * value
        expected.append(total / (1 - 0.9**n))
    average, found, at = Average(0.9), [], 0
    for piece in pieces:
        found.extend(average.feed(values[at : at + piece]))
        at += piece
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_new_smoothing_factor_is_as_if_it_had_always_been_there() -> None:
    series = two_epochs()
    series.smoothing = 0.8
    fresh = RunHistory()
    fresh.smoothing = 0.8
    fresh.append_steps(steps(1, 0, [4.0, 3.0, 2.0, 1.0, 0.9, 0.8, 0.7, 0.6], [[0.1]] * 8), 4)
    np.testing.assert_allclose(series.smoothed.values, fresh.smoothed.values)
    with pytest.raises(ValueError, match="factor"):
        series.smoothing = 1.0
    assert series.smoothing == 0.8


@pytest.mark.parametrize("rows", [1, 63, 500, 5_000, 100_003])
def test_an_envelope_shows_every_peak_with_few_points(rows: int) -> None:
    values = np.random.default_rng(1).normal(size=rows)
    column = Column(np.float32)
    for piece in np.array_split(values, 7):
        column.append(piece)
        column.envelope(0, len(column), 100)
    where, shown = column.envelope(0, rows, 400)
    assert len(where) <= max(400, 2)
    assert shown.max() == np.float32(values.max())
    assert shown.min() == np.float32(values.min())
    assert (np.diff(where) >= 0).all()
    assert where[-1] < rows


def test_an_envelope_after_a_branch_forgets_what_was_cut() -> None:
    column = Column()
    column.append(np.zeros(1000))
    column.append(np.full(1000, 9.0))
    column.envelope(0, 2000, 8)
    column.truncate(1000)
    column.append(np.ones(1000))
    assert column.envelope(0, 2000, 8)[1].max() == 1.0


def test_appending_to_a_long_history_costs_what_it_costs_to_a_short_one() -> None:
    def cost(already: int) -> float:
        """Median seconds of this thread for a report of 100 steps, to a run of ``already`` steps."""
        series = RunHistory()
        series.append_steps(steps(1, 0, [1.0] * already, [[0.1]] * already), 1_000_000)
        took = []
        for report in range(50):
            event = steps(1, already + 100 * report, [1.0] * 100, [[0.1]] * 100)
            began = time.thread_time()
            series.append_steps(event, 1_000_000)
            took.append(time.thread_time() - began)
        return float(np.median(took))

    assert cost(300_000) < 10 * cost(1_000)


def test_the_buffers_import_no_qt() -> None:
    code = "import sys, gui.core.history; print(*(m for m in sys.modules if m in ('PySide6', 'pyqtgraph', 'torch')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_branch_that_is_left_stays_as_a_abandoned_branch_that_begins_where_it_was_left() -> None:
    series = two_epochs()
    series.truncate(2, 1)
    (abandoned_line,) = series.abandoned
    assert abandoned_line.x.tolist() == [1.25, 1.5, 1.75, 2.0]
    assert abandoned_line.lr_x.tolist() == [pytest.approx(1.25, abs=0.1), 1.5]
    assert [lrs.tolist() for lrs in abandoned_line.lrs] == [[0.1, 0.05]]
    assert abandoned_line.epoch_x.tolist() == [1.0, 2.0]
    assert abandoned_line.metrics["val_loss"].tolist() == [2.0, 1.0]
    assert abandoned_line.end == 2.0
    series.append_steps(steps(2, 1, [0.5, 0.4, 0.3], [[0.1]] * 3), 4)
    assert len(series.abandoned) == 1  # going on leaves none
    series.restore([ended(1)], 4)
    assert series.abandoned == []


def test_only_the_newest_abandoned_branches_are_kept_and_long_ones_are_thinned() -> None:
    series = RunHistory()
    series.append_steps(steps(1, 0, [1.0] * 5000, [[0.1]] * 5000), 10_000)
    for _ in range(7):
        series.append_steps(steps(1, 5000, [1.0] * 4000, [[0.1]] * 4000), 10_000)
        series.truncate(1, 5000)
    assert [len(abandoned_line.x) for abandoned_line in series.abandoned] == [1000] * 5

"""The ticks of the axes, and how numbers are written."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from gui.plots.axes import ValueAxis, clock_text, log_ticks, multiples, nice_step, value_text


@pytest.mark.parametrize(
    ("value", "text"), [(0.001, "0.001"), (1e-5, "1e-5"), (0.05, "0.05"), (1.0, "1"), (float("nan"), "–")]
)
def test_values_are_written_short(value: float, text: str) -> None:
    assert value_text(value) == text


def test_durations_are_written_as_on_a_clock() -> None:
    assert [clock_text(s) for s in (7, 725, 12000)] == ["0:07", "12:05", "3:20:00"]


@pytest.mark.parametrize(("low", "high"), [(-5.0, -1.0), (-2.1, -1.9), (-3.0, -2.0), (-30.0, 3.0), (-2.004, -2.0)])
@pytest.mark.parametrize("most", [2, 5, 9])
def test_a_log_axis_has_a_few_ticks_in_range(low: float, high: float, most: int) -> None:
    ticks = log_ticks(low, high, most)
    assert 1 <= len(ticks) <= most + 1
    assert all(low - 1e-9 <= y <= high + 1e-9 for y in ticks)
    assert ticks == sorted(ticks)


def test_nice_steps_and_multiples() -> None:
    assert nice_step(30, 7) == 5
    assert nice_step(1, 4) == 0.5
    assert multiples(5, -0.3, 30.3) == [0, 5, 10, 15, 20, 25, 30]


def test_the_axis_writes_no_si_prefixes(qtbot: QtBot) -> None:
    axis = ValueAxis()
    axis.set_scale(log=True)
    assert axis.tickStrings([-3.0, -5.0, 1.0], 1.0, 1.0) == ["0.001", "1e-5", "10"]

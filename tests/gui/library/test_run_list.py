"""The list of runs: searching, sorting, the order of branches, and texts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from engine.library import Overview, RunRow
from gui.library import run_list
from gui.library.run_list import ACCURACY, EPOCHS, LOSS, NAME, STATE, TAGS, WHEN, arranged, matches, tags_of, text_of

NOW = datetime(2026, 3, 2, 12)


def overview(run: str, **values: Any) -> Overview:
    of_row = {
        "name": run,
        "state": "finished",
        "created": 0.0,
        "updated": NOW.timestamp(),
        "epochs_done": 3,
        "epochs": 5,
        "parent": None,
        "branch_epoch": None,
        "branch_batch": None,
        "recipe": "{}",
        "commands": "",
    }
    outside = {key: values.pop(key) for key in ("best_accuracy", "best_loss", "lr") if key in values}
    row = RunRow(id=run, **{**of_row, **values})
    parts = {"data": "digits", "network": "small_cnn", "optimizer": "SGD", "schedule": "StepLR"}
    return Overview(row=row, **parts, **outside)


def ids(found: list[tuple[Overview, int]]) -> list[tuple[str, int]]:
    return [(run.row.id, depth) for run, depth in found]


@pytest.mark.parametrize(
    ("search", "found"),
    [("", True), ("STEP", True), ("sgd digits", True), ("summer", True), ("paper", True), ("sgd cifar", False)],
)
def test_every_word_of_a_search_must_be_in_some_text(search: str, found: bool) -> None:
    assert matches(overview("a", notes="before the summer", tags=("paper",)), search) is found


def test_state_and_tag_narrow_the_list() -> None:
    run = overview("a", state="interrupted", tags=("paper",))
    assert matches(run, "", "interrupted", "paper")
    assert not matches(run, "", "finished")
    assert not matches(run, "", "", "other")
    assert not matches(run, "", "live")
    assert matches(overview("b", live=True, state="training"), "", "live")


def test_by_time_a_branch_is_under_its_parent_and_a_family_at_its_newest_run() -> None:
    old, new = overview("old", updated=1.0), overview("new", updated=5.0)
    branch = overview("branch", updated=9.0, parent="old")
    twig = overview("twig", updated=7.0, parent="branch")
    assert ids(arranged([old, new, branch, twig], WHEN, True)) == [("old", 0), ("branch", 1), ("twig", 2), ("new", 0)]
    assert ids(arranged([new, branch], WHEN, True)) == [("branch", 0), ("new", 0)]  # its parent is not in the list


def test_by_a_number_runs_are_sorted_individually_with_unknown_values_last() -> None:
    runs = [overview("a", best_accuracy=0.5), overview("b", best_accuracy=0.9, parent="a"), overview("c")]
    assert ids(arranged(runs, ACCURACY, True)) == [("b", 0), ("a", 0), ("c", 0)]
    assert ids(arranged(runs, ACCURACY, False)) == [("a", 0), ("b", 0), ("c", 0)]


def test_a_cycle_of_parents_does_not_hang_the_list() -> None:
    runs = [overview("a", parent="b"), overview("b", parent="a")]
    assert sorted(run for run, _ in ids(arranged(runs, WHEN, True))) == ["a", "b"]


def test_every_column_has_texts_and_sorts() -> None:
    runs = [overview("a", best_loss=0.1, lr=(0.01, 0.1)), overview("b", tags=("x", "y"))]
    for column in range(run_list.COLUMNS):
        assert len(arranged(runs, column, False)) == 2
        assert all(isinstance(text_of(run, column, NOW), str) for run in runs)
    assert text_of(runs[0], LOSS, NOW) == "0.1"
    assert text_of(runs[1], LOSS, NOW) == "–"
    assert text_of(runs[0], EPOCHS, NOW) == "3/5"
    assert text_of(runs[1], TAGS, NOW) == "x, y"
    assert text_of(overview("c", name=""), NAME, NOW) == "c"
    assert text_of(overview("c", state="interrupted"), STATE, NOW) == "Interrupted"


def test_tags_are_separated_by_commas_each_once() -> None:
    assert tags_of(" good one, , paper,good  one") == ("good one", "paper")
    assert tags_of("  ") == ()

"""Recipes and commands files are read by one reader: they take the same text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.common.errors import SpecError
from engine.common.json_text import read_json
from engine.messages.commands_file import parse_commands, read_commands
from engine.recipe.recipe import read_recipe, recipe_from_json

RECIPE = {
    "data": {"name": "digits"},
    "model": {"name": "small_cnn"},
    "optimizer": {"name": "SGD"},
    "schedule": {"name": "Constant"},
}
LINE = {"at": {"epoch": 4}, "command": "set_epochs", "epochs": 40}
READERS: list[tuple[Callable[[Path], Any], dict[str, Any]]] = [(read_recipe, RECIPE), (read_commands, LINE)]


@pytest.mark.parametrize(("read", "data"), READERS, ids=["recipe", "commands"])
def test_a_byte_order_mark_changes_nothing(read: Callable[[Path], Any], data: dict[str, Any], tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain", tmp_path / "marked"
    plain.write_text(json.dumps(data), encoding="utf-8")
    marked.write_text(json.dumps(data), encoding="utf-8-sig")
    assert marked.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read(marked) == read(plain)


@pytest.mark.parametrize(("read", "data"), READERS, ids=["recipe", "commands"])
def test_other_encodings_are_named(read: Callable[[Path], Any], data: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(json.dumps(data), encoding="utf-16")
    with pytest.raises(SpecError, match="is not text in UTF-8"):
        read(file)
    with pytest.raises(SpecError, match="cannot be read: embedded null"):
        read(Path("a\0b"))


def test_whole_floats_are_whole_numbers() -> None:
    recipe = recipe_from_json(json.dumps({**RECIPE, "epochs": 3.0, "optimizer": {"name": "SGD", "lr": 1.0}}))
    assert (recipe.epochs, recipe.optimizer.lr) == (3, 1.0)
    assert isinstance(recipe.optimizer.lr, float)
    (line,) = parse_commands(json.dumps({**LINE, "at": {"epoch": 4.0, "batch": 1e1}, "epochs": 4e1}))
    assert (line.at.epoch, line.at.batch, line.intervention.model_dump()["epochs"]) == (4, 10, 40)
    assert read_json("[1.0, 2.5, -0.0, 1e300, 3]") == [1, 2.5, 0, 1e300, 3]


@pytest.mark.parametrize(
    ("epochs", "problem"),
    [
        (2.5, "must be a whole number; it is 2.5"),
        (1e300, "must be at most 9007199254740992; it is 1e+300"),
        (True, "must be a whole number; it is True"),
        (0.0, "must be at least 1; it is 0"),
    ],
)
def test_what_is_wrong_with_a_number_does_not_contradict_the_number(epochs: float, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        recipe_from_json(json.dumps({**RECIPE, "epochs": epochs}))
    assert (caught.value.field, caught.value.problem) == ("epochs", problem)
    with pytest.raises(SpecError) as caught:
        parse_commands(json.dumps({**LINE, "epochs": epochs}))
    assert (caught.value.field, caught.value.problem) == ("commands line 1.epochs", problem)


@pytest.mark.parametrize(
    ("read", "data", "named"),
    [(*READERS[0], "the recipe"), (*READERS[1], "commands line 1:")],
    ids=["recipe", "commands"],
)
def test_half_a_surrogate_pair_is_named(
    read: Callable[[Path], Any], data: dict[str, Any], named: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text(json.dumps({**data, "more": "\U0001f600 \\ud800 \ud83d"}), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read(file)
    assert str(caught.value) == rf"{named} has '\ud83d', which is no character but half of a surrogate pair"

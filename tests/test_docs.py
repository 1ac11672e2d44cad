"""What README.md and CONTRIBUTING.md say is what the program does."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import main
from engine.cli import subcommands
from engine.messages.commands import Intervention
from engine.messages.commands_file import parse_commands
from engine.messages.events import EndEvent
from engine.recipe.recipe import MODELS, OPTIMIZERS, DataName, Recipe, recipe_from_json
from engine.schedules import SCHEDULES

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in ``language``."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def recipe_text() -> str:
    (text,) = blocks("json")
    return text


def commands_text() -> str:
    (text,) = blocks("jsonl")
    return text


def rows(first: str) -> dict[str, list[str]]:
    """The table whose head begins with ``first``: from a row's first cell, unquoted, to the quoted words after it."""
    table = README.split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {name.strip("`"): re.findall(r"`([^`]+)`", " ".join(rest)) for name, *rest in cells}


def run_train(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """``python main.py train`` in ``folder``: exit status, events and what it said on standard error."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "train", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(scope="module")
def shown_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The README's recipe, trained with the README's hand; its folder and its events."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "recipe.json").write_text(recipe_text(), encoding="utf-8")
    (folder / "commands.jsonl").write_text(commands_text(), encoding="utf-8")
    status, events, said = run_train(folder, "recipe.json", "--commands", "commands.jsonl", "--library", "library")
    assert status == 0, said
    return folder, events


def test_the_recipe_is_one_and_shows_every_key() -> None:
    recipe = recipe_from_json(recipe_text())
    assert set(json.loads(recipe_text())) == set(Recipe.model_fields)
    assert set(json.loads(recipe_text())["data"]) == set(type(recipe.data).model_fields)


def test_interventions_shows_every_command() -> None:
    shown = {line.intervention.command for line in parse_commands(commands_text())}
    assert shown == {kind.model_fields["command"].default for kind in get_args(Intervention)}


def test_the_run_shown_does_what_interventions_says(shown_run: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, events = shown_run
    answers = [e for e in events if e["event"] == "command"]
    wanted = [line.to_dict() for line in parse_commands(commands_text())]
    # sorted, because a save is answered when it is written, and the run goes on meanwhile
    assert sorted((a["command"]["command"], a["status"], a["epoch"], a["batch"]) for a in answers) == sorted(
        (w["command"], "applied", w["at"]["epoch"], w["at"]["batch"]) for w in wanted
    )
    assert (folder / "here.tiller").is_file()
    assert (events[-1]["event"], events[-1]["reason"]) == ("end", "stopped")


def test_events_have_the_keys_that_a_reader_can_count_on(shown_run: tuple[Path, list[dict[str, Any]]]) -> None:
    table = rows("Event")
    assert set(table) == {"start", "epoch", "command", "branch", "end"}
    for kind, keys in table.items():
        seen = [e for e in shown_run[1] if e["event"] == kind]
        assert seen
        assert all(set(keys) <= set(e) for e in seen), kind


def test_a_checkpoint_is_read_as_the_page_says(shown_run: tuple[Path, list[dict[str, Any]]]) -> None:
    import torch

    call = re.search(r'`torch\.load\("here\.tiller", weights_only=True\)\["model"\]`', README)
    assert call
    model = torch.load(shown_run[0] / "here.tiller", weights_only=True)["model"]
    assert model["fc.weight"].shape[0] == 10


def test_exit_statuses_are_the_tables(tmp_path: Path) -> None:
    assert set(rows("Exit status")) == {"0", "1", "2"}
    shown = json.loads(recipe_text())
    (tmp_path / "bad.json").write_text(json.dumps({**shown, "epochs": 0}), encoding="utf-8")
    status, events, said = run_train(tmp_path, "bad.json")
    assert (status, events, said.splitlines()) == (2, [], ["epochs: must be at least 1; it is 0"])
    assert rows("Exit status")["1"] == []
    ends = {reason: subcommands.exit_status(EndEvent(reason=reason, epoch=1)) for reason in ("finished", "stopped")}
    assert ends == {"finished": 0, "stopped": 0}
    assert {subcommands.exit_status(EndEvent(reason=r, epoch=1)) for r in ("diverged", "failed")} == {1}


def commands_shown() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python main.py")]
    return [shlex.split(line, comments=True)[2:] for line in lines]


def test_every_command_shown_is_one() -> None:
    parser = main._parser(subcommands.add_commands)
    shown = commands_shown()
    assert len(shown) > 5
    for words in shown:
        if words == ["--version"]:
            continue
        assert callable(parser.parse_args(words).run), words


def test_every_command_and_option_is_shown() -> None:
    parser = main._parser(subcommands.add_commands)
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    shown = commands_shown()
    for name, command in commands.choices.items():
        said = {word for words in shown if words[:1] == [name] for word in words}
        options = {o for action in command._actions for o in action.option_strings if o.startswith("--")} - {"--help"}
        assert {name, *options} <= said, name


def test_what_it_trains_is_what_it_can_train() -> None:
    table = rows("Part")
    assert table["Data"] == list(get_args(DataName))
    assert table["Networks"] == list(MODELS)
    assert table["Optimizers"] == [kind.__name__ for kind in OPTIMIZERS]
    assert table["Schedules"] == [kind.__name__ for kind in SCHEDULES]


@pytest.mark.parametrize("page", PAGES)
def test_links_and_files_named_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    files = set(re.findall(r"\b(?:engine|gui|tests|resources)/[\w/.]*\.(?:py|md|json|png)\b", text))
    assert {name for name in links | files if not (ROOT / name).exists()} == set()


def test_the_gate_runs_the_test_command_shown() -> None:
    (shown,) = (line for block in blocks("sh") for line in block.splitlines() if "pytest" in line)
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (taken,) = re.findall(r"grep -m1 -E '([^']+)' README\.md", gate)
    assert re.findall(taken, README, re.MULTILINE) == [shown]

"""README.md, CONTRIBUTING.md and CHANGELOG.md agree with the program."""

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
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.networks import NETWORKS
from engine.recipe.optimizers import OPTIMIZERS
from engine.recipe.recipe import Recipe, recipe_from_json
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
    """The table whose header starts with ``first``: for the first cell of each row, the code in the other cells."""
    table = README.split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {name.strip("`"): re.findall(r"`([^`]+)`", " ".join(rest)) for name, *rest in cells}


def run_train(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run ``python main.py train`` in ``folder``; returns exit status, events and standard error."""
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
    """The folder and the events of the README's recipe, trained with the README's commands."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "recipe.json").write_text(recipe_text(), encoding="utf-8")
    (folder / "commands.jsonl").write_text(commands_text(), encoding="utf-8")
    status, events, errors = run_train(folder, "recipe.json", "--commands", "commands.jsonl", "--library", "library")
    assert status == 0, errors
    return folder, events


def test_recipe_is_valid_and_has_every_key() -> None:
    recipe = recipe_from_json(recipe_text())
    assert set(json.loads(recipe_text())) == set(Recipe.model_fields)
    assert set(json.loads(recipe_text())["data"]) == set(type(recipe.data).model_fields)


def test_commands_file_has_every_command() -> None:
    shown = {line.intervention.command for line in parse_commands(commands_text())}
    assert shown == {kind.model_fields["command"].default for kind in get_args(Intervention)}


def test_every_command_is_applied_at_its_position(shown_run: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, events = shown_run
    answers = [e for e in events if e["event"] == "command"]
    lines = [line.to_dict() for line in parse_commands(commands_text())]
    # sorted, because a save is answered when it is written, while the run continues
    assert sorted((a["command"]["command"], a["status"], a["epoch"], a["batch"]) for a in answers) == sorted(
        (line["command"], "applied", line["at"]["epoch"], line["at"]["batch"]) for line in lines
    )
    assert (folder / "here.tiller").is_file()
    assert (events[-1]["event"], events[-1]["reason"]) == ("end", "stopped")


def test_events_have_the_keys_of_the_table(shown_run: tuple[Path, list[dict[str, Any]]]) -> None:
    table = rows("Event")
    assert set(table) == {"start", "epoch", "command", "branch", "end"}
    for kind, keys in table.items():
        seen = [e for e in shown_run[1] if e["event"] == kind]
        assert seen
        assert all(set(keys) <= set(e) for e in seen), kind


def test_plain_pytorch_reads_a_checkpoint(shown_run: tuple[Path, list[dict[str, Any]]]) -> None:
    import torch

    call = re.search(r'`torch\.load\("here\.tiller", weights_only=True\)\["model"\]`', README)
    assert call
    model = torch.load(shown_run[0] / "here.tiller", weights_only=True)["model"]
    assert model["fc.weight"].shape[0] == 10


def test_exit_statuses_are_those_of_the_table(tmp_path: Path) -> None:
    assert set(rows("Exit status")) == {"0", "1", "2"}
    shown = json.loads(recipe_text())
    (tmp_path / "bad.json").write_text(json.dumps({**shown, "epochs": 0}), encoding="utf-8")
    status, events, errors = run_train(tmp_path, "bad.json")
    assert (status, events, errors.splitlines()) == (2, [], ["epochs: must be at least 1; it is 0"])
    assert rows("Exit status")["1"] == []
    ends = {reason: subcommands.exit_status(EndEvent(reason=reason, epoch=1)) for reason in ("finished", "stopped")}
    assert ends == {"finished": 0, "stopped": 0}
    assert {subcommands.exit_status(EndEvent(reason=r, epoch=1)) for r in ("diverged", "failed")} == {1}


def commands_shown() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python main.py")]
    return [shlex.split(line, comments=True)[2:] for line in lines]


def test_commands_shown_are_valid() -> None:
    parser = main._parser(subcommands.add_commands)
    shown = commands_shown()
    assert len(shown) > 5
    for arguments in shown:
        if arguments == ["--version"]:
            continue
        assert callable(parser.parse_args(arguments).run), arguments


def test_every_command_and_option_is_shown() -> None:
    parser = main._parser(subcommands.add_commands)
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    shown = commands_shown()
    for name, command in commands.choices.items():
        used = {argument for arguments in shown if arguments[:1] == [name] for argument in arguments}
        options = {o for action in command._actions for o in action.option_strings if o.startswith("--")} - {"--help"}
        assert {name, *options} <= used, name


def test_choices_are_those_of_the_recipe() -> None:
    table = rows("Part")
    assert table["Data"] == list(DATA_SETS)
    assert table["Networks"] == list(NETWORKS)
    assert table["Optimizers"] == list(OPTIMIZERS)
    assert table["Schedules"] == [kind.__name__ for kind in SCHEDULES]


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    files = set(re.findall(r"\b(?:engine|gui|tests|resources)/[\w/.]*\.(?:py|md|json|png)\b", text))
    assert {name for name in links | files if not (ROOT / name).exists()} == set()


def test_gate_runs_the_test_command_of_the_readme() -> None:
    (shown,) = (line for block in blocks("sh") for line in block.splitlines() if "pytest" in line)
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"grep -m1 -E '([^']+)' README\.md", gate)
    assert re.findall(pattern, README, re.MULTILINE) == [shown]

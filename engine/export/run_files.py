"""A run as text files: its recipe and commands, which replay it, or a CSV table of its epochs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from engine.common.errors import SpecError
from engine.common.files import check_replaceable, replacing
from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import CommandAt, Stop, to_intervention
from engine.messages.commands_file import read_commands
from engine.messages.events import CommandEvent, EpochEvent
from engine.messages.stored import commands_from_json
from engine.recipe.recipe import Recipe, read_recipe, recipe_from_json

REPLAY_FILES: Final = ("recipe.json", "commands.jsonl")
_METRICS: Final = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "seconds",
    "images_per_second",
)


def replay(recipe: Recipe, commands: Sequence[CommandAt]) -> tuple[str, str]:
    """The contents of the recipe file and the commands file with which ``main.py train`` repeats a run bit for bit."""
    lines = "".join(json.dumps(command.to_dict()) + "\n" for command in commands)
    return json.dumps(json.loads(recipe.to_json()), indent=2) + "\n", lines


def replay_of_checkpoint(checkpoint: dict[str, Any]) -> tuple[str, str]:
    """``replay`` of the run up to a checkpoint, given the checkpoint's content."""
    epoch, batch = checkpoint["position"]
    finished = epoch > checkpoint["lr"]["epochs"]
    interventions = commands_from_json(checkpoint["interventions"])
    stopped = None if finished else Position(epoch=epoch, batch=batch)
    return replay(recipe_from_json(checkpoint["recipe"]), commands_to_replay(interventions, stopped))


def commands_to_replay(interventions: Sequence[CommandEvent], stopped: Position | None = None) -> list[CommandAt]:
    """The interventions of a run as the lines of a commands file that replays it.

    Saves are left out, because they change nothing, and so are rewinds: ``interventions`` no longer has what a rewind
    undid.

    Args:
        interventions: the applied commands of the run, in order.
        stopped: the position at which the replay is to stop; None if the run finished.
    """
    commands = [
        CommandAt(
            at=intervention.position,
            intervention=to_intervention(intervention.command),
        )
        for intervention in interventions
        if intervention.name not in ("rewind", "save", "stop")
    ]
    return [*commands, CommandAt(at=stopped, intervention=Stop())] if stopped is not None else commands


def csv_table(history: Sequence[EpochEvent], interventions: Sequence[CommandEvent], groups: Sequence[str]) -> str:
    """The epochs of a run as CSV with a header row.

    The columns are ``epoch``; ``lr``, ``lr_min`` and ``lr_max`` (at the first batch, lowest, highest) for each group;
    the metrics; and ``interventions``, which holds the commands applied in that epoch as JSON, one a line, as in a
    commands file. Numbers are not rounded. Commands in an epoch that has not ended get a row without metrics.

    Args:
        history: the completed epochs.
        interventions: the commands; rejected ones are left out.
        groups: the names of the parameter groups, in order.
    """
    lrs = [
        f"{kind}{f'[{group}]' if len(groups) > 1 else ''}" for group in groups for kind in ("lr", "lr_min", "lr_max")
    ]
    applied: dict[int, list[str]] = {}
    for intervention in interventions:
        if intervention.status == "applied":
            line = {"at": {"epoch": intervention.epoch, "batch": intervention.batch}, **intervention.command}
            applied.setdefault(intervention.epoch, []).append(json.dumps(line, ensure_ascii=False))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *lrs, *_METRICS, "interventions"])
    for epoch in history:
        row: list[Any] = [epoch.epoch]
        for triple in zip(epoch.lr, epoch.lr_min, epoch.lr_max, strict=True):
            row += triple
        row += [getattr(epoch, name) for name in _METRICS]
        writer.writerow([*row, "\n".join(applied.pop(epoch.epoch, ()))])
    for number in sorted(applied):
        writer.writerow([number, *[""] * (len(lrs) + len(_METRICS)), "\n".join(applied[number])])
    return text.getvalue()


def write_replay(folder: Path, recipe: str, commands: str, *, overwrite: bool = False) -> tuple[Path, Path]:
    """Write what ``replay`` returned to two files in ``folder``, which is created if it does not exist.

    An older recipe or commands file is replaced; other files only with ``overwrite``.

    Raises:
        SpecError: a file cannot be written, or would replace something else.
    """
    files = folder / REPLAY_FILES[0], folder / REPLAY_FILES[1]
    with _telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        check_replaceable(files[0], _is_read_by(read_recipe), "a recipe", overwrite=overwrite)
        check_replaceable(files[1], _is_read_by(read_commands), "a commands file", overwrite=overwrite)
    for file, text in zip(files, (recipe, commands), strict=True):
        _write(file, text)
    return files


def write_file(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8, completely or not at all; the caller has asked about a file there.

    Raises:
        SpecError: the file cannot be written.
    """
    with _telling(path):
        check_replaceable(path, lambda _: True, "a file", overwrite=True)
    _write(path, text)


def _write(path: Path, text: str) -> None:
    with _telling(path), replacing(path) as file:
        file.write(text.encode())


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where, reason = error.filename or path, error.strerror or str(error)
        raise SpecError("", Text("{path} cannot be written: {reason}", path=where, reason=reason)) from None


def _is_read_by(read: Callable[[Path], object]) -> Callable[[Path], bool]:
    def is_read(path: Path) -> bool:
        try:
            read(path)
        except SpecError:
            return False
        return True

    return is_read

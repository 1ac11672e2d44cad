"""The headless face: the same trainer, without a window.

Exit status: 0 the run ended as planned or was stopped, 1 it failed or diverged, 2 the recipe, the commands file or the
checkpoint is bad; then one line on standard error says which field, what was wrong, and what is allowed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engine.common.spec import SpecError, parse
from engine.diagnostics.crash_log import crash_log
from engine.hardware.memory import data_share
from engine.library import Library, Reader, default_root, is_readable
from engine.messages.commands import CommandAt, Stop
from engine.messages.commands_file import read_commands
from engine.messages.events import EndEvent
from engine.messages.printing import LinePrinter, line
from engine.recipe.recipe import Recipe, read_recipe
from engine.training.job import Job, to_resume

_SAVING: Final = b"the run is being saved; once more leaves at once, without what is not saved yet\n"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the headless commands to ``main.py``'s parser."""
    train = commands.add_parser("train", help="train without a window; prints one JSON object a line")
    train.add_argument("recipe", nargs="?", metavar="RECIPE.json", help="the recipe (default: digits)")
    train.add_argument("--resume", metavar="CHECKPOINT_OR_RUN", help="go on with a checkpoint or a run of the library")
    train.add_argument("--commands", metavar="COMMANDS.jsonl", help="what to do when, one command a line")
    train.add_argument("--library", metavar="DIR", help="the run library's folder")
    train.add_argument("--epochs", type=_number, metavar="N", help="another number of epochs")
    train.add_argument("--device", metavar="D", help="auto, cpu, cuda or cuda:N")
    train.add_argument("--download", action="store_true", help="fetch data and weights that are not there")
    train.add_argument("--data-share", metavar="S", help="share of the memory that images may take, 0 to 1 (a half)")
    train.set_defaults(run=run_train)
    lrs = commands.add_parser("lr", help="print the learning rates that training would use")
    lrs.add_argument("recipe", metavar="RECIPE.json")
    lrs.add_argument("--commands", metavar="COMMANDS.jsonl")
    lrs.add_argument("--batches", action="store_true", help="of each batch too, for a schedule stepped per batch")
    lrs.set_defaults(run=run_lr)
    code = commands.add_parser("code", help="print the recipe as plain PyTorch code")
    code.add_argument("recipe", metavar="RECIPE.json")
    code.set_defaults(run=run_code)
    export = commands.add_parser("export", help="write a run as the recipe and the hand that reproduce it")
    export.add_argument("run_or_checkpoint", metavar="CHECKPOINT_OR_RUN")
    export.add_argument("folder", metavar="FOLDER", help="for recipe.json and commands.jsonl")
    export.add_argument("--library", metavar="DIR")
    export.set_defaults(run=run_export)
    runs = commands.add_parser("runs", help="list the library, oldest first")
    runs.add_argument("--library", metavar="DIR")
    runs.set_defaults(run=run_runs)
    doctor = commands.add_parser("doctor", help="what this machine has: Qt platform, CUDA, folders, versions")
    doctor.set_defaults(run=run_doctor)


def run_train(options: argparse.Namespace) -> int:
    """``main.py train``."""
    if options.recipe is not None and options.resume is not None:
        raise SpecError("resume", "give a recipe or --resume, not both")
    lines = tuple(read_commands(options.commands)) if options.commands else None
    recipe = None if options.resume else _with_options(_recipe(options.recipe), options)
    with _library(options) as library:
        if recipe is not None:
            job = Job(recipe=recipe, lines=lines or ())
        else:
            job = to_resume(options.resume, library, lines)
            given = _with_options(Recipe(), options)
            epochs = None if options.epochs is None else given.epochs
            job = replace(job, epochs=epochs, device=options.device)
            if job.recipe is not None and job.checkpoint is None:
                job = replace(job, recipe=_with_options(job.recipe, options), epochs=None)
        share = data_share(options.data_share) if options.data_share is not None else None
        return train(replace(job, download=options.download, data_share=share), library)


def train(job: Job, library: Library) -> int:
    """Do ``job``, printing its events; returns the exit status."""
    asked = threading.Event()
    posts: list[Callable[[Stop], int]] = []

    def stop() -> None:
        asked.set()
        for post in posts:
            post(Stop())

    with crash_log(library.root), _signals(stop):
        from engine.training.trainer import Trainer  # brings torch, which takes seconds

        printer = LinePrinter(sys.stdout)
        trainer = Trainer(job, printer, library)
        posts.append(trainer.post)
        if asked.is_set():
            trainer.post(Stop())
        ends: list[EndEvent] = []
        thread = threading.Thread(target=lambda: ends.append(trainer.run()), name="training")
        thread.start()
        while thread.is_alive():
            thread.join(0.5)
    printer.close()
    return exit_status(ends[0])


def exit_status(end: EndEvent) -> int:
    """The exit status for ``end``, after saying on standard error what went wrong."""
    if end.reason in ("finished", "stopped"):
        return 0
    if end.text:
        print(one_line(f"{end.field}: {end.text}" if end.field else end.text), file=sys.stderr)
    if end.details:
        print(end.details, file=sys.stderr)
    return 2 if end.field is not None else 1


def one_line(text: object) -> str:
    """``text`` without line breaks: what goes wrong is said in one line."""
    return " ".join(str(text).split())


def run_lr(options: argparse.Namespace) -> int:
    """``main.py lr``."""
    from engine.lr.scheduled import ScheduleError
    from engine.training.dry_run import lrs_ahead, shown

    def refused(hand_line: CommandAt, reason: str) -> None:
        print(f"commands: {shown(hand_line)} would be rejected: {reason}", file=sys.stderr)

    lines = read_commands(options.commands) if options.commands else []
    try:
        for lrs in lrs_ahead(_recipe(options.recipe), lines, options.batches, refused):
            print(line(lrs))
    except ScheduleError as error:
        raise SpecError("schedule", str(error)) from None
    return 0


def run_code(options: argparse.Namespace) -> int:
    """``main.py code``."""
    from engine.training.queries import pytorch_code

    print(pytorch_code(_recipe(options.recipe)), end="")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """``main.py export``."""
    from engine.checkpoints import checkpoint  # brings torch
    from engine.export.run_files import make_folder, replay, replay_of_checkpoint, write_file

    with contextlib.closing(Library(options.library or default_root())) as library:
        job = to_resume(options.run_or_checkpoint, library)
    if job.checkpoint is not None:
        texts = replay_of_checkpoint(checkpoint.read(job.checkpoint))
    else:  # the run has no checkpoint yet
        texts = replay(job.required_recipe, job.lines)
    make_folder(Path(options.folder))
    files = [Path(options.folder) / name for name in ("recipe.json", "commands.jsonl")]
    for file, text in zip(files, texts, strict=True):
        write_file(file, text)
    print(line({"recipe": str(files[0]), "commands": str(files[1])}))
    return 0


def run_runs(options: argparse.Namespace) -> int:
    """``main.py runs``."""
    with _reader(options) as library:
        for row in library.runs():
            newest = library.newest_checkpoint(row.id)
            shown = {
                "id": row.id,
                "name": row.name,
                "state": row.state,
                "epochs_done": row.epochs_done,
                "epochs": row.epochs,
                "checkpoint": str(newest) if newest else None,
                "parent": row.parent,
                "tags": row.tags,
                "bytes": row.bytes,
                "created": row.created,
                "updated": row.updated,
            }
            print(line(shown))
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    """``main.py doctor``."""
    from engine.diagnostics.doctor import show

    return show()


@contextlib.contextmanager
def _library(options: argparse.Namespace) -> Iterator[Library]:
    with contextlib.closing(Library(options.library or default_root())) as library:
        for remark in library.remarks:
            print(one_line(remark), file=sys.stderr)
        yield library


@contextlib.contextmanager
def _reader(options: argparse.Namespace) -> Iterator[Reader]:
    """The library, or where nothing can be written there, what can be read of it."""
    root = Path(options.library or default_root()).absolute()
    try:
        with _library(options) as library:
            yield library
            return
    except SpecError:
        if not is_readable(root):
            raise
    yield Reader(root, immutable=True)


def _recipe(path: str | None) -> Recipe:
    return read_recipe(path) if path is not None else Recipe()


def _number(text: str) -> int | str:
    # What is no number is left for the recipe to refuse, in its words and in one line.
    try:
        return int(text)
    except ValueError:
        return text


def _with_options(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    given = {name: getattr(options, name) for name in ("epochs", "device") if getattr(options, name) is not None}
    if not given:
        return recipe
    changed: Recipe = parse(Recipe, line({**recipe.model_dump(mode="json"), **given}))
    return changed


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """While within, SIGINT and SIGTERM call ``stop``; a second one is told that it saves, a third leaves at once."""
    kept: dict[signal.Signals, Any] = {}
    heard = 0

    def handle(number: int, frame: object) -> None:
        nonlocal heard
        heard += 1
        if heard == 1:
            stop()
        elif heard == 2:
            os.write(sys.stderr.fileno(), _SAVING)
        else:
            os._exit(128 + number)  # whatever is being written: a checkpoint stands whole or not at all

    for number in (signal.SIGINT, signal.SIGTERM):
        kept[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)

"""The commands of ``main.py`` that work without a window.

Exit status: 0 if the run finished or was stopped; 1 if it failed or diverged, or its last checkpoint could not be
written; 2 if the recipe, commands, data or checkpoint is bad, or standard output cannot be written. Then one line on
standard error names the field, what is wrong and what is allowed.
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
from typing import Any, Final, TextIO

from engine.common.errors import SpecError
from engine.common.files import path_of
from engine.common.signals import leaving
from engine.common.spec import parse
from engine.diagnostics.crash_log import crash_log
from engine.hardware.memory import data_share
from engine.library import Library, Reader, default_library_root, is_readable
from engine.messages.commands import CommandAt, Stop
from engine.messages.commands_file import read_commands
from engine.messages.events import EndEvent, Event, WarningEvent
from engine.messages.printing import LinePrinter, line
from engine.recipe.recipe import Recipe, read_recipe
from engine.training.job import Job, to_resume

_SAVING: Final = b"saving the run; press Ctrl+C again to quit at once, without what is not saved yet\n"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to ``main.py``'s parser."""
    train = commands.add_parser("train", help="train without a window; prints events as lines of JSON")
    train.add_argument("recipe", nargs="?", metavar="RECIPE.json", help="the recipe (default: digits)")
    train.add_argument("--resume", metavar="CHECKPOINT_OR_RUN", help="resume a checkpoint or a run of the library")
    train.add_argument("--commands", metavar="COMMANDS.jsonl", help="commands to apply at given positions")
    train.add_argument("--library", metavar="DIR", help="folder of the run library")
    train.add_argument("--epochs", type=_number, metavar="N", help="number of epochs, instead of the recipe's")
    train.add_argument("--device", metavar="D", help="auto, cpu, cuda or cuda:N")
    train.add_argument("--download", action="store_true", help="download missing data and weights")
    train.add_argument("--data-share", metavar="S", help="share of memory for images, 0 to 1 (default: 0.5)")
    train.set_defaults(run=run_train)
    lrs = commands.add_parser("lr", help="print the learning rates that training would use")
    lrs.add_argument("recipe", metavar="RECIPE.json")
    lrs.add_argument("--commands", metavar="COMMANDS.jsonl", help="commands to apply at given positions")
    lrs.add_argument("--batches", action="store_true", help="also print each batch, for schedules stepped per batch")
    lrs.set_defaults(run=run_lr)
    code = commands.add_parser("code", help="print the recipe as plain PyTorch code")
    code.add_argument("recipe", metavar="RECIPE.json")
    code.set_defaults(run=run_code)
    export = commands.add_parser("export", help="write the recipe and the commands that replay a run")
    export.add_argument("run_or_checkpoint", metavar="CHECKPOINT_OR_RUN")
    export.add_argument("folder", metavar="FOLDER", help="for recipe.json and commands.jsonl")
    export.add_argument("--library", metavar="DIR")
    export.add_argument("--overwrite", action="store_true", help="replace files of those names whatever they are")
    export.set_defaults(run=run_export)
    runs = commands.add_parser("runs", help="list the library, oldest first")
    runs.add_argument("--library", metavar="DIR")
    runs.set_defaults(run=run_runs)
    doctor = commands.add_parser("doctor", help="check this machine: packages, CUDA, display, folders")
    doctor.set_defaults(run=run_doctor)


def run_train(options: argparse.Namespace) -> int:
    """``main.py train``."""
    if options.recipe is not None and options.resume is not None:
        raise SpecError("resume", "give a recipe or --resume, not both")
    commands = tuple(read_commands(options.commands)) if options.commands is not None else None
    recipe = None if options.resume is not None else _with_options(_recipe(options.recipe), options)
    with _library(options) as library:
        if recipe is not None:
            job = Job(recipe=recipe, lines=commands or ())
        else:
            job = to_resume(options.resume, library, commands)
            given = _with_options(Recipe(), options)
            epochs = None if options.epochs is None else given.epochs
            job = replace(job, epochs=epochs, device=options.device)
            if job.recipe is not None and job.checkpoint is None:
                job = replace(job, recipe=_with_options(job.recipe, options), epochs=None)
        share = data_share(options.data_share) if options.data_share is not None else None
        return train(replace(job, download=options.download, data_share=share), library, options.output)


def train(job: Job, library: Library, output: TextIO) -> int:
    """Run ``job`` and print its events to ``output``; returns the exit status."""
    stop_requested = threading.Event()
    posts: list[Callable[[Stop], int]] = []

    def stop() -> None:
        stop_requested.set()
        for post in posts:
            post(Stop())

    with crash_log(library.root), _signals(stop):
        from engine.training.trainer import Trainer  # imports torch, which takes seconds

        printer = LinePrinter(output)

        def emit(event: Event) -> None:
            printer(event)
            if isinstance(event, WarningEvent) and event.serious:
                say(event.text)

        trainer = Trainer(job, emit, library)
        posts.append(trainer.post)
        if stop_requested.is_set():
            trainer.post(Stop())
        ends: list[EndEvent] = []
        thread = threading.Thread(target=lambda: ends.append(trainer.run()), name="training")
        thread.start()
        while thread.is_alive():
            thread.join(0.5)
    printer.close()
    status = exit_status(ends[0])
    if printer.error is None or isinstance(printer.error, BrokenPipeError):  # the reader had enough
        return status
    say(output_failed(printer.error))
    return status or 2


def exit_status(end: EndEvent) -> int:
    """Print what went wrong to standard error, if anything; returns the exit status for ``end``."""
    if end.unsaved is not None:
        say(f"the last checkpoint could not be written: {end.unsaved}")
    if end.reason in ("finished", "stopped"):
        return 0 if end.unsaved is None else 1
    if end.text:
        say(f"{end.field}: {end.text}" if end.field else end.text)
    if end.details:
        with contextlib.suppress(OSError):
            print(end.details, file=sys.stderr)
    return 2 if end.field is not None else 1


def output_failed(error: OSError) -> str:
    """What to say where standard output cannot be written."""
    return f"standard output: cannot be written: {error.strerror or error}"


def say(text: object) -> None:
    """Print ``text`` as one line to standard error, if that can be written."""
    with contextlib.suppress(OSError):
        print(one_line(text), file=sys.stderr)


def one_line(text: object) -> str:
    """``text`` without line breaks."""
    return " ".join(str(text).split())


def run_lr(options: argparse.Namespace) -> int:
    """``main.py lr``."""
    from engine.training.dry_run import lrs_ahead, shown

    def print_rejection(command: CommandAt, reason: str) -> None:
        say(f"commands: {shown(command)} would be rejected: {reason}")

    commands = read_commands(options.commands) if options.commands is not None else []
    for lrs in lrs_ahead(_recipe(options.recipe), commands, options.batches, print_rejection):
        print(line(lrs), file=options.output)
    return 0


def run_code(options: argparse.Namespace) -> int:
    """``main.py code``."""
    from engine.training.queries import pytorch_code

    print(pytorch_code(_recipe(options.recipe)), end="", file=options.output)
    return 0


def run_export(options: argparse.Namespace) -> int:
    """``main.py export``."""
    from engine.checkpoints import checkpoint  # imports torch
    from engine.export.run_files import replay, replay_of_checkpoint, write_replay

    with contextlib.closing(Library(_root(options))) as library:
        job = to_resume(options.run_or_checkpoint, library)
    if job.checkpoint is not None:
        texts = replay_of_checkpoint(checkpoint.read(job.checkpoint))
    else:  # the run has no checkpoint yet
        texts = replay(job.required_recipe, job.lines)
    files = write_replay(path_of("folder", options.folder), *texts, overwrite=options.overwrite)
    print(line({"recipe": str(files[0]), "commands": str(files[1])}), file=options.output)
    return 0


def run_runs(options: argparse.Namespace) -> int:
    """``main.py runs``."""
    with _reader(options) as library:
        for row in library.runs():
            newest = library.newest_checkpoint(row.id)
            fields = {
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
            print(line(fields), file=options.output)
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    """``main.py doctor``."""
    from engine.diagnostics.doctor import show

    return show(options.output)


def _root(options: argparse.Namespace) -> str | Path:
    return default_library_root() if options.library is None else str(options.library)


@contextlib.contextmanager
def _library(options: argparse.Namespace) -> Iterator[Library]:
    with contextlib.closing(Library(_root(options))) as library:
        for remark in library.remarks:
            say(remark)
        yield library


@contextlib.contextmanager
def _reader(options: argparse.Namespace) -> Iterator[Reader]:
    """The library; a read-only view of it if it cannot be written."""
    root = path_of("library", str(_root(options)))
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
    # The recipe's validation rejects what is not a number, in one line.
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
    """In the context, the first of the signals calls ``stop``, the second prints a message, the third exits."""
    previous: dict[signal.Signals, Any] = {}
    count = 0

    def handle(number: int, frame: object) -> None:
        nonlocal count
        count += 1
        if count == 1:
            stop()
        elif count == 2:
            with contextlib.suppress(OSError, ValueError):  # the terminal is gone
                os.write(sys.stderr.fileno(), _SAVING)
        else:
            os._exit(128 + number)  # safe during a save: a checkpoint is written completely or not at all

    for number in leaving():
        previous[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

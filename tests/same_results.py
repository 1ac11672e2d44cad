"""Check that two revisions give the same results to the last bit.

Run as ``python -m tests.same_results OLD_REVISION [NEW_REVISION]``; the new one is the working tree by default.

Old and new run side by side on this machine, because bits differ between processors. Each run is a process of
``main.py`` on one thread of the CPU, with a library of its own in a temporary folder. Of training, what is compared is
what the README promises of the events: learning rates, metrics, answers to commands, and ``weights_sha256``. Of
``main.py lr`` it is the whole output, for every schedule in the old README's table.

One line is printed per comparison. The exit status is 0 if all are the same, 1 if one differs or a run fails, and 2 if
a revision cannot be checked out. On two cores it takes one to two minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

Data = dict[str, Any]
Lines = list[str]
Check = Callable[["Revision"], Lines]

ROOT = Path(__file__).parents[1]
SECONDS = 300  # for one process
KEYS = {
    "start": ("device", "groups", "parameters", "batches_per_epoch"),
    "epoch": ("epoch", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
    "command": ("command", "status", "epoch", "batch"),
    "branch": ("epoch", "batch"),
    "end": ("reason", "epoch", "weights_sha256"),
}
"""The events and keys that the README promises, without ids, times, paths and wording."""

# Each ends, or comes to its second stage, within 12 epochs as well as within 36 batches.
SCHEDULES: dict[str, Data] = {
    "Constant": {},
    "StepLR": {"step_size": 3, "gamma": 0.5},
    "MultiStepLR": {"milestones": [2, 5, 6], "gamma": 0.3},
    "ConstantLR": {"factor": 0.3, "total_iters": 4},
    "LinearLR": {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 7},
    "ExponentialLR": {"gamma": 0.93},
    "PolynomialLR": {"total_iters": 10, "power": 0.9},
    "CosineAnnealingLR": {"T_max": 9, "eta_min": 1e-4},
    "CosineAnnealingWarmRestarts": {"T_0": 3, "T_mult": 2, "eta_min": 1e-4},
    "CyclicLR": {"base_lr": 0.001, "max_lr": 0.02, "step_size_up": 4, "mode": "triangular2"},
    "OneCycleLR": {"max_lr": 0.03},
    "SequentialLR": {
        "schedulers": [
            {"name": "LinearLR", "start_factor": 0.1, "total_iters": 3},
            {"name": "CosineAnnealingLR", "T_max": 5, "eta_min": 1e-3},
            {"name": "ExponentialLR", "gamma": 0.8},
        ],
        "milestones": [3, 8],
    },
    "ChainedScheduler": {
        "schedulers": [{"name": "ConstantLR", "total_iters": 4}, {"name": "ExponentialLR", "gamma": 0.9}]
    },
    "ReduceLROnPlateau": {"factor": 0.5, "patience": 1, "threshold": 0.3},
    "LambdaLR": {"lr_lambda": "1 / (1 + 0.3 * epoch)"},
    "MultiplicativeLR": {"lr_lambda": "0.9 if epoch < 4 else 0.8"},
    "Drawn": {"points": [[0, 0.01], [2.5, 0.03], [9, 0.002]], "smooth": True},
}

NETWORK = """
from torch import nn


class Network(nn.Module):
    def __init__(self, in_channels, num_classes, layers):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(layers))
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(8, num_classes)

    def forward(self, images):
        x = self.norm(self.stem(images)).relu().mean((2, 3))
        for layer in self.layers:
            x = x + layer(x).tanh()
        return self.head(self.dropout(x))


def build(in_channels, num_classes):
    return Network(in_channels, num_classes, LAYERS)
"""


# Importing PyTorch takes most of a short run. A forked process has it already; nothing of Tiller is preloaded.
PROCESSES = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
PRELOADED = ["numpy", "pydantic", "torch", "torch._dynamo", "torchvision"]


class RunError(Exception):
    """A run did not end as planned."""


def run_main(tree: Path, *arguments: str) -> Lines:
    """Run ``main.py`` of ``tree`` with ``arguments`` in a process; returns the lines of its standard output.

    Raises:
        RunError: it takes too long, or its exit status is not 0.
    """
    with tempfile.TemporaryDirectory(prefix="tiller-output-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = PROCESSES.Process(target=be_main, args=(tree, arguments, output, errors))
        process.start()
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
            raise RunError(f"main.py {arguments[0]} takes longer than {SECONDS} s")
        if process.exitcode != 0:
            said = errors.read_text(encoding="utf-8", errors="replace").strip() or "nothing on standard error"
            raise RunError(f"main.py {arguments[0]} exits with {process.exitcode}: {said.splitlines()[-1]}")
        return output.read_text(encoding="utf-8").splitlines()


def be_main(tree: Path, arguments: Sequence[str], output: Path, errors: Path) -> None:
    """In a process of its own, do what ``cd TREE; python main.py ARGUMENTS`` does."""
    for stream, path in ((sys.stdout, output), (sys.stderr, errors)):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(tree)
    sys.argv = ["main.py", *arguments]
    sys.path[:] = [str(tree), *(entry for entry in sys.path if entry != str(ROOT))]
    runpy.run_path("main.py", run_name="__main__")


@functools.cache
def commands_option(tree: Path) -> str:
    """The option that names a file of commands: ``--commands``, or ``--hand`` in older revisions."""
    return "--commands" if any("--commands" in line for line in run_main(tree, "train", "--help")) else "--hand"


@dataclass(frozen=True)
class Revision:
    """A source tree, and a folder for the files of its runs."""

    name: str
    tree: Path
    folder: Path

    def train(self, run: str, recipe: Data, commands: Sequence[Data] = ()) -> Lines:
        """Train ``recipe``; returns the promised part of the events."""
        return self._train(run, self.write(f"{run}.json", json.dumps(recipe)), *self._commands(run, commands))

    def resume(self, run: str, checkpoint: Path, commands: Sequence[Data]) -> Lines:
        """Resume from a file; returns the promised part of the events."""
        return self._train(run, "--resume", str(checkpoint), *self._commands(run, commands))

    def lr(self, run: str, recipe: Data, *options: str, commands: Sequence[Data] = ()) -> Lines:
        """What ``main.py lr`` prints for ``recipe``."""
        file = self.write(f"{run}.json", json.dumps(recipe))
        return run_main(self.tree, "lr", file, *options, *self._commands(run, commands))

    def write(self, name: str, text: str) -> str:
        """Write a file; returns its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _train(self, run: str, *arguments: str) -> Lines:
        library = self.folder / f"{run}-library"
        lines = run_main(self.tree, "train", *arguments, "--device", "cpu", "--library", str(library))
        return promised_part(lines)

    def _commands(self, run: str, commands: Sequence[Data]) -> list[str]:
        if not commands:
            return []
        text = "".join(f"{json.dumps(command)}\n" for command in commands)
        return [commands_option(self.tree), self.write(f"{run}.jsonl", text)]


def promised_part(lines: Lines) -> Lines:
    """The promised keys of the promised events in ``lines``."""
    kept: Lines = []
    saves: Lines = []
    for event in map(json.loads, lines):
        kind = event["event"]
        if kind not in KEYS:
            continue
        part = {key: event[key] for key in ("event", *KEYS[kind]) if key in event}
        if kind == "command":  # without the path of a save, and without a schedule's defaults
            part["command"] = {k: v for k, v in event["command"].items() if k != "path" and not isinstance(v, dict)}
        # A save is answered when the file is written, and the run continues meanwhile.
        is_save = kind == "command" and part["command"]["command"] == "save"
        (saves if is_save else kept).append(json.dumps(part))
    return kept + saves


def schedule(name: str, **changes: Any) -> Data:
    """One of ``SCHEDULES``, with ``changes``.

    Raises:
        RunError: it is not there.
    """
    if name not in SCHEDULES:
        raise RunError(f"SCHEDULES of tests/same_results.py lacks {name}")
    return {"name": name, **SCHEDULES[name], **changes}


def stepwise(name: str) -> Data:
    """The same, stepped once per batch where it can be."""
    return schedule(name) if name == "ReduceLROnPlateau" else schedule(name, interval="step")


def short_recipe(**changes: Any) -> Data:
    """Six epochs of 23 batches, with ``changes``."""
    return {
        "data": {"name": "digits", "batch_size": 64},
        "model": {"name": "small_cnn"},
        "optimizer": {"name": "SGD", "lr": 0.02, "momentum": 0.9},
        "schedule": schedule("StepLR"),
        "epochs": 6,
        "seed": 7,
        **changes,
    }


def few_batches(**changes: Any) -> Data:
    """Twelve epochs of three batches, with ``changes``."""
    return short_recipe(data={"name": "digits", "batch_size": 512}, epochs=12, **changes)


def at(epoch: int, batch: int, command: str, /, **fields: Any) -> Data:
    """A line of a commands file."""
    return {"at": {"epoch": epoch, "batch": batch}, "command": command, **fields}


def sgd(revision: Revision) -> Lines:
    return revision.train("sgd", short_recipe())


def adamw(revision: Revision) -> Lines:
    optimizer = {"name": "AdamW", "lr": 0.003, "weight_decay": 0.01}
    return revision.train(
        "adamw", short_recipe(optimizer=optimizer, schedule=schedule("OneCycleLR"), groups=TWO_GROUPS)
    )


def interventions(revision: Revision) -> Lines:
    cosine = schedule("CosineAnnealingLR", interval="step", T_max=60)
    commands = [
        at(2, 0, "set_lr", lr=0.03, then="follow"),
        at(2, 9, "scale_lr", factor=0.5, then="follow"),
        at(3, 4, "set_lr", lr=0.004, then="hold", group="head"),
        at(3, 20, "scale_lr", factor=2.0),
        at(4, 1, "release_lr"),
        at(4, 8, "set_schedule", schedule=cosine, start="here"),
        at(5, 0, "freeze", group="head"),
        at(5, 11, "unfreeze", group="head"),
        at(5, 15, "set_optimizer", weight_decay=1e-3),
        at(6, 2, "rewind", epoch=4),
        at(5, 3, "scale_lr", factor=0.7, then="hold"),
        at(6, 0, "rewind", epoch=4, batch=17),
        at(6, 5, "set_schedule", schedule=schedule("ExponentialLR"), start="replay", group="rest"),
    ]
    return revision.train("interventions", short_recipe(groups=TWO_GROUPS), commands)


def augmentation(revision: Revision) -> Lines:
    data = {"name": "digits", "batch_size": 64, "augment": True, "flip": True, "cutout": 2}
    return revision.train("augmentation", short_recipe(data=data, optimizer={"name": "Adam", "lr": 0.003}))


def uninterrupted(revision: Revision) -> Lines:
    return revision.train("uninterrupted", PLATEAU, BEFORE_SAVE + AFTER_SAVE)


def interrupted(revision: Revision) -> Lines:
    checkpoint = revision.folder / "saved.tiller"
    saved = [at(*SAVED_AT, "save", path=str(checkpoint)), at(*SAVED_AT, "stop")]
    commands = BEFORE_SAVE + saved + AFTER_SAVE
    return revision.train("stopped", PLATEAU, commands) + revision.resume("resumed", checkpoint, commands)


TWO_GROUPS = [{"name": "head", "modules": ["fc"], "lr": 0.05}]
PLATEAU = short_recipe(schedule=schedule("ReduceLROnPlateau", patience=0))
BEFORE_SAVE = [at(2, 3, "scale_lr", factor=0.5)]
SAVED_AT = (3, 11)
AFTER_SAVE = [at(4, 5, "set_lr", lr=0.01, then="follow")]


def own_network(revision: Revision, file: str, schedules: list[Data]) -> Data:
    """A recipe with a network of one's own, which is written to ``file``, and a group for each of ``schedules``."""
    path = revision.write(file, NETWORK.replace("LAYERS", str(len(schedules))))
    groups = [{"name": f"{i}", "modules": [f"layers.{i}"], "schedule": spec} for i, spec in enumerate(schedules)]
    return few_batches(model={"name": f"{path}:build"}, groups=groups)


def lr_commands(spec: Data) -> list[Data]:
    """Commands for ``few_batches``; two of them set the schedule to ``spec``."""
    return [
        at(2, 0, "scale_lr", factor=0.5),
        at(2, 2, "set_lr", lr=0.03, then="hold"),
        at(3, 1, "scale_lr", factor=2.0),
        at(3, 2, "release_lr"),
        at(4, 0, "set_lr", lr=0.02, then="follow"),
        at(6, 0, "rewind", epoch=3, batch=2),
        at(6, 0, "set_lr", lr=0.01, then="hold"),
        at(6, 1, "set_schedule", schedule=spec, start="here"),
        at(9, 1, "set_schedule", schedule=spec, start="replay"),
        at(10, 0, "set_epochs", epochs=14),
    ]


def checks_for(names: list[str]) -> dict[str, Check]:
    """Everything that is run at both revisions, by name; ``names`` are the schedules."""
    checks: dict[str, Check] = {
        "train: SGD, StepLR": sgd,
        "train: AdamW, OneCycleLR, two groups": adamw,
        "train: interventions": interventions,
        "train: augmentation": augmentation,
        "train: a network of one's own, every schedule": lambda revision: revision.train(
            "own", own_network(revision, "own.py", [schedule(name) for name in names])
        ),
        UNINTERRUPTED: uninterrupted,
        INTERRUPTED: interrupted,
        "lr --batches: every schedule": lambda revision: revision.lr(
            "lr", own_network(revision, "lr.py", [stepwise(name) for name in names]), "--batches"
        ),
    }
    for name in names:
        checks |= lr_checks(name)
    return checks


def lr_checks(name: str) -> dict[str, Check]:
    """The output of ``main.py lr`` for one schedule."""
    return {
        f"lr: {name}": lambda revision: revision.lr(f"lr-{name}", few_batches(schedule=schedule(name))),
        f"lr --batches: {name}": lambda revision: revision.lr(
            f"lr-batches-{name}", few_batches(schedule=stepwise(name)), "--batches"
        ),
        f"lr --batches, commands: {name}": lambda revision: revision.lr(
            f"lr-commands-{name}",
            few_batches(schedule=stepwise(name)),
            "--batches",
            commands=lr_commands(stepwise(name)),
        ),
    }


UNINTERRUPTED = "train: uninterrupted"
INTERRUPTED = "train: saved and stopped in an epoch, resumed"


def schedules_in_readme(tree: Path) -> list[str]:
    """The schedules in the README's table."""
    row = re.search(r"^\| Schedules \|.*$", (tree / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return re.findall(r"`(\w+)`", row[0]) if row else []


def first_difference(old: Lines, new: Lines) -> str | None:
    """Where ``new`` first differs from ``old``, or None where it does not."""
    for number, (before, after) in enumerate(zip_longest(old, new), start=1):
        if before != after:
            return f"line {number}: {shorter(before, after)}"
    return None if old else "nothing was printed"


def shorter(before: str | None, after: str | None) -> str:
    """Two lines that differ: if both are JSON objects with the same keys, the first key whose values differ."""
    try:
        a, b = json.loads(before or ""), json.loads(after or "")
        key = next(key for key in a if a[key] != b[key])
    except (ValueError, LookupError, TypeError, StopIteration):
        return f"{before} -> {after}"
    where = ", ".join(f"{name} {a[name]}" for name in ("event", "epoch", "batch") if name in a and name != key)
    return f"{where}: {key} {json.dumps(a[key])} -> {json.dumps(b[key])}"


def resumed_difference(whole: Lines, interrupted: Lines) -> str | None:
    """Where the epochs and the end of the resumed run differ from those of the uninterrupted one, or None."""
    wanted, found = (
        [line for line in lines if json.loads(line)["event"] in ("epoch", "end")] for lines in (whole, interrupted)
    )
    last = wanted[SAVED_AT[0] - 1 :]
    return first_difference(last, found[-len(last) :])


def compare(old: Revision, new: Revision) -> int:
    """Run everything at both revisions, and print the comparisons; returns the number of differences."""
    differences = count = 0

    def report(name: str, find: Callable[..., str | None], *runs: Future[Lines]) -> None:
        nonlocal differences, count
        try:
            difference = find(*(run.result() for run in runs))
        except RunError as error:
            difference = str(error)
        count += 1
        differences += difference is not None
        print(f"same     {name}" if difference is None else f"DIFFERS  {name}: {difference}", flush=True)

    def run(check: Check, revision: Revision) -> Lines:
        try:
            return check(revision)
        except (RunError, ValueError, LookupError, TypeError) as error:  # the others: events of another form
            raise RunError(f"{revision.name}: {error or repr(error)}") from error

    pool = ThreadPoolExecutor(max(2, os.cpu_count() or 1))
    try:
        checks = checks_for(schedules_in_readme(old.tree))
        runs = {name: [pool.submit(run, check, revision) for revision in (old, new)] for name, check in checks.items()}
        for name, sides in runs.items():
            report(name, first_difference, *sides)
        for revision, *sides in zip((old, new), runs[UNINTERRUPTED], runs[INTERRUPTED], strict=True):
            report(f"resumed equals uninterrupted: {revision.name}", resumed_difference, *sides)
    finally:
        pool.shutdown(cancel_futures=True)
    print(f"{count - differences} same, {differences} different")
    return differences


@contextlib.contextmanager
def checked_out(revision: str, tree: Path) -> Iterator[Path]:
    """A worktree of ``revision`` at ``tree``, removed at the end."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def prepare_environment() -> None:
    """Give every run the same environment: one thread, and no setting of Python's or Tiller's."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [entry for entry in sys.path if entry == str(ROOT) or entry not in paths]
    for name in [name for name in os.environ if name.startswith(("PYTHON", "TILLER_"))]:
        del os.environ[name]
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    if PROCESSES.get_start_method() == "forkserver":
        PROCESSES.set_forkserver_preload(PRELOADED)


def main() -> int:
    """Compare two revisions; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.same_results", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("old", metavar="OLD_REVISION", help="a commit, branch or tag")
    parser.add_argument("new", metavar="NEW_REVISION", nargs="?", help="the same (default: the working tree)")
    options = parser.parse_args()
    prepare_environment()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tiller-same-")))
        revisions = []
        for name, revision in (("old", options.old), ("new", options.new)):
            try:
                tree = ROOT if revision is None else stack.enter_context(checked_out(revision, folder / f"{name}-tree"))
            except subprocess.CalledProcessError:
                return 2  # git has said why
            (folder / name).mkdir()
            revisions.append(Revision(name, tree, folder / name))
        return 1 if compare(*revisions) else 0


if __name__ == "__main__":
    sys.exit(main())

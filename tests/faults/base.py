"""What every fault needs: a run, the same run uninterrupted, and a comparison of the two."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints import digest
from engine.common.errors import CheckpointError
from engine.common.position import Position
from engine.library import Library
from engine.messages.commands import Pause, Resume
from engine.messages.events import CommandEvent, StepsEvent
from engine.training.job import Job, to_resume
from tests.engine.running import Events, Live, at, commands, recipe, run

EPOCHS = 6
LINES = commands(at(2, 1, "scale_lr", factor=0.5), at(4, 1, "set_optimizer", momentum=0.5), at(6, 1, "set_lr", lr=0.01))


class NotHereError(Exception):
    """The fault is not possible on this machine; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """The ``messages`` about a fault, whether training ``continued``, and what was ``lost``."""

    messages: list[str]
    continued: bool
    lost: list[str]


def job(begin: bool = True) -> Job:
    """The run that meets the fault."""
    return Job(recipe=recipe(epochs=EPOCHS), lines=LINES, begin=begin, name="faulty")


@functools.cache
def whole() -> Events:
    """The events of that run without a fault."""
    return run(job())


def resume_to(live: Live, epoch: int, batch: int = 0) -> None:
    """Resume, and pause before ``batch`` of ``epoch``."""
    number = live.trainer.post(Pause(), Position(epoch=epoch, batch=batch))
    live.trainer.post(Resume())
    live.wait(lambda e: isinstance(e, CommandEvent) and e.id == number and e.status == "applied")


def warnings(events: Events) -> list[str]:
    """The texts of all warnings."""
    return [str(e.text) for e in events.of("warning")]


def lost(root: Path, resume: bool = True, remarks: list[str] | None = None, *, curve: bool = True) -> list[str]:
    """Open the library again, resume the run, and compare it with the uninterrupted one; returns what is missing.

    Args:
        root: the library's folder.
        resume: whether to resume the run to its end.
        remarks: gets the messages about it.
        curve: whether the loss of every batch must be there, or only those that are there must be right.
    """
    missing: list[str] = []
    library = Library(root)
    try:
        messages = [str(r) for r in library.remarks]
        (row,) = library.runs()
        if resume:
            events = run(to_resume(row.id, library), library)
            messages += warnings(events)
            if events.end.weights_sha256 != whole().end.weights_sha256:
                missing.append("the weights differ")
        if [e.metrics() for e in library.history(row.id)] != [e.metrics() for e in whole().epochs]:
            missing.append("metrics of epochs")
        known, wanted = losses(library.steps(row.id)), losses(whole().of("steps"))
        if (known != wanted) if curve else not known.items() <= wanted.items():
            missing.append("losses of batches")
        interventions = [(r.command, r.epoch, r.batch) for r in library.interventions(row.id) if r.ordinal is not None]
        if interventions != [(a.command, a.epoch, a.batch) for a in whole().answers]:
            missing.append("interventions")
        missing += [f"the partial file {p.name} was left" for p in root.rglob("*.part")]
        missing += [
            f"{s.path.name} is damaged" for s in library.checkpoints(row.id) if s.path.exists() and not good(s.path)
        ]
    finally:
        library.close()
    if remarks is not None:
        remarks += messages
    return missing


def losses(reports: Iterable[StepsEvent]) -> dict[tuple[int, int], float]:
    """The loss of each batch, by epoch and batch."""
    return {(e.epoch, e.batch + n): float(loss) for e in reports for n, loss in enumerate(e.loss)}


def good(path: Path) -> bool:
    """Whether a checkpoint's digest matches."""
    try:
        with path.open("rb") as file:
            digest.check(file, path)
    except (CheckpointError, OSError):
        return False
    return True


def contents(root: Path) -> dict[Path, bytes]:
    """The checkpoints in ``root``, byte for byte."""
    return {path: path.read_bytes() for path in root.glob("checkpoints/*/*.tiller")}


def overwritten(before: dict[Path, bytes]) -> list[str]:
    """Checkpoints whose content has changed. (Those that retention removed do not count.)"""
    return [f"{p.name} was overwritten" for p, raw in before.items() if p.exists() and p.read_bytes() != raw]


@contextmanager
def mounted(path: Path, *options: str) -> Iterator[None]:
    """A small file system in memory at ``path``. Raises NotHereError where mounting is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NotHereError("mounting a small file system takes root on Linux")
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotHereError(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)

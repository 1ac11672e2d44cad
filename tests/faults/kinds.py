"""The faults, each a function that gets an empty folder."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

from engine.common.errors import SpecError
from engine.library import Library
from engine.messages.commands import Resume
from tests.engine.running import MAIN, Live, run
from tests.faults.base import (
    Outcome,
    contents,
    job,
    lost,
    mounted,
    overwritten,
    resume_to,
    warnings,
)

BUSY: Final = 0.2  # seconds to wait for a lock; ten by default


def disk_full(folder: Path) -> Outcome:
    """The disk is full from epoch 2 to 4, then there is space again."""
    with mounted(folder, "size=3m"):
        root, ballast = folder / "library", folder / "ballast"
        library = Library(root)
        with Live(job(begin=False), library) as live:
            live.pause_at(2, 0)
            library.flush()
            before = contents(root)
            _fill(ballast)
            resume_to(live, 4, 0)
            library.flush()
            damage = overwritten(before)
            ballast.unlink()
            resume_to(live, 5, 0)
            live.trainer.post(Resume())
            continued = live.finish().reason == "finished"
        library.close()
        return Outcome(warnings(live.events), continued, damage + lost(root))


def disk_full_to_the_end(folder: Path) -> Outcome:
    """The disk is full from epoch 3 on; there is space again after the run's end.

    The losses of the last batches are not recorded where only the last checkpoint still fits.
    """
    with mounted(folder, "size=3m"):
        root, ballast = folder / "library", folder / "ballast"
        library = Library(root)
        with Live(job(begin=False), library) as live:
            live.pause_at(3, 0)
            library.flush()
            before = contents(root)
            _fill(ballast)
            live.trainer.post(Resume())
            continued = live.finish().reason == "finished"
        library.close()
        damage = overwritten(before)
        ballast.unlink()
        return Outcome(warnings(live.events), continued, damage + lost(root, curve=False))


def read_only(folder: Path) -> Outcome:
    """The folder of the checkpoints is read-only from epoch 2 to 4."""
    library = Library(folder)
    with Live(job(begin=False), library) as live:
        live.pause_at(2, 0)
        library.flush()
        before = contents(folder)
        with mounted(folder / "checkpoints", "ro"):
            resume_to(live, 4, 0)
            library.flush()
        damage = overwritten(before)
        resume_to(live, 5, 0)
        live.trainer.post(Resume())
        continued = live.finish().reason == "finished"
    library.close()
    return Outcome(warnings(live.events), continued, damage + lost(folder))


def read_only_from_the_start(folder: Path) -> Outcome:
    """A library on a read-only disk: it is rejected for training, and can still be listed."""
    run(job(), library := Library(folder / "library"))
    library.close()
    with mounted(folder / "mount", "size=3m"):
        subprocess.run(["cp", "-r", str(folder / "library"), str(folder / "mount")], check=True)
        subprocess.run(["mount", "-o", "remount,ro", str(folder / "mount")], check=True)
        messages = []
        try:
            Library(folder / "mount" / "library").close()
        except SpecError as error:
            messages.append(str(error))
        words = [sys.executable, str(MAIN), "runs", "--library", str(folder / "mount" / "library")]
        done = subprocess.run(words, capture_output=True, text=True)
        listed = [] if '"state": "finished"' in done.stdout else [f"it cannot be listed: {done.stderr}"]
    return Outcome(messages, True, listed + lost(folder / "library"))


def folder_gone(folder: Path) -> Outcome:
    """The library's folder is moved in epoch 3: what was saved moves with it, what follows is in a new one."""
    root, away = folder / "library", folder / "moved away"
    library = Library(root)
    with Live(job(begin=False), library) as live:
        live.pause_at(3, 1)
        library.flush()
        root.rename(away)
        live.trainer.post(Resume())
        continued = live.finish().reason == "finished"
    library.close()
    messages = warnings(live.events)
    moved = lost(away)  # resumed from where it was moved to
    return Outcome(messages, continued, moved + lost(root, remarks=messages))


LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def index_locked(folder: Path) -> Outcome:
    """Another process locks the index from epoch 2 to 4."""
    library = Library(folder, busy=BUSY)
    with Live(job(begin=False), library) as live:
        live.pause_at(2, 0)
        library.flush()
        command = [sys.executable, "-c", LOCKER, str(folder / "runs.sqlite")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
            assert locker.stdout is not None
            assert locker.stdin is not None
            locker.stdout.readline()
            resume_to(live, 4, 0)
            library.flush()
            Library(folder, busy=BUSY).close()  # reading is possible meanwhile
            locker.stdin.close()
        live.trainer.post(Resume())
        continued = live.finish().reason == "finished"
    library.close()
    return Outcome(warnings(live.events), continued, lost(folder))


def index_damaged(folder: Path) -> Outcome:
    """Pages of the index are overwritten with garbage during the run."""
    library = Library(folder)
    with Live(job(begin=False), library) as live:
        live.pause_at(3, 1)
        library.flush()
        with (folder / "runs.sqlite").open("r+b") as file:
            file.seek(0)
            file.write(b"\xa5" * 3 * 4096)
            os.fsync(file.fileno())
        live.trainer.post(Resume())
        continued = live.finish().reason == "finished"
    library.close()
    messages = warnings(live.events)
    missing = lost(folder, remarks=messages)
    kept = [] if list(folder.glob("runs.damaged*.sqlite")) else ["the damaged index"]
    return Outcome(messages, continued, missing + kept)


def index_deleted(folder: Path) -> Outcome:
    """The index is deleted while no process has the library open."""
    _stopped(folder)
    for file in folder.glob("runs.sqlite*"):
        file.unlink()
    messages: list[str] = []
    return Outcome(messages, True, lost(folder, remarks=messages))


def one_bit(folder: Path) -> Outcome:
    """One bit of the newest checkpoint is flipped."""
    return _damaged(folder, _flipped)


def cut_short(folder: Path) -> Outcome:
    """The second half of the newest checkpoint is missing."""
    return _damaged(folder, lambda raw: raw[: len(raw) // 2])


def every_checkpoint_damaged(folder: Path) -> Outcome:
    """One bit of every checkpoint is flipped: the run is recomputed from its recipe and interventions."""
    _stopped(folder)
    for file, raw in contents(folder).items():
        file.write_bytes(_flipped(raw))
    messages: list[str] = []
    missing = lost(folder, remarks=messages)
    return Outcome(messages, True, [m for m in missing if "is damaged" not in m])


class Evil:
    """Runs a program when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (f"touch {os.environ['TILLER_EVIL']}",)


def hostile(folder: Path) -> Outcome:
    """The newest checkpoint would run a program when it is unpickled; its digest matches."""
    mark = folder / "it was run"
    os.environ["TILLER_EVIL"] = str(mark)

    def replace(_: bytes) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"format": 1, "model": Evil()}, 2))
            archive.writestr("archive/version", "3\n")
            archive.comment = b"0" * 64
        raw = packed.getvalue()[:-64]
        return raw + hashlib.sha256(raw).hexdigest().encode()

    outcome = _damaged(folder / "library", replace)
    return Outcome(outcome.messages, outcome.continued, outcome.lost + (["it was run"] if mark.exists() else []))


TRAIN = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from engine.library import Library
from engine.training.trainer import Trainer
from tests.faults.base import job
Trainer(job(), lambda e: print(e.event, getattr(e, "epoch", 0), flush=True), Library(sys.argv[2])).run()
"""


def killed(folder: Path) -> Outcome:
    """kill -9 in epoch 3. (Twenty kills: tests/engine/library/test_killed.py.)"""
    command = [sys.executable, "-c", TRAIN, str(MAIN.parent), str(folder)]
    environ = {**os.environ, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "epoch 2\n":
                time.sleep(0.004)
                break
        process.send_signal(signal.SIGKILL)
    return Outcome([], True, lost(folder))


FAULTS: Final[dict[str, Callable[[Path], Outcome]]] = {
    "disk full for two epochs": disk_full,
    "disk full until the end": disk_full_to_the_end,
    "folder read-only for two epochs": read_only,
    "library on a read-only disk": read_only_from_the_start,
    "folder moved away in mid-run": folder_gone,
    "index locked by another process": index_locked,
    "index damaged in mid-run": index_damaged,
    "index deleted": index_deleted,
    "newest checkpoint: one bit flipped": one_bit,
    "newest checkpoint: cut short": cut_short,
    "every checkpoint damaged": every_checkpoint_damaged,
    "newest checkpoint: a hostile pickle": hostile,
    "kill -9": killed,
}


def _stopped(root: Path) -> None:
    """Leave a run in ``root`` that was stopped in epoch 5."""
    library = Library(root)
    with Live(job(begin=False), library) as live:
        live.pause_at(5, 1)
    library.close()


def _damaged(root: Path, damage: Callable[[bytes], bytes]) -> Outcome:
    """A run whose newest checkpoint is damaged while no process has it open."""
    _stopped(root)
    library = Library(root)
    newest = library.newest_checkpoint(library.runs()[0].id)
    library.close()
    assert newest is not None
    bad = damage(newest.read_bytes())
    newest.write_bytes(bad)
    messages: list[str] = []
    missing = [m for m in lost(root, remarks=messages) if m != f"{newest.name} is damaged"]
    if newest.read_bytes() != bad:
        missing.append("the damaged file was overwritten")
    return Outcome(messages, True, missing)


def _flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


torch.set_num_threads(1)

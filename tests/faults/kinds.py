"""The faults, each a function of an empty folder."""

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

from engine.common.spec import SpecError
from engine.library import Library
from engine.messages.commands import Resume
from tests.engine.running import MAIN, Live, run
from tests.faults.base import (
    Outcome,
    contents,
    go_on_to,
    job,
    lost,
    mounted,
    overwritten,
    warnings,
)

BUSY: Final = 0.2  # seconds to wait for a lock: in the window they are ten


def disk_full(folder: Path) -> Outcome:
    """No byte is left from epoch 2 to 4, then there is room again."""
    with mounted(folder, "size=3m"):
        root, ballast = folder / "library", folder / "ballast"
        library = Library(root)
        with Live(job(begin=False), library) as live:
            live.stand(2, 0)
            library.flush()
            before = contents(root)
            _fill(ballast)
            go_on_to(live, 4, 0)
            library.flush()
            harm = overwritten(before)
            ballast.unlink()
            go_on_to(live, 5, 0)
            live.trainer.post(Resume())
            went_on = live.finish().reason == "finished"
        library.close()
        return Outcome(warnings(live.events), went_on, harm + lost(root))


def disk_full_to_the_end(folder: Path) -> Outcome:
    """No byte is left from epoch 3 on; room is made after the run's end.

    Where the end's checkpoint found room and the last batches' losses did not, those are not made again.
    """
    with mounted(folder, "size=3m"):
        root, ballast = folder / "library", folder / "ballast"
        library = Library(root)
        with Live(job(begin=False), library) as live:
            live.stand(3, 0)
            library.flush()
            before = contents(root)
            _fill(ballast)
            live.trainer.post(Resume())
            went_on = live.finish().reason == "finished"
        library.close()
        harm = overwritten(before)
        ballast.unlink()
        return Outcome(warnings(live.events), went_on, harm + lost(root, curve=False))


def read_only(folder: Path) -> Outcome:
    """The checkpoints' folder is read-only from epoch 2 to 4."""
    library = Library(folder)
    with Live(job(begin=False), library) as live:
        live.stand(2, 0)
        library.flush()
        before = contents(folder)
        with mounted(folder / "checkpoints", "ro"):
            go_on_to(live, 4, 0)
            library.flush()
        harm = overwritten(before)
        go_on_to(live, 5, 0)
        live.trainer.post(Resume())
        went_on = live.finish().reason == "finished"
    library.close()
    return Outcome(warnings(live.events), went_on, harm + lost(folder))


def read_only_from_the_start(folder: Path) -> Outcome:
    """A library that was put where nothing can be written: it is refused, and can still be listed."""
    run(job(), library := Library(folder / "library"))
    library.close()
    with mounted(folder / "mount", "size=3m"):
        subprocess.run(["cp", "-r", str(folder / "library"), str(folder / "mount")], check=True)
        subprocess.run(["mount", "-o", "remount,ro", str(folder / "mount")], check=True)
        said = []
        try:
            Library(folder / "mount" / "library").close()
        except SpecError as error:
            said.append(str(error))
        words = [sys.executable, str(MAIN), "runs", "--library", str(folder / "mount" / "library")]
        done = subprocess.run(words, capture_output=True, text=True)
        listed = [] if '"state": "finished"' in done.stdout else [f"it cannot be listed: {done.stderr}"]
    return Outcome(said, True, listed + lost(folder / "library"))


def folder_gone(folder: Path) -> Outcome:
    """The library's folder is moved away in epoch 3: what was saved is there, what follows stands in its old place."""
    root, away = folder / "library", folder / "moved away"
    library = Library(root)
    with Live(job(begin=False), library) as live:
        live.stand(3, 1)
        library.flush()
        root.rename(away)
        live.trainer.post(Resume())
        went_on = live.finish().reason == "finished"
    library.close()
    said = warnings(live.events)
    there = lost(away)  # taken up from where it was moved
    return Outcome(said, went_on, there + lost(root, remarks=said))


LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def index_locked(folder: Path) -> Outcome:
    """Another process keeps the index locked from epoch 2 to 4."""
    library = Library(folder, busy=BUSY)
    with Live(job(begin=False), library) as live:
        live.stand(2, 0)
        library.flush()
        command = [sys.executable, "-c", LOCKER, str(folder / "runs.sqlite")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
            assert locker.stdout is not None
            assert locker.stdin is not None
            locker.stdout.readline()
            go_on_to(live, 4, 0)
            library.flush()
            Library(folder, busy=BUSY).close()  # looking is possible all the while
            locker.stdin.close()
        live.trainer.post(Resume())
        went_on = live.finish().reason == "finished"
    library.close()
    return Outcome(warnings(live.events), went_on, lost(folder))


def index_damaged(folder: Path) -> Outcome:
    """Pages of the index turn into rubbish while the run is under way."""
    library = Library(folder)
    with Live(job(begin=False), library) as live:
        live.stand(3, 1)
        library.flush()
        with (folder / "runs.sqlite").open("r+b") as file:
            file.seek(0)
            file.write(b"\xa5" * 3 * 4096)
            os.fsync(file.fileno())
        live.trainer.post(Resume())
        went_on = live.finish().reason == "finished"
    library.close()
    said = warnings(live.events)
    missing = lost(folder, remarks=said)
    kept = [] if list(folder.glob("runs.damaged*.sqlite")) else ["the damaged index"]
    return Outcome(said, went_on, missing + kept)


def index_deleted(folder: Path) -> Outcome:
    """The index is deleted while nothing runs."""
    _stopped(folder)
    for file in folder.glob("runs.sqlite*"):
        file.unlink()
    said: list[str] = []
    return Outcome(said, True, lost(folder, remarks=said))


def one_bit(folder: Path) -> Outcome:
    """One bit of the newest checkpoint is another."""
    return _spoilt(folder, _flipped)


def cut_short(folder: Path) -> Outcome:
    """The newest checkpoint lacks its second half."""
    return _spoilt(folder, lambda raw: raw[: len(raw) // 2])


def every_checkpoint_spoilt(folder: Path) -> Outcome:
    """One bit of each checkpoint is another: the run is computed again from its recipe and hand."""
    _stopped(folder)
    for file, raw in contents(folder).items():
        file.write_bytes(_flipped(raw))
    said: list[str] = []
    missing = lost(folder, remarks=said)
    return Outcome(said, True, [m for m in missing if "is broken" not in m])


class Evil:
    """What a hostile file would have us run."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (f"touch {os.environ['TILLER_EVIL']}",)


def hostile(folder: Path) -> Outcome:
    """The newest checkpoint is a file that would run a program when it is unpickled, under a seal that fits."""
    mark = folder / "it ran"
    os.environ["TILLER_EVIL"] = str(mark)

    def poison(_: bytes) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"format": 1, "model": Evil()}, 2))
            archive.writestr("archive/version", "3\n")
            archive.comment = b"0" * 64
        raw = packed.getvalue()[:-64]
        return raw + hashlib.sha256(raw).hexdigest().encode()

    outcome = _spoilt(folder / "library", poison)
    return Outcome(outcome.said, outcome.went_on, outcome.lost + (["it was run"] if mark.exists() else []))


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
    """kill -9 in epoch 3. (Twenty of them: tests/engine/library/test_killed.py.)"""
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
    "every checkpoint damaged": every_checkpoint_spoilt,
    "newest checkpoint: a hostile pickle": hostile,
    "kill -9": killed,
}


def _stopped(root: Path) -> None:
    """A run that somebody stopped in epoch 5."""
    library = Library(root)
    with Live(job(begin=False), library) as live:
        live.stand(5, 1)
    library.close()


def _spoilt(root: Path, spoil: Callable[[bytes], bytes]) -> Outcome:
    _stopped(root)
    library = Library(root)
    newest = library.newest_checkpoint(library.runs()[0].id)
    library.close()
    assert newest is not None
    bad = spoil(newest.read_bytes())
    newest.write_bytes(bad)
    said: list[str] = []
    missing = [m for m in lost(root, remarks=said) if m != f"{newest.name} is broken"]
    if newest.read_bytes() != bad:
        missing.append("the damaged file was overwritten")
    return Outcome(said, True, missing)


def _flipped(raw: bytes) -> bytes:
    place = len(raw) // 2
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


torch.set_num_threads(1)

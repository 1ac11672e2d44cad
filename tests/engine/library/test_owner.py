"""One process per run, by a lock that ends with the process; several processes can use one library."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.common.errors import RunInUseError
from engine.library import RunLock
from engine.library.lock import is_live
from engine.training.job import Job, to_resume
from tests.engine.running import MAIN, Live, at, commands, library_at, recipe, recipe_dict, run

SECONDS = 60

# A process that trains, and prints what happens.
TRAIN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from engine.training.job import Job
from engine.library import Library
from engine.recipe.recipe import recipe_from_json
from engine.training.trainer import Trainer
import torch
torch.set_num_threads(1)
library = Library(sys.argv[2])
def emit(event):
    if event.event in ("start", "epoch", "warning", "end"):
        print(json.dumps([event.event, getattr(event, "run", None), getattr(event, "text", None)]), flush=True)
end = Trainer(Job(recipe=recipe_from_json(sys.argv[3])), emit, library).run()
library.close()
print(json.dumps(["sha", end.weights_sha256, None]), flush=True)
"""


def train(library: Path, **changes: object) -> subprocess.Popen[str]:
    text = json.dumps(recipe_dict(**changes))  # type: ignore[arg-type]
    command = [sys.executable, "-c", TRAIN, str(MAIN.parent), str(library), text]
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)


def read_until(process: subprocess.Popen[str], kind: str) -> list[str]:
    assert process.stdout is not None
    for line in process.stdout:
        event: list[str] = json.loads(line)
        if event[0] == kind:
            return event
    raise AssertionError(f"it ended without {kind}")


HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from engine.library import RunLock
lock = RunLock(Path(sys.argv[2]), sys.argv[3])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_ends_with_its_process_and_the_run_is_listed_as_interrupted(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=commands(at(2, 1, "stop"))), library)
        (row,) = library.runs()
        library.update(row.id, pytest.fail, state="training")  # as while it trains
        command = [sys.executable, "-c", HOLD, str(MAIN.parent), str(tmp_path), row.id]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            (row,) = library.runs()
            assert (row.state, row.live) == ("training", True)
            end = run(to_resume(row.id, library), library).end
            assert (end.reason, end.field) == ("failed", "resume")
            assert end.text == f"run {row.id} is in use by process {process.pid}: stop it there first"
            process.send_signal(signal.SIGKILL)
        (row,) = library.runs()
        assert (row.state, row.live) == ("interrupted", False)
        assert run(to_resume(row.id, library), library).end.weights_sha256 == run(recipe()).end.weights_sha256


@pytest.mark.slow
def test_a_run_in_use_elsewhere_is_refused_and_one_whose_process_was_killed_resumes(tmp_path: Path) -> None:
    with train(tmp_path, epochs=2000) as process:
        known = read_until(process, "start")[1]
        read_until(process, "epoch")
        with library_at(tmp_path) as library:
            (row,) = library.runs()
            assert (row.id, row.live) == (known, True)
            assert row.state in ("ready", "training")
            end = run(to_resume(known, library), library).end
            assert (end.reason, end.field) == ("failed", "resume")
            assert end.text == f"run {known} is in use by process {process.pid}: stop it there first"
            with pytest.raises(Exception, match="is running: stop it first"):
                library.delete(known)
            assert run(recipe(), library).end.reason == "finished"  # another run is not affected
            process.send_signal(signal.SIGKILL)
            process.wait(SECONDS)
            row = library.runs()[0]
            assert (row.state, row.live) == ("interrupted", False)
            done = row.epochs_done
            resumed = run(Job(**{**vars(to_resume(known, library)), "epochs": done + 3}), library)
            assert resumed.end.reason == "finished"
            assert resumed.end.weights_sha256 == run(recipe(epochs=done + 3)).end.weights_sha256


def test_a_paused_run_is_locked_too_and_released_at_its_end(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        with Live(Job(recipe=recipe(), begin=False), library) as live:
            live.pause_at(2, 1)
            library.flush()
            (row,) = library.runs()
            assert (row.state, row.live) == ("paused", True)
            refused = run(to_resume(row.id, library), library)  # another window of this process
            assert refused.end.field == "resume"
        (row,) = library.runs()
        assert (row.state, row.live) == ("stopped", False)
        assert run(to_resume(row.id, library), library).end.reason == "finished"


def test_a_branch_is_locked_and_the_abandoned_branch_is_not(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        lines = commands(at(2, 1, "rewind", epoch=1))
        with Live(Job(recipe=recipe(epochs=100_000), lines=lines), library) as live:
            live.wait(lambda e: e.event == "branch")
            live.wait(lambda e: e.event == "epoch" and e.epoch == 4)  # type: ignore[attr-defined]
            first, second = library.runs()
            assert (first.live, second.live) == (False, True)
            assert first.state == "abandoned"


def test_checking_for_a_lock_does_not_lock(tmp_path: Path) -> None:
    lock = RunLock(tmp_path, "a")
    assert is_live(tmp_path, "a")
    with pytest.raises(RunInUseError):
        RunLock(tmp_path, "a")
    lock.release()
    assert not is_live(tmp_path, "a")
    for _ in range(3):
        RunLock(tmp_path, "a").release()
    assert not is_live(tmp_path, "b")


@pytest.mark.slow
def test_two_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    epochs = 12
    with train(tmp_path, epochs=epochs) as one, train(tmp_path, epochs=epochs, seed=1) as other:
        outs = [p.communicate(timeout=SECONDS)[0] for p in (one, other)]
        assert [p.returncode for p in (one, other)] == [0, 0]
    printed = [[json.loads(line) for line in out.splitlines()] for out in outs]
    assert [[s for s in lines if s[0] == "warning"] for lines in printed] == [[], []]
    with library_at(tmp_path) as library:
        rows = library.runs()
        assert [r.state for r in rows] == ["finished", "finished"]
        for row in rows:
            assert [e.epoch for e in library.history(row.id)] == list(range(1, epochs + 1))
            assert sum(len(e.loss) for e in library.steps(row.id)) == epochs * 3
            assert {s.kind for s in library.checkpoints(row.id)} == {"epoch"}
            (sha,) = [lines[-1][1] for lines in printed if lines[0][1] == row.id]
            assert run(to_resume(row.id, library), library).end.weights_sha256 == sha

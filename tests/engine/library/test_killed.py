"""kill -9 at any time: nothing from before the last checkpoint is lost, and the run ends as an uninterrupted one."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.library import Library
from engine.training.job import Job
from tests.engine.running import MAIN, at, commands, library_at, recipe, recipe_dict, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked, so that PyTorch is imported once")

EPOCHS = 150
FILE = [
    at(2, 1, "scale_lr", factor=0.5),
    at(9, 0, "set_optimizer", momentum=0.8),
    at(17, 2, "set_lr", lr=0.02, then="hold"),
    at(31, 1, "release_lr"),
    at(44, 1, "freeze", group="rest"),
    at(47, 0, "unfreeze", group="rest"),
]
POSTED = [at(12, 1, "scale_lr", factor=0.9), at(26, 0, "scale_lr", factor=0.7), at(52, 2, "set_lr", lr=0.01)]
GROUPS = [{"name": "head", "modules": ["head"]}]

# Forks a child for each line that it reads: the child begins the run, or resumes it, and trains it to the end. What
# happens in it is printed as lines. It can be killed at any time, in its writer thread too.
FORKER = """
import json, os, signal, sys
sys.path.insert(0, sys.argv[1])
os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
import torch
torch.set_num_threads(1)
from engine.common.position import Position

from engine.messages.commands_file import parse_commands
from engine.training.job import Job, to_resume
from engine.library import Retention, Library
from engine.recipe.recipe import recipe_from_json
from engine.training.trainer import Trainer

def child(root, recipe, lines, posted):
    library = Library(root, Retention(minutes=0.0005))
    for remark in library.remarks:
        print("remark", remark, flush=True)
    rows = library.runs()
    if rows:
        job = to_resume(rows[0].id, library)
    else:
        job = Job(recipe=recipe_from_json(recipe), lines=tuple(parse_commands(lines)))
    def emit(event):
        if event.event == "start":
            print("begun", flush=True)
        elif event.event == "end":
            print("end", event.reason, event.weights_sha256, event.text, flush=True)
        elif event.event == "warning":
            print("warning", event.text, flush=True)
    trainer = Trainer(job, emit, library)
    if not rows or not any(r.source == "posted" for r in library.interventions(rows[0].id)):
        for line in parse_commands(posted):  # posted for later
            trainer.post(line.intervention, line.at)
    trainer.run()
    library.close()

for text in sys.stdin:
    given = json.loads(text)
    pid = os.fork()
    if not pid:
        try:
            child(*given)
        finally:
            sys.stdout.flush()
            os._exit(0)
    print("pid", pid, flush=True)
    os.waitpid(pid, 0)
    print("over", flush=True)
"""


def kill(pid: int, seconds: float) -> None:
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):  # it had ended already
        os.kill(pid, signal.SIGKILL)


class Forker:
    """Processes that train one run, one after the other."""

    def __init__(self, root: Path) -> None:
        text = "".join(json.dumps(line) + "\n" for line in FILE)
        posted = "".join(json.dumps(line) + "\n" for line in POSTED)
        given = [str(root), json.dumps(recipe_dict(epochs=EPOCHS, groups=GROUPS)), text, posted]
        self._order = json.dumps(given) + "\n"
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKER, str(MAIN.parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def train(self, seconds: float | None, *, from_start: bool = False) -> list[str]:
        """Train, and kill it ``seconds`` after training began (or after its start); returns the lines printed."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._order)
        process.stdin.flush()
        pid = int(process.stdout.readline().split()[1])
        printed: list[str] = []
        if seconds is not None and from_start:
            kill(pid, seconds)
        for line in process.stdout:
            if line == "over\n":
                return printed
            printed.append(line.strip())
            if line == "begun\n" and seconds is not None and not from_start:
                kill(pid, seconds)
        raise AssertionError("the forking process has ended")

    def close(self) -> None:
        self._process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_twenty_times_the_run_ends_bit_identical(tmp_path: Path) -> None:
    seed = int(os.environ.get("TILLER_KILL_SEED", "7"))
    dice, root = random.Random(seed), tmp_path / "library"
    lines = sorted((*FILE, *POSTED), key=lambda line: (line["at"]["epoch"], line["at"]["batch"]))
    whole = run(Job(recipe=recipe(epochs=EPOCHS, groups=GROUPS), lines=commands(*lines)))
    forker, kills, reached = Forker(root), 0, []
    try:
        while kills < 20:
            early = dice.random() < 0.25  # while it opens the library, reads a checkpoint, writes its row
            printed = forker.train(dice.uniform(0, 1.0 if early else 0.5), from_start=early)
            assert not [line for line in printed if line.startswith(("warning", "remark"))], printed
            if any(line.startswith("end") for line in printed):
                break  # it had ended already
            kills += 1
            reached.append(inspected(root))
        printed = forker.train(None)
    finally:
        forker.close()
    (end,) = (line for line in printed if line.startswith("end"))
    print(f"{kills} kills, epochs reached: {reached}")
    assert end.split()[1:3] == ["finished", whole.end.weights_sha256]
    assert kills >= 15
    assert reached == sorted(reached)  # nothing that had been reached was lost
    with library_at(root) as library:
        (row,) = library.runs()
        assert [e.metrics() for e in library.history(row.id)] == [e.metrics() for e in whole.epochs]
        assert losses(library, row.id) == [float(loss) for e in whole.of("steps") for loss in e.loss]
        applied = [
            (r.command["command"], r.epoch, r.batch) for r in library.interventions(row.id) if r.state == "applied"
        ]
        assert applied == [(line["command"], line["at"]["epoch"], line["at"]["batch"]) for line in lines]
        assert [r for r in library.interventions(row.id) if r.state == "pending"] == []
        assert not list(root.rglob("*.part"))


def losses(library: Library, run_id: str) -> list[float]:
    return [float(loss) for e in library.steps(run_id) for loss in e.loss]


def inspected(root: Path) -> tuple[int, int]:
    """Open the library after a kill: it is sound. Returns the position of its newest checkpoint."""
    with library_at(root) as library:
        assert library.remarks == []
        assert not list(root.rglob("*.part"))
        rows = library.runs()
        assert len(rows) <= 1
        if not rows:
            return (0, 0)
        positions: list[Any] = [(s.epoch, s.batch) for s in library.checkpoints(rows[0].id) if s.path.exists()]
        assert rows[0].state in ("interrupted", "finished")
        return max(positions, default=(0, 0))

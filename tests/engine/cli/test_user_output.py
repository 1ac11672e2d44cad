"""Whatever a user's network prints or starts, standard output is Tiller's and the process ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

import main
from engine.messages import printing
from engine.messages.printing import claim_stdout
from tests.engine.running import MAIN, recipe_dict

NETWORK = """
import atexit, os, subprocess, sys, threading, time
from torch import nn

print("at import")
os.write(1, b"to the descriptor\\n")
sys.__stdout__.write("to the first stream\\n")
subprocess.run([sys.executable, "-S", "-c", "print('by a process')"])
atexit.register(print, "at exit")

class Net(nn.Linear):
    def forward(self, x):
        print("in forward")
        return super().forward(x.flatten(1))

def make(in_channels, num_classes):
    print("in the function")
    {start}
    return Net(64, num_classes)
"""
ENDLESS = "threading.Thread(target=time.sleep, args=[1000], daemon=False).start()"
PRINTED = ["at import", "to the descriptor", "to the first stream", "by a process", "in the function", "in forward"]
SECONDS = 60


@pytest.mark.parametrize(("start", "at_exit"), [(ENDLESS, []), ("pass", ["at exit"])])
def test_what_a_users_network_prints_is_on_standard_error(tmp_path: Path, start: str, at_exit: list[str]) -> None:
    (tmp_path / "net.py").write_text(NETWORK.format(start=start))
    recipe = recipe_dict(model={"name": f"{tmp_path / 'net.py'}:make"}, epochs=1)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    done = subprocess.run(
        [sys.executable, MAIN, "train", "recipe.json"], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert (events[0], events[-1]) == ("start", "end")
    assert set(done.stderr.splitlines()) == {*PRINTED, *at_exit}


@pytest.mark.parametrize("command", ["lr", "code"])
def test_commands_that_do_not_train_print_nothing_else_either(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "net.py").write_text(NETWORK.format(start="pass").replace("atexit.register", ""))
    groups = [{"name": "head", "modules": ["fc"]}]
    recipe = recipe_dict(model={"name": f"{tmp_path / 'net.py'}:wrapped"}, groups=groups)
    with (tmp_path / "net.py").open("a") as file:
        file.write("def wrapped(in_channels, num_classes):\n    net = nn.Sequential()\n")
        file.write("    net.add_module('fc', make(in_channels, num_classes))\n    return net\n")
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    kept, claimed = os.dup(1), list[TextIO]()
    with open(1, "w", closefd=False) as out, open(2, "w", closefd=False) as err, monkeypatch.context() as process:
        for name, stream in (("stdout", out), ("__stdout__", out), ("stderr", err)):  # as a program has them
            process.setattr(sys, name, stream)
        process.setattr(printing, "claim_stdout", lambda: claimed.append(claim_stdout()) or claimed[-1])
        assert main.main([command, str(tmp_path / "recipe.json")], is_program=True) == 0
        claimed[0].close()
    os.dup2(kept, 1)
    os.close(kept)
    printed, error = capfd.readouterr()
    assert "in the function" in error
    assert not any(text in printed for text in PRINTED)
    assert printed.startswith('{"epoch": 1' if command == "lr" else "# ")


def test_standard_output_that_is_closed_takes_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with claim_stdout() as output:
        print("nowhere", file=output, flush=True)

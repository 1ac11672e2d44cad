"""What the window asks of the engine: PyTorch is imported by one thread at a time."""

from __future__ import annotations

import subprocess
import sys

from tests.engine.running import MAIN

# One thread begins to import PyTorch; then the other asks for a curve. If that imported torch.optim at once, it would
# hold the lock of torch.optim and wait for torch, while the import of torch needs torch.optim.
TWO_THREADS = """
import sys
import threading
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from engine.messages.preview import CurveQuery
from engine.recipe.recipe import Recipe
from engine.training import queries

begun, answers = threading.Event(), []


class Pause(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "torch":
            return None
        spec = PathFinder.find_spec(name, path)
        spec.loader.create_module = self.pause
        return spec

    def pause(self, spec):
        begun.set()
        other.join(1.0)  # time for the other thread to get into the way


def ask(work):
    try:
        answers.append(type(work()).__name__)
    except BaseException as error:
        answers.append(repr(error))


sys.meta_path.insert(0, Pause())
query = CurveQuery(key="plan", recipe=Recipe())
first = threading.Thread(target=ask, args=(queries.load_torch,))
other = threading.Thread(target=ask, args=(lambda: (begun.wait(), queries.curve(query, lambda: False))[1],))
for thread in (other, first):
    thread.start()
for thread in (first, other):
    thread.join()
print(sorted(answers))
"""


def test_two_threads_that_need_pytorch_at_once_both_get_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_THREADS], cwd=MAIN.parent, capture_output=True, text=True, timeout=100
    )
    assert (done.stdout, done.stderr) == ("['Curve', 'list']\n", "")

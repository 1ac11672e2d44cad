"""The process of a worker: ``python -m tests.benchmarks.worker_main KIND RECIPE [ARGUMENT ...]``.

It prints a line of JSON when it is ready, then reads lines with a number of batches, trains that many, and prints a
line of JSON with the results. It ends with its input.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any, Final

import main
from engine.hardware import freed_memory
from engine.recipe.recipe import Recipe, recipe_from_json

TICKING: Final = "ticking"
"""After the number of batches: the window's worker also measures the gaps between ticks of its event loop."""


def send(result: dict[str, Any]) -> None:
    """Print a line for the parent process."""
    print(json.dumps(result), flush=True)


def requests() -> Iterable[int]:
    """The numbers of batches that the parent process asks for."""
    return map(int, iter(sys.stdin.readline, ""))


def engine(recipe: Recipe) -> None:
    """The engine as in ``main.py train``: library, metrics, printed events."""
    main.prepare()
    from tests.benchmarks.engine import segment_of
    from tests.benchmarks.live_run import live_run

    with live_run(recipe) as run:
        assert run.start is not None
        send({"threads": run.start.threads})
        for batches in requests():
            send({"images_per_second": segment_of(run, batches)})


def bare(recipe: Recipe, threads: str, memory: str = "plain") -> None:
    """Forward, backward and step on one batch; ``memory`` "kept" keeps freed memory, as the engine does."""
    import torch

    if memory == "kept":
        freed_memory.keep()
    from tests.benchmarks.engine import BareLoop, images_of

    torch.set_num_threads(int(threads))
    loop = BareLoop(images_of(recipe), recipe)
    send({})
    for batches in requests():
        send({"images_per_second": loop.speed(batches)})


def peer(recipe: Recipe, name: str) -> None:
    """Another library that trains the same network on the same images, a short epoch at a time."""
    from tests.benchmarks.peers import speed_of, split_of

    split = split_of(recipe)
    send({})
    for _ in requests():
        send({"images_per_second": speed_of(name, recipe, split)})


def window(recipe: Recipe) -> None:
    """The engine with the window open, as in ``main.py``."""
    main.prepare()
    from tests.benchmarks.window_worker import serve

    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        serve(recipe, folder)


KINDS: dict[str, Callable[..., None]] = {"engine": engine, "bare": bare, "peer": peer, "window": window}

if __name__ == "__main__":
    KINDS[sys.argv[1]](recipe_from_json(sys.argv[2]), *sys.argv[3:])

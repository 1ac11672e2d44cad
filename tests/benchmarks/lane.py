"""The other end of ``tests.benchmarks.lanes``: ``python -m tests.benchmarks.lane KIND RECIPE [WORD ...]``.

Says a line of JSON when it is ready, and one for each line with a number of batches that it reads; ends with the input.
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

Piece = Callable[[int], dict[str, Any]]
TICKING: Final = "ticking"
"""Word after a number of batches: the window's lane notes the gaps between ticks of its loop meanwhile."""


def say(what: dict[str, Any]) -> None:
    """One line to the parent."""
    print(json.dumps(what), flush=True)


def asked() -> Iterable[int]:
    """The numbers of batches that the parent asks for."""
    return map(int, iter(sys.stdin.readline, ""))


def engine(recipe: Recipe) -> None:
    """The engine as ``main.py train`` has it: library, metrics, events printed."""
    main.prepare()
    from tests.benchmarks.engine_speed import piece_of
    from tests.benchmarks.live import live_run

    with live_run(recipe) as run:
        assert run.start is not None
        say({"threads": run.start.threads})
        for batches in asked():
            say({"images_per_second": piece_of(run, batches)})


def bare(recipe: Recipe, threads: str, memory: str = "plain") -> None:
    """Forward, backward and step on one batch; ``memory`` "kept": with the engine's way with freed memory."""
    import torch

    if memory == "kept":
        freed_memory.keep()
    from tests.benchmarks.engine_speed import BareLoop, images_of

    torch.set_num_threads(int(threads))
    loop = BareLoop(images_of(recipe), recipe)
    say({})
    for batches in asked():
        say({"images_per_second": loop.speed(batches)})


def peer(recipe: Recipe, name: str) -> None:
    """Another way to train the same network on the same images, an epoch of a few batches at a time."""
    from tests.benchmarks.peers import speed_of, split_of

    split = split_of(recipe)
    say({})
    for _ in asked():
        say({"images_per_second": speed_of(name, recipe, split)})


def window(recipe: Recipe) -> None:
    """The engine with the window open, as ``main.py`` has it."""
    main.prepare()
    from tests.benchmarks.window_lane import serve

    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        serve(recipe, folder)


KINDS: dict[str, Callable[..., None]] = {"engine": engine, "bare": bare, "peer": peer, "window": window}

if __name__ == "__main__":
    KINDS[sys.argv[1]](recipe_from_json(sys.argv[2]), *sys.argv[3:])

"""The suggestions of the LR range test, judged by training with them: against the best LR of a grid."""

from __future__ import annotations

import gzip
import os
import statistics
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from engine.messages.commands import FindLR
from engine.messages.events import EndEvent, EpochEvent, Event
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from engine.training.queries import find_lr
from engine.training.trainer import Trainer
from tests.benchmarks.live_run import Row

STEADY_BELOW: Final = 5.0
"""The steady suggestion lies at most so many times below the best LR, and not above it."""
BOLD_WITHIN: Final = 2.0
"""The bold suggestion lies within this factor of the best LR."""
AS_GOOD: Final = 1.3
"""LRs whose validation loss is within this factor of the least are among the best: seeds differ by as much."""
SEEDS: Final = (0, 1)
GRIDS: Final = {"SGD": (0.003, 0.01, 0.03, 0.1, 0.3), "AdamW": (0.001, 0.003, 0.01, 0.03, 0.1)}
EPOCHS: Final = {"digits": 5, "mnist": 3, "fashion_mnist": 3}
FOLDERS: Final = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
IMAGES: Final = {"train": 6400, "t10k": 1000}


def suggestions_against_grid() -> Iterator[Row]:
    """Each data set and optimizer: the suggestions, the grid's best LRs, and the validation loss of each.

    Of MNIST and Fashion-MNIST the first 6,400 training images are used. They are looked for where ``TILLER_TEST_DATA``
    says, and left out without it.
    """
    data = os.environ.get("TILLER_TEST_DATA")
    with tempfile.TemporaryDirectory() as folder:
        for name in EPOCHS:
            if name in FOLDERS:
                if data is None:
                    continue
                _first_images(Path(data), Path(folder), FOLDERS[name])
            for optimizer in GRIDS:
                yield from _judged(name, optimizer, folder)


def _judged(name: str, optimizer: str, root: str) -> Iterator[Row]:
    def recipe(lr: float, seed: int = 0) -> Recipe:
        made: dict[str, Any] = {"name": optimizer, "lr": lr}
        return Recipe.model_validate(
            {
                "data": {"name": name, "batch_size": 64, "root": root if name in FOLDERS else None},
                "model": {"name": "small_cnn"},
                "optimizer": {**made, "momentum": 0.9} if optimizer == "SGD" else made,
                "schedule": {"name": "Constant"},
                "epochs": EPOCHS[name],
                "seed": seed,
                "device": "cpu",
            }
        )

    found = {s.kind: s.lr for s in find_lr(recipe(0.01), FindLR(), lambda *_: None, lambda: False).suggestions}
    losses = {lr: _mean([_trained(recipe(lr, seed)) for seed in SEEDS]) for lr in GRIDS[optimizer]}
    known = {lr: loss for lr, loss in losses.items() if loss is not None}
    good = [lr for lr, loss in known.items() if loss <= AS_GOOD * min(known.values())]
    for kind in ("steady", "bold"):
        lr = found.get(kind)
        loss = _mean([_trained(recipe(lr, seed)) for seed in SEEDS]) if lr is not None else None
        below, above = (STEADY_BELOW, 1.0) if kind == "steady" else (BOLD_WITHIN, BOLD_WITHIN)
        fits = lr is not None and loss is not None and any(best / below <= lr <= best * above for best in good)
        yield {
            "what": f"{name}, {optimizer}: {kind} suggestion fits (goal: 1)",
            "value": int(fits),
            "unit": "",
            "lr": lr,
            "val_loss": loss,
            "best": good,
            "grid": {str(lr): loss for lr, loss in losses.items()},
        }


def _trained(recipe: Recipe) -> float | None:
    """The mean validation loss of the last two epochs; None if the run diverged."""
    events: list[Event] = []
    end: EndEvent = Trainer(Job(recipe=recipe), events.append).run()
    losses = [event.val_loss for event in events if isinstance(event, EpochEvent)]
    return statistics.fmean(losses[-2:]) if end.reason == "finished" else None


def _mean(losses: list[float | None]) -> float | None:
    """Their mean; None if there is none for one of them."""
    known = [loss for loss in losses if loss is not None]
    return statistics.fmean(known) if len(known) == len(losses) else None


def _first_images(data: Path, root: Path, folder: str) -> None:
    """Copy the first images of a set in MNIST's format (IDX) from ``data`` to ``root``."""
    (root / folder / "raw").mkdir(parents=True)
    for part, count in IMAGES.items():
        for kind, rank in (("images-idx3", 3), ("labels-idx1", 1)):
            name = Path(folder) / "raw" / f"{part}-{kind}-ubyte"
            packed = data / name.with_name(f"{name.name}.gz")
            content = gzip.decompress(packed.read_bytes()) if packed.exists() else (data / name).read_bytes()
            magic, _, *shape = struct.unpack(f">{1 + rank}I", content[: 4 + 4 * rank])
            size = 1
            for side in shape:
                size *= side
            begin = 4 + 4 * rank
            head = struct.pack(f">{1 + rank}I", magic, count, *shape)
            (root / name).write_bytes(head + content[begin : begin + count * size])

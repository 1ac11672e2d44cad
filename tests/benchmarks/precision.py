"""The speed of each precision and of fused optimizers, over that of the default."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import torch

from engine.data.image_set import ImageSet
from engine.hardware.precision import set_tf32
from engine.recipe.recipe import SGD, Adam, AdamW, Recipe
from engine.training.loop import Loop
from engine.training.run_state import RunState
from tests.benchmarks.engine import images, ratio, recipe
from tests.benchmarks.live_run import Row

_CUDA = torch.cuda.is_available()
_DEVICE = torch.device("cuda:0" if _CUDA else "cpu")
_PLAIN = SGD(lr=0.01, momentum=0.9)
CHOICES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bfloat16": ({"precision": "bfloat16"}, {}),
    "float16": ({"precision": "float16"}, {}),
    "tf32": ({"precision": "tf32"}, {}),
    "fused SGD": ({"optimizer": _PLAIN.model_copy(update={"fused": True})}, {"optimizer": _PLAIN}),
    "fused Adam": ({"optimizer": Adam(fused=True)}, {"optimizer": Adam()}),
    "fused AdamW": ({"optimizer": AdamW(fused=True)}, {"optimizer": AdamW()}),
}


def choices_against_defaults() -> Iterator[Row]:
    """Steps per second with each choice over those without it, in turn A B B A."""
    image_set = images()
    for name, (chosen, plain) in CHOICES.items():
        if name == "tf32" and not _CUDA:
            yield {"what": "tf32: skipped, there is no NVIDIA GPU", "value": float("nan"), "unit": ""}
            continue
        slow = name == "float16" and not _CUDA  # a second or more per step
        one, other = _steps(recipe(**chosen), image_set), _steps(recipe(**plain), image_set)
        ratios, _ = ratio(one, other, steps=1 if slow else 40, pairs=1 if slow else 5)
        where = "a GPU" if _CUDA else "this CPU"
        yield {"what": f"{name} on {where}", "value": statistics.median(ratios), "unit": "ratio"}


def _steps(run: Recipe, image_set: ImageSet) -> Any:
    made = RunState(run, image_set, _DEVICE)
    made.training_mode()
    loop = Loop(made, lambda event: None)

    def step() -> None:
        set_tf32(run.precision == "tf32")
        loop.batch()
        if _CUDA:
            torch.cuda.synchronize()

    return step

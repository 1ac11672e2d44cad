"""The engine against the limit of the machine: real MNIST where TILLER_TEST_DATA names it, else images of its shape."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine import data
from engine.data import ImageSet, Split
from engine.loop import Loop
from engine.recipe import DataSpec, Recipe
from engine.run_state import RunState
from engine.schedules import Constant

Row = dict[str, Any]
CPU = torch.device("cpu")
STEPS = 40
PAIRS = 5


def images() -> ImageSet:
    """MNIST, or random images of its shape."""
    root = os.environ.get("TILLER_TEST_DATA")
    if root and (Path(root) / "MNIST").is_dir():
        return data.load(DataSpec(name="mnist", root=root))
    random = np.random.default_rng(0)

    def split(count: int) -> Split:
        pixels = random.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
        return Split(pixels, random.integers(0, 10, count))

    return ImageSet("mnist", split(20_000), split(2_000), tuple("0123456789"))


def recipe(**changes: Any) -> Recipe:
    """Small CNN on MNIST, batch 128."""
    whole = {"data": DataSpec(name="mnist", batch_size=128), "schedule": Constant(), "epochs": 100, **changes}
    return Recipe(**whole)


def state(run: Recipe, image_set: ImageSet) -> RunState:
    """A run in training mode."""
    made = RunState(run, image_set, CPU)
    made.training_mode()
    return made


def engine_against_bare_loop() -> Iterator[Row]:
    """Everything on (metrics, reports, rates) over forward, backward and step on one constant batch, A B B A."""
    image_set = images()
    ours, bare = state(recipe(), image_set), state(recipe(), image_set)
    x, y = bare.batches.batch(1, 0)
    loop = Loop(ours, lambda event: None)

    def step() -> None:
        bare.optimizer.zero_grad()
        functional.cross_entropy(bare.model(x), y).backward()
        bare.optimizer.step()

    ratios, speeds = ratio(lambda: loop.batch(), step)
    yield {"what": "engine over bare loop, images/s", "value": statistics.median(ratios), "unit": "ratio"}
    yield {"what": "engine", "value": statistics.median(speeds) * 128, "unit": "images/s"}


def batches_alone() -> Iterator[Row]:
    """Batches, augmented, over what the network can eat."""
    image_set = images()
    eaten = state(recipe(), image_set)
    fed = state(recipe(data=DataSpec(name="mnist", batch_size=128, augment=True)), image_set)
    loop, place = Loop(eaten, lambda event: None), iter(range(1_000_000))
    ratios, _ = ratio(lambda: fed.batches.batch(1, next(place) % fed.batches.per_epoch), lambda: loop.batch())
    yield {"what": "augmented batches over training, images/s", "value": statistics.median(ratios), "unit": "ratio"}


def bfloat16_against_float32() -> Iterator[Row]:
    """The same network in bfloat16 over float32."""
    image_set = images()
    short, whole = (Loop(state(recipe(precision=p), image_set), lambda e: None) for p in ("bfloat16", "float32"))
    ratios, _ = ratio(lambda: short.batch(), lambda: whole.batch())
    yield {"what": "bfloat16 over float32, images/s", "value": statistics.median(ratios), "unit": "ratio"}


def ratio(a: Callable[[], object], b: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Calls a second of ``a`` over those of ``b``, measured in turn A B B A; and those of ``a``."""
    for work in (a, b):
        repeat(work, 5)
    ratios, speeds = [], []
    for _ in range(PAIRS):
        first, second, third, fourth = (repeat(work, STEPS) for work in (a, b, b, a))
        ratios.append((first + fourth) / (second + third))
        speeds.append((first + fourth) / 2)
    return ratios, speeds


def repeat(work: Callable[[], object], times: int) -> float:
    """Calls a second."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - began)


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

"""The engine, compared with a bare PyTorch loop. Uses MNIST from TILLER_TEST_DATA, else random images of its shape."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from engine.common.position import Position
from engine.data.feeding import Host
from engine.data.image_set import ImageSet, Split
from engine.data.order import Order
from engine.data.registry import load
from engine.hardware.devices import choose, prepare
from engine.hardware.precision import autocast
from engine.messages.events import StartEvent
from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import Constant
from engine.training.loop import Loop
from engine.training.run_state import RunState
from tests.benchmarks.live_run import LiveRun, Row, interleaved
from tests.benchmarks.workers import PAIRS, Worker, in_turn, median_ratio, workers

CPU = torch.device("cpu")
BATCH = 128
STEPS = 40
SEGMENT = 100  # batches between two pauses; an epoch of MNIST has 469


def has_mnist() -> bool:
    """Whether TILLER_TEST_DATA has MNIST."""
    root = os.environ.get("TILLER_TEST_DATA")
    return bool(root) and (Path(root or "") / "MNIST").is_dir()


def images() -> ImageSet:
    """MNIST, or random images of its shape."""
    if has_mnist():
        return load(mnist())
    random = np.random.default_rng(0)

    def split(count: int) -> Split:
        pixels = random.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
        return Split(pixels, random.integers(0, 10, count))

    return ImageSet("mnist", split(20_000), split(2_000), tuple("0123456789"))


def mnist(**changes: Any) -> DataSpec:
    """MNIST in batches of 128."""
    return DataSpec(**{"name": "mnist", "batch_size": BATCH, "root": os.environ.get("TILLER_TEST_DATA"), **changes})


def recipe(**changes: Any) -> Recipe:
    """A small CNN on MNIST in batches of 128, with ``changes``."""
    whole = {"data": mnist(), "schedule": Constant(), "epochs": 100, "device": "cpu", **changes}
    return Recipe(**whole)


@cache
def images_of(run: Recipe) -> ImageSet:
    """The images that ``run`` trains on; random ones if MNIST is not there."""
    return images() if run.data.name == "mnist" else load(run.data)


def state(run: Recipe, image_set: ImageSet) -> RunState:
    """A run in training mode, on the recipe's device."""
    device = choose(run.device)[0]
    prepare(device)
    made = RunState(run, image_set, device)
    made.training_mode()
    return made


def synchronise(device: torch.device) -> None:
    """Wait for all work that is queued on ``device``."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class BareLoop:
    """Forward, backward and step on one constant batch, channels last: the limit for this network on this machine."""

    def __init__(self, image_set: ImageSet, run: Recipe | None = None) -> None:
        run = run or recipe()
        made = state(run, image_set)
        self.model, self.optimizer, self.device = made.model, made.optimizer, made.device
        self.x, self.y = made.batches.batch(1, 0)
        self._precision = run.precision
        for _ in range(5):
            self.step()

    def step(self) -> None:
        """One batch."""
        self.optimizer.zero_grad()
        with autocast(self.device, self._precision):
            scores = self.model(self.x)
        functional.cross_entropy(scores.float(), self.y).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def speed(self, batches: int = SEGMENT) -> float:
        """Images per second."""
        synchronise(self.device)
        began = time.perf_counter()
        for _ in range(batches):
            self.step()
        synchronise(self.device)
        return batches * len(self.y) / (time.perf_counter() - began)


def engine_against_bare_loop() -> Iterator[Row]:
    """A run without a window (metrics, printed events, library) over a bare loop with as many threads, A B B A."""
    if not has_mnist():
        yield {"what": "skipped: TILLER_TEST_DATA names no folder with MNIST", "value": float("nan"), "unit": ""}
        return
    for memory, what in (("kept", "run over bare loop that keeps freed memory"), ("plain", "run over bare loop")):
        engine = Worker("engine", recipe())
        with workers(engine, Worker("bare", recipe(), str(engine.ready["threads"]), memory)) as (ours, bare):
            pairs = in_turn(ours, bare, SEGMENT, 2 * PAIRS)
        yield {"what": f"{what}, images/s (goal: 0.95)", "value": median_ratio(pairs), "unit": "ratio"}
        yield {
            "what": "run without a window",
            "value": statistics.median(ours for ours, _ in pairs),
            "unit": "images/s",
        }
        yield {"what": "bare loop", "value": statistics.median(limit for _, limit in pairs), "unit": "images/s"}


def segment_of(run: LiveRun, batches: int = SEGMENT) -> float:
    """Train the next segment of a run, as ``segment_after`` places it; returns images per second."""
    assert run.start is not None
    begin, end = segment_after(run.at, batches, run.start.batches_per_epoch)
    if begin != run.at:
        run.train_to(begin)
    return images_between(begin, end, run.start) / run.train_to(end)


def segment_after(at: Position, batches: int, per_epoch: int) -> tuple[Position, Position]:
    """Where the next segment of ``batches`` begins and ends: within one epoch, or as whole epochs."""
    if batches < per_epoch:
        begin = at if at.batch + batches < per_epoch else Position(epoch=at.epoch + 1)
        return begin, Position(epoch=begin.epoch, batch=begin.batch + batches)
    begin = at if not at.batch else Position(epoch=at.epoch + 1)
    return begin, Position(epoch=begin.epoch + batches // per_epoch)


def images_between(begin: Position, end: Position, start: StartEvent) -> int:
    """The number of training images between two positions, counting every batch as full."""
    batches = (end.epoch - begin.epoch) * start.batches_per_epoch + end.batch - begin.batch
    return batches * start.recipe.data.batch_size


def batches_against_training() -> Iterator[Row]:
    """The speed of producing batches, augmented and not, over that of training on them."""
    image_set = images()
    loop = Loop(state(recipe(), image_set), lambda event: None)

    def train() -> None:
        if loop.at_epochs_end:
            loop.state.position = Position(epoch=loop.state.position.epoch + 1)
        loop.batch()

    for what, how in (("", mnist()), ("augmented ", mnist(augment=True))):
        fed, place = state(recipe(data=how), image_set).batches, iter(range(1_000_000))
        ratios, speeds = ratio(lambda: fed.batch(1, next(place) % fed.per_epoch), train)  # noqa: B023
        goal = " (goal: 20)" if what else ""
        yield {"what": f"{what}batches over training{goal}", "value": statistics.median(ratios), "unit": "ratio"}
        yield {"what": f"{what}batches", "value": statistics.median(speeds) * BATCH, "unit": "images/s"}
    order = Order(len(image_set.train.labels), BATCH, 0)
    host, place = Host(image_set.train, order, CPU), iter(range(1_000_000))
    ratios, _ = ratio(lambda: host.take(Position(epoch=1, batch=next(place) % order.per_epoch)), train)
    host.close()
    yield {"what": "gathered by a thread over training", "value": statistics.median(ratios), "unit": "ratio"}


def bfloat16_against_float32() -> Iterator[Row]:
    """Training in bfloat16 over training in float32."""
    image_set = images()
    short, whole = (Loop(state(recipe(precision=p), image_set), lambda e: None) for p in ("bfloat16", "float32"))
    ratios, _ = ratio(lambda: short.batch(), lambda: whole.batch())
    has = bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    amx = bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())
    yield {"what": "bfloat16 over float32 (goal: 1.25)", "value": statistics.median(ratios), "unit": "ratio"}
    yield {"what": "this CPU has bfloat16 (AVX512)", "value": float(has), "unit": "0 or 1"}
    yield {"what": "this CPU has bfloat16 tiles (AMX)", "value": float(amx), "unit": "0 or 1"}


def ratio(
    a: Callable[[], object], b: Callable[[], object], steps: int = STEPS, pairs: int = PAIRS
) -> tuple[list[float], list[float]]:
    """Calls per second of ``a`` over those of ``b``, measured in turn A B B A; and those of ``a``."""
    for work in (a, b):
        repeat(work, min(5, steps))
    found = list(interleaved(lambda: repeat(a, steps), lambda: repeat(b, steps), pairs))
    return [one / other for one, other in found], [one for one, _ in found]


def repeat(work: Callable[[], object], times: int) -> float:
    """Call ``work`` ``times`` times; returns calls per second."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - began)


def seconds(work: Callable[[], object]) -> float:
    """The duration of ``work`` in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

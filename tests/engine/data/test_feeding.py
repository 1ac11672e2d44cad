"""Every feed gives the same batches, and leaves no thread or process behind."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.data import batches as batches_module
from engine.data.batches import Batches
from engine.data.feeding import Host, Mapped, Resident, feed_for
from engine.data.image_set import ImageSet, Split
from engine.data.order import Order
from engine.data.registry import load
from engine.hardware.memory import data_share, host_memory
from engine.recipe.recipe import DataSpec
from engine.training.job import Job
from tests.engine.running import DEVICES, SECONDS, recipe, run

HOW = DataSpec(batch_size=100, augment=True, cutout=2)
# in order over an epoch's end, again, back, and far ahead
PLACES = [(1, i) for i in range(15)] + [(2, 0), (2, 0), (1, 3), (1, 4), (9, 14), (10, 0)]


def digits() -> ImageSet:
    return load(DataSpec())


def in_a_file(split: Split, path: Path) -> Split:
    """The same images in a file behind a header, as in an IDX file, mapped into memory."""
    path.write_bytes(b"head" + split.images.tobytes())
    return Split(np.memmap(path, np.uint8, "c", 4, split.images.shape), split.labels)


def taken(images: ImageSet, share: float, device: str, batches: list[tuple[int, int]]) -> list[torch.Tensor]:
    feed = Batches(images, HOW, 3, torch.device(device), share)
    try:
        found = [t.clone() for batch in batches for t in feed.batch(*batch)]
        return found + [t.clone() for pair in feed.validation() for t in pair]
    finally:
        feed.close()


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(torch.equal(a, b) and a.stride() == b.stride() for a, b in pairs)


@pytest.mark.parametrize("device", DEVICES)
def test_host_memory_gives_the_same_batches_as_the_device_in_any_order(device: str) -> None:
    images = digits()
    assert same(taken(images, 0.0, device, PLACES), taken(images, 1.0, device, PLACES))
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_a_file_read_by_other_processes_gives_the_same_batches(tmp_path: Path) -> None:
    images = digits()
    mapped = ImageSet("digits", in_a_file(images.train, tmp_path / "images"), images.val, images.classes)
    batches = [(1, 13), (1, 14), (2, 0), (1, 2)]
    random = torch.get_rng_state()
    assert same(taken(mapped, 1.0, "cpu", batches), taken(images, 1.0, "cpu", batches))
    assert torch.equal(random, torch.get_rng_state()), "a DataLoader draws from the run's stream if it may"
    until = time.monotonic() + SECONDS
    while multiprocessing.active_children() and time.monotonic() < until:
        time.sleep(0.01)
    assert not multiprocessing.active_children()


def test_the_share_of_the_memory_decides_which_feed_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, order, cpu = digits().train, Order(1437, 100, 0), torch.device("cpu")
    needed = train.images.nbytes
    monkeypatch.setattr("engine.data.feeding.memory", lambda device: 2 * needed)
    for share, kind in ((0.5, Resident), (0.49, Host)):
        feed = feed_for(train, order, cpu, share)
        assert type(feed) is kind
        feed.close()
    assert type(feed_for(in_a_file(train, tmp_path / "images"), order, cpu, 1.0)) is Mapped
    assert batches_module.DEFAULT_SHARE == 0.5


def test_the_next_batch_is_gathered_ahead() -> None:
    feed = Host(digits().train, Order(1437, 100, 0), torch.device("cpu"))
    try:
        feed.take(Position(epoch=1, batch=0))
        ahead = feed._ahead
        assert ahead is not None
        assert ahead.position == Position(epoch=1, batch=1)
        images, _ = ahead.batch.result(timeout=SECONDS)
        assert feed.take(Position(epoch=1, batch=1))[0] is images
    finally:
        feed.close()


class Noted(Order):
    """An order that records which batches were gathered."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        super().__init__(count, batch_size, seed)
        self.gathered: list[Position] = []

    def chosen(self, position: Position) -> torch.Tensor:
        self.gathered.append(position)
        return super().chosen(position)


def test_every_batch_is_gathered_once_if_they_are_taken_in_order() -> None:
    order = Noted(1437, 500, 0)
    feed = Host(digits().train, order, torch.device("cpu"))
    positions = [Position(epoch=epoch, batch=batch) for epoch, batch in ((1, 0), (1, 1), (1, 2), (2, 0), (2, 1))]
    for position in positions:
        feed.take(position)
    feed.close()  # waits for the batch that is being gathered
    assert order.gathered == [*positions, Position(epoch=2, batch=2)]


def test_the_processes_that_read_ahead_continue_into_the_next_epoch(tmp_path: Path) -> None:
    feed = Mapped(in_a_file(digits().train, tmp_path / "images"), Order(1437, 500, 0), torch.device("cpu"))
    feed.take(Position(epoch=1, batch=1))
    stream = feed._stream
    for position in (Position(epoch=1, batch=2), Position(epoch=2, batch=0), Position(epoch=2, batch=1)):
        feed.take(position)
        assert feed._stream is stream
    feed.close()


def test_a_run_ends_with_the_same_weights_with_each_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(Job(recipe=recipe(), data_share=1.0)).end.weights_sha256
    assert run(Job(recipe=recipe(), data_share=0.0)).end.weights_sha256 == whole
    monkeypatch.setenv("TILLER_DATA_SHARE", "0")
    assert run(recipe()).end.weights_sha256 == whole
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_the_share_is_given_or_set_in_the_environment_or_one_half(monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_share() == 0.5
    monkeypatch.setenv("TILLER_DATA_SHARE", "0.25")
    assert (data_share(), data_share(0.75), data_share("1"), data_share(0.0)) == (0.25, 0.75, 1.0, 0.0)
    for bad in ("much", "2", "-0.1", "nan"):
        with pytest.raises(SpecError, match="must be a number from 0 to 1"):
            data_share(bad)
    assert host_memory() > 1 << 28

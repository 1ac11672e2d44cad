"""Batches: their order is a function of (seed, epoch), and evaluation uses no random numbers."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from engine.common.position import Position
from engine.data.batches import Batches, normalisation
from engine.data.image_set import ImageSet, Split
from engine.data.order import Order, batches_in, epoch_order, stream_seed
from engine.data.registry import load
from engine.recipe.recipe import DataSpec
from engine.training.run_state import RunState
from engine.training.step import evaluate
from tests.engine.running import recipe

CPU = torch.device("cpu")


def digits() -> ImageSet:
    return load(DataSpec())


def batches(seed: int = 0, size: int = 100, shift: bool = False, images: ImageSet | None = None) -> Batches:
    return Batches(images or digits(), DataSpec(batch_size=size, augment=shift), seed, CPU)


def test_the_order_is_a_permutation_for_a_seed_and_an_epoch() -> None:
    order = epoch_order(1437, 0, 1)
    assert sorted(order.tolist()) == list(range(1437))
    torch.manual_seed(99)  # the order does not depend on the global generator
    assert torch.equal(order, epoch_order(1437, 0, 1))
    assert not torch.equal(order, epoch_order(1437, 0, 2))
    assert not torch.equal(order, epoch_order(1437, 1, 1))


def test_the_order_never_changes() -> None:
    """A checkpoint of one version must resume in the next."""
    assert stream_seed("order", 0, 1) == 224518690161945571
    assert epoch_order(8, 0, 1).tolist() == torch.randperm(8, generator=_generator(224518690161945571)).tolist()


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_batch_after_the_last_is_the_next_epochs_first() -> None:
    order = Order(count=250, batch_size=100, seed=0)
    positions = [Position(epoch=1, batch=0)]
    for _ in range(6):
        positions.append(order.after(positions[-1]))
    assert [(p.epoch, p.batch) for p in positions] == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)]


@pytest.mark.parametrize("shift", [False, True])
def test_batches_can_be_taken_in_any_order(shift: bool) -> None:
    """Epoch 3's batch 5 is the same whatever was taken before it."""
    one, other = batches(shift=shift), batches(shift=shift)
    for epoch in (1, 2, 3):
        for index in range(one.per_epoch):
            one.batch(epoch, index)
    x, y = one.batch(3, 5)
    again, labels = other.batch(3, 5)
    assert torch.equal(x, again)
    assert torch.equal(y, labels)


def test_an_epoch_has_every_training_image_once() -> None:
    feed = batches(size=512)
    labels = torch.cat([feed.batch(2, index)[1] for index in range(feed.per_epoch)])
    assert feed.per_epoch == 3
    assert torch.equal(labels.bincount(), torch.from_numpy(digits().train.labels).bincount())
    x, _ = feed.batch(2, 0)
    assert (x.shape, x.dtype) == ((512, 1, 8, 8), torch.float32)
    assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("count", "size", "wanted"), [(10, 5, 2), (11, 5, 2), (12, 5, 3), (1, 5, 1), (3, 5, 1), (5, 1, 5)]
)
def test_a_last_batch_of_a_single_image_is_left_out(count: int, size: int, wanted: int) -> None:
    """BatchNorm cannot train on one image."""
    assert batches_in(count, size) == wanted


def test_the_training_images_are_normalised_to_mean_0_and_deviation_1() -> None:
    feed = batches(size=2000)
    x, _ = feed.batch(1, 0)
    assert x.mean().item() == pytest.approx(0, abs=1e-5)
    assert x.std().item() == pytest.approx(1, abs=1e-3)
    black = np.zeros((4, 3, 2, 2), dtype=np.uint8)  # a deviation of 0 must not be a divisor
    assert all(bool(torch.isfinite(t).all()) for t in normalisation(black))


def test_the_validation_images_come_in_their_own_order() -> None:
    images = digits()
    split = Split(np.repeat(images.val.images, 3, axis=0), np.repeat(images.val.labels, 3))
    parts = list(batches(images=ImageSet("digits", images.train, split, images.classes)).validation())
    assert [len(y) for _, y in parts] == [512, 512, 56]
    assert torch.equal(torch.cat([y for _, y in parts]), torch.from_numpy(split.labels))


def test_taking_batches_and_evaluating_uses_no_global_random_numbers() -> None:
    state = RunState(recipe(data={"name": "digits", "batch_size": 512, "augment": True}), digits(), CPU)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index]
    for index in range(state.batches.per_epoch):
        state.batches.batch(1, index)
    weights = {name: t.clone() for name, t in state.model.state_dict().items()}
    first = evaluate(state.model, state.batches.validation(), CPU, "float32")
    assert first == evaluate(state.model, state.batches.validation(), CPU, "float32")
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    assert (before[2] == np.random.get_state()[1]).all()  # type: ignore[index]
    assert all(torch.equal(t, weights[name]) for name, t in state.model.state_dict().items())

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.data.augment import Augmentation, apply_policy, cutout, flip, max_shift, shift
from engine.recipe.recipe import DataSpec


def one_dot(count: int, height: int, width: int) -> Tensor:
    """Black images with a white pixel in the middle."""
    images = torch.zeros(count, 1, height, width, dtype=torch.uint8)
    images[:, :, height // 2, width // 2] = 255
    return images


def shifts(moved: Tensor) -> list[tuple[int, int]]:
    _, _, height, width = moved.shape
    found = moved[:, 0].nonzero()
    assert len(found) == len(moved), "every dot is still there, once"
    return [(int(y) - height // 2, int(x) - width // 2) for _, y, x in found]


def test_shift_is_a_function_of_seed_epoch_and_batch() -> None:
    images = one_dot(64, 28, 28)
    given = shifts(shift(images, seed=1, epoch=2, batch=3))
    torch.manual_seed(123)
    assert shifts(shift(images, seed=1, epoch=2, batch=3)) == given
    for seed, epoch, batch in ((2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 3, 2), (12, 2, 3), (1, 22, 3), (2**63 - 1, 2, 3)):
        assert shifts(shift(images, seed=seed, epoch=epoch, batch=batch)) != given


def test_the_shifts_of_one_batch_never_change() -> None:
    # a checkpoint resumed by a later version must get the same images
    assert shifts(shift(one_dot(4, 28, 28), seed=0, epoch=1, batch=0)) == [(-2, -1), (2, 0), (0, -1), (2, -2)]


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(28, 28, 3, 3), (8, 8, 1, 1), (4, 40, 1, 5)])
def test_every_shift_up_to_an_eighth_occurs_and_no_other(height: int, width: int, rows: int, columns: int) -> None:
    assert (max_shift(height), max_shift(width)) == (rows, columns)
    found = set(shifts(shift(one_dot(2000, height, width), seed=0, epoch=1, batch=0)))
    assert found == {(y, x) for y in range(-rows, rows + 1) for x in range(-columns, columns + 1)}


def test_the_border_of_a_shifted_image_has_its_darkest_value() -> None:
    images = torch.randn(50, 3, 8, 8) - 2
    moved = shift(images, seed=0, epoch=1, batch=0)
    dots = shift(one_dot(50, 8, 8), seed=0, epoch=1, batch=0)
    for image, result, (down, across) in zip(images, moved, shifts(dots), strict=True):
        expected = image.amin((1, 2), keepdim=True).expand_as(image).clone()
        rows, columns = slice(max(0, down), 8 + min(0, down)), slice(max(0, across), 8 + min(0, across))
        from_rows, from_columns = slice(max(0, -down), 8 - max(0, down)), slice(max(0, -across), 8 - max(0, across))
        expected[:, rows, columns] = image[:, from_rows, from_columns]
        assert torch.equal(result, expected)


def test_shift_keeps_type_and_shape_and_does_not_modify_its_input() -> None:
    for dtype in (torch.uint8, torch.float32, torch.bfloat16):
        images = (torch.rand(5, 3, 9, 12) * 255).to(dtype).to(memory_format=torch.channels_last)
        before = images.clone()
        moved = shift(images, seed=0, epoch=1, batch=0)
        assert (moved.dtype, moved.shape) == (dtype, images.shape)
        assert torch.equal(images, before)


def test_torchs_generator_is_not_used() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    shift(one_dot(8, 8, 8), seed=0, epoch=1, batch=0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.cuda
def test_cpu_and_cuda_agree() -> None:
    images = torch.randint(0, 256, (64, 3, 28, 28), dtype=torch.uint8)
    on_cuda = shift(images.cuda(), seed=0, epoch=1, batch=0)
    assert torch.equal(on_cuda.cpu(), shift(images, seed=0, epoch=1, batch=0))


# -- flip, cutout, policy


def dots(count: int) -> Tensor:
    """Images of 33 x 33 with a white pixel in the left half."""
    images = torch.zeros(count, 1, 33, 33, dtype=torch.uint8)
    images[:, :, 16, 5] = 255
    return images


def test_half_of_the_images_are_mirrored() -> None:
    flipped = flip(dots(2000), 0, 1, 0)
    left, right = int((flipped[:, 0, 16, 5] == 255).sum()), int((flipped[:, 0, 16, 27] == 255).sum())
    assert left + right == 2000
    assert 900 < right < 1100


def test_cutout_sets_a_square_to_the_channels_darkest_value() -> None:
    images = torch.full((500, 3, 33, 33), 200, dtype=torch.uint8)
    images[:, :, 0, 0] = 7
    blanked = cutout(images, 5, 0, 1, 0)
    missing = (blanked != images).flatten(1).sum(1) / 3
    assert missing.max() == 25
    assert missing.min() >= 4  # at a corner
    assert set(blanked.unique().tolist()) == {7, 200}
    columns = (blanked[:, 0] != images[:, 0]).any(1).sum(1)
    assert set(columns.tolist()) <= {3, 4, 5}


def colours(count: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("policy", ["RandAugment", "TrivialAugment"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_policy_draws_operations_for_each_image(policy: str, channels: int) -> None:
    same = colours(1)[:, :channels].expand(16, -1, -1, -1)
    changed = apply_policy(same, policy, 0, 1, 0)
    assert (changed.shape, changed.dtype) == (same.shape, torch.uint8)
    assert len({image.numpy().tobytes() for image in changed}) > 4


@pytest.mark.parametrize(
    "how",
    [
        DataSpec(flip=True),
        DataSpec(cutout=8),
        DataSpec(policy="RandAugment"),
        DataSpec(policy="TrivialAugment"),
        DataSpec(augment=True, flip=True, cutout=4, policy="TrivialAugment"),
    ],
    ids=str,
)
def test_augmentation_is_a_function_of_seed_epoch_and_batch_and_keeps_torchs_generator(how: DataSpec) -> None:
    images = colours(24)
    before = images.clone()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    given = Augmentation(how, 1)(images, 2, 3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    assert torch.equal(Augmentation(how, 1)(images, 2, 3), given)
    assert not torch.equal(given, images)
    assert torch.equal(images, before)
    for seed, epoch, batch in ((2, 2, 3), (1, 3, 3), (1, 2, 4)):
        assert not torch.equal(Augmentation(how, seed)(images, epoch, batch), given)


def test_without_augmentation_images_stay_as_they_are() -> None:
    images = colours(4)
    assert Augmentation(DataSpec(), 0)(images, 1, 0) is images

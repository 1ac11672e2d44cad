from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.augment import augment, max_shift


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


def test_it_is_a_function_of_seed_epoch_and_batch() -> None:
    images = one_dot(64, 28, 28)
    given = shifts(augment(images, seed=1, epoch=2, batch=3))
    torch.manual_seed(123)
    assert shifts(augment(images, seed=1, epoch=2, batch=3)) == given
    for seed, epoch, batch in ((2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 3, 2), (12, 2, 3), (1, 22, 3), (2**63 - 1, 2, 3)):
        assert shifts(augment(images, seed=seed, epoch=epoch, batch=batch)) != given


def test_the_shifts_of_one_batch_are_what_they_always_were() -> None:
    # spelled out: a snapshot resumed by a later version must see the same images
    assert shifts(augment(one_dot(4, 28, 28), seed=0, epoch=1, batch=0)) == [(-2, -1), (2, 0), (0, -1), (2, -2)]


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(28, 28, 3, 3), (8, 8, 1, 1), (4, 40, 1, 5)])
def test_every_shift_up_to_an_eighth_occurs_and_no_other(height: int, width: int, rows: int, columns: int) -> None:
    assert (max_shift(height), max_shift(width)) == (rows, columns)
    found = set(shifts(augment(one_dot(2000, height, width), seed=0, epoch=1, batch=0)))
    assert found == {(y, x) for y in range(-rows, rows + 1) for x in range(-columns, columns + 1)}


def test_images_are_moved_whole_and_the_border_takes_the_darkest_value() -> None:
    images = torch.randn(50, 3, 8, 8) - 2
    moved = augment(images, seed=0, epoch=1, batch=0)
    dots = augment(one_dot(50, 8, 8), seed=0, epoch=1, batch=0)
    for image, result, (down, across) in zip(images, moved, shifts(dots), strict=True):
        expected = image.amin((1, 2), keepdim=True).expand_as(image).clone()
        rows, columns = slice(max(0, down), 8 + min(0, down)), slice(max(0, across), 8 + min(0, across))
        from_rows, from_columns = slice(max(0, -down), 8 - max(0, down)), slice(max(0, -across), 8 - max(0, across))
        expected[:, rows, columns] = image[:, from_rows, from_columns]
        assert torch.equal(result, expected)


def test_type_shape_and_the_original_are_kept() -> None:
    for dtype in (torch.uint8, torch.float32, torch.bfloat16):
        images = (torch.rand(5, 3, 9, 12) * 255).to(dtype).to(memory_format=torch.channels_last)
        before = images.clone()
        moved = augment(images, seed=0, epoch=1, batch=0)
        assert (moved.dtype, moved.shape) == (dtype, images.shape)
        assert torch.equal(images, before)


def test_torchs_own_generator_is_neither_read_nor_moved() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    augment(one_dot(8, 8, 8), seed=0, epoch=1, batch=0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cpu_and_cuda_agree() -> None:
    images = torch.randint(0, 256, (64, 3, 28, 28), dtype=torch.uint8)
    on_cuda = augment(images.cuda(), seed=0, epoch=1, batch=0)
    assert torch.equal(on_cuda.cpu(), augment(images, seed=0, epoch=1, batch=0))

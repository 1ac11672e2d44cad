"""Random changes to a batch on its device, as functions of (seed, epoch, batch) and of nothing else.

torch's global generators are neither read nor moved. What is drawn is drawn on the CPU, so that every device draws the
same.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from engine.recipe.recipe import DataSpec


class Augmentation:
    """What a recipe asks to be done to training images: a policy's operations, then flip, shift and cutout.

    Args:
        how: the data's fields of a recipe; ``augment`` is the shift.
        seed: the recipe's seed.
    """

    def __init__(self, how: DataSpec, seed: int) -> None:
        self._how, self._seed = how, seed

    def __call__(self, images: Tensor, epoch: int, batch: int) -> Tensor:
        """``images`` (uint8 [B, C, H, W], not changed) as they are in ``batch`` (from 0) of ``epoch`` (from 1)."""
        how, at = self._how, (self._seed, epoch, batch)
        if how.policy != "none":
            images = by_policy(images, how.policy, *at)
        if how.flip:
            images = flip(images, *at)
        if how.augment:
            images = shift(images, *at)
        return cutout(images, how.cutout, *at) if how.cutout else images


def shift(images: Tensor, seed: int, epoch: int, batch: int) -> Tensor:
    """Each image moved by up to an eighth of its size (at least one pixel) down and across.

    The same as a random crop of the padded image. What is uncovered takes the darkest value of the image's channel: the
    background of every built-in set, whether its pixels are uint8 or normalised.

    Args:
        images: [B, C, H, W], any type, any device; not changed.
        seed: the recipe's seed.
        epoch: from 1.
        batch: from 0.

    Returns:
        The moved images, of the same shape, type and device.
    """
    count, channels, height, width = images.shape
    rows, columns = max_shift(height), max_shift(width)
    generator = _generator("augment", seed, epoch, batch)
    down = torch.randint(-rows, rows + 1, (count, 1), generator=generator)[:, 0].to(images.device)
    across = torch.randint(-columns, columns + 1, (count, 1), generator=generator)[:, 0].to(images.device)
    size = (count, channels, height + 2 * rows, width + 2 * columns)
    padded = images.amin((2, 3), keepdim=True).expand(size).contiguous()
    padded[:, :, rows : rows + height, columns : columns + width] = images
    # every crop of every padded image, as views: [B, C, down, across, H, W]; row y of the result is row y - down
    crops = padded.unfold(2, height, 1).unfold(3, width, 1)
    return crops[torch.arange(count, device=images.device), :, rows - down, columns - across]


def flip(images: Tensor, seed: int, epoch: int, batch: int) -> Tensor:
    """Each image [B, C, H, W], with a chance of one half, mirrored left to right."""
    mirrored = torch.rand(len(images), generator=_generator("flip", seed, epoch, batch)) < 0.5
    return torch.where(mirrored.to(images.device)[:, None, None, None], images.flip(3), images)


def cutout(images: Tensor, side: int, seed: int, epoch: int, batch: int) -> Tensor:
    """Each image [B, C, H, W] with a square of ``side`` pixels, centred anywhere in it, at its channel's darkest value.

    DeVries and Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout".
    """
    count, _, height, width = images.shape
    generator = _generator("cutout", seed, epoch, batch)
    top = torch.randint(0, height, (count, 1), generator=generator).to(images.device) - side // 2
    left = torch.randint(0, width, (count, 1), generator=generator).to(images.device) - side // 2
    y, x = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    rows, columns = (y >= top) & (y < top + side), (x >= left) & (x < left + side)
    within = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(within, images.amin((2, 3), keepdim=True), images)


def by_policy(images: Tensor, policy: str, seed: int, epoch: int, batch: int) -> Tensor:
    """Each image of uint8 [B, C, H, W] changed by torchvision's ``RandAugment`` or ``TrivialAugment``.

    They draw from torch's global generator of the CPU, which has the batch's seed meanwhile and then its state again.
    """
    from torchvision.transforms import v2

    change = v2.RandAugment() if policy == "RandAugment" else v2.TrivialAugmentWide()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_batch_seed(policy, seed, epoch, batch))
        return torch.stack([change(image) for image in images])


def max_shift(size: int) -> int:
    """The largest shift, in pixels, of an image that is ``size`` pixels long."""
    return max(1, size // 8)


def _generator(what: str, seed: int, epoch: int, batch: int) -> torch.Generator:
    return torch.Generator().manual_seed(_batch_seed(what, seed, epoch, batch))


def _batch_seed(what: str, seed: int, epoch: int, batch: int) -> int:
    digest = hashlib.blake2b(f"{what} {seed} {epoch} {batch}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1

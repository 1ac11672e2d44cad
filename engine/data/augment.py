"""Augmentation of a batch on its device, a function of (seed, epoch, batch) only.

torch's global generators are left as they are. Random numbers are drawn on the CPU, so that they are the same on every
device.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from engine.hardware.transfer import to_device
from engine.recipe.recipe import DataSpec


class Augmentation:
    """The augmentation of a recipe: a policy's operations, then flip, shift and cutout.

    Args:
        spec: the recipe's ``data``; its ``augment`` is the shift.
        seed: the recipe's seed.
    """

    def __init__(self, spec: DataSpec, seed: int) -> None:
        self._spec, self._seed = spec, seed

    def __call__(self, images: Tensor, epoch: int, batch: int) -> Tensor:
        """Augment ``images`` (uint8 [B, C, H, W], not modified) of ``batch`` (from 0) of ``epoch`` (from 1)."""
        spec, key = self._spec, (self._seed, epoch, batch)
        if spec.policy != "none":
            images = apply_policy(images, spec.policy, *key)
        if spec.flip:
            images = flip(images, *key)
        if spec.augment:
            images = shift(images, *key)
        return cutout(images, spec.cutout, *key) if spec.cutout else images


def shift(images: Tensor, seed: int, epoch: int, batch: int) -> Tensor:
    """Shift each image by up to an eighth of its size (at least one pixel) vertically and horizontally.

    This is a random crop of the padded image. The padding has the darkest value of the image's channel: the background
    in every built-in data set, whether its pixels are uint8 or normalised.

    Args:
        images: [B, C, H, W], any type, any device; not modified.
        seed: the recipe's seed.
        epoch: from 1.
        batch: from 0.

    Returns:
        The shifted images, of the same shape, type and device.
    """
    count, channels, height, width = images.shape
    rows, columns = max_shift(height), max_shift(width)
    generator = _generator("augment", seed, epoch, batch)
    drawn = [torch.randint(-most, most + 1, (count, 1), generator=generator)[:, 0] for most in (rows, columns)]
    down, across = to_device(torch.stack(drawn), images.device)
    size = (count, channels, height + 2 * rows, width + 2 * columns)
    padded = images.amin((2, 3), keepdim=True).expand(size).contiguous()
    padded[:, :, rows : rows + height, columns : columns + width] = images
    # views of every crop of every padded image: [B, C, down, across, H, W]; row y of the result is row y - down
    crops = padded.unfold(2, height, 1).unfold(3, width, 1)
    return crops[torch.arange(count, device=images.device), :, rows - down, columns - across]


def flip(images: Tensor, seed: int, epoch: int, batch: int) -> Tensor:
    """Mirror each image of [B, C, H, W] left to right with a probability of one half."""
    mirrored = torch.rand(len(images), generator=_generator("flip", seed, epoch, batch)) < 0.5
    return torch.where(to_device(mirrored, images.device)[:, None, None, None], images.flip(3), images)


def cutout(images: Tensor, side: int, seed: int, epoch: int, batch: int) -> Tensor:
    """Set a square of ``side`` pixels, centred anywhere in each image of [B, C, H, W], to its channel's darkest value.

    DeVries and Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout".
    """
    count, _, height, width = images.shape
    generator = _generator("cutout", seed, epoch, batch)
    drawn = [torch.randint(0, size, (count, 1), generator=generator) - side // 2 for size in (height, width)]
    top, left = to_device(torch.stack(drawn), images.device)
    y, x = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    rows, columns = (y >= top) & (y < top + side), (x >= left) & (x < left + side)
    within = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(within, images.amin((2, 3), keepdim=True), images)


def apply_policy(images: Tensor, policy: str, seed: int, epoch: int, batch: int) -> Tensor:
    """Apply torchvision's ``RandAugment`` or ``TrivialAugment`` to each image of uint8 [B, C, H, W].

    Both draw from torch's global CPU generator. It gets the batch's seed for the call and its state back afterwards.
    """
    from torchvision.transforms import v2

    transform = v2.RandAugment() if policy == "RandAugment" else v2.TrivialAugmentWide()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_batch_seed(policy, seed, epoch, batch))
        return torch.stack([transform(image) for image in images])


def max_shift(size: int) -> int:
    """The largest shift in pixels along a side of ``size`` pixels."""
    return max(1, size // 8)


def _generator(what: str, seed: int, epoch: int, batch: int) -> torch.Generator:
    return torch.Generator().manual_seed(_batch_seed(what, seed, epoch, batch))


def _batch_seed(what: str, seed: int, epoch: int, batch: int) -> int:
    digest = hashlib.blake2b(f"{what} {seed} {epoch} {batch}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1

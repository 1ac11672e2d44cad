"""Random shifts of a batch on its device, as a function of (seed, epoch, batch) and of nothing else."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def augment(images: Tensor, *, seed: int, epoch: int, batch: int) -> Tensor:
    """Each image of the batch moved by up to an eighth of its size (at least one pixel) down and across.

    What is uncovered takes the darkest value of the image's channel: the background of every built-in set, whether its
    pixels are uint8 or normalised. torch's global generators are neither read nor moved; the shifts are drawn on the
    CPU, so that every device draws the same.

    Args:
        images: [B, C, H, W], any type, any device; not changed.
        seed: the recipe's seed.
        epoch: from 1.
        batch: from 0.

    Returns:
        The moved images, of the same shape, type and device.
    """
    count, _, height, width = images.shape
    rows, columns = max_shift(height), max_shift(width)
    generator = torch.Generator().manual_seed(_batch_seed(seed, epoch, batch))
    down = torch.randint(-rows, rows + 1, (count, 1), generator=generator).to(images.device)
    across = torch.randint(-columns, columns + 1, (count, 1), generator=generator).to(images.device)
    # row y of the result is row y - down of the image; outside it, the extra pixel that holds the border's value
    y = torch.arange(height, device=images.device) - down
    x = torch.arange(width, device=images.device) - across
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    source = torch.where(inside, y[:, :, None] * width + x[:, None, :], height * width)
    pixels = images.flatten(2)
    pixels = torch.cat((pixels, pixels.amin(2, keepdim=True)), 2)
    return pixels.gather(2, source.flatten(1)[:, None].expand(-1, pixels.shape[1], -1)).view(images.shape)


def max_shift(size: int) -> int:
    """The largest shift, in pixels, of an image that is ``size`` pixels long."""
    return max(1, size // 8)


def _batch_seed(seed: int, epoch: int, batch: int) -> int:
    digest = hashlib.blake2b(f"augment {seed} {epoch} {batch}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1

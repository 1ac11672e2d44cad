"""Tiller's own networks. Every operator in them has a deterministic backward on CUDA."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_DROPOUT = 0.1
_WIDEST = 64
_FLAT = 8


class _Block(nn.Sequential):
    """Convolution, optional max pooling, BatchNorm, ReLU. Pooling first leaves the other two a quarter of the work."""

    def __init__(self, conv: nn.Conv2d, pool: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.add_module("conv", conv)
        if pool != (1, 1):
            self.add_module("pool", nn.MaxPool2d(pool))
        self.add_module("norm", nn.BatchNorm2d(conv.out_channels))
        self.add_module("relu", nn.ReLU(inplace=True))


class SmallCNN(nn.Sequential):
    """A small, fast network for images of 4x4 pixels or more: ``block1``, ``block2``, ..., and the head ``fc``.

    block1 is a 5x5 convolution to 16 channels, of stride 2 for images of 16 pixels or more; block2 is a 3x3 convolution
    to 32 channels with 2x2 max pooling. Larger images get more such blocks (at most 64 channels) until the map is at
    most 8x8. Maps under 8 pixels are not pooled.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        super().__init__()
        stride = (2 if height >= 2 * _FLAT else 1, 2 if width >= 2 * _FLAT else 1)
        wide = 16
        self.add_module("block1", _Block(nn.Conv2d(channels, wide, 5, stride=stride, padding=2, bias=False)))
        size = (-(-height // stride[0]), -(-width // stride[1]))
        count = 1
        while count < 2 or max(size) > _FLAT:
            pool = (2 if size[0] >= _FLAT else 1, 2 if size[1] >= _FLAT else 1)
            count, before, wide = count + 1, wide, min(2 * wide, _WIDEST)
            self.add_module(f"block{count}", _Block(nn.Conv2d(before, wide, 3, padding=1, bias=False), pool))
            size = (size[0] // pool[0], size[1] // pool[1])
        self.add_module("flatten", nn.Flatten())
        self.add_module("dropout", nn.Dropout(_DROPOUT))
        self.add_module("fc", nn.Linear(wide * size[0] * size[1], classes))


class LeNet5(nn.Module):
    """LeNet-5 of LeCun, Bottou, Bengio and Haffner (1998): ``conv1``, ``conv2``, ``fc1``, ``fc2`` and the head ``fc3``.

    Its input is 32x32 pixels, as in the paper. Images of 24 to 31 pixels are padded to that size with their outermost
    pixels; others are resized bilinearly. Other than in the paper, the head is linear, for cross-entropy, instead of
    radial basis functions, and C3 is connected to all of S2.
    """

    side = 32

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        super().__init__()
        self.pads = tuple((self.side - size) // 2 for size in (width, height))
        self.resizes = not all(self.side - 8 <= size <= self.side for size in (width, height))
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool = nn.AvgPool2d(2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B, classes] of images [B, C, H, W]."""
        x = self.pool(torch.tanh(self.conv1(self._resized(images))))
        x = self.pool(torch.tanh(self.conv2(x)))
        x = torch.tanh(self.fc1(x.flatten(1)))
        scores: Tensor = self.fc3(torch.tanh(self.fc2(x)))
        return scores

    def _resized(self, images: Tensor) -> Tensor:
        # neither operator has a deterministic backward on CUDA, but images have no gradient
        if self.resizes:
            return functional.interpolate(images, size=(self.side, self.side), mode="bilinear", antialias=True)
        left, top = self.pads
        right, bottom = self.side - images.shape[3] - left, self.side - images.shape[2] - top
        if not (left or top or right or bottom):
            return images
        return functional.pad(images, (left, right, top, bottom), mode="replicate")

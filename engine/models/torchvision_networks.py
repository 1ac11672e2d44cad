"""torchvision's networks, adapted to images of any size and number of channels, and their ImageNet weights.

Imports torchvision, which takes seconds: import this module only where one of its networks is built.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, cast

import torch
import torchvision.models
from torch import Tensor, nn
from torchvision.models.vgg import VGG, cfgs, make_layers

from engine.common.errors import DownloadError, NotDownloaded
from engine.common.progress import IsCancelled, Progress, never
from engine.common.text import Text
from engine.data.download import Checksum, Published, fetch, ignore

FIELD: Final = "model.pretrained"
SMALL: Final = 64
_VGG_SIDE: Final = range(224, 256)


def resnet18(channels: int, height: int, width: int, classes: int) -> nn.Module:
    """torchvision's resnet18; its head is ``fc``.

    For images under 64 pixels the stem is a 3x3 convolution of stride 1 without max pooling, and a stage does not
    downsample if its output would be under 2 pixels.
    """
    network: torchvision.models.ResNet = torchvision.models.resnet18(weights=None, num_classes=classes)
    side = min(height, width)
    if side < SMALL:
        network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
        for stage in (network.layer2, network.layer3, network.layer4):
            if side < 4:
                stage[0].conv1.stride = stage[0].downsample[0].stride = (1, 1)
            else:
                side //= 2
    elif channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    return cast(nn.Module, network)


def vgg11_bn(channels: int, height: int, width: int, classes: int) -> nn.Module:
    """torchvision's vgg11_bn; its head is ``classifier``.

    The large classifier is kept for images of 224 to 255 pixels, whose feature map is 7x7. For others, global average
    pooling and a small classifier replace it, and a max pooling is left out if its output would be under 2 pixels. (The
    7x7 adaptive pooling is left out: it has no deterministic backward on CUDA and does not change a 7x7 map.)
    """
    features = make_layers(cfgs["A"], batch_norm=True)
    features[0] = nn.Conv2d(channels, 64, 3, padding=1)
    if height in _VGG_SIDE and width in _VGG_SIDE:
        network = VGG(features, num_classes=classes)
        network.avgpool = nn.Identity()
        return cast(nn.Module, network)
    side = min(height, width)
    for index, layer in enumerate(features):
        if isinstance(layer, nn.MaxPool2d):
            if side < 4:
                features[index] = nn.Identity()
            else:
                side //= 2
    # on the meta device the classifier, which is replaced, takes no time and memory; the features stay where they are
    with torch.device("meta"):
        network = VGG(features)
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.classifier = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, classes))
    return cast(nn.Module, network)


def pretrained(name: str) -> tuple[str, int]:
    """The URL of torchvision's ImageNet weights, and the most bytes that they have.

    The file name ends in the first characters of its SHA-256.
    """
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    return weights.url, math.ceil(weights.meta["_file_size"] * 2**20) + 1024  # published in MiB with three decimals


def load_weights(
    url: str,
    size: int,
    *,
    download: bool = False,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> dict[str, Tensor]:
    """Load the state dict of ``url`` from torch.hub's checkpoint folder; with ``download``, download it first.

    It has ``size`` bytes at most.

    Raises:
        NotDownloaded: the file is missing or damaged, or could not be downloaded.
        Cancelled: ``cancelled`` returned True.
    """
    file = url.rpartition("/")[2]
    path = Path(torch.hub.get_dir()) / "checkpoints" / file
    published = Published((Checksum("sha256", file.removesuffix(".pth").rpartition("-")[2]),), size)
    try:
        if download:
            fetch([url], path, published, progress=progress, cancelled=cancelled)
        elif published.mismatch(path) is not None:
            raise NotDownloaded(
                FIELD,
                Text(
                    "{path} is damaged: its sha256 is not the one in its name. Delete it and download it again with "
                    "--download",
                    path=path,
                ),
                Text("The pretrained weights in {path} are damaged. Download them again.", path=path),
            )
        weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return weights
    except DownloadError as error:
        raise NotDownloaded(FIELD, error.args[0], error.args[0]) from error
    except OSError as error:
        raise NotDownloaded(
            FIELD,
            Text(
                "weights not found: {file} in {folder} ({reason}). Download them with --download or, if you are "
                "offline, put the file into {folder}",
                file=file,
                folder=path.parent,
                reason=error.strerror or str(error),
            ),
            Text("Pretrained weights not found: {path}. Download them, or put the file there.", path=path),
        ) from error


def fit_weights(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load torchvision's weights for the same architecture into ``network``, except into its head.

    The first convolution is adapted: a 3x3 kernel gets the centre of the 7x7 one. If the number of channels is not
    three, each gets the sum over red, green and blue divided by the number of channels, so that a grayscale image has
    the same output as its RGB version in torchvision's network.
    """
    own = network.state_dict()
    first = "conv1.weight" if "conv1.weight" in own else "features.0.weight"
    heads = ("fc.", "classifier.6.", "classifier.")
    head = next(prefix for prefix in heads if any(name.startswith(prefix) for name in own))
    loaded = {name: value for name, value in weights.items() if not name.startswith(head)}
    loaded[first] = _adapted(weights[first], own[first].shape)
    network.load_state_dict(loaded, strict=False)


def _adapted(kernel: Tensor, shape: torch.Size) -> Tensor:
    _, channels, height, width = shape
    top, left = (kernel.shape[2] - height) // 2, (kernel.shape[3] - width) // 2
    kernel = kernel[:, :, top : top + height, left : left + width]
    if channels != kernel.shape[1]:
        kernel = kernel.sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels
    return kernel

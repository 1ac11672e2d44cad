"""torchvision's networks, fitted to images of any size and number of channels, and their ImageNet weights.

Imports torchvision, which takes seconds: import this module where one of its networks is built.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import torch
import torchvision.models
from torch import Tensor, nn
from torchvision.models.vgg import VGG, cfgs, make_layers

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.data.download import Checksum, DownloadError, Progress, fetch, ignore, never

FIELD: Final = "model.pretrained"
SMALL: Final = 64
_VGG_SIDE: Final = range(224, 256)


def resnet18(channels: int, height: int, width: int, classes: int) -> nn.Module:
    """torchvision's resnet18 with the head ``fc``.

    Under 64 pixels its stem is a 3x3 convolution of stride 1 without max pooling, and a stage that would leave a map
    under 2 pixels keeps the map's size.
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
    """torchvision's vgg11_bn with the head ``classifier``.

    Its own large classifier is kept for images of 224 to 255 pixels, which give the 7x7 map that it expects. For
    others the map is averaged and a small classifier follows, and a pool that would leave a map under 2 pixels is left
    out. (The 7x7 adaptive pool has no deterministic backward on CUDA, and on a 7x7 map changes nothing.)
    """
    features = make_layers(cfgs["A"], batch_norm=True)
    features[0] = nn.Conv2d(channels, 64, 3, padding=1)
    whole = height in _VGG_SIDE and width in _VGG_SIDE
    if whole:
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
    # on the meta device VGG spends no time and memory on the classifier that is replaced; the features stay as they are
    with torch.device("meta"):
        network = VGG(features)
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.classifier = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, classes))
    return cast(nn.Module, network)


def pretrained_url(name: str) -> str:
    """Where torchvision's ImageNet weights of the network are; the file's name ends in the start of its SHA-256."""
    url: str = torchvision.models.get_model_weights(name).IMAGENET1K_V1.url
    return url


def load_weights(
    url: str, *, download: bool = False, progress: Progress = ignore, cancelled: Callable[[], bool] = never
) -> dict[str, Tensor]:
    """The state dict in the file of ``url``, from torch.hub's folder of checkpoints; fetched there with ``download``.

    Raises:
        SpecError: the file is not there, damaged, or could not be fetched.
        Cancelled: ``cancelled`` said so.
    """
    file = url.rpartition("/")[2]
    path = Path(torch.hub.get_dir()) / "checkpoints" / file
    checksum = Checksum("sha256", file.removesuffix(".pth").rpartition("-")[2])
    try:
        if download:
            fetch([url], path, checksum, progress=progress, cancelled=cancelled)
        elif not checksum.matches(path):
            raise SpecError(
                FIELD,
                Text(
                    "{path} is damaged: its name gives another sha256. Delete it and fetch it anew with --download",
                    path=path,
                ),
            )
        weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return weights
    except DownloadError as error:
        raise SpecError(FIELD, error.args[0]) from error
    except OSError as error:
        raise SpecError(
            FIELD,
            Text(
                "the weights are not there: {file} in {folder} ({reason}). Fetch them with --download (in the window: "
                "Download), or, offline, put the file into {folder}",
                file=file,
                folder=path.parent,
                reason=error.strerror or str(error),
            ),
        ) from error


def fit_weights(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Give ``network`` the weights of torchvision's network of its kind; the head keeps its own, and a new classifier.

    The first convolution is fitted. Of a 7x7 kernel the 3x3 centre is taken; for other than three channels each gets
    the sum over red, green and blue divided by the number of channels, so that a grey image gives what the same image
    in three equal channels gives in torchvision's network.
    """
    own = network.state_dict()
    first = "conv1.weight" if "conv1.weight" in own else "features.0.weight"
    heads = ("fc.", "classifier.6.", "classifier.")
    fresh = next(head for head in heads if any(name.startswith(head) for name in own))
    kept = {name: value for name, value in weights.items() if not name.startswith(fresh)}
    kept[first] = _fitted(weights[first], own[first].shape)
    network.load_state_dict(kept, strict=False)


def _fitted(kernel: Tensor, shape: torch.Size) -> Tensor:
    _, channels, height, width = shape
    top, left = (kernel.shape[2] - height) // 2, (kernel.shape[3] - width) // 2
    kernel = kernel[:, :, top : top + height, left : left + width]
    if channels != kernel.shape[1]:
        kernel = kernel.sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels
    return kernel

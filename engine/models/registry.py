"""Build networks by name, and check them by a forward pass. The caller seeds torch first.

The entries are in ``engine.recipe.networks``, because recipes and the window need them too.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pkgutil import resolve_name
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.common.errors import SpecError
from engine.common.progress import IsCancelled, Progress
from engine.common.text import Text
from engine.data.download import ignore, never
from engine.models.user_file import FIELD, build_from_file, contained, describe_error
from engine.recipe.networks import find_network
from engine.recipe.recipe import ModelSpec


class Builder(Protocol):
    """Builds a network. ``Network.builder`` names one."""

    def __call__(self, channels: int, height: int, width: int, classes: int) -> nn.Module:
        """The network from images [B, channels, height, width] to scores [B, classes]."""


def build(
    spec: ModelSpec,
    *,
    channels: int,
    height: int,
    width: int,
    classes: int,
    download: bool = False,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> nn.Module:
    """The network of ``spec`` for images [B, channels, height, width], in training mode on the CPU.

    Its initial weights are drawn from torch's global generator, which the caller seeds. The check afterwards (zeros
    in, scores [2, classes] out) changes no generator.

    Args:
        spec: the recipe's ``model``.
        channels: values per pixel.
        height: rows of pixels.
        width: columns of pixels.
        classes: number of scores.
        download: download pretrained weights that are missing.
        progress: as in ``engine.data.download.fetch``.
        cancelled: as in ``engine.data.download.fetch``; also asked while a user's code runs.

    Raises:
        SpecError: the user's function fails or its network does not fit, the images are too small, or pretrained
            weights are missing.
        Cancelled: ``cancelled`` returned True.
    """
    network = _built(spec, (2, channels, height, width), classes, cancelled)
    if spec.pretrained:
        from engine.models.torchvision_networks import fit_weights, load_weights, pretrained

        url, size = pretrained(spec.name)
        fit_weights(network, load_weights(url, size, download=download, progress=progress, cancelled=cancelled))
    return network


def on_meta(
    spec: ModelSpec,
    *,
    channels: int,
    height: int,
    width: int,
    classes: int,
    cancelled: IsCancelled = never,
) -> nn.Module:
    """The network of ``spec`` on torch's meta device, which takes no memory and changes no generator.

    A user's function that fails there (because it computes with the values of tensors) builds on the CPU. Torch's
    generator is then restored, so do not call this for a user's network while a run trains on another thread.

    Raises:
        SpecError: as ``build``; pretrained weights are not loaded.
        Cancelled: ``cancelled`` returned True while a user's code ran.
    """
    shape = (2, channels, height, width)
    with _keep_generator(spec):
        try:
            return _built(spec, shape, classes, cancelled, device="meta")
        except SpecError:
            if spec.user_function() is None:
                raise
            return _built(spec, shape, classes, cancelled)


def _built(
    spec: ModelSpec, shape: tuple[int, int, int, int], classes: int, cancelled: IsCancelled, device: str = "cpu"
) -> nn.Module:
    """The network of ``spec``, built on ``device`` and checked with images of ``shape``."""

    function = spec.user_function()
    if function is not None:
        network = build_from_file(*function, channels=shape[1], classes=classes, device=device, cancelled=cancelled)
        contained(lambda: _check(network, spec, shape, classes), cancelled)
        return network
    with torch.device(device) if device != "cpu" else nullcontext():
        network = _build(spec, *shape[1:], classes)
        _check(network, spec, shape, classes)
    return network


def _build(spec: ModelSpec, channels: int, height: int, width: int, classes: int) -> nn.Module:
    entry = find_network(spec.name)
    assert entry is not None  # ModelSpec checks it
    if min(height, width) < entry.smallest:
        text = Text(
            "{name} needs images of {side} x {side} pixels or more, not {size}",
            name=spec.name,
            side=entry.smallest,
            size=f"{height} x {width}",
        )
        raise SpecError(FIELD, text)
    builder: Builder = resolve_name(entry.builder)
    return builder(channels, height, width, classes)


def _keep_generator(spec: ModelSpec) -> AbstractContextManager[None]:
    # Only a user's code draws here. Restoring the generator for other networks would undo another thread's draws.
    return nullcontext() if spec.user_function() is None else torch.random.fork_rng(devices=[])


def _check(network: nn.Module, spec: ModelSpec, shape: tuple[int, ...], classes: int) -> None:
    modes = {module: module.training for module in network.modules()}
    function = spec.user_function()
    device = next(network.parameters()).device
    network.eval()
    try:
        with _keep_generator(spec), torch.no_grad():
            scores = network(torch.zeros(shape, device=device))
    except BaseException as error:
        if function is None:
            raise
        what = Text("{name}, given images {shape},", name=spec.name, shape=list(shape))
        raise describe_error(what, Path(function[0]).expanduser().resolve(), error) from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    expected = (shape[0], classes)
    if not isinstance(scores, Tensor) or tuple(scores.shape) != expected:
        returned = f"a tensor {list(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise SpecError(
            FIELD,
            Text(
                "{name} must map images {shape} to scores {expected}; it returned {returned}",
                name=spec.name,
                shape=list(shape),
                expected=list(expected),
                returned=returned,
            ),
        )

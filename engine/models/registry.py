"""Networks by name: built and checked by a forward pass. Whoever builds one seeds torch first.

The names and their entries are in ``engine.recipe.networks``, where recipes and the window see them too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pkgutil import resolve_name
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.data.download import Progress, ignore, never
from engine.models.user_file import FIELD, build_own, raised
from engine.recipe.networks import find_network
from engine.recipe.recipe import ModelSpec


class Builder(Protocol):
    """Makes a network: what ``Network.builder`` names."""

    def __call__(self, channels: int, height: int, width: int, classes: int) -> nn.Module:
        """The network for images [B, channels, height, width], which gives scores [B, classes]."""


def build(
    spec: ModelSpec,
    *,
    channels: int,
    height: int,
    width: int,
    classes: int,
    download: bool = False,
    progress: Progress = ignore,
    cancelled: Callable[[], bool] = never,
) -> nn.Module:
    """The network of ``spec`` for images [B, channels, height, width], in training mode on the CPU.

    Its initial weights are drawn from torch's global generator, which the caller seeds. The check afterwards (zeros
    in, scores [2, classes] out) moves no generator.

    Args:
        download: fetch pretrained weights that are not there. ``progress`` and ``cancelled`` are for that.

    Raises:
        SpecError: a function of the person's own fails or its network does not fit, the images are too small, or
            pretrained weights are not there.
        Cancelled: ``cancelled`` said so.
    """
    network = _build(spec, channels, height, width, classes)
    if spec.pretrained:
        from engine.models.torchvision_networks import fit_weights, load_weights, pretrained_url

        url = pretrained_url(spec.name)
        fit_weights(network, load_weights(url, download=download, progress=progress, cancelled=cancelled))
    _check(network, spec, (2, channels, height, width), classes)
    return network


def on_meta(spec: ModelSpec, *, channels: int, height: int, width: int, classes: int) -> nn.Module:
    """The network of ``spec`` on torch's meta device, for counting: no memory spent, no generator moved.

    A function of the person's own that cannot build there (one that computes with values of tensors) builds on the
    CPU. What it draws is undone by restoring torch's generator: do not call this for one while a run trains beside it.

    Raises:
        SpecError: as ``build`` does; pretrained weights are not looked for.
    """
    shape = (2, channels, height, width)
    with _undrawn(spec):
        try:
            with torch.device("meta"):
                network = _build(spec, channels, height, width, classes)
                _check(network, spec, shape, classes)
        except SpecError:
            if spec.user_function() is None:
                raise
            network = _build(spec, channels, height, width, classes)
            _check(network, spec, shape, classes)
    return network


def _build(spec: ModelSpec, channels: int, height: int, width: int, classes: int) -> nn.Module:
    own = spec.user_function()
    if own is not None:
        return build_own(*own, channels=channels, classes=classes)
    entry = find_network(spec.name)
    assert entry is not None  # or there would be no such spec
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


def _undrawn(spec: ModelSpec) -> AbstractContextManager[None]:
    # Only the person's own code can draw here. Restoring a generator that nobody moved would undo what another thread
    # has drawn meanwhile.
    return nullcontext() if spec.user_function() is None else torch.random.fork_rng(devices=[])


def _check(network: nn.Module, spec: ModelSpec, shape: tuple[int, ...], classes: int) -> None:
    training = {module: module.training for module in network.modules()}
    own = spec.user_function()
    device = next(network.parameters()).device
    network.eval()
    try:
        with _undrawn(spec), torch.no_grad():
            scores = network(torch.zeros(shape, device=device))
    except (Exception, SystemExit) as error:
        if own is None:
            raise
        what = Text("{name}, given images {shape},", name=spec.name, shape=list(shape))
        raise raised(what, Path(own[0]).expanduser().resolve(), error) from error
    finally:
        for module, mode in training.items():
            module.training = mode
    expected = (shape[0], classes)
    if not isinstance(scores, Tensor) or tuple(scores.shape) != expected:
        gave = f"a tensor {list(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise SpecError(
            FIELD,
            Text(
                "{name} must turn images {shape} into scores {expected}; it gave {gave}",
                name=spec.name,
                shape=list(shape),
                expected=list(expected),
                gave=gave,
            ),
        )

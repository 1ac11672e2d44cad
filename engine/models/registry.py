"""Build networks by name, and check what they return. The caller seeds torch first.

The entries are in ``engine.recipe.networks``, because recipes and the window need them too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from engine.common.errors import Cancelled, SpecError
from engine.common.progress import IsCancelled, Progress, never
from engine.common.text import Text
from engine.data.download import ignore
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
    like: nn.Module | None = None,
) -> nn.Module:
    """The network of ``spec`` for images [B, channels, height, width], on the CPU, as its builder returned it.

    Its initial weights are drawn from torch's global generator, which the caller seeds. A user's network with lazy
    modules is given zeros once, in evaluation mode, which changes no generator. No other is run here.

    Args:
        spec: the recipe's ``model``.
        channels: values per pixel.
        height: rows of pixels.
        width: columns of pixels.
        classes: number of scores.
        download: download pretrained weights that are missing.
        progress: as in ``engine.data.download.fetch``.
        cancelled: as in ``engine.data.download.fetch``; also asked while a user's code runs.
        like: a network that ``build`` returned for ``spec``. Of a user's network, the sources that built it are run
            again, whatever is in their files now.

    Raises:
        SpecError: the user's function fails, the images are too small, or pretrained weights are missing.
        Cancelled: ``cancelled`` returned True.
    """
    shape = (2, channels, height, width)
    network = _built(spec, shape, classes, cancelled, like=like)
    if spec.pretrained:
        from engine.models.torchvision_networks import fit_weights, load_weights, pretrained

        url, size = pretrained(spec.name)
        fit_weights(network, load_weights(url, size, download=download, progress=progress, cancelled=cancelled))
    if any(nn.parameter.is_lazy(t) for t in (*network.parameters(), *network.buffers())):

        def materialize() -> None:
            with network_errors(spec, _given(spec, shape)):
                _evaluated(network, spec, torch.zeros(shape))

        contained(materialize, cancelled)
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

    It is checked there by a pass in evaluation mode and one in training mode, forward and backward. A user's function
    that fails there (because it computes with the values of tensors) builds on the CPU. Torch's generator is then
    restored, so do not call this for a user's network while a run trains on another thread.

    Raises:
        SpecError: as ``build``; pretrained weights are not loaded.
        Cancelled: ``cancelled`` returned True while a user's code ran.
    """
    shape = (2, channels, height, width)
    with _keep_generator(spec):
        try:
            return _checked(spec, shape, classes, cancelled, "meta")
        except SpecError:
            if spec.user_function() is None:
                raise
            return _checked(spec, shape, classes, cancelled, "cpu")


def _checked(
    spec: ModelSpec, shape: tuple[int, int, int, int], classes: int, cancelled: IsCancelled, device: str
) -> nn.Module:
    network = _built(spec, shape, classes, cancelled, device)
    if spec.user_function() is None:
        _check(network, spec, torch.zeros(shape, device=device), classes)
    else:
        contained(lambda: _check(network, spec, torch.zeros(shape, device=device), classes), cancelled)
    return network


def _built(
    spec: ModelSpec,
    shape: tuple[int, int, int, int],
    classes: int,
    cancelled: IsCancelled,
    device: str = "cpu",
    like: nn.Module | None = None,
) -> nn.Module:
    function = spec.user_function()
    if function is not None:
        return build_from_file(
            *function, channels=shape[1], classes=classes, device=device, cancelled=cancelled, like=like
        )
    with torch.device(device) if device != "cpu" else nullcontext():
        return _build(spec, *shape[1:], classes)


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


@contextmanager
def network_errors(spec: ModelSpec, what: str) -> Iterator[None]:
    """A context in which errors that the network of ``spec`` raises are raised as SpecErrors, as those of ``what``."""
    try:
        yield
    except (SpecError, Cancelled):
        raise
    except BaseException as error:
        function = spec.user_function()
        path = None if function is None else Path(function[0]).expanduser().resolve()
        raise describe_error(what, path, error) from error


def check_scores(scores: object, spec: ModelSpec, images: Tensor, classes: int, *, training: bool) -> None:
    """Check what the network of ``spec`` returned for ``images``.

    Raises:
        SpecError: it is not a tensor of floating-point scores [B, classes], or cannot be trained on.
    """
    expected = [len(images), classes]
    problem: str | None = None
    if not isinstance(scores, Tensor):
        problem = type(scores).__name__
    elif list(scores.shape) != expected:
        problem = Text("a tensor {shape}", shape=list(scores.shape))
    elif not scores.is_floating_point():
        problem = Text("a tensor of {kind}", kind=scores.dtype)
    elif training and not scores.requires_grad:
        problem = Text("scores that depend on no parameter that is trained")
    if problem is not None:
        raise SpecError(
            FIELD,
            Text(
                "{name} must map images {shape} to scores {expected}; in {mode} mode it returned {returned}",
                name=spec.name,
                shape=list(images.shape),
                expected=expected,
                mode=Text("training") if training else Text("evaluation"),
                returned=problem,
            ),
        )


def _check(network: nn.Module, spec: ModelSpec, images: Tensor, classes: int) -> None:
    """Check ``network`` in evaluation and in training mode, which may change its state."""
    with _keep_generator(spec), network_errors(spec, _given(spec, tuple(images.shape))):
        check_scores(_evaluated(network, spec, images), spec, images, classes, training=False)
        network.train()
        scores = network(images)
        check_scores(scores, spec, images, classes, training=True)
        scores.sum().backward()


def _evaluated(network: nn.Module, spec: ModelSpec, images: Tensor) -> Any:
    """What ``network`` returns in evaluation mode, in which lazy modules get their weights; changes no generator."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with _keep_generator(spec), torch.no_grad():
            return network(images)
    finally:
        for module, mode in modes.items():
            module.training = mode


def _given(spec: ModelSpec, shape: tuple[int, ...]) -> Text:
    return Text("{name}, given images {shape},", name=spec.name, shape=list(shape))

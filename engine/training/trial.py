"""The trial of a user's own network before the run: whether it can be trained, and whether it can be resumed exactly.

A copy of the run is trained on batches of every size that will occur, as the run will be: on its device, in its memory
format and precision. Then another copy is resumed from the first one's state, and both are trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from engine.common.errors import Cancelled, SpecError
from engine.common.progress import IsCancelled, Progress
from engine.common.text import Text
from engine.hardware.out_of_memory import ran_out
from engine.hardware.precision import autocast
from engine.models.registry import check_scores, network_errors
from engine.models.user_file import contained
from engine.training.run_state import Capture, RunState, random_state, restore_random

_MORE_BATCHES: Final = 2  # after the trial resume
_NAMED: Final = 3  # attributes


def check(state: RunState, progress: Progress, cancelled: IsCancelled) -> list[Text]:
    """Try a user's network; ``state`` is at its beginning, and is not changed but for the network's memory format.

    A network that fails in channels_last is made contiguous. Where a copy does not fit into memory, it is not tried.
    Tiller's own networks are not tried.

    Returns:
        what a person should know of the network, a sentence each.

    Raises:
        SpecError: the network cannot be trained.
        Cancelled: ``cancelled`` returned true.
    """
    recipe, name = state.recipe, Path(state.recipe.model.name).name
    if recipe.model.user_function() is None:
        return []
    progress(Text("trying {name}", name=name), 0, 0)
    remarks = []
    if state.network.returned_in_eval:
        text = "{name} was returned in evaluation mode; all of it is set to training mode"
        remarks.append(Text(text, name=name))
    kept = random_state(state.device)
    try:
        try:
            remarks += contained(lambda: _tried(state, cancelled), cancelled)
        except SpecError as error:
            if ran_out(error) is not None or state.network.memory_format is torch.contiguous_format:
                raise
            state.use_contiguous()
            remarks += contained(lambda: _tried(state, cancelled), cancelled)
    except (SpecError, RuntimeError, MemoryError) as error:
        if ran_out(error) is None:
            raise
        remarks.append(Text("{name} could not be tried for lack of memory", name=name))
    finally:
        restore_random(kept, state.device)
    if state.network.memory_format is torch.contiguous_format:
        text = "{name} is trained in the contiguous memory format: it does not work in channels_last"
        remarks.append(Text(text, name=name))
    return remarks


def _tried(state: RunState, cancelled: IsCancelled) -> list[Text]:
    """Try the network in its memory format; returns what a checkpoint cannot carry.

    Raises:
        SpecError: it cannot be trained.
    """
    if state.device.type == "cuda":
        torch.cuda.set_device(state.device)  # of this thread
    first = state.begun()
    train_sizes, val_sizes = state.batches.sizes()
    x, y = state.batches.batch(1, 0)
    first.lr_control.write(first.optimizer)
    for size in train_sizes:
        _raise_if(cancelled)
        with _blamed(state, x[:size], Text("training")):
            _check_scores(first, x[:size])
            first.stepper.step(x[:size], y[:size], first.meter.sums)
    x, _ = next(state.batches.validation())
    first.model.eval()
    for size in val_sizes:
        _raise_if(cancelled)
        with _blamed(state, x[:size], Text("evaluation")), torch.no_grad():
            _check_scores(first, x[:size])
    first.training_mode()
    return _lost(state, first, cancelled)


def _check_scores(state: RunState, images: Tensor) -> None:
    with autocast(state.device, state.recipe.precision):
        scores = state.model(images)
    check_scores(scores, state.recipe.model, images, state.classes, training=torch.is_grad_enabled())


def _lost(state: RunState, first: RunState, cancelled: IsCancelled) -> list[Text]:
    """What a run that is resumed from the state of ``first`` lacks, as a sentence."""
    name = Path(state.recipe.model.name).name
    with network_errors(state.recipe.model, Text("the state_dict of {name}", name=state.recipe.model.name)):
        capture, values, lost = first.capture(), first.network.attributes(), first.network.lost()
    ends = [_trained_on(first, cancelled)]
    second = state.begun()
    try:
        second.restore(capture)
    except SpecError as error:
        if ran_out(error) is not None:
            raise
        text = "no checkpoint of {name} can be resumed, its state does not fit into a new network: {reason}"
        return [Text(text, name=name, reason=error.problem)]
    now = second.network.attributes()
    lost += [key for key, value in values.items() if key not in now or now[key] != value]
    ends.append(_trained_on(second, cancelled))
    if lost:
        more = ", …" if len(lost) > _NAMED else ""
        text = "{name} keeps state that a checkpoint cannot hold ({names}): a resumed run may differ in its weights"
        return [Text(text, name=name, names=", ".join(lost[:_NAMED]) + more)]
    if not _same(*ends):
        text = (
            "{name}, resumed in a trial, gave other weights: it keeps state that a checkpoint cannot hold, or draws "
            "random numbers that are not seeded. A resumed run will differ in its weights"
        )
        return [Text(text, name=name)]
    return []


def _raise_if(cancelled: IsCancelled) -> None:
    if cancelled():
        raise Cancelled


def _trained_on(state: RunState, cancelled: IsCancelled) -> Capture:
    """Train ``state`` on some more batches; its state then."""
    for index in range(_MORE_BATCHES):
        _raise_if(cancelled)
        x, y = state.batches.batch(1, (index + 1) % state.batches.per_epoch)
        with _blamed(state, x, Text("training")):
            state.stepper.step(x, y, state.meter.sums)
    capture = state.capture()
    return {key: capture[key] for key in ("model", "outside", "optimizer")}


@contextmanager
def _blamed(state: RunState, images: Tensor, mode: Text) -> Iterator[None]:
    name, shape = state.recipe.model.name, list(images.shape)
    what = Text("{name}, given images {shape} in {mode} mode,", name=name, shape=shape, mode=mode)
    with network_errors(state.recipe.model, what):
        yield


def _same(one: Any, other: Any) -> bool:
    """Whether two captures hold the same bits."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        alike = one.shape == other.shape and one.dtype == other.dtype
        return alike and bool(((one == other) | ((one != one) & (other != other))).all())
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)

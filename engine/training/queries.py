"""What the window asks of the engine beside training. Importing this imports no PyTorch; calling it may.

Each function may take a while and is called on a background thread (``gui.core.task_runner``).
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.common.errors import Cancelled, SpecError
from engine.common.progress import IsCancelled, Progress, never
from engine.common.text import Text
from engine.messages.commands import FindLR
from engine.messages.events import RangeTestEvent
from engine.messages.preview import Curve, CurveQuery
from engine.recipe.recipe import SGD, DataSpec, ModelSpec, Recipe
from engine.recipe.user_code import Allowed, check_allowed
from engine.schedules import Drawn

BUILD_SECONDS = 60.0
"""After which a user's network that is being built is given up."""
_IMPORTING: Final = threading.Lock()


@functools.cache
def _import_torch() -> None:
    """Import what training needs, on one thread at a time.

    PyTorch's modules import each other: of two threads that begin it at once, Python may fail one (_DeadlockError).
    """
    with _IMPORTING:
        import torch

        import engine.training.trainer  # noqa: F401 - the import is the work
        from engine.models.optimizers import build

        build(SGD(), [([torch.empty(0, requires_grad=True)], 0.1)])  # a process's first one imports more of PyTorch


def load_torch() -> list[tuple[str, str]]:
    """Import what training needs, and return the devices to choose from, as (name, description)."""
    _import_torch()
    from engine.hardware.devices import available

    return available()


def curve(query: CurveQuery, cancelled: IsCancelled) -> Curve:
    """The projected LRs that ``query`` asks for."""
    _import_torch()
    from engine.lr.preview import draw

    return draw(query, cancelled)


def drawn_like(curve: Curve, group: int) -> Drawn:
    """A drawn schedule that approximates the LR of ``group`` in ``curve``; its points count the run's epochs.

    Raises:
        SpecError: the curve is empty.
    """
    from engine.schedules.simplify import drawn_from

    try:
        return drawn_from(curve.x, curve.lr[:, group])
    except ValueError as error:
        raise SpecError("schedule", str(error)) from None


@dataclass(frozen=True)
class NetworkOutline:
    """A network's modules with their numbers of parameters, and the number of all."""

    modules: list[tuple[str, int]]
    parameters: int


def network_outline(
    model: ModelSpec, data_spec: DataSpec, allowed: Allowed | None = None, cancelled: IsCancelled = never
) -> NetworkOutline:
    """The modules of the network that ``model`` names, built without memory for its weights.

    Raises:
        SpecError: it cannot be built, or the user's code did not return in time, or is not ``allowed`` to run.
        Cancelled: ``cancelled`` returned true.
    """
    check_allowed(model.user_function(), allowed)
    _import_torch()
    from engine.data.registry import describe
    from engine.models import summary
    from engine.models.registry import on_meta

    facts, deadline = describe(data_spec), time.monotonic() + BUILD_SECONDS
    try:
        network = on_meta(
            model,
            channels=facts.channels,
            height=facts.height,
            width=facts.width,
            classes=facts.num_classes,
            cancelled=lambda: cancelled() or time.monotonic() > deadline,
        )
    except Cancelled:
        if cancelled():
            raise
        text = "{name} did not return within {seconds} seconds and was given up"
        name = model.name.rpartition(os.sep)[2]
        raise SpecError("model.name", Text(text, name=name, seconds=round(BUILD_SECONDS))) from None
    return NetworkOutline(summary.outline(network), sum(p.numel() for p in network.parameters()))


def batches_per_epoch(spec: DataSpec) -> int:
    """Batches an epoch of ``spec`` has, where possible without reading the data set.

    Raises:
        SpecError: it must be read, and cannot be.
    """
    _import_torch()
    from engine.data.order import batches_in
    from engine.data.registry import describe

    return batches_in(describe(spec).train, spec.batch_size)


def pytorch_code(recipe: Recipe, remarks: Sequence[str] = (), allowed: Allowed | None = None) -> str:
    """``recipe`` as plain PyTorch code, with ``remarks`` as comments at its top.

    Raises:
        SpecError: the recipe cannot be trained, or its groups need a file that is not ``allowed`` to run.
    """
    if recipe.groups:  # which are found in the network
        check_allowed(recipe.model.user_function(), allowed)
    _import_torch()
    from engine.export.python import pytorch_code as text_of
    from engine.lr.control import LRControl
    from engine.training.dry_run import group_names

    names, batches = group_names(recipe), batches_per_epoch(recipe.data)
    LRControl.from_recipe(recipe, names, batches)  # raises where the schedule has no LR at some position
    return text_of(recipe, names, batches, remarks)


def find_lr(
    recipe: Recipe, settings: FindLR, progress: Progress, cancelled: IsCancelled, allowed: Allowed | None = None
) -> RangeTestEvent:
    """Run an LR range test on the run that ``recipe`` would begin, which is built for it.

    ``progress`` is called with what is loaded, and then, with an empty text, with the number of LRs tried.

    Raises:
        SpecError: the recipe cannot be trained, or its network is not ``allowed`` to run, or the test failed.
        Cancelled: ``cancelled`` returned true.
    """
    _import_torch()
    from engine.common.errors import Rejected
    from engine.training.job import Job
    from engine.training.loading import load
    from engine.training.range_test import sweep
    from engine.training.run_state import RANDOM_LOCK

    with RANDOM_LOCK:
        state = load(Job(recipe=recipe, allowed=allowed), progress, cancelled).state
        try:
            return sweep(state, settings, lambda done, total: progress("", done, total), cancelled).event(0, state)
        except Rejected as refusal:
            raise SpecError("", refusal.reason) from None


def data_problem(spec: DataSpec) -> str | None:
    """Why the data set cannot be loaded (it is missing or damaged), or None."""
    from engine.common.errors import NotDownloaded
    from engine.data.registry import load

    try:
        load(spec)
    except NotDownloaded as error:
        return error.window
    except SpecError as error:
        return error.problem
    return None


def download(spec: DataSpec, progress: Progress, cancelled: IsCancelled) -> str | None:
    """Download the data set; returns why that failed, or None, also where it was cancelled."""
    _import_torch()
    from engine.data.registry import load

    try:
        load(spec, download=True, progress=progress, cancelled=cancelled)
    except SpecError as error:
        return error.problem
    except Cancelled:
        return None
    return None

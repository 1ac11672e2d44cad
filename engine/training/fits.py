"""Whether a checkpoint fits the run that its recipe builds: checked before anything of it is restored.

What needs no network is checked when the file is read (``engine.checkpoints.content``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.common.errors import SpecError
from engine.common.spec import LARGEST
from engine.hardware.precision import Scaler
from engine.lr.scheduled import ScheduledLR
from engine.models.optimizers import state_after_a_step
from engine.models.run_network import RunNetwork
from engine.recipe.optimizers import OptimizerSpec

_SCALE: Final = "scale"
_TRACKER: Final = "_growth_tracker"


def check_lrs(state: Mapping[str, Any], groups: Sequence[str], per_epoch: int, optimizer: OptimizerSpec) -> None:
    """Check the ``lr`` of a checkpoint against a run with these groups and batches per epoch.

    Raises:
        SpecError: it does not fit; names the field.
    """
    names = [group["name"] for group in state["groups"]]
    if names != list(groups):
        raise SpecError("lr.groups", f"are {', '.join(names)}; those of the recipe are {', '.join(groups)}")
    if state["steps_per_epoch"] != per_epoch:
        text = f"is {state['steps_per_epoch']}; with this data and batch size, an epoch has {per_epoch} batches"
        raise SpecError("lr.steps_per_epoch", text)
    for index, group in enumerate(state["groups"]):
        try:
            ScheduledLR.check(group["scheduled"], optimizer)
        except SpecError as error:
            raise SpecError(f"lr.groups[{index}].scheduled.{error.field}", error.problem) from None


def check_tensors(field: str, stored: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Check that ``stored`` has the names and shapes of the tensors in ``own``, and those where ``own`` has none.

    Raises:
        SpecError: it has not; names the field.
    """
    for name in [*own, *(name for name in stored if name not in own)]:
        if name not in stored or name not in own:
            which = "the checkpoint" if name not in stored else "the network that the recipe builds"
            raise SpecError(field, f"{name!r} is missing in {which}")
        if isinstance(own[name], Tensor):
            _check_tensor(f"{field}[{name!r}]", stored[name], own[name])


def check_optimizer(stored: Mapping[str, Any], optimizer: Optimizer, changeable: Sequence[str]) -> None:
    """Check the ``optimizer`` of a checkpoint against that of the run, whose LRs are not checked.

    Raises:
        SpecError: it does not fit; names the field.
    """
    own = optimizer.state_dict()["param_groups"]
    states, free = stored["state"], {*changeable, "lr"}
    for index, (group, new, live) in enumerate(zip(stored["param_groups"], own, optimizer.param_groups, strict=True)):
        field = f"optimizer.param_groups[{index}]"
        for name, value in new.items():
            if name not in group:
                raise SpecError(f"{field}.{name}", "is required")
            if name not in free and not _same(group[name], value):
                raise SpecError(f"{field}.{name}", f"must be {value!r}, as the recipe says"[:200])
        options = {name: value for name, value in group.items() if name in new and name != "params"}
        known: dict[torch.dtype, dict[str, Tensor]] = {}
        for number, parameter in zip(new["params"], live["params"], strict=True):
            if number not in states:
                continue
            if parameter.dtype not in known:
                known[parameter.dtype] = state_after_a_step(optimizer, parameter, options)
            _check_state(f"optimizer.state[{number}]", states[number], known[parameter.dtype], parameter)
    count = sum(len(group["params"]) for group in own)
    if any(number >= count for number in states):
        raise SpecError("optimizer.state", f"must be of {count} parameters")


def check_scaler(stored: Mapping[str, Any], scaler: Scaler | None) -> None:
    """Check the ``scaler`` of a checkpoint: the loss scale of float16.

    Raises:
        SpecError: it does not fit; names the field.
    """
    own = scaler.state() if scaler is not None else {}
    for name, value in own.items() if stored else ():
        given = stored.get(name)
        if type(given) not in (int, float) or given is None:
            raise SpecError(f"scaler.{name}", "must be a number")
        sound = 0 < given < math.inf if name == _SCALE else 0 <= given < LARGEST if name == _TRACKER else given == value
        if not sound:
            raise SpecError(f"scaler.{name}", f"must not be {given!r}")


def check_random(stored: Mapping[str, Any], device: torch.device) -> None:
    """Check the states of PyTorch's generators in the ``random`` of a checkpoint. Raises SpecError."""
    on_device = device.type == "cuda" and stored["cuda"] is not None
    for name, own in (("torch", "cpu"), ("cuda", device)) if on_device else (("torch", "cpu"),):
        _check_generator(f"random.{name}", stored[name], torch.device(own))


def _check_generator(field: str, stored: Any, device: torch.device) -> None:
    generator = torch.Generator(device)
    _check_tensor(field, stored, generator.get_state())
    try:
        generator.set_state(stored)
    except (RuntimeError, TypeError) as error:
        raise SpecError(field, f"is not the state of a generator: {error}".splitlines()[0]) from None


def _check_tensor(field: str, stored: Any, own: Tensor) -> None:
    plain = isinstance(stored, Tensor) and stored.layout == torch.strided and stored.device.type != "meta"
    if not plain or stored.is_quantized or stored.shape != own.shape:
        given = f"its shape is {list(stored.shape)}" if isinstance(stored, Tensor) else "it is none"
        raise SpecError(field, f"must be a tensor of shape {list(own.shape)}; {given}")
    if stored.is_floating_point() != own.is_floating_point() or stored.is_complex() != own.is_complex():
        raise SpecError(field, f"must be of type {own.dtype}; it is of {stored.dtype}")


def _same(stored: Any, own: Any) -> bool:
    if type(stored) is not type(own):
        return False
    if isinstance(own, (list, tuple)):
        return len(stored) == len(own) and all(map(_same, stored, own))
    return bool(stored == own)


def _check_state(field: str, stored: Any, known: Mapping[str, Any], parameter: Tensor) -> None:
    """Check the state of one ``parameter``: nothing yet, or the entries of ``known``, as large as the parameter."""
    if not isinstance(stored, dict):
        raise SpecError(field, "must be an object with named fields")
    for name in {*stored, *(known if stored else ())}:
        inner = f"{field}.{name}"
        if name not in known and name != "momentum_buffer":  # which stays when momentum is set to 0
            raise SpecError(inner, "is not a key here")
        if name not in stored:
            raise SpecError(inner, "is required")
        value, example = stored[name], known.get(name, parameter)
        if example.dim():
            _check_tensor(inner, value, parameter)
        else:
            _check_tensor(inner, value, example)
            if not 0 <= float(value) < LARGEST:
                raise SpecError(inner, "must be a number of steps")


def check_network(stored: Mapping[str, Any], outside: Mapping[str, Any], network: RunNetwork) -> None:
    """Check the ``model`` and ``outside`` of a checkpoint against the network. Raises SpecError."""
    check_tensors("model", stored, network.expected(stored))
    for name, value in outside.items():
        field, own = f"outside[{name!r}]", network.held_outside(name)
        if own is None:
            raise SpecError(field, "is not in the network that the recipe builds")
        if isinstance(own, torch.Generator):
            _check_generator(field, value, own.device)
        else:
            _check_tensor(field, value, value if isinstance(value, Tensor) else own)

"""A run's network: how it is brought to its starting state, and how its state is kept, captured and restored.

A network of the user's own keeps what it decided itself: the ``requires_grad`` flags of its parameters, and which of
its modules are in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import NoneType
from typing import Any, Final

import torch
from torch import Tensor, nn

_OURS: Final = ("torch.", "torchvision.", "engine.models.", "builtins", "typing", "abc")
_PLAIN: Final = (bool, int, float, str, NoneType)
_Holder = dict[str, Any]
Kept = list[tuple[_Holder, dict[str, tuple[Tensor | None, Tensor | None]]]]
"""What ``RunNetwork.keep`` returns: for each place that holds tensors, the tensors and copies of them, by name."""


class RunNetwork:
    """A network in training, at its starting state.

    Args:
        module: the network as the factory returned it. If it is in evaluation mode as a whole, all of it is set to
            training mode; otherwise those of its modules that are in evaluation mode stay so.
        device: where it is trained.
        memory_format: of its 4-dimensional tensors. One with 5-dimensional tensors, which have no such format, keeps
            its own.

    Attributes:
        module: the network, on the device.
        memory_format: of the images that it is given.
        returned_in_eval: whether the factory returned it in evaluation mode.
        trained: the parameters that require a gradient unless their group is frozen.
    """

    def __init__(self, module: nn.Module, device: torch.device, memory_format: torch.memory_format) -> None:
        if any(t.dim() == 5 for tensors in (module.parameters(), module.buffers()) for t in tensors):
            memory_format = torch.contiguous_format
        if memory_format is torch.contiguous_format:
            self.module = module.to(device)
        else:
            self.module = module.to(device=device, memory_format=memory_format)  # type: ignore[call-overload]
        self.memory_format = memory_format
        self.returned_in_eval = not module.training
        self._in_eval = [] if self.returned_in_eval else [m for m in module.modules() if not m.training]
        self.train()
        self.trained = {p for p in module.parameters() if p.requires_grad}
        self._device = device
        self._modules = dict(module.named_modules(remove_duplicate=False))
        # PyTorch's own modules keep tensors in buffers only
        buffers = [m._buffers for m in module.modules() if m._buffers or _is_users(m)]
        self._holders: list[_Holder] = [*buffers, *(vars(m) for m in module.modules() if _is_users(m))]
        for holder in buffers:
            for name, t in holder.items():
                if t is not None and _overlaps(t):  # it could not be written
                    holder[name] = t.contiguous()

    def train(self, frozen: Iterable[nn.Module] = ()) -> None:
        """Set training mode, except for modules that the factory returned in evaluation mode and for ``frozen`` ones.

        A network's own ``train()`` may keep more modules in evaluation mode.
        """
        self.module.train()
        for module in (*self._in_eval, *frozen):
            module.training = False

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Copies of its ``state_dict`` and of what it keeps outside it; tensors stay on their device.

        Entries of the ``state_dict`` that are neither tensors nor plain data (numbers, text, lists, tuples and
        dictionaries of them) are left out, see ``lost``. Outside it are non-persistent buffers and, as attributes of
        the user's modules, tensors without gradient and the states of generators.
        """
        model = {name: cloned(value) for name, value in self.module.state_dict().items() if _is_data(value)}
        outside = {
            name: value.get_state() if isinstance(value, torch.Generator) else cloned(value)
            for name, value in self._outside()
        }
        return model, outside

    def load(self, model: Mapping[str, Any], outside: Mapping[str, Tensor]) -> None:
        """Restore a state from ``state``, which is not changed; it must fit: see ``expected`` and ``held_outside``."""
        for name, own in self._replaceable(model):
            if own is None or not _is_alike(own, model[name]):
                module, key = self._place(name)
                module._buffers[key] = torch.empty_like(model[name], device=self._device)
        self.module.load_state_dict(cloned(dict(model)), strict=not self.lost())
        for name, saved in outside.items():
            self._set_outside(name, saved)

    def expected(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """What the ``model`` of a state must have: entries of these names, and tensors of these shapes."""
        expected = {name: value for name, value in self.module.state_dict().items() if _is_data(value)}
        # forward may have replaced them by tensors of another shape
        return {**expected, **{name: model[name] for name, _ in self._replaceable(model)}}

    def held_outside(self, name: str) -> Tensor | torch.Generator | None:
        """The tensor or generator outside the ``state_dict`` that is called ``name``.

        Of a tensor that is not there, but may be, an empty one. None where there cannot be one.
        """
        try:
            module, key = self._place(name)
        except KeyError:
            return None
        live = self._holder(module, key).get(key)
        if isinstance(live, (Tensor, torch.Generator)):
            return live
        known = key in self._holder(module, key)
        may_be = live is None and (known or (_is_users(module) and not hasattr(module, key)))
        return torch.empty(0, device=self._device) if may_be else None

    def lost(self) -> list[str]:
        """The names of what its ``state_dict`` holds and ``state`` leaves out."""
        return [name for name, value in self.module.state_dict().items() if not _is_data(value)]

    def attributes(self) -> dict[str, Any]:
        """Numbers and text that are attributes of the user's modules, by name."""
        return {
            f"{name}.{key}".removeprefix("."): value
            for name, module in self.module.named_modules()
            if _is_users(module)
            for key, value in vars(module).items()
            if type(value) in _PLAIN
        }

    def keep(self) -> Kept:
        """What ``put_back`` needs to undo what a forward pass does to buffers and other tensors without gradient."""
        held = [
            (
                holder,
                {
                    name: value
                    for name, value in holder.items()
                    if value is None or (isinstance(value, Tensor) and not value.requires_grad)
                },
            )
            for holder in self._holders
        ]
        copies = iter(_copies([t for _, tensors in held for t in tensors.values() if t is not None]))
        return [
            (holder, {name: (t, None if t is None else next(copies)) for name, t in tensors.items()})
            for holder, tensors in held
        ]

    @torch.no_grad()
    def put_back(self, kept: Kept) -> None:
        """Put back what ``keep`` returned."""
        for holder, tensors in kept:
            for name in [name for name, value in holder.items() if isinstance(value, Tensor) and name not in tensors]:
                if not holder[name].requires_grad:
                    del holder[name]
            for name, (value, copy) in tensors.items():
                holder[name] = value
                if value is not None and copy is not None:
                    value.copy_(copy)

    def _outside(self) -> Iterator[tuple[str, Any]]:
        """What the network keeps outside its ``state_dict``, by name: tensors and generators."""
        for path, module in self.module.named_modules():
            held = {name: module._buffers[name] for name in sorted(module._non_persistent_buffers_set)}
            for name, value in {**held, **(vars(module) if _is_users(module) else {})}.items():
                is_kept = isinstance(value, Tensor) and not value.requires_grad
                if is_kept or isinstance(value, torch.Generator):
                    yield f"{path}.{name}".removeprefix("."), value

    def _replaceable(self, model: Mapping[str, Any]) -> Iterator[tuple[str, Tensor | None]]:
        """The tensors in ``model`` that are buffers of the user's modules, by name, and the buffers here."""
        for name, saved in model.items():
            try:
                module, key = self._place(name)
            except KeyError:
                continue
            if _is_users(module) and key in module._buffers and isinstance(saved, Tensor):
                yield name, module._buffers[key]

    def _place(self, name: str) -> tuple[nn.Module, str]:
        """The module that holds what has this name, and its name there. Raises KeyError without such a module."""
        path, _, key = name.rpartition(".")
        return self._modules[path], key

    def _holder(self, module: nn.Module, key: str) -> _Holder:
        return module._buffers if key in module._buffers else vars(module)

    @torch.no_grad()
    def _set_outside(self, name: str, saved: Tensor) -> None:
        module, key = self._place(name)
        holder, live = self._holder(module, key), self.held_outside(name)
        here = holder.get(key)
        if isinstance(live, torch.Generator):
            live.set_state(saved.cpu())
        elif isinstance(here, Tensor) and _is_alike(here, saved):
            here.copy_(saved)
        elif live is not None:
            holder[key] = saved.to(live.device, copy=True)


def _copies(tensors: list[Tensor]) -> list[Tensor]:
    """Copies of ``tensors``, by one operation for all of a type: a GPU takes longer to be asked than to copy."""
    copies, alike = [], dict[Any, tuple[list[Tensor], list[Tensor]]]()
    for t in tensors:
        if t.layout is not torch.strided:
            copies.append(t.clone())
            continue
        copies.append(torch.empty_like(t))
        into, from_ = alike.setdefault((t.device, t.dtype), ([], []))
        into.append(copies[-1])
        from_.append(t)
    for into, from_ in alike.values():
        torch._foreach_copy_(into, from_)
    return copies


def cloned(value: Any) -> Any:
    """A deep copy: tensors cloned on their device, containers rebuilt, plain values kept."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: cloned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(cloned(item) for item in value)
    return value


def _is_users(module: nn.Module) -> bool:
    """Whether a class of ``module`` is neither PyTorch's nor Tiller's; a parametrized module has PyTorch's as well."""
    return not all(kind.__module__.startswith(_OURS) for kind in type(module).__mro__)


def _is_data(value: Any) -> bool:
    """Whether ``value`` can be saved in a checkpoint: tensors and plain data."""
    if isinstance(value, Tensor):
        return True
    if type(value) is dict:
        return all(type(key) in _PLAIN and _is_data(item) for key, item in value.items())
    if type(value) in (list, tuple):
        return all(map(_is_data, value))
    return type(value) in _PLAIN


def _is_alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _overlaps(t: Tensor) -> bool:
    """Whether elements of ``t`` share memory, as after ``expand``."""
    if t.layout is not torch.strided:
        return False
    return any(stride == 0 and size > 1 for stride, size in zip(t.stride(), t.shape, strict=True))

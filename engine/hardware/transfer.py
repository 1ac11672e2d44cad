"""Copies between the host and a GPU that do not make training wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """``tensor`` on ``device``. A copy from the host is queued there, and not waited for."""
    if device.type == "cuda" and tensor.is_cpu:
        tensor = tensor.pin_memory()  # PyTorch does not reuse pinned memory while a copy from it is in progress
    return tensor.to(device, non_blocking=True)


class ToHost:
    """A number that is copied to the host while the device goes on.

    ``read`` waits for what was queued on the device before the copy, and not for what was queued after it.
    """

    def __init__(self, number: Tensor) -> None:
        self._number = number.detach().to("cpu", non_blocking=True)  # into pinned memory
        self._copied = torch.cuda.current_stream(number.device).record_event() if number.is_cuda else None

    def read(self) -> float:
        """The number."""
        if self._copied is not None:
            self._copied.synchronize()
        return float(self._number)


def to_host(value: Any) -> Any:
    """``value``, in which tensors may be anywhere in containers, with its tensors on the host.

    On a GPU they are copied beside what is queued there after this call, so that another thread can train meanwhile.
    """
    device = next((tensor.device for tensor in _tensors(value) if tensor.is_cuda), None)
    if device is None:
        return _copied(value)
    beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    beside.wait_stream(torch.cuda.default_stream(device))  # where the tensors were computed
    with torch.cuda.stream(beside):
        return _copied(value)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item) for item in value)
    return value

"""Copies between the host and a GPU that do not make one wait for the other."""

from __future__ import annotations

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

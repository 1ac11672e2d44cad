"""Precision: autocast, loss scaling for float16, and TF32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.common.text import Text
from engine.recipe.recipe import Recipe

_SHORT: Final = {"bfloat16": torch.bfloat16, "float16": torch.float16}
_AMPERE: Final = (8, 0)
_LACKING: Final = {
    "bfloat16": Text("this GPU has no bfloat16 and emulates it, slowly: use float16 or float32"),
    "tf32": Text("this GPU has no tf32: it computes in float32"),
}
LEAST_SCALE: Final = 1.0  # gradients that overflow at this scale are the network's fault


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The context in which the network computes: autocast to 16 bits for bfloat16 and float16."""
    return torch.autocast(device.type, dtype=_SHORT[precision]) if precision in _SHORT else nullcontext()


def set_tf32(on: bool) -> None:
    """Switch TF32 on or off for NVIDIA GPUs: float32 multiplications with 10 bits of mantissa. No effect on a CPU."""
    precision = "tf32" if on else "ieee"
    torch.backends.cuda.matmul.fp32_precision = precision
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined] # PyTorch's default is tf32
    torch.backends.cudnn.rnn.fp32_precision = precision  # type: ignore[attr-defined] # and here too


def remarks(recipe: Recipe, device: torch.device) -> list[Text]:
    """Warnings about the precision of ``recipe`` on ``device``."""
    if device.type == "cuda":
        lacking = _LACKING.get(recipe.precision)
        return [lacking] if lacking and torch.cuda.get_device_capability(device) < _AMPERE else []
    if recipe.precision == "float16":
        return [Text("float16 is for GPUs: on a CPU it is many times slower than float32. Use bfloat16 there")]
    if recipe.precision == "tf32":
        return [Text("tf32 has no effect on a CPU, which computes in float32")]
    return []


class Scaler:
    """Updates from scaled losses, so that float16 gradients do not underflow: PyTorch's GradScaler.

    Like GradScaler in every loop, it waits for the device in each batch.

    Attributes:
        scale: the factor of the next loss.
    """

    def __init__(self, device: torch.device) -> None:
        self._scaler = torch.amp.GradScaler(device.type)
        self.scale = float(self._scaler.get_scale())

    def scaled(self, loss: Tensor) -> Tensor:
        """``loss`` times the scale, for the backward pass."""
        scaled: Tensor = self._scaler.scale(loss)
        return scaled

    def update(self, optimizer: Optimizer) -> bool:
        """``optimizer.step()`` with the gradients of a scaled loss. Returns False if they overflowed.

        Then only the scale is updated: it is halved.
        """
        before = self.scale
        self._scaler.unscale_(optimizer)
        self._scaler.update()  # before the step, to know whether to make it; the gradients are unscaled already
        self.scale = float(self._scaler.get_scale())
        if self.scale < before:
            return False
        optimizer.step()
        return True

    def state(self) -> dict[str, Any]:
        """The state for ``load``: plain numbers."""
        return dict(self._scaler.state_dict())

    def load(self, state: dict[str, Any]) -> None:
        """Continue from ``state``."""
        self._scaler.load_state_dict(dict(state))
        self.scale = float(self._scaler.get_scale())

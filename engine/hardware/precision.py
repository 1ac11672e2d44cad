"""How exactly a run computes: the network's numbers, the scaled losses that float16 needs, and TF32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.common.text import Text
from engine.recipe.recipe import Recipe

_SHORT: Final = {"bfloat16": torch.bfloat16, "float16": torch.float16}
LEAST_SCALE: Final = 1.0  # gradients that overflow without any scaling are the network's own


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The context in which the network computes: as it is for float32, in half the bits where asked for."""
    return torch.autocast(device.type, dtype=_SHORT[precision]) if precision in _SHORT else nullcontext()


def set_tf32(on: bool) -> None:
    """Let NVIDIA GPUs multiply float32 with 10 bits of mantissa, or not, from here on; a CPU does neither."""
    how = "tf32" if on else "ieee"
    torch.backends.cuda.matmul.fp32_precision = how
    torch.backends.cudnn.conv.fp32_precision = how  # type: ignore[attr-defined] # PyTorch's own default is tf32


def remarks(recipe: Recipe, device: torch.device) -> list[Text]:
    """What a person should know of the choice of ``recipe`` on ``device``."""
    if device.type != "cpu":
        return []
    if recipe.precision == "float16":
        return [
            Text("float16 is for GPUs: on a CPU it is many times slower than float32, and bfloat16 is meant for it")
        ]
    if recipe.precision == "tf32":
        return [Text("tf32 does nothing on a CPU: it is float32 there")]
    return []


class Scaler:
    """Updates from losses that are scaled up, so that float16's gradients do not vanish: PyTorch's GradScaler.

    It looks at each batch, and so waits for the device, as GradScaler does in every loop.
    """

    def __init__(self, device: torch.device) -> None:
        self._scaler = torch.amp.GradScaler(device.type)

    @property
    def scale(self) -> float:
        """What the next loss is multiplied by."""
        return float(self._scaler.get_scale())

    def update(self, loss: Tensor, optimizer: Optimizer) -> bool:
        """Backward and ``optimizer.step()``; returns False where the gradients overflowed.

        Then nothing was updated but the scale, which is halved.
        """
        before = self.scale
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(optimizer)
        self._scaler.update()  # before the step, as the gradients are unscaled: it tells whether there is to be one
        if self.scale < before:
            return False
        optimizer.step()
        return True

    def state(self) -> dict[str, Any]:
        """Plain numbers that ``load`` takes up."""
        return dict(self._scaler.state_dict())

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self._scaler.load_state_dict(dict(state))

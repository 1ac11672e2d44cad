"""One training step, and one pass of evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from engine.hardware.precision import LEAST_SCALE, Scaler, autocast
from engine.hardware.transfer import ToHost
from engine.models.run_network import RunNetwork
from engine.training.guard import Guard

_TOGETHER: Final = 16  # batches whose logits are kept until then


class _Batch(NamedTuple):
    logits: Tensor
    labels: Tensor


class Sums:
    """An epoch's sums so far: loss and images on the host, correct predictions on the device.

    Predictions of several batches are compared at once, which takes fewer operations.
    """

    def __init__(self, loss: Tensor, correct: Tensor, images: Tensor) -> None:
        self._loss, self._correct, self._images = float(loss), correct, int(images)
        self._waiting: list[_Batch] = []

    @classmethod
    def zero(cls, device: torch.device) -> Sums:
        """Sums of no batches."""
        loss, images = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.int64)
        return cls(loss, torch.zeros((), dtype=torch.int64, device=device), images)

    def add(self, loss: float, logits: Tensor, labels: Tensor) -> None:
        """Add one batch with mean ``loss``."""
        self._loss += loss * len(labels)
        self._images += len(labels)
        self._waiting.append(_Batch(logits, labels))
        if len(self._waiting) == _TOGETHER:
            self._compare()

    def tensors(self) -> dict[str, Tensor]:
        """The sums by name, as ``Sums`` takes them: loss (float64), correct predictions and images (int64)."""
        self._compare()
        loss, images = torch.tensor(self._loss, dtype=torch.float64), torch.tensor(self._images)
        return {"loss": loss, "correct": self._correct, "images": images}

    def means(self) -> tuple[float, float]:
        """Mean loss and accuracy (0 to 1); waits for the device."""
        self._compare()
        images = self._images
        return (self._loss / images, int(self._correct) / images) if images else (float("nan"), 0.0)

    def _compare(self) -> None:
        batches, self._waiting = self._waiting, []
        if batches:
            labels = torch.cat([batch.labels for batch in batches])
            self._correct += (torch.cat([batch.logits for batch in batches]).argmax(1) == labels).sum()


class Step(NamedTuple):
    """The result of a batch.

    ``passed`` is whether the guard let it through. Where float16's gradients overflowed, which they sometimes do, no
    update was made, and ``reduced_scale`` is the new loss scale.
    """

    loss: float
    passed: bool
    reduced_scale: float | None = None


class Stepper:
    """Forward, backward, update: one training step at a time.

    A loss that the guard masks never reaches the weights, the optimizer's state, the buffers or other tensors that the
    network holds. The loss is read while the device computes the gradients, so that a GPU always has work.
    """

    def __init__(
        self, network: RunNetwork, optimizer: Optimizer, device: torch.device, precision: str, guard: Guard
    ) -> None:
        self._network = network
        self._optimizer = optimizer
        self._device = device
        self._precision = precision
        self.guard = guard
        self.scaler = Scaler(device) if precision == "float16" else None

    def step(self, x: Tensor, y: Tensor, sums: Sums) -> Step:
        """Train on one batch."""
        kept = self._network.keep()
        with autocast(self._device, self._precision):
            logits = self._network.module(x)
        mean = functional.cross_entropy(logits.float(), y)
        copied = ToHost(mean)
        self._optimizer.zero_grad(set_to_none=True)
        (mean if self.scaler is None else self.scaler.scaled(mean)).backward()  # type: ignore[no-untyped-call]
        loss = copied.read()
        passed, reduced_scale = not self.guard.masks(loss), None
        if passed and self.scaler is None:
            self._optimizer.step()
        elif passed and self.scaler is not None and not self.scaler.update(self._optimizer):
            if self.scaler.scale < LEAST_SCALE:  # it is not the scale that makes them overflow
                passed = False
            else:
                reduced_scale = self.scaler.scale
        if passed:
            sums.add(loss, logits.detach(), y)
        else:
            self._network.put_back(kept)
        return Step(loss, passed, reduced_scale)


@torch.no_grad()  # not inference_mode: what a network keeps from here could not be trained with
def evaluate(
    model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], device: torch.device, precision: str
) -> tuple[float, float]:
    """Mean loss and accuracy (0 to 1) over ``batches``, in evaluation mode; uses no random numbers."""
    loss = torch.zeros((), dtype=torch.float64, device=device)
    correct, images = torch.zeros((), dtype=torch.int64, device=device), 0
    model.eval()
    for x, y in batches:
        with autocast(device, precision):
            logits = model(x).float()
        loss += functional.cross_entropy(logits, y, reduction="sum").double()
        correct += (logits.argmax(1) == y).sum()
        images += len(y)
    return (float(loss) / images, int(correct) / images) if images else (float("nan"), 0.0)

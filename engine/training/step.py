"""One training step, and one pass of evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from engine.hardware.precision import LEAST_SCALE, Scaler, autocast
from engine.training.guard import Guard

_TOGETHER: Final = 16  # batches whose logits are kept until then


def sync_is_free(device: torch.device) -> bool:
    """Whether a value on ``device`` can be read without waiting for work there."""
    return device.type == "cpu"


class _Batch(NamedTuple):
    loss: Tensor
    logits: Tensor
    labels: Tensor
    passed: Tensor


class Sums:
    """An epoch's sums so far, on the device: loss (float64), correct predictions and images (int64).

    Where reading a value is free, several batches are added at once, which takes fewer operations. The sums are the
    same to the last bit, since losses are added one after the other.
    """

    def __init__(self, loss: Tensor, correct: Tensor, images: Tensor) -> None:
        self._loss, self._correct, self._images = loss, correct, images
        self._waiting: list[_Batch] = []

    @classmethod
    def zero(cls, device: torch.device) -> Sums:
        """Sums of no batches."""
        loss = torch.zeros((), dtype=torch.float64, device=device)
        correct, images = (torch.zeros((), dtype=torch.int64, device=device) for _ in range(2))
        return cls(loss, correct, images)

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor, passed: Tensor) -> None:
        """Add one batch with mean ``loss``; one that has not ``passed`` the guard counts as no images."""
        if sync_is_free(passed.device):
            self._waiting.append(_Batch(loss, logits, labels, passed))
            if len(self._waiting) == _TOGETHER:
                self._add_up()
            return
        self._loss += torch.where(passed, loss.double() * len(labels), 0.0)
        self._correct += torch.where(passed, (logits.argmax(1) == labels).sum(), 0)
        self._images += passed * len(labels)

    def tensors(self) -> dict[str, Tensor]:
        """The sums by name, as ``Sums`` takes them; not copied."""
        self._add_up()
        return {"loss": self._loss, "correct": self._correct, "images": self._images}

    def means(self) -> tuple[float, float]:
        """Mean loss and accuracy (0 to 1); the one synchronisation of an epoch."""
        self._add_up()
        loss, correct, images = float(self._loss), int(self._correct), int(self._images)
        return (loss / images, correct / images) if images else (float("nan"), 0.0)

    def _add_up(self) -> None:
        batches, self._waiting = [batch for batch in self._waiting if batch.passed], []
        if not batches:
            return
        loss = float(self._loss)
        for batch in batches:
            loss += float(batch.loss) * len(batch.labels)
        labels = torch.cat([batch.labels for batch in batches])
        self._loss.fill_(loss)
        self._correct += (torch.cat([batch.logits for batch in batches]).argmax(1) == labels).sum()
        self._images += len(labels)


class Step(NamedTuple):
    """The result of a batch.

    ``loss`` and ``passed`` (whether the guard let it through) are 0-dimensional and on the device. Where float16's
    gradients overflowed, which they sometimes do, no update was made, and ``reduced_scale`` is the new loss scale.
    """

    loss: Tensor
    passed: Tensor
    reduced_scale: float | None = None


class Stepper:
    """Forward, backward, update: one training step at a time.

    A loss that does not pass the guard never reaches the weights, the optimizer's state or the buffers: on the CPU the
    update is skipped; on another device it is made and masked, without a synchronisation.
    """

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, device: torch.device, precision: str, guard: Guard
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._device = device
        self._precision = precision
        self._guard = guard
        self._buffers = list(model.buffers())
        self.scaler = Scaler(device) if precision == "float16" else None

    def step(self, x: Tensor, y: Tensor, sums: Sums) -> Step:
        """Train on one batch."""
        kept = [b.clone() for b in self._buffers]
        with autocast(self._device, self._precision):
            logits = self._model(x)
        loss = functional.cross_entropy(logits.float(), y)
        passed = self._guard.passes(loss.detach())
        self._optimizer.zero_grad(set_to_none=True)
        reduced_scale: float | None = None
        if self.scaler is not None:
            if bool(passed) and not self.scaler.update(loss, self._optimizer):
                if self.scaler.scale < LEAST_SCALE:  # it is not the scale that makes them overflow
                    passed = torch.zeros_like(passed)
                else:
                    reduced_scale = self.scaler.scale
            restore(self._buffers, kept, passed)
        elif not sync_is_free(self._device):
            loss.backward()  # type: ignore[no-untyped-call]
            masked_update(self._optimizer, passed)
            restore(self._buffers, kept, passed)
        elif passed:
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
        else:
            restore(self._buffers, kept, passed)
        sums.add(loss.detach(), logits.detach(), y, passed)
        return Step(loss.detach(), passed, reduced_scale)


def masked_update(optimizer: Optimizer, passed: Tensor) -> None:
    """``optimizer.step()``, whose effects are undone on the device where ``passed`` is false."""
    kept: list[tuple[Tensor, Tensor]] = []
    creates_state = False
    for group in optimizer.param_groups:
        # SGD creates its momentum buffer from the first gradient, and none where momentum is 0
        stateless = isinstance(optimizer, torch.optim.SGD) and group["momentum"] == 0
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = [t for t in optimizer.state.get(parameter, {}).values() if isinstance(t, Tensor)]
            kept.extend((t, t.clone()) for t in (parameter.data, *state))
            creates_state |= not state and not stateless
    if creates_state and not passed:  # new state cannot be removed on the device, so the first update synchronises
        return
    optimizer.step()
    flags = {passed.device: passed}
    for live, before in kept:
        if live.device not in flags:  # PyTorch keeps some step counts on the CPU
            flags[live.device] = passed.to(live.device)
        live.copy_(torch.where(flags[live.device], live, before))


def restore(live: list[Tensor], before: list[Tensor], passed: Tensor) -> None:
    """Restore ``before`` in ``live`` where ``passed`` is false, without a synchronisation."""
    for buffer, kept in zip(live, before, strict=True):
        buffer.copy_(torch.where(passed, buffer, kept))


@torch.inference_mode()
def evaluate(
    model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], device: torch.device, precision: str
) -> tuple[float, float]:
    """Mean loss and accuracy (0 to 1) over ``batches``, in evaluation mode; uses no random numbers."""
    loss, correct, images = Sums.zero(device).tensors().values()
    model.eval()
    for x, y in batches:
        with autocast(device, precision):
            logits = model(x).float()
        loss += functional.cross_entropy(logits, y, reduction="sum").double()
        correct += (logits.argmax(1) == y).sum()
        images += len(y)
    return Sums(loss, correct, images).means()

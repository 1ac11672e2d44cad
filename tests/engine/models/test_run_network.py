"""What a run keeps of its network before each batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from engine.models.run_network import RunNetwork

CPU = torch.device("cpu")


class Many(nn.Module):
    """A network whose forward pass changes buffers of several types and layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.register_buffer("count", torch.tensor(3))
        self.register_buffer("turned", torch.arange(6.0).reshape(2, 3).t())
        self.register_buffer("empty", torch.zeros(0))
        self.register_buffer("sparse", torch.eye(3).to_sparse())
        self.register_buffer("none", None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        self.turned.mul_(-1)
        self.sparse = self.sparse * 2
        self.none = torch.ones(1)
        scores: torch.Tensor = self.norm(x)
        return scores


def test_what_a_batch_changed_is_put_back_whatever_its_type() -> None:
    network = RunNetwork(Many(), CPU, torch.channels_last)
    module = network.module
    before = {name: t.to_dense().clone() if t.is_sparse else t.clone() for name, t in module.named_buffers()}
    kept = network.keep()
    module(torch.rand(4, 3, 5, 5))
    changed = {name for name, t in module.named_buffers() if not _same(before.get(name), t)}
    assert changed == {"count", "turned", "sparse", "none"} | {
        f"norm.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")
    }
    network.put_back(kept)
    assert all(_same(before[name], t) for name, t in module.named_buffers())
    assert module.none is None


class Called(TorchDispatchMode):
    """Records the operations of PyTorch by name."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


def test_buffers_are_copied_by_one_operation_for_each_type() -> None:
    network = RunNetwork(nn.Sequential(*(nn.BatchNorm1d(2) for _ in range(20))), CPU, torch.channels_last)
    with Called() as called:
        network.keep()
    assert [name for name in called.names if "empty" not in name] == ["_foreach_copy_", "_foreach_copy_"]


def _same(before: torch.Tensor | None, now: torch.Tensor) -> bool:
    return before is not None and torch.equal(before, now.to_dense() if now.is_sparse else now)

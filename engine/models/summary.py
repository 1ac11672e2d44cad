"""What a network consists of."""

from __future__ import annotations

from torch import nn


def outline(network: nn.Module) -> list[tuple[str, int]]:
    """Each named module, in order, with the number of parameters that it holds itself, its children's left out."""
    return [
        (name, sum(p.numel() for p in module.parameters(recurse=False)))
        for name, module in network.named_modules()
        if name
    ]

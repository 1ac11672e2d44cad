"""The modules of a network."""

from __future__ import annotations

from torch import nn


def outline(network: nn.Module) -> list[tuple[str, int]]:
    """The named modules in order, each with its number of parameters, without those of its children."""
    return [
        (name, sum(p.numel() for p in module.parameters(recurse=False)))
        for name, module in network.named_modules()
        if name
    ]

"""The modules of a network, and which parameter group each belongs to by its name."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from engine.recipe.networks import find_network
from engine.recipe.recipe import LR_MAX

Outline = Sequence[tuple[str, int]]
"""The modules in order: the name and the number of its own parameters."""


def lineage(module: str) -> list[str]:
    """The names of the modules that contain ``module``, and its own: a, a.b, a.b.c for a.b.c."""
    parts = module.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def owner(module: str, groups: Sequence[Sequence[str]]) -> int:
    """The index of the first of ``groups`` (patterns) that includes ``module``; -1 for the rest.

    A pattern matches by ``fnmatchcase``, and a module that matches includes its whole subtree.
    """
    for index, patterns in enumerate(groups):
        if any(fnmatchcase(name, pattern) for name in lineage(module) for pattern in patterns):
            return index
    return -1


def unmatched(patterns: Sequence[str], outline: Outline) -> list[str]:
    """The patterns that match no module of ``outline``."""
    names = {name for module, _ in outline for name in lineage(module)}
    return [p for p in patterns if not any(fnmatchcase(name, p) for name in names)]


def scaled(lr: float, factor: float) -> float:
    """``lr`` times ``factor``, rounded to 12 digits and at most ``LR_MAX``."""
    return min(LR_MAX, float(f"{lr * factor:.12g}"))


def head_pattern(network: str, outline: Outline) -> str | None:
    """The pattern of a network's head: its registry entry's, or the last top-level module; None if neither is known."""
    known = find_network(network)
    if known is not None:
        return known.head
    return lineage(outline[-1][0])[0] if outline else None

"""Which modules of a network belong to which parameter group, from their names alone."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from engine.recipe.networks import find_network
from engine.recipe.recipe import LR_MAX

Outline = Sequence[tuple[str, int]]
"""The modules in order: name, and the number of parameters that it holds itself."""


def lineage(module: str) -> list[str]:
    """A module's name after those of the modules it is part of: a.b.c gives a, a.b, a.b.c."""
    parts = module.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def owner(module: str, groups: Sequence[Sequence[str]]) -> int:
    """The index of the first of ``groups`` (patterns each) that takes ``module``; -1 for the rest.

    A pattern matches by ``fnmatchcase``, and a module that matches brings its whole subtree.
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
    """``lr`` times ``factor`` without the noise of binary fractions, at most the highest rate allowed."""
    return min(LR_MAX, float(f"{lr * factor:.12g}"))


def head_pattern(network: str, outline: Outline) -> str | None:
    """The pattern of a network's head: known, or the last of its outermost modules; None where nothing is known."""
    known = find_network(network)
    if known is not None:
        return known.head
    return lineage(outline[-1][0])[0] if outline else None

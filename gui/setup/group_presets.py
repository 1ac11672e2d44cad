"""Presets of parameter groups for fine-tuning, made from a network's outline."""

from __future__ import annotations

from typing import Final

from engine.recipe.recipe import GroupSpec
from gui.setup.outline import Outline, head_pattern, lineage, owner, scaled

HEAD_FACTOR: Final = 10.0
DECAY: Final = 0.75
HEAD, BACKBONE = "head", "backbone"
MOST_BLOCKS: Final = 12
SMALL: Final = 0.25
"""A module with at most this share of the parameters of the one before (such as a norm) belongs to its block."""


def head_and_rest(network: str, outline: Outline, base: float | None) -> tuple[GroupSpec, ...] | None:
    """The last layers with ``HEAD_FACTOR`` times the LR of the rest; None if the network's modules are not known.

    ``base`` is the optimizer's LR; with None every group has it.
    """
    pattern = head_pattern(network, outline)
    if pattern is None:
        return None
    lr = None if base is None else scaled(base, HEAD_FACTOR)
    return (GroupSpec(name=HEAD, modules=(pattern,), lr=lr),)


def frozen_backbone(network: str, outline: Outline, base: float | None) -> tuple[GroupSpec, ...] | None:
    """A frozen group of all but the last layers, and the head of ``head_and_rest``."""
    head = head_and_rest(network, outline, base)
    parts = _body(network, outline, 1)
    if head is None or not parts:
        return None
    return (GroupSpec(name=BACKBONE, modules=tuple(name for name, _ in parts), frozen=True), *head)


def layer_by_layer(network: str, outline: Outline, base: float | None, factor: float) -> tuple[GroupSpec, ...] | None:
    """A group for each block: the last layers with the LR ``base``, each other block with ``factor`` times the next."""
    pattern, parts = head_pattern(network, outline), blocks(network, outline)
    if pattern is None or not parts:
        return None
    lrs = [None if base is None else scaled(base, factor ** (len(parts) - place)) for place in range(len(parts))]
    groups = [GroupSpec(name=_name(names[0]), modules=names, lr=lr) for names, lr in zip(parts, lrs, strict=True)]
    return (*groups, GroupSpec(name=HEAD, modules=(pattern,), lr=base))


def blocks(network: str, outline: Outline) -> list[tuple[str, ...]]:
    """The modules before the last layers as at most ``MOST_BLOCKS`` blocks, in order."""
    parts = _body(network, outline, 1)
    if len(parts) == 1:
        parts = _body(network, outline, 2) or parts
    found: list[list[tuple[str, int]]] = []
    for name, count in parts:
        if found and count <= SMALL * found[-1][0][1]:
            found[-1].append((name, count))
        else:
            found.append([(name, count)])
    share = -(-len(found) // MOST_BLOCKS) if found else 1
    starts = range(0, len(found), share)
    return [tuple(name for block in found[i : i + share] for name, _ in block) for i in starts]


def _body(network: str, outline: Outline, depth: int) -> list[tuple[str, int]]:
    """The modules at ``depth`` (or above, if they have no children) with parameters, without the head."""
    pattern = head_pattern(network, outline)
    if pattern is None:
        return []
    counts: dict[str, int] = {}
    for name, count in outline:
        if count and name and owner(name, [(pattern,)]) < 0:
            part = lineage(name)[:depth][-1]
            counts[part] = counts.get(part, 0) + count
    return list(counts.items())


def _name(module: str) -> str:
    """The name of a group, from its first module."""
    return f"{module[:38]}_1" if module in ("all", "rest", HEAD) else module[:40]

"""Parameter groups: which modules' parameters share a learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from engine.common.errors import SpecError
from engine.recipe.recipe import GroupSpec


@dataclass(frozen=True)
class Group:
    """A named parameter group; ``spec`` is None for ``all`` and ``rest``, which have no patterns."""

    name: str
    spec: GroupSpec | None
    parameters: list[nn.Parameter]
    modules: list[nn.Module]


def split(model: nn.Module, specs: Sequence[GroupSpec]) -> list[Group]:
    """Split the parameters of ``model`` by module-name patterns (``fnmatch``'s, case kept).

    A module that matches includes its whole subtree, and the first group that matches has it. The remaining modules are
    the group ``rest``, which comes first and is left out if empty. Without ``specs`` there is one group, ``all``.

    Raises:
        SpecError: a pattern matches nothing, or a group has no parameters.
    """
    if not specs:
        return [Group("all", None, list(model.parameters()), list(model.modules()))]
    owner = {name: _owner(name, specs) for name, _ in model.named_modules()}
    for index, spec in enumerate(specs):
        for number, pattern in enumerate(spec.modules):
            if not any(name and fnmatchcase(name, pattern) for name in owner):
                known = ", ".join(name for name, _ in model.named_children())
                raise SpecError(
                    f"groups[{index}].modules[{number}]",
                    f"{pattern!r} matches no module; the network's modules are {known} and those inside them",
                )
    groups = []
    for index in range(-1, len(specs)):
        modules = [module for name, module in model.named_modules() if owner[name] == index]
        parameters = [p for name, p in model.named_parameters() if owner[name.rpartition(".")[0]] == index]
        if index == -1:
            if parameters:
                groups.append(Group("rest", None, parameters, modules))
            continue
        if not parameters:
            raise SpecError(
                f"groups[{index}].modules",
                "match no parameters: the matching modules have none or belong to earlier groups",
            )
        groups.append(Group(specs[index].name, specs[index], parameters, modules))
    return groups


def _owner(name: str, specs: Sequence[GroupSpec]) -> int:
    parts = name.split(".")
    lineage = [".".join(parts[: i + 1]) for i in range(len(parts))] if name else []
    for index, spec in enumerate(specs):
        if any(fnmatchcase(ancestor, pattern) for ancestor in lineage for pattern in spec.modules):
            return index
    return -1

"""Parameter groups by module-name patterns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from engine.common.errors import SpecError
from engine.models.groups import split
from engine.recipe.recipe import GroupSpec


class Net(nn.Module):
    """Two blocks, a head, a weight of its own, and a module without parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(2, 2, 3), nn.ReLU())
        self.relu = nn.ReLU()
        self.fc1 = nn.Linear(2, 2)
        self.fc2 = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x


def group(name: str, *modules: str) -> GroupSpec:
    return GroupSpec(name=name, modules=modules)


def names(net: nn.Module, *specs: GroupSpec) -> dict[str, list[str]]:
    """Parameter names of each group, in order."""
    known = {id(p): name for name, p in net.named_parameters()}
    return {g.name: [known[id(p)] for p in g.parameters] for g in split(net, specs)}


def test_without_groups_there_is_one_with_all_parameters() -> None:
    net = Net()
    assert names(net) == {"all": [name for name, _ in net.named_parameters()]}
    assert split(net, ())[0].spec is None


def test_modules_that_match_no_pattern_are_the_first_group_rest() -> None:
    groups = names(Net(), group("head", "fc*"))
    assert list(groups) == ["rest", "head"]
    assert groups["head"] == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert "scale" in groups["rest"]
    assert "block1.1.weight" in groups["rest"]


def test_an_empty_rest_is_left_out() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    assert list(names(net, group("layers", "*"))) == ["layers"]


def test_a_module_includes_its_whole_subtree() -> None:
    net = Net()
    assert names(net, group("first", "block1"))["first"] == [
        "block1.0.weight",
        "block1.0.bias",
        "block1.1.weight",
        "block1.1.bias",
    ]
    first = split(net, (group("first", "block1"),))[1]
    assert net.block1[1] in first.modules
    assert net.block2[1] not in first.modules


def test_the_first_group_that_matches_has_the_module() -> None:
    groups = names(Net(), group("one", "fc1"), group("both", "fc*"))
    assert groups["one"] == ["fc1.weight", "fc1.bias"]
    assert groups["both"] == ["fc2.weight", "fc2.bias"]


def test_patterns_are_fnmatch_patterns_and_case_sensitive() -> None:
    assert names(Net(), group("g", "block[12].0"))["g"] == [
        f"block{n}.0.{p}" for n in (1, 2) for p in ("weight", "bias")
    ]
    with pytest.raises(SpecError):
        split(Net(), (group("g", "FC*"),))


@pytest.mark.parametrize("specs", [(), (group("a", "fc1", "block2"), group("b", "block1.1")), (group("a", "*"),)])
def test_every_parameter_is_in_exactly_one_group(specs: tuple[GroupSpec, ...]) -> None:
    net = Net()
    owned = [id(p) for g in split(net, specs) for p in g.parameters]
    assert sorted(owned) == sorted(id(p) for p in net.parameters())
    modules = [id(m) for g in split(net, specs) for m in g.modules]
    assert sorted(modules) == sorted(id(m) for m in net.modules())


def test_a_weight_that_two_modules_share_is_in_one_group() -> None:
    net = Net()
    net.fc2.weight = net.fc1.weight
    owned = [id(p) for g in split(net, (group("head", "fc2"),)) for p in g.parameters]
    assert sorted(owned) == sorted(id(p) for p in net.parameters())


def test_a_pattern_that_matches_nothing_is_an_error_that_lists_the_modules() -> None:
    with pytest.raises(SpecError) as caught:
        split(Net(), (group("a", "fc1"), group("b", "fc2", "head*")))
    assert caught.value.field == "groups[1].modules[1]"
    assert "'head*' matches no module; the network's modules are block1, block2, relu, fc1, fc2" in caught.value.problem


@pytest.mark.parametrize(
    "specs", [(group("a", "fc*"), group("b", "fc2")), (group("a", "fc*"), group("b", "relu")), (group("b", "relu"),)]
)
def test_a_group_without_parameters_is_an_error(specs: tuple[GroupSpec, ...]) -> None:
    with pytest.raises(
        SpecError, match="match no parameters: the matching modules have none or belong to earlier groups"
    ) as caught:
        split(Net(), specs)
    assert caught.value.field == f"groups[{len(specs) - 1}].modules"

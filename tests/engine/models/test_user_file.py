from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.common.errors import SpecError
from engine.models.registry import build, on_meta
from engine.models.summary import outline
from engine.recipe.recipe import ModelSpec

DIGITS: dict[str, int] = {"channels": 1, "height": 8, "width": 8, "classes": 10}
OWN = """
import torch
from torch import nn

def good(in_channels, num_classes):
    return nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.Linear(in_channels * 64, num_classes))

def lazy(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))

def computes(in_channels, num_classes):
    rates = [r.item() for r in torch.linspace(0, 0.5, 3)]
    return nn.Sequential(nn.Dropout(rates[1]), nn.Flatten(), nn.Linear(in_channels * 64, num_classes))

def partly_still(in_channels, num_classes):
    network = good(in_channels, num_classes)
    network[0].eval()
    return network

def raises(in_channels, num_classes):
    raise KeyError("layer9")

def leaves(in_channels, num_classes):
    raise SystemExit(3)

def returns_text(in_channels, num_classes):
    return "network"

def returns_class(in_channels, num_classes):
    return nn.Linear

def no_parameters(in_channels, num_classes):
    return nn.Flatten()

def other_names(channels, classes):
    return good(channels, classes)

def wrong_size(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(99, num_classes))

def wrong_classes(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * 64, num_classes + 1))

class Pair(nn.Linear):
    def forward(self, x):
        return (x, x)

def a_pair(in_channels, num_classes):
    return Pair(2, 2)

class PairInTraining(nn.Linear):
    def forward(self, x):
        scores = super().forward(x.flatten(1))
        return (scores, scores) if self.training else scores

def a_pair_in_training(in_channels, num_classes):
    return PairInTraining(64, num_classes)

class InPlace(nn.Linear):
    def forward(self, x):
        self.bias *= 2
        return super().forward(x.flatten(1))

def in_place(in_channels, num_classes):
    return InPlace(64, num_classes)

number = 3
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


@pytest.mark.parametrize("function", ["good", "lazy", "computes", "partly_still"])
def test_a_users_network_is_built_and_counted(own: Path, function: str) -> None:
    spec = ModelSpec(name=f"{own}:{function}")
    before = torch.get_rng_state()
    counted = on_meta(spec, **DIGITS)
    assert torch.equal(torch.get_rng_state(), before)
    built = build(spec, **DIGITS)
    assert sum(size for _, size in outline(built)) == 64 * 10 + 10
    assert outline(counted) == outline(built)
    assert [m.training for m in built.children()].count(False) == (1 if function == "partly_still" else 0)
    assert not list(own.parent.glob("__pycache__"))


BAD = {
    "raises": "own.py:raises raised at line 21: KeyError: 'layer9'",
    "leaves": "own.py:leaves raised at line 24: SystemExit: 3",
    "returns_text": "returns_text must return an nn.Module; it returned str",
    "returns_class": "returns_class must return an nn.Module; it returned type",
    "no_parameters": "no_parameters returns has no parameters",
    "other_names": "TypeError: other_names() got an unexpected keyword argument",
    "number": "has no function number",
    "absent": "has no function absent",
}
UNFIT = {
    "wrong_size": "given images [2, 1, 8, 8], raised RuntimeError",
    "wrong_classes": "to scores [2, 10]; in evaluation mode it returned a tensor [2, 11]",
    "a_pair": "to scores [2, 10]; in evaluation mode it returned tuple",
    "a_pair_in_training": "to scores [2, 10]; in training mode it returned tuple",
    "in_place": "given images [2, 1, 8, 8], raised at line 61: RuntimeError: a leaf Variable that requires grad",
}


@pytest.mark.parametrize("function", BAD)
def test_an_error_says_what_is_wrong_with_a_users_network(own: Path, function: str) -> None:
    for make in (build, on_meta):
        with pytest.raises(SpecError) as caught:
            make(ModelSpec(name=f"{own}:{function}"), **DIGITS)
        assert caught.value.field == "model.name"
        assert BAD[function] in caught.value.problem


@pytest.mark.parametrize("function", UNFIT)
def test_a_network_that_cannot_be_trained_is_refused_before_it_takes_memory(own: Path, function: str) -> None:
    with pytest.raises(SpecError) as caught:
        on_meta(ModelSpec(name=f"{own}:{function}"), **DIGITS)
    assert caught.value.field == "model.name"
    assert UNFIT[function] in caught.value.problem


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    spec = ModelSpec(name=f"{path}:make")
    with pytest.raises(SpecError, match=r"net\.py does not exist"):
        build(spec, **DIGITS)
    path.write_text("x = 1\ndef make(:\n")
    with pytest.raises(SpecError, match=r"net.py raised at line 2: SyntaxError"):
        build(spec, **DIGITS)
    path.write_text("import no_such_module_anywhere\n")
    with pytest.raises(SpecError, match=r"net.py raised at line 1: ModuleNotFoundError"):
        build(spec, **DIGITS)


def test_a_users_file_can_import_from_its_folder_and_is_run_each_time(tmp_path: Path) -> None:
    (tmp_path / "tiller_test_neighbour.py").write_text("WIDTH = 64\n")
    path = tmp_path / "net.py"
    text = (
        "from torch import nn\nfrom tiller_test_neighbour import WIDTH\n"
        "def make(in_channels, num_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(WIDTH, 1), nn.Linear(1, num_classes))\n"
    )
    path.write_text(text)
    spec = ModelSpec(name=f"{path}:make")
    assert dict(outline(build(spec, **DIGITS)))["1"] == 65
    path.write_text(text.replace("WIDTH, 1", "WIDTH, 2").replace("Linear(1,", "Linear(2,"))
    assert dict(outline(build(spec, **DIGITS)))["1"] == 130


def test_the_file_has_its_own_path(tmp_path: Path) -> None:
    code = "from pathlib import Path\nfrom torch import nn\n"
    code += "classes = int((Path(__file__).parent / 'classes.txt').read_text())\n"
    code += "def make(in_channels, num_classes): return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))\n"
    (tmp_path / "own.py").write_text(code)
    (tmp_path / "classes.txt").write_text("10")
    build(ModelSpec(name=f"{tmp_path / 'own.py'}:make"), **DIGITS)
    assert not (tmp_path / "__pycache__").exists()

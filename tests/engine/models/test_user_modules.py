"""The modules of a user's network are the user's alone, and what its code does to the process stays without effect."""

from __future__ import annotations

import gc
import importlib
import os
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.common.errors import Cancelled, SpecError
from engine.models.registry import build, on_meta
from engine.models.user_modules import digests_of
from engine.recipe.recipe import ModelSpec
from engine.training.run_state import random_state, seed_everything

DIGITS: dict[str, int] = {"channels": 1, "height": 8, "width": 8, "classes": 10}
PLAIN = """
from torch import nn
{before}
def make(in_channels, num_classes):
    {inside}
    return nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH), nn.Linear(WIDTH, num_classes))
"""
LATE = """
import torch
from torch import nn
class Late(nn.Linear):
    def forward(self, x):
        {late}
        return super().forward(x.flatten(1)) + SHIFT
def make(in_channels, num_classes):
    return Late(64, num_classes)
"""


def spec(folder: Path, **files: str) -> ModelSpec:
    """The network ``make`` of ``net.py`` in ``folder``, with ``files`` (``a__b`` is the file ``a/b.py``)."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/', 1) if name[0] != '_' else name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return ModelSpec(name=f"{folder / 'net.py'}:make")


def width(network: nn.Module) -> int:
    return int(network[1].out_features)  # type: ignore[index, arg-type, union-attr]


def plain(before: str = "WIDTH = 5", inside: str = "pass") -> str:
    return PLAIN.format(before=before, inside=inside)


def test_each_network_has_its_own_neighbours(tmp_path: Path) -> None:
    net = plain("from blocks import WIDTH")
    first = build(spec(tmp_path / "a", net=net, blocks="WIDTH = 16"), **DIGITS)
    second = build(spec(tmp_path / "b", net=net, blocks="WIDTH = 128"), **DIGITS)
    assert (width(first), width(second)) == (16, 128)


def test_an_edited_neighbour_is_read_again(tmp_path: Path) -> None:
    net = plain("from parts.blocks import WIDTH")
    model = spec(tmp_path, net=net, parts__blocks="WIDTH = 16")
    assert width(build(model, **DIGITS)) == 16
    spec(tmp_path, parts__blocks="WIDTH = 17")
    assert width(build(model, **DIGITS)) == 17
    assert not list(tmp_path.rglob("__pycache__"))


@pytest.mark.parametrize("name", ["engine", "gui", "main", "random"])
@pytest.mark.parametrize(
    "statement", ["from {} import WIDTH", "import {0}; WIDTH = {0}.WIDTH", "from .{} import WIDTH"]
)
def test_a_neighbour_with_a_known_name_is_the_users(tmp_path: Path, name: str, statement: str) -> None:
    known = sys.modules.get(name)
    model = spec(tmp_path, net=plain(statement.format(name)), **{name: "WIDTH = 3"})
    assert width(build(model, **DIGITS)) == 3
    assert sys.modules.get(name) is known


IMPORTS = {
    "a package": ("import parts.blocks as b; WIDTH = b.WIDTH", {"parts____init__": "", "parts__blocks": "WIDTH = 7"}),
    "a submodule": ("from parts import blocks; WIDTH = blocks.WIDTH", {"parts__blocks": "WIDTH = 7"}),
    "a relative import": (
        "from parts import WIDTH",
        {"parts____init__": "from .blocks import WIDTH", "parts__blocks": "WIDTH = 7"},
    ),
    "a neighbour of a neighbour": (
        "import first; WIDTH = first.second.WIDTH",
        {"first": "import second", "second": "WIDTH = 7"},
    ),
    "by name": (
        "import importlib; WIDTH = importlib.import_module('parts.blocks').WIDTH",
        {"parts__blocks": "WIDTH = 7"},
    ),
    "from a folder of its path": (
        "import os, sys; sys.path.append(os.path.join(os.path.dirname(__file__), 'lib')); from deep import WIDTH",
        {"lib__deep": "WIDTH = 7"},
    ),
    "a dataclass with late annotations": (
        "from blocks import Size; WIDTH = Size(7).width",
        {
            "blocks": "from __future__ import annotations\nfrom dataclasses import dataclass\n"
            "@dataclass\nclass Size:\n    width: int\n"
        },
    ),
    "a folder named as a package that is installed": (
        "import numpy; WIDTH = int(numpy.array(7))",
        {"numpy__notes": "x = 1"},
    ),
}


@pytest.mark.parametrize("what", IMPORTS)
def test_neighbours_are_imported_as_a_scripts_are(tmp_path: Path, what: str) -> None:
    before, files = IMPORTS[what]
    known, path = set(sys.modules), list(sys.path)
    network = build(spec(tmp_path, net=plain(before), **files), **DIGITS)
    assert width(network) == 7
    assert sys.path == path
    assert all(name.startswith("tiller_own_network_") for name in set(sys.modules) - known if own(name, tmp_path))


def own(name: str, folder: Path) -> bool:
    return str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder))


@pytest.mark.parametrize("late", ["from blocks import SHIFT", "import blocks; SHIFT = blocks.SHIFT"])
def test_forward_can_import_a_neighbour_late(tmp_path: Path, late: str) -> None:
    model = spec(tmp_path, net=LATE.format(late=late.replace("; ", "\n        ")), blocks="SHIFT = 100")
    network = build(model, **DIGITS)
    assert network(torch.zeros(1, 64)).min().item() > 90
    assert "blocks" not in sys.modules


def test_the_modules_are_forgotten_with_their_network(tmp_path: Path) -> None:
    def names() -> set[str]:
        return {name for name in sys.modules if own(name, tmp_path) or name.startswith("tiller_own_network_")}

    gc.collect()
    before = names()
    network = build(spec(tmp_path, net=plain("from blocks import WIDTH"), blocks="WIDTH = 16"), **DIGITS)
    assert len(names() - before) == 3  # a package, the file and its neighbour
    del network
    gc.collect()
    assert names() == before
    with pytest.raises(SpecError):
        build(spec(tmp_path, net="raise ValueError"), **DIGITS)
    assert names() == before


def test_a_network_is_built_again_from_the_sources_that_built_it(tmp_path: Path) -> None:
    model = spec(tmp_path, net=plain("from blocks import WIDTH"), blocks="WIDTH = 16")
    first = build(model, **DIGITS)
    spec(tmp_path, net="raise ValueError", blocks="WIDTH = 17")
    second = build(model, **DIGITS, like=first)
    assert width(second) == 16
    assert digests_of(second) == digests_of(first)


def test_the_sources_that_were_run_are_known_by_their_digests(tmp_path: Path) -> None:
    model = spec(tmp_path, net=plain("from blocks import WIDTH"), blocks="WIDTH = 16", unused="")
    network = build(model, **DIGITS)
    digests = digests_of(network)
    assert sorted(digests) == [str(tmp_path / "blocks.py"), str(tmp_path / "net.py")]
    spec(tmp_path, blocks="WIDTH = 16 # edited")
    again = digests_of(build(model, **DIGITS))
    assert [name for name in digests if digests[name] != again[name]] == [str(tmp_path / "blocks.py")]
    assert digests_of(nn.Flatten()) == {}


# -- what a user's code does to the process

CHANGES: dict[str, tuple[str, Callable[[], Any]]] = {
    "folder": ("import os; os.chdir('/')", os.getcwd),
    "environment": ("import os; os.environ['TILLER_LIBRARY'] = '/'", lambda: dict(os.environ)),
    "path": ("import sys; sys.path.insert(0, '/')", lambda: list(sys.path)),
    "standard output": ("import io, sys; sys.stdout = io.StringIO()", lambda: sys.stdout),
    "garbage": ("import gc; gc.disable() if gc.isenabled() else gc.enable()", gc.isenabled),
    "dtype": ("import torch; torch.set_default_dtype(torch.float64)", torch.get_default_dtype),
    "device": ("import torch; torch.set_default_device('meta')", lambda: torch.zeros(1).device),
    "threads": ("import torch; torch.set_num_threads(torch.get_num_threads() + 1)", torch.get_num_threads),
    "gradients": ("import torch; torch.set_grad_enabled(False)", torch.is_grad_enabled),
    "anomalies": ("import torch; torch.autograd.set_detect_anomaly(True, False)", torch.is_anomaly_enabled),
    "determinism": (
        "import torch; torch.use_deterministic_algorithms(True)",
        torch.are_deterministic_algorithms_enabled,
    ),
    "cudnn": ("import torch; torch.backends.cudnn.benchmark = True", lambda: torch.backends.cudnn.benchmark),
    "warnings": ("import warnings; warnings.simplefilter('ignore')", lambda: list(warnings.filters)),
}


@pytest.mark.parametrize("where", ["at import", "in the function"])
@pytest.mark.parametrize("what", CHANGES)
def test_the_process_is_as_it_was(tmp_path: Path, what: str, where: str) -> None:
    change, read = CHANGES[what]
    code = plain(f"WIDTH = 5; {change}") if where == "at import" else plain(inside=change)
    before = read()
    build(spec(tmp_path, net=code), **DIGITS)
    assert read() == before


SEEDS = "import random, numpy, torch; random.seed(3); numpy.random.seed(3); torch.manual_seed(3)"
DRAWS = "import random, numpy, torch; random.random(); numpy.random.rand(); torch.rand(3)"


def drawn(folder: Path, code: str, seed: int = 0) -> tuple[torch.Tensor, dict[str, Any]]:
    seed_everything(seed)
    network = build(spec(folder, net=code), **DIGITS)
    return next(network.parameters()).detach().clone(), random_state(torch.device("cpu"))


def test_a_file_that_seeds_or_draws_leaves_the_recipes_seed_in_charge(tmp_path: Path) -> None:
    expected, state = drawn(tmp_path, plain())
    for change in (SEEDS, DRAWS):
        weights, after = drawn(tmp_path, plain(f"WIDTH = 5; {change}"))
        assert torch.equal(weights, expected)
        assert same(after, state)
    assert not torch.equal(drawn(tmp_path, plain(f"WIDTH = 5; {SEEDS}"), seed=1)[0], expected)


def test_a_function_that_seeds_decides_its_weights_and_nothing_else(tmp_path: Path) -> None:
    states = []
    for seed in (0, 1):
        weights, state = drawn(tmp_path, plain(inside=SEEDS), seed)
        states.append(state)
        seed_everything(seed)
        assert same(state, random_state(torch.device("cpu")))
    assert torch.equal(weights, drawn(tmp_path, plain(inside=SEEDS), 0)[0])
    assert not same(*states)


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    others = {name: value for name, value in first.items() if name != "torch"}
    return torch.equal(first["torch"], second["torch"]) and all(second[name] == others[name] for name in others)


# -- code that does not come back

HANGS = {
    "at import": "while True: pass",
    "asleep": "import time; time.sleep(1000)",
    "on a lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
}


@pytest.mark.parametrize(("make", "what"), [(build, "at import"), (build, "asleep"), (on_meta, "on a lock")])
def test_code_that_does_not_come_back_can_be_cancelled(tmp_path: Path, what: str, make: Any) -> None:
    with pytest.raises(Cancelled):
        make(spec(tmp_path, net=HANGS[what]), **DIGITS, cancelled=lambda: True)
    deadline = time.monotonic() + 60
    while what == "at import" and runs(tmp_path):  # Python code is ended, too
        assert time.monotonic() < deadline


def runs(folder: Path) -> bool:
    """Whether a thread runs code from ``folder``."""
    stacks = [traceback.extract_stack(frame) for frame in sys._current_frames().values()]
    return any(line.filename.startswith(str(folder)) for stack in stacks for line in stack)


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit(3)", "GeneratorExit"])
@pytest.mark.parametrize("where", ["at import", "in the function", "in forward"])
def test_what_would_end_a_process_is_an_error_of_the_network(tmp_path: Path, error: str, where: str) -> None:
    code = {
        "at import": plain(f"raise {error}"),
        "in the function": plain(inside=f"raise {error}"),
        "in forward": LATE.format(late=f"raise {error}"),
    }[where]
    for make in (build, on_meta) if where != "in forward" else (on_meta,):
        with pytest.raises(SpecError, match=error.partition("(")[0]) as caught:
            make(spec(tmp_path, net=code), **DIGITS)
        assert caught.value.field == "model.name"


def test_a_file_of_an_unknown_user_is_an_error_of_the_recipe() -> None:
    with pytest.raises(SpecError) as caught:
        build(ModelSpec(name="~nosuchuser/net.py:make"), **DIGITS)
    assert caught.value.field == "model.name"


def test_the_import_machinery_is_as_it_was_for_everybody_else(tmp_path: Path) -> None:
    network = build(spec(tmp_path, net=plain("from blocks import WIDTH"), blocks="WIDTH = 16"), **DIGITS)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("blocks")
    assert width(network) == 16
    assert random.random() >= 0
    assert np.__name__ == "numpy"

"""Recipes: read, written, and refused with the field, what is wrong and what is allowed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.presets import PRESETS, preset
from engine.recipe import OPTIMIZERS, DataSpec, GroupSpec, ModelSpec, Recipe, read_recipe, recipe_from_json
from engine.schedules import SCHEDULES, LambdaLR, ReduceLROnPlateau, StepLR
from engine.spec import SpecError, problems

STEP = {"name": "StepLR", "step_size": 10}
LEAST: dict[str, Any] = {"data": {}, "model": {}, "optimizer": {"name": "SGD"}, "schedule": STEP}


def read(**changed: Any) -> Recipe:
    return recipe_from_json(json.dumps({**LEAST, **changed}))


def test_the_example_of_the_design_reads() -> None:
    text = """
    {"data": {"name": "digits", "batch_size": 64, "augment": false, "root": null},
     "model": {"name": "small_cnn", "pretrained": false},
     "optimizer": {"name": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0},
     "schedule": {"name": "StepLR", "step_size": 10, "gamma": 0.5},
     "groups": [{"name": "head", "modules": ["fc*"], "lr": 0.1, "frozen": false}],
     "epochs": 30, "seed": 0, "device": "auto", "precision": "float32"}
    """
    recipe = recipe_from_json(text)
    assert recipe.groups == (GroupSpec(name="head", modules=("fc*",), lr=0.1),)
    assert recipe.schedule == StepLR(step_size=10, gamma=0.5)
    assert recipe.model_copy(update={"groups": ()}) == Recipe()


def test_every_key_but_four_has_a_default() -> None:
    recipe = read(optimizer={"name": "SGD"})
    assert (recipe.epochs, recipe.seed, recipe.device, recipe.precision, recipe.groups) == (
        30,
        0,
        "auto",
        "float32",
        (),
    )
    for key in ("data", "model", "optimizer", "schedule"):
        text = json.dumps({k: v for k, v in LEAST.items() if k != key})
        with pytest.raises(SpecError, match=f"^{key}: is required; a recipe needs data, model, optimizer, schedule$"):
            recipe_from_json(text)


@pytest.mark.parametrize("name", PRESETS)
def test_json_comes_back_equal(name: str) -> None:
    recipe = preset(name)
    assert recipe_from_json(recipe.to_json()) == recipe
    assert recipe_from_json(recipe.to_json(indent=2).encode()) == recipe


SPECS = [
    {"name": "Constant"},
    STEP,
    {"name": "MultiStepLR", "milestones": [3, 5], "gamma": 0.3, "interval": "step"},
    {"name": "ExponentialLR", "gamma": 0.98},
    {"name": "CosineAnnealingLR", "T_max": 20, "eta_min": 1e-4},
    {"name": "ReduceLROnPlateau", "monitor": "val_accuracy"},
    {"name": "LambdaLR", "lr_lambda": ["epoch", "0.9**epoch"]},
]


def test_the_examples_cover_every_schedule() -> None:
    assert [s["name"] for s in SPECS] == [s.__name__ for s in SCHEDULES]


@given(
    schedule=st.sampled_from(SPECS),
    own=st.sampled_from([None, *SPECS]),
    optimizer=st.sampled_from([o.__name__ for o in OPTIMIZERS]),
    lr=st.floats(0, 1000),
    epochs=st.integers(1, 1_000_000),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_recipe_comes_back_equal_to_the_last_bit(
    schedule: dict[str, Any], own: dict[str, Any] | None, optimizer: str, lr: float, epochs: int, seed: int
) -> None:
    head = {"name": "head", "modules": ["fc", "layer4.*"], "lr": lr, "schedule": own}
    recipe = read(optimizer={"name": optimizer, "lr": lr}, schedule=schedule, groups=[head], epochs=epochs, seed=seed)
    again = recipe_from_json(recipe.to_json())
    assert again == recipe
    assert again.optimizer.lr == lr


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"color": 1}, "color", "is not a key here; allowed: data, model"),
    ({"data": None}, "data", "must be an object"),
    ({"data": {"name": "cifar"}}, "data.name", "must be 'digits', 'mnist' or"),
    ({"data": {"batch_size": 0}}, "data.batch_size", "must be at least 1; it is 0"),
    ({"data": {"batch_size": 65537}}, "data.batch_size", "must be at most 65536"),
    ({"data": {"batch_size": 1.5}}, "data.batch_size", "must be a whole number"),
    ({"data": {"batch_size": True}}, "data.batch_size", "must be a whole number"),
    ({"data": {"augment": 1}}, "data.augment", "must be true or false; it is 1"),
    ({"data": {"root": ""}}, "data.root", "must not be empty"),
    ({"data": {"root": 3}}, "data.root", "must be text; it is 3"),
    ({"data": {"size": 3}}, "data.size", "is not a key here; allowed: name, batch_size"),
    ({"model": {"name": "resnet19"}}, "model.name", "allowed: small_cnn, lenet5, resnet18, vgg11_bn, or FILE.py:FUNC"),
    ({"model": {"name": "net.py:1x"}}, "model.name", "'1x' is not a function's name; write FILE.py:FUNCTION"),
    ({"model": {"pretrained": True}}, "model.pretrained", "only resnet18 and vgg11_bn have"),
    ({"optimizer": {}}, "optimizer.name", "is required"),
    ({"optimizer": {"name": "sgd"}}, "optimizer.name", "'sgd' is not known; allowed: SGD, Adam, AdamW, RMSprop"),
    ({"optimizer": {"name": "SGD", "lr": -0.1}}, "optimizer.lr", "must be at least 0"),
    ({"optimizer": {"name": "SGD", "lr": 1001}}, "optimizer.lr", "must be at most 1000"),
    ({"optimizer": {"name": "SGD", "lr": "0.1"}}, "optimizer.lr", "must be a number; it is '0.1'"),
    ({"optimizer": {"name": "SGD", "lr": float("nan")}}, "optimizer.lr", "must be a finite number"),
    ({"optimizer": {"name": "SGD", "lr": float("inf")}}, "optimizer.lr", "must be a finite number"),
    ({"optimizer": {"name": "SGD", "momentum": 1}}, "optimizer.momentum", "must be less than 1"),
    ({"optimizer": {"name": "SGD", "nesterov": True}}, "optimizer.nesterov", "needs a momentum above 0"),
    ({"optimizer": {"name": "Adam", "momentum": 0.9}}, "optimizer.momentum", "is not a key here; allowed: lr, weight"),
    ({"optimizer": {"name": "Adam", "betas": [0.9]}}, "optimizer.betas[1]", "is required"),
    ({"optimizer": {"name": "Adam", "betas": [0.9, 1.0]}}, "optimizer.betas[1]", "must be less than 1"),
    ({"schedule": {"step_size": 3}}, "schedule.name", "is required"),
    ({"schedule": {"name": "OnePlus"}}, "schedule.name", "'OnePlus' is not known; allowed: Constant, StepLR,"),
    ({"schedule": {"name": "StepLR"}}, "schedule.step_size", "is required"),
    ({"schedule": {"name": "StepLR", "step_size": 0}}, "schedule.step_size", "must be at least 1"),
    ({"schedule": {"name": "StepLR", "step_size": 1, "gamma": 0}}, "schedule.gamma", "must be greater than 0"),
    ({"schedule": {"name": "StepLR", "step_size": 1, "verbose": True}}, "schedule.verbose", "is not a key here"),
    ({"schedule": {"name": "StepLR", "step_size": 1, "interval": "day"}}, "schedule.interval", "must be 'epoch' or 's"),
    ({"schedule": {"name": "ExponentialLR"}}, "schedule.gamma", "is required"),
    ({"schedule": {"name": "CosineAnnealingLR"}}, "schedule.T_max", "is required"),
    ({"schedule": {"name": "MultiStepLR"}}, "schedule.milestones", "is required"),
    ({"schedule": {"name": "MultiStepLR", "milestones": []}}, "schedule.milestones", "at least 1 item"),
    ({"schedule": {"name": "MultiStepLR", "milestones": [3, 1]}}, "schedule.milestones", "must be in increasing order"),
    ({"schedule": {"name": "MultiStepLR", "milestones": [3, 4.5]}}, "schedule.milestones[1]", "must be a whole number"),
    ({"schedule": {"name": "MultiStepLR", "milestones": 3}}, "schedule.milestones", "must be a list; it is 3"),
    ({"schedule": {"name": "ReduceLROnPlateau", "interval": "step"}}, "schedule.interval", "must be 'epoch' here"),
    ({"schedule": {"name": "ReduceLROnPlateau", "monitor": "loss"}}, "schedule.monitor", "must be 'val_loss',"),
    ({"schedule": {"name": "ReduceLROnPlateau", "factor": 1}}, "schedule.factor", "must be less than 1"),
    ({"schedule": {"name": "LambdaLR", "lr_lambda": []}}, "schedule.lr_lambda", "at least 1 item"),
    ({"schedule": {"name": "LambdaLR", "lr_lambda": 0.5}}, "schedule.lr_lambda", "must be a list"),
    (
        {"schedule": {"name": "LambdaLR", "lr_lambda": "0.9**n"}},
        "schedule.lr_lambda",
        "'n' is not known; allowed: epoch",
    ),
    ({"schedule": {"name": "LambdaLR", "lr_lambda": ["1", "1 +"]}}, "schedule.lr_lambda[1]", "(at character 4)"),
    ({"groups": {}}, "groups", "must be a list"),
    ({"groups": [{"name": "a"}]}, "groups[0].modules", "is required"),
    ({"groups": [{"name": "a", "modules": []}]}, "groups[0].modules", "at least 1 item"),
    ({"groups": [{"name": "a", "modules": "fc"}]}, "groups[0].modules", "must be a list"),
    ({"groups": [{"name": "a", "modules": ["fc", ""]}]}, "groups[0].modules[1]", "must not be empty"),
    ({"groups": [{"name": "rest", "modules": ["fc"]}]}, "groups[0].name", "'rest' is taken"),
    ({"groups": [{"name": "all", "modules": ["fc"]}]}, "groups[0].name", "'all' is taken"),
    ({"groups": [{"name": "a", "modules": ["x"]}] * 2}, "groups[1].name", "'a' is used twice"),
    (
        {"groups": [{"name": "a", "modules": ["x"], "schedule": {"name": "StepLR"}}]},
        "groups[0].schedule.step_size",
        "is r",
    ),
    ({"epochs": 0}, "epochs", "must be at least 1; it is 0"),
    ({"epochs": 10**30}, "epochs", "must be at most 1000000"),
    ({"epochs": "30"}, "epochs", "must be a whole number; it is '30'"),
    ({"seed": -1}, "seed", "must be at least 0"),
    ({"device": "tpu"}, "device", "must be auto, cpu, cuda or cuda:N; it is 'tpu'"),
    ({"precision": "float16"}, "precision", "must be 'float32' or 'bfloat16'; it is 'float16'"),
]


@pytest.mark.parametrize(
    ("changed", "field", "problem"), BAD, ids=[f"{field}-{problem[:20]}" for _, field, problem in BAD]
)
def test_bad_input_names_the_field_and_what_is_allowed(changed: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(**changed)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert str(caught.value) == f"{field}: {caught.value.problem}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '"recipe"',
        "[" * 100_000,
        "{" * 100_000,
        b"\xff\xfe\x00",
        "\ufeff{}",
        "1" * 5000,
        '{"a": "\\ud800"}',
    ],
)
def test_what_is_no_recipe_at_all_is_refused_in_one_short_line(text: str | bytes) -> None:
    with pytest.raises(SpecError) as caught:
        recipe_from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_text_that_no_file_can_hold_is_refused_without_repeating_it() -> None:
    text = json.dumps({**LEAST, "data": {"root": "x" * 5000}}).replace("x" * 5000, "\\ud800" + "x" * 5000)
    with pytest.raises(SpecError, match="is not JSON") as caught:
        recipe_from_json(text)
    assert len(str(caught.value)) < 300


def test_a_recipe_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"recipe: .*none\.json cannot be read: No such file"):
        read_recipe(tmp_path / "none.json")
    (tmp_path / "some.json").write_text(Recipe().to_json())
    assert read_recipe(tmp_path / "some.json") == Recipe()


def test_every_problem_of_a_form_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate({"epochs": 0, "seed": -1, "device": "tpu"})
    assert [p.field for p in problems(caught.value)] == ["epochs", "seed", "device"]


def test_a_recipe_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().epochs = 3  # type: ignore[misc]


def test_a_network_of_ones_own_is_a_file_and_a_function() -> None:
    assert ModelSpec(name="dir/net.py:make").own_function() == ("dir/net.py", "make")
    assert ModelSpec(name="C:\\nets\\net.py:make").own_function() == ("C:\\nets\\net.py", "make")
    assert ModelSpec().own_function() is None


def test_mode_follows_the_monitored_metric_unless_it_is_given() -> None:
    assert read(schedule={"name": "ReduceLROnPlateau"}).schedule.mode == "min"  # type: ignore[union-attr]
    assert read(schedule={"name": "ReduceLROnPlateau", "monitor": "val_accuracy"}).schedule.mode == "max"  # type: ignore[union-attr]
    odd = ReduceLROnPlateau(monitor="val_accuracy", mode="min")
    assert odd.mode == "min"
    assert "Set mode to max" in odd.warnings()[0]
    group = GroupSpec(name="head", modules=("fc",), schedule=odd)
    assert Recipe(schedule=odd, groups=(group,)).warnings() == [*odd.warnings(), *odd.warnings()]
    assert Recipe().warnings() == []


def test_constant_in_small_letters_is_constant() -> None:
    assert read(schedule={"name": "constant"}).schedule.name == "Constant"  # type: ignore[union-attr]


def test_one_expression_serves_every_group_and_a_list_each_its_own() -> None:
    one, two = LambdaLR(lr_lambda=("0.9**epoch",)), LambdaLR(lr_lambda=("1", "0.5"))
    assert (one.per_group(), two.per_group()) == (None, 2)
    assert one.for_group(5) is one
    assert two.for_group(1) == LambdaLR(lr_lambda=("0.5",))


def test_every_field_that_a_person_sees_says_what_it_is() -> None:
    for spec in (*SCHEDULES, *OPTIMIZERS, DataSpec, ModelSpec, GroupSpec, Recipe):
        for name, field in spec.model_fields.items():
            if name == "name" and spec in (*SCHEDULES, *OPTIMIZERS):
                continue
            if spec is Recipe and name in ("data", "model", "optimizer", "schedule"):
                continue
            assert field.title, (spec, name)
            assert field.description, (spec, name)
            assert field.description.endswith("."), (spec, name)


TORCH_FREE = (
    "engine.recipe",
    "engine.commands",
    "engine.events",
    "engine.lifecycle",
    "engine.words",
    "engine.presets",
    "engine.schedules",
    "engine.schedules.base",
    "engine.schedules.ordered",
    "engine.schedules.adaptive",
    "engine.schedules.custom",
    "engine.schedules.expression",
    "engine.schedules.query",
)


def test_the_window_can_know_recipes_and_commands_without_torch() -> None:
    code = f"""
import importlib, sys
for name in {TORCH_FREE!r}:
    importlib.import_module(name)
heavy = sorted({{m.partition(".")[0] for m in sys.modules}} & {{"torch", "torchvision", "sklearn", "PySide6", "scipy"}})
sys.exit(f"imported: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr

"""Reading and writing recipes, and the errors of invalid ones."""

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

from engine.common.errors import SpecError
from engine.common.spec import problems
from engine.recipe.optimizers import OPTIMIZERS
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import (
    DataSpec,
    GroupSpec,
    GuardSpec,
    ModelSpec,
    Recipe,
    read_recipe,
    recipe_from_json,
)
from engine.schedules import (
    SCHEDULES,
    ChainedScheduler,
    CyclicLR,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

STEP = {"name": "StepLR", "step_size": 10}
MINIMAL: dict[str, Any] = {"data": {}, "model": {}, "optimizer": {"name": "SGD"}, "schedule": STEP}


def read(**changed: Any) -> Recipe:
    return recipe_from_json(json.dumps({**MINIMAL, **changed}))


def test_a_complete_recipe_is_read() -> None:
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


def test_every_key_except_four_has_a_default() -> None:
    recipe = read(optimizer={"name": "SGD"})
    assert (recipe.epochs, recipe.seed, recipe.device, recipe.precision, recipe.groups) == (
        30,
        0,
        "auto",
        "float32",
        (),
    )
    for key in ("data", "model", "optimizer", "schedule"):
        text = json.dumps({k: v for k, v in MINIMAL.items() if k != key})
        with pytest.raises(SpecError, match=f"^{key}: is required; a recipe needs data, model, optimizer, schedule$"):
            recipe_from_json(text)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_a_round_trip(name: str) -> None:
    recipe = preset(name)
    assert recipe_from_json(recipe.to_json()) == recipe
    assert recipe_from_json(recipe.to_json(indent=2)) == recipe


SPECS = [
    {"name": "Constant"},
    STEP,
    {"name": "MultiStepLR", "milestones": [3, 5], "gamma": 0.3, "interval": "step"},
    {"name": "ConstantLR", "factor": 0.1, "total_iters": 3},
    {"name": "LinearLR", "start_factor": 0.01},
    {"name": "ExponentialLR", "gamma": 0.98},
    {"name": "PolynomialLR", "total_iters": 30, "power": 0.9},
    {"name": "CosineAnnealingLR", "T_max": 20, "eta_min": 1e-4},
    {"name": "CosineAnnealingWarmRestarts", "T_0": 5, "T_mult": 2},
    {"name": "CyclicLR", "base_lr": 0.001, "max_lr": 0.1, "step_size_down": 50, "mode": "exp_range"},
    {"name": "OneCycleLR", "max_lr": 0.1, "interval": "epoch"},
    {
        "name": "SequentialLR",
        "schedulers": [
            {"name": "ChainedScheduler", "schedulers": [{"name": "LinearLR"}, {"name": "constant"}]},
            {"name": "LambdaLR", "lr_lambda": ["epoch", "1"]},
            {"name": "Drawn", "points": [[0, 0.1], [2.5, 0.01]]},
        ],
        "milestones": [5, 9],
    },
    {
        "name": "ChainedScheduler",
        "interval": "step",
        "schedulers": [STEP, {"name": "CyclicLR", "base_lr": 0, "max_lr": 1}],
    },
    {"name": "ReduceLROnPlateau", "monitor": "val_accuracy"},
    {"name": "LambdaLR", "lr_lambda": ["epoch", "0.9**epoch"]},
    {"name": "MultiplicativeLR", "lr_lambda": "0.9"},
    {"name": "Drawn", "points": [[0, 0.1], [10, 0.0]], "scale": "linear", "interval": "step", "smooth": True},
]


def test_the_examples_cover_every_schedule() -> None:
    assert [s["name"] for s in SPECS] == [s.__name__ for s in SCHEDULES]


@given(
    schedule=st.sampled_from(SPECS),
    own=st.sampled_from([None, *SPECS]),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    lr=st.floats(0, 1000),
    epochs=st.integers(1, 1_000_000),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_recipe_survives_a_round_trip_to_the_last_bit(
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
    ({"data": {"name": "cifar"}}, "data.name", "'cifar' is not known; allowed: digits, mnist, fashion_mnist"),
    ({"data": {"batch_size": 0}}, "data.batch_size", "must be at least 1; it is 0"),
    ({"data": {"batch_size": 65537}}, "data.batch_size", "must be at most 65536"),
    ({"data": {"batch_size": 1.5}}, "data.batch_size", "must be a whole number"),
    ({"data": {"batch_size": True}}, "data.batch_size", "must be a whole number"),
    ({"data": {"augment": 1}}, "data.augment", "must be true or false; it is 1"),
    ({"model": {"name": ""}}, "model.name", "enter the name of a network, or FILE.py:FUNCTION"),
    ({"data": {"root": 3}}, "data.root", "must be text; it is 3"),
    ({"data": {"size": 3}}, "data.size", "is not a key here; allowed: name, batch_size"),
    ({"model": {"name": "resnet19"}}, "model.name", "allowed: small_cnn, lenet5, resnet18, vgg11_bn, or FILE.py:FUNC"),
    ({"model": {"name": "net.py:1x"}}, "model.name", "'1x' is not a function name; enter FILE.py:FUNCTION"),
    ({"model": {"pretrained": True}}, "model.pretrained", "small_cnn has no pretrained weights; these networks have"),
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
    ({"schedule": {"name": "ConstantLR", "factor": 0}}, "schedule.factor", "must be greater than 0"),
    ({"schedule": {"name": "LinearLR", "start_factor": 1.1}}, "schedule.start_factor", "must be at most 1"),
    ({"schedule": {"name": "LinearLR", "end_factor": -0.1}}, "schedule.end_factor", "must be at least 0"),
    ({"schedule": {"name": "PolynomialLR", "total_iters": 0}}, "schedule.total_iters", "must be at least 1"),
    ({"schedule": {"name": "CosineAnnealingWarmRestarts"}}, "schedule.T_0", "is required"),
    ({"schedule": {"name": "CosineAnnealingWarmRestarts", "T_0": 2.5}}, "schedule.T_0", "must be a whole number"),
    ({"schedule": {"name": "CyclicLR", "max_lr": 1}}, "schedule.base_lr", "is required"),
    ({"schedule": {"name": "CyclicLR", "base_lr": 0, "max_lr": 1, "mode": "CATS"}}, "schedule.mode", "'triangular2'"),
    ({"schedule": {"name": "CyclicLR", "base_lr": 0, "max_lr": 1, "scale_fn": "y"}}, "schedule.scale_fn", "y"),
    ({"schedule": {"name": "CyclicLR", "base_lr": 0, "max_lr": 1, "verbose": True}}, "schedule.verbose", "not a key"),
    ({"schedule": {"name": "CyclicLR", "base_lr": 0, "max_lr": 1, "max_momentum": 1}}, "schedule.max_momentum", "less"),
    ({"schedule": {"name": "OneCycleLR"}}, "schedule.max_lr", "is required"),
    ({"schedule": {"name": "OneCycleLR", "max_lr": 1, "pct_start": 1.1}}, "schedule.pct_start", "must be at most 1"),
    ({"schedule": {"name": "OneCycleLR", "max_lr": 1, "total_steps": 0}}, "schedule.total_steps", "at least 1"),
    ({"schedule": {"name": "MultiplicativeLR", "lr_lambda": "x"}}, "schedule.lr_lambda", "'x' is not known"),
    ({"schedule": {"name": "Drawn", "points": []}}, "schedule.points", "at least 1 item"),
    ({"schedule": {"name": "Drawn", "points": [[0, 1], [0]]}}, "schedule.points[1][1]", "is required"),
    (
        {"schedule": {"name": "Drawn", "points": [[0, 1], [0, 2]]}},
        "schedule.points[1]",
        "must come after the previous point, at 0.0; it is at 0.0",
    ),
    ({"schedule": {"name": "Drawn", "points": [[0, 1], [9, 0]]}}, "schedule.points[1]", "set scale to linear"),
    (
        {"schedule": {"name": "Drawn", "points": [[0, 1], [1e-9, 2]], "smooth": True}},
        "schedule.points[1]",
        "must be at least 1e-06 epochs after",
    ),
    ({"schedule": {"name": "Drawn", "points": [[-1, 1]]}}, "schedule.points[0][0]", "must be at least 0"),
    ({"schedule": {"name": "ChainedScheduler", "schedulers": []}}, "schedule.schedulers", "at least 1 item"),
    (
        {"schedule": {"name": "ChainedScheduler", "schedulers": [{"name": "StepLR", "step_size": 0}]}},
        "schedule.schedulers[0].step_size",
        "must be at least 1; it is 0",
    ),
    (
        {"schedule": {"name": "ChainedScheduler", "schedulers": [{"name": "ReduceLROnPlateau"}]}},
        "schedule.schedulers[0].name",
        "ReduceLROnPlateau can only be the last stage of a SequentialLR",
    ),
    (
        {"schedule": {"name": "SequentialLR", "schedulers": [{"name": "ReduceLROnPlateau"}, STEP], "milestones": [2]}},
        "schedule.schedulers[0].name",
        "ReduceLROnPlateau can only be the last stage of a SequentialLR",
    ),
    (
        {"schedule": {"name": "SequentialLR", "schedulers": [STEP, STEP]}},
        "schedule.milestones",
        "must have 1 item(s), one fewer than schedulers; it has 0",
    ),
    (
        {"schedule": {"name": "SequentialLR", "schedulers": [STEP] * 3, "milestones": [4, 4]}},
        "schedule.milestones",
        "must be in strictly increasing order",
    ),
    *(
        (
            {
                "schedule": {
                    "name": "SequentialLR",
                    "schedulers": [STEP, {"name": kind, "schedulers": [STEP]}],
                    "milestones": [4],
                }
            },
            "schedule.schedulers[1].name",
            f"{kind} can only be the first stage: PyTorch",
        )
        for kind in ("SequentialLR", "ChainedScheduler")
    ),
    (
        {"schedule": {"name": "ChainedScheduler", "schedulers": [STEP, {**STEP, "interval": "step"}]}},
        "schedule.schedulers[1].interval",
        "must be 'epoch' like that of the ChainedScheduler; it is 'step'",
    ),
    (
        {
            "schedule": {
                "name": "ChainedScheduler",
                "schedulers": [
                    {"name": n, "lr_lambda": ["1"] * c} for n, c in (("LambdaLR", 2), ("MultiplicativeLR", 3))
                ],
            }
        },
        "schedule.schedulers[1].lr_lambda",
        "lists 3 values where schedulers[0] lists 2",
    ),
    ({"groups": {}}, "groups", "must be a list"),
    ({"groups": [{"name": "a"}]}, "groups[0].modules", "is required"),
    ({"groups": [{"name": "a", "modules": []}]}, "groups[0].modules", "at least 1 item"),
    ({"groups": [{"name": "a", "modules": "fc"}]}, "groups[0].modules", "must be a list"),
    ({"groups": [{"name": "a", "modules": ["fc", ""]}]}, "groups[0].modules[1]", "must not be empty"),
    ({"groups": [{"name": "rest", "modules": ["fc"]}]}, "groups[0].name", "'rest' is reserved"),
    ({"groups": [{"name": "all", "modules": ["fc"]}]}, "groups[0].name", "'all' is reserved"),
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
    ({"precision": "float64"}, "precision", "must be 'float32', 'tf32', 'bfloat16' or 'float16'; it is 'float64'"),
]


def test_an_empty_text_is_not_repeated() -> None:
    with pytest.raises(SpecError) as caught:
        read(data={"root": ""})
    assert str(caught.value) == "data.root: must not be empty"


@pytest.mark.parametrize(
    ("changed", "field", "problem"), BAD, ids=[f"{field}-{problem[:20]}" for _, field, problem in BAD]
)
def test_an_error_names_the_field_and_what_is_allowed(changed: dict[str, Any], field: str, problem: str) -> None:
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
        "\ufeff{}",
        "1" * 5000,
        '{"a": "\\ud800"}',
    ],
)
def test_text_that_is_not_a_recipe_gives_a_short_error(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        recipe_from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_invalid_unicode_gives_a_short_error() -> None:
    text = json.dumps({**MINIMAL, "data": {"root": "x" * 5000}}).replace("x" * 5000, "\\ud800" + "x" * 5000)
    with pytest.raises(SpecError, match="half of a surrogate pair") as caught:
        recipe_from_json(text)
    assert len(str(caught.value)) < 300


def test_a_missing_recipe_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"recipe: .*none\.json cannot be read: No such file"):
        read_recipe(tmp_path / "none.json")
    (tmp_path / "some.json").write_text(Recipe().to_json())
    assert read_recipe(tmp_path / "some.json") == Recipe()


def test_problems_lists_every_problem() -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate({"epochs": 0, "seed": -1, "device": "tpu"})
    assert [p.field for p in problems(caught.value)] == ["epochs", "seed", "device"]


def test_a_recipe_is_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().epochs = 3  # type: ignore[misc]


def test_a_users_network_is_a_file_from_the_root_and_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert ModelSpec(name="dir/../net.py:make").user_function() == (str(tmp_path / "net.py"), "make")
    assert ModelSpec(name="~/net.py:make").name == f"{tmp_path / 'home' / 'net.py'}:make"
    assert ModelSpec(name="/nets/net.py:make").name == "/nets/net.py:make"
    assert ModelSpec().user_function() is None
    text = read(model={"name": "net.py:make"}).to_json()
    monkeypatch.chdir("/")
    assert recipe_from_json(text).model.name == f"{tmp_path / 'net.py'}:make"


def test_mode_follows_monitor_unless_it_is_given() -> None:
    assert read(schedule={"name": "ReduceLROnPlateau"}).schedule.mode == "min"  # type: ignore[union-attr]
    assert read(schedule={"name": "ReduceLROnPlateau", "monitor": "val_accuracy"}).schedule.mode == "max"  # type: ignore[union-attr]
    contradictory = ReduceLROnPlateau(monitor="val_accuracy", mode="min")
    assert contradictory.mode == "min"
    assert "Set mode to max" in contradictory.warnings()[0]
    group = GroupSpec(name="head", modules=("fc",), schedule=contradictory)
    assert Recipe(schedule=contradictory, groups=(group,)).warnings() == [
        *contradictory.warnings(),
        *contradictory.warnings(),
    ]
    assert Recipe().warnings() == []


def nested(levels: int) -> dict[str, Any]:
    schedule: dict[str, Any] = STEP
    for _ in range(levels):
        schedule = {"name": "ChainedScheduler", "schedulers": [schedule]}
    return schedule


def test_schedules_can_be_nested_up_to_a_limit() -> None:
    assert read(schedule=nested(5)).schedule.name == "ChainedScheduler"  # type: ignore[union-attr]
    for levels in (6, 60, 200):
        with pytest.raises(SpecError, match=r"at most 5 deep|recursion limit") as caught:
            read(schedule=nested(levels))
        assert len(str(caught.value)) < 300


def test_stages_without_an_interval_get_that_of_the_composed_schedule() -> None:
    parts = [{"name": "LinearLR"}, {"name": "CyclicLR", "base_lr": 0.1, "max_lr": 1}]
    for interval in ("epoch", "step"):
        composed = read(schedule={"name": "ChainedScheduler", "interval": interval, "schedulers": parts}).schedule
        assert [stage.interval for stage in composed.schedulers] == [interval, interval]  # type: ignore[union-attr]
    stages = (LinearLR(), CyclicLR(base_lr=0.1, max_lr=1))
    assert [s.interval for s in ChainedScheduler(schedulers=stages).schedulers] == ["epoch", "epoch"]


def test_a_composed_schedule_combines_the_properties_of_its_stages() -> None:
    reversed_bounds = CyclicLR(base_lr=1, max_lr=0.1, base_momentum=0.9, max_momentum=0.8)
    assert len(reversed_bounds.warnings()) == 2
    composed = SequentialLR(schedulers=(LambdaLR(lr_lambda=("1", "2")), reversed_bounds, LinearLR()), milestones=(3, 9))
    assert composed.warnings() == reversed_bounds.warnings()
    assert composed.group_count() == 2
    assert composed.for_group(1).schedulers[0] == LambdaLR(lr_lambda=("2",))
    assert composed.cycles_momentum()
    assert not composed.ignores_base_lr()
    one_cycle_later = SequentialLR(schedulers=(LinearLR(), OneCycleLR(max_lr=0.1)), milestones=(3,))
    assert "max_lr / div_factor" in one_cycle_later.warnings()[0]
    assert SequentialLR(schedulers=(reversed_bounds, LinearLR()), milestones=(3,)).ignores_base_lr()
    assert ChainedScheduler(schedulers=(LinearLR(), reversed_bounds)).ignores_base_lr()
    assert not ChainedScheduler(schedulers=(LinearLR(), StepLR(step_size=3))).ignores_base_lr()


def test_constant_can_be_lower_case() -> None:
    assert read(schedule={"name": "constant"}).schedule.name == "Constant"  # type: ignore[union-attr]


def test_one_expression_applies_to_every_group_and_a_list_to_one_group_each() -> None:
    one, two = LambdaLR(lr_lambda=("0.9**epoch",)), LambdaLR(lr_lambda=("1", "0.5"))
    assert (one.group_count(), two.group_count()) == (None, 2)
    assert one.for_group(5) is one
    assert two.for_group(1) == LambdaLR(lr_lambda=("0.5",))


def test_every_form_field_has_a_title_and_a_description() -> None:
    for spec in (*SCHEDULES, *OPTIMIZERS.values(), DataSpec, ModelSpec, GroupSpec, GuardSpec, Recipe):
        for name, field in spec.model_fields.items():
            if name == "name" and spec in (*SCHEDULES, *OPTIMIZERS.values()):
                continue
            if spec is Recipe and name in ("data", "model", "optimizer", "schedule", "guard"):
                continue
            assert field.title, (spec, name)
            assert field.description, (spec, name)
            assert field.description.endswith("."), (spec, name)


TORCH_FREE = (
    "engine.recipe.recipe",
    "engine.messages.commands",
    "engine.messages.events",
    "engine.common.lifecycle",
    "engine.common.text",
    "engine.recipe.presets",
    "engine.schedules",
    "engine.schedules.base",
    "engine.schedules.ordered",
    "engine.schedules.adaptive",
    "engine.schedules.custom",
    "engine.schedules.cyclic",
    "engine.schedules.drawn",
    "engine.schedules.composed",
    "engine.schedules.expression",
    "engine.messages.preview",
)


def test_recipes_and_commands_import_no_torch() -> None:
    code = f"""
import importlib, sys
for name in {TORCH_FREE!r}:
    importlib.import_module(name)
heavy = sorted({{m.partition(".")[0] for m in sys.modules}} & {{"torch", "torchvision", "sklearn", "PySide6", "scipy"}})
sys.exit(f"imported: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr

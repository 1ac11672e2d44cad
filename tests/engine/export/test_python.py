"""Exported code runs, and its LRs are those of ``main.py lr`` to the last bit."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import main
from engine.common.errors import ExpressionError
from engine.export.expression import as_python
from engine.lr.control import LRControl
from engine.recipe.recipe import Recipe
from engine.schedules import SCHEDULES
from engine.schedules.expression import FUNCTIONS, Expression
from engine.training.dry_run import lrs_ahead
from engine.training.queries import pytorch_code
from tests.engine.running import OPTIMIZERS, PER_EPOCH, SECONDS, recipe
from tests.engine.strategies import SPECS, with_interval
from tests.engine.tiny_networks import tiny

EVERY: dict[str, dict[str, Any]] = {
    "Constant": {"name": "Constant"},
    "StepLR": {"name": "StepLR", "step_size": 2, "gamma": 0.3},
    "MultiStepLR": {"name": "MultiStepLR", "milestones": [2, 5], "gamma": 0.3},
    "ConstantLR": {"name": "ConstantLR", "total_iters": 3},
    "LinearLR": {"name": "LinearLR", "end_factor": 0.0, "start_factor": 0.7, "total_iters": 3},
    "ExponentialLR": {"name": "ExponentialLR", "gamma": 0.83},
    "PolynomialLR": {"name": "PolynomialLR", "total_iters": 6, "power": 1.7},
    "CosineAnnealingLR": {"name": "CosineAnnealingLR", "T_max": 7, "eta_min": 1e-4},
    "CosineAnnealingWarmRestarts": {"name": "CosineAnnealingWarmRestarts", "T_0": 2, "T_mult": 2},
    "CyclicLR": {"name": "CyclicLR", "base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4},
    "OneCycleLR": {"name": "OneCycleLR", "max_lr": 0.3},
    "SequentialLR": {
        "name": "SequentialLR",
        "schedulers": [
            {"name": "LinearLR", "total_iters": 2},
            {"name": "OneCycleLR", "interval": "epoch", "max_lr": 0.2, "cycle_momentum": False},
            {"name": "Drawn", "points": [[0, 0.1], [2, 0.01]]},
        ],
        "milestones": [2, 6],
    },
    "ChainedScheduler": {
        "name": "ChainedScheduler",
        "schedulers": [
            {"name": "SequentialLR", "schedulers": [{"name": "LinearLR"}, {"name": "Constant"}], "milestones": [4]},
            {"name": "StepLR", "step_size": 3},
        ],
    },
    "ReduceLROnPlateau": {
        "name": "ReduceLROnPlateau",
        "patience": 0,
        "factor": 0.5,
        "threshold": 0.1,
        "monitor": "val_accuracy",
    },
    "LambdaLR": {"name": "LambdaLR", "lr_lambda": "0.01 - 0.0009*epoch if epoch < 5 else sin(pi*epoch/epochs)**2"},
    "MultiplicativeLR": {
        "name": "MultiplicativeLR",
        "lr_lambda": "0.9 if epoch < 3 else 1 / (epochs - step/steps_per_epoch)",
    },
    "Drawn": {"name": "Drawn", "points": [[0.5, 0.1], [3, 0.01], [6, 0.2]], "scale": "linear"},
}
GROUPS = [{"name": "head", "modules": ["head"], "lr": 0.3}, {"name": "first", "modules": ["body.1"]}]


def loader(batches: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(8) % 3
    return [(torch.randn(8, 1, 8, 8, generator=generator), labels) for _ in range(batches)]


class RecordingLoader(list[Any]):
    """Batches that record the LR and momentum (or first beta) that each is trained with."""

    names: dict[str, Any]
    recorded: list[tuple[float, float]]

    def __iter__(self) -> Iterator[Any]:
        for batch in super().__iter__():
            if "optimizer" in self.names:
                group = self.names["optimizer"].param_groups[0]
                self.recorded.append((group["lr"], group["betas"][0] if "betas" in group else group["momentum"]))
            yield batch


def run(code: str) -> tuple[dict[str, Any], list[Any], list[dict[str, float]]]:
    """Run ``code``; returns its namespace, and for each epoch the LRs and the metrics that it printed."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        names: dict[str, Any] = {"model": tiny(1, 10), "val_loader": loader(1)}
        names["train_loader"] = RecordingLoader(loader(PER_EPOCH))
        names["train_loader"].names, names["train_loader"].recorded = names, []
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(code, "pasted.py", "exec"), names)
    lrs, metrics = [], []
    for line in output.getvalue().splitlines():
        found = re.fullmatch(
            r"epoch \d+: lr (.+) train_loss (\S+) train_accuracy (\S+) val_loss (\S+) val_\w+ (\S+)", line
        )
        assert found, line
        lrs.append(eval(found[1]))
        keys = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
        metrics.append(dict(zip(keys, map(float, found.groups()[1:]), strict=True)))
    return names, lrs, metrics


def expected_lrs(of: Recipe) -> list[list[float]]:
    """The LRs that ``main.py lr`` prints."""

    def on_rejection(*_: Any) -> None:
        raise AssertionError

    return [line["lr"] for line in lrs_ahead(of, (), False, on_rejection)]


def assert_same_lrs(of: Recipe) -> str:
    code = pytorch_code(of)
    _, lrs, _ = run(code)
    found = [list(r.values()) if isinstance(r, dict) else [r] for r in lrs]
    assert found == expected_lrs(of), code
    return code


def test_every_schedule_is_tested() -> None:
    assert set(EVERY) == {kind.__name__ for kind in SCHEDULES}


@pytest.mark.parametrize("interval", ["epoch", "step"])
@pytest.mark.parametrize("name", [name for name in EVERY if name != "ReduceLROnPlateau"])
def test_code_has_the_lrs_of_training(name: str, interval: str) -> None:
    def stepped(spec: dict[str, Any]) -> dict[str, Any]:
        inner = {"schedulers": [stepped(s) for s in spec["schedulers"]]} if "schedulers" in spec else {}
        return {**spec, "interval": interval, **inner}

    assert_same_lrs(recipe(schedule=stepped(EVERY[name]), epochs=8))


@pytest.mark.parametrize("interval", ["epoch", "step"])
@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("points", [[[0.5, 0.1], [3, 0.01], [6, 0.2]], [[2, 0.1]]])
def test_drawn_curve_has_the_lrs_of_training(points: list[list[float]], scale: str, interval: str) -> None:
    drawn = {"name": "Drawn", "points": points, "scale": scale, "smooth": True, "interval": interval}
    assert_same_lrs(recipe(schedule=drawn, epochs=8))
    chained = {"name": "ChainedScheduler", "schedulers": [drawn, EVERY["StepLR"]], "interval": interval}
    assert_same_lrs(recipe(schedule=chained, epochs=8))


def test_plateau_scheduler_gets_its_metric_after_validation() -> None:
    of = recipe(schedule=EVERY["ReduceLROnPlateau"], epochs=8)
    _, lrs, metrics = run(pytorch_code(of))
    control = LRControl.from_recipe(of, ["all"], PER_EPOCH)
    for lr, measured in zip(lrs, metrics, strict=True):
        assert [lr] == control.current()
        control.epoch_done(measured)
    assert len(set(lrs)) > 2  # the LR was reduced


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_code_has_the_optimizer_of_the_recipe(name: str) -> None:
    names, _, _ = run(pytorch_code(recipe(optimizer=OPTIMIZERS[name], epochs=1)))
    kind, (group,) = type(names["optimizer"]).__name__, names["optimizer"].param_groups
    assert kind == OPTIMIZERS[name]["name"]
    spec = recipe(optimizer=OPTIMIZERS[name]).optimizer.model_dump(exclude={"name", "lr"})
    assert {key: group[key] or False if key == "fused" else group[key] for key in spec} == spec


def test_groups_with_one_schedule_share_a_scheduler() -> None:
    lambdas = {"name": "LambdaLR", "lr_lambda": ["0.9**epoch", "1 / (1 + epoch)", "0.5**(epoch // 2)"]}
    code = assert_same_lrs(recipe(groups=GROUPS, schedule=lambdas, epochs=4))
    assert code.count("LambdaLR(") == 1
    names, _, _ = run(code)
    assert {g["name"]: len(g["params"]) for g in names["optimizer"].param_groups} == {"rest": 4, "head": 2, "first": 2}


@pytest.mark.parametrize(
    "schedule",
    [
        EVERY["OneCycleLR"],
        EVERY["CyclicLR"],
        EVERY["Drawn"],
        {"name": "ChainedScheduler", "schedulers": [EVERY["Drawn"], EVERY["StepLR"]]},
        {**EVERY["OneCycleLR"], "max_lr": [0.1, 0.2, 0.3]},
        {**EVERY["CyclicLR"], "max_lr": [0.1, 0.2, 0.3]},
    ],
    ids=lambda schedule: f"{schedule['name']} {schedule.get('max_lr')}",
)
def test_groups_have_their_part_of_lrs_that_a_schedule_sets_itself(schedule: dict[str, Any]) -> None:
    code = assert_same_lrs(recipe(groups=GROUPS, schedule=schedule, epochs=4))
    assert code.count("torch.optim.SGD(") == 1


@pytest.mark.parametrize("length", [{"total_steps": 10}, {"total_steps": 60}, {"epochs": 2, "steps_per_epoch": 3}])
def test_a_cycle_with_a_length_of_its_own_is_exported(length: dict[str, int]) -> None:
    assert_same_lrs(recipe(schedule={**EVERY["OneCycleLR"], **length}, epochs=8))
    stages = [{"name": "LinearLR", "total_iters": 2}, {**EVERY["OneCycleLR"], **length}]
    after = {"name": "SequentialLR", "schedulers": stages, "milestones": [2], "interval": "step"}
    assert_same_lrs(recipe(schedule=after, epochs=8))


def test_groups_with_different_schedules_have_an_optimizer_each() -> None:
    groups = [
        {**GROUPS[0], "schedule": EVERY["OneCycleLR"]},
        {**GROUPS[1], "schedule": EVERY["Drawn"]},
    ]
    of = recipe(groups=groups, schedule=EVERY["StepLR"], epochs=6)
    _, lrs, _ = run(pytorch_code(of))
    assert [[r["rest"], r["head"], r["first"]] for r in lrs] == expected_lrs(of)


def test_groups_with_equal_schedules_share_an_optimizer() -> None:
    groups = [{**GROUPS[0], "schedule": EVERY["StepLR"]}, {**GROUPS[1], "schedule": EVERY["ExponentialLR"]}]
    of = recipe(groups=groups, schedule=EVERY["StepLR"], epochs=4)
    code = pytorch_code(of)
    assert code.count("= torch.optim.") == 2
    _, lrs, _ = run(code)
    assert [[r["rest"], r["head"], r["first"]] for r in lrs] == expected_lrs(of)


def test_frozen_group_keeps_weights_and_statistics() -> None:
    frozen = [{"name": "body", "modules": ["body"], "frozen": True}]
    torch.manual_seed(0)
    before = tiny(1, 10).state_dict()
    names, _, _ = run(pytorch_code(recipe(groups=frozen, epochs=2)))
    after = names["model"].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head.weight", "head.bias"}


def test_group_with_any_name() -> None:
    for name in ('he"ad', "the head's \\ one", "头", "class", "a\nb"):
        groups = [{"name": name, "modules": ["head"], "schedule": EVERY["StepLR"]}]
        _, lrs, _ = run(pytorch_code(recipe(groups=groups, epochs=1)))
        assert list(lrs[0]) == ["rest", name]


def test_bfloat16_uses_autocast() -> None:
    names, _, metrics = run(pytorch_code(recipe(precision="bfloat16", epochs=1)))
    assert names["scores"].dtype == torch.float32
    assert math.isfinite(metrics[0]["val_loss"])
    assert "torch.autocast(device.type, dtype=torch.bfloat16)" in pytorch_code(recipe(precision="bfloat16"))


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW"])
def test_code_has_the_lr_and_momentum_of_training_in_every_batch(optimizer: str) -> None:
    of = recipe(optimizer=OPTIMIZERS[optimizer], schedule={"name": "OneCycleLR", "max_lr": 0.1}, epochs=2)
    names, _, _ = run(pytorch_code(of))
    control = LRControl.from_recipe(of, ["all"], PER_EPOCH)
    expected = []
    for _ in range(2 * PER_EPOCH):
        expected.append((control.current()[0], control.groups[0].scheduled.momentum))
        control.step_done()
    assert names["train_loader"].recorded == expected


@given(st.sampled_from(sorted(set(SPECS) - {"ReduceLROnPlateau"})), st.sampled_from(["epoch", "step"]), st.data())
@settings(max_examples=40, deadline=None)
def test_random_schedules_have_the_lrs_of_training(name: str, interval: str, data: st.DataObject) -> None:
    spec = with_interval(data.draw(SPECS[name]), interval)
    of = recipe(epochs=6).model_copy(update={"schedule": spec})
    try:
        expected = expected_lrs(of)
    except ValueError:  # a schedule that is invalid somewhere in the run has no code
        with pytest.raises(ValueError, match=r"\S"):
            pytorch_code(of)
        return
    _, lrs, _ = run(pytorch_code(of))
    assert [[lr] for lr in lrs] == expected, pytorch_code(of)


# -- expressions

ATOMS = st.one_of(
    st.sampled_from(["epoch", "step", "epochs", "steps_per_epoch", "pi", "e"]),
    st.integers(0, 20).map(str),
    st.floats(0.001, 20).map(repr),
)


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    tests = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    one = st.sampled_from(["abs", "ceil", "cos", "exp", "floor", "log", "sin", "sqrt"])
    return st.one_of(
        st.builds("({}){}({})".format, inner, signs, inner),
        st.builds("({}) if ({}){}({}) else ({})".format, inner, inner, tests, inner, inner),
        st.builds("{}({})".format, one, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), inner, inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("-({})".format, inner),
    )


@given(st.recursive(ATOMS, deeper, max_leaves=6), st.sampled_from(["epoch", "step"]), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_expression_has_the_same_value_in_python(text: str, interval: str, position: int) -> None:
    steps, epochs = 23, 30
    names = {
        "epoch": float(position),
        "step": float(position * steps if interval == "epoch" else position),
        "epochs": float(epochs),
        "steps_per_epoch": float(steps),
    }
    try:
        expected = Expression(text)(names)
    except ExpressionError:
        return
    code = as_python(Expression(text).text, interval, epochs, steps)
    function = eval(code, {"math": math, "epochs": epochs, "steps_per_epoch": steps})
    assert 0.1 * float(function(position)) == 0.1 * expected, code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.95**epoch", "lambda epoch: 0.95 ** epoch"),
        ("2**-epoch", "lambda epoch: 2.0 ** (-epoch)"),
        ("0.5 ** floor(epoch / 10)", "lambda epoch: 0.5 ** math.floor(epoch / 10)"),
        ("step / (epochs * steps_per_epoch)", "lambda epoch: epoch * steps_per_epoch / (epochs * steps_per_epoch)"),
        ("cos(pi * epoch / epochs) + e", "lambda epoch: math.cos(math.pi * epoch / epochs) + math.e"),
        ("epoch * epoch", "lambda epoch: epoch * epoch"),
    ],
)
def test_expression_source_stays_as_written(text: str, code: str) -> None:
    assert as_python(text, "epoch", 30, 23) == code


def test_every_function_of_expressions_is_translated() -> None:
    for name in FUNCTIONS:
        text = f"{name}(epoch, 1)" if name in ("max", "min") else f"{name}(epoch)"
        assert eval(as_python(text, "epoch", 30, 23), {"math": math})(1) == Expression(text)({"epoch": 1.0})


# -- the command line


def output_of(capsys: pytest.CaptureFixture[str], command: str, file: Path) -> str:
    assert main.main([command, str(file)]) == 0
    return capsys.readouterr().out


def test_code_command_has_the_lrs_of_the_lr_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(recipe(schedule=EVERY["LambdaLR"], epochs=8).to_json())
    expected = [json.loads(line)["lr"] for line in output_of(capsys, "lr", file).splitlines()]
    _, lrs, _ = run(output_of(capsys, "code", file))
    assert [[lr] for lr in lrs] == expected


@pytest.mark.slow
def test_code_runs_as_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, script = tmp_path / "recipe.json", tmp_path / "script.py"
    file.write_text(recipe(schedule=EVERY["LambdaLR"], epochs=8).to_json())
    expected = [json.loads(line)["lr"] for line in output_of(capsys, "lr", file).splitlines()]
    preamble = "import torch\nmodel = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))\n"
    preamble += f"train_loader = [(torch.randn(2, 1, 2, 2), torch.tensor([0, 1]))] * {PER_EPOCH}\n"
    script.write_text(f"{preamble}val_loader = train_loader\n{output_of(capsys, 'code', file)}")
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    assert [[float(line.split()[3])] for line in done.stdout.splitlines()] == expected


def test_code_command_rejects_an_invalid_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = recipe(schedule={"name": "LambdaLR", "lr_lambda": "1 / (2 - epoch)"}, epochs=8)
    (tmp_path / "recipe.json").write_text(of.to_json())
    assert main.main(["code", str(tmp_path / "recipe.json")]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.splitlines()) == ("", [captured.err.strip()])
    assert captured.err.startswith("schedule")

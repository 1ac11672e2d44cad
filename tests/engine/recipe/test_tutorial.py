"""The tutorial: its recipes give the LRs in its tables, equal to PyTorch's, and its statements are true."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import cos, pi
from typing import Any

import pytest
import torch
from torch.optim import Optimizer, lr_scheduler

from engine.lr.control import LRControl
from engine.lr.preview import draw
from engine.messages.commands import SetLR
from engine.messages.preview import CurveQuery
from engine.models import registry
from engine.models.groups import split
from engine.recipe.presets import FINE_TUNE, PRESETS, TUTORIAL, preset, tutorial_text
from engine.recipe.recipe import Recipe
from engine.training.dry_run import group_names as names_in_network
from tests.engine.raw_torch import after, lrs_of, optimizer_of, raw_lrs, tiller_lrs

TEXT = tutorial_text()


def linear_lr(n: int) -> float:
    return 0.01 - 0.0009 * (n - 1) if n <= 10 else 0.001


# For each recipe: the optimizer's class and LRs, the scheduler as PyTorch users write it, and the LRs in epoch n.
Example = tuple[type[Optimizer], list[float], Callable[[Optimizer], Any], Callable[[int], list[float]]]
EXAMPLES: dict[str, Example] = {
    "step_lr": (
        torch.optim.SGD,
        [0.01],
        lambda o: lr_scheduler.StepLR(o, 10, 0.5),
        lambda n: [0.01 if n <= 10 else 0.005 if n <= 20 else 0.0025],
    ),
    "multi_step_lr": (
        torch.optim.SGD,
        [0.1],
        lambda o: lr_scheduler.MultiStepLR(o, [15, 30, 45], 0.1),
        lambda n: [0.1 if n <= 15 else 0.01 if n <= 30 else 0.001 if n <= 45 else 0.0001],
    ),
    "exponential_lr": (
        torch.optim.SGD,
        [0.01],
        lambda o: lr_scheduler.ExponentialLR(o, 0.98),
        lambda n: [0.01 * 0.98 ** (n - 1)],
    ),
    "cosine_annealing_lr": (
        torch.optim.SGD,
        [0.01],
        lambda o: lr_scheduler.CosineAnnealingLR(o, 20, 1e-4),
        lambda n: [{1: 0.01, 21: 1e-4, 41: 0.01, 61: 1e-4}.get(n, 1e-4 + 0.0099 * (1 + cos(pi * (n - 1) / 20)) / 2)],
    ),
    "lambda_lr": (
        torch.optim.SGD,
        [1.0],
        lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.01 - 0.0009 * epoch if epoch < 10 else 0.001),
        lambda n: [linear_lr(n)],
    ),
    "layered_lambda_lr": (
        torch.optim.SGD,
        [0.01, 0.1],
        lambda o: lr_scheduler.LambdaLR(o, [lambda epoch: 0.1 * 0.95**epoch, lambda epoch: 0.5 * 0.9**epoch]),
        lambda n: [0.001 * 0.95 ** (n - 1), 0.05 * 0.9 ** (n - 1)],
    ),
    "reduce_lr_on_plateau": (
        torch.optim.Adam,
        [0.001],
        lambda o: lr_scheduler.ReduceLROnPlateau(o, "min", 0.5, 5, 1e-4),
        lambda n: [0.001 * 0.5 ** max(0, (n - 2) // 6)],
    ),
}
LENGTHS = {
    "step_lr": 30,
    "multi_step_lr": 50,
    "exponential_lr": 50,
    "cosine_annealing_lr": 80,
    "lambda_lr": 20,
    "layered_lambda_lr": 30,
    "reduce_lr_on_plateau": 50,
}


def group_names(recipe: Recipe) -> tuple[str, ...]:
    return ("rest", *(g.name for g in recipe.groups)) if recipe.groups else ("all",)


def recipe_and_lrs(name: str) -> tuple[Recipe, list[list[float]]]:
    """The recipe and the LRs of every epoch, with a loss that does not improve after the first epoch."""
    recipe = preset(f"tutorial/{name}")
    lr = LRControl.from_recipe(recipe, group_names(recipe), 4)
    losses = [{"val_loss": 1.0}] * recipe.epochs if name == "reduce_lr_on_plateau" else None
    return recipe, tiller_lrs(lr, recipe.epochs, losses)


def test_every_tutorial_recipe_has_an_example() -> None:
    assert set(EXAMPLES) == set(TUTORIAL) == set(LENGTHS)
    tutorial, tuning = (f"tutorial/{name}" for name in TUTORIAL), (f"fine_tune/{name}" for name in FINE_TUNE)
    assert set(PRESETS) == {"digits", *tutorial, *tuning}
    assert preset("digits") == Recipe()
    with pytest.raises(KeyError):
        preset("../pyproject")


@pytest.mark.parametrize("name", TUTORIAL)
def test_a_recipe_gives_pytorchs_lrs(name: str) -> None:
    kind, bases, scheduler, table = EXAMPLES[name]
    recipe, lrs = recipe_and_lrs(name)
    assert recipe.epochs == LENGTHS[name]
    optimizer = optimizer_of(*bases, kind=kind)
    metrics = [1.0] * recipe.epochs if name == "reduce_lr_on_plateau" else None
    assert lrs == raw_lrs(optimizer, scheduler(optimizer), recipe.epochs, metrics)
    for n, lr in enumerate(lrs, start=1):
        assert lr == pytest.approx(table(n), rel=1e-12, abs=0), n


@pytest.mark.parametrize("name", TUTORIAL)
def test_the_preview_of_a_recipe_equals_training(name: str) -> None:
    recipe, lrs = recipe_and_lrs(name)
    names = group_names(recipe)
    curve = draw(CurveQuery(key="t", recipe=recipe, group_names=names, steps_per_epoch=4, epochs=recipe.epochs))
    assert curve.problem is None
    assert curve.warnings == ()
    assert curve.x.tolist() == list(range(recipe.epochs + 1))
    if name == "reduce_lr_on_plateau":  # future reductions are not known in advance
        assert curve.lr.tolist() == [[0.001]] * (recipe.epochs + 1)
    else:
        assert curve.lr[:-1].tolist() == lrs


def test_the_layered_recipe_fits_its_network() -> None:
    recipe = preset("tutorial/layered_lambda_lr")
    network = registry.build(recipe.model, channels=1, height=8, width=8, classes=10)
    assert tuple(g.name for g in split(network, recipe.groups)) == group_names(recipe) == ("rest", "head")


# -- the tables


def tables() -> dict[str, list[list[str]]]:
    """The rows of the table after each recipe's name in the text."""
    tables = {}
    for match in re.finditer(r"\(`tutorial/(\w+)`\)", TEXT):
        rows = re.findall(r"^\|(.*)\|$", TEXT[match.end() :].split("|\n\n", 1)[0] + "|", flags=re.MULTILINE)
        tables[match[1]] = [[cell.strip() for cell in row.split("|")] for row in rows][2:]
    return tables


def assert_table(rows: list[list[str]], lrs: list[list[float]]) -> None:
    assert len(rows) >= 3
    for epochs, *cells in rows:
        first, _, last = epochs.partition(" to ")
        for n in range(int(first), int(last or first) + 1):
            assert [f"{r:.6g}" for r in lrs[n - 1]] == [f"{float(cell):.6g}" for cell in cells], n


@pytest.mark.parametrize("name", TUTORIAL)
def test_the_table_of_a_recipe_equals_training(name: str) -> None:
    assert set(tables()) == set(TUTORIAL)
    assert_table(tables()[name], recipe_and_lrs(name)[1])


def test_the_table_of_a_set_lr_equals_training() -> None:
    columns = []
    for then in ("follow", "hold"):
        recipe = preset("tutorial/step_lr")
        lr = LRControl.from_recipe(recipe, ("all",), 1)
        before = tiller_lrs(lr, 3)
        lr.set_lr(0.05, SetLR(lr=0.05, then=then).then, None)
        columns.append([r[0] for r in before + tiller_lrs(lr, 27)])
    section = TEXT[TEXT.index("Scale the schedule | Hold this LR") :]
    rows = [r.split("|")[1:-1] for r in section.splitlines()[2:6]]
    assert_table([[c.strip() for c in r] for r in rows], [list(pair) for pair in zip(*columns, strict=True)])


def test_the_percentages_after_50_epochs_are_right() -> None:
    assert f"0.98 leaves {100 * 0.98**50:.3g}% of the LR after 50 epochs, 0.9 leaves {100 * 0.9**50:.3g}%" in TEXT


def test_the_code_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    names: dict[str, Any] = {"torch": torch}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 3
    assert names["recorded"] == [r[0] for r in recipe_and_lrs("step_lr")[1]]
    assert lrs_of(names["optimizer"]) == [0.01 * 0.5 * 0.5 * 0.5]  # resumed for epoch 31
    assert names["scheduler"].last_epoch == 30


# -- the statements about PyTorch


def test_the_lr_read_after_scheduler_step_is_that_of_the_next_epoch() -> None:
    optimizer = optimizer_of(0.01)
    scheduler = lr_scheduler.StepLR(optimizer, 10, 0.5)
    trained_with, read_after = [], []
    for _ in range(20):
        trained_with.append(lrs_of(optimizer)[0])
        optimizer.step()
        scheduler.step()
        read_after.append(scheduler.get_last_lr()[0])
    assert (trained_with[9], read_after[9]) == (0.01, 0.005)
    assert read_after[:-1] == trained_with[1:]


def test_stepping_the_scheduler_first_warns() -> None:
    optimizer = optimizer_of(0.01)
    scheduler = lr_scheduler.StepLR(optimizer, 10, 0.5)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()


@pytest.mark.parametrize(
    "scheduler",
    [
        lambda o: lr_scheduler.StepLR(o, 10, verbose=True),
        lambda o: lr_scheduler.ReduceLROnPlateau(o, verbose=True),
        lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1.0, verbose=True),
    ],
)
def test_verbose_is_no_longer_accepted(scheduler: Any) -> None:
    with pytest.raises(TypeError, match="verbose"):
        scheduler(optimizer_of(0.1))


def test_one_lambda_cannot_return_a_list_but_a_list_of_lambdas_works() -> None:
    with pytest.raises(TypeError, match="can't multiply sequence"):
        lr_scheduler.LambdaLR(optimizer_of(0.01, 0.1), lambda epoch: [0.1 * 0.95**epoch, 0.5 * 0.9**epoch])
    optimizer = optimizer_of(0.01, 0.1)
    lr_scheduler.LambdaLR(optimizer, [lambda epoch: 0.1 * 0.95**epoch, lambda epoch: 0.5 * 0.9**epoch])
    assert lrs_of(optimizer) == pytest.approx([0.001, 0.05])


def test_lambda_lr_multiplies_the_base_lr() -> None:
    optimizer = optimizer_of(0.01)
    lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.01 - 0.0009 * epoch)
    assert lrs_of(optimizer) == [0.01 * 0.01]
    assert "the same expression would give 0.0001 in epoch 1" in TEXT


@pytest.mark.parametrize(
    ("loss", "mode", "bad"), [(0.99995, "rel", 1), (0.9998, "rel", 0), (0.99995, "abs", 1), (0.9998, "abs", 0)]
)
def test_the_threshold_decides_what_is_an_improvement(loss: float, mode: Any, bad: int) -> None:
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.1), threshold=1e-4, threshold_mode=mode)
    scheduler.step(1.0)
    scheduler.step(loss)
    assert scheduler.num_bad_epochs == bad


def test_the_threshold_is_relative_by_default() -> None:
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.1), threshold=1e-4)
    absolute = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.1), threshold=1e-4, threshold_mode="abs")
    for loss in (0.01, 0.01 - 5e-6):  # relative improvement above 1e-4, absolute below
        scheduler.step(loss)
        absolute.step(loss)
    assert (scheduler.threshold_mode, scheduler.num_bad_epochs, absolute.num_bad_epochs) == ("rel", 0, 1)


def test_reduce_lr_on_plateau_needs_a_metric() -> None:
    with pytest.raises(TypeError, match="metrics"):
        lr_scheduler.ReduceLROnPlateau(optimizer_of(0.1)).step()  # type: ignore[call-arg]


def test_pytorch_counts_nan_as_a_bad_epoch() -> None:
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.1))
    scheduler.step(1.0)
    scheduler.step(float("nan"))
    assert scheduler.num_bad_epochs == 1


def test_mode_min_with_an_accuracy_reduces_the_lr_while_it_improves() -> None:
    optimizer = optimizer_of(0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
    for accuracy in (0.5, 0.6, 0.7, 0.8):
        scheduler.step(accuracy)
    assert lrs_of(optimizer)[0] < 0.1


def test_after_t_max_the_cosine_rises_again() -> None:
    lrs = [r[0] for r in recipe_and_lrs("cosine_annealing_lr")[1]]
    assert lrs[20] == min(lrs)
    assert lrs[20:41] == sorted(lrs[20:41])


def test_get_last_lr_does_not_see_a_manually_set_lr() -> None:
    optimizer = optimizer_of(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 10)
    optimizer.param_groups[0]["lr"] = 0.5
    assert scheduler.get_last_lr() == [0.1]


def test_a_resumed_scheduler_needs_its_epoch_count() -> None:
    optimizer = optimizer_of(0.01)
    raw_lrs(optimizer, lr_scheduler.StepLR(optimizer, 10, 0.5), 9)
    resumed = optimizer_of(0.01)
    resumed.load_state_dict(optimizer.state_dict())
    lrs = [r[0] for r in raw_lrs(resumed, lr_scheduler.StepLR(resumed, 10, 0.5), 12)]
    assert lrs == [0.01] * 10 + [0.005] * 2  # the reduction of epoch 11 came in epoch 20
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.StepLR(optimizer_of(0.01), 10, 0.5, last_epoch=9)


def test_a_manually_set_lr_is_kept_by_step_lr_and_overwritten_by_lambda_lr() -> None:
    kept, overwritten = optimizer_of(0.01), optimizer_of(0.01)
    schedulers = [lr_scheduler.StepLR(kept, 10, 0.5), lr_scheduler.LambdaLR(overwritten, lambda epoch: 0.9**epoch)]
    for optimizer, scheduler in zip((kept, overwritten), schedulers, strict=True):
        optimizer.param_groups[0]["lr"] = 0.5
        optimizer.step()
        scheduler.step()
    assert lrs_of(kept) == [0.5]
    assert lrs_of(overwritten) == [0.01 * 0.9]


# -- the statements about Tiller


def test_halving_the_lr_halves_the_minimum_too() -> None:
    recipe = preset("tutorial/cosine_annealing_lr").model_copy(update={"epochs": 21})
    lr = LRControl.from_recipe(recipe, ("all",), 1)
    lr.scale_lr(0.5, "keep", None)
    assert tiller_lrs(lr, 21)[20][0] == pytest.approx(5e-5, rel=1e-12)


def test_in_the_plateau_recipe_an_intervention_restarts_the_patience() -> None:
    recipe = preset("tutorial/reduce_lr_on_plateau")
    lr = after(LRControl.from_recipe(recipe, ("all",), 1), 6, loss=1.0)
    lr.scale_lr(0.5, "keep", None)
    metrics = [{"val_loss": 1.0}] * 7
    assert [r[0] for r in tiller_lrs(lr, 7, metrics)] == [0.0005] * 6 + [0.00025]


@pytest.mark.parametrize("name", FINE_TUNE)
def test_fine_tuning_recipes_use_a_10_to_100_times_lower_lr_for_pretrained_layers(name: str) -> None:
    recipe = preset(f"fine_tune/{name}")
    assert recipe.model.pretrained
    names = names_in_network(recipe)
    assert names[-1] == "head"
    lrs = LRControl.from_recipe(recipe, names, 23).current()
    assert lrs == sorted(lrs)
    assert 10 <= lrs[-1] / lrs[0] <= 100

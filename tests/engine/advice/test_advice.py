"""Advice: each rule on both sides of its threshold, its action, and any recipe and history without an exception."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.advice import Advice, History, RecipeChange, RunView, for_recipe, for_run
from engine.advice.base import negligible_from
from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import ScaleLR, SetLR, SetOptimizer, SetSchedule
from engine.messages.events import EpochEvent
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import SGD, Adam, AdamW, DataSpec, GroupSpec, ModelSpec, Recipe, RMSprop
from engine.schedules import (
    AnySchedule,
    Constant,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from engine.training.dry_run import lrs_ahead
from tests.engine.strategies import LRS, SPECS

HEAD = GroupSpec(name="head", modules=("fc",), lr=0.1)
RESNET = ModelSpec(name="resnet18", pretrained=True)


def named(advice: list[Advice], key: str) -> Advice:
    (found,) = [a for a in advice if a.key == key]
    return found


def changed(advice: Advice, recipe: Recipe) -> Recipe:
    """The recipe after following the advice, which is then no longer given."""
    assert isinstance(advice.action, RecipeChange)
    assert advice.action_label
    after = advice.action.applied(recipe)
    assert advice.key not in keys(after)
    return after


def keys(recipe: Recipe, **given: Any) -> list[str]:
    return [a.key for a in for_recipe(recipe, **given)]


def scheduled(recipe: Recipe) -> dict[str, Any]:
    """The scheduled LR as training would use it, as arguments of ``for_recipe``."""
    lines = list(lrs_ahead(recipe, (), False, lambda line, why: None))
    return {
        "scheduled_x": np.array([line["epoch"] - 1.0 for line in lines]),
        "scheduled_lr": np.array([line["lr"] for line in lines]),
    }


# -- recipes


@pytest.mark.parametrize(
    ("optimizer", "advised"),
    [
        (SGD(lr=0.01, momentum=0.9), False),
        (SGD(lr=0.099, momentum=0.9), False),
        (SGD(lr=0.1, momentum=0.9), True),
        (SGD(lr=0.0011, momentum=0.9), False),
        (SGD(lr=0.001, momentum=0.9), True),
        (SGD(lr=0.1), False),  # without momentum, updates are a tenth as large
        (SGD(lr=1.0), True),
        (Adam(lr=0.001), False),
        (Adam(lr=0.009), False),
        (Adam(lr=0.01), True),
        (Adam(lr=0.0001), True),
        (Adam(lr=0.00011), False),
        (AdamW(lr=0.01), True),
        (RMSprop(lr=0.01), True),
        (Adam(lr=0.0), False),
    ],
)
def test_starting_lr_far_from_the_usual_one(optimizer: Any, advised: bool) -> None:
    recipe = Recipe(optimizer=optimizer)
    assert ("first_lr" in keys(recipe)) is advised
    if advised:
        assert 0.001 <= changed(named(for_recipe(recipe), "first_lr"), recipe).optimizer.lr <= 0.1


def test_starting_lr_advice_names_the_factor_and_scales_every_group() -> None:
    recipe = Recipe(optimizer=Adam(lr=0.005), groups=(GroupSpec(name="head", modules=("fc",), lr=0.05),))
    advice = named(for_recipe(recipe), "first_lr")
    assert advice.text == "LR 0.05 is high for Adam"
    assert "50 times the usual starting LR of Adam, 0.001." in advice.reason
    assert advice.action_label == "Start with LR 0.001"
    after = changed(advice, recipe)
    assert (after.optimizer.lr, after.groups[0].lr) == (0.0001, 0.001)


def test_starting_lr_of_an_expression_is_the_highest_value_it_gives() -> None:
    sane = LambdaLR(lr_lambda=("0.01 - 0.0009*epoch if epoch < 10 else 0.001",))
    assert "first_lr" not in keys(Recipe(optimizer=SGD(lr=1.0), schedule=sane))
    wild = named(
        for_recipe(Recipe(optimizer=SGD(lr=1.0), schedule=LambdaLR(lr_lambda=("2 - 0.01*epoch",)))), "first_lr"
    )
    assert wild.action is None
    warm_up = LambdaLR(lr_lambda=("min(1, epoch / 10)",))  # 0 in epoch 1, on purpose
    assert "first_lr" not in keys(Recipe(optimizer=SGD(lr=0.01), schedule=warm_up))


@pytest.mark.parametrize(
    ("lr", "rest", "head"),
    [(0.01, 0.001, 0.01), (0.001, 0.001, 0.01)],  # the second is already right for the pretrained layers
)
def test_fine_tuning_splits_pretrained_layers_and_head(lr: float, rest: float, head: float) -> None:
    recipe = Recipe(model=RESNET, optimizer=SGD(lr=lr, momentum=0.9))
    after = changed(named(for_recipe(recipe), "fine_tuning"), recipe)
    assert after.optimizer.lr == rest
    assert [(g.modules, g.lr) for g in after.groups] == [(("fc",), head)]


def test_no_fine_tuning_advice_without_pretrained_weights_or_with_groups() -> None:
    fresh = Recipe(model=ModelSpec(name="resnet18"))
    done = Recipe(model=RESNET, optimizer=SGD(lr=0.01, momentum=0.9), groups=(HEAD,))
    frozen = Recipe(model=RESNET, groups=(GroupSpec(name="body", modules=("layer*",), frozen=True),))
    assert all("fine_tuning" not in keys(recipe) for recipe in (fresh, done, frozen))
    alike = Recipe(model=RESNET, groups=(GroupSpec(name="head", modules=("fc",)),))
    assert named(for_recipe(alike), "fine_tuning").action is None


@pytest.mark.parametrize(
    ("schedule", "epochs", "key", "after"),
    [
        (StepLR(step_size=30), 30, "cuts_beyond", {"step_size": 10}),
        (StepLR(step_size=29), 30, None, {}),
        (MultiStepLR(milestones=(15, 30)), 30, "cuts_beyond", {"milestones": (15,)}),
        (MultiStepLR(milestones=(40, 60)), 30, "cuts_beyond", {"milestones": (15, 22)}),
        (MultiStepLR(milestones=(15, 29)), 30, None, {}),
        (CosineAnnealingLR(T_max=34), 30, "t_max_long", {"T_max": 30}),
        (CosineAnnealingLR(T_max=33), 30, None, {}),
        (CosineAnnealingLR(T_max=26), 30, "t_max_short", {"T_max": 30}),
        (CosineAnnealingLR(T_max=27), 30, None, {}),
        (ExponentialLR(gamma=0.89), 30, "exponential", {"gamma": 0.95}),
        (ExponentialLR(gamma=0.89), 200, "exponential", {"gamma": 0.977}),
        (ExponentialLR(gamma=0.9), 30, None, {}),
        (ExponentialLR(gamma=0.8), 5, None, {}),  # a small gamma, but 41% is left at the end
        (ReduceLROnPlateau(patience=28), 30, "patience", {"patience": 5}),
        (ReduceLROnPlateau(patience=27), 30, None, {}),
        (ReduceLROnPlateau(min_lr=0.01), 30, "cannot_improve", {"min_lr": 0.0}),
        (ReduceLROnPlateau(min_lr=0.009), 30, None, {}),
        (ReduceLROnPlateau(threshold=1.0), 30, "cannot_improve", {"threshold": 1e-4}),
        (ReduceLROnPlateau(threshold=0.99), 30, None, {}),
        (ReduceLROnPlateau(threshold=1.0, threshold_mode="abs"), 30, None, {}),  # a loss can fall by 1
        (ReduceLROnPlateau(threshold=1.0, threshold_mode="abs", mode="max"), 30, "cannot_improve", {"threshold": 1e-4}),
    ],
)
def test_schedule_that_does_not_fit_the_run(
    schedule: AnySchedule, epochs: int, key: str | None, after: dict[str, Any]
) -> None:
    recipe = Recipe(schedule=schedule, epochs=epochs, data=DataSpec(name="fashion_mnist"))
    if key is None:
        assert keys(recipe) == []
        return
    better = changed(named(for_recipe(recipe), key), recipe).schedule
    assert {name: getattr(better, name) for name in after} == after


def warm_up(last: AnySchedule, *, at: int = 5, interval: Any = "epoch") -> SequentialLR:
    stages = (LinearLR(total_iters=at, interval=interval), last.model_copy(update={"interval": interval}))
    return SequentialLR(schedulers=stages, milestones=(at,), interval=interval)


@pytest.mark.parametrize(
    ("last", "key", "after"),
    [
        (CosineAnnealingLR(T_max=25), None, {}),
        (CosineAnnealingLR(T_max=30), "t_max_long", {"T_max": 25}),  # 5 of 30 epochs are the warm-up
        (CosineAnnealingLR(T_max=10), "t_max_short", {"T_max": 25}),
        (ExponentialLR(gamma=0.8), "exponential", {"gamma": 0.95}),
        (MultiStepLR(milestones=(10, 26)), "cuts_beyond", {"milestones": (10,)}),
        (MultiStepLR(milestones=(10, 24)), None, {}),
    ],
)
def test_last_stage_of_a_sequence_is_checked_against_its_own_length(
    last: AnySchedule, key: str | None, after: dict[str, Any]
) -> None:
    recipe = Recipe(schedule=warm_up(last), epochs=30)
    if key is None:
        assert keys(recipe) == []
        return
    advice = named(for_recipe(recipe), key)
    assert advice.text.startswith("Stage 2: ")
    assert advice.reason.startswith("Counted from 5, where this stage starts. ")
    better = changed(advice, recipe).schedule
    assert isinstance(better, SequentialLR)
    assert {name: getattr(better.schedulers[1], name) for name in after} == after
    assert better.schedulers[0] == warm_up(last).schedulers[0]


def test_sequence_stepped_per_batch_is_checked_in_batches() -> None:
    recipe = Recipe(schedule=warm_up(CosineAnnealingLR(T_max=30), at=100, interval="step"), epochs=30)
    assert (
        changed(named(for_recipe(recipe, steps_per_epoch=20), "t_max_short"), recipe).schedule.schedulers[1].T_max
        == 500
    )  # type: ignore[union-attr]
    assert keys(recipe) == []  # the number of batches is not known


def test_unused_schedules_of_a_sequence() -> None:
    recipe = Recipe(schedule=warm_up(CosineAnnealingLR(T_max=25), at=30), epochs=30)
    better = changed(named(for_recipe(recipe), "cuts_beyond"), recipe).schedule
    assert isinstance(better, SequentialLR)
    assert (len(better.schedulers), better.milestones) == (1, ())
    assert (
        scheduled(recipe)["scheduled_lr"].tolist()
        == scheduled(Recipe(schedule=better, epochs=30))["scheduled_lr"].tolist()
    )


@pytest.mark.parametrize("patience", [10, 27])
def test_patience_rule_agrees_with_pytorch_on_the_first_reduction(patience: int) -> None:
    """With epoch 1 as the best epoch."""
    from torch import nn, optim

    optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=patience)
    epoch = 1
    while optimizer.param_groups[0]["lr"] == 1.0:
        scheduler.step(1.0)
        epoch += 1
    assert "patience" not in keys(Recipe(schedule=ReduceLROnPlateau(patience=patience), epochs=epoch))
    assert "patience" in keys(Recipe(schedule=ReduceLROnPlateau(patience=patience), epochs=epoch - 1))


def test_exponential_advice_names_the_remaining_share_and_lr() -> None:
    advice = named(for_recipe(Recipe(schedule=ExponentialLR(gamma=0.8), epochs=30)), "exponential")
    assert advice.text == "gamma 0.8 leaves 0.15% of the LR"
    assert "is 1.5e-05 in epoch 30" in advice.reason


def test_short_t_max_advice_mentions_restarts() -> None:
    advice = named(for_recipe(Recipe(schedule=CosineAnnealingLR(T_max=10))), "t_max_short")
    assert "CosineAnnealingWarmRestarts" in advice.reason


def test_a_groups_own_schedule_is_checked() -> None:
    group = HEAD.model_copy(update={"schedule": CosineAnnealingLR(T_max=5)})
    recipe = Recipe(groups=(group,))
    advice = named(for_recipe(recipe), "t_max_short head")
    assert advice.text == "head: The LR rises again after T_max 5"
    after = changed(advice, recipe)
    assert after.schedule == recipe.schedule
    assert after.groups[0].schedule == CosineAnnealingLR(T_max=30)


@pytest.mark.parametrize(
    ("schedule", "advised"),
    [
        (CosineAnnealingLR(T_max=30, interval="step"), True),
        (CosineAnnealingLR(T_max=690, interval="step"), False),
        (MultiStepLR(milestones=(15, 34), interval="step"), True),
        (MultiStepLR(milestones=(15, 35), interval="step"), False),  # 5% of 690 steps
        (StepLR(step_size=10, gamma=0.5, interval="step"), True),
        (StepLR(step_size=1, gamma=0.995, interval="step"), False),  # a slow decay, meant for steps: 3% is left
        (ExponentialLR(gamma=0.95, interval="step"), True),
        (ExponentialLR(gamma=0.995, interval="step"), False),
        (CosineAnnealingLR(T_max=30), False),
    ],
)
def test_schedule_meant_for_epochs_is_stepped_per_batch(schedule: AnySchedule, advised: bool) -> None:
    recipe = Recipe(schedule=schedule, epochs=30)
    assert ("stepwise" in keys(recipe, steps_per_epoch=23)) is advised
    assert "stepwise" not in keys(recipe)  # the number of batches is not known
    if advised:
        advice = named(for_recipe(recipe, steps_per_epoch=23), "stepwise")
        assert "690" in advice.reason
        assert isinstance(advice.action, RecipeChange)
        assert advice.action.applied(recipe).schedule == schedule.model_copy(update={"interval": "epoch"})


@pytest.mark.parametrize(
    ("schedule", "epoch"),
    [
        (StepLR(step_size=6), 25),  # four cuts of 0.1: epochs 25 to 30
        (StepLR(step_size=7), None),  # four cuts, but only for the last two epochs
        (MultiStepLR(milestones=(5, 10, 15)), None),  # a thousandth is small, but trains
        (CosineAnnealingLR(T_max=30), None),
        (LambdaLR(lr_lambda=("1 if epoch < 20 else 0",)), 21),
        (ReduceLROnPlateau(), None),
    ],
)
def test_scheduled_lr_close_to_0_long_before_the_end(schedule: AnySchedule, epoch: int | None) -> None:
    recipe = Recipe(schedule=schedule, epochs=30)
    found = [a for a in for_recipe(recipe, **scheduled(recipe)) if a.key == "zero_early"]
    assert [a.text for a in found] == ([] if epoch is None else [f"The LR is close to 0 from epoch {epoch} on"])


def test_suggested_gamma_leaves_1_percent_of_the_lr() -> None:
    recipe = Recipe(schedule=StepLR(step_size=5), epochs=30)
    advice = named(for_recipe(recipe, **scheduled(recipe)), "zero_early")
    after = changed(advice, recipe)
    assert "zero_early" not in keys(after, **scheduled(after))
    assert scheduled(after)["scheduled_lr"][-1, 0] == pytest.approx(0.01 * recipe.optimizer.lr, rel=0.02)


def test_short_polynomial_decay_is_extended_to_the_whole_run() -> None:
    recipe = Recipe(schedule=PolynomialLR(), epochs=30)
    after = changed(named(for_recipe(recipe, **scheduled(recipe)), "zero_early"), recipe)
    assert after.schedule == PolynomialLR(total_iters=30)
    assert "zero_early" not in keys(after, **scheduled(after))


def test_optimizer_lr_is_ignored_under_a_schedule_with_its_own_level() -> None:
    assert keys(Recipe(optimizer=SGD(lr=100.0), schedule=OneCycleLR(max_lr=0.05))) == []


def test_constant_lr_for_the_whole_run() -> None:
    simple, complex_ = Recipe(schedule=Constant()), Recipe(schedule=Constant(), data=DataSpec(name="fashion_mnist"))
    assert changed(named(for_recipe(simple), "constant"), simple).schedule == StepLR(step_size=10)
    assert changed(named(for_recipe(complex_), "constant"), complex_).schedule == CosineAnnealingLR(T_max=30)
    own = HEAD.model_copy(update={"schedule": StepLR(step_size=10)})
    for recipe in (Recipe(schedule=Constant(), epochs=4), Recipe(schedule=Constant(), groups=(own,))):
        assert "constant" not in keys(recipe)


def test_expressions_that_differ_only_by_a_factor() -> None:
    lrs = Recipe(
        optimizer=SGD(lr=0.01, momentum=0.9),
        schedule=LambdaLR(lr_lambda=("0.95**epoch", "10 * 0.95**epoch")),
        groups=(GroupSpec(name="head", modules=("fc",)),),
    )
    after = changed(named(for_recipe(lrs), "layered"), lrs)
    assert after.schedule == LambdaLR(lr_lambda=("0.95**epoch",))
    np.testing.assert_allclose(scheduled(after)["scheduled_lr"], scheduled(lrs)["scheduled_lr"], rtol=1e-12)
    shapes = lrs.model_copy(update={"schedule": LambdaLR(lr_lambda=("0.95**epoch", "10 * 0.94**epoch"))})
    one = lrs.model_copy(update={"schedule": LambdaLR(lr_lambda=("0.95**epoch",))})
    assert "layered" not in keys(shapes) + keys(one)


@pytest.mark.parametrize(
    ("data", "network", "schedule", "better"),
    [
        ("digits", "small_cnn", CosineAnnealingLR(T_max=30), StepLR(step_size=10)),
        ("mnist", "lenet5", ReduceLROnPlateau(), StepLR(step_size=10)),
        ("mnist", "resnet18", CosineAnnealingLR(T_max=30), None),
        ("fashion_mnist", "small_cnn", CosineAnnealingLR(T_max=30), None),
        ("fashion_mnist", "small_cnn", StepLR(step_size=10), None),
        ("fashion_mnist", "resnet18", StepLR(step_size=10), CosineAnnealingLR(T_max=30)),
        ("fashion_mnist", "resnet18", MultiStepLR(milestones=(15,)), CosineAnnealingLR(T_max=30)),
        ("digits", "small_cnn", StepLR(step_size=10), None),
        ("digits", "small_cnn", ExponentialLR(gamma=0.95), None),
    ],
)
def test_schedule_suits_the_task(data: Any, network: str, schedule: AnySchedule, better: AnySchedule | None) -> None:
    recipe = Recipe(data=DataSpec(name=data), model=ModelSpec(name=network), schedule=schedule)
    assert keys(recipe) == ([] if better is None else ["by_task"])
    if better is not None:
        assert changed(named(for_recipe(recipe), "by_task"), recipe).schedule == better


def test_default_recipe_and_most_presets_need_no_advice() -> None:
    quiet = {
        "digits",
        "tutorial/step_lr",
        "tutorial/exponential_lr",
        "tutorial/lambda_lr",
        "tutorial/layered_lambda_lr",
        "fine_tune/head_and_rest",
        "fine_tune/layer_by_layer",
    }
    for name in PRESETS:
        recipe = preset(name)
        assert (keys(recipe, **scheduled(recipe)) == []) is (name in quiet), name


def test_most_urgent_advice_comes_first() -> None:
    recipe = Recipe(optimizer=Adam(lr=1.0), schedule=CosineAnnealingLR(T_max=5), model=RESNET)
    assert keys(recipe) == ["first_lr", "t_max_short", "fine_tuning"]


RECIPES = st.builds(
    Recipe,
    data=st.builds(DataSpec, name=st.sampled_from(["digits", "mnist", "fashion_mnist"])),
    model=st.builds(ModelSpec, name=st.sampled_from(["resnet18", "vgg11_bn"]), pretrained=st.booleans())
    | st.builds(ModelSpec, name=st.sampled_from(["small_cnn", "net.py:make"])),
    optimizer=st.builds(SGD, lr=st.floats(0, 1000)) | st.builds(Adam, lr=LRS),
    schedule=st.one_of(*SPECS.values()),
    groups=st.just(())
    | st.tuples(
        st.builds(
            GroupSpec,
            name=st.just("head"),
            modules=st.just(("fc",)),
            lr=st.none() | st.floats(0, 1000),
            frozen=st.booleans(),
            schedule=st.none() | st.one_of(*SPECS.values()),
        )
    ),
    epochs=st.integers(1, 60) | st.just(1_000_000),
)
ODD = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 3)


@settings(max_examples=150)
@given(RECIPES, st.none() | st.integers(1, 1000), st.lists(ODD, max_size=20))
def test_any_recipe_is_checked_without_an_exception(recipe: Recipe, steps: int | None, lrs: list[float]) -> None:
    x = np.arange(float(len(lrs)))
    found = for_recipe(recipe, steps_per_epoch=steps, scheduled_x=x, scheduled_lr=np.array([lrs]).T)
    check(found)
    for advice in found:
        if isinstance(advice.action, RecipeChange):
            advice.action.applied(recipe)  # raises unless it is a valid recipe


def check(found: list[Advice]) -> None:
    assert len({a.key for a in found}) == len(found)
    for advice in found:
        for text in (advice.text, advice.reason, *([advice.action_label] if advice.action_label else [])):
            assert isinstance(text, Text)
            assert text.template.format(**text.values) == text
        assert (advice.action is None) is (advice.action_label is None)
        assert "\n" not in advice.text
        assert not advice.text.endswith(".")
        assert advice.reason.endswith(".")


# -- runs


def epoch(number: int, train: float = 1.0, val: float = 1.0, lr: float = 0.01, accuracy: float = 0.5) -> EpochEvent:
    return EpochEvent(
        epoch=number,
        lr=[lr],
        lr_min=[lr],
        lr_max=[lr],
        train_loss=train,
        train_accuracy=accuracy,
        val_loss=val,
        val_accuracy=accuracy,
        seconds=1.0,
        images_per_second=1.0,
    )


def history(train: list[float], val: list[float], lr: list[float] | float = 0.01) -> History:
    lrs = lr if isinstance(lr, list) else [lr] * len(train)
    return History(epoch(i + 1, t, v, r) for i, (t, v, r) in enumerate(zip(train, val, lrs, strict=True)))


def view(**given: Any) -> RunView:
    """A run of 30 epochs at a constant LR of 0.01, with fields replaced by ``given``."""
    past = given.get("history", ())
    start: dict[str, Any] = {
        "recipe": Recipe(schedule=Constant()),
        "epochs": 30,
        "position": Position(epoch=len(past) + 1),
        "lr": (0.01,),
        "projected_x": np.arange(float(len(past)), 31),
        "projected_lr": np.full((31 - len(past), 1), given.get("lr", (0.01,))[0]),
    }
    return RunView(**{**start, **given})


def run_keys(run: RunView) -> list[str]:
    return [a.key for a in for_run(run)]


FALLING = [2.0 * 0.9**i for i in range(10)]


def test_healthy_run_needs_no_advice() -> None:
    losses = np.random.default_rng(0).normal(1.0, 0.1, 200) * np.linspace(1.0, 0.5, 200)
    assert for_run(view(history=history(FALLING, FALLING), losses=losses)) == []
    assert for_run(view()) == []


@pytest.mark.parametrize(
    ("blocks", "advised"),
    [
        ([0.5, 0.4, 0.5, 0.6, 0.8], True),
        ([0.5, 0.4, 0.5, 0.6, 0.79], False),  # not twice the lowest
        ([0.5, 0.4, 0.9, 0.8, 0.9], False),  # a single spike
        ([0.05, 0.04, 0.06, 0.1, 0.15], False),  # still a small loss
        ([0.4, 0.4, 0.4, math.nan], True),
        ([math.nan] * 5, False),  # not a divergence: the window's banner reports it
    ],
)
def test_rising_training_loss(blocks: list[float], advised: bool) -> None:
    run = view(position=Position(epoch=9), losses=np.repeat(blocks, 10))
    assert ("divergence" in run_keys(run)) is advised
    if advised:
        assert named(for_run(run), "divergence").action == ScaleLR(factor=0.1)


def noisy(level: float, share: float) -> np.ndarray:
    return level * (1 + share * np.tile([0.5, -0.5], 30))


@pytest.mark.parametrize(
    ("losses", "position", "advised"),
    [
        (noisy(2.3, 0.32), Position(epoch=3), True),
        (noisy(2.3, 0.28), Position(epoch=3), False),
        (noisy(2.3, 0.32), Position(epoch=4), False),  # no longer early
        (noisy(2.3, 0.32)[:20], Position(epoch=1, batch=20), False),  # too few to tell
        (noisy(2.3, 0.5) * np.linspace(1, 0.6, 60), Position(epoch=2), False),  # it falls
        (noisy(0.3, 0.8), Position(epoch=2), False),  # training works
        (np.r_[2.5, 21.0, np.full(40, 2.4)], Position(epoch=2), True),  # a spike, and the loss stays high
        (np.r_[2.5, 12.0, np.linspace(2, 0.1, 40)], Position(epoch=2), False),
        (np.r_[2.5, 4.9, np.full(40, 2.4)], Position(epoch=2), False),
    ],
)
def test_oscillating_loss_in_the_first_epochs(losses: np.ndarray, position: Position, advised: bool) -> None:
    assert ("oscillation" in run_keys(view(losses=losses, position=position))) is advised


def test_loss_that_barely_changes() -> None:
    still, slow = history([2.30, 2.28], [2.3, 2.3], 0.0001), history([2.30, 2.25], [2.3, 2.3], 0.0001)
    advice = named(for_run(view(history=still, lr=(0.0001,))), "standstill")
    assert advice.action == ScaleLR(factor=10.0)
    assert advice.action_label == "Raise LR: 0.0001 -> 0.001"
    assert "standstill" not in run_keys(view(history=slow, lr=(0.0001,)))
    assert "standstill" not in run_keys(view(history=history([0.4, 0.4], [0.4, 0.4])))  # it has learned
    dead = named(for_run(view(history=history([2.3, 2.3], [2.3, 2.3], 2.0), lr=(2.0,))), "standstill")
    assert "Start again" in dead.reason
    assert dead.action is None
    ahead = {"projected_x": np.array([2.0, 3.0]), "projected_lr": np.array([[0.0001], [0.001]])}
    warming = view(history=still, lr=(0.0001,), **ahead)
    assert "standstill" not in run_keys(warming)  # the schedule raises the LR by itself


@pytest.mark.parametrize(("lr", "advised"), [(0.2, True), (0.199, False), (0.02, False), (0.01, False)])
def test_lr_far_above_the_suggested_ones(lr: float, advised: bool) -> None:
    run = view(lr=(lr,), suggested_lrs=(0.01, 0.02))
    assert ("above_suggestion" in run_keys(run)) is advised
    if advised:
        assert named(for_run(run), "above_suggestion").action == SetLR(lr=0.01)


@pytest.mark.parametrize(("lr", "advised"), [(0.001, True), (0.0011, False)])
def test_lr_far_below_the_suggested_ones(lr: float, advised: bool) -> None:
    run = view(lr=(lr,), suggested_lrs=(0.01, 0.02))
    assert ("below_suggestion" in run_keys(run)) is advised
    was_there = view(lr=(lr,), suggested_lrs=(0.01, 0.02), history=history([1, 1], [1, 1], [0.01, lr]))
    assert "below_suggestion" not in run_keys(was_there)  # the schedule came down from there


@pytest.mark.parametrize("taken", [0, 1])
@pytest.mark.parametrize("suggested", [(0.001, 0.05), (0.01, 0.02)])
def test_a_suggestion_that_was_taken_is_not_contradicted(suggested: tuple[float, float], taken: int) -> None:
    run = view(lr=(suggested[taken],), suggested_lrs=suggested)
    assert not {"above_suggestion", "below_suggestion"} & set(run_keys(run))


def test_suggested_lr_scales_several_groups_in_proportion() -> None:
    run = view(lr=(0.1, 1.0), projected_x=np.empty(0), projected_lr=np.empty((0, 2)), suggested_lrs=(0.1, 0.1))
    assert named(for_run(run), "above_suggestion").action == ScaleLR(factor=0.1)


@pytest.mark.parametrize(
    ("monitor", "mode", "reached", "advised"),
    [
        ("train_accuracy", "max", 1.0, True),
        ("train_accuracy", "max", 0.999, False),
        ("val_loss", "min", 0.0, True),
        ("val_loss", "min", 1e-6, False),
    ],
)
def test_monitored_metric_at_its_bound(monitor: Any, mode: Any, reached: float, advised: bool) -> None:
    loss = monitor.endswith("loss")
    past = History([epoch(1, val=reached if loss else 1.0, accuracy=0.5 if loss else reached)])
    run = view(schedule=ReduceLROnPlateau(monitor=monitor, mode=mode), history=past)
    assert ("metric_at_bound" in run_keys(run)) is advised
    if advised and not loss:
        action = named(for_run(run), "metric_at_bound").action
        assert isinstance(action, SetSchedule)
        assert action.schedule == ReduceLROnPlateau(monitor="val_loss", mode="min")


FALL = [1.0, 0.5, 0.4, 0.3, 0.2]


@pytest.mark.parametrize(
    ("train", "val", "advised"),
    [
        (FALL, [1.0, 0.8, 0.881, 0.9, 0.9], True),
        (FALL, [1.0, 0.8, 0.87, 0.9, 0.9], False),  # one of the last three is not a tenth worse
        ([1.0, 0.5, 0.48, 0.46, 0.46], [1.0, 0.8, 0.9, 0.9, 0.9], False),  # training improves little
        (FALL[:4], [1.0, 0.8, 0.9, 0.9], False),  # two epochs are noise
    ],
)
def test_growing_gap_between_training_and_validation(train: list[float], val: list[float], advised: bool) -> None:
    run = view(history=history(train, val))
    assert ("gap" in run_keys(run)) is advised
    if advised:
        assert named(for_run(run), "gap").action == SetOptimizer(weight_decay=5e-4)
        decayed = view(history=history(train, val), weight_decay=5e-4)
        assert named(for_run(decayed), "gap").action is None


STALE = [1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_plateau() -> None:
    run = view(history=history(STALE, STALE))
    advice = named(for_run(run), "plateau")
    assert advice.text == "Val loss has not improved for 5 epochs"
    assert advice.action == ScaleLR(factor=0.1)
    assert "plateau" not in run_keys(view(history=history(STALE[:-1], STALE[:-1])))  # four epochs are no plateau
    better = [*STALE[:-1], 0.499]
    assert "plateau" not in run_keys(view(history=history(better, better)))


def test_no_plateau_advice_if_the_schedule_or_an_intervention_cuts_the_lr() -> None:
    past = history(STALE, STALE)
    assert "plateau" not in run_keys(view(history=past, schedule=ReduceLROnPlateau()))
    x, ahead = np.arange(7.0, 31.0), np.full((24, 1), 0.01)
    ahead[5:] = 0.001
    assert "plateau" not in run_keys(view(history=past, projected_x=x, projected_lr=ahead))
    ahead[5] = 0.01  # one epoch later is too late
    assert "plateau" in run_keys(view(history=past, projected_x=x, projected_lr=ahead))
    cut = history(STALE, STALE, [0.01] * 4 + [0.001] * 3)
    assert "plateau" not in run_keys(view(history=cut, lr=(0.001,)))  # three epochs since the cut
    assert "plateau" not in run_keys(view(history=past, lr=(0.001,)))  # cut just now
    tiny = history([*STALE, *STALE[-5:]], [*STALE, *STALE[-5:]], [0.01] + [1e-5] * 11)
    assert "plateau" not in run_keys(view(history=tiny, lr=(1e-5,)))  # the LR was cut enough before


def test_projected_lr_close_to_0_long_before_the_end() -> None:
    past, x = history(FALLING, FALLING), np.arange(10.0, 31.0)
    ahead = np.where(x < 20, 0.01, 1e-7)[:, None]
    advice = named(for_run(view(history=past, projected_x=x, projected_lr=ahead)), "zero_early")
    assert advice.text == "The LR is close to 0 from epoch 21 on"
    assert isinstance(advice.action, SetSchedule)
    assert advice.action.schedule == CosineAnnealingLR(T_max=20)
    assert "zero_early" not in run_keys(
        view(history=past, projected_x=x, projected_lr=np.where(x < 28, 0.01, 1e-7)[:, None])
    )
    low = view(history=past, lr=(1e-7,), projected_x=x, projected_lr=np.full((21, 1), 1e-7))  # no schedule helps
    assert named(for_run(low), "zero_early").action is None


def test_negligible_lr_is_relative_to_the_peak_before_the_curve() -> None:
    x, flat = np.arange(10.0, 31.0), np.full((21, 1), 1e-6)
    assert negligible_from(x, flat, 30) is None
    assert negligible_from(x, flat, 30, peak=0.1) == 11
    assert negligible_from(x, np.zeros((21, 1)), 30) is None
    assert negligible_from(x, flat * math.nan, 30, peak=0.1) is None


@settings(max_examples=200)
@given(
    recipe=RECIPES,
    past=st.lists(st.tuples(ODD, ODD, ODD, ODD), max_size=12),
    losses=st.lists(ODD, max_size=80),
    lr=st.lists(st.floats(0, 1000), max_size=3),
    ahead=st.lists(ODD, max_size=12),
    suggested_lrs=st.none() | st.tuples(ODD, ODD),
)
def test_any_history_is_checked_without_an_exception(
    recipe: Recipe,
    past: list[tuple[float, float, float, float]],
    losses: list[float],
    lr: list[float],
    ahead: list[float],
    suggested_lrs: tuple[float, float] | None,
) -> None:
    run = RunView(
        recipe=recipe,
        epochs=recipe.epochs,
        position=Position(epoch=len(past) + 1),
        lr=tuple(lr),
        history=History(epoch(i + 1, a, b, c, d) for i, (a, b, c, d) in enumerate(past)),
        losses=np.array(losses, np.float64),
        projected_x=np.arange(float(len(ahead))),
        projected_lr=np.array([ahead]).T if ahead else np.empty((0, 1)),
        suggested_lrs=suggested_lrs,
    )
    check(for_run(run))

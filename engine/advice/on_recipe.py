"""Rules on a recipe, before the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.advice.base import OFF, Advice, RecipeChange, RecipeView, dead_from, first_lrs, times
from engine.advice.on_schedule import (
    SCHEDULE_RULES,
    Finding,
    ScheduleRule,
    Span,
    aimed_gamma,
    cuts_within,
    last_stage,
)
from engine.advice.on_task import by_task, constant
from engine.common.text import Text, number
from engine.recipe.recipe import LR_MAX, GroupSpec, Recipe
from engine.schedules import (
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    PolynomialLR,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from engine.schedules.expression_values import ALIKE, factor_between, highest

HEADS: Final = {"resnet18": "fc", "vgg11_bn": "classifier"}
"""The new last layers of a pretrained network."""
GENTLER: Final = 10.0
"""Pretrained layers want a rate 10 to 100 times lower than new ones (the tutorial): 10 is the careful choice."""
ONE_LR: Final = 1.5
"""Group rates nearer to each other than this are one rate for all."""


def for_recipe(
    recipe: Recipe,
    *,
    steps_per_epoch: int | None = None,
    plan_x: np.ndarray | None = None,
    plan_lr: np.ndarray | None = None,
) -> list[Advice]:
    """What to say of ``recipe``, the most urgent first; empty where there is nothing.

    Args:
        recipe: the recipe.
        steps_per_epoch: batches an epoch; without it, schedules stepped per batch are passed over.
        plan_x: where its planned rates change, in epochs completed [points]; with ``plan_lr``.
        plan_lr: the rates from there on [points, groups]; without them the planned curve is not looked at.
    """
    known = plan_x is not None and plan_lr is not None and len(plan_x) == len(plan_lr)
    view = RecipeView(
        recipe=recipe,
        steps_per_epoch=steps_per_epoch,
        x=np.asarray(plan_x, np.float64) if known else np.empty(0),
        lr=np.asarray(plan_lr, np.float64) if known else np.empty((0, 1)),
    )
    return [advice for rule in RECIPE_RULES for advice in rule(view)]


def first_lr(view: RecipeView) -> list[Advice]:
    """A first rate that is ten times off what the optimizer usually starts with."""
    recipe, optimizer = view.recipe, view.recipe.optimizer
    if recipe.schedule.own_level():
        return []
    lead, (low, high) = view.leads, first_lrs(optimizer)
    if isinstance(recipe.schedule, LambdaLR):
        lead *= highest(recipe.schedule, recipe.epochs, view.steps_per_epoch)
    if lead >= OFF * high * (1 - ALIKE):
        first, factor = high, lead / high
        text = Text("LR {lr} is high for {optimizer}", lr=number(lead), optimizer=optimizer.name)
        why = Text(
            "It is {times} times what {optimizer} usually starts with, {first}: the loss may jump about or grow.",
            times=times(factor),
            optimizer=optimizer.name,
            first=number(first),
        )
    elif 0 < lead <= low / OFF * (1 + ALIKE) and not recipe.model.pretrained:
        first = low
        text = Text("LR {lr} is low for {optimizer}", lr=number(lead), optimizer=optimizer.name)
        why = Text(
            "It is {times} times less than what {optimizer} usually starts with, {first}: training may crawl.",
            times=times(low / lead),
            optimizer=optimizer.name,
            first=number(first),
        )
    else:
        return []
    if isinstance(recipe.schedule, LambdaLR):  # the expression may be what is off: that is for its writer to say
        return [Advice("first_lr", text, why)]
    scale = first / lead
    groups = tuple(g if g.lr is None else g.model_copy(update={"lr": _scaled(g.lr, scale)}) for g in recipe.groups)
    change = RecipeChange(
        optimizer=optimizer.model_copy(update={"lr": _scaled(optimizer.lr, scale)}), groups=groups or None
    )
    return [Advice("first_lr", text, why, change, Text("Start with LR {first}", first=number(first)))]


def fine_tuning(view: RecipeView) -> list[Advice]:
    """Pretrained layers that learn as fast as the new head."""
    recipe, lr = view.recipe, view.recipe.optimizer.lr
    lrs = [lr, *(lr if g.lr is None else g.lr for g in recipe.groups)]
    if not recipe.model.pretrained or lr == 0 or any(g.frozen or g.schedule for g in recipe.groups):
        return []
    if recipe.schedule.per_group() is not None or max(lrs) > ONE_LR * min(lrs):
        return []
    reason = Text(
        "The pretrained layers know much already, and large steps wash it out. Their usual LR is 10 to 100 times lower "
        "than that of the new head."
    )
    text = Text("Pretrained, with one LR for all layers")
    head = HEADS.get(recipe.model.name)
    if recipe.groups or head is None or recipe.schedule.own_level():
        return [Advice("fine_tuning", text, reason)]
    gentle = lr <= first_lrs(recipe.optimizer)[0] / OFF  # chosen for the pretrained layers: then the head is too slow
    rest, fast = (lr, min(LR_MAX, _scaled(lr, GENTLER))) if gentle else (_scaled(lr, 1 / GENTLER), lr)
    change = RecipeChange(
        optimizer=recipe.optimizer.model_copy(update={"lr": rest}),
        groups=(GroupSpec(name="head", modules=(head,), lr=fast),),
    )
    label = Text("Two groups: head {fast}, rest {rest}", fast=number(fast), rest=number(rest))
    return [Advice("fine_tuning", text, reason, change, label)]


def schedules(view: RecipeView) -> list[Advice]:
    """What the rules on a single schedule say of the recipe's, and of each group's own."""
    recipe, found = view.recipe, list[Advice]()
    for key, rule in SCHEDULE_RULES:
        finding = _of_all(rule, recipe.schedule, _span(view, recipe.optimizer.lr))
        if finding is not None:
            change = RecipeChange(schedule=finding.better) if finding.better else None
            found.append(Advice(key, finding.text, finding.reason, change, finding.label))
        for index, group in enumerate(recipe.groups):
            lr = recipe.optimizer.lr if group.lr is None else group.lr
            finding = _of_all(rule, group.schedule, _span(view, lr)) if group.schedule is not None else None
            if finding is None:
                continue
            text = Text("{group}: {text}", group=group.name, text=finding.text)
            change = None
            if finding.better is not None:
                better = group.model_copy(update={"schedule": finding.better})
                change = RecipeChange(groups=(*recipe.groups[:index], better, *recipe.groups[index + 1 :]))
            found.append(Advice(f"{key} {group.name}", text, finding.reason, change, finding.label))
    return found


def _of_all(rule: ScheduleRule, spec: ScheduleSpec, span: Span) -> Finding | None:
    """What ``rule`` says of ``spec`` or, if nothing, of the last schedule of a sequence, which lasts to the end."""
    finding = rule(spec, span)
    stage = last_stage(spec, span)
    if finding is not None or stage is None or not isinstance(spec, SequentialLR):
        return finding
    place, begin, its_span = stage
    finding = rule(spec.schedulers[place], its_span)
    if finding is None:
        return None
    better = None
    if finding.better is not None and finding.better.interval == spec.interval:
        better = spec.model_copy(update={"schedulers": (*spec.schedulers[:place], finding.better)})
    return Finding(
        Text("Stage {stage}: {text}", stage=place + 1, text=finding.text),
        Text("Counted from {begin} on, where this stage begins. {reason}", begin=begin, reason=finding.reason),
        better,
        finding.label if better is not None else None,
    )


def zero_early(view: RecipeView) -> list[Advice]:
    """A plan that brings the rate to next to nothing long before the end."""
    recipe, spec = view.recipe, view.recipe.schedule
    dead = dead_from(view.x, view.lr, recipe.epochs)
    if dead is None or any(key in ("exponential", "stepwise") for key in (a.key for a in schedules(view))):
        return []
    text = Text("From epoch {epoch} on the LR is next to nothing", epoch=dead)
    reason = Text(
        "From there it is {lr}, under a ten-thousandth of where it was: the last {left} epochs change nothing.",
        lr=number(float(f"{float(view.lr[int(np.searchsorted(view.x, dead - 1))].max()):.2g}")),
        left=recipe.epochs - dead + 1,
    )
    length = _span(view, recipe.optimizer.lr).length(spec)
    cuts = cuts_within(spec, length) if length is not None else 0
    if cuts and isinstance(spec, (StepLR, MultiStepLR, ExponentialLR)):
        gamma = aimed_gamma(cuts)
        change = RecipeChange(schedule=spec.model_copy(update={"gamma": gamma}))
        return [Advice("zero_early", text, reason, change, Text("Set {field} to {value}", field="gamma", value=gamma))]
    if isinstance(spec, PolynomialLR) and length is not None and spec.total_iters < length:
        change = RecipeChange(schedule=spec.model_copy(update={"total_iters": length}))
        label = Text("Set {field} to {value}", field="total_iters", value=length)
        return [Advice("zero_early", text, reason, change, label)]
    return [Advice("zero_early", text, reason)]


def layered(view: RecipeView) -> list[Advice]:
    """A list of expressions, one a group, that differ by a factor alone."""
    recipe, spec = view.recipe, view.recipe.schedule
    if not isinstance(spec, LambdaLR) or len(spec.lr_lambda) < 2 or any(g.schedule for g in recipe.groups):
        return []
    factors = [factor_between(spec, i, recipe.epochs, view.steps_per_epoch) for i in range(len(spec.lr_lambda))]
    rest = len(spec.lr_lambda) - len(recipe.groups)  # the group of what no pattern matches comes first, if there is one
    if rest not in (0, 1) or not recipe.groups:
        return []
    ratios = [f for f in factors if f is not None]
    lrs = [recipe.optimizer.lr if g.lr is None else g.lr for g in recipe.groups]
    own = [_scaled(lr, factor) for lr, factor in zip(lrs, ratios[rest:], strict=False)]
    if len(ratios) < len(factors) or max(own) > LR_MAX:
        return []
    groups = tuple(g.model_copy(update={"lr": lr}) for g, lr in zip(recipe.groups, own, strict=True))
    change = RecipeChange(schedule=spec.model_copy(update={"lr_lambda": spec.lr_lambda[:1]}), groups=groups)
    return [
        Advice(
            "layered",
            Text("The groups' curves differ by a factor alone"),
            Text(
                "One expression and a rate of its own for each group give the same curves, and any schedule can follow "
                "them. A list is for curves of different shapes."
            ),
            change,
            Text("One expression, and a rate a group"),
        )
    ]


RECIPE_RULES: Final[tuple[Callable[[RecipeView], list[Advice]], ...]] = (
    first_lr,
    schedules,
    zero_early,
    fine_tuning,
    constant,
    layered,
    by_task,
)
"""The most urgent first."""


def _scaled(lr: float, factor: float) -> float:
    """Without the noise of binary fractions, as a person would type it."""
    return float(f"{lr * factor:.12g}")


def _span(view: RecipeView, lr: float) -> Span:
    """What a schedule that starts from ``lr`` runs over."""
    return Span(view.recipe.epochs, view.steps_per_epoch, lr)

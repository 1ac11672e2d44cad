"""Rules on a recipe, before the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.advice.base import FAR_OFF, Advice, RecipeChange, RecipeView, factor_text, negligible_from
from engine.advice.on_schedule import (
    SCHEDULE_RULES,
    ScheduleProblem,
    ScheduleRule,
    Span,
    aimed_gamma,
    cuts_within,
    last_stage,
)
from engine.advice.on_task import by_task, constant
from engine.common.text import Text, number
from engine.recipe.networks import find_network
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
from engine.schedules.custom import ROUNDING, constant_ratio, max_multiplier

HEAD_FACTOR: Final = 10.0
"""Pretrained layers need an LR 10 to 100 times lower than new ones (the tutorial); this is the cautious end."""
ALIKE_LRS: Final = 1.5
"""Group LRs within this factor of each other count as one LR for all."""


def for_recipe(
    recipe: Recipe,
    *,
    steps_per_epoch: int | None = None,
    scheduled_x: np.ndarray | None = None,
    scheduled_lr: np.ndarray | None = None,
) -> list[Advice]:
    """Advice on ``recipe``, the most urgent first; empty if there is none.

    Args:
        recipe: the recipe.
        steps_per_epoch: batches per epoch; without it, schedules stepped per batch are not checked.
        scheduled_x: positions in epochs completed, rising [points].
        scheduled_lr: the scheduled LR of each group from each position on [points, groups]; without both, the rules
            that read the scheduled LR are skipped.
    """
    known = scheduled_x is not None and scheduled_lr is not None and len(scheduled_x) == len(scheduled_lr)
    view = RecipeView(
        recipe=recipe,
        steps_per_epoch=steps_per_epoch,
        x=np.asarray(scheduled_x, np.float64) if known else np.empty(0),
        lr=np.asarray(scheduled_lr, np.float64) if known else np.empty((0, 1)),
    )
    return [advice for rule in RECIPE_RULES for advice in rule(view)]


def first_lr(view: RecipeView) -> list[Advice]:
    """The starting LR differs from the optimizer's usual one by a factor of ten or more."""
    recipe, optimizer = view.recipe, view.recipe.optimizer
    if recipe.schedule.ignores_base_lr():
        return []
    lr, (low, high) = view.max_lr, optimizer.starting_lrs()
    if isinstance(recipe.schedule, LambdaLR):
        lr *= max_multiplier(recipe.schedule, recipe.epochs, view.steps_per_epoch)
    if lr >= FAR_OFF * high * (1 - ROUNDING):
        usual = high
        text = Text("LR {lr} is high for {optimizer}", lr=number(lr), optimizer=optimizer.name)
        reason = Text(
            "This is {factor} times the usual starting LR of {optimizer}, {usual}. The loss may oscillate or diverge.",
            factor=factor_text(lr / high),
            optimizer=optimizer.name,
            usual=number(usual),
        )
    elif 0 < lr <= low / FAR_OFF * (1 + ROUNDING) and not recipe.model.pretrained:
        usual = low
        text = Text("LR {lr} is low for {optimizer}", lr=number(lr), optimizer=optimizer.name)
        reason = Text(
            "This is {factor} times lower than the usual starting LR of {optimizer}, {usual}. Training may be slow.",
            factor=factor_text(low / lr),
            optimizer=optimizer.name,
            usual=number(usual),
        )
    else:
        return []
    if isinstance(recipe.schedule, LambdaLR):  # the expression may be wrong, and not the LR
        return [Advice("first_lr", text, reason)]
    scale = usual / lr
    groups = tuple(g if g.lr is None else g.model_copy(update={"lr": _scaled(g.lr, scale)}) for g in recipe.groups)
    change = RecipeChange(
        optimizer=optimizer.model_copy(update={"lr": _scaled(optimizer.lr, scale)}), groups=groups or None
    )
    return [Advice("first_lr", text, reason, change, Text("Start with LR {lr}", lr=number(usual)))]


def fine_tuning(view: RecipeView) -> list[Advice]:
    """Pretrained layers have the same LR as the new head."""
    recipe, lr = view.recipe, view.recipe.optimizer.lr
    lrs = [lr, *(lr if g.lr is None else g.lr for g in recipe.groups)]
    if not recipe.model.pretrained or lr == 0 or any(g.frozen or g.schedule for g in recipe.groups):
        return []
    if recipe.schedule.group_count() is not None or max(lrs) > ALIKE_LRS * min(lrs):
        return []
    reason = Text(
        "Pretrained layers usually have an LR 10 to 100 times lower than the new head. A higher one overwrites what "
        "they have learned."
    )
    text = Text("Pretrained layers and new head share one LR")
    network = find_network(recipe.model.name)
    if recipe.groups or network is None or recipe.schedule.ignores_base_lr():
        return [Advice("fine_tuning", text, reason)]
    if lr <= recipe.optimizer.starting_lrs()[0] / FAR_OFF:  # chosen for the pretrained layers, too low for the head
        rest_lr, head_lr = lr, min(LR_MAX, _scaled(lr, HEAD_FACTOR))
    else:
        rest_lr, head_lr = _scaled(lr, 1 / HEAD_FACTOR), lr
    change = RecipeChange(
        optimizer=recipe.optimizer.model_copy(update={"lr": rest_lr}),
        groups=(GroupSpec(name="head", modules=(network.head,), lr=head_lr),),
    )
    label = Text("Use two groups: head {head}, rest {rest}", head=number(head_lr), rest=number(rest_lr))
    return [Advice("fine_tuning", text, reason, change, label)]


def schedules(view: RecipeView) -> list[Advice]:
    """Findings about the recipe's schedule and each group's own."""
    recipe, found = view.recipe, list[Advice]()
    for key, rule in SCHEDULE_RULES:
        finding = _check(rule, recipe.schedule, _span(view, recipe.optimizer.lr))
        if finding is not None:
            change = RecipeChange(schedule=finding.better) if finding.better else None
            found.append(Advice(key, finding.text, finding.reason, change, finding.label))
        for index, group in enumerate(recipe.groups):
            lr = recipe.optimizer.lr if group.lr is None else group.lr
            finding = _check(rule, group.schedule, _span(view, lr)) if group.schedule is not None else None
            if finding is None:
                continue
            text = Text("{group}: {text}", group=group.name, text=finding.text)
            change = None
            if finding.better is not None:
                better = group.model_copy(update={"schedule": finding.better})
                change = RecipeChange(groups=(*recipe.groups[:index], better, *recipe.groups[index + 1 :]))
            found.append(Advice(f"{key} {group.name}", text, finding.reason, change, finding.label))
    return found


def _check(rule: ScheduleRule, spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """The finding of ``rule`` about ``spec`` or, if none, about the last stage of a sequence."""
    finding = rule(spec, span)
    stage = last_stage(spec, span)
    if finding is not None or stage is None or not isinstance(spec, SequentialLR):
        return finding
    index, begin, stage_span = stage
    finding = rule(spec.schedulers[index], stage_span)
    if finding is None:
        return None
    better = None
    if finding.better is not None and finding.better.interval == spec.interval:
        better = spec.model_copy(update={"schedulers": (*spec.schedulers[:index], finding.better)})
    return ScheduleProblem(
        Text("Stage {stage}: {text}", stage=index + 1, text=finding.text),
        Text("Counted from {begin}, where this stage starts. {reason}", begin=begin, reason=finding.reason),
        better,
        finding.label if better is not None else None,
    )


def zero_early(view: RecipeView) -> list[Advice]:
    """The scheduled LR becomes negligible long before the end of the run."""
    recipe, spec = view.recipe, view.recipe.schedule
    epoch = negligible_from(view.x, view.lr, recipe.epochs)
    if epoch is None or any(advice.key in ("exponential", "stepwise") for advice in schedules(view)):
        return []
    text = Text("The LR is close to 0 from epoch {epoch} on", epoch=epoch)
    reason = Text(
        "It is {lr}, less than a ten-thousandth of its highest value, so the last {epochs} epochs hardly train.",
        lr=number(float(f"{float(view.lr[int(np.searchsorted(view.x, epoch - 1))].max()):.2g}")),
        epochs=recipe.epochs - epoch + 1,
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
    """The expressions of the groups differ only by a factor."""
    recipe, spec = view.recipe, view.recipe.schedule
    if not isinstance(spec, LambdaLR) or len(spec.lr_lambda) < 2 or any(g.schedule for g in recipe.groups):
        return []
    factors = [constant_ratio(spec, i, recipe.epochs, view.steps_per_epoch) for i in range(len(spec.lr_lambda))]
    rest = len(spec.lr_lambda) - len(recipe.groups)  # 1 if there is a group "rest", which comes first
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
            Text("The groups' curves differ only by a factor"),
            Text(
                "One expression and an LR per group give the same curves, and work with every schedule. A list is for "
                "curves of different shapes."
            ),
            change,
            Text("Use one expression and an LR per group"),
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
    """``lr * factor`` rounded to 12 digits, so that 0.1 * 3 is 0.3."""
    return float(f"{lr * factor:.12g}")


def _span(view: RecipeView, lr: float) -> Span:
    """The whole run, for a schedule that starts from ``lr``."""
    return Span(view.recipe.epochs, view.steps_per_epoch, lr)

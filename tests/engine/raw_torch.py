"""PyTorch's own schedulers on real optimizers, written as its users write them: the reference beside Tiller."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from hypothesis import reject
from torch.optim import Optimizer, lr_scheduler

from engine import schedules
from engine.common.errors import SpecError
from engine.lr.control import LRControl
from engine.lr.scheduled import ScheduledLR
from engine.recipe.recipe import Adam, OptimizerSpec, Recipe
from engine.schedules import ScheduleSpec


def optimizer_of(*lrs: float, kind: Callable[..., Optimizer] = torch.optim.SGD, **options: Any) -> Optimizer:
    """A real optimizer with one group per LR, each with a weight of its own."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(2))], "lr": lr} for lr in lrs]
    return kind(groups, lr=lrs[0], **options)


def lrs_of(optimizer: Optimizer) -> list[float]:
    """The LRs; 0 where PyTorch's rounding leaves one slightly below it."""
    lrs = [float(group["lr"]) for group in optimizer.param_groups]
    return [0.0 if -1e-9 < lr < 0 else lr for lr in lrs]


def raw_lrs(
    optimizer: Optimizer, scheduler: Any, count: int, metrics: Sequence[float] | None = None
) -> list[list[float]]:
    """The LRs that each of ``count`` epochs trains with."""
    lrs = []
    for epoch in range(count):
        lrs.append(lrs_of(optimizer))
        optimizer.step()
        scheduler.step(*(() if metrics is None else (metrics[epoch],)))
    return lrs


def raw_scheduler(spec: ScheduleSpec, optimizer: Optimizer, total: int = 70, batches: int = 1) -> Any:
    """What a PyTorch user writes for ``spec``; an expression becomes Python's own lambda.

    ``total`` counts the positions of the run (or of the stage), ``batches`` those of an epoch.
    """
    match spec:
        case schedules.StepLR():
            return lr_scheduler.StepLR(optimizer, spec.step_size, spec.gamma)
        case schedules.MultiStepLR():
            return lr_scheduler.MultiStepLR(optimizer, list(spec.milestones), spec.gamma)
        case schedules.ExponentialLR():
            return lr_scheduler.ExponentialLR(optimizer, spec.gamma)
        case schedules.CosineAnnealingLR():
            return lr_scheduler.CosineAnnealingLR(optimizer, spec.T_max, spec.eta_min)
        case schedules.ConstantLR():
            return lr_scheduler.ConstantLR(optimizer, spec.factor, spec.total_iters)
        case schedules.LinearLR():
            return lr_scheduler.LinearLR(optimizer, spec.start_factor, spec.end_factor, spec.total_iters)
        case schedules.PolynomialLR():
            return lr_scheduler.PolynomialLR(optimizer, spec.total_iters, spec.power)
        case schedules.CosineAnnealingWarmRestarts():
            return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, spec.T_0, spec.T_mult, spec.eta_min)
        case schedules.CyclicLR():
            return lr_scheduler.CyclicLR(
                optimizer,
                spec.base_lr,
                spec.max_lr,
                spec.step_size_up,
                spec.step_size_down,
                spec.mode,
                spec.gamma,
                None if spec.scale_fn is None else eval(f"lambda x: {spec.scale_fn}", {"sqrt": math.sqrt}),
                spec.scale_mode,
                cycle_momentum=spec.cycle_momentum,
                base_momentum=spec.base_momentum,
                max_momentum=spec.max_momentum,
            )
        case schedules.OneCycleLR():
            return lr_scheduler.OneCycleLR(
                optimizer,
                spec.max_lr,
                total_steps=total,
                pct_start=spec.pct_start,
                anneal_strategy=spec.anneal_strategy,
                cycle_momentum=spec.cycle_momentum,
                base_momentum=spec.base_momentum,
                max_momentum=spec.max_momentum,
                div_factor=spec.div_factor,
                final_div_factor=spec.final_div_factor,
                three_phase=spec.three_phase,
            )
        case schedules.SequentialLR():
            begins, ends = (0, *spec.milestones), (*spec.milestones, total)
            spans = [max(1, end - begin) for begin, end in zip(begins, ends, strict=True)]
            stages = [raw_scheduler(s, optimizer, n, batches) for s, n in zip(spec.schedulers, spans, strict=True)]
            optimizer.step()
            return lr_scheduler.SequentialLR(optimizer, stages, list(spec.milestones))
        case schedules.ChainedScheduler():
            parts = [raw_scheduler(s, optimizer, total, batches) for s in spec.schedulers]
            return lr_scheduler.ChainedScheduler(parts, optimizer)
        case schedules.MultiplicativeLR():
            return lr_scheduler.MultiplicativeLR(optimizer, [eval(f"lambda epoch: {text}") for text in spec.lr_lambda])
        case schedules.Drawn():
            return Polyline(optimizer, spec, batches if spec.interval == "step" else 1)
        case schedules.LambdaLR():
            return lr_scheduler.LambdaLR(optimizer, [eval(f"lambda epoch: {text}") for text in spec.lr_lambda])
        case schedules.ReduceLROnPlateau():
            return lr_scheduler.ReduceLROnPlateau(
                optimizer,
                mode=spec.mode,
                factor=spec.factor,
                patience=spec.patience,
                threshold=spec.threshold,
                threshold_mode=spec.threshold_mode,
                cooldown=spec.cooldown,
                min_lr=spec.min_lr,
                eps=spec.eps,
            )
        case _:
            return lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0)


class Polyline(lr_scheduler.LRScheduler):
    """The LR is the spec's curve, which test_drawn compares with NumPy."""

    def __init__(self, optimizer: Optimizer, spec: schedules.Drawn, batches: int) -> None:
        self.lr_control, self.batches = spec.curve(), batches
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        return [self.lr_control(self.last_epoch / self.batches)] * len(self.optimizer.param_groups)


def momentum_of(optimizer: Optimizer) -> float:
    """The momentum of the first group, or its first beta."""
    group = optimizer.param_groups[0]
    return float(group["betas"][0] if "betas" in group else group["momentum"])


def raw_from(spec: OptimizerSpec, *lrs: float) -> Optimizer:
    return optimizer_of(*lrs, kind=torch.optim.Adam if isinstance(spec, Adam) else torch.optim.SGD)


def tiller_lrs(lr: LRControl, count: int, metrics: Sequence[dict[str, float]] | None = None) -> list[list[float]]:
    """The LRs of ``lr`` in each of ``count`` epochs, stepped as in training."""
    lrs = []
    for epoch in range(count):
        lrs.append(lr.current())
        for _ in range(lr.length.steps_per_epoch):
            lr.step_done()
        lr.epoch_done(None if metrics is None else metrics[epoch])
    return lrs


def control(
    schedule: ScheduleSpec, lr: float = 0.1, epochs: int = 30, steps: int = 1, names: Sequence[str] = ("all",)
) -> LRControl:
    """The LR control of a run with ``schedule``, at its beginning."""
    recipe = Recipe.model_validate(
        {
            "optimizer": {"name": "SGD", "lr": lr, "momentum": 0.9},
            "schedule": schedule.model_dump(),
            "groups": [{"name": n, "modules": ["fc"]} for n in names if n not in ("all", "rest")],
            "epochs": epochs,
        }
    )
    return LRControl.from_recipe(recipe, names, steps)


def control_if_usable(
    schedule: ScheduleSpec, epochs: int = 30, steps: int = 1, names: Sequence[str] = ("all",)
) -> LRControl:
    """As ``control``; discards an example of Hypothesis whose schedule is rejected (a chain can go below 0)."""
    try:
        return control(schedule, epochs=epochs, steps=steps, names=names)
    except SpecError:
        reject()


def after(lr: LRControl, epochs: int, loss: float | None = None) -> LRControl:
    """``lr`` itself, ``epochs`` later, each with the same validation loss (or without a metric)."""
    for _ in range(epochs):
        for _ in range(lr.length.steps_per_epoch):
            lr.step_done()
        lr.epoch_done(None if loss is None else {"val_loss": loss})
    return lr


def counted(scheduled: ScheduledLR) -> tuple[float | None, int]:
    """The best metric and the bad epochs that a metric-driven schedule has counted."""
    plateau = scheduled.plateau()
    assert plateau is not None
    return plateau.best, plateau.bad_epochs


def expression(*texts: str) -> schedules.LambdaLR:
    return schedules.LambdaLR(lr_lambda=texts)


def flat(lr: LRControl, epochs: int, loss: float | None = None) -> list[float]:
    """LRs of the one group (or of the first) in the coming epochs."""
    metrics = None if loss is None else [{"val_loss": loss}] * epochs
    return [lrs[0] for lrs in tiller_lrs(lr, epochs, metrics)]

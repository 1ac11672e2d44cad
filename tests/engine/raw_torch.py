"""PyTorch's own schedulers on real optimizers, written as its users write them: the reference beside Tiller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim import Optimizer, lr_scheduler

from engine import schedules
from engine.rate import RateControl
from engine.recipe import Adam, OptimizerSpec, Recipe
from engine.schedules import ScheduleSpec


def optimizer_of(*rates: float, kind: Callable[..., Optimizer] = torch.optim.SGD, **options: Any) -> Optimizer:
    """A real optimizer with one group a rate, each with a weight of its own."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(2))], "lr": rate} for rate in rates]
    return kind(groups, lr=rates[0], **options)


def rates_of(optimizer: Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimizer.param_groups]


def raw_rates(
    optimizer: Optimizer, scheduler: Any, count: int, metrics: Sequence[float] | None = None
) -> list[list[float]]:
    """The rates that each of ``count`` epochs trains with."""
    rates = []
    for epoch in range(count):
        rates.append(rates_of(optimizer))
        optimizer.step()
        scheduler.step(*(() if metrics is None else (metrics[epoch],)))
    return rates


def raw_scheduler(spec: ScheduleSpec, optimizer: Optimizer) -> Any:
    """What a PyTorch user writes for ``spec``; an expression becomes Python's own lambda."""
    match spec:
        case schedules.StepLR():
            return lr_scheduler.StepLR(optimizer, spec.step_size, spec.gamma)
        case schedules.MultiStepLR():
            return lr_scheduler.MultiStepLR(optimizer, list(spec.milestones), spec.gamma)
        case schedules.ExponentialLR():
            return lr_scheduler.ExponentialLR(optimizer, spec.gamma)
        case schedules.CosineAnnealingLR():
            return lr_scheduler.CosineAnnealingLR(optimizer, spec.T_max, spec.eta_min)
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


def raw_from(spec: OptimizerSpec, *rates: float) -> Optimizer:
    return optimizer_of(*rates, kind=torch.optim.Adam if isinstance(spec, Adam) else torch.optim.SGD)


def tiller_rates(rate: RateControl, count: int, metrics: Sequence[dict[str, float]] | None = None) -> list[list[float]]:
    """The rates that ``rate`` gives each of ``count`` epochs, stepped for real."""
    rates = []
    for epoch in range(count):
        rates.append(rate.rates())
        for _ in range(rate.length.steps_per_epoch):
            rate.step_done()
        rate.epoch_done(None if metrics is None else metrics[epoch])
    return rates


def control(
    schedule: ScheduleSpec, lr: float = 0.1, epochs: int = 30, steps: int = 1, names: Sequence[str] = ("all",)
) -> RateControl:
    """The rate control of a run with ``schedule``, at its beginning."""
    recipe = Recipe.model_validate(
        {
            "optimizer": {"name": "SGD", "lr": lr, "momentum": 0.9},
            "schedule": schedule.model_dump(),
            "groups": [{"name": n, "modules": ["fc"]} for n in names if n not in ("all", "rest")],
            "epochs": epochs,
        }
    )
    return RateControl.from_recipe(recipe, names, steps)


def after(rate: RateControl, epochs: int, loss: float | None = None) -> RateControl:
    """``rate`` itself, ``epochs`` later, each with the same validation loss (or with no metric)."""
    for _ in range(epochs):
        for _ in range(rate.length.steps_per_epoch):
            rate.step_done()
        rate.epoch_done(None if loss is None else {"val_loss": loss})
    return rate


def expression(*texts: str) -> schedules.LambdaLR:
    return schedules.LambdaLR(lr_lambda=texts)


def flat(rate: RateControl, epochs: int, loss: float | None = None) -> list[float]:
    """Rates of the one group (or of the first) in the coming epochs."""
    told = None if loss is None else [{"val_loss": loss}] * epochs
    return [rates[0] for rates in tiller_rates(rate, epochs, told)]

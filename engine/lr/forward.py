"""Runs PyTorch's schedulers forward by many steps at once, to the same floats and the same state.

Where PyTorch computes the LR from the position alone, the positions between are skipped. Elsewhere each LR follows from
the one before: PyTorch's own formula is evaluated at every position, without the checks that surround it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from torch.optim.lr_scheduler import (
    ChainedScheduler,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LambdaLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
)

from engine.lr.build import DrawnCurve, PlateauAfter

_FROM_THE_POSITION = (LambdaLR, OneCycleLR, CyclicLR, DrawnCurve)


def skips(scheduler: LRScheduler) -> bool:
    """Whether running ``scheduler`` forward takes the same time for any number of steps."""
    if isinstance(scheduler, PlateauAfter):
        return skips(scheduler.before()[0])
    if isinstance(scheduler, SequentialLR):
        return all(map(skips, scheduler._schedulers))
    return isinstance(scheduler, (*_FROM_THE_POSITION, CosineAnnealingWarmRestarts))


def run_forward(scheduler: LRScheduler, steps: int) -> None:
    """Step ``scheduler`` so many times; no step needs a metric, and none fails."""
    match scheduler:
        case _ if steps == 0:
            pass
        case PlateauAfter():
            before, left = scheduler.before()
            run_forward(before, min(steps, left))
            scheduler.last_epoch += min(steps, left)
            if steps > left:  # over the milestone
                scheduler.step()
        case SequentialLR():
            _through_stages(scheduler, steps)
        case ChainedScheduler():
            chain = scheduler._schedulers
            if all(type(link).step is LRScheduler.step for link in chain):
                _from_lr_to_lr(chain, steps - 1)
                steps = 1
            for _ in range(steps):
                scheduler.step()
        case CosineAnnealingWarmRestarts():
            scheduler.T_cur += steps - 1
            while scheduler.T_cur >= scheduler.T_i:
                scheduler.T_cur -= scheduler.T_i
                scheduler.T_i *= scheduler.T_mult
            scheduler.last_epoch += steps - 1
            scheduler.step()
        case _ if isinstance(scheduler, _FROM_THE_POSITION):
            scheduler.last_epoch += steps - 1
            scheduler._step_count += steps - 1
            scheduler.step()
        case _:
            _from_lr_to_lr([scheduler], steps - 1)
            scheduler.step()


def _through_stages(scheduler: SequentialLR, steps: int) -> None:
    milestones = scheduler._milestones
    while steps:
        index = bisect_right(milestones, scheduler.last_epoch)
        within = steps
        if index < len(milestones):
            within = min(steps, milestones[index] - scheduler.last_epoch - 1)
        stage = scheduler._schedulers[index]
        run_forward(stage, within)
        scheduler.last_epoch += within
        scheduler._last_lr = stage.get_last_lr()
        steps -= within
        if steps:  # over the milestone
            scheduler.step()
            steps -= 1


def _from_lr_to_lr(schedulers: Sequence[LRScheduler], steps: int) -> None:
    """As ``step`` of each in turn does, but for the LR that each remembers as its last."""
    (group,) = schedulers[0].optimizer.param_groups
    for scheduler in schedulers:
        scheduler._get_lr_called_within_step = True
    for _ in range(steps):
        for scheduler in schedulers:
            scheduler.last_epoch += 1
            scheduler._step_count += 1
            (group["lr"],) = scheduler.get_lr()
    for scheduler in schedulers:
        scheduler._get_lr_called_within_step = False

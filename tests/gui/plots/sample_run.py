"""A short run for the plots to show."""

from __future__ import annotations

import numpy as np

from engine.messages.events import EpochEvent, StepsEvent
from engine.messages.preview import Curve
from gui.core.history import RunHistory


def feed(history: RunHistory, epochs: int, batches: int = 20, lr: float = 0.01, groups: int = 1) -> None:
    """Add ``epochs`` epochs of falling losses; group n trains at n times ``lr``."""
    for epoch in range(1, epochs + 1):
        loss = 2.0 / (epoch + np.arange(batches) / batches)
        lrs = np.full((batches, groups), lr) * np.arange(1, groups + 1)
        history.append_steps(
            StepsEvent(epoch=epoch, batch=0, loss=loss.astype(np.float32), lr=lrs, images_per_second=1.0), batches
        )
        history.append_epoch(
            EpochEvent(
                epoch=epoch,
                lr=[lr] * groups,
                lr_min=[lr] * groups,
                lr_max=[lr] * groups,
                train_loss=2.0 / epoch,
                train_accuracy=1 - 0.5 / epoch,
                val_loss=2.2 / epoch,
                val_accuracy=1 - 0.6 / epoch,
                seconds=1.0,
                images_per_second=1.0,
            )
        )


def lr_curve(values: list[float], start: int = 0, key: str = "projected") -> Curve:
    """The LRs of one group, one value an epoch from ``start`` on."""
    x = np.arange(start, start + len(values) + 1, dtype=float)
    return Curve(key=key, x=x, lr=np.array([*values, values[-1]]).reshape(-1, 1))

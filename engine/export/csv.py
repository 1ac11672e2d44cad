"""A run as a table: a row an epoch, its metrics, its rates, and what the hand did in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from engine.messages.events import CommandEvent, EpochEvent

_METRICS: Final = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "seconds",
    "images_per_second",
)


def table(history: Sequence[EpochEvent], interventions: Sequence[CommandEvent], groups: Sequence[str]) -> str:
    """CSV with a head: ``epoch``, the rates of each group (of the first batch, least, greatest), metrics, ``hand``.

    Numbers are not rounded. ``interventions`` has those of that epoch as JSON, one a line, as in a commands file; those
    of an epoch that has not ended have a row of their own without metrics.

    Args:
        history: the epochs that ended.
        hand: the acts; those that were refused are left out.
        groups: the names of the parameter groups, in order.
    """
    lrs = [
        f"{kind}{f'[{group}]' if len(groups) > 1 else ''}" for group in groups for kind in ("lr", "lr_min", "lr_max")
    ]
    applied: dict[int, list[str]] = {}
    for intervention in interventions:
        if intervention.status == "applied":
            line = {"at": {"epoch": intervention.epoch, "batch": intervention.batch}, **intervention.command}
            applied.setdefault(intervention.epoch, []).append(json.dumps(line, ensure_ascii=False))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *lrs, *_METRICS, "interventions"])
    for epoch in history:
        row: list[Any] = [epoch.epoch]
        for triple in zip(epoch.lr, epoch.lr_min, epoch.lr_max, strict=True):
            row += triple
        row += [getattr(epoch, name) for name in _METRICS]
        writer.writerow([*row, "\n".join(applied.pop(epoch.epoch, ()))])
    for number in sorted(applied):
        writer.writerow([number, *[""] * (len(lrs) + len(_METRICS)), "\n".join(applied[number])])
    return text.getvalue()

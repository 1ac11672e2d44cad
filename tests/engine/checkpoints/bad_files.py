"""Checkpoint files with a matching digest and other content, and what happens to a run that resumes from one."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from engine.common.position import Position
from engine.messages.commands import Stop
from engine.messages.events import EndEvent, Event, StartEvent
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.engine.running import at, commands, recipe, run

GROUPS = [{"name": "head", "modules": ["head"], "lr": 0.1}]
LINES = (at(1, 1, "set_lr", lr=0.3, then="hold", group="head"), at(2, 1, "scale_lr", factor=0.5, group="rest"))


def make(folder: Path, **changes: Any) -> Path:
    """A checkpoint from within epoch 2 of 3, with two groups, a history, interventions and a momentum buffer."""
    file = folder / "good.tiller"
    lines = commands(*LINES, at(2, 2, "save", path=str(file)), at(2, 2, "stop"))
    run(Job(recipe=recipe(groups=GROUPS, **changes), lines=lines))
    return file


def sealed(archive: bytes) -> bytes:
    """``archive`` (of torch.save) with the digest that Tiller appends."""
    body = archive[:-2] + (64).to_bytes(2, "little")
    return body + hashlib.sha256(body).hexdigest().encode()


def saved(content: object) -> bytes:
    """``content`` as torch.save writes it."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def resumed(file: Path) -> EndEvent:
    """The end of a run that resumes from ``file`` and is stopped two batches later."""

    def hear(event: Event) -> None:
        if isinstance(event, StartEvent):
            later = min(event.batch + 2, event.batches_per_epoch - 1)
            trainer.post(Stop(), Position(epoch=event.epoch, batch=later))

    trainer = Trainer(Job(checkpoint=file), hear)
    return trainer.run()

"""What a checkpoint holds of its run, read without PyTorch."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.checkpoints import digest
from engine.checkpoints.archive import UNREADABLE, read_outline
from engine.checkpoints.content import checked
from engine.common.errors import CheckpointError
from engine.common.files import open_regular
from engine.common.position import AtPosition, Position
from engine.messages.events import CommandEvent, EpochEvent
from engine.messages.stored import commands_from_json, epochs_from_json


@dataclass(frozen=True, kw_only=True)
class Header(AtPosition):
    """A checkpoint's run, its position (before ``batch`` of ``epoch``), and what happened until then."""

    run: str
    name: str
    parent: str | None
    branch: Position | None
    epoch: int
    batch: int
    epochs: int
    batches_per_epoch: int
    recipe: str
    history: tuple[EpochEvent, ...]
    interventions: tuple[CommandEvent, ...]
    created: float

    @property
    def over(self) -> bool:
        """Whether it is of the run's end."""
        return self.epoch > self.epochs


def read_header(path: Path, *, check: bool = True) -> Header:
    """The header of the checkpoint at ``path``; ``check`` verifies its digest, which reads the whole file.

    Raises:
        CheckpointError: it cannot be read, or is not a checkpoint.
    """
    with opened(path) as file:
        if check:
            digest.check(file, path)
        content = checked(read_outline(file), path)
    run, (epoch, batch) = content.run, content.position
    return Header(
        run=run.id,
        name=run.name,
        parent=run.parent,
        branch=Position(epoch=run.branch[0], batch=run.branch[1]) if run.branch else None,
        epoch=epoch,
        batch=batch,
        epochs=content.lr.epochs,
        batches_per_epoch=content.lr.steps_per_epoch,
        recipe=content.recipe,
        history=tuple(epochs_from_json(content.history)),
        interventions=tuple(commands_from_json(content.interventions)),
        created=content.environment.time,
    )


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file at ``path``; in the context, what reading it raises becomes a CheckpointError."""
    try:
        with open_regular(path) as file:
            yield file
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError:
        text = "contains more than data and was not loaded: it is not a Tiller checkpoint"
        raise CheckpointError(path, text) from None
    except UNREADABLE as error:
        raise CheckpointError(path, f"is not a Tiller checkpoint ({type(error).__name__})") from None

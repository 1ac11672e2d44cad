"""What a checkpoint holds of its run, read without PyTorch: tensors are skipped.

No code in the file is run: of all that a pickle can name, only containers and tensors are accepted, and tensors are
replaced by placeholders.
"""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from engine.checkpoints import digest
from engine.common.errors import CheckpointError
from engine.common.files import open_regular
from engine.common.position import AtPosition, Position
from engine.messages.events import CommandEvent, EpochEvent

_LARGEST: Final = 256 * 1024**2  # bytes, without tensors
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    pickle.UnpicklingError,
    struct.error,
    RuntimeError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    AttributeError,
    ArithmeticError,
    ImportError,
    MemoryError,
    NotImplementedError,
)


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
    try:
        with open_regular(path) as file:
            if check:
                digest.check(file, path)
            content = _content(file)
        return _header(content)
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror or error}") from None
    except _UNREADABLE as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(path, f"is not a Tiller checkpoint ({type(error).__name__})") from None


def _content(file: IO[bytes]) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        (entry,) = (i for i in archive.infolist() if i.filename.partition("/")[2] == "data.pkl")
        if entry.file_size > _LARGEST:
            raise ValueError("too large")
        with archive.open(entry) as packed:
            content = _HeaderUnpickler(packed).load()
    if not isinstance(content, dict):
        raise TypeError("no dictionary")
    return content


def _header(content: dict[str, Any]) -> Header:
    run, lr, (epoch, batch) = content["run"], content["lr"], content["position"]
    parent, branch = run.get("parent"), run.get("branch")
    return Header(
        run=str(run["id"]),
        name=str(run["name"]),
        parent=str(parent) if parent is not None else None,
        branch=Position(epoch=int(branch[0]), batch=int(branch[1])) if branch else None,
        epoch=int(epoch),
        batch=int(batch),
        epochs=int(lr["epochs"]),
        batches_per_epoch=int(lr["steps_per_epoch"]),
        recipe=str(content["recipe"]),
        history=tuple(EpochEvent(**event) for event in json.loads(content["history"])),
        interventions=tuple(CommandEvent(**event) for event in json.loads(content["interventions"])),
        created=float(content["environment"]["time"]),
    )


class _Placeholder:
    """Takes the place of a tensor."""

    def __new__(cls, *_: Any, **__: Any) -> _Placeholder:
        return super().__new__(cls)

    def __setstate__(self, _: Any) -> None:
        pass


class _HeaderUnpickler(pickle.Unpickler):
    """Reads containers and plain values; refuses everything that could be run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module.partition(".")[0] == "torch":
            return _Placeholder  # nothing of torch is imported or called
        raise pickle.UnpicklingError(f"{module}.{name} is not data")

    def persistent_load(self, _: Any) -> Any:
        return _Placeholder()

"""A run's state in one file: written atomically and durably, verified before it is parsed, safe to load.

The file is what ``torch.save`` writes, so plain PyTorch reads it: ``torch.load(path, weights_only=True)["model"]``.
Its last 64 bytes, the zip archive's comment, are the SHA-256 in hex of every byte before them.
"""

from __future__ import annotations

import pickle
import struct
import time
from pathlib import Path
from types import NoneType
from typing import IO, Any, Final

import torch

from engine import __version__
from engine.checkpoints import digest
from engine.common.errors import CheckpointError
from engine.common.files import check_replaceable, open_regular, replacing
from engine.hardware.transfer import to_host

__all__ = ["FORMAT", "CheckpointError", "environment", "read", "write"]

FORMAT: Final = 1
_KEYS: Final[dict[str, type]] = {
    "format": int,
    "model": dict,
    "optimizer": dict,
    "scaler": dict,
    "lr": dict,
    "random": dict,
    "position": list,
    "meter": dict,
    "frozen": list,
    "recipe": str,
    "history": str,
    "interventions": str,
    "sources": dict,
    "run": dict,
    "environment": dict,
}
# Everything that reading a file with a matching digest but foreign or hostile content may raise.
_UNREADABLE: Final = (RuntimeError, ValueError, LookupError, EOFError, TypeError, AttributeError, ArithmeticError)


def write(content: dict[str, Any], path: str | Path, *, overwrite: bool = False) -> None:
    """Write ``content`` (tensors on any device, and plain data) to ``path``, as ``engine.common.files.replacing`` does.

    An older checkpoint is replaced; any other file only with ``overwrite``.

    Raises:
        OSError: the disk is full, the folder cannot be written, or the like; an older file is unchanged.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    check_replaceable(path, digest.is_sealed, "a Tiller checkpoint", overwrite=overwrite)
    with replacing(path) as file:
        target = _ErrorKeeping(file)
        try:
            torch.save(to_host({"format": FORMAT, **content}), target)  # type: ignore[arg-type]
        except RuntimeError as error:  # how PyTorch reports a failed write, such as on a full disk
            problem = str(error).splitlines()[0]
            raise target.error or OSError(f"writing failed, is the disk full? ({problem})") from error
        digest.append(file)


def read(path: str | Path) -> dict[str, Any]:
    """The content of the checkpoint at ``path``, tensors on the CPU.

    Raises:
        CheckpointError: the file is missing, damaged, foreign, of another version, or contains more than data.
    """
    path = Path(path)
    try:
        with open_regular(path) as file:
            digest.check(file, path)
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError:
        text = "contains more than data and was not loaded: it is not a Tiller checkpoint"
        raise CheckpointError(path, text) from None
    except (*_UNREADABLE, AssertionError, ImportError, struct.error, MemoryError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(path, f"is not a Tiller checkpoint ({type(error).__name__})") from None
    _check_content(content, path)
    checked: dict[str, Any] = content
    return checked


def environment(capture: dict[str, Any]) -> dict[str, Any]:
    """What a capture was made with: enough to know whether a resumed run can be bit-identical."""
    device = str(next(iter(capture["model"].values())).device)
    return {
        "tiller": __version__,
        "torch": str(torch.__version__),
        "device": device,
        "threads": torch.get_num_threads(),
        "time": time.time(),
    }


class _ErrorKeeping:
    """A file that keeps the error of a failed write, which PyTorch does not pass on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()


def _check_content(content: Any, path: Path) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise CheckpointError(path, "is not a Tiller checkpoint")
    if content["format"] != FORMAT:
        text = f"was made by another version of Tiller (format {content['format']}, this one reads {FORMAT})"
        raise CheckpointError(path, text)
    for key, kind in _KEYS.items():
        if not isinstance(content.get(key), kind):
            raise CheckpointError(path, f"is incomplete: {key} is missing or has the wrong type")
    run, threads = content["run"], content["environment"].get("threads")
    known = all(isinstance(run.get(key), str) for key in ("id", "name"))
    if not known or not isinstance(run.get("parent"), (str, NoneType)) or not isinstance(threads, int):
        raise CheckpointError(path, "is incomplete: what it holds of its run is missing or has the wrong type")

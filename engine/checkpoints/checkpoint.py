"""A run's state in one file: written atomically and durably, checked before it is parsed, safe to load.

The file is what ``torch.save`` writes, so plain PyTorch reads it: ``torch.load(path, weights_only=True)["model"]``.
Its last 64 bytes, the zip archive's comment, are the SHA-256 in hex of every byte before them.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
import tempfile
import time
from pathlib import Path
from types import NoneType
from typing import IO, Any, Final

import torch
from torch import Tensor

from engine import __version__
from engine.checkpoints import digest
from engine.checkpoints.digest import CheckpointError
from engine.common.file_lock import lock

__all__ = ["FORMAT", "CheckpointError", "made", "read", "write"]

FORMAT: Final = 1
_KEYS: Final[dict[str, type]] = {
    "format": int,
    "model": dict,
    "optimizer": dict,
    "lr": dict,
    "random": dict,
    "position": list,
    "meter": dict,
    "frozen": list,
    "recipe": str,
    "history": str,
    "interventions": str,
    "run": dict,
    "made": dict,
}


# All that reading a file with the right digest but foreign or hostile content was seen or is documented to raise.
_UNREADABLE: Final = (RuntimeError, ValueError, LookupError, EOFError, TypeError, AttributeError, ArithmeticError)


def write(content: dict[str, Any], path: str | Path) -> None:
    """Write ``content`` (tensors on any device, plain data) to ``path``, replacing what stands there only when done.

    Temporary file beside it, fsync, rename, fsync of the folder: after a crash at any moment either the old file
    stands or the new one does.

    Raises:
        OSError: the disk is full, the folder cannot be written, and the like; an old file stands untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            lock(file)  # who finds one that nobody holds may remove it
            honest = _Honest(file)
            try:
                torch.save(_on_cpu({"format": FORMAT, **content}), honest)  # type: ignore[arg-type]
            except RuntimeError as error:  # how PyTorch reports a write that failed, a full disk among others
                problem = str(error).splitlines()[0]
                raise honest.error or OSError(f"writing failed, is the disk full? ({problem})") from error
            digest.put(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def read(path: str | Path) -> dict[str, Any]:
    """The content of the checkpoint at ``path``, tensors on the CPU.

    Raises:
        CheckpointError: the file is not there, damaged, foreign, made by a newer Tiller, or holds more than data.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            digest.check(file, path)
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError:
        raise CheckpointError(
            path, "holds more than data and was not loaded: it is no checkpoint of Tiller's"
        ) from None
    except (*_UNREADABLE, AssertionError, ImportError, struct.error, MemoryError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(path, f"is no checkpoint of Tiller's ({type(error).__name__})") from None
    _check_content(content, path)
    checked: dict[str, Any] = content
    return checked


def made(capture: dict[str, Any]) -> dict[str, Any]:
    """By what a capture was made: enough to know whether a resumed run can be bit-identical."""
    device = str(next(iter(capture["model"].values())).device)
    return {
        "tiller": __version__,
        "torch": str(torch.__version__),
        "device": device,
        "threads": torch.get_num_threads(),
        "when": time.time(),
    }


class _Honest:
    """A file that remembers why writing to it failed, which PyTorch does not tell."""

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


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_on_cpu(item) for item in value)
    return value


def _check_content(content: Any, path: Path) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise CheckpointError(path, "is no checkpoint of Tiller's")
    if content["format"] > FORMAT:
        raise CheckpointError(path, f"was made by a newer Tiller (format {content['format']}, this one reads {FORMAT})")
    for key, kind in _KEYS.items():
        if not isinstance(content.get(key), kind):
            raise CheckpointError(path, f"is incomplete: {key} is missing or not what it should be")
    run, threads = content["run"], content["made"].get("threads")
    known = all(isinstance(run.get(key), str) for key in ("id", "name"))
    if not known or not isinstance(run.get("parent"), (str, NoneType)) or not isinstance(threads, int):
        raise CheckpointError(path, "is incomplete: what it says of its run is not what it should be")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and a rename is durable
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

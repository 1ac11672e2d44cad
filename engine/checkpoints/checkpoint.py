"""A run's state in one file: written atomically and durably, verified before it is parsed, safe to load.

The file is what ``torch.save`` writes, so plain PyTorch reads it: ``torch.load(path, weights_only=True)["model"]``.
Its last 64 bytes, the zip archive's comment, are the SHA-256 in hex of every byte before them.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, Any

import torch

from engine import __version__
from engine.checkpoints import digest
from engine.checkpoints.archive import read_outline
from engine.checkpoints.content import FORMAT, checked
from engine.checkpoints.header import opened
from engine.common.files import check_replaceable, replacing
from engine.hardware.devices import gpu_name
from engine.hardware.transfer import to_host


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
        CheckpointError: the file is missing, damaged, foreign, of another version, contains more than data, or is not
            consistent.
    """
    path = Path(path)
    with opened(path) as file:
        digest.check(file, path)
        checked(read_outline(file), path)
        file.seek(0)
        content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    checked(content, path)  # PyTorch reads the archive with other code
    return content


def environment(capture: dict[str, Any]) -> dict[str, Any]:
    """What a capture was made with: enough to know whether a resumed run can be bit-identical."""
    tensors = (value for value in capture["model"].values() if isinstance(value, torch.Tensor))
    device = next((t.device for t in tensors), torch.device("cpu"))
    return {
        "tiller": __version__,
        "torch": str(torch.__version__),
        "device": str(device),
        "gpu": gpu_name(device),
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

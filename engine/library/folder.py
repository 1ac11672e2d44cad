"""What of a library's folder is the library's own, and the paths that are made of a run's id."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.common.run_id import is_run_id
from engine.library.schema import INDEX

CHECKPOINTS: Final = "checkpoints"
SAVED: Final = "saved"
LOCKS: Final = "locks"


def checkpoints_of(root: Path, run: str) -> Path:
    """The folder of the checkpoints of ``run`` in the library in ``root``.

    Raises:
        ValueError: ``run`` is not an id.
    """
    return root / CHECKPOINTS / _checked(run)


def lock_of(root: Path, run: str) -> Path:
    """The file that is locked while ``run`` is open. Raises ValueError as ``checkpoints_of``."""
    return root / LOCKS / f"{_checked(run)}.lock"


def owns(root: Path, path: Path) -> bool:
    """Whether ``path`` is the place of something that only the library in ``root`` writes."""
    inner = _within(root.resolve(), path)
    if inner is None:
        return False
    return inner.parts[0] in (CHECKPOINTS, LOCKS) or inner.name.startswith(INDEX.partition(".")[0] + ".")


def has_place(root: Path, run: str, path: Path) -> bool:
    """Whether ``path`` is where the library in ``root`` keeps checkpoints of ``run``; no link leads out of there.

    Only there it writes by itself, and only from there it removes a file.
    """
    return any(_within(folder, path) is not None for folder in (checkpoints_of(root, run), root / SAVED))


def _within(folder: Path, path: Path) -> Path | None:
    """``path`` relative to ``folder``, links above both resolved; None where it is not within it.

    A link above ``folder`` is the person's, who may keep checkpoints on another disk.
    """
    try:
        found = path.parent.resolve() / path.name
        inner = found.relative_to(folder.parent.resolve() / folder.name)
    except (OSError, ValueError, RuntimeError):
        return None
    return inner if inner.parts and ".." not in inner.parts else None


def _checked(run: str) -> str:
    if not is_run_id(run):
        raise ValueError(f"{run!r} is not the id of a run")
    return run

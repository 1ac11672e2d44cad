"""How much of a memory the images of a run may take: a setting of the machine, which changes no result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from engine.common.spec import SpecError

DEFAULT_SHARE: Final = 0.5
_UNKNOWN: Final = 4 << 30  # bytes, where the system does not tell
_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


def data_share(asked: str | float | None = None) -> float:
    """The share, 0 to 1: what was ``asked`` for, else what ``TILLER_DATA_SHARE`` says, else a half.

    Raises:
        SpecError: it is no such number.
    """
    given = asked if asked is not None else os.environ.get("TILLER_DATA_SHARE") or DEFAULT_SHARE
    try:
        share = float(given)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SpecError("data share", f"must be a number from 0 to 1, a share of the memory; it is {given!r}")
    return share


def host_memory() -> int:
    """Bytes of memory of this machine, or that this process may take."""
    if not hasattr(os, "sysconf"):  # Windows
        return _UNKNOWN
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # there is no limit
        return total

"""The share of the memory that a run's images may take: a setting of the machine, which changes no result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from engine.common.errors import SpecError

DEFAULT_SHARE: Final = 0.5
_UNKNOWN: Final = 4 << 30  # bytes, if the system does not say
_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


def data_share(asked: str | float | None = None) -> float:
    """The share, 0 to 1: ``asked``, else ``TILLER_DATA_SHARE``, else one half.

    Raises:
        SpecError: it is not a number from 0 to 1.
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
    """Memory of this machine in bytes, or the limit of this process if that is lower."""
    if not hasattr(os, "sysconf"):  # Windows
        return _UNKNOWN
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # no limit
        return total

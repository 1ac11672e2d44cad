"""What work that takes long is given: a function to report its progress, and one that tells that it was cancelled."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""
IsCancelled = Callable[[], bool]
"""Whether the work should end early."""


def never() -> bool:
    """An ``IsCancelled`` of work that is not cancelled."""
    return False

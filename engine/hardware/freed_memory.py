"""What becomes of memory that this process frees: kept for the next batch, and given back once a run is over.

GNU's C library hands freed memory back to the system as soon as some hundred kilobytes of it lie together, and asks for
it again a moment later, page by page: hundreds of page faults in every training step, a tenth of its time. See
mallopt(3) and malloc_trim(3). Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_KEPT: Final = {
    _TRIM_THRESHOLD: 2**31 - 1,
    _MMAP_THRESHOLD: 2**30,  # bytes; a larger piece is the system's again at once
    _TOP_PAD: 2**26,
    _ARENA_MAX: 1,  # a thread's own arena has pieces of 64 MB at most
}


def keep() -> bool:
    """Have freed memory kept, from here on; whether the C library can."""
    mallopt = _function("mallopt")
    if mallopt is None:
        return False
    done = [mallopt(what, value) for what, value in _KEPT.items()]
    return all(done)


def give_back() -> None:
    """Return to the system what was freed until now."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _function(name: str) -> Any:
    """A function of the C library that is GNU's own, or None."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - which no other library has
        return getattr(library, name)
    except (AttributeError, OSError, TypeError):  # Windows has no such library
        return None

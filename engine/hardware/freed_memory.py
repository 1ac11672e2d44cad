"""Keep freed memory in this process while a run trains, and return it to the system afterwards.

GNU's C library returns freed memory to the system as soon as about 100 kB of it are contiguous. Each training step then
gets it back page by page: hundreds of page faults, a tenth of the step's time. See mallopt(3) and malloc_trim(3). Other
C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_KEPT: Final = {
    _TRIM_THRESHOLD: 2**31 - 1,
    _MMAP_THRESHOLD: 2**30,  # bytes; larger blocks are returned at once
    _TOP_PAD: 2**26,
    _ARENA_MAX: 1,  # other threads' arenas have blocks of at most 64 MB
}


def keep() -> bool:
    """Keep freed memory from now on. Returns whether the C library can."""
    mallopt = _function("mallopt")
    if mallopt is None:
        return False
    done = [mallopt(what, value) for what, value in _KEPT.items()]
    return all(done)


def give_back() -> None:
    """Return freed memory to the system."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _function(name: str) -> Any:
    """A function of GNU's C library, or None."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - only GNU's library has it
        return getattr(library, name)
    except (AttributeError, OSError, TypeError):  # Windows has no such library
        return None

"""The run library: a folder with ``runs.sqlite`` and ``snapshots/``.

Importing it brings no PyTorch. Reading (``Reader``, which ``Library`` is) blocks nobody and may be done from any
thread; everything is written by one thread, in the order of the calls.
"""

from engine.library.keeping import Keeping, size_words
from engine.library.library import Library, default_root
from engine.library.lock import RunLock, UnderWayError
from engine.library.overview import Overview, overviews
from engine.library.problems import why
from engine.library.reading import Reader
from engine.library.record import Beginning
from engine.library.rows import HandRow, Kind, RunRow, SnapshotRow, new_run_id
from engine.library.schema import is_readable
from engine.library.upkeep import Soundness
from engine.library.writer import Parcel

__all__ = [
    "Beginning",
    "HandRow",
    "Keeping",
    "Kind",
    "Library",
    "Overview",
    "Parcel",
    "Reader",
    "RunLock",
    "RunRow",
    "SnapshotRow",
    "Soundness",
    "UnderWayError",
    "default_root",
    "is_readable",
    "new_run_id",
    "overviews",
    "size_words",
    "why",
]

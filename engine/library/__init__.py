"""The run library: a folder with ``runs.sqlite`` and ``checkpoints/``.

Importing it imports no PyTorch. Reading (``Reader``, which ``Library`` is) may be done from any thread and never waits
for the writer; everything is written on one thread, in the order of the calls.
"""

from engine.library.checkpoint_writer import CheckpointResult, CheckpointWrite
from engine.library.disk_errors import why
from engine.library.folder import owns
from engine.library.library import Library, default_library_root
from engine.library.lock import RunLock
from engine.library.maintenance import Soundness
from engine.library.overview import Overview, overviews
from engine.library.reader import Reader
from engine.library.retention import Retention, size_text
from engine.library.rows import CheckpointRow, InterventionRow, Kind, RunRow, new_run_id
from engine.library.schema import is_readable
from engine.library.statements import Beginning

__all__ = [
    "Beginning",
    "CheckpointResult",
    "CheckpointRow",
    "CheckpointWrite",
    "InterventionRow",
    "Kind",
    "Library",
    "Overview",
    "Reader",
    "Retention",
    "RunLock",
    "RunRow",
    "Soundness",
    "default_library_root",
    "is_readable",
    "new_run_id",
    "overviews",
    "owns",
    "size_text",
    "why",
]

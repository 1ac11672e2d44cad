"""The ids of runs: nothing that, as the name of a file or folder, could lead anywhere else."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import StringConstraints

_ID: Final = r"[0-9A-Za-z_-]{1,64}"
RunId = Annotated[str, StringConstraints(pattern=f"^{_ID}$")]


def is_run_id(text: str) -> bool:
    """Whether ``text`` can be a run's id."""
    return re.fullmatch(_ID, text) is not None

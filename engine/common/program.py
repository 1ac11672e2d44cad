"""How Tiller is started, for messages that name one of its commands."""

from __future__ import annotations

import sys
from pathlib import Path


def program() -> str:
    """The command that starts Tiller as this process was started: ``tiller`` or ``python main.py``."""
    return "tiller" if Path(sys.argv[0]).stem == "tiller" else "python main.py"

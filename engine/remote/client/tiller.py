"""The installed module ``tiller``: the entry of the ``tiller`` command.

Installed, ``tiller_app/`` beside this file holds the program; in a checkout, the checkout itself does. The program's
folder is put on ``sys.path`` when the command runs, never by an import of this module, so that nothing of Tiller's
hides a module of the importing program. Imports the standard library and torch only.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NoReturn


def app_folder() -> Path:
    """The folder that holds ``main.py``, ``engine``, ``gui`` and ``resources``."""
    here = Path(__file__).absolute()
    installed = here.parent / "tiller_app"
    return installed if installed.is_dir() else here.parents[3]


def main() -> NoReturn:
    """Run Tiller with the arguments of the command line, and exit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until a run can be saved, no traceback
    # First, so that no other main.py or engine.py is found; processes that Tiller spawns inherit the path.
    sys.path.insert(0, str(app_folder()))
    import main as app

    app.run_program()


if __name__ == "__main__":
    main()

"""``python -m tests.faults [FAULT ...]``: causes each fault for real, and prints the messages and what was lost."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # as main.py does, before CUDA starts

from tests.faults.base import NotHereError, Outcome
from tests.faults.kinds import FAULTS


def main() -> int:
    """Cause the named faults, or all, and print a table of what was lost; returns 1 where something was."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    names = parser.parse_args().names or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}")
    print("| Fault | Messages | Training | Lost |\n| --- | --- | --- | --- |")
    failed = False
    for name in names:
        with tempfile.TemporaryDirectory(prefix="tiller-faults-") as folder:
            try:
                outcome = FAULTS[name](Path(folder))
            except NotHereError as why:
                print(f"| {name} | not possible here: {why} | | |", flush=True)
                continue
        failed = failed or bool(outcome.lost) or not outcome.continued
        print(row(name, outcome, Path(folder)), flush=True)
    return int(failed)


def row(name: str, outcome: Outcome, folder: Path) -> str:
    """A line of the table, without the name of the temporary folder."""
    messages = "; ".join(dict.fromkeys(text.replace(f"{folder}/", "") for text in outcome.messages)) or "none"
    training = "continued" if outcome.continued else "ENDED"
    return f"| {name} | {messages} | {training} | {'; '.join(outcome.lost) or 'nothing'} |"


if __name__ == "__main__":
    sys.exit(main())

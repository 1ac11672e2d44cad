"""Tiller: train convolutional networks with a hand on the learning rate.

``python main.py`` opens the window; ``python main.py --help`` lists the headless commands.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence

from engine import __version__
from engine.hardware import freed_memory

SWITCH_SECONDS = 0.0001


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Tiller with ``arguments`` (those of the command line); returns the exit status."""
    prepare()
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    finally:
        gc.enable()


def prepare() -> None:
    """What must be settled before anything is imported, and what lets window and training live beside each other."""
    # cuBLAS is deterministic only with this set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # OpenMP's threads wait for each other awake for some 50 microseconds, and then asleep. Always awake, they are a
    # twentieth as fast wherever something else wants a core; soon asleep, half as fast where nothing does.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # pydantic would look through every installed package for plugins of its own.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # The imports make very many objects, and all of them stay: there is no garbage to look for yet.
    gc.disable()
    # PyTorch lets go of the interpreter at each operation, and asks for it back. Python's own 5 ms until another thread
    # must answer would make a training step of 50 operations wait for a quarter of a second.
    sys.setswitchinterval(SWITCH_SECONDS)
    freed_memory.keep()


def _run(words: list[str]) -> int:
    if words == ["doctor"]:
        from engine.diagnostics import doctor  # which must work where a package that the rest needs is missing

        return doctor.show()
    try:
        from engine.cli import subcommands
        from engine.common.spec import SpecError
    except ImportError as error:
        print(f"{error}; python main.py doctor says what to install", file=sys.stderr)
        return 1
    options = _parser(subcommands.add_commands).parse_args(words)
    if options.run is not _open:  # the window has a timer for it, see gui/core/gc_timer.py
        gc.enable()
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except SpecError as error:
        print(subcommands.one_line(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read our lines has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser(
    add_commands: Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None],
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tiller", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--version", action="version", version=f"Tiller {__version__}")
    parser.set_defaults(run=_open, what=None, start=False, events=False, library=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    window = commands.add_parser("open", help="the window (what happens without a command)")
    window.add_argument("what", nargs="?", metavar="RECIPE.json | CHECKPOINT", help="what to open")
    window.add_argument("--start", action="store_true", help="begin training at once")
    window.add_argument("--events", action="store_true", help="print the events as the headless face does")
    window.add_argument("--library", metavar="DIR", help="the run library's folder")
    window.set_defaults(run=_open)
    add_commands(commands)
    return parser


def _open(options: argparse.Namespace) -> int:
    from engine.diagnostics import display

    problem = display.problem(os.environ)
    if problem is not None:  # asked first: without its libraries, Qt cannot even be imported
        print(problem, file=sys.stderr)
        return 1
    from gui import app  # Qt is for the window alone

    status: int = app.run(options.what, start=options.start, events=options.events, library=options.library)
    return status


if __name__ == "__main__":
    exit_status = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient one would fall into the interpreter's last moments
    sys.exit(exit_status)

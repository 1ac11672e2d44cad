"""Tiller: train convolutional networks and steer the learning rate while they train.

``python main.py`` opens the window; ``python main.py --help`` lists the commands that work without it.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":  # until a run can be saved, Ctrl+C ends the process at once and without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import gc
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TextIO

from engine import __version__
from engine.common.errors import SpecError
from engine.common.program import program
from engine.common.text import shortened
from engine.hardware import freed_memory

SWITCH_SECONDS = 0.0001


def main(arguments: Sequence[str] | None = None, *, is_program: bool = False) -> int:
    """Run Tiller with ``arguments``, by default those of the command line; returns the exit status.

    With ``is_program``, standard output is Tiller's for the rest of the process.
    """
    prepare()
    if is_program:
        open_standard_streams()
    make_output_safe()
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments), is_program)
    finally:
        gc.enable()


def prepare() -> None:
    """Set what must be set before other imports, and what lets the window and training share the interpreter."""
    # cuBLAS is deterministic only with this set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # OpenMP's threads wait actively for some 50 microseconds, then sleep. With much longer active waits, training is up
    # to 20 times slower while another process uses a core; with much shorter ones, half as fast on an idle machine.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Otherwise pydantic searches every installed package for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Imports create many objects and hardly any garbage.
    gc.disable()
    # PyTorch releases the interpreter lock in each operation. With Python's default switch interval of 5 ms, a training
    # step of 50 operations could wait for a quarter of a second to get it back.
    sys.setswitchinterval(SWITCH_SECONDS)
    freed_memory.keep()


def open_standard_streams() -> None:
    """Open what is closed of standard input, output and error to nowhere: else the next file gets its descriptor."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for the rest of the process


def make_output_safe() -> None:
    """Let every text be printed, whatever characters it has: file names have any.

    A pipe or a file gets UTF-8, unless ``PYTHONIOENCODING`` says otherwise; a terminal keeps its encoding. What an
    encoding lacks is written as an escape, such as ``\\u0416``, which is right in JSON and in a Python string too.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None without a console, or something else's
            keeps = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if keeps else "utf-8", errors="backslashreplace")


def _run(arguments: list[str], is_program: bool) -> int:
    if sys.stdout is None and arguments and arguments[0] != "open":
        print("standard output: is closed", file=sys.stderr)
        return 2
    try:
        return _command(arguments, is_program)
    except SpecError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of the output is gone
        return 0
    except OSError as error:
        where = error.filename or "standard output"
        print(f"{where}: cannot be used: {error.strerror or error}", file=sys.stderr)
        return 2


def _command(arguments: list[str], is_program: bool) -> int:
    if arguments == ["doctor"]:
        from engine.diagnostics import doctor  # which works with packages missing that the rest needs

        with _flushed(sys.stdout):
            return doctor.show()
    try:
        from engine.cli import subcommands
        from engine.messages.printing import claim_stdout
    except ImportError as error:
        print(f"{error}; {program()} doctor shows what to install", file=sys.stderr)
        return 1
    with _flushed(sys.stdout):
        options = _parser(subcommands.add_commands).parse_args(arguments)
    options.output = claim_stdout() if is_program else sys.stdout
    if options.run is not _open:  # the window collects with a timer, see gui/core/gc_timer.py
        gc.enable()
    with _flushed(options.output):
        status: int = options.run(options)
        return status


@contextmanager
def _flushed(output: TextIO | None) -> Iterator[None]:
    """Flush ``output`` after the context. Where it cannot be written, the interpreter does not try again at its end."""
    try:
        try:
            yield
        finally:
            if output is not None:
                output.flush()
    except OSError as error:
        if error.filename is None and output is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        raise


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages are a few lines, whatever the arguments are."""

    def error(self, message: str) -> NoReturn:
        super().error(shortened(message))


def _parser(
    add_commands: Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None],
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(prog=program(), description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--version", action="version", version=f"Tiller {__version__}")
    parser.set_defaults(run=_open, what=None, start=False, events=False, library=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    window = commands.add_parser("open", help="open the window (the default)")
    window.add_argument("what", nargs="?", metavar="RECIPE.json | CHECKPOINT", help="a recipe or a checkpoint")
    window.add_argument("--start", action="store_true", help="start training at once")
    window.add_argument("--events", action="store_true", help="print the events, as train does")
    window.add_argument("--library", metavar="DIR", help="folder of the run library")
    window.set_defaults(run=_open)
    add_commands(commands)
    return parser


def _open(options: argparse.Namespace) -> int:
    from engine.diagnostics import display

    problem = display.problem(os.environ)
    if problem is not None:  # checked before Qt is imported, which may fail
        print(problem, file=sys.stderr)
        return 1
    from gui import app  # imports Qt

    status: int = app.run(
        options.what, start=options.start, events=options.output if options.events else None, library=options.library
    )
    return status


def run_program() -> NoReturn:
    """Run Tiller as this process's program, and exit."""
    status = main(is_program=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a late Ctrl+C would interrupt the interpreter's shutdown
    left = [t for t in threading.enumerate() if t is not threading.current_thread() and not t.daemon]
    if left:  # of a user's network: the interpreter would wait for them
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run_program()

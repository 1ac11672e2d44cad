"""A user's own network: ``FILE.py:FUNCTION``, a function of in_channels and num_classes.

The file is run as a program. What it does to the process (see ``_SETTINGS``) is undone when its network is built.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import torch
from torch import nn

from engine.common.errors import Cancelled, SpecError
from engine.common.files import path_of
from engine.common.progress import IsCancelled, never
from engine.common.text import Text
from engine.models.user_modules import UserModules, modules_of

FIELD: Final = "model.name"
T = TypeVar("T")
_POLL_SECONDS: Final = 0.05


def build_from_file(
    file: str,
    function: str,
    *,
    channels: int,
    classes: int,
    device: str = "cpu",
    cancelled: IsCancelled = never,
    like: nn.Module | None = None,
) -> nn.Module:
    """Run ``file`` and call ``function(in_channels=channels, num_classes=classes)``, with ``device`` as the default.

    The file can import modules in its folder. A relative path is relative to the current folder. Running the file
    changes no random generator; calling the function may draw from PyTorch's, but seeds it only for itself. For a
    network ``like`` one that this function returned, the sources that built that one are run again, not the files.

    Raises:
        SpecError: the file or the function does not exist or raises, or it does not return a network with parameters.
        Cancelled: ``cancelled`` returned true.
    """
    known = modules_of(like)
    path = _found(file) if known is None else known.path
    modules = UserModules(path, known)
    before = _generators()

    def call(maker: Callable[..., object]) -> object:
        with torch.device(device) if device != "cpu" else nullcontext():
            return maker(in_channels=channels, num_classes=classes)

    def described(what: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except BaseException as error:
            raise describe_error(what, path, error) from error

    try:
        module = contained(lambda: described(path.name, modules.run), cancelled)
        _restore_generators(before)
        maker = getattr(module, function, None)
        if not callable(maker):
            raise SpecError(FIELD, Text("{path} has no function {function}", path=path, function=function))
        returned = contained(lambda: described(f"{path.name}:{function}", lambda: call(maker)), cancelled)
        if torch.initial_seed() != before[0]:
            _restore_generators(before)
        network = _check_network(returned, function)
    except BaseException:
        modules.forget()
        raise
    modules.keep_for(network)
    return network


def contained(work: Callable[[], T], cancelled: IsCancelled) -> T:
    """``work()``, which runs a user's code, on a thread of its own; undoes what the code did to the process.

    Once ``cancelled()`` returns true the thread is abandoned, whatever it waits for. Python code on it is interrupted.

    Raises:
        Cancelled: ``cancelled`` returned true.
    """
    results: list[Future[T]] = [Future()]
    threads = torch.get_num_threads()  # of this thread: the last bits depend on it

    def run() -> None:
        torch.set_num_threads(threads)
        try:
            results[0].set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that waits
            results[0].set_exception(error)

    thread = threading.Thread(target=run, name="own network", daemon=True)
    with _settings_kept():
        thread.start()
        while not wait(results, _POLL_SECONDS).done:
            if cancelled():
                _interrupt(thread)
                raise Cancelled
        return results.pop().result()  # not kept here: an error, whose frames know of it, would keep itself


def describe_error(what: str, path: Path | None, error: BaseException) -> SpecError:
    """A SpecError for ``error``, which the user's code raised, with the line of ``path`` if the traceback has one."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines = [error.lineno]
    reason = f"{_kind(error)}: {error}" if str(error) else _kind(error)
    if lines:
        return SpecError(
            FIELD, Text("{what} raised at line {line}: {reason}", what=what, line=lines[-1], reason=reason)
        )
    return SpecError(FIELD, Text("{what} raised {reason}", what=what, reason=reason))


def _found(file: str) -> Path:
    path = path_of(FIELD, file).resolve()
    if not path.is_file():
        raise SpecError(FIELD, Text("{path} does not exist", path=path))
    return path


def _check_network(network: object, function: str) -> nn.Module:
    if not isinstance(network, nn.Module):
        raise SpecError(
            FIELD,
            Text("{function} must return an nn.Module; it returned {kind}", function=function, kind=_kind(network)),
        )
    if next(network.parameters(), None) is None:
        raise SpecError(FIELD, Text("the network that {function} returns has no parameters", function=function))
    return network


# -- what a user's code may have changed

_Generators = tuple[int, torch.Tensor, Any, Any]


def _generators() -> _Generators:
    return torch.initial_seed(), torch.get_rng_state(), random.getstate(), np.random.get_state()


def _restore_generators(state: _Generators) -> None:
    seed, of_torch, of_python, of_numpy = state
    if torch.initial_seed() != seed:
        torch.manual_seed(seed)  # CUDA's too
    torch.set_rng_state(of_torch)
    random.setstate(of_python)
    np.random.set_state(of_numpy)


def _set_environment(before: dict[str, str]) -> None:
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


def _set_folder(before: str) -> None:
    with suppress(OSError):  # it was removed
        os.chdir(before)


def _set_path(before: list[str]) -> None:
    sys.path[:] = before


def _set_streams(before: tuple[Any, Any, Any]) -> None:
    sys.stdin, sys.stdout, sys.stderr = before


def _set_cudnn(before: tuple[bool, bool, bool]) -> None:
    cudnn = torch.backends.cudnn
    cudnn.enabled, cudnn.deterministic, cudnn.benchmark = before


_SETTINGS: Final[list[tuple[Callable[[], Any], Callable[[Any], object]]]] = [
    (os.getcwd, _set_folder),
    (lambda: dict(os.environ), _set_environment),
    (lambda: list(sys.path), _set_path),
    (lambda: (sys.stdin, sys.stdout, sys.stderr), _set_streams),
    (gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    (sys.getswitchinterval, sys.setswitchinterval),
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda before: torch.use_deterministic_algorithms(before[0], warn_only=before[1]),
    ),
    (lambda: (lambda c: (c.enabled, c.deterministic, c.benchmark))(torch.backends.cudnn), _set_cudnn),
]
"""How to read each setting, and how to set it."""


@contextmanager
def _settings_kept() -> Iterator[None]:
    kept = [(put, get()) for get, put in _SETTINGS]
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for put, value in kept:
            put(value)


def _interrupt(thread: threading.Thread) -> None:
    """Raise SystemExit in ``thread``, as soon as it runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))


def _kind(value: object) -> str:
    return type(value).__name__

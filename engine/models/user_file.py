"""A user's own network: ``FILE.py:FUNCTION``, a function of in_channels and num_classes.

The file is run as a program.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from torch import nn

from engine.common.errors import SpecError
from engine.common.text import Text

FIELD: Final = "model.name"


def build_from_file(file: str, function: str, *, channels: int, classes: int) -> nn.Module:
    """Run ``file`` and call ``function(in_channels=channels, num_classes=classes)``.

    The file can import modules in its folder. A relative path is relative to the current folder.

    Raises:
        SpecError: the file or the function does not exist or raises, or it does not return a network with parameters.
    """
    path = Path(file).expanduser().resolve()
    if not path.is_file():
        raise SpecError(FIELD, Text("{path} does not exist", path=path))
    with _importable(path):
        module = _run(path)
        maker = getattr(module, function, None)
        if not callable(maker):
            raise SpecError(FIELD, Text("{path} has no function {function}", path=path, function=function))
        try:
            network = maker(in_channels=channels, num_classes=classes)
        except (Exception, SystemExit) as error:
            raise describe_error(f"{path.name}:{function}", path, error) from error
    if not isinstance(network, nn.Module):
        raise SpecError(
            FIELD,
            Text("{function} must return an nn.Module; it returned {kind}", function=function, kind=_kind(network)),
        )
    if next(network.parameters(), None) is None:
        raise SpecError(FIELD, Text("the network that {function} returns has no parameters", function=function))
    return network


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


def _run(path: Path) -> ModuleType:
    # in sys.modules, because dataclasses and others look up their module there
    name = f"tiller_user_{path.stem}"
    loader = _FreshLoader(name, str(path))
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True  # sets ``__file__``
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise describe_error(path.name, path, error) from error
    return module


class _FreshLoader(SourceFileLoader):
    """Compiles the source every time: cached bytecode misses an edit within a second, and litters the folder."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


@contextmanager
def _importable(path: Path) -> Iterator[None]:
    folder = str(path.parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:  # the user's code may have changed the list
            sys.path.remove(folder)


def _kind(value: object) -> str:
    return type(value).__name__

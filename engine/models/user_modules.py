"""A user's own modules: a Python file and its neighbours, imported under names that nothing else uses.

For each build the file's folder becomes a package with a name of its own in ``sys.modules``. Import statements in the
file and in its neighbours look in that folder first, as a script's do, and then everywhere else. So two networks with
a ``blocks.py`` each have their own, an edited neighbour is read again, and a neighbour called ``engine.py`` is the
user's. This also holds for an import in ``forward``. The modules are forgotten when the network is no longer used.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import itertools
import sys
import weakref
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

_PREFIX: Final = "tiller_own_network_"
_NUMBERS: Final = itertools.count(1)
_OURS: Final = frozenset({"engine", "gui", "main", "resources", "tests", "tiller", "tiller_app"})


class UserModules:
    """The modules of one build of the network in the file ``path``.

    With ``like``, the sources that an earlier build read are run again, whatever is in the files now.
    """

    def __init__(self, path: Path, like: UserModules | None = None) -> None:
        self.path = path
        self.name = f"{_PREFIX}{next(_NUMBERS)}"
        self.sources: dict[str, bytes] = dict(like.sources) if like is not None else {}
        """The source files that were run, by their paths."""
        self._package = ModuleType(self.name)
        self._package.__path__ = [str(path.parent)]
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._paths = set(sys.path)
        self._found: dict[str, bool] = {}
        self._network: weakref.ref[object] | None = None
        _FINDER.known[self.name] = self

    def run(self) -> ModuleType:
        """Run the file; returns its module. What it raises is passed on."""
        sys.modules[self.name] = self._package
        name = f"{self.name}.{self.path.stem.replace('.', '_')}"
        spec = spec_from_file_location(name, self.path, loader=_SourceLoader(self, name, str(self.path)))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and others look up their module there
        spec.loader.exec_module(module)
        return module

    def keep_for(self, network: object) -> None:
        """Keep the modules as long as ``network`` is used."""
        self._network = weakref.ref(network)
        weakref.finalize(network, self.forget).atexit = False

    def forget(self) -> None:
        """Remove the modules from ``sys.modules``."""
        for name in [name for name in list(sys.modules) if name == self.name or name.startswith(f"{self.name}.")]:
            sys.modules.pop(name, None)

    def belongs_to(self, network: object) -> bool:
        """Whether these are the modules of ``network``."""
        return self._network is not None and self._network() is network

    def find(self, name: str, path: Sequence[str]) -> ModuleSpec | None:
        """The module called ``name`` in one of the folders in ``path``, or None."""

        def loader(fullname: str, file: str) -> SourceFileLoader:
            return _SourceLoader(self, fullname, file)

        namespace: ModuleSpec | None = None
        for folder in path:  # a new finder: a cached listing misses a file that was just written
            finder = FileFinder(
                folder,
                (ExtensionFileLoader, EXTENSION_SUFFIXES),
                (loader, SOURCE_SUFFIXES),  # type: ignore[arg-type] # called as a class is
            )
            spec = finder.find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec
            namespace = namespace or spec
        return namespace

    def prepare(self, module: ModuleType) -> None:
        """Have the import statements of ``module``, which is about to be run, find these modules."""
        vars(module)["__builtins__"] = self._builtins

    def source(self, path: str) -> bytes:
        """The source of the file at ``path``."""
        if path not in self.sources:
            self.sources[path] = Path(path).read_bytes()
        return self.sources[path]

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """``__import__`` of these modules."""
        fromlist = fromlist or ()
        if level == 0 and self._has(name):
            module = builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist, 0)
            return module if fromlist else sys.modules[f"{self.name}.{name.partition('.')[0]}"]
        module = builtins.__import__(name, globals, locals, fromlist, level)
        return self._importlib() if module is importlib else module

    def _has(self, name: str) -> bool:
        """Whether an absolute import of ``name`` means one of these modules."""
        top = name.partition(".")[0]
        path = self._package.__path__
        added = [folder for folder in sys.path if folder not in self._paths]  # by the user's code
        if added:
            self._paths.update(added)
            path += added
            self._found.clear()
        if top not in self._found:
            sys.modules.setdefault(self.name, self._package)
            spec = self.find(f"{self.name}.{top}", list(path))
            # a folder without __init__.py is the last choice, as in Python
            self._found[top] = spec is not None and (spec.loader is not None or top in _OURS or not _is_installed(top))
        return self._found[top]

    def _importlib(self) -> ModuleType:
        """``importlib`` with an ``import_module`` that finds these modules."""

        def import_module(name: str, package: str | None = None) -> ModuleType:
            own = not name.startswith(".") and self._has(name)
            return importlib.import_module(f"{self.name}.{name}" if own else name, package)

        module = ModuleType("importlib")
        vars(module).update({**vars(importlib), "import_module": import_module})
        return module


def modules_of(network: object) -> UserModules | None:
    """The modules that built the user's own ``network``; None for a network of Tiller's."""
    return next((own for own in _FINDER.known.values() if network is not None and own.belongs_to(network)), None)


def digests_of(network: object) -> dict[str, str]:
    """The source files of the user's own ``network``: path to SHA-256 in hex; empty for a network of Tiller's."""
    own = modules_of(network)
    return {path: hashlib.sha256(source).hexdigest() for path, source in own.sources.items()} if own is not None else {}


class _SourceLoader(SourceFileLoader):
    """Compiles the source every time: cached bytecode misses an edit within a second, and litters the folder."""

    def __init__(self, own: UserModules, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._own = own

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._own.source(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        self._own.prepare(module)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules of all networks that are in use. Stays in ``sys.meta_path``: others may be iterating it."""

    def __init__(self) -> None:
        self.known: weakref.WeakValueDictionary[str, UserModules] = weakref.WeakValueDictionary()

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """The module called ``name``, where it is one of a user's."""
        if path is None or not name.startswith(_PREFIX):
            return None
        own = self.known.get(name.partition(".")[0])
        return own.find(name, list(path)) if own is not None else None


def _is_installed(name: str) -> bool:
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


_FINDER: Final = _Finder()
sys.meta_path.insert(0, _FINDER)

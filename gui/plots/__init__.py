"""The plots, in the only package that imports pyqtgraph.

pyqtgraph is imported here first, without two things that no plot uses and that take a sixth of the time until the
window is shown: a copy of every name of Qt's modules, for which PySide has to create thousands of classes that are
otherwise created on first use, and NVIDIA's CUDA bindings, which one of its widgets imports where PyTorch has installed
them. If a version of pyqtgraph does either in another way, its import is only slower.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets


class _LazyCopy(ModuleType):
    """Replaces pyqtgraph's copy of a Qt module; takes each name over when it is first used."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(f"pyqtgraph.Qt.{real.__name__.rpartition('.')[2]}")
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if sys._getframe(1).f_code.co_name == "_copy_attrs":
            return None  # it only checks whether it has to copy the name
        value = getattr(self._real, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._real)})


_replaced: list[tuple[str, ModuleType | None]] = [("cuda.bindings", None)]
if "pyqtgraph" not in sys.modules:
    _replaced += [(f"pyqtgraph.Qt.{m.__name__.rpartition('.')[2]}", _LazyCopy(m)) for m in (QtCore, QtGui, QtWidgets)]
_cuda_bindings = sys.modules.get("cuda.bindings")
sys.modules.update(_replaced)  # type: ignore[arg-type]
try:
    import pyqtgraph  # noqa: F401 - the plots' own imports find it loaded
finally:
    del sys.modules["cuda.bindings"]  # PyTorch finds them afterwards
    if _cuda_bindings is not None:
        sys.modules["cuda.bindings"] = _cuda_bindings

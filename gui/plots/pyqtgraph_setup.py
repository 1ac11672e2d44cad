"""pyqtgraph, brought in without what no plot of ours uses. Every plot imports it from here.

Two of its habits cost a sixth of the time until the window stands. It copies every name of Qt's modules, for which
PySide has to make thousands of classes that are otherwise made when they are first used; and a widget of its brings
NVIDIA's CUDA bindings where PyTorch has installed them. Both only delay: where a version of pyqtgraph does either in
another way, it is imported as it always was.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets


class _Mirror(ModuleType):
    """pyqtgraph's copy of one of Qt's modules, into which a name comes when it is asked for."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(f"pyqtgraph.Qt.{real.__name__.rpartition('.')[2]}")
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if sys._getframe(1).f_code.co_name == "_copy_attrs":
            return None  # it only asks whether the name is there
        value = getattr(self._real, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._real)})


_absent: list[tuple[str, ModuleType | None]] = [("cuda.bindings", None)]
if "pyqtgraph" not in sys.modules:
    _absent += [(f"pyqtgraph.Qt.{m.__name__.rpartition('.')[2]}", _Mirror(m)) for m in (QtCore, QtGui, QtWidgets)]
_before = {name: sys.modules.get(name) for name, _ in _absent}
sys.modules.update(_absent)  # type: ignore[arg-type]
try:
    import pyqtgraph as pg
finally:
    del sys.modules["cuda.bindings"]  # PyTorch finds them afterwards
    if _before["cuda.bindings"] is not None:
        sys.modules["cuda.bindings"] = _before["cuda.bindings"]

__all__ = ["pg"]

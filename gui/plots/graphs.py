"""pyqtgraph, brought in without what no plot of ours uses. Every plot imports it from here."""

from __future__ import annotations

import sys

# A widget of pyqtgraph's would bring NVIDIA's CUDA bindings where PyTorch has installed them: 0.06 s until the window
# stands. While pyqtgraph is imported they seem to be absent; PyTorch finds them afterwards.
_bindings = sys.modules.get("cuda.bindings")
sys.modules["cuda.bindings"] = None  # type: ignore[assignment]
try:
    import pyqtgraph as pg
finally:
    del sys.modules["cuda.bindings"]
    if _bindings is not None:
        sys.modules["cuda.bindings"] = _bindings

__all__ = ["pg"]

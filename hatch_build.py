"""Adds two files to the wheel in places that ``sources`` in pyproject.toml cannot express."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelFiles(BuildHookInterface[Any]):
    """``tiller.py`` becomes the one module in site-packages, ``main.py`` goes into ``tiller_app/``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to a wheel, but not to an editable install, which runs them from the checkout."""
        if version == "standard":
            build_data["force_include"]["engine/remote/client/tiller.py"] = "tiller.py"
            build_data["force_include"]["main.py"] = "tiller_app/main.py"

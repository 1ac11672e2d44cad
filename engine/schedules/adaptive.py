"""Adaptive schedules: the learning rate depends on a metric."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from engine.common.errors import SpecError
from engine.common.text import Text
from engine.schedules.base import ScheduleSpec, advanced, usual

Monitor = Literal["val_loss", "val_accuracy", "train_loss", "train_accuracy"]


class ReduceLROnPlateau(ScheduleSpec):
    """Multiplies the learning rate by factor when the monitored metric stops improving."""

    family: ClassVar[Literal["adaptive"]] = "adaptive"
    formula: ClassVar[str] = "lr × factor after patience + 1 epochs without improvement"
    when: ClassVar[str] = "Complex tasks of unknown length: the LR goes down when progress stops."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.ReduceLROnPlateau"
    discrete: ClassVar[bool] = True
    bounded: ClassVar[bool] = True

    name: Literal["ReduceLROnPlateau"] = "ReduceLROnPlateau"
    monitor: Monitor = Field("val_loss", title="monitor", description="The metric that must improve.")
    mode: Literal["min", "max"] = Field(
        "min",
        title="mode",
        description="min: lower is better (a loss). max: higher is better (an accuracy).",
    )
    factor: float = Field(
        0.1,
        gt=0,
        lt=1,
        title="factor",
        description="What the LR is multiplied by at each reduction.",
        json_schema_extra=usual(0.1, 0.5),
    )
    patience: int = Field(
        10,
        ge=0,
        le=10_000_000,
        title="patience",
        description="Epochs without improvement that are allowed; the LR is reduced after one more.",
        json_schema_extra=usual(3, 10),
    )
    threshold: float = Field(
        1e-4,
        ge=0,
        le=1000,
        title="threshold",
        description="Smallest change that counts as an improvement; see threshold_mode.",
        json_schema_extra=advanced(),
    )
    threshold_mode: Literal["rel", "abs"] = Field(
        "rel",
        title="threshold_mode",
        description="rel: threshold is relative to the best value. abs: it is an absolute amount.",
        json_schema_extra=advanced(),
    )
    cooldown: int = Field(
        0,
        ge=0,
        le=10_000_000,
        title="cooldown",
        description="Epochs after a reduction before bad epochs are counted again.",
        json_schema_extra=advanced(),
    )
    min_lr: float = Field(0.0, ge=0, le=1000, title="min_lr", description="Lower bound of the LR.")
    eps: float = Field(
        1e-8,
        ge=0,
        le=1,
        title="eps",
        description="Smallest reduction; a smaller one is ignored.",
        json_schema_extra=advanced(),
    )

    @model_validator(mode="before")
    @classmethod
    def _default_mode(cls, value: Any) -> Any:
        if isinstance(value, dict) and "mode" not in value and str(value.get("monitor")).endswith("accuracy"):
            return {**value, "mode": "max"}
        return value

    @model_validator(mode="after")
    def _check_interval(self) -> ReduceLROnPlateau:
        if self.interval != "epoch":
            raise SpecError("interval", "must be 'epoch' here: the metric is measured once per epoch")
        return self

    def warnings(self) -> list[Text]:
        """One warning if mode contradicts monitor."""
        expected = "max" if self.monitor.endswith("accuracy") else "min"
        if self.mode == expected:
            return []
        return [
            Text(
                "{monitor} improves when it gets {direction}, but mode is {mode}: the LR would be reduced while "
                "training improves. Set mode to {expected}.",
                monitor=self.monitor,
                direction="larger" if expected == "max" else "smaller",
                mode=self.mode,
                expected=expected,
            )
        ]

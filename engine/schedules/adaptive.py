"""Adaptive schedules: the rate answers to a metric."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.schedules.base import ScheduleSpec, advanced, usual

Monitor = Literal["val_loss", "val_accuracy", "train_loss", "train_accuracy"]


class ReduceLROnPlateau(ScheduleSpec):
    """Cuts the rate by factor when the monitored metric has not improved for more than patience epochs."""

    family: ClassVar[Literal["adaptive"]] = "adaptive"
    formula: ClassVar[str] = "lr × factor after patience + 1 epochs without a better metric"
    when: ClassVar[str] = "Complex tasks whose length is not known: it cuts when progress stops."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.ReduceLROnPlateau"
    cuts: ClassVar[bool] = True

    name: Literal["ReduceLROnPlateau"] = "ReduceLROnPlateau"
    monitor: Monitor = Field("val_loss", title="monitor", description="The metric that must improve.")
    mode: Literal["min", "max"] = Field(
        "min",
        title="mode",
        description="min: smaller is better (a loss). max: larger is better (an accuracy).",
    )
    factor: float = Field(
        0.1, gt=0, lt=1, title="factor", description="Factor of each cut.", json_schema_extra=usual(0.1, 0.5)
    )
    patience: int = Field(
        10,
        ge=0,
        le=10_000_000,
        title="patience",
        description="Epochs without improvement that are forgiven; the next one cuts.",
        json_schema_extra=usual(3, 10),
    )
    threshold: float = Field(
        1e-4,
        ge=0,
        le=1000,
        title="threshold",
        description="How much better counts as better (a share of the best value with rel, an amount with abs).",
        json_schema_extra=advanced(),
    )
    threshold_mode: Literal["rel", "abs"] = Field(
        "rel",
        title="threshold_mode",
        description="rel: threshold is a share of the best value. abs: it is an amount.",
        json_schema_extra=advanced(),
    )
    cooldown: int = Field(
        0,
        ge=0,
        le=10_000_000,
        title="cooldown",
        description="Epochs after a cut in which nothing is counted.",
        json_schema_extra=advanced(),
    )
    min_lr: float = Field(0.0, ge=0, le=1000, title="min_lr", description="The rate is never cut below this.")
    eps: float = Field(
        1e-8,
        ge=0,
        le=1,
        title="eps",
        description="A cut smaller than this is not made.",
        json_schema_extra=advanced(),
    )

    @model_validator(mode="before")
    @classmethod
    def _mode_follows_monitor(cls, value: Any) -> Any:
        if isinstance(value, dict) and "mode" not in value and str(value.get("monitor")).endswith("accuracy"):
            return {**value, "mode": "max"}
        return value

    @model_validator(mode="after")
    def _epochs_only(self) -> ReduceLROnPlateau:
        if self.interval != "epoch":
            raise SpecError("interval", "must be 'epoch' here: the metric is measured once an epoch")
        return self

    def warnings(self) -> list[Text]:
        """One sentence if mode and monitor contradict each other."""
        natural = "max" if self.monitor.endswith("accuracy") else "min"
        if self.mode == natural:
            return []
        return [
            Text(
                "{monitor} is better when it is {better}, but mode is {mode}: the rate would be cut while training "
                "improves. Set mode to {natural}.",
                monitor=self.monitor,
                better="larger" if natural == "max" else "smaller",
                mode=self.mode,
                natural=natural,
            )
        ]

"""What a new schedule starts from, and where: the part of a swap that happens before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence

from engine.common.text import Text
from engine.lr.scheduled import ScheduledLR
from engine.models.optimizers import Rejected
from engine.schedules import ScheduleSpec


def bases_for(schedule: ScheduleSpec, given: float | Sequence[float] | None, otherwise: list[float]) -> list[float]:
    """The rate that ``schedule`` starts from in each chosen group: what is ``given``, ``otherwise`` what there is.

    Raises:
        Rejected: the schedule brings its own level and a base is given; the counts do not fit; or a base is 0.
    """
    if schedule.ignores_base_lr():
        if given is not None:
            raise Rejected(
                Text(
                    "{schedule} says itself which rate it starts from, so no lr can be given; set its own fields and "
                    "leave lr out",
                    schedule=schedule.model_dump()["name"],
                )
            )
        return otherwise
    if given is None:
        bases = otherwise
    elif isinstance(given, (int, float)):
        bases = [float(given)] * len(otherwise)
    else:
        bases = [float(value) for value in given]
    if len(bases) != len(otherwise):
        raise Rejected(Text("lr lists {given} rates for {wanted} group(s)", given=len(bases), wanted=len(otherwise)))
    if 0 in bases:
        raise Rejected(Text("a schedule that starts from a rate of 0 stays at 0; give the rate to start from"))
    return bases


def run_forward(plan: ScheduledLR, epochs: int, steps: int, metrics: Sequence[dict[str, float]]) -> None:
    """Step a new ``plan`` through the run so far: ``epochs`` epochs with their ``metrics``, or ``steps`` batches."""
    if plan.spec.interval == "step":
        for _ in range(steps):
            plan.step()
    else:
        for epoch in range(epochs):
            plan.step(metrics[epoch] if epoch < len(metrics) else None)

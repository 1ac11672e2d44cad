"""Random schedules, LRs and metrics for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine import schedules
from engine.schedules import ScheduleSpec

LRS = st.floats(min_value=1e-6, max_value=10)
GAMMAS = st.floats(min_value=0.01, max_value=1.2)
EXPRESSIONS = st.one_of(
    st.builds("{:.3f}**epoch".format, st.floats(0.5, 1)),
    st.builds("{0} - {0}/60*epoch if epoch < 50 else {1}".format, st.floats(1e-3, 1), st.floats(0, 1)),
    st.builds("1 / (1 + {} * epoch)".format, st.floats(0, 5)),
    st.builds("max(0.05, 1 - epoch / {})".format, st.integers(1, 60)),
    st.builds("{} ** (epoch // {})".format, st.floats(0.1, 1), st.integers(1, 20)),
)
SPECS: dict[str, st.SearchStrategy[ScheduleSpec]] = {
    "Constant": st.just(schedules.Constant()),
    "StepLR": st.builds(schedules.StepLR, step_size=st.integers(1, 60), gamma=GAMMAS),
    "MultiStepLR": st.builds(
        schedules.MultiStepLR,
        milestones=st.lists(st.integers(1, 60), min_size=1, max_size=6).map(lambda m: tuple(sorted(m))),
        gamma=GAMMAS,
    ),
    "ExponentialLR": st.builds(schedules.ExponentialLR, gamma=GAMMAS),
    "CosineAnnealingLR": st.builds(schedules.CosineAnnealingLR, T_max=st.integers(1, 60), eta_min=st.floats(0, 1e-2)),
    "ConstantLR": st.builds(schedules.ConstantLR, factor=st.floats(0.01, 1), total_iters=st.integers(1, 60)),
    "LinearLR": st.builds(
        schedules.LinearLR,
        start_factor=st.floats(0.001, 1),
        end_factor=st.floats(0, 1),
        total_iters=st.integers(1, 60),
    ),
    "PolynomialLR": st.builds(schedules.PolynomialLR, total_iters=st.integers(1, 60), power=st.floats(0, 4)),
    "CosineAnnealingWarmRestarts": st.builds(
        schedules.CosineAnnealingWarmRestarts,
        T_0=st.integers(1, 60),
        T_mult=st.integers(1, 4),
        eta_min=st.floats(0, 1e-2),
    ),
    "CyclicLR": st.builds(
        schedules.CyclicLR,
        interval=st.just("epoch"),
        base_lr=st.floats(1e-6, 0.1),
        max_lr=st.floats(0.1, 10),
        step_size_up=st.integers(1, 60),
        step_size_down=st.one_of(st.none(), st.integers(1, 60)),
        mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
        scale_fn=st.sampled_from([None, None, "0.5**(x - 1)", "1 / (1 + x)", "sqrt(x) / 100"]),
        scale_mode=st.sampled_from(["cycle", "iterations"]),
        gamma=st.floats(0.8, 1),
        cycle_momentum=st.booleans(),
        base_momentum=st.floats(0, 0.85),
        max_momentum=st.floats(0.85, 0.99),
    ),
    "OneCycleLR": st.builds(
        schedules.OneCycleLR,
        interval=st.just("epoch"),
        max_lr=LRS,
        # no round values: PyTorch divides by 0 if the LR rises for exactly one step
        pct_start=st.floats(0, 1).map(lambda share: 0.0123456 + 0.9654321 * share),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
        cycle_momentum=st.booleans(),
        base_momentum=st.floats(0, 0.85),
        max_momentum=st.floats(0.85, 0.99),
        div_factor=st.floats(1, 100),
        final_div_factor=st.floats(1, 1e5),
        three_phase=st.booleans(),
    ),
    "LambdaLR": st.builds(schedules.LambdaLR, lr_lambda=st.tuples(EXPRESSIONS)),
    "MultiplicativeLR": st.builds(
        schedules.MultiplicativeLR,
        lr_lambda=st.tuples(st.one_of(st.builds("{:.3f}".format, st.floats(0.5, 1.05)), EXPRESSIONS)),
    ),
    "ReduceLROnPlateau": st.builds(
        schedules.ReduceLROnPlateau,
        mode=st.sampled_from(["min", "max"]),
        factor=st.floats(0.05, 0.95),
        patience=st.integers(0, 6),
        threshold=st.floats(0, 0.1),
        threshold_mode=st.sampled_from(["rel", "abs"]),
        cooldown=st.integers(0, 4),
        min_lr=st.floats(0, 1e-3),
        eps=st.floats(0, 1e-6),
    ),
}
SPECS["Drawn"] = st.builds(
    schedules.Drawn,
    points=st.lists(st.tuples(st.floats(0, 80), LRS), min_size=1, max_size=8, unique_by=lambda p: round(p[0], 3)).map(
        lambda points: tuple(sorted(points))
    ),
    scale=st.sampled_from(["log", "linear"]),
    smooth=st.booleans(),
)
LEAVES = st.one_of([strategy for name, strategy in SPECS.items() if name != "ReduceLROnPlateau"])
# within stages that are composed themselves, PyTorch may count a stage's position one ahead, past a OneCycleLR's end
INNER_LEAVES = LEAVES.filter(lambda spec: not isinstance(spec, schedules.OneCycleLR))


def without_floor(spec: ScheduleSpec) -> ScheduleSpec:
    """``spec`` with an eta_min of 0: chained with others, CosineAnnealingLR gives negative LRs below its eta_min."""
    return spec.model_copy(update={"eta_min": 0.0}) if isinstance(spec, schedules.CosineAnnealingLR) else spec


def chained(parts: st.SearchStrategy[ScheduleSpec]) -> st.SearchStrategy[ScheduleSpec]:
    return st.builds(
        schedules.ChainedScheduler, schedulers=st.lists(parts, min_size=1, max_size=3).map(lambda listed: tuple(listed))
    )


def sequential(
    first: st.SearchStrategy[ScheduleSpec], later: st.SearchStrategy[ScheduleSpec]
) -> st.SearchStrategy[ScheduleSpec]:
    def stages(milestones: list[int]) -> st.SearchStrategy[ScheduleSpec]:
        rest = st.lists(later, min_size=len(milestones), max_size=len(milestones))
        return st.builds(
            lambda a, b: schedules.SequentialLR(schedulers=(a, *b), milestones=tuple(sorted(milestones))), first, rest
        )

    return st.lists(st.integers(1, 65), max_size=3, unique=True).flatmap(stages)


FLOORLESS = INNER_LEAVES.map(without_floor)
INNER = st.one_of(FLOORLESS, chained(FLOORLESS), sequential(FLOORLESS, FLOORLESS))
SPECS["SequentialLR"] = st.one_of(sequential(LEAVES, LEAVES), sequential(INNER, INNER_LEAVES))
SPECS["ChainedScheduler"] = st.one_of(chained(LEAVES.map(without_floor)), chained(INNER))


def with_interval(spec: ScheduleSpec, interval: str) -> ScheduleSpec:
    """``spec`` and its stages, stepped once per ``interval``."""
    changed: dict[str, Any] = {"interval": interval}
    if isinstance(spec, schedules.ComposedSpec):
        changed["schedulers"] = tuple(with_interval(stage, interval) for stage in spec.schedulers)
    return spec.model_copy(update=changed)


METRICS = st.lists(st.floats(0.1, 3), min_size=70, max_size=70)

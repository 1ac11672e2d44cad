"""Random schedules, rates and metrics for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from engine import schedules
from engine.schedules import ScheduleSpec

RATES = st.floats(min_value=1e-6, max_value=10)
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
    "LambdaLR": st.builds(schedules.LambdaLR, lr_lambda=st.tuples(EXPRESSIONS)),
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
METRICS = st.lists(st.floats(0.1, 3), min_size=70, max_size=70)

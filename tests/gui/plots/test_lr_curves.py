"""LR curves as steps, and the vertical scale that fits them."""

from __future__ import annotations

import numpy as np

from gui.plots.lr_coordinates import scale_for
from gui.plots.lr_curves import StepCurve


def test_a_step_curve_is_constant_up_to_the_next_position() -> None:
    steps = StepCurve.of([0.0, 1.0, 2.0, 3.0], [0.1, 0.01, 0.001, 0.001])
    x, y = steps.between(0.5, 3.0, 100)
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == [
        (0.5, 0.1),
        (1.0, 0.1),
        (1.0, 0.01),
        (2.0, 0.01),
        (2.0, 0.001),
        (3.0, 0.001),
    ]
    assert steps.at(1.0) == 0.01
    assert steps.last_change == 2.0
    dense = StepCurve.of(np.arange(10_000.0), np.linspace(1, 0.1, 10_000))
    assert dense.between(0, 10_000, 600)[0].size <= 600


def test_the_last_steps_of_a_cosine_do_not_stretch_the_axis() -> None:
    cosine = 0.005 * (1 + np.cos(np.pi * np.arange(3000) / 3000))
    scale = scale_for(cosine, log=True)
    assert scale is not None
    assert scale.low > -8
    long_stages = scale_for(np.repeat([1e-1, 1e-3, 1e-5, 1e-7], 100), log=True)
    assert long_stages is not None
    assert long_stages.low < -7
    assert scale.lr_at(-3.0) == 0.001

"""The LR rules: set, follow, hold, keep, scale, release, groups, the plateau."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.common.errors import Rejected
from engine.lr.control import LRControl
from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    ExponentialLR,
    ReduceLROnPlateau,
    StepLR,
)
from tests.engine.raw_torch import after, control, counted, expression, flat
from tests.engine.strategies import LRS, SPECS

HALVING = StepLR(step_size=10, gamma=0.5)
TWO = ("rest", "head")


# -- set and follow


def test_following_keeps_the_curves_shape_from_the_new_level() -> None:
    lr = after(control(HALVING), 3)
    assert lr.set_lr(0.05, "follow", None) is None
    assert flat(lr, 20) == [0.05] * 7 + [0.025] * 10 + [0.0125] * 3


@given(name=st.sampled_from(list(SPECS)), data=st.data(), base=LRS, v=LRS, when=st.integers(0, 40))
def test_the_lr_is_exactly_what_was_set_and_follows_in_proportion(
    name: str, data: Any, base: float, v: float, when: int
) -> None:
    spec = data.draw(SPECS[name])
    lr = after(control(spec, base, epochs=60), when)
    p = lr.scheduled()[0]
    if p == 0:
        with pytest.raises(Rejected, match="the scheduled LR of group all is 0 here"):
            lr.set_lr(v, "follow", None)
        return
    lr.set_lr(v, "follow", None)
    assert lr.current() == [v]  # v * (p / p), to the last bit
    for _ in range(10):
        lr.epoch_done(None)
        assert lr.current() == [v * (lr.scheduled()[0] / p)]


def test_the_floor_scales_with_what_was_set() -> None:
    lr = control(CosineAnnealingLR(T_max=20, eta_min=1e-4), 0.01, 21)
    lr.set_lr(0.05, "follow", None)
    assert flat(lr, 21)[-1] == pytest.approx(5e-4, rel=1e-12)


def test_a_schedule_at_0_cannot_be_followed_but_the_lr_can_be_held() -> None:
    lr = after(control(expression("1 - epoch / 5"), epochs=6), 5)
    assert lr.scheduled() == [0.0]
    with pytest.raises(Rejected, match=r"the scheduled LR of group all is 0 here.*hold the LR instead"):
        lr.set_lr(0.1, "follow", None)
    with pytest.raises(Rejected, match="hold the LR instead"):
        lr.set_lr(0.1, "keep", None)
    lr.set_lr(0.1, "hold", None)
    assert lr.current() == [0.1]


def test_a_curve_that_rises_above_twice_what_was_set_causes_a_warning() -> None:
    lr = after(control(CosineAnnealingLR(T_max=10), epochs=30), 9)
    before = lr.scheduled()[0]
    warning = lr.set_lr(0.05, "follow", None)
    assert warning is not None
    peak = 0.05 * (0.1 / before)
    assert warning.startswith(f"the rest of the curve rises to {peak:.4g}"[:40])
    assert max(flat(lr, 21)) == pytest.approx(peak, rel=1e-9)  # as the warning says


def test_no_warning_where_the_curve_falls_or_is_held_or_the_run_ends_first() -> None:
    assert after(control(CosineAnnealingLR(T_max=10), epochs=30), 2).set_lr(0.05, "follow", None) is None
    assert after(control(CosineAnnealingLR(T_max=10), epochs=30), 9).set_lr(0.05, "hold", None) is None
    assert after(control(CosineAnnealingLR(T_max=10), epochs=11), 9).set_lr(0.05, "follow", None) is None


@pytest.mark.parametrize(("factor", "warned"), [(1.99, False), (2.0, False), (2.01, True)])
def test_the_warning_begins_right_above_twice_what_was_set(factor: float, warned: bool) -> None:
    lr = control(StepLR(step_size=1, gamma=factor), epochs=2)
    assert (lr.set_lr(0.1, "follow", None) is not None) == warned


# -- hold, keep, scale, release


def test_a_held_lr_stays_until_released() -> None:
    lr = after(control(HALVING), 3)
    lr.set_lr(0.07, "hold", None)
    assert flat(lr, 10) == [0.07] * 10
    assert lr.scheduled() == [0.05]  # the schedule has continued
    lr.release_lr(None)
    assert flat(lr, 10) == [0.05] * 7 + [0.025] * 3


def test_keep_leaves_a_held_lr_held_and_a_following_one_following() -> None:
    lr = after(control(HALVING), 3)
    lr.set_lr(0.04, "keep", None)
    assert lr.groups[0].hold is None
    assert flat(lr, 8) == [0.04] * 7 + [0.02]
    lr.set_lr(0.03, "hold", None)
    lr.set_lr(0.02, "keep", None)
    lr.scale_lr(0.5, "keep", None)
    assert flat(lr, 12) == [0.01] * 12
    lr.set_lr(0.02, "follow", None)
    assert lr.groups[0].hold is None


def test_scaling_multiplies_the_current_lr() -> None:
    lr = after(control(HALVING), 3)
    lr.scale_lr(0.5, "follow", None)
    lr.scale_lr(0.5, "follow", None)
    assert flat(lr, 8) == [0.025] * 7 + [0.0125]
    lr.set_lr(0.3, "hold", None)
    lr.scale_lr(0.1, "keep", None)
    assert lr.current() == [0.3 * 0.1]
    lr.scale_lr(10, "hold", None)
    assert flat(lr, 12) == [0.3 * 0.1 * 10] * 12


def test_an_lr_of_0_is_not_scaled() -> None:
    lr = control(HALVING)
    lr.set_lr(0.0, "hold", None)
    with pytest.raises(Rejected, match="is 0, which no factor changes; set a value"):
        lr.scale_lr(2.0, "keep", None)
    lr.set_lr(0.01, "keep", None)
    assert lr.current() == [0.01]


@pytest.mark.parametrize("factor", [1e5, 1e6])
def test_an_lr_above_the_largest_allowed_is_rejected(factor: float) -> None:
    lr = control(HALVING)
    with pytest.raises(Rejected, match="the largest allowed is 1000"):
        lr.scale_lr(factor, "follow", None)
    assert lr.current() == [0.1]


@given(name=st.sampled_from(list(SPECS)), data=st.data(), v=LRS, epochs=st.integers(0, 30))
def test_release_restores_the_schedulers_own_float(name: str, data: Any, v: float, epochs: int) -> None:
    spec = data.draw(SPECS[name])
    touched, untouched = control(spec, 0.1, epochs=60), control(spec, 0.1, epochs=60)
    touched.set_lr(v, data.draw(st.sampled_from(["hold", "keep"])), None) if touched.scheduled() != [0.0] else None
    for lr in (touched, untouched):
        after(lr, epochs)
    if touched.groups[0].touched:
        touched.release_lr(None)
    assert touched.current() == untouched.current() == untouched.scheduled()


def test_release_of_an_lr_that_is_on_its_schedule_is_rejected() -> None:
    lr = control(HALVING)
    with pytest.raises(Rejected, match="is on its schedule already"):
        lr.release_lr(None)
    lr.set_lr(0.1, "follow", None)  # touched, although it is the scheduled LR
    lr.release_lr(None)


# -- groups


def test_a_command_without_group_changes_every_group() -> None:
    lr = after(control(expression("0.5**epoch", "0.9**epoch"), names=TWO), 3)
    lr.scale_lr(0.1, "follow", None)
    assert lr.current() == [0.1 * 0.5**3 * 0.1, 0.1 * 0.9**3 * 0.1]
    lr.set_lr(0.2, "follow", None)  # without a group, every group gets the same value
    assert lr.current() == [0.2, 0.2]
    lr.epoch_done(None)
    assert lr.current() == pytest.approx([0.1, 0.18], rel=1e-12)  # each on its own curve


def test_a_command_with_a_group_does_not_change_the_others() -> None:
    lr = control(HALVING, names=TWO)
    lr.set_lr(0.3, "hold", "head")
    lr.scale_lr(0.5, "keep", "rest")
    assert lr.current() == [0.05, 0.3]
    lr.release_lr("head")
    assert lr.current() == [0.05, 0.1]
    lr.swap(ExponentialLR(gamma=0.5), None, "head", None)
    after(lr, 1)
    assert lr.current() == [0.05, 0.05]
    assert [g.scheduled.spec.model_dump()["name"] for g in lr.groups] == ["StepLR", "ExponentialLR"]


@pytest.mark.parametrize(
    "intervention",
    [
        lambda lr: lr.set_lr(0.1, "hold", "tail"),
        lambda lr: lr.scale_lr(0.1, "hold", "tail"),
        lambda lr: lr.release_lr("tail"),
        lambda lr: lr.swap(Constant(), None, "tail", None),
    ],
)
def test_an_unknown_group_is_rejected_with_the_names_of_all(intervention: Any) -> None:
    lr = control(HALVING, names=TWO)
    with pytest.raises(Rejected, match="no group 'tail'; the groups are rest, head"):
        intervention(lr)


def state_after_refusal(lr: LRControl, intervention: Any) -> tuple[Any, Any]:
    before = lr.state()
    with pytest.raises(Rejected):
        intervention(lr)
    return lr.state(), before


def test_every_group_changes_or_none() -> None:
    lr = after(control(expression("1", "1 - epoch / 5"), names=TWO, epochs=6), 5)
    for intervention in (
        lambda r: r.set_lr(0.1, "follow", None),  # the second group's scheduled LR is 0
        lambda r: r.scale_lr(0.5, "keep", None),  # its LR is 0
        lambda r: r.swap(HALVING, None, None, None),  # so it has no base
        lambda r: r.swap(expression("1", "1 - epoch"), (1.0, 1.0), None, [{}] * 5),  # it is negative by now
        lambda r: r.swap(expression("1", "1", "1"), (1.0, 1.0), None, None),  # there is no third group
        lambda r: r.swap(HALVING, (0.1, 0.1, 0.1), None, None),
    ):
        now, before = state_after_refusal(lr, intervention)
        assert now == before


def test_release_of_all_groups_releases_those_that_were_touched() -> None:
    lr = control(HALVING, names=TWO)
    lr.set_lr(0.3, "hold", "head")
    lr.release_lr(None)
    assert lr.current() == lr.scheduled()


# -- the plateau and interventions


@pytest.mark.parametrize(
    "intervention",
    [
        lambda lr: lr.set_lr(0.05, "follow", None),
        lambda lr: lr.scale_lr(0.5, "keep", None),
        lambda lr: lr.set_lr(0.05, "hold", None),
        lambda lr: (lr.set_lr(0.05, "hold", None), lr.release_lr(None)),
    ],
)
def test_an_intervention_restarts_the_patience_of_a_plateau(intervention: Any) -> None:
    lr = after(control(ReduceLROnPlateau(patience=3, factor=0.5)), 4, loss=1.0)
    assert counted(lr.groups[0].scheduled) == (1.0, 3)  # the next bad epoch would reduce the LR
    intervention(lr)
    in_force = lr.current()
    after(lr, 3, loss=1.0)
    assert lr.current() == in_force
    if lr.groups[0].hold is None:
        after(lr, 1, loss=1.0)
        assert lr.current() == [in_force[0] * 0.5]


def test_release_restarts_the_patience_too() -> None:
    lr = control(ReduceLROnPlateau(patience=3, factor=0.5))
    lr.set_lr(0.05, "follow", None)
    after(lr, 4, loss=1.0)
    lr.release_lr(None)
    assert flat(lr, 5, loss=1.0) == [0.1] * 4 + [0.05]


def test_a_held_plateau_is_given_no_metric() -> None:
    lr = after(control(ReduceLROnPlateau(patience=0, factor=0.5)), 1, loss=1.0)
    lr.set_lr(0.2, "hold", None)
    after(lr, 10, loss=0.1)
    assert counted(lr.groups[0].scheduled) == (1.0, 0)
    lr.release_lr(None)
    assert lr.current() == [0.1]


def test_only_the_held_groups_plateau_gets_no_metric() -> None:
    lr = after(control(ReduceLROnPlateau(patience=0, factor=0.5), names=TWO), 1, loss=1.0)
    lr.set_lr(0.2, "hold", "head")
    after(lr, 1, loss=1.0)
    assert lr.current() == [0.05, 0.2]


# -- changes that are published


def test_the_texts_of_scheduled_changes() -> None:
    lr = after(control(StepLR(step_size=2, gamma=0.5), names=TWO), 1)
    lr.set_lr(0.3, "hold", "head")
    lr.scale_lr(0.1, "follow", "rest")
    cuts = lr.epoch_done(None)
    assert [str(c.text) for c in cuts] == [
        "StepLR 0.01 -> 0.005",
        "StepLR 0.1 -> 0.05 in the schedule; the LR stays held",
    ]
    assert (cuts[0].group, cuts[0].old, cuts[0].new) == ("rest", 0.1 * 0.1, 0.1 * 0.1 * 0.5)
    assert lr.epoch_done(None) == []
    plateau = after(control(ReduceLROnPlateau(patience=2, factor=0.5)), 3, loss=0.25)
    assert [str(c.text) for c in plateau.epoch_done({"val_loss": 0.3})] == [
        "ReduceLROnPlateau 0.1 -> 0.05: no improvement on 0.25 for 3 epochs"
    ]
    assert control(ExponentialLR(gamma=0.5)).epoch_done(None) == []  # it changes in every epoch, which is not published

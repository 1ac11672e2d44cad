"""A divergence in the window: the message and each of its actions, on real runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.common.position import Position
from engine.messages.commands import Rewind, SetLR
from engine.messages.events import BranchEvent, Event
from tests.gui.app_fixture import BATCHES, Driver, own_network, tiny
from tests.gui.run_bar.test_controller import lrs_by_batch

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


@pytest.mark.parametrize(("epoch", "place", "lr"), [(3, "the end of epoch 2", "0.001"), (1, "the start", "0.005")])
def test_a_diverged_run_goes_back_and_uses_a_tenth_of_the_lr(
    driver: Driver, tmp_path: Path, epoch: int, place: str, lr: str
) -> None:
    """The network counts its batches and is poisoned only once, so a run that goes back succeeds."""
    network = own_network(
        tmp_path,
        "from tests.engine.tiny_networks import Poisoned\n"
        f"def make(in_channels, num_classes):\n"
        f"    return Poisoned(in_channels, num_classes, lambda n: n == {(epoch - 1) * BATCHES + 3})\n",
    )
    recipe = tiny(model={"name": network})
    driver.set_up(recipe)
    driver.click(driver.window.transport, "Run 1 epoch")
    if epoch == 3:
        driver.app.current_run.post(SetLR(lr=0.02), Position(epoch=1, batch=4))
        driver.reach("paused")
        driver.resume_to(3)
    window, model = driver.window, driver.model
    if epoch == 3:
        driver.click(window.transport, "Resume")
    driver.reach("diverged")
    run_id, before = driver.of("start")[0].run, lrs_by_batch(driver)[(epoch - 1) * BATCHES, 0]
    assert window.chip.text() == "Diverged"
    assert window.banner.subject() == "diverged"
    kept: list[tuple[int, int]] = []

    def branched(event: Event) -> None:
        if isinstance(event, BranchEvent):
            kept.append((len(model.history.loss), len(model.history.epoch_x)))

    driver.app.current_run.happened.connect(branched)
    assert len(model.history.loss) > (epoch - 1) * BATCHES
    assert driver.shows(window.banner, f"The last good state is {place}, 3 batches back.")
    driver.click(window.banner, f"Go back and use LR {lr}")
    driver.wait(lambda: driver.of("branch") and driver.answers("scale_lr"))
    (branch,) = driver.of("branch")
    assert kept == [((epoch - 1) * BATCHES, epoch - 1)]
    assert branch.parent == run_id
    assert (branch.epoch, branch.batch) == (epoch, 0)
    assert driver.answer("scale_lr").lr == [before * 0.1]
    driver.finish()
    assert model.start is not None
    assert model.start.run == branch.run
    assert len(model.history.loss) == 6 * BATCHES
    assert np.isfinite(model.history.loss.values).all()
    assert model.history.epoch_x.values.tolist() == list(range(1, 7))
    driver.click(window.banner, "+10 epochs")
    driver.wait(lambda: len(driver.of("start")) == 2)
    assert driver.of("start")[1].run == branch.run


def test_a_far_too_high_lr_diverges_and_the_run_goes_back_to_the_start(driver: Driver, tmp_path: Path) -> None:
    code = (
        "from torch import nn\n"
        "def make(in_channels, num_classes):\n"
        "    layers = [nn.Linear(64, 64) for _ in range(5)]\n"
        "    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(64, num_classes))\n"
    )
    network = {"name": own_network(tmp_path, code)}
    driver.start(tiny(model=network, optimizer={"name": "SGD", "lr": 1000.0, "momentum": 0.9}))
    driver.reach("diverged")
    assert driver.of("diverged")[0].epoch == 1
    driver.click(driver.window.banner, "Go back and use LR 100")
    assert driver.answer("scale_lr").lr == [100.0]
    assert (driver.of("branch")[0].epoch, driver.of("branch")[0].batch) == (1, 0)


def test_a_diverged_run_can_be_resumed_or_stopped(driver: Driver) -> None:
    driver.start(tiny("poisoned_always"))
    driver.reach("diverged")
    driver.click(driver.window.banner, "Resume")
    driver.wait(lambda: len(driver.of("diverged")) == 2)
    driver.reach("diverged")
    driver.click(driver.window.banner, "Stop")
    assert driver.finish().reason == "stopped"


def test_a_diverged_run_goes_back_although_its_checkpoints_were_deleted(driver: Driver) -> None:
    driver.start(tiny("poisoned_fifth"))
    driver.reach("diverged")
    library = driver.app.library
    assert library is not None
    library.flush()
    for file in library.root.rglob("*.tiller"):
        file.unlink()
    driver.click(driver.window.banner, "Go back and use LR 0.005")
    driver.wait(lambda: driver.answers("scale_lr"))
    assert driver.of("branch")[0].epoch == 1


def exploded(driver: Driver) -> None:
    """A run that trains well until its LR is set to 1000 before batch 4 of epoch 2."""
    driver.pause_at(tiny(epochs=8), 2, 4)
    driver.type_lr("1000")
    driver.click(driver.window.lr_panel, "Apply")
    driver.wait(lambda: driver.answers("set_lr"))
    driver.click(driver.window.transport, "Resume")
    driver.reach("diverged")


def test_a_loss_that_explodes_pauses_the_run_and_is_shown(driver: Driver) -> None:
    exploded(driver)
    banner = driver.window.banner
    assert "above the limit of 1000" in banner.text()
    assert banner.text().startswith("The ")
    assert driver.shows(banner, "The last good state is before batch 4 of epoch 2")
    assert driver.window.chip.text() == "Diverged"


def test_going_back_with_the_same_lr_pauses_right_before_the_change(driver: Driver) -> None:
    exploded(driver)
    assert driver.button(driver.window.banner, "Go back and use LR 0.005")  # not a tenth of 1000
    driver.click(driver.window.banner, "Go back")
    driver.wait(lambda: driver.of("branch"))
    driver.reach("paused")
    driver.settle()
    branch = driver.of("branch")[0]
    assert (branch.epoch, branch.batch) == (2, 4)
    assert driver.model.state == "paused"
    assert driver.number == "0.05"
    assert driver.window.banner.isHidden()
    assert not driver.answers("scale_lr")
    driver.click(driver.window.transport, "Resume")
    assert driver.finish().reason == "finished"


def test_going_back_in_another_way_closes_the_message(driver: Driver) -> None:
    exploded(driver)
    driver.app.current_run.post(Rewind(epoch=1))
    driver.wait(lambda: driver.of("branch"))
    assert driver.window.banner.isHidden()

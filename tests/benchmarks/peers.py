"""Other libraries, training the same network on the same images in the same batches, compared with the engine.

``pip install -e ".[peers]"`` installs them; missing ones are skipped. All but skorch, which takes arrays, use the
``DataLoader`` of PyTorch's tutorial, which opens and converts images one by one.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from engine.data.image_set import Split
from engine.recipe.recipe import Recipe
from tests.benchmarks.engine import BATCH, has_mnist, images_of, recipe, state
from tests.benchmarks.live_run import Row
from tests.benchmarks.workers import Worker, in_turn, median_ratio, workers

_WARM, _MEASURED = 20, 100
_LR, _MOMENTUM = 0.01, 0.9
Tick = Callable[[], None]
Peer = Callable[[nn.Module, Split, Tick], None]


class TutorialSet(Dataset[tuple[torch.Tensor, int]]):
    """Does what ``torchvision.datasets.MNIST`` with ``ToTensor`` and ``Normalize`` does."""

    def __init__(self, split: Split) -> None:
        from torchvision import transforms

        self._split = split
        self._change = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])

    def __len__(self) -> int:
        return len(self._split.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        return self._change(Image.fromarray(self._split.images[index, 0])), int(self._split.labels[index])


def _loader(split: Split) -> DataLoader[tuple[torch.Tensor, int]]:
    return DataLoader(TutorialSet(split), batch_size=BATCH, shuffle=True)


def _sgd(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(net.parameters(), lr=_LR, momentum=_MOMENTUM)


def tutorial(net: nn.Module, split: Split, tick: Tick) -> None:
    """PyTorch's tutorial: a loop over a DataLoader."""
    optimizer, criterion = _sgd(net), nn.CrossEntropyLoss()
    running = 0.0
    device = next(net.parameters()).device
    for x, y in _loader(split):
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
        tick()


def lightning(net: nn.Module, split: Split, tick: Tick) -> None:
    """Lightning's Trainer."""
    import lightning as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def training_step(self, batch: Any, index: int) -> Any:
            x, y = batch
            return nn.functional.cross_entropy(self.net(x), y)

        def configure_optimizers(self) -> Any:
            return _sgd(self.net)

        def on_train_batch_end(self, *args: Any) -> None:
            tick()

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), _loader(split))


def ignite(net: nn.Module, split: Split, tick: Tick) -> None:
    """Ignite's supervised trainer."""
    from ignite.engine import Events, create_supervised_trainer

    engine = create_supervised_trainer(net, _sgd(net), nn.CrossEntropyLoss())
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda _: tick())
    engine.run(_loader(split), max_epochs=1)


def fastai(net: nn.Module, split: Split, tick: Tick) -> None:
    """fastai's Learner."""
    from fastai.callback.core import Callback
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    class TickCallback(Callback):
        def after_batch(self) -> None:
            if self.training:
                tick()

    few = Split(split.images[:BATCH], split.labels[:BATCH])
    loaders = DataLoaders(_loader(split), _loader(few))
    optimizer = lambda params, lr, **_: OptimWrapper(params, torch.optim.SGD, lr=lr, momentum=_MOMENTUM)  # noqa: E731
    learner = Learner(loaders, net, loss_func=nn.CrossEntropyLoss(), opt_func=optimizer, lr=_LR, cbs=[TickCallback()])
    learner.logger = lambda *_: None
    learner.fit(1)


def keras(net: nn.Module, split: Split, tick: Tick) -> None:
    """Keras 3 on PyTorch, with the same network as a layer."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    class TickCallback(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            tick()

    model = keras.Sequential([keras.Input((1, 28, 28)), keras.layers.TorchModuleWrapper(net)])
    model.compile(
        optimizer=keras.optimizers.SGD(_LR, momentum=_MOMENTUM),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(_loader(split), epochs=1, verbose=0, callbacks=[TickCallback()])


def skorch(net: nn.Module, split: Split, tick: Tick) -> None:
    """skorch's NeuralNetClassifier, on arrays in memory."""
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Callback

    class TickCallback(Callback):
        def on_batch_end(self, net: Any, **_: Any) -> None:
            tick()

    x = (split.images.astype(np.float32) / 255 - 0.1307) / 0.3081
    classifier = NeuralNetClassifier(
        net,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=_MOMENTUM,
        lr=_LR,
        batch_size=BATCH,
        max_epochs=1,
        train_split=None,
        iterator_train__shuffle=True,
        callbacks=[TickCallback()],
        verbose=0,
    )
    classifier.fit(x, split.labels)


PEERS: Final[dict[str, tuple[Peer, str | None, float]]] = {
    "a DataLoader tutorial loop": (tutorial, None, 2.0),
    "Lightning": (lightning, "lightning", 2.0),
    "Ignite": (ignite, "ignite", 2.0),
    "fastai": (fastai, "fastai", 2.0),
    "Keras 3": (keras, "keras", 2.0),
    "skorch": (skorch, "skorch", 1.4),
}


def against_peers() -> Iterator[Row]:
    """Images per second of a run without a window over those of each library, each in its own process."""
    if not has_mnist():
        yield {"what": "skipped: TILLER_TEST_DATA names no folder with MNIST", "value": float("nan"), "unit": ""}
        return
    installed = [name for name, peer in PEERS.items() if peer[1] is None or importlib.util.find_spec(peer[1])]
    for name in PEERS.keys() - set(installed):
        yield {"what": f"{name}: skipped, not installed", "value": float("nan"), "unit": ""}
    for name in installed:
        with workers(Worker("engine", recipe()), Worker("peer", recipe(), name)) as (ours, peer):
            pairs = in_turn(ours, peer, _MEASURED)
        what = f"the engine over {name} (goal: {PEERS[name][2]:g})"
        yield {"what": what, "value": median_ratio(pairs), "unit": "ratio"}
        yield {"what": name, "value": statistics.median(other for _, other in pairs), "unit": "images/s"}
    engine = Worker("engine", recipe())
    with workers(engine, Worker("bare", recipe(), str(engine.ready["threads"]))) as (ours, bare):
        pairs = in_turn(bare, ours, _MEASURED)
    yield {
        "what": "bare loop on one batch",
        "value": statistics.median(limit for limit, _ in pairs),
        "unit": "images/s",
    }


def split_of(run: Recipe) -> Split:
    """The training images of one measurement, which is an epoch."""
    count = BATCH * (_WARM + _MEASURED)
    train = images_of(run).train
    return Split(train.images[:count], train.labels[:count])


def speed_of(name: str, run: Recipe, split: Split) -> float:
    """Train an epoch with the library ``name``; returns images per second over its later batches."""
    made = state(run, images_of(run))
    ticks: list[float] = []
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        PEERS[name][0](made.model, split, lambda: ticks.append(time.perf_counter()))
    torch.set_grad_enabled(True)
    return BATCH * (len(ticks) - _WARM) / (ticks[-1] - ticks[_WARM - 1])

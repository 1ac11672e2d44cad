"""The whole state of a run in memory: built from a recipe, captured for a checkpoint, restored from one."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from engine.common.errors import Rejected, SpecError
from engine.common.position import Position
from engine.common.progress import IsCancelled, never
from engine.common.text import Text
from engine.data.batches import Batches
from engine.data.image_set import ImageSet
from engine.hardware.memory import DEFAULT_SHARE
from engine.hardware.out_of_memory import fitting
from engine.lr.control import LRControl
from engine.messages.events import CommandEvent, EpochEvent, Event
from engine.messages.stored import commands_from_json, epochs_from_json
from engine.models import groups, optimizers, registry
from engine.models.run_network import RunNetwork, cloned
from engine.models.user_modules import digests_of
from engine.recipe.recipe import Recipe
from engine.training import fits
from engine.training.guard import Guard
from engine.training.step import Stepper, Sums

Capture = dict[str, Any]
RANDOM_LOCK: Final = threading.RLock()
"""Held while PyTorch's global generators are used outside a run; a run that begins waits for it."""


class GrowingJSON:
    """A growing list of events as JSON, each converted once: the cost of a checkpoint must not grow with the run."""

    def __init__(self) -> None:
        self._known: list[tuple[Event, str]] = []

    def text(self, events: Sequence[Event]) -> str:
        """``events`` as a JSON list; objects that were at the same index before are not converted again."""
        known = self._known
        for index, event in enumerate(events):
            if index < len(known) and known[index][0] is event:
                continue
            del known[index:]
            known.append((event, json.dumps(dataclasses.asdict(event))))
        del known[len(events) :]
        return f"[{', '.join(text for _, text in known)}]"


@dataclass
class Meter:
    """What is measured in an epoch: sums on the device, LRs, and seconds (of everything, and of training alone)."""

    sums: Sums
    lr_first: list[float] = field(default_factory=list)
    lr_min: list[float] = field(default_factory=list)
    lr_max: list[float] = field(default_factory=list)
    seconds: float = 0.0
    train_seconds: float = 0.0
    images: int = 0

    def add_batch(self, images: int, seconds: float) -> None:
        """Add a batch of ``images`` that was trained in ``seconds``."""
        self.images += images
        self.seconds += seconds
        self.train_seconds += seconds

    def add_lrs(self, lrs: list[float]) -> None:
        """Add the LRs that the next batch trains with."""
        if not self.lr_first:
            self.lr_first, self.lr_min, self.lr_max = list(lrs), list(lrs), list(lrs)
            return
        self.lr_min = [min(a, b) for a, b in zip(self.lr_min, lrs, strict=True)]
        self.lr_max = [max(a, b) for a, b in zip(self.lr_max, lrs, strict=True)]


class RunState:
    """Network, optimizer, LRs, position and history of one run.

    ``position`` is the next batch: ``epoch`` from 1, ``batch`` from 0; (epochs + 1, 0) is the end.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: ImageSet,
        device: torch.device,
        *,
        download: bool = False,
        share: float = DEFAULT_SHARE,
        cancelled: IsCancelled = never,
    ) -> None:
        """Build the run that ``recipe`` describes, at its beginning; for ``share`` see ``Batches``.

        Raises:
            SpecError: the network, the groups or the schedule do not fit.
            Cancelled: ``cancelled`` returned true while the network was built.
        """
        self.recipe = recipe
        self.device = device
        with fitting("data", recipe.data.name, device):
            self.batches = Batches(images, recipe.data, recipe.seed, device, share)
        facts = images.facts
        self._shape = (facts.channels, facts.height, facts.width)
        self.classes = facts.num_classes
        self._memory_format = torch.channels_last
        self._begin(download, cancelled)

    def _begin(self, download: bool, cancelled: IsCancelled = never, like: nn.Module | None = None) -> None:
        recipe, device = self.recipe, self.device
        seed_everything(recipe.seed)
        channels, height, width = self._shape
        module = registry.build(
            recipe.model,
            channels=channels,
            height=height,
            width=width,
            classes=self.classes,
            download=download,
            cancelled=cancelled,
            like=like,
        )
        with registry.network_errors(recipe.model, recipe.model.name):
            self.network = RunNetwork(module, device, self._memory_format)
        if not self.network.trained:
            raise SpecError("model.name", Text("{name}: no parameter requires a gradient", name=recipe.model.name))
        self.model = self.network.module
        self.batches.memory_format = self.network.memory_format
        self.groups = groups.split(self.model, recipe.groups)
        self.group_names = [g.name for g in self.groups]
        self.lr_control = LRControl.from_recipe(recipe, self.group_names, self.batches.per_epoch)
        parameters: list[tuple[list[Tensor], float]] = [
            (list(g.parameters), lr) for g, lr in zip(self.groups, self.lr_control.current(), strict=True)
        ]
        self.optimizer = optimizers.build(recipe.optimizer, parameters)
        self.guard = Guard(recipe.guard)
        self.stepper = Stepper(self.network, self.optimizer, device, recipe.precision, self.guard)
        self.position = Position(epoch=1)
        self.meter = Meter(Sums.zero(device))
        self.history: list[EpochEvent] = []
        self.interventions: list[CommandEvent] = []
        self._history_written, self._interventions_written = GrowingJSON(), GrowingJSON()
        self.frozen: set[str] = set()
        self._freeze_exactly(g.name for g in self.groups if g.spec and g.spec.frozen)
        if not any(p.requires_grad for p in self.network.trained):
            raise SpecError("groups", "all are frozen, so nothing would be trained; leave at least one unfrozen")

    @property
    def epochs(self) -> int:
        """The run's length in epochs."""
        return self.lr_control.length.epochs

    @property
    def parameters(self) -> int:
        """Number of parameters of the network."""
        return sum(p.numel() for p in self.model.parameters())

    def metrics(self) -> list[dict[str, float]]:
        """The metrics of each epoch so far."""
        return [epoch.metrics() for epoch in self.history]

    def training_mode(self) -> None:
        """Set training mode, except for frozen groups, whose statistics do not change, and as the network decided."""
        self.network.train(module for group in self.groups if group.name in self.frozen for module in group.modules)

    def freeze(self, name: str, frozen: bool = True) -> None:
        """Stop training the group ``name``, or train it again; its optimizer state is kept unchanged meanwhile.

        Raises:
            Rejected: nothing would be left to train.
        """
        left = [p for g in self.groups if g.name != name and g.name not in self.frozen for p in g.parameters]
        if frozen and not any(p in self.network.trained for p in left):
            raise Rejected(Text("with group {group} frozen too, nothing would be left to train", group=name))
        self._freeze_exactly(self.frozen | {name} if frozen else self.frozen - {name})

    def _freeze_exactly(self, names: Iterable[str]) -> None:
        """Freeze the groups ``names``, and no other."""
        self.frozen = set(names)
        for group in self.groups:
            for parameter in group.parameters:
                parameter.requires_grad_(group.name not in self.frozen and parameter in self.network.trained)
                parameter.grad = None  # or the old gradient would still change the weight
        self.training_mode()

    def use_contiguous(self) -> None:
        """Begin again, with a network and images that are contiguous instead of channels_last."""
        self._memory_format = torch.contiguous_format
        self._begin(download=False)

    def beginning(self) -> Capture:
        """What ``capture`` was before the first batch; changes the global random generators."""
        other = copy.copy(self)
        other._begin(download=False, like=self.model)
        return other.capture()

    def begun(self) -> RunState:
        """An independent run of this recipe at its beginning.

        It shares the batches. The global random generators are as before.

        Raises:
            SpecError: the network can no longer be built.
        """
        kept = random_state(self.device)
        other = copy.copy(self)
        try:
            other._begin(download=False, like=self.model)
        finally:
            restore_random(kept, self.device)
        return other

    def twin(self) -> RunState:
        """An independent run in the same state, which is restored in a network that is built anew; see ``begun``.

        Raises:
            SpecError: the network can no longer be built, or its state cannot be restored.
        """
        other = self.begun()
        other.restore(self.capture())
        return other

    def capture(self) -> Capture:
        """A deep copy of everything that decides how the run continues; tensors stay on their device."""
        meter = dataclasses.asdict(dataclasses.replace(self.meter, sums=None))  # type: ignore[arg-type]
        meter["sums"] = {name: t.clone() for name, t in self.meter.sums.tensors().items()}
        model, outside = self.network.state()
        return {
            "model": model,
            "outside": outside,
            "optimizer": cloned(self.optimizer.state_dict()),
            "scaler": self.stepper.scaler.state() if self.stepper.scaler is not None else {},
            "lr": self.lr_control.state(),
            "random": random_state(self.device),
            "position": [self.position.epoch, self.position.batch],
            "meter": meter,
            "frozen": sorted(self.frozen),
            "recipe": self.recipe.to_json(),
            "history": self._history_written.text(self.history),
            "interventions": self._interventions_written.text(self.interventions),
            "sources": digests_of(self.model),
        }

    def restore(self, capture: Capture) -> None:
        """Restore the state of ``capture``, which is not changed. The networks must be the same.

        Raises:
            SpecError: the capture does not fit this run, and nothing was restored; names the field.
        """
        self._check(capture)
        lr_control = LRControl.from_state(capture["lr"], self.recipe.optimizer)
        with registry.network_errors(self.recipe.model, Text("load_state_dict")):
            self.network.load(capture["model"], capture["outside"])
        self._freeze_exactly(name for name in self.group_names if name in capture["frozen"])
        self.optimizer.load_state_dict(cloned(capture["optimizer"]))
        if self.stepper.scaler is not None and capture["scaler"]:
            self.stepper.scaler.load(capture["scaler"])
        self.lr_control = lr_control
        epoch, batch = capture["position"]
        self.position = Position(epoch=epoch, batch=batch)
        meter = dict(capture["meter"])
        sums = Sums(**{name: t.to(self.device, copy=True) for name, t in meter.pop("sums").items()})
        self.meter = Meter(sums=sums, **copy.deepcopy(meter))
        self.history = epochs_from_json(capture["history"])
        self.interventions = commands_from_json(capture["interventions"])
        restore_random(capture["random"], self.device)
        self.lr_control.write(self.optimizer)

    def _check(self, capture: Capture) -> None:
        spec = self.recipe.optimizer
        fits.check_lrs(capture["lr"], self.group_names, self.batches.per_epoch, spec)
        fits.check_network(capture["model"], capture["outside"], self.network)
        fits.check_optimizer(capture["optimizer"], self.optimizer, spec.changeable)
        fits.check_tensors("meter.sums", capture["meter"]["sums"], Sums.zero(self.device).tensors())
        fits.check_scaler(capture["scaler"], self.stepper.scaler)
        fits.check_random(capture["random"], self.device)


def seed_everything(seed: int) -> None:
    """Seed every global random generator: PyTorch's, and Python's and NumPy's for networks of the user's own."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def random_state(device: torch.device) -> dict[str, Any]:
    """The state of the global random generators, as data that ``torch.load(weights_only=True)`` reads."""
    version, words, gauss = random.getstate()
    name, keys, index, has_gauss, cached = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "python": [version, list(words), gauss],
        "numpy": [str(name), np.asarray(keys).tolist(), int(index), int(has_gauss), float(cached)],
    }


def restore_random(state: dict[str, Any], device: torch.device) -> None:
    """Restore the global random generators to a state from ``random_state``."""
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, index, has_gauss, cached = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), index, has_gauss, cached))


def weights_sha256(model: nn.Module) -> str:
    """SHA-256 in hex over the model's state_dict in order.

    For each tensor ``f"{name} {dtype} {tuple(shape)}\\n"`` encoded, then its bytes. Other entries are left out.
    """
    digest = hashlib.sha256()
    for name, t in model.state_dict().items():
        if not isinstance(t, Tensor):
            continue
        digest.update(f"{name} {t.dtype} {tuple(t.shape)}\n".encode())
        flat = t.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(flat.numpy().tobytes())
    return digest.hexdigest()


def group_sizes(run_groups: Sequence[groups.Group]) -> list[int]:
    """Number of parameters of each group."""
    return [sum(p.numel() for p in g.parameters) for g in run_groups]

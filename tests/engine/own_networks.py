"""Networks as people write them, named in recipes as FILE.py:FUNCTION. They train in a millisecond."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune


def _layers(in_channels: int, num_classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64 * in_channels, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, num_classes)
    )


class Own(nn.Module):
    """``layers``, with whatever a subclass does to the images before."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.layers = _layers(in_channels, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.layers(x)


# -- what a network decides itself


def freezes_a_layer(in_channels: int, num_classes: int) -> nn.Module:
    network = _layers(in_channels, num_classes)
    network[1].requires_grad_(False)
    return network


def keeps_batchnorm_in_eval(in_channels: int, num_classes: int) -> nn.Module:
    network = _layers(in_channels, num_classes)
    network[2].eval()
    return network


class StillBatchNorm(Own):
    """The usual way to keep BatchNorm in evaluation mode for good."""

    def train(self, mode: bool = True) -> StillBatchNorm:
        super().train(mode)
        self.layers[2].eval()
        return self


still_batchnorm = StillBatchNorm


def returned_in_eval(in_channels: int, num_classes: int) -> nn.Module:
    return _layers(in_channels, num_classes).eval()


# -- memory layout


class Views(nn.Module):
    """The convolutional network of many tutorials."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 8, 3, padding=1)
        self.fc = nn.Linear(128, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.fc(functional.max_pool2d(functional.relu(self.conv(x)), 2).view(x.size(0), -1))


views = Views


class Volumes(nn.Module):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(in_channels, 4, (1, 3, 3), padding=(0, 1, 1))
        self.fc = nn.Linear(256, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.fc(functional.relu(self.conv(x.unsqueeze(2))).flatten(1))


volumes = Volumes


# -- state of every kind that a checkpoint holds


class ExtraState(Own):
    """A count in ``get_extra_state``, as a dictionary."""

    seen = 0

    def forward(self, x: Tensor) -> Any:
        self.steps.append(0.1) if self.training and len(self.steps) < 6 else None
        return self.layers(x * (1 + sum(self.steps)))

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.steps: list[float] = []

    def get_extra_state(self) -> dict[str, Any]:
        return {"steps": self.steps, "note": "counted"}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]


extra_state = ExtraState


class Centered(Own):
    """Subtracts a running mean of its images, kept in a way that ``_set_center`` says."""

    center: Tensor

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self._set_center(torch.zeros(in_channels, 8, 8))

    def _set_center(self, center: Tensor) -> None:
        self.register_buffer("center", center)

    def forward(self, x: Tensor) -> Any:
        if self.training:
            self.center = 0.9 * self.center + 0.1 * x.mean(0)
        return self.layers(x - self.center)


reassigns_a_buffer = Centered


class NotPersistent(Centered):
    def _set_center(self, center: Tensor) -> None:
        self.register_buffer("center", center, persistent=False)


not_persistent = NotPersistent


class PlainTensor(Centered):
    def _set_center(self, center: Tensor) -> None:
        self.center = center


plain_tensor = PlainTensor


class NoneFirst(Centered):
    """A buffer that the first batch makes, also the first of validation."""

    def _set_center(self, center: Tensor) -> None:
        self.register_buffer("center", None)

    def forward(self, x: Tensor) -> Any:
        if self.training:
            mean = x.mean(0)
            self.center = mean if self.center is None else 0.9 * self.center + 0.1 * mean
        return self.layers(x if self.center is None else x - self.center)


none_first = NoneFirst


class Grows(Own):
    """A buffer that grows in the first batches."""

    bank: Tensor

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.register_buffer("bank", torch.zeros(0, in_channels, 8, 8))

    def forward(self, x: Tensor) -> Any:
        if self.training and len(self.bank) < 5:
            self.bank = torch.cat([self.bank, x[:1]])
        return self.layers(x - self.bank.mean(0) if len(self.bank) else x)


grows = Grows


class AlsoInEval(Own):
    """Keeps something of evaluation that training then uses."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> Any:
        if not self.training:
            self.scale = 1 + x.abs().mean() / 10
        return self.layers(x) * self.scale


also_in_eval = AlsoInEval


class Draws(Own):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.noise = torch.Generator()

    def forward(self, x: Tensor) -> Any:
        return self.layers(x + torch.randn(x.shape, generator=self.noise) if self.training else x)


own_generator = Draws


class ManyTypes(Own):
    """Buffers and parameters of every type."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.double()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int32))
        self.register_buffer("wave", torch.ones(3, dtype=torch.complex64))
        self.register_buffer("flags", torch.zeros(2, dtype=torch.bool))
        self.register_buffer("short", torch.zeros(1, dtype=torch.bfloat16))
        self.register_buffer("ones", torch.ones(1).expand(64))
        self.index = nn.Parameter(torch.arange(3), requires_grad=False)

    def forward(self, x: Tensor) -> Any:
        if self.training:
            self.steps += 1
            self.wave *= 1j
            self.flags |= True
        return self.layers(x.double() * (1 + self.wave.real[0] / 10))


many_types = ManyTypes


def weight_norm(in_channels: int, num_classes: int) -> nn.Module:
    """By hooks, as of old: ``weight`` is an attribute that cannot be copied."""
    network = _layers(in_channels, num_classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.utils.weight_norm(network[1])
        nn.utils.spectral_norm(network[4])
    return network


def parametrized(in_channels: int, num_classes: int) -> nn.Module:
    network = _layers(in_channels, num_classes)
    parametrizations.weight_norm(network[1])
    parametrizations.spectral_norm(network[4])
    return network


class ParametrizedHead(Own):
    """A module of its own class that is parametrized, and draws."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.head = NoisyLinear(num_classes, num_classes)
        parametrizations.weight_norm(self.head)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.layers(x))


class NoisyLinear(nn.Linear):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.noise = torch.Generator()

    def forward(self, x: Tensor) -> Tensor:
        noise = torch.randn(x.shape, generator=self.noise) if self.training else torch.zeros_like(x)
        return super().forward(x + noise)


parametrized_head = ParametrizedHead


def pruned(in_channels: int, num_classes: int) -> nn.Module:
    network = _layers(in_channels, num_classes)
    prune.l1_unstructured(network[1], "weight", amount=0.3)
    return network


def scripted(in_channels: int, num_classes: int) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network: nn.Module = torch.jit.script(_layers(in_channels, num_classes))
    return network


class Recurrent(nn.Module):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.rows = nn.LSTM(8 * in_channels, 16, num_layers=2, dropout=0.1, batch_first=True)
        self.attention = nn.MultiheadAttention(16, 2, dropout=0.1, batch_first=True)
        self.head = nn.Linear(16, num_classes)

    def forward(self, x: Tensor) -> Any:
        rows, _ = self.rows(x.flatten(2).view(len(x), 8, -1))
        return self.head(self.attention(rows, rows, rows)[0].mean(1))


recurrent = Recurrent


class Shares(nn.Module):
    """Tied weights, and a module that is used twice."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(64 * in_channels, 16)
        self.square = nn.Linear(16, 16)
        self.again = self.square
        self.tied = nn.Linear(16, 16)
        self.tied.weight = self.square.weight
        self.head = nn.Linear(16, num_classes)

    def forward(self, x: Tensor) -> Any:
        x = functional.relu(self.square(self.first(x.flatten(1))))
        return self.head(functional.relu(self.tied(self.again(x))))


shares = Shares


def lazy(in_channels: int, num_classes: int) -> nn.Module:
    return nn.Sequential(
        nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(momentum=None), nn.Flatten(), nn.LazyLinear(num_classes)
    )


# -- state that it does not hold


class Counts(Own):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.seen = 0

    def forward(self, x: Tensor) -> Any:
        self.seen += self.training
        return self.layers(x * (1 + self.seen))


counts = Counts


class CountsInAList(Own):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)
        self.seen = [0]

    def forward(self, x: Tensor) -> Any:
        self.seen[0] += self.training
        return self.layers(x * (1 + self.seen[0]))


counts_in_a_list = CountsInAList


class ForeignExtraState(Own):
    def get_extra_state(self) -> object:
        return {"set": {1, 2}}

    def set_extra_state(self, state: object) -> None:
        raise AssertionError("only what was saved is restored")


foreign_extra_state = ForeignExtraState


def hides_its_weights(in_channels: int, num_classes: int) -> nn.Module:
    network = _layers(in_channels, num_classes)

    def hide(module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: object) -> None:
        del state["1.weight"]

    network.register_state_dict_post_hook(hide)
    return network


# -- networks that cannot be trained


class TwoInTraining(Own):
    def forward(self, x: Tensor) -> Any:
        scores = self.layers(x)
        return (scores, scores) if self.training else scores


two_in_training = TwoInTraining


class DictInEval(Own):
    def forward(self, x: Tensor) -> Any:
        scores = self.layers(x)
        return scores if self.training else {"scores": scores}


dict_in_eval = DictInEval


class InPlaceResidual(Own):
    def forward(self, x: Tensor) -> Any:
        x = self.layers[1](x.flatten(1))
        y = torch.sigmoid(x)
        y += x
        return self.layers[4](y.mul_(torch.sigmoid(y)))


in_place_residual = InPlaceResidual


def all_frozen(in_channels: int, num_classes: int) -> nn.Module:
    return _layers(in_channels, num_classes).requires_grad_(False)


class WithoutGradient(Own):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Any:
        return self.layers(x)


without_gradient = WithoutGradient


class FixedBatch(Own):
    """Works for full batches of 512 only."""

    def forward(self, x: Tensor) -> Any:
        return self.layers(x.reshape(512, -1) if self.training else x)


fixed_batch = FixedBatch


class Whole(Own):
    def forward(self, x: Tensor) -> Any:
        return self.layers(x).argmax(1, keepdim=True).expand(-1, 10)


whole_numbers = Whole


class OwnTrain(Own):
    def train(self, images: Any) -> Any:
        return images


train_of_another_kind = OwnTrain


class BreaksInEval(Own):
    def forward(self, x: Tensor) -> Any:
        if not self.training and len(x) > 2:
            raise KeyError("validation")
        return self.layers(x)


breaks_in_eval = BreaksInEval


def keeps_statistics(in_channels: int, num_classes: int) -> nn.Module:
    """BatchNorm over single numbers, which needs more than one image."""
    return _layers(in_channels, num_classes)

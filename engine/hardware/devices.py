"""Choose a run's device and make it deterministic."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import torch
import torch.utils.deterministic

from engine.common.errors import SpecError
from engine.common.text import Text
from engine.hardware.memory import host_memory


def choose(name: str) -> tuple[torch.device, Text]:
    """The device for ``name`` (auto, cpu, cuda, cuda:N), and a sentence that names it.

    Raises:
        SpecError: there is no such GPU.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        if count:
            gpu = torch.cuda.get_device_name(0)
            return torch.device("cuda", 0), Text("auto chose cuda:0 ({gpu})", gpu=gpu)
        return torch.device("cpu"), Text("auto chose the CPU: PyTorch found no CUDA GPU")
    if name == "cpu":
        return torch.device("cpu"), Text("the CPU")
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        found = f"cuda:0 to cuda:{count - 1}" if count > 1 else "cuda:0" if count else "none"
        raise SpecError("device", f"{name} was not found (CUDA GPUs found: {found}); choose auto or cpu")
    return torch.device("cuda", index), Text("cuda:{index} ({gpu})", index=index, gpu=torch.cuda.get_device_name(index))


def available() -> list[tuple[str, str]]:
    """The available devices as (name, description): auto, cpu and each CUDA GPU."""
    found = [("auto", str(choose("auto")[1])), ("cpu", "CPU")]
    if torch.cuda.is_available():
        found += [(f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())]
    return found


def gpu_name(device: torch.device) -> str | None:
    """The model of a GPU, on which the last bits depend; None of the CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def memory(device: torch.device) -> int:
    """Memory of ``device`` in bytes: of a GPU what other processes leave free, of the host all of it."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) + torch.cuda.memory_reserved(device)
    return host_memory()


def prepare(device: torch.device) -> Text | None:
    """Make this thread use ``device``, deterministically. Returns a warning if the process was not started for that."""
    # Where an operator has no deterministic version, ``nondeterministic_operator`` has said so already.
    torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "default")
    if device.type != "cuda":
        return None
    warnings.filterwarnings("ignore", message=".*deterministic", category=UserWarning)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # it only shows errors
    torch.cuda.set_device(device)  # or pinned memory and events would belong to the first GPU
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    if os.environ.get("CUBLAS_WORKSPACE_CONFIG") not in (":4096:8", ":16:8"):
        return Text("CUBLAS_WORKSPACE_CONFIG was not set at the start: a resumed run may differ in its last bits")
    return None


def nondeterministic_operator(copy: Callable[[], torch.nn.Module], x: torch.Tensor, y: torch.Tensor) -> str | None:
    """The first operator of a training step that is not deterministic on ``x``'s device, or None.

    Runs one forward and backward pass of the network that ``copy`` makes on the given batch, and restores the
    generators. On the CPU every operator is deterministic.
    """
    if x.device.type != "cuda":
        return None
    model = copy()
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error")
    try:
        with torch.random.fork_rng(devices=[x.device]):
            torch.nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        text = str(error)
        if "deterministic" not in text:
            raise
        return "cuBLAS" if "CUBLAS_WORKSPACE_CONFIG" in text else text.split()[0]
    finally:
        torch.set_deterministic_debug_mode(before)
    return None

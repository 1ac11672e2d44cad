"""A recipe as plain PyTorch code: parameter groups, optimizer, schedule and training loop."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from engine.export.loop import loop_text
from engine.export.parts import Part, parts_of
from engine.export.schedule import Needs, ScheduleText, helpers
from engine.export.source import call, indented, listed, mapping, quoted, value
from engine.recipe.recipe import Recipe
from engine.schedules import Drawn

_GROUP_OF: Final = '''
def group_of(module):
    """The name of a module's group; a pattern that matches a module also matches the modules within it."""
    parts = module.split(".")
    ancestry = [".".join(parts[: i + 1]) for i in range(len(parts))]
    for group, its_patterns in patterns.items():
        if any(fnmatchcase(name, pattern) for name in ancestry for pattern in its_patterns):
            return group
    return "rest"
'''


def pytorch_code(recipe: Recipe, groups: Sequence[str], steps_per_epoch: int, remarks: Sequence[str] = ()) -> str:
    """Plain PyTorch code that trains ``recipe``; it expects ``model``, ``train_loader`` and ``val_loader``.

    Args:
        recipe: what to train. Its schedule must be valid over the whole run.
        groups: the names of the recipe's parameter groups, in order.
        steps_per_epoch: batches per epoch. The code takes them from the loader; they decide what it can leave out.
        remarks: comment lines at the top.
    """
    writer = ScheduleText(recipe.epochs, steps_per_epoch)
    parts = parts_of(recipe, groups, writer)
    ends_early = [any(writer.ends_early(spec) for spec in part.specs) for part in parts]
    loop = loop_text(recipe, parts, ends_early)
    needs = writer.needs
    blocks = [
        _head(recipe, remarks),
        _imports(recipe, needs),
        *(f"\n{text}\n" for text in helpers(needs)),
        _setting(recipe),
        _groups_text(recipe, groups),
        "\n".join(_optimizer_text(recipe, part) for part in parts),
        loop,
    ]
    return re.sub(r"\n{4,}", "\n\n\n", "\n\n".join(block for block in blocks if block)) + "\n"


def _head(recipe: Recipe, remarks: Sequence[str]) -> str:
    images = f"batches of {recipe.data.batch_size}"
    lines = [
        f"# {value(recipe.model.name)} on {recipe.data.name}, {recipe.epochs} epochs in {images}, as set up in Tiller.",
        "# Define these first: model, an nn.Module; train_loader and val_loader, which yield (images, labels).",
        *(f"# {' '.join(remark.split())}" for remark in remarks),
    ]
    return "\n".join(lines)


def _imports(recipe: Recipe, needs: Needs) -> str:
    plain = sorted(needs.modules | ({"math"} if any("log_" in name for name in needs.curves) else set()))
    lines = [f"import {module}" for module in plain]
    if needs.curves:
        lines.append("from bisect import bisect_right")
    if recipe.groups:
        lines.append("from fnmatch import fnmatchcase")
    lines += ["", "import torch"] if lines else ["import torch"]
    if any(name.startswith("smooth_") for name in needs.curves):
        lines.append("from scipy.interpolate import PchipInterpolator")
    lines.append("from torch import nn")
    schedulers = sorted(needs.schedulers | ({"LRScheduler"} if needs.curve_lr else set()))
    if schedulers:
        lines.append(f"from torch.optim.lr_scheduler import {', '.join(schedulers)}")
    return "\n".join(lines)


def _setting(recipe: Recipe) -> str:
    chosen = '"cuda" if torch.cuda.is_available() else "cpu"' if recipe.device == "auto" else quoted(recipe.device)
    lines = [
        f"device = torch.device({chosen})",
        f"epochs = {recipe.epochs}",
        "steps_per_epoch = len(train_loader)",
        "model = model.to(device)",
        "criterion = nn.CrossEntropyLoss()",
    ]
    if recipe.precision == "float16":
        lines.append("scaler = torch.amp.GradScaler(device.type)")
    if recipe.precision == "tf32":
        lines += [f'torch.backends.{part}.fp32_precision = "tf32"' for part in ("cuda.matmul", "cudnn.conv")]
    return "\n".join(lines)


def _groups_text(recipe: Recipe, groups: Sequence[str]) -> str:
    """The parameters of each group by its name, with frozen groups."""
    if not recipe.groups:
        return ""
    patterns = mapping({g.name: listed([quoted(p) for p in g.modules]) for g in recipe.groups})
    text = (
        f"patterns = {patterns}  # of module names; the first group that matches counts\n\n"
        f"{_GROUP_OF}\n\n"
        f"parameters = {{name: [] for name in {listed([quoted(name) for name in groups])}}}\n"
        "for name, parameter in model.named_parameters():\n"
        '    parameters[group_of(name.rpartition(".")[0])].append(parameter)'
    )
    frozen = [g.name for g in recipe.groups if g.frozen]
    if frozen:
        text += (
            f"\n\nfrozen = {listed([quoted(name) for name in frozen])}\n"
            "frozen_modules = [module for name, module in model.named_modules() if group_of(name) in frozen]\n"
            "for name in frozen:\n"
            "    for parameter in parameters[name]:\n"
            "        parameter.requires_grad_(False)"
        )
    return text


def _optimizer_text(recipe: Recipe, part: Part) -> str:
    spec = recipe.optimizer
    fields = type(spec).model_fields
    given = spec.model_dump(exclude={"name", "lr"})
    changed = {n: value(v) for n, v in given.items() if v != fields[n].get_default()}
    if recipe.groups:
        rows = [
            f'{{"name": {quoted(n)}, "params": parameters[{quoted(n)}], "lr": {value(lr)}}}'
            for n, lr in zip(part.groups, part.lrs, strict=True)
        ]
        made = call(f"torch.optim.{spec.name}", "[\n" + indented(",\n".join(rows)) + ",\n]", **changed)
    else:
        made = call(f"torch.optim.{spec.name}", "model.parameters()", lr=value(part.lrs[0]), **changed)
    lines = [f"{part.optimizer_name} = {made}"]
    if isinstance(part.specs[0], Drawn):
        lines.insert(0, "# LambdaLR multiplies this LR of 1 by the curve, which gives the LR itself.")
    if part.scheduler is not None:
        lines.append(f"{part.scheduler_name} = {part.scheduler}")
    return "\n".join(lines)

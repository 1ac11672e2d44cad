"""The training loop of exported code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.export.parts import Part
from engine.export.schedule import leaves_below_zero, monitored
from engine.export.source import indented
from engine.recipe.recipe import Recipe

_EVALUATE: Final = '''
@torch.no_grad()
def evaluate():
    """Mean loss and accuracy over the validation images."""
    model.eval()
    loss, correct, count = 0.0, 0, 0
    for images, labels in val_loader:
        images, labels = images.to(device), labels.to(device)
        {forward}
        loss += criterion(scores, labels).item() * len(labels)
        correct += (scores.argmax(1) == labels).sum().item()
        count += len(labels)
    return loss / count, correct / count
'''

_AUTOCAST: Final = """
with torch.autocast(device.type, dtype=torch.{precision}):
    scores = model(images)
scores = scores.float()
""".strip()
_SCALED: Final = ("scale = scaler.get_scale()", "scaler.scale(loss).backward()")
_FROZEN: Final = """
for module in frozen_modules:
    module.training = False  # keeps BatchNorm's statistics
""".strip()


def loop_text(recipe: Recipe, parts: Sequence[Part], ends_early: Sequence[bool]) -> str:
    """The loop over epochs and batches; ``ends_early`` tells for each part whether to skip its last scheduler step."""
    scaled, plain = recipe.precision == "float16", recipe.precision in ("float32", "tf32")
    forward = "scores = model(images)" if plain else _AUTOCAST.format(precision=recipe.precision)
    optimizers = [part.optimizer_name for part in parts]
    steps = [(part.interval, _step(part, early)) for part, early in zip(parts, ends_early, strict=True)]
    stepwise = [line for interval, lines in steps if interval == "step" for line in lines]
    epochwise = [line for interval, lines in steps if interval == "epoch" for line in lines]
    counted = any("batch + 1" in line for line in stepwise)
    batch = [
        "images, labels = images.to(device), labels.to(device)",
        forward,
        "loss = criterion(scores, labels)",
        *(f"{name}.zero_grad()" for name in optimizers),
        *(_SCALED if scaled else ["loss.backward()"]),
        *(f"scaler.step({name})" if scaled else f"{name}.step()" for name in optimizers),
        *(["scaler.update()"] if scaled else []),
        *(["# once per batch, after the optimizer's step", *_unless_skipped(stepwise, scaled)] if stepwise else []),
        "train_loss += loss.item() * len(labels)",
        "train_correct += (scores.argmax(1) == labels).sum().item()",
        "count += len(labels)",
    ]
    epoch = [
        "model.train()",
        *([_FROZEN] if any(group.frozen for group in recipe.groups) else []),
        f"lr = {_lrs(recipe, optimizers)}",
        "train_loss, train_correct, count = 0.0, 0, 0",
        "for batch, (images, labels) in enumerate(train_loader):" if counted else "for images, labels in train_loader:",
        indented("\n".join(batch)),
        "train_loss, train_accuracy = train_loss / count, train_correct / count",
        "val_loss, val_accuracy = evaluate()",
        *(["# once per epoch, after validation", *epochwise] if epochwise else []),
        "print(",
        '    f"epoch {epoch + 1}: lr {lr} train_loss {train_loss} train_accuracy {train_accuracy}"',
        '    f" val_loss {val_loss} val_accuracy {val_accuracy}"',
        ")",
    ]
    evaluate = _EVALUATE.format(forward=indented(forward, 2).strip())
    return f"{evaluate}\n\nfor epoch in range(epochs):\n" + indented("\n".join(epoch))


def _unless_skipped(lines: Sequence[str], scaled: bool) -> list[str]:
    """``lines``, which step schedulers, skipped where float16's gradients overflowed."""
    return ["if scaler.get_scale() >= scale:", *map(indented, lines)] if scaled else list(lines)


def _step(part: Part, early: bool) -> list[str]:
    """The lines that step the part's scheduler."""
    if part.scheduler is None:
        return []
    metric = monitored(part.specs[0])
    lines = [f"{part.scheduler_name}.step({metric or ''})"]
    if any(leaves_below_zero(spec) for spec in part.specs):
        lines += [
            f"for group in {part.optimizer_name}.param_groups:",
            '    group["lr"] = max(group["lr"], 0.0)  # LinearLR may end slightly below 0',
        ]
    if not early:
        return lines
    not_last = "epoch + 1 < epochs" if part.interval == "epoch" else "epoch + 1 < epochs or batch + 1 < steps_per_epoch"
    return [f"if {not_last}:  # there is no LR after the end of the run", *(indented(line) for line in lines)]


def _lrs(recipe: Recipe, optimizers: Sequence[str]) -> str:
    if not recipe.groups:
        return f'{optimizers[0]}.param_groups[0]["lr"]'
    if len(optimizers) == 1:
        return f'{{g["name"]: g["lr"] for g in {optimizers[0]}.param_groups}}'
    return f'{{g["name"]: g["lr"] for optimizer in ({", ".join(optimizers)}) for g in optimizer.param_groups}}'

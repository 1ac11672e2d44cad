"""The text of a drawn curve: the same arithmetic as the spec's own, so the same floats."""

from __future__ import annotations

from typing import Final

from engine.schedules import Drawn

_CURVE: Final = '''
def {name}(points, per_epoch=1):
    """The rate as a function of the position: {how} on a {scale} axis through points (epochs, rate)."""
    across, rates = zip(*points)
    heights = {heights}
{prepared}
    def rate(position):
        x = position / per_epoch
        place = bisect_right(across, x)
        if place == 0:
            return rates[0]
        low = rates[place - 1]
        if x == across[place - 1] or place == len(points):
            return low
        high = rates[place]
{between}
        return min(max({value}, min(low, high)), max(low, high))

    return rate
'''
_LINES: Final = """\
        share = (x - across[place - 1]) / (across[place] - across[place - 1])
        height = heights[place - 1] * (1 - share) + heights[place] * share"""
CURVE_LR: Final = '''
class CurveLR(LRScheduler):
    """A rate that is a function of the position alone, whatever the optimizer's own is."""

    def __init__(self, optimizer, curve):
        self.curve = curve
        super().__init__(optimizer)

    def get_lr(self):
        return [self.curve(self.last_epoch) for _ in self.optimizer.param_groups]
'''


def curve_name(spec: Drawn) -> str:
    """The function that draws ``spec``: ``log_curve``, ``smooth_linear_curve`` and so on."""
    return f"{'smooth_' if spec.smooth and len(spec.points) > 1 else ''}{spec.scale}_curve"


def curve_text(name: str) -> str:
    """The function of that name; it needs ``bisect_right`` and perhaps ``math`` and ``PchipInterpolator``."""
    smooth, logs = name.startswith("smooth_"), "log_" in name
    return _CURVE.format(
        name=name,
        how="a smooth curve" if smooth else "straight lines",
        scale="log" if logs else "linear",
        heights="[math.log(rate) for rate in rates]" if logs else "rates",
        prepared="    curve = PchipInterpolator(across, heights)\n" if smooth else "",
        between="        height = float(curve(x))" if smooth else _LINES,
        value="math.exp(height)" if logs else "height",
    ).strip("\n")

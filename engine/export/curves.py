"""The text of a drawn curve: the same arithmetic as the spec's own, so the same floats."""

from __future__ import annotations

from typing import Final

_LINES: Final = {
    "linear": "low * (1 - share) + high * share",
    "log": "math.exp(math.log(low) * (1 - share) + math.log(high) * share)",
}
_CURVE: Final = '''
def {scale}_curve(x, points):
    """The rate after ``x`` epochs: straight lines on a {scale} axis between (epochs, rate) points."""
    place = bisect_right(points, x, key=lambda point: point[0])
    if place == 0:
        return points[0][1]
    left, low = points[place - 1]
    if x == left or place == len(points):
        return low
    right, high = points[place]
    share = (x - left) / (right - left)
    rate = {line}
    return min(max(rate, min(low, high)), max(low, high))
'''
CURVE_LR: Final = '''
class CurveLR(LRScheduler):
    """A rate that is a function of the position alone, whatever the optimizer's own is."""

    def __init__(self, optimizer, curve):
        self.curve = curve
        super().__init__(optimizer)

    def get_lr(self):
        return [self.curve(self.last_epoch) for _ in self.optimizer.param_groups]
'''


def curve_text(scale: str) -> str:
    """The function ``{scale}_curve``; it needs ``bisect_right`` and, on a log axis, ``math``."""
    return _CURVE.format(scale=scale, line=_LINES[scale]).strip("\n")

"""The legend of the learning-rate plot: which lines there are, and the rate of each under the crosshair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.plots.header import Entry
from gui.plots.text import value_text
from gui.theme import mixed
from gui.words import tr

if TYPE_CHECKING:
    from gui.plots.rate import RatePlot


def legend_entries(plot: RatePlot) -> list[Entry]:
    """The groups (with one group what the kinds of line mean), what is pending, and the candidates."""
    colors, begun = plot.group_colors(), bool(len(plot.series.rate_x))
    found = []
    if len(plot.names) > 1:
        named = zip(plot.names, colors, strict=True)
        found = [Entry(key=str(i), name=name, color=color) for i, (name, color) in enumerate(named)]
    elif begun:
        found = [Entry(key="0", name=tr("in force"), color=colors[0])]
    if len(plot.names) == 1 and (plot.plan.known or not begun):
        found.append(Entry(key="plan", name=tr("plan"), color=mixed(colors[0], plot.colors.plot, 0.7), line="dash"))
    if plot.pending.known:
        dotted = plot.colors.pending if len(plot.names) == 1 else plot.colors.muted
        found.append(Entry(key="pending", name=tr("pending"), color=dotted, line="dot"))
    for candidate, _ in plot.candidates:
        color, name = plot.candidate_color(candidate.place), f"{candidate.key} {candidate.name}"
        found.append(Entry(key=candidate.key, name=name, color=color, line="dash", short=candidate.key))
    return found


def legend_values(plot: RatePlot, x: float | None) -> dict[str, str]:
    """The rate of every line at ``x`` epochs, as far as it reaches; without ``x`` now, or where a line begins."""
    now = plot.series.position
    where = now if x is None else x
    if len(plot.names) > 1:  # the entry of a group is of what was and of what is planned
        values = {str(i): value_text(plot.rate(i, where)) for i in range(len(plot.names))}
    else:
        values = {"0": value_text(plot.rate(0, where))} if len(plot.series.rate_x) and where <= now else {}
        if where >= now:
            values["plan"] = value_text(plot.plan.at(0, where))
    others = [("pending", plot.pending)] if plot.pending.known else []
    for key, ahead in [*others, *((candidate.key, ahead) for candidate, ahead in plot.candidates)]:
        at = ahead.begin if x is None else x
        if at >= ahead.begin:
            values[key] = " ".join(value_text(ahead.at(group, at)) for group in range(len(ahead.lines)))
    return values

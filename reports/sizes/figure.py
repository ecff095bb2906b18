"""The figure of a study of cost by size: time and memory along both axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reports.cells import Picture
from reports.figures.style import Style, canvas, legend, noted, plain_log, style_of
from reports.sizes.exponents import AXES, Axis, Cost, along, numbers
from suite.records.sizes import KINDS, Kind, SizePlan, SizeRecord

FIGURE = "cost-by-size"
_COSTS: tuple[tuple[Cost, str, float], ...] = (
    ("seconds", "ms a batch", 1000.0),
    ("memory_bytes", "MiB", 2**-20),
)


def draw(plan: SizePlan, records: Sequence[SizeRecord]) -> Picture:
    """The figure: panels of each cost and kind, words on the left, relations beside."""
    panels = [(cost, kind, axis) for cost in _COSTS for kind in KINDS for axis in AXES]
    figure, axes = canvas(len(panels), height=2.5)
    styles = {system.variant: style_of(i) for i, system in enumerate(plan.systems)}
    for ax, ((cost, unit, factor), kind, axis) in zip(axes, panels, strict=True):
        for system in plan.systems:
            measured = along(records, plan, system.variant, axis, kind)
            points = [(x, factor * y) for x, y in numbers(measured, cost)]
            _line(ax, points, styles[system.variant])
        _label(ax, plan, axis, kind, unit)
    handles = [
        Line2D([], [], color=style.colour, marker=style.marker, linestyle=style.line)
        for style in (styles[system.variant] for system in plan.systems)
    ]
    legend(figure, plan.study.title, handles, [system.title for system in plan.systems])
    environment = plan.environment
    note = (
        "Both axes logarithmic; a line ends where a system ran out of memory or time, and that of "
        "inference where it was not fitted."
    )
    return noted(figure, note, environment.device, plan.threads, environment.processor)


def _line(ax: Axes, points: Sequence[tuple[int, float]], style: Style) -> None:
    ax.plot(
        [x for x, _ in points],
        [y for _, y in points],
        color=style.colour,
        marker=style.marker,
        linestyle=style.line,
        linewidth=1.3,
        markersize=4,
    )


def _label(ax: Axes, plan: SizePlan, axis: Axis, kind: Kind, unit: str) -> None:
    what = "training step" if kind == "training" else "inference"
    ax.set_ylabel(f"{what}, {unit}")
    other = "relations" if axis == "words" else "words"
    ax.set_xlabel(f"{axis} ({getattr(plan.study.where, other)} {other})")
    sizes = getattr(plan.study, axis)
    if len(sizes) > 1 and any(np.size(line.get_ydata()) for line in ax.lines):
        plain_log(ax, "y")
        ax.set_xscale("log")
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()

"""The figure of operating points: test F1 against measured speed-up, one line per rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from reports.cells import Picture, measured
from reports.figures.style import Style, Styles, canvas, finish, legend, widen
from reports.load import Group, Row
from reports.sections.operating import Point, at_point, operating_rows, points_of
from reports.times import curve_taken, shared_in_words

LineStyle = Literal["-", "--", ":", "-."]
LINES: tuple[tuple[LineStyle, str], ...] = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))
"""LineStyle and marker of each rule."""
LEAST_RANGE, LARGEST_RANGE = 5.0, 20.0
"""Points of F1 that the vertical axis covers at least, and under the best full depth at most."""


class Mark(NamedTuple):
    """A point as it is drawn: each seed's speed-up and F1."""

    point: Point
    speed_up: list[float]
    f1: list[float]

    @property
    def centre(self) -> tuple[float, float]:
        """Means over seeds."""
        return float(np.mean(self.speed_up)), float(np.mean(self.f1))


def _marks(row: Row) -> list[Mark]:
    """The points that every seed of the row has, by rule and threshold."""
    found = []
    for point in sorted(points_of(row)):
        speed, f1 = (measured(at_point(row, point, name)) for name in ("speed-up", "test F1"))
        if speed and f1:
            found.append(Mark(point, speed, f1))
    return found


def _draw(ax: Axes, marks: Sequence[Mark], look: tuple[LineStyle, str], style: Style) -> None:
    x, y = zip(*(mark.centre for mark in marks), strict=True)
    several = len(marks[0].f1) > 1
    ax.errorbar(
        x,
        y,
        xerr=[float(np.std(m.speed_up, ddof=1)) for m in marks] if several else None,
        yerr=[float(np.std(m.f1, ddof=1)) for m in marks] if several else None,
        linestyle=look[0],
        marker=look[1],
        color=style.colour,
        markersize=5,
        linewidth=1.4,
        elinewidth=0.7,
        capsize=2,
    )


def _draw_row(
    ax: Axes, marks: Sequence[Mark], looks: Mapping[str, tuple[LineStyle, str]], style: Style
) -> None:
    for rule, look in looks.items():
        own = [mark for mark in marks if mark.point.rule == rule]
        if own:
            _draw(ax, own, look, style)
    for mark in marks:
        if not mark.point.rule:
            x, y = mark.centre
            ax.plot(x, y, "*", color=style.colour, markersize=16, markeredgecolor="black", zorder=5)
            ax.axhline(y, color=style.colour, linewidth=0.7, alpha=0.6)


def draw(group: Group, styles: Styles) -> Picture | None:
    """The figure; None where no row has points of all its seeds."""
    drawn = [(row, _marks(row)) for row in operating_rows(group)]
    rows = [(row, marks) for row, marks in drawn if marks]
    if not rows:
        return None
    rules = dict.fromkeys(m.point.rule for _, marks in rows for m in marks if m.point.rule)
    looks = {rule: LINES[i % len(LINES)] for i, rule in enumerate(rules)}
    figure, (ax,) = canvas(1, height=4.0)
    for row, marks in rows:
        _draw_row(ax, marks, looks, styles[row.label])
    ax.axvline(1, color="#999999", linewidth=0.8)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} x"))
    ax.set_xlabel("speed-up in wall clock against full depth")
    ax.set_ylabel(f"test F1{group.rule} (%)")
    widen([ax], LEAST_RANGE)
    cut = _cut(ax, [mark for _, marks in rows for mark in marks])
    _keys(figure, group, [row for row, _ in rows], looks, styles)
    note = _note([row for row, marks in drawn if not marks], cut)
    runs = (run for row, _ in rows for run in row.complete)
    return finish(figure, group, note + shared_in_words(runs, curve_taken))


def _cut(ax: Axes, marks: Sequence[Mark]) -> str:
    """Leaves out what lies far under full depth, where nobody works; says so where it does."""
    best = max(mark.centre[1] for mark in marks)
    if min(mark.centre[1] for mark in marks) >= best - LARGEST_RANGE:
        return ""
    ax.set_ylim(bottom=best - LARGEST_RANGE)
    return f" Points under {best - LARGEST_RANGE:.0f} stand in the table alone."


def _keys(
    figure: Figure,
    group: Group,
    rows: Sequence[Row],
    looks: Mapping[str, tuple[LineStyle, str]],
    styles: Styles,
) -> None:
    """Colours tell rows apart, lines and markers rules."""
    keys = {}
    for row in rows:
        apart = f", {group.apart[row.label]}" if row.label in group.apart else ""
        keys[f"{row.label}{apart} ({row.n})"] = Line2D(
            [], [], color=styles[row.label].colour, linewidth=4
        )
    for rule, (line, marker) in looks.items():
        keys[rule] = Line2D([], [], color="#555555", linestyle=line, marker=marker, markersize=5)
    keys["full depth"] = Line2D(
        [], [], linestyle="", marker="*", color="#bbbbbb", markeredgecolor="black", markersize=11
    )
    legend(figure, f"{group.title}: accuracy against speed", list(keys.values()), list(keys))


def _note(missing: Sequence[Row], cut: str) -> str:
    note = f"Points in the order of the threshold; bars: standard deviation over seeds.{cut}"
    if missing:
        note += f" Not shown, a seed is missing: {', '.join(row.label for row in missing)}."
    return note

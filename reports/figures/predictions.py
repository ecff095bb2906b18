"""The figures of predictions: recall by what train has, reliability, and risk against coverage."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from reports.cells import Picture
from reports.figures.style import SMALL, Style, Styles, canvas, finish, system_legend, wrapped
from reports.judging import graded_of_row
from reports.load import Group
from reports.sections.calibration import scored_rows
from reports.sections.generalisation import RECALL, gold_of, known_rows
from suite.evaluation.calibration import BINS, Graded, reliability, risk_coverage

FIRST = 20
"""Predictions that a risk is told of at least: of fewer, one wrong one is a leap."""


def generalisation(group: Group, styles: Styles) -> Picture | None:
    """Recall of gold by what train has of it; None where no run tells."""
    rows = known_rows(group)
    if not rows:
        return None
    gold = gold_of(group, rows)
    figure, (ax,) = canvas(1, height=3.6)
    for place, known in enumerate(rows):
        offset = (place - (len(rows) - 1) / 2) * 0.7 / len(rows)
        style = styles[known.row.label]
        for x, name in enumerate(gold):
            share = known.share(name, RECALL)
            if share is None:
                continue
            value, low, high = (100 * part for part in share)
            ax.errorbar(
                x + offset,
                value,
                yerr=[[max(0.0, value - low)], [max(0.0, high - value)]],
                fmt=style.marker,
                color=style.colour,
                markerfacecolor=style.face,
                markersize=7,
                capsize=3,
                clip_on=False,
            )
    labels = [f"{wrapped(name, 16)}\n({count:,})" for name, count in gold.items()]
    ax.set_xticks(range(len(gold)), labels, fontsize=SMALL)
    ax.set_xlim(-0.6, len(gold) - 0.4)
    for edge in range(1, len(gold)):
        ax.axvline(edge - 0.5, color="#eeeeee", linewidth=0.8)
    ax.set_ylim(0, 100)
    ax.set_xlabel(f"what train has of a gold item of test ({group.task.items} in brackets)")
    ax.set_ylabel(f"recall{group.rule} (%)")
    drawn = [known.row for known in rows]
    system_legend(figure, f"{group.title}: recall by what train has", drawn, styles)
    note = f"Bars: 95 % intervals by drawing test {group.unit}s, seeds summed."
    return finish(figure, group, note)


def calibration(group: Group, styles: Styles) -> Picture | None:
    """Reliability, and risk against coverage; None where no run's scores differ."""
    rows = scored_rows(group)
    if not rows:
        return None
    figure, (diagram, risk) = canvas(2, height=3.6)
    lowest, highest = 100.0, 0.0
    for row in rows:
        graded = graded_of_row(row)
        assert graded is not None  # or it would not be among the rows
        lowest = min(lowest, _reliability(diagram, graded, styles[row.label]))
        highest = max(highest, _risk(risk, graded, styles[row.label]))
    start = 10 * np.floor(lowest / 10)
    diagram.plot([start, 100], [start, 100], color="#999999", linewidth=0.9, linestyle="--")
    diagram.set_xlim(start, 100)
    diagram.set_ylim(0, 100)
    diagram.set_xlabel("mean score of the bin (%)")
    diagram.set_ylabel("precision of the bin (%)")
    risk.set_xlim(0, 100)
    risk.set_ylim(0, min(100.0, max(5.0, 1.1 * highest)))
    risk.set_xlabel("coverage: share of predictions kept, surest first (%)")
    risk.set_ylabel("risk: wrong among the kept (%)")
    system_legend(figure, f"{group.title}: what scores are worth on test", rows, styles)
    return finish(
        figure,
        group,
        f"Left: {BINS} bins of equal mass; dashed: scores that are true probabilities. Right: from "
        f"{FIRST} predictions on. Runs of all seeds joined.",
    )


def _reliability(ax: Axes, graded: Graded, style: Style) -> float:
    """Draws the bins; the least mean score of one."""
    bins = reliability(graded)
    x, y = ([100 * getattr(b, name) for b in bins] for name in ("score", "precision"))
    ax.plot(
        x,
        y,
        style.marker,
        linestyle=style.line,
        linewidth=1.2,
        color=style.colour,
        markerfacecolor=style.face,
        markersize=6,
        clip_on=False,
    )
    return min(x)


def _risk(ax: Axes, graded: Graded, style: Style) -> float:
    """Draws the curve; its greatest risk."""
    curve = risk_coverage(graded)
    start = min(FIRST, len(curve.risk)) - 1
    risk = 100 * curve.risk[start:]
    ax.plot(
        100 * curve.coverage[start:], risk, color=style.colour, linestyle=style.line, linewidth=1.4
    )
    return float(risk.max())

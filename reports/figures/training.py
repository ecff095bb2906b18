"""The report's figures of training and scores, in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.budgets import updates
from reports.cells import Picture, Value, mean, measured, number, values
from reports.figures.style import (
    SMALL,
    TITLE,
    Style,
    Styles,
    canvas,
    finish,
    plain_log,
    system_legend,
    wrapped,
)
from reports.load import Group, Row
from reports.readings import slice_f1, slice_names, training
from reports.run_files import RecordedRun
from reports.times import (
    mark,
    shared_in_words,
    training_taken,
    training_time,
)
from suite.records.run import Epoch


def convergence(group: Group, styles: Styles) -> Picture | None:
    """Dev F1 by updates and by wall clock, loss and gradient norm; None without a history."""
    rows = [row for row in group.rows if any(run.history for run in row.runs)]
    if not rows:
        return None
    runs = [run for row in rows for run in row.runs if run.history]
    clocks = [_clock(run.history)[-1] for run in runs]
    unit, divisor = ("min", 60.0) if max(clocks) >= 180 else ("s", 1.0)
    figure, axes = canvas(4, height=3.1)
    by_updates, by_time, loss, norm = axes
    for row in rows:
        for run in row.runs:
            epochs = [e.epoch for e in run.history]
            f1 = [100 * e.dev.under(group.match).f1 for e in run.history]
            time = [seconds / divisor for seconds in _clock(run.history)]
            for ax, x, y in (
                (by_updates, [updates(e) for e in run.history], f1),
                (by_time, time, f1),
                (loss, epochs, [e.loss for e in run.history]),
                (norm, epochs, [e.gradient_norm for e in run.history]),
            ):
                _curve(ax, run, x, y, styles[row.label])
    for ax in (loss, norm):
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    by_updates.set_xlabel("training steps")
    by_time.set_xlabel(f"training and dev evaluation ({unit})")
    for ax in (by_updates, by_time):
        ax.set_ylabel(f"dev F1{group.rule} (%)")
        ax.set_ylim(0, min(100.0, ax.get_ylim()[1]))
    if max(clocks) > 5 * min(clocks) > 0:
        plain_log(by_time, "x")
    loss.set_ylabel("training loss (own scales)")
    norm.set_ylabel("gradient norm before clipping")
    for ax in (loss, norm):
        drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
        drawn = drawn[np.isfinite(drawn)]
        if len(drawn) and drawn.min() > 0:
            plain_log(ax, "y")
    system_legend(figure, f"{group.title}: convergence", rows, styles)
    cross = (
        "" if all(r.complete for r in runs) else " Black cross: end of a run that did not complete."
    )
    note = f"One line per seed; marker: the chosen epoch.{cross}"
    return finish(figure, group, note + shared_in_words(runs, training_taken))


def _clock(history: Sequence[Epoch]) -> list[float]:
    """Seconds of training and dev evaluation at the end of each epoch."""
    return [e.seconds + e.evaluation_seconds for e in history]


def _curve(
    ax: Axes, run: RecordedRun, x: Sequence[float], y: Sequence[float], style: Style
) -> None:
    """A run's line with its chosen epoch, and a cross where it ended without completing."""
    ax.plot(x, y, color=style.colour, linestyle=style.line, linewidth=1.3, alpha=0.8)
    best = [i for i, epoch in enumerate(run.history) if epoch.best][-1:]
    ax.plot(
        [x[i] for i in best],
        [y[i] for i in best],
        style.marker,
        color=style.face,
        markersize=7,
        markeredgecolor=style.colour if style.hollow else "white",
    )
    finite = [i for i, value in enumerate(y) if math.isfinite(value)]
    if not run.complete and finite:
        ax.plot(x[finite[-1]], y[finite[-1]], "x", color="black", markersize=8, markeredgewidth=2)


def _bars(
    ax: Axes,
    rows: Sequence[Row],
    found: list[dict[int, Value]],
    styles: Styles,
    marks: Sequence[str],
) -> None:
    """A bar for each row's mean and a dot for each seed; no bar where a seed is missing.

    Args:
        ax: to draw on.
        rows: from the top.
        found: each row's values.
        styles: of the rows.
        marks: what follows each row's number.
    """
    for place, (row, cells, note) in enumerate(zip(rows, found, marks, strict=True)):
        numbers = [value for value in cells.values() if not isinstance(value, str)]
        average = mean(cells)
        if average is not None:
            style = styles[row.label]
            edge = style.colour if style.hollow else None
            ax.barh(place, average, color=style.face, edgecolor=edge, height=0.6)
            text = number(average) + note
        else:
            reason = next(str(value) for value in cells.values() if isinstance(value, str))
            text = f"{len(numbers)} of {len(cells)} seeds:\n{reason}" if numbers else reason
        if len(numbers) > 1 or average is None:
            ax.plot(
                numbers,
                [place] * len(numbers),
                styles[row.label].marker,
                color="white",
                markeredgecolor="black",
                markersize=5,
            )
        right = max(numbers, default=0.0)
        ax.annotate(
            text, (right, place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set_yticks(range(len(rows)), [wrapped(row.label) for row in rows])
    ax.grid(False)
    ax.grid(True, axis="x", color="#dddddd", linewidth=0.8)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, ax.get_xlim()[1] * 1.45)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def iterations(group: Group, styles: Styles) -> Picture | None:
    """Time of a training step and steps to the chosen epoch, as FastRE's Figure 2."""
    if not any(run.complete and run.record.training for run in group.runs):
        return None

    figure, (step, steps) = canvas(2, height=0.6 + 0.5 * len(group.rows))
    figure.suptitle(f"{group.title}: iteration time and iterations", fontsize=TITLE)
    timed = training_time("step_seconds", factor=1000)
    count = [values(row, partial(training, name="steps_to_best")) for row in group.rows]
    marks = [mark(timed.ways(row)) for row in group.rows]
    _bars(step, group.rows, list(map(timed.of, group.rows)), styles, marks)
    _bars(steps, group.rows, count, styles, [""] * len(group.rows))
    step.set_xlabel("ms per training step (median)")
    steps.set_xlabel("steps to the chosen epoch")
    steps.set_yticklabels([])
    size = group.first.protocol.examples_per_step(group.dataset.task)
    return finish(figure, group, f"Bar: mean over seeds; dots: seeds. Batch {size} for all.")


_PANELS = {
    "type": "entity type",
    "nested": "shares words with another entity",
    "distance": "sentences of both entities",
    "seen": "gold item in train",
    "overlap": "overlap pattern",
    "count": "gold items in the sentence",
    "length": "words in the sentence",
}
SLICES = 6
"""That a panel has room for; the tables have them all."""


def slices(group: Group, styles: Styles) -> Picture | None:
    """Test F1 by slice, all systems side by side; None where no run has slices."""
    families = [family for family in _PANELS if slice_names(group, family)]
    if not families:
        return None
    figure, axes = canvas(len(families), height=2.9)
    for ax, family in zip(axes, families, strict=True):
        _slice_panel(ax, group, family, styles)
    system_legend(figure, f"{group.title}: test F1 by slice{group.rule}", group.scored, styles)
    note = "Gold items in brackets; bars: standard deviation over seeds; no mark: a seed is missing"
    return finish(figure, group, f"{note}.")


def _slice_panel(ax: Axes, group: Group, family: str, styles: Styles) -> None:
    gold = slice_names(group, family)
    names = list(gold)[:SLICES]
    for place, row in enumerate(group.scored):
        offset = (place - (len(group.scored) - 1) / 2) * 0.7 / max(1, len(group.scored))
        for x, name in enumerate(names):
            numbers = measured(values(row, partial(slice_f1, family=family, name=name)))
            if numbers is not None:
                _point(ax, [x + offset], numbers, styles[row.label], size=7)
    labels = [f"{wrapped(name, 14)}\n({gold[name]:,})" for name in names]
    ax.set_xticks(range(len(names)), labels, fontsize=SMALL)
    ax.set_xlim(-0.6, len(names) - 0.4)
    for edge in range(1, len(names)):
        ax.axvline(edge - 0.5, color="#eeeeee", linewidth=0.8)
    ax.set_ylim(0, 100)
    more = f", the {SLICES} most frequent" if len(gold) > SLICES else ""
    ax.set_xlabel(_PANELS[family] + more)
    ax.set_ylabel("test F1 (%)")


def _point(ax: Axes, x: Sequence[float], y: Sequence[float], style: Style, size: int) -> None:
    """The mean over seeds, with standard deviations where there are several."""
    ax.errorbar(
        float(np.mean(x)),
        float(np.mean(y)),
        xerr=float(np.std(x, ddof=1)) if len(x) > 1 else None,
        yerr=float(np.std(y, ddof=1)) if len(y) > 1 else None,
        fmt=style.marker,
        color=style.colour,
        markerfacecolor=style.face,
        markersize=size,
        capsize=3,
        clip_on=False,
    )

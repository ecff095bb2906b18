"""The report's figures, rendered to PNG in memory.

Colours are those of Okabe and Ito (2008), told apart by readers of every colour vision; each
system also keeps its own marker throughout a report.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from reports.cells import Value, mean, measured, number, values
from reports.load import Group, Results, Row, Run
from reports.overview import plural
from reports.readings import f1_on_test, milliseconds, slice_f1, slice_names, training
from suite.records import Epoch

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
_MARKERS = "osD^vPXh"
_DPI = 105
_WIDTH = 8.4
"""Inches: shown without scaling in a page's column."""
_SMALL = 8.5
_TITLE = 12


@dataclass(frozen=True)
class Style:
    """How a system is drawn in all figures of a report."""

    colour: str
    marker: str


Styles = Mapping[str, Style]


def make_styles(results: Results) -> Styles:
    """A style for each row's label; the ninth system takes the first colour, another marker."""
    labels = dict.fromkeys(row.label for group in results.groups for row in group.rows)
    return {
        label: Style(
            _COLOURS[i % len(_COLOURS)], _MARKERS[(i + i // len(_COLOURS)) % len(_MARKERS)]
        )
        for i, label in enumerate(labels)
    }


def _figure(panels: int, height: float) -> tuple[Figure, list[Axes]]:
    """Two panels abreast, each `height` inches high."""
    columns = min(panels, 2)
    lines = math.ceil(panels / columns)
    figure = Figure(figsize=(_WIDTH, height * lines + 1.1), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.atleast_1d(figure.subplots(lines, columns)).flat)
    for ax in axes[panels:]:
        ax.remove()
    for ax in axes[:panels]:
        ax.grid(True, axis="y", color="#dddddd", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes[:panels]


def _finish(figure: Figure, group: Group, note: str) -> bytes:
    protocol = group.first.protocol
    figure.supxlabel(
        f"{note}\n{protocol.device}, {plural(protocol.threads, 'thread')}, "
        f"{group.environment.processor}",
        fontsize=_SMALL,
        color="#555555",
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _legend(figure: Figure, title: str, rows: Sequence[Row], styles: Styles) -> None:
    """The figure's title with its legend beneath."""
    handles = [
        Line2D([], [], color=styles[row.label].colour, marker=styles[row.label].marker)
        for row in rows
    ]
    figure.legend(
        handles,
        [f"{row.label} ({row.n})" for row in rows],
        title=title,
        title_fontsize=_TITLE,
        loc="outside upper center",
        ncols=min(len(rows), 3),
        frameon=False,
    )


def _plain_log(ax: Axes, axis: str) -> None:
    """A logarithmic axis labelled 0.2, 1, 50 and not by powers of ten."""
    getattr(ax, f"set_{axis}scale")("log")
    chosen = ax.xaxis if axis == "x" else ax.yaxis
    low, high = getattr(ax, f"get_{axis}lim")()
    narrow = math.log10(high / low) < 2.2
    chosen.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    chosen.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    chosen.set_minor_formatter(NullFormatter())


def convergence(group: Group, styles: Styles) -> bytes | None:
    """Dev F1 by epoch and by wall clock, loss and gradient norm; None without a history."""
    rows = [row for row in group.rows if any(run.history for run in row.runs)]
    if not rows:
        return None
    runs = [run for row in rows for run in row.runs if run.history]
    clocks = [_clock(run.history)[-1] for run in runs]
    unit, divisor = ("min", 60.0) if max(clocks) >= 180 else ("s", 1.0)
    figure, axes = _figure(4, height=3.1)
    by_epoch, by_time, loss, norm = axes
    for row in rows:
        for run in row.runs:
            epochs = [e.epoch for e in run.history]
            f1 = [100 * getattr(e.dev, group.match).f1 for e in run.history]
            time = [seconds / divisor for seconds in _clock(run.history)]
            for ax, x, y in (
                (by_epoch, epochs, f1),
                (by_time, time, f1),
                (loss, epochs, [e.loss for e in run.history]),
                (norm, epochs, [e.gradient_norm for e in run.history]),
            ):
                _curve(ax, run, x, y, styles[row.label])
    for ax in (by_epoch, loss, norm):
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    by_time.set_xlabel(f"training and dev evaluation ({unit})")
    for ax in (by_epoch, by_time):
        ax.set_ylabel(f"dev F1, {group.match} match (%)")
        ax.set_ylim(bottom=0)
    if max(clocks) > 5 * min(clocks) > 0:
        _plain_log(by_time, "x")
    loss.set_ylabel("training loss (own scales)")
    norm.set_ylabel("gradient norm before clipping")
    for ax in (loss, norm):
        drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
        drawn = drawn[np.isfinite(drawn)]
        if len(drawn) and drawn.min() > 0:
            _plain_log(ax, "y")
    _legend(figure, f"{group.title}: convergence", rows, styles)
    cross = (
        "" if all(r.complete for r in runs) else " Black cross: end of a run that did not complete."
    )
    return _finish(figure, group, f"One line a seed; marker: the chosen epoch.{cross}")


def _clock(history: Sequence[Epoch]) -> list[float]:
    """Seconds of training and dev evaluation at the end of each epoch."""
    return [e.seconds + e.evaluation_seconds for e in history]


def _curve(ax: Axes, run: Run, x: Sequence[float], y: Sequence[float], style: Style) -> None:
    """A run's line with its chosen epoch, and a cross where it ended without completing."""
    ax.plot(x, y, color=style.colour, linewidth=1.3, alpha=0.8)
    best = [i for i, epoch in enumerate(run.history) if epoch.best][-1:]
    ax.plot(
        [x[i] for i in best],
        [y[i] for i in best],
        style.marker,
        color=style.colour,
        markersize=7,
        markeredgecolor="white",
    )
    finite = [i for i, value in enumerate(y) if math.isfinite(value)]
    if not run.complete and finite:
        ax.plot(x[finite[-1]], y[finite[-1]], "x", color="black", markersize=8, markeredgewidth=2)


def _bars(ax: Axes, rows: Sequence[Row], found: list[dict[int, Value]], styles: Styles) -> None:
    """A bar for each row's mean and a dot for each seed; no bar where a seed is missing."""
    for place, (row, cells) in enumerate(zip(rows, found, strict=True)):
        numbers = [value for value in cells.values() if not isinstance(value, str)]
        average = mean(cells)
        if average is not None:
            ax.barh(place, average, color=styles[row.label].colour, height=0.6)
            text = number(average)
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
    ax.set_yticks(range(len(rows)), [row.label for row in rows])
    ax.grid(False)
    ax.grid(True, axis="x", color="#dddddd", linewidth=0.8)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, ax.get_xlim()[1] * 1.45)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def iterations(group: Group, styles: Styles) -> bytes | None:
    """Time of a training step and steps to the chosen epoch, as FastRE's Figure 2."""
    if not any(run.complete and run.record.training for run in group.runs):
        return None

    figure, (step, steps) = _figure(2, height=0.6 + 0.5 * len(group.rows))
    figure.suptitle(f"{group.title}: iteration time and iterations", fontsize=_TITLE)
    time = [values(row, partial(training, name="step_seconds", factor=1000)) for row in group.rows]
    count = [values(row, partial(training, name="steps_to_best")) for row in group.rows]
    _bars(step, group.rows, time, styles)
    _bars(steps, group.rows, count, styles)
    step.set_xlabel("ms a training step (median)")
    steps.set_xlabel("steps to the chosen epoch")
    steps.set_yticklabels([])
    protocol = group.first.protocol
    size = protocol.document_batch_size if group.dataset.task == "docre" else protocol.batch_size
    return _finish(figure, group, f"Bar: mean over seeds; dots: seeds. Batch {size} for all.")


_PANELS = {
    "seen": "gold item in train",
    "overlap": "overlap pattern",
    "count": "gold items in the sentence",
    "length": "words in the sentence",
}


def slices(group: Group, styles: Styles) -> bytes | None:
    """Test F1 by slice, all systems side by side; None where no run has slices."""
    sliced = [r.record.test for r in group.runs if r.complete and r.record.test]
    families = [f for f in _PANELS if any(evaluation.slices.get(f) for evaluation in sliced)]
    if not families:
        return None
    figure, axes = _figure(len(families), height=2.9)
    for ax, family in zip(axes, families, strict=True):
        gold = slice_names(group, family)
        names = list(gold)
        for place, row in enumerate(group.rows):
            offset = (place - (len(group.rows) - 1) / 2) * 0.7 / max(1, len(group.rows))
            for x, name in enumerate(names):
                numbers = measured(values(row, partial(slice_f1, family=family, name=name)))
                if numbers is None:
                    continue
                style = styles[row.label]
                ax.errorbar(
                    x + offset,
                    float(np.mean(numbers)),
                    yerr=float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None,
                    fmt=style.marker,
                    color=style.colour,
                    markersize=7,
                    capsize=3,
                )
        ax.set_xticks(
            range(len(names)), [f"{name}\n({gold[name]:,})" for name in names], fontsize=_SMALL
        )
        ax.set_xlim(-0.6, len(names) - 0.4)
        for edge in range(1, len(names)):
            ax.axvline(edge - 0.5, color="#eeeeee", linewidth=0.8)
        ax.set_ylim(0, 105)
        ax.set_xlabel(_PANELS[family])
        ax.set_ylabel("test F1 (%)")
    _legend(figure, f"{group.title}: test F1 by slice, {group.match} match", group.rows, styles)
    note = "Gold items in brackets; bars: standard deviation over seeds; no mark: a seed is missing"
    return _finish(figure, group, f"{note}.")


LEAST_RANGE = 20.0
"""Points of F1 that the axis of `trade_off` covers at least."""


def trade_off(group: Group, styles: Styles) -> bytes | None:
    """Test F1 against inference time at the least and the largest batch; None without either."""
    ends = {*group.batch_sizes[:1], *group.batch_sizes[-1:]}
    panels = {size: _points(group, size) for size in sorted(ends)}
    panels = {size: found for size, found in panels.items() if found[0]}
    if not panels:
        return None
    figure, axes = _figure(len(panels), height=3.2)
    for ax, (size, (points, absent)) in zip(axes, panels.items(), strict=True):
        for row, time, f1 in points:
            style = styles[row.label]
            several = len(time) > 1
            ax.errorbar(
                float(np.mean(time)),
                float(np.mean(f1)),
                xerr=float(np.std(time, ddof=1)) if several else None,
                yerr=float(np.std(f1, ddof=1)) if several else None,
                fmt=style.marker,
                color=style.colour,
                markersize=9,
                capsize=3,
            )
        ax.margins(0.2)
        _plain_log(ax, "x")
        ax.set_xlabel(f"ms a sentence at batch {size}")
        ax.set_ylabel(f"test F1, {group.match} match (%)")
        if absent:
            ax.set_title("Not shown: " + "; ".join(absent), fontsize=_SMALL, color="#555555")
    limits = [ax.get_ylim() for ax in axes]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    # A close-up of a point or two would make chance look like a finding.
    widened = max(0.0, LEAST_RANGE - (high - low)) / 2
    for ax in axes:
        ax.set_ylim(low - widened, high + widened)
    _legend(figure, f"{group.title}: test F1 against inference time", group.rows, styles)
    return _finish(figure, group, "Words to predictions; bars: standard deviation over seeds.")


def _points(
    group: Group, size: int
) -> tuple[list[tuple[Row, list[float], list[float]]], list[str]]:
    """Rows with time and F1 of every seed, and for the others why they have no point."""
    points, absent = [], []
    for row in group.rows:
        times = values(row, partial(milliseconds, batch_size=size))
        scores = values(row, partial(f1_on_test, match=group.match))
        time, f1 = measured(times), measured(scores)
        if time and f1:
            points.append((row, time, f1))
        else:
            found = [*times.values(), *scores.values()]
            reason = next(value for value in found if isinstance(value, str))
            absent.append(f"{row.label} ({reason})")
    return points, absent

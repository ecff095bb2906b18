"""What all figures share: how a system is drawn, the canvas, and its legend.

Colours are those of Okabe and Ito (2008), told apart by readers of every colour vision; each
system also keeps its own marker throughout a report. Upper bounds are drawn hollow.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.cells import Picture
from reports.load import AnyRow, Group, Results
from reports.sections.overview import plural

Line: TypeAlias = Literal["-", "--", ":"]
"""Whole, dashed or dotted."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
_MARKERS = "osD^vPXh"
_LINES: tuple[Line, ...] = ("-", "--", ":")
_DPI = 105
_WIDTH = 8.4
"""Inches: shown without scaling in a page's column."""
SMALL = 8.5
TITLE = 12
LEGEND_LETTERS = 105
"""That fit side by side."""
LINE = 0.22
"""Inches that a further line of the legend takes."""

_UNSAID: Mapping[str, Sequence[str]] = {
    "png": ("Software",),
    "svg": ("Creator", "Date"),
    "pdf": ("Creator", "Producer", "CreationDate"),
}
"""Facts on the drawing itself that a file would hold, which differ from day to day."""

rcParams["text.parse_math"] = False  # a dollar in a name of a system or a type is no formula
rcParams["svg.hashsalt"] = "relation-suite"  # parts are called alike whenever they are drawn
rcParams["pdf.fonttype"] = 42  # TrueType: publishers refuse Type 3


@dataclass(frozen=True)
class Style:
    """How a system is drawn in all figures of a report."""

    colour: str
    marker: str
    line: Line
    hollow: bool

    @property
    def face(self) -> str:
        """What fills its markers and bars."""
        return "white" if self.hollow else self.colour


Styles = Mapping[str, Style]


def make_styles(results: Results) -> Styles:
    """A style for each row's label; the ninth takes the first colour, another marker and line.

    Systems that were not trained here follow those that were.
    """
    bounds = {row.label: bool(row.upper_bound) for group in results.groups for row in group.rows}
    bounds |= {row.label: False for group in results.groups for row in group.outside}
    return {label: style_of(i, hollow=bound) for i, (label, bound) in enumerate(bounds.items())}


def style_of(place: int, *, hollow: bool = False) -> Style:
    """The style of the system at a place, from 0, among those of a report."""
    turn, colour = divmod(place, len(_COLOURS))
    return Style(
        _COLOURS[colour],
        _MARKERS[(place + turn) % len(_MARKERS)],
        _LINES[turn % len(_LINES)],
        hollow,
    )


def canvas(panels: int, height: float) -> tuple[Figure, list[Axes]]:
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


def finish(figure: Figure, group: Group, note: str) -> Picture:
    """As `noted`, of a group's runs."""
    protocol = group.first.protocol
    places = dict.fromkeys(p.environment.processor for p in group.machines)
    devices = dict.fromkeys(p.environment.device for p in group.machines)
    return noted(figure, note, " and ".join(devices), protocol.threads, " and ".join(places))


def noted(figure: Figure, note: str, device: str, threads: int, processor: str) -> Picture:
    """The figure with a note below on what is drawn, and where it was measured."""
    where = f"{device}, {plural(threads, 'thread')}, {processor}"
    figure.supxlabel(f"{note}\n{where}", fontsize=SMALL, color="#555555")
    return rendered(figure)


def rendered(figure: Figure) -> Picture:
    """The figure in all forms, laid out once; of the same data, it has the same bytes."""
    png = _saved(figure, "png")
    figure.set_layout_engine("none")  # what is laid out stays
    return Picture(png, _saved(figure, "svg"), _saved(figure, "pdf"))


def _saved(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, metadata=dict.fromkeys(_UNSAID[form]))
    return buffer.getvalue()


def legend(
    figure: Figure, title: str | None, handles: Sequence[Artist], labels: Sequence[str]
) -> None:
    """The figure's title with its legend beneath, as many abreast as there is room for."""
    columns = _columns(labels)
    further = math.ceil(len(labels) / columns) - 1
    figure.set_figheight(figure.get_figheight() + LINE * further)
    figure.legend(
        handles,
        labels,
        title=title,
        title_fontsize=TITLE,
        loc="outside upper center",
        ncols=columns,
        frameon=False,
    )


def legend_above(figure: Figure, *axes: Axes) -> None:
    """All that the panels have labelled, above them: within, it would lie on points."""
    found = {
        label: handle
        for ax in axes
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    legend(figure, None, list(found.values()), list(found))


def _columns(labels: Sequence[str]) -> int:
    """The most columns, three or fewer, into which the labels fit as matplotlib deals them out."""
    for columns in range(min(len(labels), 3), 1, -1):
        dealt = np.array_split([len(label) + 8 for label in labels], columns)  # 8: line and gap
        if sum(int(lengths.max()) for lengths in dealt) <= LEGEND_LETTERS:
            return columns
    return 1


def system_legend(figure: Figure, title: str, rows: Sequence[AnyRow], styles: Styles) -> None:
    """The figure's title with one entry per row."""
    handles = [
        Line2D(
            [],
            [],
            color=styles[row.label].colour,
            marker=styles[row.label].marker,
            linestyle=styles[row.label].line,
            markerfacecolor=styles[row.label].face,
        )
        for row in rows
    ]
    legend(figure, title, handles, [f"{row.label} ({row.n})" for row in rows])


def wrapped(label: str, width: int = 22) -> str:
    """A label over several lines."""
    return textwrap.fill(label, width)


def plain_log(ax: Axes, axis: str) -> None:
    """A logarithmic axis labelled 0.2, 1, 50 and not by powers of ten."""
    getattr(ax, f"set_{axis}scale")("log")
    chosen = ax.xaxis if axis == "x" else ax.yaxis
    low, high = getattr(ax, f"get_{axis}lim")()
    narrow = math.log10(high / low) < 2.2
    chosen.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    chosen.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    chosen.set_minor_formatter(NullFormatter())


def widen_log(ax: Axes, least: float) -> None:
    """A logarithmic horizontal axis whose ends are `least` times apart or more.

    A close-up of two times would make noise look like a difference.
    """
    low, high = ax.get_xlim()
    widened = max(1.0, least * low / high) ** 0.5
    ax.set_xlim(low / widened, high * widened)


def widen(axes: Sequence[Axes], least: float) -> None:
    """One range of the vertical axis for all panels, `least` points of F1 or more.

    A close-up of a point or two would make chance look like a finding.
    """
    limits = [ax.get_ylim() for ax in axes]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    widened = max(0.0, least - (high - low)) / 2
    for ax in axes:
        ax.set_ylim(low - widened, high + widened)

"""F1 against latency: the systems that none beats in both, and those that one does."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from reports.answer import Answer, Candidate, front_of
from reports.cells import Picture
from reports.figures.name_places import write_names
from reports.figures.style import TITLE, Styles, canvas, finish, plain_log, widen, widen_log
from reports.load import Group
from reports.sections.overview import listed
from reports.times import Taken, inference_taken, shared_in_words
from suite.records.run import RunRecord

LEAST_RANGE = 20.0
"""Points of F1 that the vertical axis covers at least."""
LEAST_RATIO = 8.0
"""Between the ends of the horizontal axis, at least."""
REACH = 40.0
"""Points under the best one below which a system is named in the note: it would leave the others
no room."""
GREY = "#aaaaaa"
"""Of what another system beats."""
TOP = 100.0
"""Per cent, beyond which no axis goes."""
Point = tuple[Candidate, float]
"""A system with its milliseconds."""


def draw(group: Group, answer: Answer, styles: Styles) -> Picture | None:
    """A panel for the least and for the largest batch; None without a latency."""
    sizes = answer.place.outer_batch_sizes
    panels = {size: found for size in sizes if (found := _in_reach(answer, size))}
    if not panels:
        return None
    figure, axes = canvas(len(panels), height=3.6)
    for ax, (size, found) in zip(axes, panels.items(), strict=True):
        _panel(ax, found, styles)
        ax.set_xlabel(f"ms per {group.unit} at batch {size}")
        ax.set_ylabel(f"test F1{group.rule} (%)")
    widen(axes, LEAST_RANGE)
    for ax, found in zip(axes, panels.values(), strict=True):
        low, high = ax.get_ylim()
        ax.set_ylim(max(0.0, low - max(0.0, high - TOP)), min(high, TOP))
        write_names(
            ax,
            {c.row.label: (time, 100 * c.f1) for c, time in found},
            bars=[
                ((time, 100 * c.standing.f1.low), (time, 100 * c.standing.f1.high))
                for c, time in found
            ],
        )
    figure.suptitle(f"{group.title}: F1 against latency", fontsize=TITLE)

    def taken(record: RunRecord) -> Taken | None:
        ways = [way for size in panels if (way := inference_taken(record, size)) is not None]
        return next((way for way in ways if way.shared), next(iter(ways), None))

    runs = (run for row in answer.place.systems for run in row.complete)
    note = "Line: the systems that none beats in both; grey: beaten in both. Bars: 95 % interval."
    return finish(figure, answer.place, note + _below(answer) + shared_in_words(runs, taken))


def _in_reach(answer: Answer, size: int) -> list[Point]:
    return [(c, taken) for c, taken in answer.timed(size) if not _is_below(answer, c)]


def _is_below(answer: Answer, candidate: Candidate) -> bool:
    return answer.best is not None and 100 * (answer.best.f1 - candidate.f1) > REACH


def _below(answer: Answer) -> str:
    """The systems that are too far below to be drawn, as a sentence."""
    named = [
        f"{c.row.label} ({100 * c.f1:.1f} %)" for c in answer.candidates if _is_below(answer, c)
    ]
    return f" Below the axis: {listed(named)}." if named else ""


def _panel(ax: Axes, found: Sequence[Point], styles: Styles) -> None:
    front = front_of(found)
    leading = {candidate.row.label for candidate, _ in front}
    ax.plot(
        [taken for _, taken in front],
        [100 * candidate.f1 for candidate, _ in front],
        color="#666666",
        linewidth=1.0,
        zorder=1,
    )
    for candidate, taken in found:
        estimate, style = candidate.standing.f1, styles[candidate.row.label]
        colour = style.colour if candidate.row.label in leading else GREY
        below, above = estimate.value - estimate.low, estimate.high - estimate.value
        ax.errorbar(
            taken,
            100 * estimate.value,
            yerr=[[100 * max(0.0, below)], [100 * max(0.0, above)]],
            fmt=style.marker,
            color=colour,
            markersize=8,
            capsize=3,
            zorder=2,
        )
    ax.margins(0.25, 0.1)
    plain_log(ax, "x")
    widen_log(ax, LEAST_RATIO)

"""The figures of a structure search."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.cells import Picture, Pictures
from reports.figures.name_places import write_names
from reports.figures.style import SMALL, canvas, legend_above, noted, plain_log
from reports.sections.overview import plural
from suite.records.search import SearchRecord, TrialRecord

_COMPLETE, _PRUNED, _LABELLED, _FRONT = "#0072B2", "#BBBBBB", "#D55E00", "#009E73"


def draw(record: SearchRecord, front: Sequence[TrialRecord]) -> Pictures:
    """The history and the front, as far as the trials allow."""
    own = [t for t in record.trials if t.duplicate_of is None and t.dev_f1 is not None]
    drawn: dict[str, Picture] = {}
    if own:
        drawn["history"] = _history(record, own)
    if front:
        drawn["front"] = _front(record, own, front)
    return drawn


def finish(figure: Figure, record: SearchRecord, note: str) -> Picture:
    """The figure with a note below on what is drawn, and where it was measured."""
    where = record.environment
    return noted(figure, note, where.device, record.protocol.threads, where.processor)


def _f1(trial: TrialRecord) -> float:
    return 100 * (trial.dev_f1 or 0.0)


def _cut(ax: Axes, bottom: float, trials: Sequence[TrialRecord]) -> str:
    """Begins the axis of F1 at `bottom` (0 at least), and says which trials lie below it."""
    below = sum(_f1(t) < bottom for t in trials)
    ax.set_ylim(bottom=max(0.0, bottom))
    return f"; {plural(below, 'structure')} below the axis not shown" if below else ""


def _history(record: SearchRecord, own: Sequence[TrialRecord]) -> Picture:
    figure, (ax,) = canvas(1, 3.6)
    places = list(range(1, len(own) + 1))
    for state, colour in (("complete", _COMPLETE), ("pruned", _PRUNED)):
        shown = {i: _f1(t) for i, t in zip(places, own, strict=True) if t.state == state}
        if shown:
            ax.scatter(list(shown), list(shown.values()), s=22, color=colour, label=state, zorder=3)
    complete = [_f1(t) if t.state == "complete" else 0.0 for t in own]
    best = list(accumulate(complete, max))
    ax.step(places, best, where="post", color=_FRONT, label="best so far")
    later = [i for i, t in zip(places, own, strict=True) if t.phase == "trade-off"]
    if later:
        ax.axvline(later[0] - 0.5, color="#555555", linewidth=0.8, linestyle="--")
        at_the_foot = ax.get_xaxis_transform()
        ax.text(later[0], 0.01, "second phase", fontsize=SMALL, transform=at_the_foot)
    hidden = _cut(ax, min(filter(None, complete), default=0.0) - 15, own)
    ax.set_xlabel("Structure, in the order of the search")
    ax.set_ylabel("dev F1 (%)")
    ax.legend(frameon=False, fontsize=SMALL, loc="lower right")
    return finish(figure, record, f"One seed per structure{hidden}.")


def _front(
    record: SearchRecord, own: Sequence[TrialRecord], front: Sequence[TrialRecord]
) -> Picture:
    figure, (ax,) = canvas(1, 4.2)
    size = record.limits.latency_batch
    known = [t for t in own if t.state == "complete" and size in t.latency_ms]
    for trials, colour, marker, label in (
        ([t for t in known if not t.label], _COMPLETE, "o", "structures"),
        ([t for t in known if t.label], _LABELLED, "D", "published structures"),
    ):
        x, y = [t.latency_ms[size] for t in trials], [_f1(t) for t in trials]
        ax.scatter(x, y, s=26, color=colour, marker=marker, label=label, zorder=3)
    x, y = [t.latency_ms[size] for t in front], [_f1(t) for t in front]
    ax.step(x, y, where="post", color=_FRONT, label="front", zorder=2)
    if record.limits.latency_ms is not None:
        ax.axvline(record.limits.latency_ms, color="#555555", linestyle="--", label="limit")
    plain_log(ax, "x")
    ax.set_xlabel(f"Latency (ms per sentence, batch {size})")
    ax.set_ylabel("dev F1 (%)")
    hidden = _cut(ax, min(y) - 5, known)
    shown = [t for t in known if _f1(t) >= ax.get_ylim()[0]]
    named = {t.label: (t.latency_ms[size], _f1(t)) for t in shown if t.label}
    write_names(ax, named, [(t.latency_ms[size], _f1(t)) for t in shown if not t.label])
    legend_above(figure, ax)
    shared = sum(t.measured_alone is False for t in known)
    note = f" {shared} of {len(known)} measured on a shared machine." if shared else ""
    return finish(figure, record, f"Complete structures, one seed each{hidden}.{note}")

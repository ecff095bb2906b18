"""The figure of dev F1 by epoch, in which the structures that are spoken of can be told apart."""

from __future__ import annotations

from matplotlib.ticker import MaxNLocator

from reports.cells import Pictures
from reports.figures.style import SMALL, canvas, style_of
from reports.search.figures import finish
from suite.records.search import SearchRecord, TrialRecord, best_first

BEST = 3
"""How many of the best are drawn in a colour of their own, besides the published structures."""
_OTHERS, _PRUNED = "#9DB9CC", "#BBBBBB"


def draw(record: SearchRecord) -> Pictures:
    """The figure; none where no trial had an epoch."""
    own = [t for t in record.trials if t.duplicate_of is None and t.epochs]
    if not own:
        return {}
    named = told_apart(own)
    figure, (ax,) = canvas(1, 4.2)
    for t in own:
        if t.key not in {n.key for n in named}:
            colour = _PRUNED if t.state == "pruned" else _OTHERS
            ax.plot(range(1, len(t.epochs) + 1), _points(t), color=colour, linewidth=0.8)
        if t.state == "pruned":
            ax.plot(len(t.epochs), _points(t)[-1], marker="x", color="#777777", markersize=5)
    for place, t in enumerate(named):
        style = style_of(place)
        ax.plot(
            range(1, len(t.epochs) + 1),
            _points(t),
            color=style.colour,
            marker=style.marker,
            markersize=4,
            linestyle="--" if t.label else "-",
            linewidth=1.6,
            label=f"{t.label} (published)" if t.label else t.name,
            zorder=3,
        )
    ax.plot([], [], color=_OTHERS, linewidth=0.8, label="others")
    if any(t.state == "pruned" for t in own):
        ax.plot([], [], color=_PRUNED, marker="x", markeredgecolor="#777777", label="pruned")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Epoch")
    ax.set_ylabel("dev F1 (%)")
    ax.legend(frameon=False, fontsize=SMALL, loc="lower right", ncols=2)
    note = "All trials, one seed each; the trials for the trade-off are not pruned."
    return {"epochs": finish(figure, record, note)}


def told_apart(own: list[TrialRecord]) -> list[TrialRecord]:
    """The published structures, and the best of the others."""
    published = [t for t in own if t.label]
    others = [t for t in best_first(own) if not t.label]
    return [*published, *others[:BEST]]


def _points(trial: TrialRecord) -> list[float]:
    return [100 * f1 for f1 in trial.epochs]

"""The figure of short scores against long ones, and of how early the final order shows."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.cells import Pictures
from reports.figures.name_places import write_names
from reports.figures.style import canvas, legend_above
from reports.search.figures import finish
from reports.search.order import ENOUGH, Pair, order_after, order_of, pairs
from reports.sections.overview import plural
from suite.records.search import SearchRecord

_PLAIN, _LABELLED, _RUNG = "#0072B2", "#D55E00", "#E69F00"


def draw(record: SearchRecord) -> Pictures:
    """The figure; none where no order can be told."""
    found = pairs(record)
    order = order_of(found)
    if order is None or record.check is None:
        return {}
    figure, (left, right) = canvas(2, 3.6)
    _scores(left, found)
    left.set_xlabel(f"dev F1 (%), at most {plural(record.protocol.epochs, 'epoch')}")
    left.set_ylabel(f"dev F1 (%), at most {plural(record.check.epochs, 'epoch')}")
    _by_epoch(right, found, record.check.epochs, record.rungs)
    legend_above(figure, left, right)
    note = f"{plural(len(found), 'structure')}, one seed each; tau of both scores {order.tau:.2f}."
    return {"order": finish(figure, record, note)}


def _scores(ax: Axes, found: Sequence[Pair]) -> None:
    for published, marker, colour, label in (
        (False, "o", _PLAIN, "structures"),
        (True, "D", _LABELLED, "published structures"),
    ):
        some = [pair for pair in found if bool(pair[0].label) is published]
        if some:
            x, y = zip(*map(_place, some), strict=True)
            ax.scatter(x, y, s=26, marker=marker, color=colour, label=label, zorder=3)
    ax.margins(0.15)
    write_names(ax, {_name(pair): _place(pair) for pair in found})


def _name(pair: Pair) -> str:
    short = pair[0]
    return short.label or (str(short.number) if short.phase == "accuracy" else short.name)


def _place(pair: Pair) -> tuple[float, float]:
    short, long = pair
    return 100 * (short.dev_f1 or 0.0), 100 * (long.dev_f1 or 0.0)


def _by_epoch(ax: Axes, found: Sequence[Pair], epochs: int, rungs: Sequence[int]) -> None:
    told = {e: o for e in range(1, epochs + 1) if (o := order_after(found, e)) is not None}
    ax.plot(list(told), [o.tau for o in told.values()], color=_PLAIN, marker="o", label="tau")
    low, high = [o.low for o in told.values()], [o.high for o in told.values()]
    ax.fill_between(list(told), low, high, color=_PLAIN, alpha=0.15, label="95 % interval")
    ax.axhline(ENOUGH, color="#555555", linewidth=0.8, linestyle="--", label="enough")
    for rung in rungs:
        ax.axvline(rung, color=_RUNG, linewidth=1.2, linestyle=":")
    if rungs:
        ax.plot([], [], color=_RUNG, linestyle=":", label="pruning judges")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Epoch of the long trainings")
    ax.set_ylabel("Kendall's tau to the end")
    ax.set_ylim(-1.05, 1.05)

"""Where the names of points stand in a panel, so that none lies on another or on a point.

Lengths are shares of the panel's width and height.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from matplotlib.axes import Axes

from reports.figures.style import SMALL

LETTER, WIDTH = 0.045, 0.021
"""The height of a name, and the width of one of its letters."""
GAP, MARK, BAR = 0.03, 0.02, 0.012
"""From a point to its name, from its centre to its edge, and from a bar's middle to its edge."""
LEADER = {"arrowstyle": "-", "color": "#aaaaaa", "linewidth": 0.7}
"""From a point to a name that does not stand beside it."""
NEAR = 14
"""Places, the nearest first, up to which a name would rather move than stand on a bar."""
_STEPS = 12


Bar: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""The lower and the upper end of an upright line."""


class Box(NamedTuple):
    """What something takes of a panel."""

    left: float
    right: float
    low: float
    high: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.high <= other.low or other.high <= self.low)


class Place(NamedTuple):
    """Where a name stands.

    Attributes:
        side: 1 on the right of its point, -1 on the left.
        x, y: of the end that is next to the point.
        shifted: whether it stands above or below its point.
        box: what it takes.
    """

    side: int
    x: float
    y: float
    shifted: bool
    box: Box


def write_names(
    ax: Axes,
    points: Mapping[str, tuple[float, float]],
    others: Collection[tuple[float, float]] = (),
    bars: Collection[Bar] = (),
) -> None:
    """Writes each name beside its point, or where there is room, with a line to it.

    Args:
        ax: whose limits and scales no longer change.
        points: name -> its point, in the panel's own units.
        others: further points, which have no names.
        bars: that names leave free where there is room.
    """
    ax.autoscale_view()  # else it is put off until the figure is drawn
    within = {name: _within(ax, point) for name, point in points.items()}
    marked = [_within(ax, point) for point in others]
    drawn = [(_within(ax, low), _within(ax, high)) for low, high in bars]
    for name, place in name_places(within, marked, drawn).items():
        ax.annotate(
            name,
            within[name],
            xycoords="axes fraction",
            xytext=(place.x, place.y),
            textcoords="axes fraction",
            ha="left" if place.side > 0 else "right",
            va="center",
            fontsize=SMALL,
            arrowprops=LEADER if place.shifted else None,
        )


def _within(ax: Axes, point: tuple[float, float]) -> tuple[float, float]:
    """A point's place in the panel, in shares of its width and height."""
    x, y = ax.transAxes.inverted().transform(ax.transData.transform(point))
    return float(x), float(y)


def name_places(
    points: Mapping[str, tuple[float, float]],
    others: Collection[tuple[float, float]] = (),
    bars: Collection[Bar] = (),
) -> dict[str, Place]:
    """A place for each name, as near to its point as those before it leave room.

    Where a panel has no room left, a name stands beside its point, whatever lies there.

    Args:
        points: name -> its point; those that come first choose first.
        others: further points.
        bars: upright ones, that names leave free where there is room.
    """
    marked = [*points.values(), *others]
    taken = [Box(x - MARK, x + MARK, y - MARK, y + MARK) for x, y in marked]
    upright = [Box(x - BAR, x + BAR, low, high) for (x, low), (_, high) in bars]
    places = {}
    for name, (x, y) in points.items():
        choices = list(_choices(name, x, y))
        off_bars = (p for p in choices[:NEAR] if _is_free(p.box, [*taken, *upright]))
        on_bars = (p for p in choices if _is_free(p.box, taken))
        places[name] = next(itertools.chain(off_bars, on_bars), choices[0])
        taken.append(places[name].box)
    return places


def _is_free(box: Box, taken: list[Box]) -> bool:
    within = box.left >= 0 and box.right <= 1 and box.low >= 0 and box.high <= 1
    return within and not any(box.meets(other) for other in taken)


def _choices(name: str, x: float, y: float) -> Iterator[Place]:
    """Places of a name, the nearest first."""
    width = WIDTH * len(name)
    shifts = [0.0, *(sign * step * LETTER for step in range(1, _STEPS) for sign in (1, -1))]
    for shift, side in itertools.product(shifts, (1, -1)):
        near, far = x + side * GAP, x + side * (GAP + width)
        height = y + shift
        low, high = height - LETTER / 2, height + LETTER / 2
        box = Box(min(near, far), max(near, far), low, high)
        yield Place(side, near, height, shift != 0, box)

"""Axes show no close-up of noise."""

from __future__ import annotations

import pytest

from reports.figures.style import canvas, plain_log, style_of, widen_log


@pytest.mark.parametrize(("times", "ratio"), [((1.5, 1.8), 8.0), ((1.0, 1000.0), 1000.0)])
def test_a_logarithmic_axis_covers_a_ratio(times: tuple[float, float], ratio: float) -> None:
    _, (ax,) = canvas(1, 3.0)
    ax.plot(times, (90.0, 80.0))
    plain_log(ax, "x")
    before = ax.get_xlim()
    widen_log(ax, 8.0)
    low, high = ax.get_xlim()
    assert high / low >= ratio * (1 - 1e-9)
    assert low * high == pytest.approx(before[0] * before[1]), "its middle has moved"
    if times[1] / times[0] > ratio / 2:
        assert (low, high) == before


def test_lines_of_many_systems_are_told_apart_without_their_markers() -> None:
    styles = [style_of(place) for place in range(24)]
    assert len({(style.colour, style.line) for style in styles}) == len(styles)
    assert len({(style.colour, style.marker) for style in styles}) == len(styles)

"""Names of points in a panel: each by its own point, none on another."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.figures.name_places import GAP, MARK, Box, name_places, write_names
from reports.figures.style import canvas

NAMES = ("GRTE", "TPLinker", "CasRel", "RelU-Net", "BERT DocRED", "PRGC", "SPN", "FastRE", "PMEI")


def test_a_lone_name_stands_on_the_right_of_its_point() -> None:
    place = name_places({"GRTE": (0.2, 0.5)})["GRTE"]
    assert (place.side, place.x, place.y, place.shifted) == (1, 0.2 + GAP, 0.5, False)


def test_at_the_right_edge_it_stands_on_the_left() -> None:
    place = name_places({"GRTE": (0.95, 0.5)})["GRTE"]
    assert (place.side, place.shifted) == (-1, False)


def test_a_name_gives_way_to_the_point_beside_it() -> None:
    places = name_places({"TPLinker": (0.4, 0.5), "CasRel": (0.5, 0.5)})
    assert (places["TPLinker"].side, places["TPLinker"].shifted) == (-1, False)
    assert (places["CasRel"].side, places["CasRel"].shifted) == (1, False)


def test_where_there_is_no_room_it_stands_by_its_point() -> None:
    crowd = {f"{'x' * 60}{i}": (0.5, 0.5) for i in range(3)}
    assert not any(place.shifted for place in name_places(crowd).values())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.25, 0.75), st.floats(0.3, 0.7)), min_size=9, max_size=9))
def test_no_name_lies_on_another_or_on_a_point(points: list[tuple[float, float]]) -> None:
    given_points = dict(zip(NAMES, points, strict=True))
    places = name_places(given_points)
    marks = [Box(x - MARK, x + MARK, y - MARK, y + MARK) for x, y in points]
    for name, place in places.items():
        assert not any(place.box.meets(mark) for mark in marks), name
    for (one, first), (other, second) in itertools.combinations(places.items(), 2):
        assert not first.box.meets(second.box), (one, other)


def test_a_name_gives_way_to_a_point_without_one() -> None:
    places = name_places({"TPLinker": (0.4, 0.5)}, [(0.5, 0.5)])
    assert (places["TPLinker"].side, places["TPLinker"].shifted) == (-1, False)


def test_a_name_gives_way_to_the_bar_beside_it() -> None:
    places = name_places({"FastRE": (0.4, 0.5)}, bars=[((0.45, 0.4), (0.45, 0.6))])
    assert (places["FastRE"].side, places["FastRE"].shifted) == (-1, False)


def test_where_bars_leave_no_room_names_stand_on_one_and_on_no_point() -> None:
    bars = [((x / 50, 0.0), (x / 50, 1.0)) for x in range(51)]
    places = name_places({"TPLinker": (0.4, 0.5), "CasRel": (0.5, 0.5)}, bars=bars)
    assert (places["TPLinker"].side, places["TPLinker"].shifted) == (-1, False)
    assert (places["CasRel"].side, places["CasRel"].shifted) == (1, False)


def test_names_stand_by_their_points_as_the_figure_is_drawn() -> None:
    """Also where the panel was not scaled to its points yet."""
    figure, (ax,) = canvas(1, 3.0)
    points = {"GRTE": (5.0, 90.0), "FastRE": (50.0, 40.0)}
    ax.scatter(*zip(*points.values(), strict=True))
    ax.margins(0.2)
    write_names(ax, points)
    figure.canvas.draw()
    for text in ax.texts:
        x, y = ax.transAxes.inverted().transform(ax.transData.transform(points[text.get_text()]))
        assert abs(text.get_position()[0] - x) == pytest.approx(GAP)
        assert text.get_position()[1] == pytest.approx(y)

"""What a system gives up in accuracy for speed: its operating points and the choice among them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from reports.cells import (
    Pictures,
    Value,
    add_row,
    by_reason,
    cell,
    image,
    markdown,
    mean,
    number,
    seeds_cell,
    values,
)
from reports.load import Group, Row
from reports.sections.overview import caption, listed, on_each_machine
from reports.times import Timed, curve_taken, mark, shared_note, time_cell
from suite.records.run import OperatingCost, RunRecord

TOLERANCE = 1.0
"""Points of dev F1 under full depth within which the fastest point is chosen."""


class Point(NamedTuple):
    """An exit rule with its threshold; full depth has no rule."""

    rule: str
    value: float

    @property
    def words(self) -> str:
        """As sentences name it."""
        return f"{self.rule} at {self.value:g}" if self.rule else "full depth"


def _seconds(cost: OperatingCost) -> float:
    return statistics.median(cost.seconds)


READINGS: Mapping[str, Callable[[OperatingCost, OperatingCost], float]] = {
    "dev F1": lambda _, at: 100 * at.dev.f1,
    "test F1": lambda _, at: 100 * at.test.f1,
    "difference": lambda full, at: 100 * (at.test.f1 - full.test.f1),
    "layers": lambda _, at: at.layers,
    "speed-up by layers": lambda full, at: full.layers / at.layers,
    "speed-up": lambda full, at: _seconds(full) / _seconds(at),
    "milliseconds": lambda _, at: 1000 * _seconds(at),
}
"""What is read of full depth and of a point; the speed-up is that in wall clock."""


def read_point(record: RunRecord, point: Point, name: str) -> Value | None:
    """One of `READINGS` at a point, or why there is none."""
    curve = record.operating
    if curve is None or curve.failure:
        return None if curve is None else curve.failure
    full = next((cost for cost in curve.points if not cost.rule), None)
    at = next((cost for cost in curve.points if (cost.rule, cost.value) == point), None)
    if full is None or at is None or not full.seconds or not at.seconds:
        return "not measured"
    return READINGS[name](full, at)


def at_point(row: Row, point: Point, name: str) -> dict[int, Value]:
    """Each planned seed's reading at a point, or why there is none."""
    return values(row, partial(read_point, point=point, name=name))


def speed_up(point: Point) -> Timed:
    """The speed-up at a point: of times of one process alone, whose machine may be shared."""
    return Timed(partial(read_point, point=point, name="speed-up"), curve_taken)


def costs(rows: Sequence[Row]) -> list[OperatingCost]:
    """All that was measured of these rows."""
    curves = [run.record.operating for row in rows for run in row.complete]
    return [cost for curve in curves if curve is not None for cost in curve.points]


def points_of(row: Row) -> list[Point]:
    """The row's points in the order of measuring, full depth first."""
    return list(dict.fromkeys(Point(cost.rule, cost.value) for cost in costs([row])))


def operating_rows(group: Group) -> list[Row]:
    """The rows whose operating points were measured or tried."""
    return [row for row in group.rows if any(run.record.operating for run in row.complete)]


def points_table(group: Group) -> str:
    """Accuracy and speed of every point."""
    table: dict[str, list[str]] = {}
    for row in operating_rows(group):
        for point in points_of(row):
            cells = {
                "System": row.label,
                "Seeds": seeds_cell(row),
                "Rule": point.rule or "full depth",
                "Threshold": f"{point.value:g}" if point.rule else "-",
            }
            for name, heading, digits in (
                ("dev F1", f"dev F1{group.rule} (%)", 1),
                ("test F1", f"test F1{group.rule} (%)", 1),
                ("difference", "test F1 to full depth (points)", 1),
                ("layers", "layers, mean", 2),
                ("speed-up by layers", "speed-up by layers", 2),
            ):
                cells[heading] = cell(at_point(row, point, name), digits)
            cells["speed-up in wall clock"] = time_cell(row, speed_up(point), 2)
            add_row(table, cells)
    return markdown(table) if table else "No operating point was measured.\n"


def chosen_points(row: Row) -> tuple[Point, Point] | str:
    """Full depth and the fastest point that dev allows; or why there is none."""
    full = next((point for point in points_of(row) if not point.rule), None)
    if full is None:
        return "full depth was not measured"
    at_full = at_point(row, full, "dev F1")
    reference = mean(at_full)
    if reference is None:
        return by_reason({seed: v for seed, v in at_full.items() if isinstance(v, str)})
    fastest, speed = full, 1.0
    for point in points_of(row):
        f1, speed_up = (mean(at_point(row, point, name)) for name in ("dev F1", "speed-up"))
        if f1 is not None and speed_up is not None:
            allowed = reference - f1 <= TOLERANCE + 1e-9  # as printed, whatever the last bit says
            if allowed and speed_up > speed:
                fastest, speed = point, speed_up
    return full, fastest


def choice(row: Row) -> str:
    """The fastest point within `TOLERANCE` of full depth on dev, with what it reaches on test."""
    found = chosen_points(row)
    if isinstance(found, str):
        return f"{row.label}: no point is chosen: {found}."
    full, fastest = found
    within = f"within {TOLERANCE:.1f} dev F1 of full depth"
    if not fastest.rule:
        return f"{row.label}: no point {within} is faster than full depth."

    def shown(point: Point, name: str, digits: int = 1) -> str:
        average = mean(at_point(row, point, name))
        assert average is not None  # `chosen_points` took none where a seed is missing
        return number(average, digits)

    return (
        f"{row.label}: the fastest point {within} is {fastest.words} (dev F1 "
        f"{shown(fastest, 'dev F1')} against {shown(full, 'dev F1')}). On test it reaches F1 "
        f"{shown(fastest, 'test F1')} against {shown(full, 'test F1')} at full depth, "
        f"{shown(fastest, 'speed-up', 2)} times as fast in wall clock"
        f"{mark(speed_up(fastest).ways(row))} and "
        f"{shown(fastest, 'speed-up by layers', 2)} times by layers."
    )


def _failures(rows: Sequence[Row]) -> list[str]:
    return [
        f"{row.label}, seed {run.record.seed}: the operating points were not measured: "
        f"{run.record.operating.failure}."
        for row in rows
        for run in row.complete
        if run.record.operating is not None and run.record.operating.failure
    ]


def _part(group: Group, pictures: Pictures) -> str:
    """The operating points of one machine: speed-ups are ratios of times."""
    rows = operating_rows(group)
    if not rows:
        return ""
    measured = costs(rows)
    sizes = sorted({cost.batch_size for cost in measured})
    passes = sorted({len(cost.seconds) for cost in measured})
    apart = [f"{row.label}: {group.apart[row.label]}." for row in rows if row.label in group.apart]
    lines = [*apart, *map(choice, rows), *_failures(rows)]
    return (
        f"{points_table(group)}\n"
        f"A {group.unit} leaves the encoder at the first layer whose prediction the rule accepts. "
        f"Batches of {listed(sizes) or 'no'} {group.unit}s; all points of a run were timed in one "
        f"process and in turns, {listed(passes) or 'no'} pass(es) each over the test set. Speed-up "
        "in wall clock: median seconds of a pass at full depth over those at the point; by layers: "
        f"layers at full depth over the mean that a {group.unit} took. Points are chosen by dev F1 "
        f"alone.\n\n" + "".join(f"- {line}\n" for line in lines)
    ) + image(pictures, f"{group.key}-operating", f"{group.title}: F1 against speed-up")


def section(groups: Sequence[Group], pictures: Pictures) -> str:
    """Accuracy against speed of each dataset on which it was measured; empty without any."""
    return "\n".join(
        f"### {group.title}\n\n{caption(group)}\n"
        + on_each_machine(group, partial(_part, pictures=pictures))
        + shared_note(group.runs)
        for group in groups
        if operating_rows(group)
    )

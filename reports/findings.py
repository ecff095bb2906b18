"""What a section has found, in one sentence that is computed from the records."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from reports.cells import mean, number, values
from reports.comparison import accepted, f1_reader
from reports.load import Group, Row
from reports.readings import f1_of, labelled, slice_f1, slice_names
from reports.sections.analysis import FAMILIES
from reports.sections.operating import (
    TOLERANCE,
    at_point,
    operating_rows,
    points_of,
    speed_up,
)
from reports.sections.overview import listed, plural
from reports.times import latency, why_no_ratio
from suite.quoting import quoted

FEWEST_GOLD = 50
"""Gold items of a slice below which its F1 says too little to be named."""


def scores(group: Group) -> str:
    """Whether the match rules rank the systems alike."""
    if len(group.rules) < 2 or len(group.systems) < 2 or not labelled(group):
        return ""
    ranked = {}
    for match in group.rules:
        found = {row.label: mean(values(row, partial(f1_of, match=match))) for row in group.systems}
        if any(value is None for value in found.values()):
            return ""
        ranked[match] = sorted(found, key=lambda label: -(found[label] or 0.0))
    orders = list(ranked.values())
    names = listed(ranked)
    if all(order == orders[0] for order in orders):
        return f"The match rules {names} rank the systems alike."
    firsts = {match: order[0] for match, order in ranked.items()}
    if len(set(firsts.values())) == 1:
        return f"{quoted(orders[0][0])} is first under {names} alike; the order of others differs."
    led = listed(f"{quoted(label)} under {match}" for match, label in firsts.items())
    return f"The match rules disagree on who is first: {led}."


def efficiency(group: Group) -> str:
    """The quickest and the slowest at the least and the largest batch."""
    part = group.machines[0]
    return " ".join(filter(None, (_quickest(part, size) for size in part.outer_batch_sizes)))


def _quickest(part: Group, size: int) -> str:
    timed = latency(size)
    found = [(taken, row) for row in part.systems if (taken := mean(timed.of(row))) is not None]
    if not found:
        return ""
    found.sort(key=lambda pair: pair[0])
    (least, first), (most, last) = found[0], found[-1]
    text = f"At batch {size}, {quoted(first.label)} takes {number(least)} ms per {part.unit}"
    if first is last:
        return f"{text}."
    if why_no_ratio([*timed.ways(first), *timed.ways(last)]):
        return f"{text}, {quoted(last.label)} {number(most)}."
    return f"{text}, {quoted(last.label)} {number(most / least, 2)} times as long."


def operating(group: Group) -> str:
    """The largest speed-up at nearly the F1 of full depth, for each system that has thresholds."""
    lines = [_fastest_point(group, row) for row in operating_rows(group)]
    return " ".join(filter(None, lines))


def _fastest_point(group: Group, row: Row) -> str:
    """The quickest point whose dev F1 is near that of full depth, by its test F1 and speed-up."""
    kept = []
    full = next((mean(at_point(row, p, "dev F1")) for p in points_of(row) if not p.rule), None)
    for point in points_of(row):
        dev, faster = mean(at_point(row, point, "dev F1")), mean(speed_up(point).of(row))
        if full is not None and dev is not None and faster is not None and dev >= full - TOLERANCE:
            kept.append((faster, point))
    if not kept:
        return ""
    faster, point = max(kept, key=lambda pair: pair[0])
    if not point.rule or faster <= 1:
        return f"{quoted(row.label)} gains no speed within {TOLERANCE:g} point of dev F1."
    change = mean(at_point(row, point, "difference"))
    moved = "" if change is None else f", test F1 {change:+.1f} points"
    return (
        f"{quoted(row.label)} is {number(faster, 2)} times as fast within {TOLERANCE:g} point of "
        f"dev F1 ({point.words}{moved})."
    )


class Weakest(NamedTuple):
    """A slice of the test set with the mean F1 of all systems on it."""

    f1: float
    family: str
    name: str


def slices(group: Group) -> str:
    """The slice on which the systems are weakest by their mean."""
    rows = group.systems
    found = []
    for family in FAMILIES:
        for name, gold in slice_names(group, family).items():
            each = [mean(values(row, partial(slice_f1, family=family, name=name))) for row in rows]
            numbers = [value for value in each if value is not None]
            if gold >= FEWEST_GOLD and rows and len(numbers) == len(rows):
                found.append(Weakest(sum(numbers) / len(numbers), family, name))
    if not found:
        return ""
    weakest = min(found)
    count = f"all {plural(len(rows), 'system')}" if len(rows) > 1 else quoted(rows[0].label)
    return (
        f"The weakest slice of {FEWEST_GOLD} gold items or more is {quoted(weakest.name)} "
        f"({FAMILIES[weakest.family].lower()}): mean F1 of {count} {number(weakest.f1, 1)} %."
    )


def published(group: Group) -> str:
    """How many systems may be held against a published figure, and how far they are from it."""
    gaps: dict[str, float] = {}
    for row, figure in accepted(group):
        here = mean(values(row, f1_reader(figure)))
        if here is not None:
            gap = here - figure.numbers["f1"]
            gaps[row.label] = max(gap, gaps.get(row.label, gap))
    if not gaps:
        return "No system here may be held against a published figure."
    last = min(gaps, key=lambda label: gaps[label])
    text = (
        f"{len(gaps)} of {plural(len(group.systems), 'system')} may be held against a published "
        f"figure: {quoted(last)} is {gaps[last]:+.1f} points from its own"
    )
    first = max(gaps, key=lambda label: gaps[label])
    return f"{text}." if first == last else f"{text}, {quoted(first)} {gaps[first]:+.1f}."


def protocol(groups: Sequence[Group]) -> str:
    """Whether all tables are of one protocol; the systems of each table are, or share none."""
    digests = list(dict.fromkeys(group.first.protocol.digest() for group in groups))
    named = listed(f"`{digest}`" for digest in digests)
    if len(digests) == 1:
        return f"**All systems were trained under one protocol: {named}.**\n\n"
    return (
        f"**{len(digests)} protocols, each the same for all systems of its tables: {named}.**\n\n"
    )

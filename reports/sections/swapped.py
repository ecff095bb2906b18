"""How systems do on test sentences whose entities have other names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from reports.cells import Value, add_row, cell, markdown, measured, seeds_cell, values
from reports.judging import points, signed
from reports.load import Group, Row
from reports.sections.overview import listed, plural
from suite.evaluation.intervals import f1_difference
from suite.evaluation.judged import aligned
from suite.quoting import quoted
from suite.records.run import RunRecord, SwappedTest
from suite.tasks.scores import Evaluation


def has_swaps(row: Row) -> bool:
    """Whether other names were asked for in one of its runs."""
    return any(run.record.swapped is not None for run in row.complete)


def _swapped(record: RunRecord) -> SwappedTest | str:
    found = record.swapped
    if found is None:
        return "not asked for"
    return found if found.failure is None else found.failure


def _swapped_f1(record: RunRecord, group: Group, which: str) -> Value:
    found = _swapped(record)
    if isinstance(found, str):
        return found
    scores: Evaluation | None = getattr(found, which)
    return "not recorded" if scores is None else 100 * scores.under(group.match).f1


def _swapped_loss(record: RunRecord, group: Group) -> Value:
    before, after = (_swapped_f1(record, group, which) for which in ("before", "after"))
    if isinstance(before, str) or isinstance(after, str):
        return before if isinstance(before, str) else after
    return after - before


def _swapped_interval(row: Row, group: Group) -> str:
    """The difference over the runs' seeds with its interval, by drawing examples."""
    first: tuple[str, ...] | None = None
    own, other = [], []
    ours = group.task.conventions(group.match, group.dataset.matching)[0].name
    for run in row.complete:
        before, after = run.judged, run.judged_swapped
        if before is None or after is None:
            return "-"
        there = set(after.ids)
        kept = [i for i, name in enumerate(before.ids) if name in there]
        ids = tuple(before.ids[i] for i in kept)
        same = aligned(after, ids, after.by_convention[ours])
        first = first or ids
        if same is None or ids != first:
            return "-"
        own.append(before.by_convention[ours][kept])
        other.append(same)
    if not own:
        return "-"
    found = f1_difference(np.sum(other, axis=0), np.sum(own, axis=0))
    return f"{points(100 * found.low)} to {points(100 * found.high)}"


def swapped_table(group: Group, rows: Sequence[Row]) -> str:
    """F1 on the same examples with their own names and with others."""
    table: dict[str, list[str]] = {}
    for row in rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for heading, which in (("own names", "before"), ("other names", "after")):
            found = values(row, partial(_swapped_f1, group=group, which=which))
            cells[f"F1{group.rule}, {heading} (%)"] = cell(found, 1)
        lost = values(row, partial(_swapped_loss, group=group))
        cells["Difference (points)"] = signed(lost)
        cells["95 % interval"] = _swapped_interval(row, group)
        add_row(table, cells)
    return markdown(table)


def swaps(group: Group) -> str:
    """Scores where entities have other names, and how those were found; empty where not asked."""
    rows = [row for row in group.rows if has_swaps(row)]
    if not rows:
        return ""
    kinds = {
        found.model_dump_json(
            include={"names", "seed", "by_part", "examples", "swapped", "left"}
        ): found
        for row in rows
        for run in row.complete
        if isinstance(found := _swapped(run.record), SwappedTest)
    }
    return (
        "#### Other names\n\n"
        + "".join(f"{_how(group, found)}\n\n" for found in kinds.values())
        + swapped_table(group, rows)
    )


def _how(group: Group, found: SwappedTest) -> str:
    source = "train" if found.names == "train" else quoted(found.names)
    like = (
        "of what is head or tail of the same relations (the data have no entity types)"
        if found.by_part
        else "of the same type"
    )
    left = listed(f"{reason} ({count:,})" for reason, count in found.left.items())
    return (
        f"{found.swapped:,} of {plural(found.examples, f'test {group.unit}')} with other names for "
        f"all {found.entities:,} entities: names from {source} {like}, drawn with seed "
        f"{found.seed}, the same for all systems. "
        + (f"Left out of both columns: {left}." if left else "None was left out.")
    )


def swap_finding(group: Group) -> str:
    """Who loses most by other names, as a clause; empty where that was not asked for."""
    losses = []
    for row in group.systems:
        if not has_swaps(row):
            continue
        numbers = measured(values(row, partial(_swapped_loss, group=group)))
        if numbers is not None:
            losses.append((float(np.mean(numbers)), row.label))
    if not losses:
        return ""
    worst, best = min(losses), max(losses)
    text = f" With other names, the F1 of {worst[1]} changes by {points(worst[0])} points"
    return f"{text}, that of {best[1]} by {points(best[0])}." if len(losses) > 1 else f"{text}."

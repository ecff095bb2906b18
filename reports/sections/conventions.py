"""What each published way of counting is worth: the same predictions, scored by all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reports.cells import ABSENT, Value, add_row, cell, markdown, mean
from reports.judging import AnyRun, any_values, compared, judged_of, points, scores_of, signed
from reports.load import AnyRow, Group
from reports.sections.overview import caption, findings, listed
from suite.evaluation.calibration import best_f1
from suite.evaluation.judged import Judged
from suite.records.run import RunRecord
from suite.tasks.conventions import Convention

EPOCH_ON_TEST = (
    "PMEI's and GRTE's public code, and SPN's until December 2021: test is scored each epoch, and "
    "its best score is told"
)
THRESHOLD_ON_TEST = (
    "none that was checked; what a threshold on scores would gain at most, were it chosen on test "
    "among what is predicted"
)
POINT_ON_TEST = (
    "none that was checked; the best test score of all operating points, in place of that of the "
    "one that dev chooses"
)
SCORED_ONCE = "test was scored once"


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Attributes:
        name: of the convention.
        source: who counts so.
        read: its F1 of a run in per cent, or why there is none.
    """

    name: str
    source: str
    read: Callable[[AnyRun], Value | None]


def _f1(run: AnyRun, convention: Convention) -> Value | None:
    judged = run.judged
    if convention.missing:
        return convention.missing
    if judged is None:
        return "no predictions were kept"
    if convention.measure is not None:
        test = run.record.test
        value = None if test is None else test.measures.get(convention.measure)
        return None if value is None else 100 * value
    return 100 * scores_of(judged.by_convention[convention.name]).f1


def _by_threshold(run: AnyRun, ours: Convention) -> Value | None:
    judged = run.judged
    if judged is None:
        return "no predictions were kept"
    if not judged.graded.varies:
        return "all scores are equal"
    gold = scores_of(judged.by_convention[ours.name]).gold
    return 100 * best_f1(judged.graded, gold)


def _by_point(run: AnyRun, ours: Convention) -> Value | None:
    """Our F1, and what the best point on test has more than the one that dev chooses."""
    record = run.record
    curve = record.operating if isinstance(record, RunRecord) else None
    if curve is None or not curve.points:
        return ABSENT if curve is None else curve.failure
    own = _f1(run, ours)
    if not isinstance(own, float):
        return own
    chosen = max(curve.points, key=lambda point: point.dev.f1)
    best = max(point.test.f1 for point in curve.points)
    return own + 100 * (best - chosen.test.f1)


def lines(group: Group) -> list[Line]:
    """The lines of a group's table, ours first."""
    conventions = group.task.conventions(group.match, group.dataset.matching)
    ours = conventions[0]

    def counted(convention: Convention) -> Line:
        return Line(convention.name, convention.source, lambda run: _f1(run, convention))

    found = [counted(convention) for convention in conventions]
    found.append(
        Line(
            "score threshold chosen on test",
            THRESHOLD_ON_TEST,
            lambda run: _by_threshold(run, ours),
        )
    )
    found.append(Line("epoch chosen on test", EPOCH_ON_TEST, lambda run: SCORED_ONCE))
    if any(run.record.operating for run in group.runs):
        found.append(
            Line("operating point chosen on test", POINT_ON_TEST, lambda run: _by_point(run, ours))
        )
    return found


def worth(row: AnyRow, line: Line, ours: Line) -> dict[int, Value]:
    """Points of F1 that a convention adds to ours, for each seed, or why that is not known."""
    own, other = any_values(row, ours.read), any_values(row, line.read)
    return {seed: _minus(value, own[seed]) for seed, value in other.items()}


def _minus(value: Value, other: Value) -> Value:
    if isinstance(value, str):
        return value
    return other if isinstance(other, str) else value - other


def has_gold(row: AnyRow) -> bool:
    """Whether predictions were kept that there is something to count in."""
    return any(_gold(judged) for judged in judged_of(row))


def _gold(judged: Judged) -> int:
    first = next(iter(judged.by_convention.values()), None)
    return 0 if first is None else scores_of(first).gold


def rows_of(group: Group) -> list[AnyRow]:
    """The rows that there is something to count in."""
    return [row for row in group.scored if has_gold(row)]


def table(group: Group, rows: Sequence[AnyRow], found: Sequence[Line]) -> str:
    """Our F1, and below it what every other convention adds."""
    cells: dict[str, list[str]] = {}
    ours = found[0]
    for line in found:
        texts = {"Counted": line.name}
        for row in rows:
            texts[f"{row.label} ({row.n})"] = (
                cell(any_values(row, ours.read), 1)
                if line is ours
                else signed(worth(row, line, ours))
            )
        add_row(cells, texts)
    return markdown(cells)


def finding(group: Group) -> str:
    """How far the conventions move the F1 of the same predictions, in one sentence."""
    rows, found = rows_of(group), lines(group)
    ours, others = found[0], found[1:]
    moved = [
        (value, row.label, line.name)
        for row in rows
        for line in others
        if (value := mean(worth(row, line, ours))) is not None
    ]
    if not moved:
        return "No convention could be counted but this suite's."
    low, high = min(moved), max(moved)
    text = (
        "Counted by other conventions, the F1 of the same predictions moves by "
        f"{points(low[0])} points ({low[1]}, *{low[2]}*) to {points(high[0])} ({high[1]}, "
        f"*{high[2]}*)"
    )
    if {points(low[0]), points(high[0])} == {points(0.0)}:
        text = "No other convention that could be counted moves F1"
    return f"{text}{_order(group, rows, found)}."


def _order(group: Group, rows: Sequence[AnyRow], found: Sequence[Line]) -> str:
    """Whether the systems stand in another order under another convention."""
    ranked = [row for row in rows if row.label in compared(group)]
    if len(ranked) < 2:
        return ""
    orders: Mapping[str, list[str]] = {
        line.name: order for line in found if (order := _ranking(ranked, line)) is not None
    }
    own = orders.get(found[0].name)
    if own is None:
        return ""
    changed = [f"*{name}*" for name, order in orders.items() if order != own]
    if not changed:
        return f", and the order of the {len(ranked)} systems is the same under all of them"
    return f", and the order of the {len(ranked)} systems is another one under {listed(changed)}"


def _ranking(rows: Sequence[AnyRow], line: Line) -> list[str] | None:
    f1 = [(mean(any_values(row, line.read)), row.label) for row in rows]
    if any(value is None for value, _ in f1):
        return None
    return [label for _, label in sorted(f1, key=lambda pair: -(pair[0] or 0.0))]


def _part(group: Group) -> str:
    found = lines(group)
    sources = "".join(f"- *{line.name}*: {line.source}.\n" for line in found)
    return (
        f"### {group.title}\n\n{caption(group)}\n"
        f"First line: test F1 (%) as in the main table. Below: points of F1 that the same "
        "predictions gain or lose where they are counted otherwise; each line changes one thing.\n"
        f"\n{table(group, rows_of(group), found)}\nWho counts so:\n\n{sources}"
    )


def section(groups: Sequence[Group]) -> str:
    """The ledger of each dataset whose predictions were kept; empty without any."""
    shown = [group for group in groups if rows_of(group)]
    if not shown:
        return ""
    return findings(shown, finding) + "\n".join(map(_part, shown))

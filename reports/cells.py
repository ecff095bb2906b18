"""How values become text: cells that never hide a missing run, and markdown tables."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, overload

import numpy as np
import pandas as pd

from reports.load import AnyRow, Row
from reports.run_files import Missing, RecordedRun, ScoredRecord
from suite.records.outside import NOT_TRAINED
from suite.records.run import RunRecord
from suite.tasks.scores import Scores

Value: TypeAlias = float | str
"""A measured number, or why there is none."""

ReadValue: TypeAlias = Callable[[RunRecord], Value | None]
"""Reads a number from a record, or why there is none; None: not recorded."""

ReadScore: TypeAlias = Callable[[ScoredRecord], Value | None]
"""As `ReadValue`, of what the record of a file of predictions tells as well."""

ABSENT = "-"
"""What stands for a figure that a system from outside does not have."""

Table: TypeAlias = Mapping[str, Sequence[str]]
"""Heading -> cells, top to bottom."""

_NUMERIC = re.compile(r"[-+<]? ?[\d,.]+( (±|to) [-+]?[\d,.]+)?( \((\d+ of \d+ )?shared\))?|-|n=\d+")


class Picture(NamedTuple):
    """One drawing in the forms in which reports and papers show it; a field is a file's suffix."""

    png: bytes
    svg: bytes
    pdf: bytes


Pictures: TypeAlias = Mapping[str, Picture]
"""Name of a figure, without folder and ending -> the figure."""


def number(value: float, digits: int | None = None) -> str:
    """A number with thousands separated; without `digits`, to three significant ones or more."""
    if digits is None:
        if value == 0 or not math.isfinite(value):
            return f"{value:g}"
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def per_cent(share: float) -> str:
    """A share as per cent, to the one digit that papers print."""
    return f"{100 * share:.1f}"


def run_values(row: Row, read: Callable[[RecordedRun], Value | None]) -> dict[int, Value]:
    """For each planned seed what `read` finds in its run, or why there is nothing.

    `read` sees complete runs alone; None from it stands for "not recorded".
    """
    found: dict[int, Value] = dict(row.missing)
    for run in row.complete:
        value = read(run)
        found[run.record.seed] = "not recorded" if value is None else value
    return {seed: found[seed] for seed in row.seeds}


@overload
def values(row: Row, read: ReadValue) -> dict[int, Value]: ...


@overload
def values(row: AnyRow, read: ReadScore) -> dict[int, Value]: ...


def values(row: AnyRow, read: Callable[..., Value | None]) -> dict[int, Value]:
    """As `run_values`, of what the record alone tells.

    Of a row that was not trained here, only what such a record tells can be read; what it does not
    hold is a dash.
    """
    if isinstance(row, Row):
        return run_values(row, lambda run: read(run.record))
    found = {run.record.seed: read(run.record) for run in row.runs}
    return {seed: ABSENT if value is None else value for seed, value in found.items()}


def by_reason(missing: Mapping[int, str]) -> str:
    """`seed 2: diverged; seeds 3, 4: no record`."""
    seeds: dict[str, list[str]] = {}
    for seed, reason in missing.items():
        seeds.setdefault(reason, []).append(str(seed))
    return "; ".join(
        f"seed{'s' if len(several) > 1 else ''} {', '.join(several)}: {reason}"
        for reason, several in seeds.items()
    )


def seeds_cell(row: AnyRow) -> str:
    """The cell of the column `Seeds`: how many the row is the mean of, and why not all.

    Of a system from outside, that it was not trained here.
    """
    if not isinstance(row, Row):
        return NOT_TRAINED if len(row.runs) == 1 else f"{NOT_TRAINED} ({row.n})"
    return f"{row.n} ({by_reason(row.missing)})" if row.missing else row.n


def measured(found: Mapping[int, Value]) -> list[float] | None:
    """All seeds' numbers, or None where one of them is missing."""
    numbers = [value for value in found.values() if not isinstance(value, str)]
    return numbers if numbers and len(numbers) == len(found) else None


def mean(found: Mapping[int, Value]) -> float | None:
    """The mean over seeds, or None where one of them is missing."""
    numbers = measured(found)
    return None if numbers is None else float(np.mean(numbers))


def cell(found: Mapping[int, Value], digits: int | None = None) -> str:
    """Mean and standard deviation over seeds; where one is missing, the values without a mean.

    The standard deviation is that of a sample (n - 1); a single seed has none. Why a run gave
    nothing at all stands in the row's column `Seeds`, other reasons in the cell.
    """
    numbers = [value for value in found.values() if not isinstance(value, str)]
    reasons = {seed: value for seed, value in found.items() if isinstance(value, str)}
    if not numbers:
        different = dict.fromkeys(reasons.values())
        return next(iter(different)) if len(different) == 1 else by_reason(reasons)
    if reasons:
        shown = ", ".join(number(value, digits) for value in numbers)
        own = by_reason({s: r for s, r in reasons.items() if not isinstance(r, Missing)})
        count = f"{len(numbers)} of {len(found)} seeds"
        return f"{shown} ({count}; {own})" if own else f"{shown} ({count})"
    average = float(np.mean(numbers))
    if digits is None and average and math.isfinite(average):
        digits = max(0, 2 - math.floor(math.log10(abs(average))))
    if len(numbers) == 1 or (digits == 0 and len(set(numbers)) == 1):
        return number(average, digits)
    return f"{number(average, digits)} ± {number(float(np.std(numbers, ddof=1)), digits)}"


def score_cells(found: Mapping[int, Scores | str]) -> tuple[str, str, str]:
    """Precision, recall and F1 in per cent."""

    def column(part: str) -> str:
        shares = {s: v if isinstance(v, str) else 100 * getattr(v, part) for s, v in found.items()}
        return cell(shares, digits=1)

    return column("precision"), column("recall"), column("f1")


def megabytes(count: float) -> float:
    """Bytes as MiB."""
    return count / 2**20


def escape(text: object) -> str:
    """Text that stays within one cell of a markdown table."""
    return re.sub(r"(\\*)\|", r"\1\1\\|", " ".join(str(text).split()))


def add_row(table: dict[str, list[str]], cells: Mapping[str, str]) -> None:
    """Appends a row to a table that is held by columns."""
    for heading, text in cells.items():
        table.setdefault(heading, []).append(text)


def image(pictures: Pictures, name: str, alternative: str) -> str:
    """The reference to a figure; nothing where it was not drawn."""
    return f"\n![{escape(alternative)}](figures/{name}.png)\n" if name in pictures else ""


def markdown(table: pd.DataFrame | Table) -> str:
    """A pipe table; columns that hold numbers alone are set to the right."""
    frame = pd.DataFrame(table).astype(str)

    def numeric(column: pd.Series) -> bool:
        return len(column) > 0 and all(_NUMERIC.fullmatch(text) for text in column)

    head = [escape(name) for name in frame.columns]
    rule = ["---:" if numeric(frame[name]) else "---" for name in frame.columns]
    body = [[escape(text) or "-" for text in row] for row in frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *body]) + "\n"

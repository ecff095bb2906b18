"""Costs as evidence for claims: what is read of a row, and which times tell of no speed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from reports.cells import Value, measured, values
from reports.claims.verdict import Measured
from reports.load import Row
from reports.readings import inference, training
from reports.sections.study import COSTS
from reports.times import Timed, busiest, why_no_ratio
from suite.records.run import RunRecord
from suite.uncertainty.textbook import mean_difference

READ = {name: read for name, (_, read) in COSTS.items()} | {
    "best_epoch": partial(training, name="best_epoch")
}
"""Published measure of cost -> how it is read."""
UNVARIED = frozenset({"parameters_thousands"})
"""Costs that no seed changes."""
BATCH = {"inference_seconds": 1, "milliseconds_1": 1, "milliseconds_8": 8, "milliseconds_128": 128}
"""Measure of inference -> the batch size at which it is taken here."""


def cost_of(row: Row, cost: str) -> dict[int, Value]:
    """Each planned seed's cost, or why there is none."""
    read = READ[cost]
    return values(row, read.read if isinstance(read, Timed) else read)


def why_no_evidence(rows: Sequence[Row], cost: str) -> str | None:
    """Why a time tells of no speed; None where it does, or the cost is no time.

    A time counts where it is known to have been taken alone, on a machine whose load was its own,
    and on one kind of machine.
    """
    read = READ[cost]
    if not isinstance(read, Timed):
        return None
    for row in rows:
        for run in row.complete:
            why = _disturbed(run.record, cost)
            if why is not None:
                return why
    return why_no_ratio(way for row in rows for way in read.ways(row))


def _disturbed(record: RunRecord, cost: str) -> str | None:
    taken = inference(record, BATCH[cost]) if cost in BATCH else record.training
    if isinstance(taken, str) or taken is None:
        return None  # told by the reading itself
    if taken.alone is not True:
        beside = "beside other runs" if taken.alone is False else "perhaps beside other runs"
        return f"a time was taken {beside}"
    if busiest(record, taken.load_average or ()) is not None:
        return "other work ran on the machine while a time was taken"
    return None


def ratio(dear: Row, cheap: Row, cost: str) -> Measured | str:
    """A mean cost as a multiple of another's, or why there is none.

    The interval is Welch's over the logarithms of the seeds' costs, so that the ratio is that of
    their geometric means.
    """
    sides = []
    for row in (dear, cheap):
        found = cost_of(row, cost)
        numbers = measured(found)
        if numbers is None or min(numbers) <= 0:
            why = next((str(v) for v in found.values() if isinstance(v, str)), "0")
            return f"`{row.label}`: {why}"
        sides.append(np.log(numbers).tolist())
    value = math.exp(np.mean(sides[0]) - np.mean(sides[1]))
    if cost in UNVARIED:
        return Measured(value, value, value, "nothing varies")
    if min(map(len, sides)) < 2:
        return Measured(value, value, value, "one run")
    logs = mean_difference(*sides)
    return Measured(value, math.exp(logs.low), math.exp(logs.high), "seeds")

"""Dev F1 at equal minutes and at equal updates: budgets that all systems of a table are held to.

Computes alone; `reports.sections.convergence` writes it down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

from reports.cells import Value, mean, number, run_values
from reports.load import Group, Row
from reports.run_files import ON_ANOTHER_MACHINE, RecordedRun
from suite.records.run import Epoch
from suite.tasks.matching import Match

Measure: TypeAlias = Literal["min", "updates"]
SHARES = (1 / 8, 1 / 4, 1 / 2)
"""Of the longest training of a table: its budgets, rounded to two digits."""
NO_EPOCH = "no epoch yet"
"""What stands for a run whose first epoch had not ended."""


def minutes(epoch: Epoch) -> float:
    """Wall clock of training and dev evaluation at an epoch's end."""
    return (epoch.seconds + epoch.evaluation_seconds) / 60


def updates(epoch: Epoch) -> float:
    """Steps of the optimiser at an epoch's end."""
    return float(epoch.step)


SPENT: Mapping[Measure, Callable[[Epoch], float]] = {"min": minutes, "updates": updates}


@dataclass(frozen=True)
class Budget:
    """What may be spent: an amount of minutes or updates; None is all that each run was given."""

    measure: Measure
    amount: float | None = None

    @property
    def name(self) -> str:
        """As a heading has it."""
        if self.amount is None:
            return "at the end"
        digits = max(0, 1 - math.floor(math.log10(self.amount)))
        return f"at {number(self.amount, digits)} {self.measure}"

    def of(self, row: Row, match: Match) -> dict[int, Value]:
        """Best dev F1 in per cent that each seed had reached, or why there is none.

        A run that had ended counts with its best, which it would have kept.
        """
        return run_values(row, partial(self._best, match=match))

    def _best(self, run: RecordedRun, match: Match) -> Value | None:
        if not run.history:
            return None if run.trained_here else ON_ANOTHER_MACHINE
        spent = SPENT[self.measure]
        within = [e for e in run.history if self.amount is None or spent(e) <= self.amount]
        return 100 * max(e.dev.under(match).f1 for e in within) if within else NO_EPOCH


def budgets(group: Group, measure: Measure) -> list[Budget]:
    """The budgets of a table, the least first and the end last; none without a history."""
    ends = [SPENT[measure](run.history[-1]) for run in _with_history(group)]
    longest = max(ends, default=0.0)
    if not longest:
        return []
    amounts = dict.fromkeys(_two_digits(longest * share) for share in SHARES)
    return [*(Budget(measure, amount) for amount in amounts), Budget(measure)]


def leaders(group: Group, chosen: Sequence[Budget]) -> list[tuple[Budget, Row, float]]:
    """Who has the highest mean dev F1 at each budget, of the systems that have one."""
    found = []
    for budget in chosen:
        means = [(mean(budget.of(row, group.match)), row) for row in group.systems]
        known = [(f1, row) for f1, row in means if f1 is not None]
        if known:
            f1, row = max(known, key=lambda pair: pair[0])
            found.append((budget, row, f1))
    return found


def _with_history(group: Group) -> list[RecordedRun]:
    return [run for row in group.rows for run in row.complete if run.history]


def _two_digits(amount: float) -> float:
    return round(amount, 1 - math.floor(math.log10(amount)))

"""What training and running a system costs: in money, from times and prices, and in energy.

Money is time by the price of an hour of the machine, so that the rules of times hold for it
(`reports.times`): what was taken beside other runs is marked, and what was taken unlike is not
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal

from reports.cells import Value, mean
from reports.load import Group, Row
from reports.readings import inference, training_cost
from reports.times import OTHER_MACHINE, Taken, Timed, inference_taken, training_taken, why_no_ratio
from suite.records.energy import Energy
from suite.records.run import InferenceCost, RunRecord, TrainingCost

MILLION, THOUSAND = 1_000_000, 1_000
SECONDS_PER_HOUR = 3600
NEVER = "never"

Part = Literal["package_joules", "gpu_joules"]
PARTS: dict[Part, str] = {"package_joules": "processor packages", "gpu_joules": "GPU"}
"""What of a machine counts its energy: field of an `Energy` -> name in print."""


def batch_sizes(group: Group) -> list[int]:
    """Those that costs are told at: 1, and the largest that any complete run was measured at."""
    measured = {
        cost.batch_size
        for run in group.runs
        if run.complete
        for cost in run.record.inference
        if cost.failure is None
    }
    return sorted({size for size in measured if size in {1, max(measured)}})


def training_money(per_hour: float) -> Timed:
    """Money for one training with its dev evaluation, at the price of an hour."""
    return Timed(partial(_training_money, per_hour=per_hour), training_taken)


def _training_money(record: RunRecord, per_hour: float) -> Value | None:
    cost = training_cost(record)
    if not isinstance(cost, TrainingCost):
        return cost
    return (cost.training_seconds + cost.evaluation_seconds) / SECONDS_PER_HOUR * per_hour


def running_money(batch_size: int, per_hour: float) -> Timed:
    """Money for a million examples, at the pace of whole passes over the test set."""
    read = partial(_running_money, batch_size=batch_size, per_hour=per_hour)
    return Timed(read, partial(inference_taken, batch_size=batch_size))


def _running_money(record: RunRecord, batch_size: int, per_hour: float) -> Value | None:
    cost = inference(record, batch_size)
    if not isinstance(cost, InferenceCost):
        return cost
    if cost.total_seconds is None or not cost.sentences:
        return None
    return cost.total_seconds / cost.sentences * MILLION / SECONDS_PER_HOUR * per_hour


def training_energy(part: Part) -> Timed:
    """Watt-hours of one training with its dev evaluation."""
    return Timed(partial(_training_energy, part=part), training_taken)


def _training_energy(record: RunRecord, part: Part) -> Value | None:
    cost = training_cost(record)
    if not isinstance(cost, TrainingCost):
        return cost
    joules = _joules(cost.energy, part)
    return joules if joules is None or isinstance(joules, str) else joules / SECONDS_PER_HOUR


def running_energy(part: Part, batch_size: int) -> Timed:
    """Joules for a thousand examples, over whole passes."""
    read = partial(_running_energy, part=part, batch_size=batch_size)
    return Timed(read, partial(inference_taken, batch_size=batch_size))


def _running_energy(record: RunRecord, part: Part, batch_size: int) -> Value | None:
    cost = inference(record, batch_size)
    if not isinstance(cost, InferenceCost):
        return cost
    joules, examples = _joules(cost.energy, part), cost.passes * cost.sentences
    if joules is None or isinstance(joules, str) or not examples:
        return joules if isinstance(joules, str) else None
    return joules / examples * THOUSAND


def _joules(energy: Energy | None, part: Part) -> Value | None:
    if energy is None:
        return None
    joules = getattr(energy, part)
    return energy.failure if joules is None else joules


def energies(record: RunRecord) -> list[Energy]:
    """What a record tells of energy, of training and of each measurement."""
    costs = [record.training, *record.inference]
    return [cost.energy for cost in costs if cost is not None and cost.energy is not None]


def parts_counted(group: Group) -> list[Part]:
    """The parts of machines whose energy a complete run of the group tells."""
    told = [energy for run in group.runs if run.complete for energy in energies(run.record)]
    return [part for part in PARTS if any(getattr(energy, part) is not None for energy in told)]


@dataclass(frozen=True)
class Expense:
    """What a system costs: `training` once, and `per_million` for each million examples."""

    training: float
    per_million: float

    def total(self, millions: float) -> float:
        """For one training and so many million examples."""
        return self.training + self.per_million * millions


def pays_off(dearer: Expense, cheaper: Expense) -> float | None:
    """After how many million examples the system that is dearer to train has cost as little.

    Args:
        dearer: to train, or as dear.
        cheaper: to train.

    Returns:
        The volume at which both totals are equal; None where there is none, since the one that is
        dearer to train is not cheaper to run.
    """
    saved = cheaper.per_million - dearer.per_million
    return (dearer.training - cheaper.training) / saved if saved > 0 else None


@dataclass(frozen=True)
class BreakEven:
    """Two systems on one machine, and when the one that is dearer to train pays off.

    Attributes:
        dearer, cheaper: to train.
        batch_size: that both run at.
        difference: between one training of each, in money.
        millions: of examples; `never`, or why it cannot be told.
        trained, ran: how the times of training and of running were taken.
    """

    dearer: Row
    cheaper: Row
    batch_size: int
    difference: float
    millions: Value
    trained: tuple[Taken, ...]
    ran: tuple[Taken, ...]


def break_evens(group: Group, per_hour: float) -> tuple[list[BreakEven], list[str]]:
    """Every two systems of one machine at each batch size, and a line for each pair without.

    Args:
        group: the part of one machine.
        per_hour: price of the machine. Both systems have it, so that the volume is that of any
            price.
    """
    found, refused = [], []
    for pair in combinations(group.systems, 2):
        for size in batch_sizes(group):
            one = break_even(*pair, size, per_hour)
            if isinstance(one, BreakEven):
                found.append(one)
            else:
                refused.append(f"{pair[0].label} and {pair[1].label}: {one}")
    return found, list(dict.fromkeys(refused))


def break_even(first: Row, second: Row, batch_size: int, per_hour: float) -> BreakEven | str:
    """When one of two systems pays off; a reason where it is not known which is dearer to train."""
    training, running = training_money(per_hour), running_money(batch_size, per_hour)
    trained = [*training.ways(first), *training.ways(second)]
    ran = [*running.ways(first), *running.ways(second)]
    money = _means(training, first, second)
    why = money if isinstance(money, str) else why_no_ratio(trained)
    if isinstance(money, str) or why is not None:
        return str(why)
    rows = (first, second) if money[0] >= money[1] else (second, first)
    return BreakEven(
        dearer=rows[0],
        cheaper=rows[1],
        batch_size=batch_size,
        difference=abs(money[0] - money[1]),
        millions=_millions(rows, max(money), min(money), running, [*trained, *ran]),
        trained=tuple(trained),
        ran=tuple(ran),
    )


def _millions(
    rows: Sequence[Row], dearer: float, cheaper: float, running: Timed, ways: Sequence[Taken]
) -> Value:
    money = _means(running, *rows)
    if isinstance(money, str):
        return money
    if len({way.place for way in ways}) > 1:
        return OTHER_MACHINE
    why = why_no_ratio([way for row in rows for way in running.ways(row)])
    if why is not None:
        return why
    volume = pays_off(Expense(dearer, money[0]), Expense(cheaper, money[1]))
    return NEVER if volume is None else volume


def _means(timed: Timed, *rows: Row) -> list[float] | str:
    """Each row's mean, or whose is missing and why."""
    means = []
    for row in rows:
        found = timed.of(row)
        average = mean(found)
        if average is None:
            return f"{row.label}: {next(str(v) for v in found.values() if isinstance(v, str))}"
        means.append(average)
    return means

"""Times and their ratios: which may be compared, and how those of a shared machine are marked.

What several runs took beside one another is longer than alone, by how much nobody knows, and a time
of one kind of machine says nothing of another. A ratio is therefore printed only of times that were
taken alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from reports.cells import ReadValue, Value, cell, mean, number, values
from reports.load import Row
from reports.readings import inference, milliseconds, pass_seconds, seconds_to, training
from reports.run_files import RecordedRun
from reports.sections.overview import plural
from suite.records.run import InferenceCost, Place, RunRecord

SHARED = (
    "Times marked *shared* were taken while other runs of the suite were under way on the same "
    "machine: they are longer than alone, and no ratio is taken between them and others."
)
OTHER_MACHINE = "not taken: times of two kinds of machine"
ONE_SHARED = "not taken: one time is of a shared machine, the other is not"
OWN_LOAD = 0.5
"""What a run may add to the load average beyond its threads: evaluation, tracker, the system."""


@dataclass(frozen=True)
class Taken:
    """How a time was taken.

    Attributes:
        place: the kind of machine.
        shared: whether other runs were known to be under way on the machine.
    """

    place: Place
    shared: bool


@dataclass(frozen=True)
class Timed:
    """A time that records tell.

    Attributes:
        read: it from a record.
        taken: how it was, by the same record; None where it was not.
    """

    read: ReadValue
    taken: Callable[[RunRecord], Taken | None]

    def of(self, row: Row) -> dict[int, Value]:
        """Each planned seed's time, or why there is none."""
        return values(row, self.read)

    def ways(self, row: Row) -> list[Taken]:
        """How the row's times were taken, one for each."""
        timed = (run.record for run in row.complete if not isinstance(self._of(run.record), str))
        return [taken for record in timed if (taken := self.taken(record)) is not None]

    def _of(self, record: RunRecord) -> Value:
        value = self.read(record)
        return "not recorded" if value is None else value


def training_taken(record: RunRecord) -> Taken | None:
    """How the times of training were taken."""
    if record.training is None:
        return None
    return Taken(record.environment.place, record.training.alone is False)


def inference_taken(record: RunRecord, batch_size: int) -> Taken | None:
    """How inference was measured."""
    cost = inference(record, batch_size)
    if not isinstance(cost, InferenceCost):
        return None
    return Taken(cost.place or record.environment.place, cost.alone is False)


def curve_taken(record: RunRecord) -> Taken | None:
    """How the operating points were measured."""
    curve = record.operating
    if curve is None or curve.failure:
        return None
    return Taken(curve.place or record.environment.place, curve.alone is False)


def busiest(record: RunRecord, loads: Iterable[float]) -> float | None:
    """The largest of some load averages where other work than the run's raised it; else None."""
    largest = max(loads, default=0.0)
    return largest if largest > record.protocol.threads + OWN_LOAD else None


def training_time(name: str, factor: float = 1.0) -> Timed:
    """A field of the training cost, times `factor`."""
    return Timed(partial(training, name=name, factor=factor), training_taken)


def time_to(target: str) -> Timed:
    """Seconds until a dev F1 was reached."""
    return Timed(partial(seconds_to, target=target), training_taken)


def latency(batch_size: int, stage: str = "total", part: str = "median") -> Timed:
    """Milliseconds per example."""
    read = partial(milliseconds, batch_size=batch_size, stage=stage, part=part)
    return Timed(read, partial(inference_taken, batch_size=batch_size))


def pass_time(batch_size: int) -> Timed:
    """Seconds of a pass over the test set."""
    taken = partial(inference_taken, batch_size=batch_size)
    return Timed(partial(pass_seconds, batch_size=batch_size), taken)


def mark(ways: Sequence[Taken]) -> str:
    """What follows a figure that rests on times of a shared machine; empty where none is."""
    return mark_of([way.shared for way in ways])


def mark_of(shared: Sequence[bool]) -> str:
    """As `mark`, of whether each time was of a shared machine."""
    count = sum(shared)
    if not count:
        return ""
    return " (shared)" if count == len(shared) else f" ({count} of {len(shared)} shared)"


def time_cell(row: Row, timed: Timed, digits: int | None = None) -> str:
    """The cell of a row's time, marked where its machine was shared."""
    return cell(timed.of(row), digits) + mark(timed.ways(row))


def shared_note(runs: Iterable[RecordedRun]) -> str:
    """A paragraph on what the mark means, where a time of the runs has it."""
    ways = (way for run in runs if run.complete for way in ways_of(run.record))
    return f"\n{SHARED}\n" if any(way.shared for way in ways) else ""


def shared_in_words(runs: Iterable[RecordedRun], taken: Callable[[RunRecord], Taken | None]) -> str:
    """What a figure's note says of how many of its runs shared their machine."""
    ways = [way for run in runs if (way := taken(run.record)) is not None]
    shared = sum(way.shared for way in ways)
    return f" {shared} of {plural(len(ways), 'run')} on a shared machine." if shared else ""


def ways_of(record: RunRecord) -> list[Taken]:
    """How each of a record's times was taken."""
    ways = [training_taken(record), curve_taken(record)]
    ways += [inference_taken(record, cost.batch_size) for cost in record.inference]
    return [way for way in ways if way is not None]


def why_no_ratio(ways: Iterable[Taken]) -> str | None:
    """Why no ratio is taken between times; None where all of them were taken alike.

    Every ratio of times of two measurements that a report prints asks this first. A speed-up is of
    one: its times were taken in turns by one process.

    Args:
        ways: how each time was taken that is part of the ratio, above and below.
    """
    taken = list(ways)
    if len({way.place for way in taken}) > 1:
        return OTHER_MACHINE
    return ONE_SHARED if len({way.shared for way in taken}) > 1 else None


def ratio_cell(row: Row, reference: Row, timed: Timed) -> str:
    """A row's mean time as a multiple of a reference's, or why there is none."""
    return divided(row, reference, timed.read, [*timed.ways(row), *timed.ways(reference)])


def divided(row: Row, reference: Row, read: ReadValue, ways: Sequence[Taken] = ()) -> str:
    """A row's mean as a multiple of a reference's, or why there is none.

    Args:
        row: above the line.
        reference: below it.
        read: the figure of both.
        ways: how the times that it rests on were taken; none where it is no time.
    """
    ours, theirs = values(reference, read), values(row, read)
    divisor, dividend = mean(ours), mean(theirs)
    if divisor and dividend is not None:
        return why_no_ratio(ways) or number(dividend / divisor, 2) + mark(ways)
    lacking = (row.label, theirs) if dividend is None else (reference.label, ours)
    reason = next((str(v) for v in lacking[1].values() if isinstance(v, str)), "0")
    return f"{lacking[0]}: {reason}"

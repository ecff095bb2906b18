"""What a reader asks first: which system, how sure that is, and what it costs.

Computes alone; `reports.sections.answer` writes it down, `reports.figures.frontier` draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from reports.cells import mean, values
from reports.differences import Differences, Standing, find_differences, is_told
from reports.load import AnyRow, Group, Row
from reports.readings import inference_mebibytes, trains_nothing
from reports.times import latency, training_time

POINT = 0.01
"""F1 by which a quicker system may stay under the best and is still named."""

_MINUTES = training_time("training_seconds", factor=1 / 60)


@dataclass(frozen=True)
class Limits:
    """What a reader can afford; None: no limit.

    Attributes:
        milliseconds: an example, at the least batch size that was measured.
        mebibytes: the most memory of inference at that batch size.
        f1: test F1 at least, in per cent.
    """

    milliseconds: float | None = None
    mebibytes: float | None = None
    f1: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return (self.milliseconds, self.mebibytes, self.f1) != (None, None, None)


NO_LIMITS = Limits()
"""Of a report that is asked for no choice."""


@dataclass(frozen=True)
class Candidate:
    """A system with what decides between systems: means over seeds, None where one is missing.

    Attributes:
        standing: its F1 with the interval.
        milliseconds: an example at the least batch size.
        mebibytes: the most memory of inference there.
        minutes: of training, dev evaluation apart; None where nothing is trained, too.
    """

    standing: Standing
    milliseconds: float | None = None
    mebibytes: float | None = None
    minutes: float | None = None

    @property
    def row(self) -> AnyRow:
        """The row of its table."""
        return self.standing.row

    @property
    def f1(self) -> float:
        """Test F1."""
        return self.standing.f1.value


@dataclass(frozen=True)
class Answer:
    """Of one dataset.

    Attributes:
        differences: on which it rests.
        candidates: systems with an F1, the best first.
        tied: labels of those that cannot be told from the best one; with one seed, of which
            nothing is told, none.
        place: the machine of the times; its batch size is `batch_size`.
        batch_size: the least that was measured; None where none was.
    """

    differences: Differences
    candidates: tuple[Candidate, ...]
    tied: tuple[str, ...]
    place: Group
    batch_size: int | None

    @property
    def best(self) -> Candidate | None:
        """The system with the highest F1; None where none has one."""
        return self.candidates[0] if self.candidates else None

    @property
    def fastest(self) -> Candidate | None:
        """The quickest one less than a point under the best; None without times."""
        if self.best is None:
            return None
        near = [c for c in self.candidates if c.f1 >= self.best.f1 - POINT]
        return _least(near, "milliseconds")

    @property
    def cheapest(self) -> Candidate | None:
        """The one that trains in the least time; None without times."""
        return _least(self.candidates, "minutes")

    @property
    def untrained(self) -> Candidate | None:
        """The best one that trains nothing; None where all are trained."""
        return next((c for c in self.candidates if trains_nothing(c.row)), None)

    @property
    def not_above_untrained(self) -> tuple[Candidate, ...]:
        """The others whose F1 is no higher than that of the best one that trains nothing."""
        floor = self.untrained
        return tuple(c for c in self.candidates if floor and c is not floor and c.f1 <= floor.f1)

    @property
    def front(self) -> tuple[Candidate, ...]:
        """Those that no other beats in both F1 and latency, the quickest first."""
        return tuple(candidate for candidate, _ in front_of(self.timed(self.batch_size)))

    def timed(self, size: int | None) -> list[tuple[Candidate, float]]:
        """The systems that have a latency at a batch size, with it."""
        rows = {row.label: row for row in self.place.systems}
        found = [
            (candidate, mean(latency(size).of(rows[candidate.row.label])))
            for candidate in self.candidates
            if size is not None and candidate.row.label in rows
        ]
        return [(candidate, taken) for candidate, taken in found if taken is not None]

    def within(self, limits: Limits) -> tuple[Candidate, ...]:
        """Those that keep to limits, the best first; what was not measured keeps to none."""
        return tuple(
            c
            for c in self.candidates
            if _at_most(c.milliseconds, limits.milliseconds)
            and _at_most(c.mebibytes, limits.mebibytes)
            and (limits.f1 is None or 100 * c.f1 >= limits.f1)
        )


def find_answers(groups: Sequence[Group]) -> dict[str, Answer]:
    """Key of each table -> its answer."""
    return {group.key: find_answer(group) for group in groups}


def find_answer(group: Group) -> Answer:
    """The answer of a dataset's table; times are of the machine with most runs."""
    differences, place = find_differences(group), group.machines[0]
    size = min(place.batch_sizes, default=None)
    timed = {row.label: row for row in place.systems}
    candidates = [
        _candidate(standing, timed.get(standing.row.label), size)
        for standing in differences.standings
    ]
    candidates.sort(key=lambda candidate: -candidate.f1)
    return Answer(differences, tuple(candidates), _tied(differences), place, size)


def _candidate(standing: Standing, row: Row | None, size: int | None) -> Candidate:
    if row is None or size is None:
        return Candidate(standing)
    return Candidate(
        standing,
        mean(latency(size).of(row)),
        mean(values(row, partial(inference_mebibytes, batch_size=size))),
        None if trains_nothing(row) else mean(_MINUTES.of(row)),
    )


def _tied(differences: Differences) -> tuple[str, ...]:
    """The systems from which the leader is not told apart, where seeds can tell."""
    leader = differences.leader
    if leader is None:
        return ()
    return tuple(
        pair.other(leader.row).label
        for pair, p in differences.against(leader.row)
        if pair.difference.counts_seeds and not is_told(pair, p)
    )


def _least(candidates: Sequence[Candidate], what: str) -> Candidate | None:
    known = [c for c in candidates if getattr(c, what) is not None]
    return min(known, key=lambda c: getattr(c, what), default=None)


def front_of(timed: Sequence[tuple[Candidate, float]]) -> list[tuple[Candidate, float]]:
    """Those that no other beats in both F1 and time, the quickest first."""
    front = [
        (candidate, taken)
        for candidate, taken in timed
        if not any(
            other.f1 >= candidate.f1 and time <= taken and (other.f1, time) != (candidate.f1, taken)
            for other, time in timed
        )
    ]
    return sorted(front, key=lambda point: (point[1], -point[0].f1))


def _at_most(value: float | None, limit: float | None) -> bool:
    return limit is None or (value is not None and value <= limit)

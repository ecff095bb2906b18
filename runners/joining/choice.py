"""Which runs of several output folders are the same, which of them is kept, and which differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runners.executors.replacing import differences
from runners.joining.folders import Found, Unit
from suite.errors import SuiteError
from suite.files import AGAIN, read_regular, readable
from suite.records.outside import OutsideRecord
from suite.records.run import PREDICTIONS, RunRecord
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation

ENDED = frozenset({"complete", "diverged", "pruned"})
"""Statuses of runs that the same command would not do again."""
REASONS = (
    "which ended",
    "whose predictions are there",
    "of which more was measured",
    *("which was measured alone", "which was measured alone"),
    "which was trained alone",
)
"""Why one of several that are the same is kept, the weightiest first."""
SHOWN = 5
"""Places that a message names."""


@dataclass
class Stream:
    """What becomes one row: of one unit, a run or a file for each number.

    Attributes:
        unit: it lies in.
        suffix: what its system's name ends with where it stands apart from another stream of the
            unit: a dot and the label of the first folder that it is from.
        labels: of all folders that it is from.
        kept: number -> what is kept.
    """

    unit: Unit
    suffix: str
    labels: list[str]
    kept: dict[str, Found] = field(default_factory=dict)

    @property
    def place(self) -> Unit:
        """The unit that it lies in when all are joined."""
        return self.unit[0] + self.suffix, self.unit[1]


@dataclass
class Choice:
    """What is kept of all folders.

    Attributes:
        streams: in the order of the folders.
        same: a line for each run that lies in several folders and is kept once.
        unlike: a line for each that differs from another one of its place.
    """

    streams: list[Stream] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def take(self, sources: Iterable[dict[Unit, dict[str, Found]]]) -> None:
        """Joins the units of the folders, each with a stream that it does not differ from.

        Of several such, with one whose runs make one row with its own.

        Raises:
            SuiteError: a file of predictions cannot be read.
        """
        for units in sources:
            for unit, own in units.items():
                streams = [stream for stream in self.streams if stream.unit == unit]
                self._join(unit, own, streams)
        self._name_apart()

    def _name_apart(self) -> None:
        """Gives what stands apart a place that nothing else has."""
        taken = {stream.unit for stream in self.streams}
        for stream in self.streams:
            while stream.suffix and stream.place in taken:
                stream.suffix += "-2"
            taken.add(stream.place)

    def _join(self, unit: Unit, own: dict[str, Found], streams: list[Stream]) -> None:
        label = next(iter(own.values())).label
        fit = []
        for stream in streams:
            both = [(stream.kept[n], found) for n, found in own.items() if n in stream.kept]
            unlike = [line for pair in both if (line := difference(*pair)) is not None]
            if not unlike:
                fit.append(stream)
            elif stream is streams[0]:
                self.unlike += unlike
        if not fit:
            suffix = f".{label}" if streams else ""
            self.streams.append(Stream(unit, suffix, [label], dict(own)))
            return
        joined = next((stream for stream in fit if _make_one_row(stream.kept, own)), fit[0])
        for number, found in own.items():
            joined.kept[number] = self._better(joined.kept.get(number), found)
        joined.labels.append(label)

    def _better(self, first: Found | None, other: Found) -> Found:
        if first is None:
            return other
        kept, why = better(first, other)
        self.same.append(f"{other.title}: the one of {kept.label}, {why}")
        return kept


def difference(first: Found, other: Found) -> str | None:
    """In what two of one place differ, as a sentence; None where they are the same.

    A run that was cut off is the same as one of its configuration that was not.
    """
    one, two = first.record, other.record
    if one is None or two is None:
        return None
    if isinstance(one, OutsideRecord) or isinstance(two, OutsideRecord):
        unlike = _of_files(one, two)
    else:
        unlike = _of_runs(first, one, other, two)
    if unlike is None:
        return None
    return f"{other.title} is not the same in {first.place} and {other.place} ({unlike})"


def _make_one_row(kept: Mapping[str, Found], own: Mapping[str, Found]) -> bool:
    """Whether some run of both has the settings, the protocol and the data of one of the other."""
    rows = [{_row_of(found.record) for found in part.values()} - {None} for part in (kept, own)]
    return bool(rows[0] & rows[1])


def _row_of(record: RunRecord | OutsideRecord | None) -> str | None:
    """What a row's runs have in common; None where that is not known."""
    if not isinstance(record, RunRecord):
        return None
    system = record.system.model_dump(
        include={"name", "settings", "vectors", "pretrained", "parser"}
    )
    data = sorted(record.dataset.fingerprints.items())
    return json.dumps([system, record.protocol.model_dump(), data], sort_keys=True, default=str)


def _of_files(one: RunRecord | OutsideRecord, two: RunRecord | OutsideRecord) -> str | None:
    assert isinstance(one, OutsideRecord)
    assert isinstance(two, OutsideRecord)
    if one.dataset.fingerprints != two.dataset.fingerprints or one.match != two.match:
        return "they were scored on other data, or by another match rule"
    if one.sha256 != two.sha256 or one.test != two.test:
        return "they are other predictions"
    return "other things are stated of them" if one.about != two.about else None


def _of_runs(first: Found, one: RunRecord, other: Found, two: RunRecord) -> str | None:
    places = f"in {first.label}", f"in {other.label}"
    if one.configuration != two.configuration or one.system.key != two.system.key:
        return differences(one, two, places)
    if one.status not in ENDED or two.status not in ENDED:
        return None
    if one.status != two.status:
        return f"{one.status} {places[0]}, {two.status} {places[1]}, with equal settings"
    whole = first.predicts and other.predicts
    if _compared(one, whole=whole) != _compared(two, whole=whole):
        return f"{_scores(one, places[0])}, {_scores(two, places[1])}, with equal settings"
    if whole and _digest(first.folder) != _digest(other.folder):
        return "other predictions, with equal settings and scores"
    return None


def _compared(record: RunRecord, *, whole: bool) -> list[Evaluation | None]:
    """Its scores; unless whole, without those of slices, of which evidence has not all."""
    left_out: dict[str, object] = {} if whole else {"slices": {}}
    return [one and one.model_copy(update=left_out) for one in (record.dev, record.test)]


def _scores(record: RunRecord, place: str) -> str:
    def f1(found: Evaluation | None) -> str:
        if found is None:
            return "none"
        task = find_task(record.dataset.task)
        return f"{100 * task.selected(found, record.protocol.match).f1:.2f} %"

    return f"F1 {f1(record.dev)} on dev and {f1(record.test)} on test {place}"


def _digest(folder: Path) -> str | None:
    """Of what was predicted; None where no predictions were kept."""
    path = folder / PREDICTIONS
    if not path.exists():
        return None
    with readable(path, AGAIN):
        return hashlib.sha256(read_regular(path)).hexdigest()


def better(first: Found, other: Found) -> tuple[Found, str]:
    """Which of two that are the same is kept, and why; see `REASONS`."""
    ranks = _rank(first), _rank(other)
    why = (reason for one, two, reason in zip(*ranks, REASONS, strict=False) if one != two)
    return (other if ranks[1] < ranks[0] else first), next(why, "the first")


def _rank(found: Found) -> tuple[int, ...]:
    """A number for each of `REASONS`; less is better."""
    record = found.record
    if record is None:
        return (2,)
    if isinstance(record, OutsideRecord):
        return (0,)
    company = list(_company(record))
    beside = sum(alone is False for alone in company), sum(alone is None for alone in company)
    trained = {True: 0, None: 1, False: 2}[record.training.alone if record.training else None]
    lacks = int(record.status not in ENDED), int(not found.predicts)
    return *lacks, -len(company), *beside, trained


def _company(record: RunRecord) -> Iterator[bool | None]:
    """Whether each measurement that gave figures was alone."""
    yield from (cost.alone for cost in record.inference if cost.failure is None)
    if record.operating is not None and not record.operating.failure:
        yield record.operating.alone


def refuse_unlike(unlike: list[str]) -> None:
    """Ends a command that is to join what differs.

    Raises:
        SuiteError: something does.
    """
    if not unlike:
        return
    more = f"; and {len(unlike) - SHOWN} more" if len(unlike) > SHOWN else ""
    raise SuiteError(
        f"{'; '.join(unlike[:SHOWN])}{more}",
        remedy="Leave one of the folders out, or let rows of their own be named by their folders "
        "with --apart.",
    )

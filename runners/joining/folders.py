"""What lies in the output folders that are to be joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from reports.load import OUTSIDE
from runners.joining.evidence import Place
from suite.errors import SuiteError
from suite.names import folder_name
from suite.records.evidence import RUN_EVIDENCE
from suite.records.outside import OutsideRecord, read_outside_record
from suite.records.run import RunRecord, read_record
from suite.records.suite import RUNS, SuitePlan, read_suite_plan

Unit: TypeAlias = tuple[str, str]
"""Names of two folders, of a system and of a dataset: what a row of a table is made of."""


@dataclass(frozen=True)
class Found:
    """A run, or a file of predictions, in its folder.

    Attributes:
        folder: it lies in.
        label: of the output folder.
        named: how the user named the output folder, or the file of evidence in its place.
        record: None of a run that was begun and left none.
    """

    folder: Path
    label: str
    named: Path
    record: RunRecord | OutsideRecord | None

    @property
    def place(self) -> str:
        """The output folder as it was named, with its label where that is not its name."""
        named = self.named
        return f"{named}" if named.name == self.label else f"{named} ({self.label})"

    @property
    def predicts(self) -> bool:
        """Whether it came with more than evidence."""
        return not (self.folder / RUN_EVIDENCE).exists()

    @property
    def title(self) -> str:
        """As messages name it."""
        system, dataset, number = self.folder.parts[-3:]
        kind = "file" if isinstance(self.record, OutsideRecord) else "seed"
        return f"{system} · {dataset} · {kind} {number}"


@dataclass(frozen=True)
class Source:
    """An output folder, read.

    Attributes:
        named: as the user named it.
        label: the folder's name, numbered where several are called alike.
        runs, outside: unit -> number of the seed or file -> what lies there.
    """

    named: Path
    label: str
    plan: SuitePlan
    runs: dict[Unit, dict[str, Found]]
    outside: dict[Unit, dict[str, Found]]


def read_sources(places: Sequence[Place]) -> list[Source]:
    """Reads the plans and records of output folders.

    Raises:
        SuiteError: a place is named twice, is none that `run-suite` wrote, or a record of it is
            broken or of another format.
    """
    known: dict[Path, Path] = {}
    for place in places:
        first = known.setdefault(place.named.resolve(), place.named)
        if first is not place.named:
            raise SuiteError(
                f"is {first}, which is named already", where=place.named, remedy="Name each once."
            )
    labels = _labels([place.folder.resolve() for place in places])
    return [_read(place, label) for place, label in zip(places, labels, strict=True)]


def _labels(places: Sequence[Path]) -> list[str]:
    """A name for each folder that tables can print, and no other has."""
    names = [folder_name(place.name or "root") for place in places]
    taken, found = set(names), []
    for name in names:
        label, number = name, 0
        while names.count(name) > 1 and (not number or label in taken):
            number += 1
            label = f"{name}-{number}"
        taken.add(label)
        found.append(label)
    return found


def _read(place: Place, label: str) -> Source:
    folder, named = place.folder, place.named
    if not (folder / "suite.json").is_file():
        search = (folder / "search.json").is_file()
        raise SuiteError(
            "is no output folder of run-suite: it holds no suite.json",
            where=folder,
            remedy=f"It is a search's; its finals are in {folder / 'finals'}."
            if search
            else "Name output folders of run-suite commands (their --out), or files of evidence.",
        )
    runs: dict[Unit, dict[str, Found]] = {}
    for unit, path in _begun(folder / RUNS):
        record = read_record(path / "record.json") if (path / "record.json").exists() else None
        runs.setdefault(unit, {})[path.name] = Found(path, label, named, record)
    outside: dict[Unit, dict[str, Found]] = {}
    for path in sorted((folder / OUTSIDE).glob("*/*/*/record.json")):
        found = Found(path.parent, label, named, read_outside_record(path))
        unit = path.parts[-4], path.parts[-3]
        outside.setdefault(unit, {})[path.parent.name] = found
    return Source(named, label, read_suite_plan(folder / "suite.json"), runs, outside)


def _begun(folder: Path) -> Iterator[tuple[Unit, Path]]:
    """The folders of runs that have a record, or a plan and a checkpoint to go on from."""
    for path in sorted(folder.glob("*/*/*")):
        left = (path / "run.json").is_file() and (path / "checkpoint").is_dir()
        if (path / "record.json").exists() or left:
            yield (path.parts[-3], path.parts[-2]), path

"""What lies in the output folders that are to be joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from reports.load import OUTSIDE
from suite.errors import SuiteError
from suite.names import folder_name
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
        record: None of a run that was begun and left none.
    """

    folder: Path
    label: str
    record: RunRecord | OutsideRecord | None

    @property
    def place(self) -> str:
        """The output folder as it was named, with its label where that is not its name."""
        folder = self.folder.parents[3]
        return f"{folder}" if folder.name == self.label else f"{folder} ({self.label})"

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
        label: the folder's name, numbered where several are called alike.
        runs, outside: unit -> number of the seed or file -> what lies there.
    """

    folder: Path
    label: str
    plan: SuitePlan
    runs: dict[Unit, dict[str, Found]]
    outside: dict[Unit, dict[str, Found]]


def read_sources(folders: Sequence[Path]) -> list[Source]:
    """Reads the plans and records of output folders.

    Raises:
        SuiteError: a folder is named twice, is none that `run-suite` wrote, or a record of it is
            broken or of another format.
    """
    places: dict[Path, Path] = {}
    for folder in folders:
        first = places.setdefault(folder.resolve(), folder)
        if first is not folder:
            raise SuiteError(
                f"is the folder {first}, which is named already",
                where=folder,
                remedy="Name each folder once.",
            )
    return [
        _read(folder, label) for folder, label in zip(folders, _labels(list(places)), strict=True)
    ]


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


def _read(folder: Path, label: str) -> Source:
    if not (folder / "suite.json").is_file():
        search = (folder / "search.json").is_file()
        raise SuiteError(
            "is no output folder of run-suite: it holds no suite.json",
            where=folder,
            remedy=f"It is a search's; its finals are in {folder / 'finals'}."
            if search
            else "Name output folders of run-suite commands (their --out).",
        )
    runs: dict[Unit, dict[str, Found]] = {}
    for place, path in _begun(folder / RUNS):
        record = read_record(path / "record.json") if (path / "record.json").exists() else None
        runs.setdefault(place, {})[path.name] = Found(path, label, record)
    outside: dict[Unit, dict[str, Found]] = {}
    for path in sorted((folder / OUTSIDE).glob("*/*/*/record.json")):
        found = Found(path.parent, label, read_outside_record(path))
        unit = path.parts[-4], path.parts[-3]
        outside.setdefault(unit, {})[path.parent.name] = found
    return Source(folder, label, read_suite_plan(folder / "suite.json"), runs, outside)


def _begun(folder: Path) -> Iterator[tuple[Unit, Path]]:
    """The folders of runs that have a record, or a plan and a checkpoint to go on from."""
    for path in sorted(folder.glob("*/*/*")):
        left = (path / "run.json").is_file() and (path / "checkpoint").is_dir()
        if (path / "record.json").exists() or left:
            yield (path.parts[-3], path.parts[-2]), path

"""The plan of a suite, `suite.json`: what one command set out to run, and on what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from suite.files import StrictModel, read_model, write_atomically
from suite.protocol import Protocol
from suite.records.run import FORMAT, DatasetFacts, Environment
from suite.studies.study import Study

EXAMPLES = "examples"
"""The statistic of a split that holds its number of sentences or documents."""

SEEN_SHARE = "seen_share"
"""The statistic of a split that holds the share (0 to 1) of its triples that occur in train."""

RUNS = "runs"
"""Folder of an output folder that holds `SYSTEM/DATASET/SEED` of each run."""


class PlannedDataset(StrictModel):
    """A dataset with what was counted in it.

    Attributes:
        statistics: split -> measure -> value, in the order of print; a measure may itself be a
            table of counts (overlap patterns, problems met in reading). `EXAMPLES` and
            `SEEN_SHARE` are known by name, since published ones stand beside them.
    """

    facts: DatasetFacts
    statistics: dict[str, dict[str, JsonValue]]
    citation: str
    licence: str


class Cannot(StrictModel):
    """A system that was not run on a dataset.

    Attributes:
        kind: what stood in the way: the dataset is for a task that the system does not do, or
            something that it needs is not there.
        reason: as a sentence without a full stop.
    """

    system: str
    dataset: str
    kind: Literal["other task", "missing resource"]
    reason: str


class SuitePlan(StrictModel):
    """What one command set out to run; written before the first run.

    Attributes:
        protocols: system -> dataset -> the protocol of its runs; all equal under identical
            settings.
        systems: names, those of variants among them, in the order in which tables list them.
        study: whose variants were run, as its file was then; None where systems were named.
        joined: the plans of the output folders that this one was joined from, each called by its
            folder; empty where one command made it.
        kept_once: a line for each run that lay in several of those, with the one that is kept.
    """

    format: Literal[2] = FORMAT
    name: str = Field(description="name of the suite, by which trackers group runs")
    version: str = Field(description="version of this package")
    created: str = Field(description="UTC, ISO 8601")
    command: tuple[str, ...] = Field(description="the command line, one argument per item")
    options: dict[str, JsonValue] = Field(
        default_factory=dict, description="its options beyond the defaults: what --config reads"
    )
    protocols: dict[str, dict[str, Protocol]]
    environment: Environment
    systems: tuple[str, ...]
    datasets: tuple[PlannedDataset, ...]
    seeds: tuple[int, ...]
    cannot: tuple[Cannot, ...] = ()
    study: Study | None = None
    joined: tuple[SuitePlan, ...] = ()
    kept_once: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[SuitePlan, ...]:
        """The plans of single commands: those that were joined, or this one."""
        return self.joined or (self,)

    def planned(self) -> Iterator[tuple[str, str, int]]:
        """System, dataset and seed of each run that one command was to do."""
        barred = {(cannot.system, cannot.dataset) for cannot in self.cannot}
        for dataset in (planned.facts.name for planned in self.datasets):
            for system in self.systems:
                there = dataset in self.protocols.get(system, {})
                if there and (system, dataset) not in barred:
                    yield from ((system, dataset, seed) for seed in self.seeds)

    def write(self, out: Path) -> None:
        """Writes `suite.json`, whole or not at all."""
        write_atomically(out / "suite.json", self.model_dump_json(indent=1))


def read_suite_plan(path: Path) -> SuitePlan:
    """Reads a `suite.json`.

    Raises:
        SuiteError: the file cannot be read, or is not a plan of this format.
    """
    return read_model(
        path,
        SuitePlan,
        "plan",
        form=FORMAT,
        remedy="Name the output folder of a run-suite command of this version (its --out), or read "
        "this one with the version of the suite that wrote it.",
    )

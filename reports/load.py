"""Reads an output folder, and groups its runs into those that may share a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from reports.evidenced import read_run
from reports.run_files import Missing, OutsideRun, RecordedRun
from suite.errors import SuiteError
from suite.quoting import quoted
from suite.records.outside import OutsideRecord, read_outside_record
from suite.records.run import (
    DatasetFacts,
    Environment,
    Place,
    RunRecord,
    SystemFacts,
)
from suite.records.suite import RUNS, PlannedDataset, SuitePlan, read_suite_plan
from suite.tasks.matching import Match
from suite.tasks.registry import find_task
from suite.tasks.task import Task

RESOURCES = {
    "vectors": "word vectors",
    "pretrained": "pretrained encoder",
    "parser": "dependency parser",
}
"""What a system is built from besides its settings: field of its facts -> name in print."""
OUTSIDE = "outside"
"""Folder of an output folder that holds `NAME/DATASET/NUMBER` of each file of predictions."""


def _computes(environment: Environment) -> dict[str, Any]:
    """What of an environment decides scores: versions and code, not the place."""
    held = environment.model_dump(mode="json", exclude=set(Place.model_fields))
    # CUDA's version, and what follows torch's `+`, say for which device torch was built.
    versions = {k: v.partition("+")[0] for k, v in held["versions"].items() if k != "cuda"}
    return {**held, "versions": versions}


def _identity(facts: SystemFacts) -> str:
    """Equal for runs of one system under the same settings and from the same resources."""
    held = facts.model_dump(mode="json", include={"name", "variant", "settings", *RESOURCES})
    return json.dumps(held, sort_keys=True)


@dataclass(frozen=True)
class Row:
    """A table's row: the runs of one system under one set of settings, one per seed.

    Attributes:
        label: the system's title, numbered where the group holds several settings of it, and
            marked where it is an upper bound.
        seeds: those that were planned, with or without a record.
    """

    label: str
    runs: tuple[RecordedRun, ...]
    seeds: tuple[int, ...]

    @property
    def facts(self) -> SystemFacts:
        """Who was trained."""
        return self.runs[0].record.system

    @property
    def name(self) -> str:
        """The system's name in the registry."""
        return self.facts.name

    @property
    def key(self) -> str:
        """What a suite's plan and folders call it."""
        return self.facts.key

    @property
    def choices(self) -> dict[str, str]:
        """Settings and resources, as they are printed."""
        facts = self.facts
        settings = {name: json.dumps(value) for name, value in facts.settings.items()}
        sources = {name: getattr(facts, field) or "not used" for field, name in RESOURCES.items()}
        return settings | sources

    @property
    def upper_bound(self) -> str | None:
        """What it is given that a system has to find; None for a system."""
        return self.facts.upper_bound

    @property
    def complete(self) -> list[RecordedRun]:
        """Runs whose scores count."""
        return [run for run in self.runs if run.complete]

    @property
    def n(self) -> str:
        """How many seeds the row rests on."""
        done, planned = len(self.complete), len(self.seeds)
        return f"n={done}" if done == planned else f"{done} of {planned} seeds"

    @property
    def missing(self) -> dict[int, Missing]:
        """Seed -> why its run gave nothing, for every seed that is not complete."""
        status: dict[int, str] = {run.record.seed: run.record.status for run in self.runs}
        return {
            seed: Missing(status.get(seed, "no record"))
            for seed in self.seeds
            if status.get(seed) != "complete"
        }


@dataclass(frozen=True)
class OutsideRow:
    """A table's row of a system that was not trained here: its files of predictions, scored here.

    Attributes:
        label: the system's title, marked as from outside.
    """

    label: str
    runs: tuple[OutsideRun, ...]

    @property
    def record(self) -> OutsideRecord:
        """Of its first file; all say the same of the system."""
        return self.runs[0].record

    @property
    def key(self) -> str:
        """What no trained system can be called, as a folder is named by it."""
        return f"{OUTSIDE}/{self.record.name}"

    @property
    def complete(self) -> list[OutsideRun]:
        """All of them: what cannot be scored is not brought in."""
        return list(self.runs)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The numbers of its files."""
        return tuple(run.record.seed for run in self.runs)

    @property
    def missing(self) -> dict[int, Missing]:
        """None."""
        return {}

    @property
    def n(self) -> str:
        """How many files the row rests on."""
        return f"{len(self.runs)} file{'' if len(self.runs) == 1 else 's'}"


AnyRow: TypeAlias = Row | OutsideRow
"""What tables of scores list; those of costs list rows that were trained here."""


@dataclass(frozen=True)
class Group:
    """Runs whose scores may share a table: one dataset, protocol and version, wherever they ran.

    Times share a table on one machine alone: those of `machines`.

    Attributes:
        key: names its figures and its rows in `results.csv`.
        part: from 1, where the dataset has several groups; 0 where it has one.
        rows: in the plan's order of systems, upper bounds last.
        plan: what is known of the dataset besides; None where the plan does not name it.
        differences: to the first group of the same dataset; empty for that one.
        place: from 1, where this is the part of a group that ran on one of its several machines.
        outside: systems that were not trained here, scored on the same test set by the same rule.
    """

    key: str
    part: int
    rows: tuple[Row, ...]
    plan: PlannedDataset | None
    differences: tuple[str, ...]
    place: int = 0
    outside: tuple[OutsideRow, ...] = ()

    @property
    def scored(self) -> tuple[AnyRow, ...]:
        """All that has scores: what was trained here, then what was not."""
        return *self.rows, *self.outside

    @cached_property
    def machines(self) -> tuple[Group, ...]:
        """The parts by machine, the one with most runs first; the group itself where it is one.

        Of a run that was trained on one machine and measured on another, each part has its times.
        """
        found: dict[Place, dict[int, RecordedRun]] = {}
        for run in sorted(self.runs, key=lambda run: run.record.started):
            for place, part in run.by_place().items():
                found.setdefault(place, {})[id(run)] = part
        if len(found) == 1:
            return (self,)
        parts = sorted(found.values(), key=_trained_first)
        return tuple(self._on_machine(number, runs) for number, runs in enumerate(parts, start=1))

    def _on_machine(self, number: int, runs: Mapping[int, RecordedRun]) -> Group:
        """The part that ran on one machine; a seed that ran elsewhere is not missing there."""
        rows = []
        for row in self.rows:
            here = tuple(runs[id(run)] for run in row.runs if id(run) in runs)
            seeds = tuple(sorted(run.record.seed for run in here))
            if here:
                rows.append(replace(row, runs=here, seeds=seeds))
        key = f"{self.key}-machine-{number}"
        return replace(self, key=key, rows=tuple(rows), place=number, outside=())

    @property
    def runs(self) -> list[RecordedRun]:
        """All runs, row by row."""
        return [run for row in self.rows for run in row.runs]

    @property
    def systems(self) -> list[Row]:
        """The rows that are ranked and compared: all but upper bounds."""
        return [row for row in self.rows if row.upper_bound is None]

    @property
    def first(self) -> RunRecord:
        """Any record: what the group holds equal can be read from it."""
        return self.rows[0].runs[0].record

    @property
    def dataset(self) -> DatasetFacts:
        """The dataset of all runs."""
        return self.first.dataset

    @property
    def task(self) -> Task[Any, Any]:
        """What is asked of systems on this dataset."""
        return find_task(self.dataset.task)

    @property
    def match(self) -> Match:
        """The match rule that selected the epochs."""
        return self.task.selection_match(self.first.protocol.match)

    @property
    def rule(self) -> str:
        """The match rule as it stands after "F1"; facts have only one, which needs no name."""
        return self.task.rule(self.match)

    @property
    def rules(self) -> dict[Match, str]:
        """The match rules that its tables show, and how they name them."""
        matching = self.dataset.matching
        return {m: rule.format(matching=matching) for m, rule in self.task.rules.items()}

    @property
    def unit(self) -> str:
        """What an example is."""
        return self.task.unit

    @property
    def apart(self) -> dict[str, str]:
        """Row label -> what of its settings and resources the system's other rows do not share."""
        found = {}
        for row in self.rows:
            namesakes = [r for r in self.rows if r.name == row.name]
            kept = [
                f"{name}: {value}"
                for name, value in row.choices.items()
                if any(other.choices.get(name) != value for other in namesakes)
            ]
            if kept:
                found[row.label] = ", ".join(kept)
        return found

    @property
    def environment(self) -> Environment:
        """Where all runs of one machine took place; of several machines, that of the first run."""
        return self.first.environment

    @property
    def title(self) -> str:
        """The dataset's title; numbered where it has several groups, marked where synthetic."""
        part = f", part {self.part}" if self.part else ""
        said = not self.dataset.synthetic or "synthetic" in self.dataset.title.lower()
        return f"{self.dataset.title}{part}{'' if said else ' (synthetic data)'}"

    @property
    def notes(self) -> str:
        """The dataset's notes as sentences."""
        notes = (quoted(note).rstrip(".") for note in self.dataset.notes)
        return " ".join(f"{note[:1].upper()}{note[1:]}." for note in notes)

    @property
    def batch_sizes(self) -> list[int]:
        """At which inference was measured or tried, ascending."""
        return sorted({cost.batch_size for run in self.runs for cost in run.record.inference})

    @property
    def outer_batch_sizes(self) -> list[int]:
        """The least and the largest of them, once where they are one."""
        sizes = self.batch_sizes
        return sorted({*sizes[:1], *sizes[-1:]})


@dataclass(frozen=True)
class Results:
    """An output folder, read.

    Attributes:
        strays: files of predictions that were scored on other data, or by another rule, than every
            run.
    """

    plan: SuitePlan
    groups: tuple[Group, ...]
    strays: tuple[OutsideRun, ...] = ()

    @property
    def runs(self) -> list[RecordedRun]:
        """All runs, group by group."""
        return [run for group in self.groups for run in group.runs]

    @property
    def absent(self) -> list[tuple[str, str, int]]:
        """System, dataset and seed of each planned run that left no record."""
        there = {(r.record.system.key, r.record.dataset.name, r.record.seed) for r in self.runs}
        planned = dict.fromkeys(run for part in self.plan.parts for run in part.planned())
        return [run for run in planned if run not in there]


def _trained_first(runs: Mapping[int, RecordedRun]) -> tuple[int, int]:
    return -sum(run.trained_here for run in runs.values()), -len(runs)


def held_equal(record: RunRecord) -> dict[str, Any]:
    """What must be equal in a table of scores, flat, under the names that a reader is shown."""
    facts = record.dataset
    flat: dict[str, Any] = {
        "record format": record.format,
        "matching": facts.matching,
        "task": facts.task,
        **{f"SHA-256 of {split}": value for split, value in facts.fingerprints.items()},
        **{f"{split} is the published one": value for split, value in facts.published.items()},
        **record.protocol.model_dump(mode="json"),
    }
    for name, value in _computes(record.environment).items():
        if isinstance(value, dict):
            flat |= {f"version of {part}": version for part, version in value.items()}
        else:
            flat[name] = value
    return flat


def _differences(first: dict[str, Any], other: dict[str, Any]) -> tuple[str, ...]:
    def show(value: Any) -> str:
        return f"`{str(value)[:12]}...`" if len(str(value)) == 64 else f"`{value}`"

    return tuple(
        f"{name}: {show(other.get(name, 'absent'))} instead of {show(first.get(name, 'absent'))}"
        for name in {**first, **other}
        if first.get(name, "absent") != other.get(name, "absent")
    )


def _rows(runs: Sequence[RecordedRun], plan: SuitePlan) -> tuple[Row, ...]:
    """One row for each system and settings, since a mean over two settings says nothing."""
    found: dict[str, list[RecordedRun]] = {}
    for run in sorted(runs, key=lambda run: run.record.seed):
        found.setdefault(_identity(run.record.system), []).append(run)
    order = {name: place for place, name in enumerate(plan.systems)}

    def by_plan(entry: list[RecordedRun]) -> tuple[bool, int, str]:
        facts = entry[0].record.system
        return facts.upper_bound is not None, order.get(facts.key, len(order)), facts.key

    entries = sorted(found.values(), key=by_plan)
    rows = []
    for entry in entries:
        record = entry[0].record
        name, title = record.system.key, record.system.title
        namesakes = [e for e in entries if e[0].record.system.key == name]
        seeds = {run.record.seed for run in entry}
        if len(namesakes) == 1:
            seeds |= {seed for part in plan.parts for seed in _seeds_planned(part, record)}
        number = f", settings {namesakes.index(entry) + 1}" if len(namesakes) > 1 else ""
        bound = "" if record.system.upper_bound is None else " (upper bound)"
        titled_so = {e[0].record.system.key for e in entries if e[0].record.system.title == title}
        which = f" ({name})" if len(titled_so) > 1 else ""
        label = f"{title}{which}{number}{bound}"
        rows.append(Row(label, tuple(entry), tuple(sorted(seeds))))
    return tuple(rows)


def _seeds_planned(part: SuitePlan, record: RunRecord) -> tuple[int, ...]:
    """The seeds that a command was to run as it ran this one."""
    planned = (
        part.protocols.get(record.system.key, {}).get(record.dataset.name) == record.protocol
        and _computes(part.environment) == _computes(record.environment)
        and any(dataset.facts.name == record.dataset.name for dataset in part.datasets)
    )
    return part.seeds if planned else ()


def _outside(files: Sequence[OutsideRun], group: Group) -> tuple[OutsideRow, ...]:
    """A row for each system whose files were scored on the group's data by the group's rule."""
    ground = (group.dataset.fingerprints, group.dataset.matching, group.first.protocol.match)
    found: dict[str, list[OutsideRun]] = {}
    for run in files:
        data = run.record.dataset
        if (data.fingerprints, data.matching, run.record.match) == ground:
            found.setdefault(run.record.name, []).append(run)
    titles = [runs[0].record.title for runs in found.values()]
    rows = []
    for name, runs in sorted(found.items()):
        title = runs[0].record.title
        which = f" ({name})" if titles.count(title) > 1 else ""
        rows.append(OutsideRow(f"{title}{which} (outside)", tuple(runs)))
    return tuple(rows)


def _described(facts: DatasetFacts, known: Sequence[PlannedDataset]) -> PlannedDataset | None:
    """What plans tell of a dataset: of these very data, else of others by this name."""
    named = [dataset for dataset in known if dataset.facts.name == facts.name]
    own = (d for d in named if d.facts.fingerprints == facts.fingerprints)
    return next(own, next(iter(named), None))


def group_runs(runs: Sequence[RecordedRun], plan: SuitePlan) -> tuple[Group, ...]:
    """Runs under equal conditions together, in the plan's order of datasets."""
    order = {dataset.facts.name: place for place, dataset in enumerate(plan.datasets)}
    described = [*plan.datasets, *(d for part in plan.joined for d in part.datasets)]
    found: dict[str, dict[str, list[RecordedRun]]] = {}
    for run in sorted(runs, key=lambda run: run.record.started):
        key = json.dumps(held_equal(run.record), sort_keys=True)
        found.setdefault(run.record.dataset.name, {}).setdefault(key, []).append(run)
    groups = []
    for name in sorted(found, key=lambda name: (order.get(name, len(order)), name)):
        parts = list(found[name].values())
        first = held_equal(parts[0][0].record)
        for number, part in enumerate(parts, start=1):
            groups.append(
                Group(
                    key=f"{name}-{number}" if len(parts) > 1 else name,
                    part=number if len(parts) > 1 else 0,
                    rows=_rows(part, plan),
                    plan=_described(part[0].record.dataset, described),
                    differences=_differences(first, held_equal(part[0].record)),
                )
            )
    return tuple(groups)


def load_results(out: Path) -> Results:
    """Reads the plan and all records of an output folder.

    Raises:
        SuiteError: there is no plan or no record, or one of them is broken.
    """
    if not (out / "suite.json").is_file():
        raise SuiteError(
            "holds no suite.json",
            where=out,
            remedy="Name the output folder of a run-suite command (its --out).",
        )
    plan = read_suite_plan(out / "suite.json")
    paths = sorted((out / RUNS).glob("*/*/*/record.json"))
    if not paths:
        raise SuiteError(
            "holds no record of a run (runs/<system>/<dataset>/<seed>/record.json)",
            where=out,
            remedy="Run run-suite into this folder first.",
        )
    runs = [read_run(path.parent) for path in paths]
    brought = sorted((out / OUTSIDE).glob("*/*/*/record.json"))
    files = [OutsideRun(read_outside_record(path), path.parent) for path in brought]
    groups = tuple(replace(g, outside=_outside(files, g)) for g in group_runs(runs, plan))
    shown = {run.folder for group in groups for row in group.outside for run in row.runs}
    return Results(plan, groups, tuple(run for run in files if run.folder not in shown))

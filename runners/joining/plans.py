"""The plan of a folder that was joined from those of several commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

import suite
from runners.joining.folders import Source, Unit
from suite.errors import SuiteError
from suite.privacy import shown_command, without_home
from suite.protocol import Protocol
from suite.records.suite import Cannot, PlannedDataset, SuitePlan
from suite.studies.study import Study

UNITED = frozenset({"dataset", "system", "seeds", "out"})
"""Options that may differ between commands that can be given again as one."""
T = TypeVar("T")


def join_plans(
    sources: Sequence[Source], renamed: Sequence[Mapping[Unit, str]], out: Path
) -> SuitePlan:
    """What all commands set out to do.

    Args:
        sources: whose plans are joined.
        renamed: for each, system and dataset -> what the system is called where it stands apart.
        out: where the joined folder will lie.

    Raises:
        SuiteError: they are of several studies.
    """
    parts = [
        _renamed(part, names, part.name if source.plan.joined else source.label)
        for source, names in zip(sources, renamed, strict=True)
        for part in source.plan.parts
    ]
    systems = _united(parts, lambda p: p.systems)
    datasets: dict[str, PlannedDataset] = {}
    for dataset in (dataset for part in parts for dataset in part.datasets):
        datasets.setdefault(dataset.facts.name, dataset)
    return SuitePlan(
        name=out.name,
        version=suite.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=shown_command(sys.argv),
        options=_options(parts, out),
        protocols={
            system: {
                name: protocol
                for part in reversed(parts)
                for name, protocol in part.protocols.get(system, {}).items()
            }
            for system in systems
        },
        environment=parts[0].environment,
        systems=systems,
        datasets=tuple(datasets.values()),
        seeds=tuple(sorted(_united(parts, lambda p: p.seeds))),
        cannot=_cannot(parts),
        study=_study(sources),
        joined=tuple(parts),
    )


def _united(parts: Iterable[SuitePlan], of: Callable[[SuitePlan], Iterable[T]]) -> tuple[T, ...]:
    """Each once, in the order of the plans."""
    found: list[T] = []
    for part in parts:
        found += [one for one in of(part) if one not in found]
    return tuple(found)


def _renamed(part: SuitePlan, names: Mapping[Unit, str], label: str) -> SuitePlan:
    """The plan under its folder's name, with the names of the systems that stand apart."""
    protocols: dict[str, dict[str, Protocol]] = {}
    for system, by_dataset in part.protocols.items():
        for dataset, protocol in by_dataset.items():
            called = names.get((system, dataset), system)
            protocols.setdefault(called, {})[dataset] = protocol
    systems: list[str] = []
    for system in part.systems:
        kept = system in protocols or system not in part.protocols
        apart = [new for (old, _), new in names.items() if old == system]
        systems += dict.fromkeys([*([system] if kept else []), *apart])
    changes = {"name": label, "protocols": protocols, "systems": tuple(systems)}
    return part.model_copy(update={**changes, "joined": (), "study": None})


def _cannot(parts: Sequence[SuitePlan]) -> tuple[Cannot, ...]:
    """What no command could run, once for each system and dataset."""
    could = {(system, dataset) for part in parts for system, dataset, _ in part.planned()}
    found: dict[tuple[str, str], Cannot] = {}
    for cannot in (cannot for part in parts for cannot in part.cannot):
        if (cannot.system, cannot.dataset) not in could:
            found.setdefault((cannot.system, cannot.dataset), cannot)
    return tuple(found.values())


def _study(sources: Sequence[Source]) -> Study | None:
    """The study of all that ran one.

    Raises:
        SuiteError: they ran several.
    """
    found = [source for source in sources if source.plan.study is not None]
    for source in found[1:]:
        first, study = found[0].plan.study, source.plan.study
        if first is not None and study is not None and study != first:
            what = (
                f"{first.name!r} in {found[0].label} and {study.name!r} in {source.label}"
                if first.name != study.name
                else f"{study.name!r} as two files that differ"
            )
            raise SuiteError(
                f"is of another study than {found[0].named}: {what}",
                where=source.named,
                remedy="Join the folders of one study; a report has one paper's table.",
            )
    return found[0].plan.study if found else None


def _options(parts: Sequence[SuitePlan], out: Path) -> dict[str, JsonValue]:
    """What one command could be given to do all of it; none where their other options differ."""
    others = [
        {name: value for name, value in part.options.items() if name not in UNITED}
        for part in parts
    ]
    if any(other != others[0] for other in others):
        return {}
    datasets = _united(
        parts, lambda p: _listed(p, "dataset", [planned.facts.name for planned in p.datasets])
    )
    found: dict[str, JsonValue] = {
        "dataset": list(datasets),
        "seeds": "".join(f"{seed}," for seed in sorted(_united(parts, lambda p: p.seeds))),
        "out": without_home(str(out)),
    }
    if "study" not in others[0]:
        found["system"] = list(_united(parts, lambda p: _listed(p, "system", p.systems)))
    return {**others[0], **found}


def _listed(part: SuitePlan, name: str, default: Sequence[str]) -> list[str]:
    value = part.options.get(name)
    return [str(one) for one in value] if isinstance(value, list) else list(default)

"""Complete runs of other settings are not replaced unless that is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from runners.executors.base import PlannedRun
from suite.errors import SuiteError
from suite.records.run import RunRecord

SHOWN = 5
"""Runs and differences that a refusal names."""


def refuse_to_replace(runs: Sequence[PlannedRun]) -> None:
    """Checks that no complete run stands where another is to be done.

    Args:
        runs: to be done.

    Raises:
        SuiteError: one does; names it, and in what it differs.
    """
    found = [(run, record) for run in runs if (record := standing(run)) is not None]
    if not found:
        return
    named = [f"{run.title} ({differences(record, run.planned)})" for run, record in found[:SHOWN]]
    more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    first = found[0][0]
    raise SuiteError(
        f"would replace {len(found)} complete run{'s' if len(found) > 1 else ''} of other "
        f"settings: {'; '.join(named)}{more}",
        where=first.folder.parents[3],
        remedy="Name another --out, give the options of the runs that are there, or replace them "
        "with --replace.",
    )


def standing(run: PlannedRun) -> RunRecord | None:
    """The complete run of other settings in a planned run's folder."""
    return run.recorded() if run.state == "other settings" else None


def differences(
    there: RunRecord, here: RunRecord, places: tuple[str, str] = ("there", "here")
) -> str:
    """In what two runs of one system, dataset and seed differ.

    Args:
        there: the one.
        here: the other.
        places: where each is, as the sentence says it.
    """
    found = [
        *_changes({"system": there.system.name}, {"system": here.system.name}, places),
        *_changes(there.protocol.model_dump(), here.protocol.model_dump(), places),
        *_changes(_settings(there), _settings(here), places),
        *_changes(_resources(there), _resources(here), places),
    ]
    if there.dataset.fingerprints != here.dataset.fingerprints:
        found.append("other data")
    return ", ".join(found[:SHOWN]) or "another version of the suite or of torch"


def _settings(record: RunRecord) -> dict[str, object]:
    """As a file holds them: a list is a list, whether it has been read or not."""
    found: dict[str, object] = json.loads(json.dumps(record.system.settings, default=str))
    return found


def _resources(record: RunRecord) -> dict[str, object]:
    system = record.system
    return {
        "word vectors": system.vectors,
        "encoder": system.pretrained,
        "parser": system.parser,
    }


def _changes(
    there: Mapping[str, object], here: Mapping[str, object], places: tuple[str, str]
) -> Iterator[str]:
    for name in dict.fromkeys([*there, *here]):
        old, new = there.get(name), here.get(name)
        if old != new:
            yield f"{name.replace('_', ' ')} {old} {places[0]}, {new} {places[1]}"

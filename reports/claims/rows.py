"""Which measured rows are a claim's variants, and whether they may be held against one another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from reports.claims.verdict import Ground
from reports.evidenced import EvidencedRun
from reports.load import RESOURCES, Group, Row, group_runs, held_equal
from reports.sections.overview import listed
from suite.protocol import Protocol
from suite.records.evidence import Evidence
from suite.records.suite import SuitePlan
from suite.studies.claim import Claim
from suite.studies.study import Study
from suite.studies.study_variant import StudyVariant

OF_TRAIN = frozenset({"SHA-256 of train", "train is the published one"})
"""What differs where variants train on parts of train of their own."""


@dataclass(frozen=True)
class Gathered:
    """All evidence.

    Attributes:
        groups: as of a report.
        twice: how many runs lay in several files, and count once.
    """

    groups: tuple[Group, ...] = ()
    twice: int = 0


def gather(evidence: Mapping[str, Evidence]) -> Gathered:
    """Groups the runs of all evidence as a report of all folders would.

    A run of one configuration and commit counts once, from the first that holds it.

    Args:
        evidence: name -> evidence.
    """
    found: dict[tuple[str, str], EvidencedRun] = {}
    runs = 0
    for name, one in evidence.items():
        for held in one.runs:
            runs += 1
            record = held.record
            key = (record.configuration, record.environment.git)
            found.setdefault(key, EvidencedRun(record, Path(name) / held.folder, held=held))
    if not found:
        return Gathered()
    plan = _joined([one.plan for one in evidence.values()])
    return Gathered(group_runs(list(found.values()), plan), runs - len(found))


def _joined(plans: Sequence[SuitePlan]) -> SuitePlan:
    """One plan whose parts are those of all."""
    datasets = {d.facts.name: d for plan in plans for d in plan.datasets}
    return plans[0].model_copy(
        update={
            "systems": tuple(dict.fromkeys(s for plan in plans for s in plan.systems)),
            "datasets": tuple(datasets.values()),
            "joined": tuple(part for plan in plans for part in plan.parts),
        }
    )


@dataclass(frozen=True)
class Chosen:
    """The rows that tell of a claim on a dataset.

    Attributes:
        rows: variant -> its row, labelled by it; not all of a claim's variants need have one.
        group: of one of them.
        missing: variants that have none.
        refused: two variants -> why their rows are not held against one another.
        apart: variants without a row here that have one on other data, or of another version.
        own: whether the paper says it of this dataset.
    """

    rows: Mapping[str, Row]
    group: Group
    missing: tuple[str, ...]
    refused: Mapping[frozenset[str], str]
    apart: frozenset[str]
    own: bool

    def lacking(self, *names: str) -> str | None:
        """Why variants are not compared, as a clause; None where they are."""
        if not set(names) & set(self.missing):
            return self.refused.get(frozenset(names))
        why = f"no run of {listed(f'`{name}`' for name in self.missing)}"
        elsewhere = self.apart & set(names)
        return f"{why} on the same data, by the same versions and commit" if elsewhere else why

    def ground(self, *names: str) -> Ground:
        """How far variants were measured as in the paper; all of them, where none is named."""
        rows = [self.rows[name] for name in names or self.rows]
        unlike = [] if self.own else ["on data of which the paper does not say it"]
        published = rows[0].runs[0].record.dataset.published
        others = [split for split, whether in published.items() if whether is False]
        if others:
            unlike.append(f"{listed(others)} not the published split")
        for resource, title in RESOURCES.items():
            stands_in = (row.facts for row in rows if resource in row.facts.stand_ins)
            sources = sorted({getattr(facts, resource).partition(" (")[0] for facts in stands_in})
            if sources:
                unlike.append(f"{title}: {listed(f'`{source}`' for source in sources)}")
        sides = {frozenset(row.facts.stand_ins) for row in rows}
        return Ground(tuple(unlike), one_sided=len(sides) > 1)


def choose(claim: Claim, dataset: str, gathered: Gathered) -> Chosen | str:
    """The rows of a claim's variants that may stand against one another, or why there are none.

    All of them are of one version on one test set; of several such places, that in which most
    variants have a row, then that of the most seeds, then the one begun last.
    """
    study = claim.find_study()
    names = tuple(dict.fromkeys(claim.test.variants))
    sides: dict[str, dict[str, tuple[Group, Row]]] = {}
    for group in gathered.groups:
        if group.dataset.name != dataset or group.dataset.synthetic:
            continue
        for name in names:
            for row in group.systems:
                if row.complete and _is(row, study.variant(name), study, dataset, claim):
                    side = sides.setdefault(_place(group), {})
                    if name not in side or _weight(row) > _weight(side[name][1]):
                        side[name] = (group, row)
    if not sides:
        return "no run"
    side = max(sides.values(), key=lambda s: (len(s), min(_weight(row) for _, row in s.values())))
    rows = {name: replace(side[name][1], label=name) for name in names if name in side}
    group, _ = next(iter(side.values()))
    apart = frozenset(name for side in sides.values() for name in side) - rows.keys()
    refused = _refused(study, dataset, rows)
    missing = tuple(name for name in names if name not in rows)
    return Chosen(rows, group, missing, refused, apart, dataset in claim.datasets)


def _weight(row: Row) -> tuple[int, str]:
    return len(row.complete), max(run.record.started for run in row.complete)


def _place(group: Group) -> str:
    """Equal for groups whose rows were tested on the same data by the same code."""
    fields = Protocol.model_fields.keys() | OF_TRAIN
    held = {k: v for k, v in held_equal(group.first).items() if k not in fields}
    return json.dumps(held, sort_keys=True)


def _is(row: Row, variant: StudyVariant, study: Study, dataset: str, claim: Claim) -> bool:
    """Whether a row is a variant of the study, from resources that tell of the claim."""
    facts = row.facts
    own = {name: json.dumps(value) for name, value in facts.settings.items()}
    settings = variant.settings_of(dataset).items()
    kinds = {r.kind for r in study.rows.values() if r.variant == variant.name and r.kind}
    return (
        (facts.name, row.key) == (variant.system, variant.name)
        and all(own.get(name) == json.dumps(value) for name, value in settings)
        and all(
            own.get(name, json.dumps(allowed[0])) in map(json.dumps, allowed)
            for name, allowed in variant.accepted_on(dataset).items()
        )
        and (not kinds or facts.encoder_kind in kinds)
        and not set(claim.needs) & set(facts.stand_ins)
    )


def _refused(study: Study, dataset: str, rows: Mapping[str, Row]) -> dict[frozenset[str], str]:
    """Two variants -> in what their rows differ besides what the variants say."""
    found = {}
    for (one, first), (other, second) in combinations(rows.items(), 2):
        variants = (study.variant(one), study.variant(other))
        fields = _differing_fields(first, second, variants) | _settings(first, second) - {
            name for variant in variants for name in variant.settings_of(dataset)
        }
        if len({variant.train_share for variant in variants}) == 1 and _train(first) != _train(
            second
        ):
            fields.add("train")
        if fields:
            named = listed(f"`{name}`" for name in sorted(fields))
            found[frozenset((one, other))] = f"`{one}` and `{other}` differ in {named} as well"
    return found


def _differing_fields(first: Row, second: Row, variants: Sequence[StudyVariant]) -> set[str]:
    """Fields of the protocol in which rows differ besides what their variants say.

    Under published settings each system has its paper's own.
    """
    ours, theirs = (row.runs[0].record.protocol for row in (first, second))
    published = ours.settings == theirs.settings == "published"
    if published and first.name != second.name:
        return set()
    said = {name for variant in variants for name in variant.protocol}
    if published:
        said |= {name for variant in variants for name in variant.published}
    held = ours.model_dump(), theirs.model_dump()
    return {name for name in held[0] if held[0][name] != held[1][name]} - said


def _settings(first: Row, second: Row) -> set[str]:
    """Settings in which two rows of one system differ; none where they are of two systems."""
    if first.name != second.name:
        return set()
    ours, theirs = first.facts.settings, second.facts.settings
    return {name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)}


def _train(row: Row) -> str:
    return row.runs[0].record.dataset.fingerprints["train"]

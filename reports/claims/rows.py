"""Which measured rows are a claim's variants, and whether they may be held against one another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Literal

from reports.claims.evidence import Evidence, EvidencedRun
from reports.claims.verdict import Ground
from reports.load import RESOURCES, Group, Row, group_runs, held_equal
from reports.sections.overview import listed
from suite.protocol import Protocol
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
        rows: variant -> its row, labelled by it.
        group: of the first one.
        ground: how far they were measured as in the paper.
    """

    rows: Mapping[str, Row]
    group: Group
    ground: Ground


def choose(claim: Claim, dataset: str, gathered: Gathered) -> Chosen | str:
    """The rows of a claim's variants that may stand against one another, or why there are none.

    Of several, those with the most seeds, then those that were begun last.
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
    whole = [side for side in sides.values() if len(side) == len(names)]
    if not whole:
        missing = [name for name in names if not any(name in side for side in sides.values())]
        if not missing:
            return "its variants were run on unlike data, or by unlike versions or commits"
        if len(missing) == len(names):
            return "no run"
        return f"no run of {listed(f'`{name}`' for name in missing)}"
    side = max(whole, key=lambda s: min(_weight(row) for _, row in s.values()))
    refused = _unlike_each_other(study, dataset, {name: row for name, (_, row) in side.items()})
    if refused:
        return refused
    rows = {name: replace(side[name][1], label=name) for name in names}
    ground = _ground(claim, dataset, rows)
    return Chosen(rows, side[names[0]][0], ground)


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


def _unlike_each_other(study: Study, dataset: str, rows: Mapping[str, Row]) -> str | None:
    """In what rows differ besides what their variants say; None where in nothing."""
    for (one, first), (other, second) in combinations(rows.items(), 2):
        variants = (study.variant(one), study.variant(other))
        fields = _differing(first.runs[0].record.protocol, second.runs[0].record.protocol)
        fields -= {name for variant in variants for name in variant.protocol}
        if first.runs[0].record.protocol.settings == "published":
            fields = fields if first.name == second.name else set()
            fields -= {name for variant in variants for name in variant.published}
        if first.name == second.name:
            ours, theirs = first.facts.settings, second.facts.settings
            said = {name for variant in variants for name in variant.settings_of(dataset)}
            fields |= {n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)} - said
        shares = {variant.train_share for variant in variants}
        if len(shares) == 1 and _train(first) != _train(second):
            fields.add("train")
        if fields:
            named = listed(f"`{name}`" for name in sorted(fields))
            return f"`{one}` and `{other}` differ in {named} as well"
    return None


def _train(row: Row) -> str:
    return row.runs[0].record.dataset.fingerprints["train"]


def _differing(one: Protocol, other: Protocol) -> set[str]:
    ours, theirs = one.model_dump(), other.model_dump()
    return {name for name in ours if ours[name] != theirs[name]}


def _ground(claim: Claim, dataset: str, rows: Mapping[str, Row]) -> Ground:
    unlike = []
    if dataset not in claim.datasets:
        unlike.append("on data of which the paper does not say it")
    facts = next(iter(rows.values())).runs[0].record.dataset
    others = [split for split, whether in facts.published.items() if whether is False]
    if others:
        unlike.append(f"{listed(others)} not the published split")
    stand_ins = [set(row.facts.stand_ins) for row in rows.values()]
    names: tuple[Literal["vectors", "pretrained", "parser"], ...]
    names = ("vectors", "pretrained", "parser")
    for resource in names:
        sources = {
            getattr(r.facts, resource) for r in rows.values() if resource in r.facts.stand_ins
        }
        if sources:
            unlike.append(f"{RESOURCES[resource]}: {listed(sorted(f'`{s}`' for s in sources))}")
    return Ground(tuple(unlike), one_sided=any(held != stand_ins[0] for held in stand_ins))

"""Evidence of a study's variants, made from records that hold what a case needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.claims.collect import collect
from reports.claims.judge import Finding, judge
from suite.records.evidence import Evidence
from suite.records.run import RunRecord
from suite.studies.claim import Claim, PaperClaims
from suite.studies.study import find_study
from tests.reports.folder import SYSTEMS, epochs, write_run
from tests.runners.joining.outputs import configured, plan_of, run_of

SETTINGS = {
    "dilations": [1, 2, 4, 1, 1, 1],
    "gate": "gated linear unit",
    "residual": True,
    "mapping": True,
    "thresholds": "adaptive",
}
FASTRE = SYSTEMS["fastre"].model_copy(update={"stand_ins": (), "settings": SETTINGS})
TABLE5 = "fastre-table5"


def variant_run(
    name: str,
    seed: int,
    test: tuple[int, int, int, int] = (150, 200, 200, 140),
    *,
    study: str = TABLE5,
    dataset: str = "nyt11",
    published: bool = True,
    stand_ins: tuple[str, ...] = (),
    alone: bool = True,
    settings: dict[str, Any] | None = None,
    **how: Any,
) -> RunRecord:
    """A run of a variant of FastRE, on the published data unless said otherwise."""
    variant = find_study(study).variant(name)
    run = run_of(seed, "fastre", dataset, test=test, alone=alone, **how)
    facts = FASTRE.model_copy(
        update={
            "variant": None if name == variant.system else name,
            "title": variant.title,
            "settings": {**SETTINGS, **variant.settings_of(dataset), **(settings or {})},
            "stand_ins": stand_ins,
        }
    )
    data = run.dataset.model_copy(
        update={"published": dict.fromkeys(run.dataset.published, published)}
    )
    return configured(run.model_copy(update={"system": facts, "dataset": data}))


def claim_of(test: dict[str, Any], **fields: Any) -> Claim:
    """A claim on NYT11, of a study's table of ablations unless said otherwise."""
    held = {
        "name": "case",
        "place": "Table 5",
        "says": "A case.",
        "study": TABLE5,
        "datasets": ("nyt11",),
        "test": test,
    }
    return Claim.model_validate(held | fields)


def paper_of(*claims: Claim) -> PaperClaims:
    """A paper of these claims."""
    return PaperClaims(
        name="case", title="Case", citation="A paper.", resources="", claims=tuple(claims)
    )


def write_folder(out: Path, *runs: RunRecord) -> Path:
    """An output folder of these runs."""
    plan_of(*runs).write(out)
    for run in runs:
        write_run(out, run, epochs(0.5, 1, run.seed), place=run.system.key)
    return out


def evidence_of(out: Path, *runs: RunRecord) -> Evidence:
    """What an output folder of these runs tells."""
    return collect(write_folder(out, *runs))


def findings(claim: Claim, out: Path, *runs: RunRecord) -> tuple[Finding, ...]:
    """What these runs say of a claim."""
    evidence = {"here": evidence_of(out, *runs)} if runs else {}
    ((_, found),) = judge([paper_of(claim)], evidence).papers
    return found


def finding(claim: Claim, out: Path, *runs: RunRecord) -> Finding:
    """What these runs say of a claim on its one dataset."""
    (found,) = findings(claim, out, *runs)
    return found

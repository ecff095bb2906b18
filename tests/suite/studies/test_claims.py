"""The papers' claims as data, and files that hold none."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.claims.collect import FAMILIES
from reports.claims.costs import READ
from reports.claims.printed import printed
from suite.datasets.catalogue.entries import CATALOGUE
from suite.errors import SuiteError
from suite.explanation.record import GRADIENT_NORM
from suite.explanation.word_classes import CLASSES
from suite.records.evidence import NOT_SEEN, SEEN
from suite.studies.claim import (
    Claim,
    CostRatio,
    F1Difference,
    F1Level,
    MeasureDifference,
    ParameterCount,
    WordClasses,
    all_claims,
    read_claims,
)
from suite.tasks.registry import find_task

PAPERS = list(all_claims())
CLAIMS = [(paper.name, claim) for paper in PAPERS for claim in paper.claims]
EVERY = pytest.mark.parametrize(
    "claim", [claim for _, claim in CLAIMS], ids=[f"{name} {claim.name}" for name, claim in CLAIMS]
)
GOOD = """\
title: A paper
citation: A paper. 2020.
resources: --vectors glove.6B.zip
claims:
  - name: gate
    place: Table 5
    says: Without the gate F1 falls.
    study: fastre-table5
    datasets: [nyt11]
    test: {form: F1 difference, higher: fastre, than: [fastre-no-gate]}
"""


def test_the_five_papers_are_there() -> None:
    assert {p.name for p in PAPERS} >= {"fastre", "pmei", "relu-net", "bert-docred", "fastner"}


@EVERY
def test_a_claim_can_be_asked_of_runs(claim: Claim) -> None:
    study, test = claim.find_study(), claim.test
    assert set(claim.datasets + claim.elsewhere) <= CATALOGUE.keys()
    for dataset in claim.datasets:
        for name in test.variants:
            assert dataset in study.datasets_of(study.variant(name)), (dataset, name)
    assert all(find_task(study.task).name == study.task for _ in claim.elsewhere)
    if isinstance(test, CostRatio):
        assert test.cost in READ
    if isinstance(test, MeasureDifference):
        assert find_task(study.task).metric(test.measure) is not None
    if isinstance(test, F1Difference) and test.part is not None:
        family, _, name = test.part.partition(": ")
        assert test.part in {SEEN, NOT_SEEN} or (family in FAMILIES and name)
    if isinstance(test, WordClasses):
        assert {test.higher, *test.than} <= set(CLASSES)
        taggers = {f"attention of the {which} tagger" for which in ("head", "tail")}
        assert test.measure in {GRADIENT_NORM, *taggers}


@EVERY
def test_its_figures_are_those_of_its_study(claim: Claim) -> None:
    study = claim.find_study()
    for dataset in claim.datasets:
        found = printed(claim.test, study, dataset)
        assert found
        if isinstance(claim.test, F1Level | ParameterCount):
            assert found[0].value is not None, "a level without a figure is no claim"


def test_printed_sizes_by_hand() -> None:
    by_name = {(paper, claim.name): claim for paper, claim in CLAIMS}

    def values(paper: str, name: str, dataset: str) -> list[float | None]:
        claim = by_name[paper, name]
        return [one.value for one in printed(claim.test, claim.find_study(), dataset)]

    assert values("fastre", "gate", "nyt11") == [pytest.approx(56.3 - 53.2)]
    assert values("fastre", "training-speed", "nyt10")[0] == pytest.approx(521 / 100)
    assert values("fastre", "encoder-swap", "nyt24") == [3.3]
    assert values("fastre", "adaptive-thresholds-converge", "nyt10") == [2.0]
    assert values("pmei", "gain-on-fixed-bert", "nyt10") == [pytest.approx(3.9 - 0.8)]
    assert values("bert-docred", "roberta-on-test", "docred") == [pytest.approx(58.73 - 56.99)]


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("fastre-table5", "fastre-table6", "claims.0: unknown study 'fastre-table6'. Did you mean"),
        ("[fastre-no-gate]", "[fastre-no-gait]", "unknown variant of the study fastre-table5 "),
        ("form: F1 difference", "form: F1 distance", "claims.0.test: Input tag 'F1 distance'"),
        ("falls.", "falls", "claims.0.says: String should match pattern"),
        ("datasets: [nyt11]", "on: [nyt11]", "claims.0.datasets: Field required"),
        ("datasets: [nyt11]", "datasets: [nyt11]\n    elsewhere: [nyt11]", "stands in `datasets`"),
        ("title: A paper\n", "", "title: Field required"),
        (GOOD, "[1, 2]", "holds no table of fields"),
        (GOOD, "claims: [", "is not YAML"),
    ],
)
def test_a_mistake_is_named(good: str, bad: str, message: str, tmp_path: Path) -> None:
    assert good in GOOD
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(good, bad))
    with pytest.raises(SuiteError) as caught:
        read_claims(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_two_claims_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD + GOOD.partition("claims:\n")[2])
    with pytest.raises(SuiteError, match="claims: two are called 'gate'"):
        read_claims(path)

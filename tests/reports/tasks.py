"""Runs of the tasks `ner` and `docre`, operating points and upper bounds, as `run-suite` leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from suite.protocol import Protocol
from suite.records.run import Epoch, OperatingCost, OperatingCurve, RunRecord, SystemFacts
from suite.records.suite import Cannot, PlannedDataset, SuitePlan
from suite.tasks.documents import DocumentCounts
from suite.tasks.entities import EntityCounts
from suite.tasks.scores import Evaluation, Scores
from tests.reports.folder import (
    PROTOCOL,
    dataset_facts,
    epochs,
    plan,
    planned,
    record,
    write_run,
)

FASTNER = SystemFacts(
    name="fastner",
    title="FastNER",
    citation="Zhang et al.: FastNER. ADMA 2023.",
    departures=("None of note.",),
    settings={"bypass": True, "width": 150},
    vectors=None,
    vector_coverage=None,
    pretrained="minilm (SHA-256 53aa51172d14)",
    encoder_kind="pretrained transformer",
    encoder_family="bert",
    stand_ins=("pretrained",),
)
PLAIN = FASTNER.model_copy(update={"settings": {"bypass": False, "width": 150}})
BERT_DOCRED = FASTNER.model_copy(
    update={
        "name": "bert_docred",
        "title": "BERT DocRED",
        "citation": "BERT DocRED. 2023.",
        "settings": {"negatives": 3},
    }
)
GOLD = BERT_DOCRED.model_copy(
    update={
        "name": "bert_docred_gold",
        "title": "BERT DocRED, gold entities",
        "upper_bound": "is given the gold entities",
    }
)
RELU_NET = FASTNER.model_copy(
    update={
        "name": "relu_net",
        "title": "RelU-Net",
        "citation": "Zhang et al.: RelU-Net. EMNLP 2022.",
        "settings": {},
        "parser": "no parser: a chain of words",
        "stand_ins": ("pretrained", "parser"),
    }
)

RULES = {"confidence": (0.99, 0.9, 0.6), "patience": (2.0, 4.0)}
"""Rule -> thresholds; the first of `confidence` exits last, the first of `patience` first."""


def of(run: RunRecord, facts: SystemFacts, **changes: object) -> RunRecord:
    """The run as another system's."""
    return run.model_copy(update={"system": facts, **changes})


def share(scores: Scores, part: float) -> Scores:
    return Scores(
        correct=int(scores.correct * part),
        predicted=int(scores.predicted * part),
        gold=int(scores.gold * part),
    )


def point(rule: str, value: float, lost: int, layers: float, seconds: float) -> OperatingCost:
    """A point at which `lost` of 900 right entities of dev, and twice as many of test, are lost."""
    return OperatingCost(
        rule=rule,
        value=value,
        batch_size=32,
        dev=Scores(correct=900 - lost, predicted=1000, gold=1000),
        test=Scores(correct=880 - 2 * lost, predicted=1000, gold=1000),
        layers=layers,
        # The median is `seconds`, whatever a busy moment did to the last pass of an early exit.
        seconds=(seconds, seconds * 0.9, seconds * (9 if rule else 1)),
    )


def curve(factor: float = 1.0) -> OperatingCurve:
    """Full depth takes 4 s and 6 layers; dev F1 is 90 there, and test F1 88."""
    return OperatingCurve(
        points=(
            point("", 0.0, 0, 6.0, 4.0),
            point("confidence", 0.99, 2, 5.0, 4.4),
            point("confidence", 0.9, 10, 3.0, 2.5 * factor),
            point("confidence", 0.6, 11, 1.5, 1.6 * factor),
            point("patience", 2.0, 200, 2.0, 1.0 * factor),
            point("patience", 4.0, 5, 4.0, 3.2),
        )
    )


def entities(correct: int = 850, partial: int = 900) -> Evaluation:
    """1,000 gold entities, 950 predicted."""
    exact = Scores(correct=correct, predicted=950, gold=1000)
    kinds = ("PER", "ORG", "LOC", "MISC", "cell_type", "protein", "biomedical_other")
    return Evaluation(
        partial=Scores(correct=partial, predicted=950, gold=1000),
        exact=exact,
        slices={
            "type": {kind: share(exact, 0.4 / (i + 1)) for i, kind in enumerate(kinds)},
            "nested": {"nested": share(exact, 0.2), "flat": share(exact, 0.8)},
            "seen": {"not seen": share(exact, 0.4), "seen": share(exact, 0.6)},
            "length": {"1 to 20 words": share(exact, 0.7), "over 60": share(exact, 0.3)},
        },
    )


def ner_run(
    seed: int, facts: SystemFacts = FASTNER, operating: OperatingCurve | None = None
) -> RunRecord:
    found = entities(850 + seed)
    return of(
        record("casrel", "conll03", seed),
        facts,
        dev=entities(860 + seed),
        test=found,
        ceiling={"train": entities(940, 945), "test": entities(930, 940)},
        operating=operating,
    )


def facts_scores(correct: int, measures: Mapping[str, float]) -> Evaluation:
    """1,000 gold facts, 900 predicted; a fact is one thing under both rules."""
    whole = Scores(correct=correct, predicted=900, gold=1000)
    return Evaluation(
        partial=whole,
        exact=whole,
        measures=dict(measures),
        slices={
            "relation": {f"P{i}": share(whole, 0.3 / (i + 1)) for i in range(4)},
            "distance": {"in a sentence": share(whole, 0.6), "across sentences": share(whole, 0.4)},
            "seen": {"not seen": share(whole, 0.9), "seen": share(whole, 0.1)},
        },
    )


def document_measures(seed: int) -> dict[str, float]:
    return {"theta": 0.31 + 0.01 * seed, "ign_f1": 0.50, "auc": 0.48, "ign_auc": 0.45}


def document_run(
    dataset: str,
    seed: int,
    *,
    labelled: bool = True,
    protocol: Protocol = PROTOCOL,
    facts: SystemFacts = BERT_DOCRED,
) -> RunRecord:
    """DocRED's own test set has no labels: the record then has no test scores."""
    measures = document_measures(seed)
    return of(
        record("casrel", dataset, seed, protocol=protocol),
        facts,
        dev=facts_scores(540 + seed, measures),
        test=facts_scores(530 + seed, {**measures, "ign_f1": 0.49}) if labelled else None,
        ceiling={"dev": facts_scores(900, {}), "test": Evaluation(partial=EMPTY, exact=EMPTY)},
    )


EMPTY = Scores(correct=0, predicted=0, gold=0)


def document_epochs(seed: int) -> list[Epoch]:
    """Accuracies rise by an epoch; the chosen one is the seventh of eight."""
    return [
        epoch.model_copy(
            update={
                "measures": {
                    "na_accuracy": 0.9 + 0.01 * epoch.epoch,
                    "non_na_accuracy": 0.05 * epoch.epoch,
                    "accuracy": 0.8 + 0.01 * epoch.epoch,
                }
            }
        )
        for epoch in epochs(0.55, 3, seed)
    ]


_COMMON = {"words_mean": 14.5, "words_max": 113, "problems": {"repeated": 2}}


def counted(dataset: str) -> PlannedDataset:
    """The plan's entry with the counts of its task."""
    if dataset_facts(dataset).task == "triples":
        return planned(dataset)
    if dataset_facts(dataset).task == "ner":
        counts = EntityCounts(
            examples=3453,
            seen_share=0.5,
            entities=5648,
            entities_by_type={"LOC": 1668, "PER": 1617},
            nested=7,
            beyond=1,
            entities_beyond=3,
            **_COMMON,
        ).model_dump()
    else:
        counts = DocumentCounts(
            examples=500,
            seen_share=0.25,
            sentences=4000,
            entities=9700,
            entities_by_type={"LOC": 3000},
            mentions=13000,
            facts=17448,
            relations=96,
            facts_across_sentences=8000,
            **_COMMON,
        ).model_dump()
    return PlannedDataset(
        facts=dataset_facts(dataset),
        statistics={"train": {**counts, "seen_share": None}, "dev": counts, "test": counts},
        citation=f"Citation of {dataset}",
        licence="MIT",
    )


def plan_of(
    datasets: Sequence[str],
    systems: Sequence[str],
    seeds: Sequence[int] = (0, 1, 2),
    cannot: Sequence[Cannot] = (),
) -> SuitePlan:
    found = plan((), systems, seeds, cannot)
    return found.model_copy(update={"datasets": tuple(counted(name) for name in datasets)})


def three_tasks(out: Path) -> Path:
    """Triples with an upper bound, documents, and entities with operating points, in one report."""
    other = [
        Cannot(
            system=name,
            dataset="conll03",
            kind="other task",
            reason=f"{name} does not do the task 'ner'",
        )
        for name in ("fastre", "casrel", "bert_docred")
    ]
    systems = ("bert_docred_gold", "fastre", "casrel", "bert_docred", "relu_net", "fastner")
    cannot = [
        *other,
        Cannot(
            system="fastner", dataset="redocred", kind="other task", reason="it reads sentences"
        ),
    ]
    plan_of(("webnlg-star", "redocred", "conll03"), systems, cannot=cannot).write(out)
    for seed in range(3):
        for name, correct in (("fastre", 150), ("casrel", 160)):
            run = record(name, "webnlg-star", seed, (correct + seed, 180, 200, correct))
            write_run(out, run, epochs(0.8, 1, seed))
        for facts, correct, slowness in (
            (GOLD, 180, 6.0),
            (BERT_DOCRED, 120, 7.5),
            (RELU_NET, 171, 9.0),
        ):
            numbers = (correct + seed, 190, 200, correct)
            run = of(record("casrel", "webnlg-star", seed, numbers, slowness=slowness), facts)
            write_run(out, run, epochs(0.9, 9, seed))
        write_run(out, document_run("redocred", seed), document_epochs(seed))
        write_run(out, ner_run(seed, FASTNER, curve(1 + 0.05 * seed)), epochs(0.8, 2, seed))
        slower = curve(1.3 + 0.05 * seed)
        write_run(out, ner_run(seed, PLAIN, slower), epochs(0.7, 2, seed), place="plain")
    return out

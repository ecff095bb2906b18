"""Builds an output folder from the models alone, as `run-suite` would leave it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from suite.protocol import Protocol
from suite.records.run import (
    DatasetFacts,
    Environment,
    Epoch,
    InferenceCost,
    Latency,
    Parameters,
    RunRecord,
    SystemFacts,
    TrainingCost,
)
from suite.records.suite import EXAMPLES, SEEN_SHARE, Cannot, PlannedDataset, SuitePlan
from suite.tasks.examples import TaskName
from suite.tasks.scores import AnsweredExample, Evaluation, Scores

SENTENCES = 50
PROTOCOL = Protocol(epochs=8, target_f1=(0.3, 0.9))
ENVIRONMENT = Environment(
    machine="Linux x86_64",
    processor="Example CPU @ 2.0 GHz",
    cores=4,
    memory_bytes=8 * 2**30,
    device="cpu",
    python="3.12.0",
    versions={"torch": "2.13.0", "numpy": "2.4.6"},
    git="0123abc+changes",
)
STATIC = "minilm-static.300d.txt.gz (55,357 words)"
GLOVE = "glove.6B.300d.txt"

SYSTEMS = {
    "fastre": SystemFacts(
        name="fastre",
        title="FastRE",
        citation="Li et al.: FastRE. IJCAI 2022.",
        departures=("Spans by first occurrence | as the public code.",),
        settings={"layers": 6, "rates": [1, 2, 4, 1, 1, 1]},
        vectors=STATIC,
        vector_coverage=0.987,
        pretrained=None,
        stand_ins=("vectors",),
    ),
    "casrel": SystemFacts(
        name="casrel",
        title="CasRel",
        citation="Wei et al.: CasRel. ACL 2020.",
        departures=(),
        settings={"encoder": "pretrained"},
        vectors=None,
        vector_coverage=None,
        pretrained="all-MiniLM-L6-v2",
        encoder_kind="pretrained transformer",
        encoder_family="bert",
        stand_ins=("pretrained",),
    ),
    "graphs": SystemFacts(
        name="graphs",
        title="Graphs",
        citation="A plug-in.",
        departures=("None of note.",),
        settings={},
        vectors=STATIC,
        vector_coverage=0.987,
        pretrained=None,
        stand_ins=("vectors",),
    ),
}


TITLES = {
    "nyt11": "NYT11",
    "webnlg-star": "WebNLG*",
    "synthetic": "Toy",
    "conll03": "CoNLL-2003",
    "docred": "DocRED",
    "redocred": "Re-DocRED",
}
TASKS: dict[str, TaskName] = {"conll03": "ner", "docred": "docre", "redocred": "docre"}


def dataset_facts(name: str) -> DatasetFacts:
    published: dict[str, bool | None] = {
        "nyt11": {"train": False, "dev": False, "test": True},
        "synthetic": {"train": None, "dev": None, "test": None},
    }.get(name, {"train": True, "dev": True, "test": True})
    task = TASKS.get(name, "triples")
    return DatasetFacts(
        name=name,
        title=TITLES[name],
        task=task,
        fingerprints={
            split: f"{name}-{split}".encode().hex().ljust(64, "0") for split in published
        },
        published=published,
        matching="surface" if task == "triples" else "offsets",
        synthetic=name == "synthetic",
        notes=(f"a note on {name}",),
    )


def planned(name: str) -> PlannedDataset:
    return PlannedDataset(
        facts=dataset_facts(name),
        statistics={
            "train": {EXAMPLES: 12_496, "words": 400_000, "problems": {"not_found": 3}},
            "dev": {EXAMPLES: 313, "words": 10_000, "problems": {}},
            "test": {EXAMPLES: 369, "problems": {"not_found": 1, "leaked": 2}, SEEN_SHARE: 0.5},
        },
        citation=f"Citation of {name}",
        licence="CC0",
    )


def spread(total: int, over: int = SENTENCES) -> list[int]:
    """`total` as evenly as can be."""
    return [total // over + (i < total % over) for i in range(over)]


def evaluation(correct: int, predicted: int, gold: int, exact: int) -> Evaluation:
    whole = Scores(correct=correct, predicted=predicted, gold=gold)

    def share(part: float) -> Scores:
        return Scores(
            correct=int(correct * part), predicted=int(predicted * part), gold=int(gold * part)
        )

    slices = {
        "seen": {"not seen": share(0.4), "seen": share(0.6)},
        "overlap": {"EPO": share(0.1), "SEO": share(0.3), "normal": share(0.6)},
        "count": {"1": share(0.5), "2": share(0.3), "3": share(0.1), "5 or more": share(0.1)},
        "length": {"1 to 20 words": share(0.3), "21 to 40": share(0.5), "over 60": share(0.2)},
        "relation": {f"/people/relation_{i}": share(0.3 / (i + 1)) for i in range(20)},
    }
    return Evaluation(
        partial=whole,
        exact=Scores(correct=exact, predicted=predicted, gold=gold),
        slices=slices,
    )


def latency(milliseconds: float) -> dict[str, Latency]:
    parts = {"encode": 0.1, "forward": 0.7, "decode": 0.2, "total": 1.0}
    return {
        stage: Latency(median=milliseconds * part, p95=milliseconds * part * 1.5)
        for stage, part in parts.items()
    }


def epochs(final: float, slowness: float, seed: int, stop: int | None = None) -> list[Epoch]:
    found = []
    for epoch in range(1, 9):
        f1 = final * (1 - math.exp(-epoch / 2)) + 0.01 * math.sin(epoch * (seed + 2))
        correct = int(1000 * f1)
        found.append(
            Epoch(
                epoch=epoch,
                step=100 * epoch,
                seconds=30.0 * slowness * epoch,
                evaluation_seconds=3.0 * slowness * epoch,
                step_seconds=0.3 * slowness,
                loss=20.0 * slowness / epoch if stop is None or epoch < stop else float("nan"),
                parts={"head": 1.0},
                gradient_norm=5.0 * slowness / epoch,
                learning_rate=1e-3,
                dev=Evaluation(
                    partial=Scores(correct=correct, predicted=1000, gold=1000),
                    exact=Scores(correct=correct, predicted=1000, gold=1000),
                ),
                best=epoch == 7,
            )
        )
    return found[:stop]


def record(
    system: str,
    dataset: str,
    seed: int,
    test: tuple[int, int, int, int] = (100, 180, 200, 90),
    *,
    protocol: Protocol = PROTOCOL,
    environment: Environment = ENVIRONMENT,
    slowness: float = 1.0,
    load: float = 0.9,
    out_of_memory_at: int | None = None,
) -> RunRecord:
    """A complete run; `test` holds correct, predicted, gold, and correct under exact match."""
    inference = tuple(
        InferenceCost(batch_size=size, failure="out of memory")
        if size == out_of_memory_at
        else InferenceCost(
            batch_size=size,
            sentences=SENTENCES,
            passes=5,
            total_seconds=SENTENCES * slowness * ms / 1000,
            stages=latency(slowness * ms),
            peak_memory_bytes=300 * 2**20,
            load_average=(0.5, 0.8),
        )
        for size, ms in ((1, 10.0), (8, 4.0), (128, 2.0))
    )
    return RunRecord(
        configuration="0" * 16,
        suite="example",
        system=SYSTEMS[system],
        dataset=dataset_facts(dataset),
        protocol=protocol,
        seed=seed,
        environment=environment,
        started="2026-01-02T03:04:05+00:00",
        status="complete",
        parameters=Parameters(
            total=int(1_500_000 * slowness), word_vectors=400_000, trainable=1_096_000
        ),
        training=TrainingCost(
            epochs=8,
            best_epoch=7,
            steps=800,
            steps_to_best=700,
            training_seconds=240.0 * slowness,
            evaluation_seconds=24.0 * slowness,
            seconds_to_best=210.0 * slowness,
            step_seconds=0.3 * slowness,
            seconds_to_target={"0.3": 60.0 * slowness, "0.9": None},
            encode_seconds=2.5,
            peak_memory_bytes=700 * 2**20,
            load_average=(0.5, load),
            resumed=0,
        ),
        dev=evaluation(*test),
        test=evaluation(*test),
        ceiling={"test": evaluation(190, 190, 200, 188)},
        inference=inference,
    )


def stopped(run: RunRecord, status: str, failure: str) -> RunRecord:
    """The run as it is left when it ends without scores."""
    return run.model_copy(
        update={"status": status, "failure": failure, "test": None, "inference": ()}
    )


def outcomes(run: RunRecord) -> list[AnsweredExample]:
    assert run.test is not None
    columns = {
        match: zip(*(spread(n) for n in (s.correct, s.predicted, s.gold)), strict=True)
        for match, s in (("partial", run.test.partial), ("exact", run.test.exact))
    }
    rows = zip(columns["partial"], columns["exact"], strict=True)
    return [
        AnsweredExample(
            id=f"test-{i}",
            text="some words",
            gold=[],
            predicted=[],
            correct={
                "partial": Scores(correct=p[0], predicted=p[1], gold=p[2]),
                "exact": Scores(correct=e[0], predicted=e[1], gold=e[2]),
            },
        )
        for i, (p, e) in enumerate(rows)
    ]


def write_run(out: Path, run: RunRecord, history: Sequence[Epoch], place: str = "") -> Path:
    """Leaves a run; `place` in place of its system's name where another has the folder."""
    folder = out / "runs" / (place or run.system.name) / run.dataset.name / str(run.seed)
    run.write(folder)
    (folder / "history.jsonl").write_text("".join(e.model_dump_json() + "\n" for e in history))
    if run.test is not None:
        lines = "".join(outcome.model_dump_json() + "\n" for outcome in outcomes(run))
        (folder / "predictions.jsonl").write_text(lines)
    return folder


def plan(
    datasets: Sequence[str] = ("nyt11", "webnlg-star", "synthetic"),
    systems: Sequence[str] = ("fastre", "casrel", "graphs"),
    seeds: Sequence[int] = (0, 1, 2),
    cannot: Sequence[Cannot] = (),
) -> SuitePlan:
    return SuitePlan(
        name="example",
        version="0.1.0",
        created="2026-01-02T03:00:00+00:00",
        command=("run-suite", "--dataset", "nyt11", "--suite-name", "two words"),
        protocols=dict.fromkeys(systems, dict.fromkeys(datasets, PROTOCOL)),
        environment=ENVIRONMENT,
        systems=tuple(systems),
        datasets=tuple(planned(name) for name in datasets),
        seeds=tuple(seeds),
        cannot=tuple(cannot),
    )


def full(out: Path) -> Path:
    """Three systems on three datasets, with all that can go wrong in it."""
    barred = Cannot(
        system="graphs",
        dataset="synthetic",
        kind="missing resource",
        reason="it needs a parser",
    )
    plan(cannot=[barred]).write(out)
    fastre = ((100, 180, 200, 90), (110, 190, 200, 99), (105, 170, 200, 91))
    for seed, test in enumerate(fastre):
        write_run(out, record("fastre", "nyt11", seed, test, load=3.5), epochs(0.55, 1, seed))
        write_run(
            out,
            record("fastre", "webnlg-star", seed, (150 + seed, 170, 200, 150 + seed)),
            epochs(0.8, 1, seed),
        )
    for seed in (0, 1):
        run = record("casrel", "nyt11", seed, (90 + 10 * seed, 190, 200, 80), slowness=12)
        write_run(out, run, epochs(0.5, 12, seed))
    broken = stopped(record("casrel", "nyt11", 2), "diverged", "the loss is NaN at step 412")
    write_run(out, broken, epochs(0.5, 12, 2, stop=4))
    for seed in range(3):
        run = record(
            "casrel",
            "webnlg-star",
            seed,
            (170 + seed, 185, 200, 169),
            slowness=11.5,
            out_of_memory_at=128,
        )
        write_run(out, run, epochs(0.9, 11.5, seed))
    other = PROTOCOL.model_copy(update={"batch_size": 16})
    write_run(out, record("graphs", "nyt11", 0, protocol=other, slowness=3), epochs(0.4, 3, 0))
    write_run(out, record("fastre", "synthetic", 0, (180, 190, 200, 170)), epochs(0.95, 1, 0))
    write_run(
        out, record("casrel", "synthetic", 0, (160, 190, 200, 150), slowness=9), epochs(0.9, 9, 0)
    )
    return out

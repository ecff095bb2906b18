"""What the tests of tracking write, and how they read it back."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from runners.tracking.base import Tracked, Tracker
from runners.tracking.registry import start_tracker
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
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation, Scores

ROOT = Path(__file__).resolve().parents[3]
TRIPLES = find_task("triples")
NAMES = {"group": "quick", "name": "fastre/toy/1"}
TAGS = {"system": "fastre", "dataset": "toy", "device": "cpu", "seed": "1"}
CONFIG = {"configuration": "0123abcd", "seed": 1, "settings": {"kernel": 3, "betas": (0.9, 0.99)}}


def tracked(folder: Path, **more: Any) -> Tracked:
    values = {**NAMES, "config": CONFIG, "metrics": TRIPLES.metrics, "tags": TAGS, **more}
    return Tracked(folder=folder, **values)


def start(folder: Path, warnings: list[str], tracker: str = "wandb", **more: Any) -> Tracker:
    return start_tracker(tracker, tracked(folder, **more), warnings.append)


def scores(correct: int) -> Scores:
    return Scores(correct=correct, predicted=200, gold=250)


def an_epoch(number: int, parts: int = 2) -> Epoch:
    return Epoch(
        epoch=number,
        step=10 * number,
        seconds=1.5 * number,
        evaluation_seconds=0.25 * number,
        step_seconds=0.125,
        loss=1 / (number + 1),
        parts={f"part{i}": number + i / 64 for i in range(parts)},
        gradient_norm=2.0,
        learning_rate=1e-3,
        dev=Evaluation(partial=scores(number), exact=scores(number // 2)),
        best=True,
    )


def an_answer() -> AnsweredExample:
    """Two gold triples and one that was predicted, right by its first words alone."""
    return AnsweredExample(
        id="test/7",
        text="Ada lives in New York .",
        gold=[["Ada", "lives in", "New York"], ["Ada", "born in", "New York"]],
        predicted=[["Ada", "lives in", "New", 0.9]],
        correct={
            "partial": Scores(correct=1, predicted=1, gold=2),
            "exact": Scores(correct=0, predicted=1, gold=2),
        },
    )


def a_record() -> RunRecord:
    evaluation = Evaluation(
        partial=scores(100), exact=scores(80), slices={"overlap": {"EPO": scores(20)}}
    )
    return RunRecord(
        configuration="0123abcd",
        suite="quick",
        system=SystemFacts(
            name="fastre",
            title="FastRE",
            citation="x",
            departures=(),
            settings={},
            vectors=None,
            vector_coverage=None,
            pretrained=None,
        ),
        dataset=DatasetFacts(
            name="toy",
            title="Toy",
            task="triples",
            fingerprints={},
            published={},
            matching="offsets",
            synthetic=True,
            notes=(),
        ),
        protocol=Protocol(),
        seed=1,
        environment=Environment(
            machine="m",
            processor="p",
            cores=1,
            memory_bytes=1,
            device="cpu",
            python="3",
            versions={},
            git="g",
        ),
        started="2025-01-01T00:00:00Z",
        status="complete",
        parameters=Parameters(total=30, word_vectors=20, trainable=10),
        training=TrainingCost(
            epochs=3,
            best_epoch=2,
            steps=30,
            steps_to_best=20,
            training_seconds=4.5,
            evaluation_seconds=0.75,
            seconds_to_best=3.5,
            step_seconds=0.125,
            seconds_to_target={"0.5": 3.5, "0.9": None},
            encode_seconds=0.1,
            peak_memory_bytes=1024,
            load_average=(0.5, 0.75),
            resumed=0,
        ),
        dev=evaluation,
        test=evaluation,
        inference=(
            InferenceCost(batch_size=8, stages={"total": Latency(median=1.5, p95=2.5)}),
            InferenceCost(batch_size=128, failure="out of memory"),
        ),
    )


def files_of(folder: Path) -> list[Path]:
    # W&B's service closes a finished run's file in its own time, or before it ends.
    sys.modules["wandb"].teardown()
    return sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))


def read_only(folder: Path) -> list[Any]:
    from tests.runners.tracking.wandb_file import read_records

    [file] = files_of(folder)
    return read_records(file)


def of_kind(records: list[Any], kind: str) -> list[Any]:
    return [getattr(r, kind) for r in records if r.WhichOneof("record_type") == kind]


def use_after_failure(tracker: Tracker) -> None:
    tracker.log(an_epoch(1))
    tracker.tabulate([an_answer()])
    tracker.summarise(a_record())
    tracker.keep([Path(__file__)])
    tracker.finish(failed=False)
    tracker.finish(failed=False)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

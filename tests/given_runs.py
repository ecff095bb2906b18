"""Output folders with runs that nobody trained: their predictions are gold with mistakes in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runners.runs.workbench import dataset_facts
from suite.datasets import Dataset
from suite.protocol import Protocol
from suite.records.run import RunRecord
from suite.records.suite import PlannedDataset
from suite.tasks.claims import Claim, occurrences
from suite.tasks.examples import Example
from suite.tasks.items import Item, Prediction, label_of
from suite.tasks.registry import find_task
from suite.tasks.scoring import evaluate_in_slices
from tests import tiny
from tests.reports import folder

CASREL_FIELDS = ("subject", "relation", "object")


def with_mistakes(dataset: Dataset) -> list[list[Prediction]]:
    """Gold of test, but for every fifth item that is missed and every third of another label."""
    task = find_task(dataset.task)
    labels = sorted({label_of(i) for e in dataset.test.examples for i in task.gold(e)})
    count = 0
    found: list[list[Prediction]] = []
    for example in dataset.test.examples:
        row = []
        for item in task.gold(example):
            count += 1
            if count % 5 and _is_placed(item):
                other = labels[(labels.index(label_of(item)) + 1) % len(labels)]
                said = item if count % 3 else _relabelled(item, other)
                row.append(Prediction(said, 0.5 + (count % 7) / 16))
        found.append(row)
    return found


def _is_placed(item: Item) -> bool:
    return not isinstance(item[0], str)


def _relabelled(item: Any, label: str) -> Item:
    field = "relation" if "relation" in item._fields else "type"
    return item._replace(**{field: label})  # type: ignore[no-any-return]


def run_on(
    dataset: Dataset, predictions: Sequence[Sequence[Prediction]], seed: int = 0
) -> tuple[RunRecord, str]:
    """A complete run's record, and its `predictions.jsonl`."""
    protocol = Protocol()
    evaluation, outcomes = evaluate_in_slices(
        dataset.test.examples,
        predictions,
        dataset.task,
        dataset.matching,
        protocol.match,
        dataset.wordings_in_train,
        dataset.known_in_train,
    )
    record = folder.record("fastre", "nyt11", seed, protocol=protocol).model_copy(
        update={
            "dataset": dataset_facts(dataset),
            "dev": evaluation,
            "test": evaluation,
            "ceiling": {},
        }
    )
    return record, "".join(f"{outcome.model_dump_json()}\n" for outcome in outcomes)


def write_out(out: Path, *datasets: tuple[str, Dataset]) -> list[Path]:
    """An output folder with one run on each dataset; returns their folders.

    Args:
        out: to be made.
        datasets: how run-suite was asked for each, and each loaded.
    """
    plan = folder.plan(datasets=(), systems=("fastre",), seeds=(0,))
    planned, folders = [], []
    for asked, dataset in datasets:
        record, lines = run_on(dataset, with_mistakes(dataset))
        place = out / "runs" / "fastre" / dataset.name / "0"
        record.write(place)
        (place / "predictions.jsonl").write_text(lines)
        (place / "run.json").write_text(tiny.make_plan(Path(asked)).model_dump_json())
        planned.append(
            PlannedDataset(facts=record.dataset, statistics={}, citation="none", licence="none")
        )
        folders.append(place)
    plan.model_copy(update={"datasets": tuple(planned)}).write(out)
    return folders


def as_casrel(lines: str) -> str:
    """What CasRel's code would have written of the same triples: words alone, objects in a row."""
    written = []
    for line in map(json.loads, lines.splitlines()):
        gold, predicted = (
            [dict(zip(CASREL_FIELDS, item[:3], strict=True)) for item in line[kind]]
            for kind in ("gold", "predicted")
        )
        record = {
            "text": line["text"],
            "triple_list_gold": gold,
            "triple_list_pred": predicted,
            "new": [triple for triple in predicted if triple not in gold],
            "lack": [triple for triple in gold if triple not in predicted],
        }
        written.append(json.dumps(record, ensure_ascii=False, indent=4) + "\n")
    return "".join(written)


def gazetteer(dataset: Dataset) -> list[list[Prediction]]:
    """Each triple of train whose head and tail are words of the test sentence, where they are."""
    known = sorted(dataset.wordings_in_train)
    return [_found(dataset, example, known) for example in dataset.test.examples]


def _found(
    dataset: Dataset, example: Example, known: Sequence[tuple[str, ...]]
) -> list[Prediction]:
    task, text = find_task(dataset.task), f" {' '.join(example.words)} "
    found = []
    for head, relation, tail in known:
        if f" {head} " in text and f" {tail} " in text:
            places = occurrences(example.words, head)[-1], occurrences(example.words, tail)[0]
            found.append(Prediction(task.item_of(example, Claim(relation, places), 0), 0.75))
    return found

"""Documents and entities through the whole house: files, runs, records, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from suite.records.run import RunRecord, read_record
from suite.systems.registry import find_system, system_names
from suite.tasks.scores import AnsweredExample
from suite.tasks.scoring import total
from tests import tiny

pytestmark = pytest.mark.slow

PEOPLE, PLACES = ("Ada", "Kurt", "Emmy", "Alan", "Mary"), ("Paris", "Oslo", "Lima", "Kyiv")


def documents(split: str, *, labelled: bool = True) -> list[dict[str, Any]]:
    """DocRED's JSON: who lives where, in the second sentence of two."""
    made = []
    for i in range(24 if split == "train" else 8):
        person, place, other = PEOPLE[i % 5], PLACES[i % 4], PLACES[(i + 1) % 4]
        sentences = [f"{person} spoke of {other} .".split(), f"{person} lives in {place} .".split()]
        clusters = [
            [(person, 0, 0, "PER"), (person, 1, 0, "PER")],
            [(place, 1, 3, "LOC")],
            [(other, 0, 3, "LOC")],
        ]
        vertices = [
            [{"name": n, "sent_id": s, "pos": [w, w + 1], "type": t} for n, s, w, t in cluster]
            for cluster in clusters
        ]
        record = {"title": f"{split} {i}", "sents": sentences, "vertexSet": vertices}
        fact = {"h": 0, "t": 1, "r": "lives in", "evidence": [1]}
        made.append({**record, "labels": [fact]} if labelled else record)
    return made


def entities(split: str) -> list[dict[str, Any]]:
    """SpERT's JSON without relations: a place within an organisation."""
    made = []
    for i in range(32 if split == "train" else 8):
        person, place = PEOPLE[i % 5], PLACES[i % 4]
        found = [(0, 1, "PER"), (3, 6, "ORG"), (5, 6, "LOC")]
        made.append(
            {
                "tokens": f"{person} left the University of {place} .".split(),
                "entities": [{"start": s, "end": e, "type": t} for s, e, t in found],
                "relations": [],
            }
        )
    return made


def write(folder: Path, splits: dict[str, list[dict[str, Any]]]) -> Path:
    folder.mkdir()
    for name, records in splits.items():
        (folder / f"{name}.json").write_text(json.dumps(records))
    return folder


def run(tmp_path: Path, data: Path, system: str, *options: str) -> RunRecord:
    """The record of one run of the command; asserts that it ended well."""
    arguments = ("--dataset", data, "--system", system, "--pretrained", "untrained", "--seeds", "1")
    ended = tiny.command(
        "run_suite", *arguments, "--tracker", "none", "--out", "out", *options,
        folder=tmp_path, seconds=240,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return read_record(tmp_path / "out" / "runs" / system / data.name / "0" / "record.json")


def outcomes(tmp_path: Path, system: str, data: Path) -> list[AnsweredExample]:
    path = tmp_path / "out" / "runs" / system / data.name / "0" / "predictions.jsonl"
    return [AnsweredExample.model_validate_json(line) for line in path.read_text().splitlines()]


def test_documents_are_trained_measured_and_answered(tmp_path: Path) -> None:
    data = write(tmp_path / "letters", {s: documents(s) for s in ("train", "dev", "test")})
    record = run(tmp_path, data, "bert_docred", "--epochs", "8")
    assert record.dev is not None
    assert record.test is not None
    assert record.dev.measures.keys() == {"theta", "ign_f1", "auc", "ign_auc"}
    assert record.test.measures["theta"] == record.dev.measures["theta"], "dev's serves test"
    assert record.test.exact.f1 > 0.5
    assert record.test.measures["ign_f1"] == 0.0, "train holds every fact of test, in words"
    assert {c.batch_size for c in record.inference if c.failure is None} == {1, 8, 128}
    history = (tmp_path / "out/runs/bert_docred/letters/0/history.jsonl").read_text()
    assert json.loads(history.splitlines()[-1])["measures"].keys() == {
        "na_accuracy", "non_na_accuracy", "accuracy"
    }  # fmt: skip
    found = outcomes(tmp_path, "bert_docred", data)
    assert total(o.correct["exact"] for o in found) == record.test.exact
    entries = json.loads((tmp_path / "out/runs/bert_docred/letters/0/result.json").read_text())
    assert [(e["title"], e["h_idx"], e["r"], e["t_idx"]) for e in entries] == [
        (o.id, head, relation, tail) for o in found for _, relation, _, head, tail, _ in o.predicted
    ]
    assert "Ign F1" in (tmp_path / "out" / "report.md").read_text()


def test_documents_without_labels_are_answered_and_not_scored(tmp_path: Path) -> None:
    splits = {s: documents(s, labelled=s != "test") for s in ("train", "dev", "test")}
    data = write(tmp_path / "blind", splits)
    record = run(tmp_path, data, "bert_docred", "--epochs", "2", "--train-share", "0.5")
    assert record.status == "complete"
    assert record.test is None
    assert "train is 12 of 24 examples, chosen by hash of the text" in record.dataset.notes
    assert (tmp_path / "out/runs/bert_docred/blind/0/result.json").exists()
    assert "not labelled" in (tmp_path / "out" / "report.md").read_text()


def test_entities_are_trained_and_measured_along_the_exits(tmp_path: Path) -> None:
    data = write(tmp_path / "jobs", {s: entities(s) for s in ("train", "dev", "test")})
    record = run(tmp_path, data, "fastner", "--epochs", "12")
    assert record.test is not None
    assert record.test.exact.f1 > 0.9, "nested spans are found"
    assert record.test.slices["nested"]["nested"].gold == 16
    assert record.operating is not None
    assert record.operating.failure is None
    full, *early = record.operating.points
    assert (full.rule, full.layers) == ("", 4.0)
    assert full.test == record.test.exact
    assert all(len(point.seconds) == 2 for point in record.operating.points)
    assert any(point.layers < 4 for point in early)
    assert {point.rule for point in early} == {"entropy", "confidence", "patience"}
    report = (tmp_path / "out" / "report.md").read_text()
    assert "Accuracy against speed" in report
    assert (tmp_path / "out" / "operating.csv").exists()
    again = tiny.command(
        "run_suite", "--dataset", data, "--system", "fastner", "--pretrained", "untrained",
        "--seeds", "1", "--epochs", "12", "--tracker", "none", "--out", "out",
        folder=tmp_path,
    )  # fmt: skip
    assert "done before" in again.out


def test_a_system_that_cannot_do_the_task_is_listed_with_the_reason(tmp_path: Path) -> None:
    """Several in one line."""
    data = write(tmp_path / "jobs", {s: entities(s) for s in ("train", "dev", "test")})
    held = ("--dataset", data, "--dry-run", "--pretrained", "untrained")
    few = tiny.command(
        "run_suite", *held, "--system", "fastre", "--system", "fastner", folder=tmp_path
    )
    assert "not run: FastRE does not do the task 'ner' (jobs)" in few.out
    all_ = tiny.command("run_suite", *held, folder=tmp_path)
    barred = sum("ner" not in find_system(name).tasks for name in system_names())
    assert f"since the task is not theirs: {barred} on jobs" in " ".join(all_.out.split())


@pytest.mark.parametrize("system", ["relu_net"])
def test_a_parser_that_is_not_there_ends_in_a_message(tmp_path: Path, system: str) -> None:
    data = tiny.write_dataset(tmp_path / "data")
    ended = tiny.command(
        "run_suite", "--dataset", data, "--system", system, "--pretrained", "untrained",
        "--parser", "no_such_pipeline", "--dry-run", folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 2
    assert "no_such_pipeline" in ended.err
    assert "--parser chain" in ended.err
    assert "Traceback" not in ended.err

"""PublishedSize of small datasets, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from suite.datasets import load_dataset
from suite.datasets.statistics import statistics
from suite.records.suite import EXAMPLES, SEEN_SHARE
from suite.tasks.documents import DocumentCounts
from suite.tasks.entities import EntityCounts
from suite.tasks.task import ExampleCounts
from suite.tasks.triples import TripleCounts
from tests.suite.datasets.folders import LIMA, PARIS, ROME, triples, write
from tests.suite.datasets.test_formats import DOCUMENT


def test_triples(tmp_path: Path) -> None:
    test = [
        ROME,
        {
            "text": "Lima and Cusco are in Peru",
            "triple_list": [["Lima", "in", "Peru"], ["Cusco", "in", "Peru"], ["x", "in", "Peru"]],
        },
        {"text": "Nothing at all", "triple_list": []},
        {"text": "a is in b", "triple_list": [["a", "in", "b"], ["a", "near", "b"]]},
    ]
    dataset = load_dataset(str(triples(tmp_path, train=[PARIS, ROME], test=test)))
    counts = statistics(dataset, max_words=4)
    assert counts.test == TripleCounts(
        examples=4,
        words_mean=(5 + 6 + 3 + 4) / 4,
        words_max=6,
        seen_share=1 / 6,
        problems={
            "not_found": 1,
            "empty": 1,
            "unknown_relation": 1,
            "leaked": 1,
        },
        triples=6,
        relations=2,
        overlap={"normal": 2, "EPO": 1, "SEO": 1},
        by_triples={"0": 1, "1": 1, "2": 1, "3": 1, "4": 0, "5 or more": 0},
        entities_by_type={"ANY": 2 + 3 + 2},
        triples_with_repeats=6,
        overlap_with_repeats={"normal": 2, "EPO": 1, "SEO": 1},
        unplaced=1,
        beyond=2,
        triples_beyond=2,
    )
    assert counts.train.seen_share is None


def test_entities(tmp_path: Path) -> None:
    words = ["the", "IL-2", "gene", "product", "of", "T", "cells"]
    train = {"tokens": words, "entities": [{"type": "DNA", "start": 1, "end": 3}]}
    test = {
        "tokens": words,
        "entities": [
            {"type": "DNA", "start": 1, "end": 3},
            {"type": "protein", "start": 1, "end": 4},
            {"type": "protein", "start": 1, "end": 2},
            {"type": "cell", "start": 5, "end": 7},
        ],
    }
    other = {"tokens": ["no"], "entities": []}
    write(tmp_path, {"train.json": [train], "dev.json": [other], "test.json": [test]})
    dataset = load_dataset(str(tmp_path))
    assert dataset.task == "ner"
    counts = statistics(dataset, max_words=5)
    assert counts.test == EntityCounts(
        examples=1,
        words_mean=7,
        words_max=7,
        seen_share=1 / 4,
        problems={"leaked": 1, "unknown_type": 3},
        entities=4,
        entities_by_type={"DNA": 1, "cell": 1, "protein": 2},
        nested=2,
        beyond=1,
        entities_beyond=1,
    )
    assert counts.dev.seen_share is None, "no items, so no share of them"


@pytest.mark.parametrize(
    ("facts", "share"), [(None, 0.0), ('[["She", "Paris", "P551"]]', 1.0)], ids=["train", "file"]
)
def test_documents(tmp_path: Path, facts: str | None, share: float) -> None:
    other = json.loads(json.dumps(DOCUMENT).replace("Paris", "Rome"))
    write(tmp_path, {"train.json": [other, other], "dev.json": [other], "test.json": [DOCUMENT]})
    if facts is not None:
        write(tmp_path, {"train_annotated.fact": facts})
    write(tmp_path, {"rel_info.json": '{"P551": "residence", "P6": "head of government"}'})
    dataset = load_dataset(str(tmp_path))
    assert dataset.schema.relations == ("P551", "P6")
    assert dataset.facts_in_train is None or [tuple(f) for f in dataset.facts_in_train] == [
        ("She", "P551", "Paris")
    ]
    assert statistics(dataset, max_words=2).test == DocumentCounts(
        examples=1,
        words_mean=9,
        words_max=9,
        seen_share=share,
        problems={"duplicates": 1},
        sentences=2,
        entities=2,
        entities_by_type={"LOC": 1, "PER": 1},
        mentions=3,
        facts=1,
        relations=1,
        facts_across_sentences=0,
    )


def test_the_names_that_reports_know(tmp_path: Path) -> None:
    dump = statistics(load_dataset(str(triples(tmp_path))), 100).model_dump(mode="json")
    assert json.loads(json.dumps(dump)) == dump
    assert [dump[split][EXAMPLES] for split in ("train", "dev", "test")] == [2, 1, 1]
    fields: list[type[ExampleCounts]] = [TripleCounts, EntityCounts, DocumentCounts]
    assert all({EXAMPLES, SEEN_SHARE} <= set(model.model_fields) for model in fields)
    assert dump["test"][SEEN_SHARE] == 0.0
    assert LIMA["triple_list"], "the one triple of test, which train lacks"

"""Names, folders, problems that are counted, and the dev set that is cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from suite.datasets import Problems, dataset_names, fingerprint, load_dataset
from suite.datasets.catalogue.entries import CATALOGUE, SYNTHETICS
from suite.datasets.catalogue.fingerprints import PUBLISHED
from suite.datasets.catalogue.judge import describe, judge
from suite.errors import SuiteError
from suite.tasks.examples import Sentence
from tests.suite.datasets.folders import LIMA, OSLO, PARIS, ROME, triples, write


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SuiteError, match=r"unknown dataset 'webnl'.*Did you mean 'webnlg'"):
        load_dataset("webnl")


def test_every_listed_name_has_an_entry_or_is_made() -> None:
    assert dataset_names() == [*CATALOGUE, *SYNTHETICS]
    for name, task in SYNTHETICS.items():
        made = load_dataset(name)
        assert made.synthetic
        assert (made.name, made.task) == (name, task)


def test_a_folder_of_triples(tmp_path: Path) -> None:
    dataset = load_dataset(str(triples(tmp_path / "cities")))
    assert (dataset.name, dataset.task, dataset.matching) == ("cities", "triples", "surface")
    assert dataset.schema.relations == ("in", "lived_in")
    assert dataset.schema.head_types == {"in": {"ANY"}, "lived_in": {"ANY"}}
    assert [len(split.examples) for split in dataset.splits] == [2, 1, 1]
    assert [split.published for split in dataset.splits] == [None, None, None]
    assert not dataset.synthetic


@pytest.mark.parametrize(
    "names",
    [
        ("train.json", "valid.json", "test.json"),
        ("new_train.json", "new_dev.json", "new_test.json"),
        ("conll04_train.json", "conll04_dev.json", "conll04_test.json"),
        ("train.jsonl", "val.jsonl", "test.jsonl"),
    ],
)
def test_names_of_splits(tmp_path: Path, names: tuple[str, str, str]) -> None:
    write(tmp_path, dict(zip(names, ([PARIS, ROME], [OSLO], [LIMA]), strict=True)))
    assert [split.path.name for split in load_dataset(str(tmp_path)).splits if split.path] == list(
        names
    )


def test_a_type_map_in_the_folder_types_the_entities(tmp_path: Path) -> None:
    types = {
        "in": {"subject": "LOC", "object": "LOC"},
        "lived_in": {"subject": "PER", "object": "LOC"},
    }
    write(triples(tmp_path), {"type_relation.json": json.dumps(types)})
    dataset = load_dataset(str(tmp_path))
    assert dataset.schema.entity_types == ("LOC", "PER")
    assert dataset.schema.head_types == {"in": {"LOC"}, "lived_in": {"PER"}}
    first = dataset.train.examples[0]
    assert isinstance(first, Sentence)
    assert [entity.type for entity in first.entities] == ["PER", "LOC", "LOC"]


def test_what_is_odd_is_counted_and_kept(tmp_path: Path) -> None:
    odd = {
        "text": "Nice is nice",
        "triple_list": [
            ["Nice", "in", "France"],
            ["Nice", "like", "nice"],
            ["Nice", "like", "nice"],
        ],
    }
    bare = {"text": "Nothing here", "triple_list": []}
    twice = {"text": "no no", "triple_list": [["no", "in", "no"]]}
    folder = triples(tmp_path, test=[odd, bare, twice, PARIS, PARIS])
    dataset = load_dataset(str(folder))
    test = dataset.test
    counted = {k: v for k, v in vars(test.problems).items() if k != "samples" and v}
    assert counted == {
        "not_found": 1,
        "ambiguous": 2,
        "duplicates": 1,
        "empty": 1,
        "unknown_relation": 1,
        "leaked": 2,
        "repeated": 1,
    }
    kept = [len(e.triples) + len(e.unplaced) for e in test.examples if isinstance(e, Sentence)]
    assert kept == [2, 0, 1, 2, 2]
    assert "like" not in dataset.schema.relations
    assert ("test_triples.json", "record 1") in {sample[:2] for sample in test.problems.samples}
    assert any("leaked: Marie Curie" in sample.what for sample in test.problems.samples)


def test_no_more_than_five_samples_of_a_kind(tmp_path: Path) -> None:
    lost = [{"text": f"word {i}", "triple_list": [["x", "in", "word"]]} for i in range(9)]
    problems = load_dataset(str(triples(tmp_path, train=[*lost, ROME]))).train.problems
    assert problems.not_found == 9
    assert len(problems.samples) == 5


def test_a_sentence_of_5000_words_is_legal(tmp_path: Path) -> None:
    long = {"text": "w " * 5000, "triple_list": []}
    dataset = load_dataset(str(triples(tmp_path, train=[PARIS, long])))
    assert len(dataset.train.examples[1].words) == 5000
    assert dataset.train.problems == Problems(empty=1, samples=dataset.train.problems.samples)


def test_a_dev_set_is_cut_by_text(tmp_path: Path) -> None:
    triples_of = [["city", "is", "here"]]
    texts_of = [f"city {i // 2} is here" for i in range(400)]
    records = [{"text": text, "triple_list": triples_of} for text in texts_of]
    write(tmp_path, {"train.json": records, "test.json": [LIMA]})
    dataset = load_dataset(str(tmp_path))
    texts = [{e.words for e in split.examples} for split in (dataset.train, dataset.dev)]
    assert texts[0].isdisjoint(texts[1])
    assert len(texts[0] | texts[1]) == 200
    assert len(dataset.train.examples) + len(dataset.dev.examples) == 400
    assert 10 <= len(texts[1]) <= 32, "about a tenth of 200 texts"
    assert "dev is a tenth of train, cut by hash of the text" in dataset.notes
    assert dataset.dev.problems.leaked == 0

    write(tmp_path, {"train.json": records[:200]})
    part = load_dataset(str(tmp_path))
    assert {e.words for e in part.dev.examples} <= texts[1], "a text keeps its side"


def test_a_small_train_set_gives_up_one_text(tmp_path: Path) -> None:
    write(tmp_path, {"train.json": [PARIS, ROME], "test.json": [LIMA]})
    dataset = load_dataset(str(tmp_path))
    assert (len(dataset.train.examples), len(dataset.dev.examples)) == (1, 1)


def test_a_name_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("option", "environment", "cache/datasets"):
        triples(tmp_path / place / "webnlg")
    monkeypatch.setenv("RE_DATA_DIR", str(tmp_path / "environment"))
    monkeypatch.setenv("RE_CACHE_DIR", str(tmp_path / "cache"))

    def found(data_dir: Path | None) -> str:
        path = load_dataset("webnlg", data_dir).train.path
        assert path is not None
        return path.relative_to(tmp_path).parts[0]

    assert found(tmp_path / "option") == "option"
    assert found(None) == "environment"
    with pytest.raises(SuiteError, match="no such folder"):
        load_dataset("webnlg", tmp_path / "none")


def test_another_split_is_marked_and_said(tmp_path: Path) -> None:
    triples(tmp_path / "webnlg")
    dataset = load_dataset("webnlg", tmp_path)
    assert [split.published for split in dataset.splits] == [False, False, False]
    assert dataset.notes == (
        "train is not the published split (2 of 5,019 sentences), dev is not the published split "
        "(1 of 500 sentences), test is not the published split (1 of 703 sentences); no figure "
        "here reproduces a published one",
    )


def test_the_evidence_for_a_published_split() -> None:
    nyt10, webnlg = CATALOGUE["nyt10"], CATALOGUE["webnlg"]
    assert nyt10.source is not None
    blob = nyt10.source.files["train"].blob
    assert judge(nyt10, "train", blob, "?", 1).published is True
    assert judge(webnlg, "test", "?", PUBLISHED["webnlg"]["test"], 703).published is True
    edited = judge(webnlg, "test", "?", "?", 703)
    assert (edited.published, edited.why) == (
        False,
        "703 sentences as published, but not the same ones",
    )
    by_size = judge(nyt10, "train", "?", "?", 70339)
    assert by_size.published is True
    assert describe({"train": by_size}) == [
        "train is taken for the published split by its 70,339 sentences alone"
    ]
    assert judge(nyt10, "train", "?", "?", 7345).published is False
    assert judge(nyt10, "dev", "?", "?", 7).published is None, "none is published"


def test_the_fingerprint_is_of_content_and_order(tmp_path: Path) -> None:
    def of(name: str, train: object, indent: int | None = None) -> str:
        folder = triples(tmp_path / name, train=json.dumps(train, indent=indent))
        return fingerprint(load_dataset(str(folder)).train.examples)

    plain = of("plain", [PARIS, ROME])
    spaced = {**PARIS, "text": f"  {PARIS['text']} \n"}
    turned = {**PARIS, "triple_list": PARIS["triple_list"][::-1]}
    assert of("indented", [PARIS, ROME], indent=4) == plain
    assert of("spaced", [spaced, ROME]) == plain
    assert of("turned", [turned, ROME]) == plain
    assert of("reordered", [ROME, PARIS]) != plain
    assert of("other", [PARIS, OSLO]) != plain

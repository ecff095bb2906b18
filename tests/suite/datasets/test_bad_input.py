"""What a user's broken file is answered with: file, place, cause and remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from suite.datasets import load_dataset
from suite.errors import SuiteError
from tests.suite.datasets.folders import LIMA, OSLO, PARIS, ROME, Records, triples, write
from tests.suite.datasets.test_formats import DOCUMENT


def refused(folder: Path, *, where: str, cause: str) -> SuiteError:
    """The error of loading a folder; file and place, then the cause."""
    with pytest.raises(SuiteError) as caught:
        load_dataset(str(folder))
    error = caught.value
    assert str(error.where) == f"{folder}{where}"
    assert re.search(cause, error.cause), error.cause
    assert error.remedy, "an error must say what to do"
    return error


def test_a_missing_folder(tmp_path: Path) -> None:
    error = refused(tmp_path / "none", where="", cause="no such folder")
    assert "SPLIT_triples.json" in str(error)


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, {"train.json": [PARIS]})
    refused(tmp_path / "train.json", where="", cause="is a file")


@pytest.mark.parametrize("missing", ["train", "test"])
def test_a_missing_split(tmp_path: Path, missing: str) -> None:
    triples(tmp_path)
    (tmp_path / f"{missing}_triples.json").unlink()
    error = refused(tmp_path, where="", cause=rf"has no {missing} split \(it holds dev_triples")
    assert "Expected: train, test" in str(error)


def test_two_files_for_one_split(tmp_path: Path) -> None:
    triples(tmp_path)
    write(tmp_path, {"valid.json": [PARIS]})
    refused(tmp_path, where="", cause="dev_triples.json and valid.json are both dev")


def test_an_empty_file(tmp_path: Path) -> None:
    refused(triples(tmp_path, train=""), where="/train_triples.json", cause="is empty")


@pytest.mark.parametrize("text", ["[]", "\n", "[1, 2]"])
def test_a_list_without_records(tmp_path: Path, text: str) -> None:
    refused(triples(tmp_path, train=text), where="/train_triples.json", cause="holds no records")


def test_columns_without_sentences(tmp_path: Path) -> None:
    write(tmp_path, {"train.conll": "-DOCSTART- O\n\n", "test.conll": "a O\n"})
    refused(tmp_path, where="/train.conll", cause="holds no examples")


@pytest.mark.parametrize("kept", [40, 200], ids=["first record", "later record"])
def test_truncated_json(tmp_path: Path, kept: int) -> None:
    text = json.dumps([PARIS, ROME, PARIS], indent=1)[:kept]
    error = refused(triples(tmp_path, train=text), where="/train_triples.json", cause="broken JSON")
    assert re.search(r"line \d+ column \d+", error.cause)


def test_a_truncated_json_line(tmp_path: Path) -> None:
    folder = write(tmp_path, {"train.jsonl": f"{json.dumps(PARIS)}\n{json.dumps(ROME)[:20]}\n"})
    write(folder, {"test.json": [LIMA]})
    refused(folder, where="/train.jsonl, line 2", cause="broken JSON")


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        ({"text": 3, "triple_list": []}, "text: .*valid string"),
        ({"text": "a"}, "triple_list: is missing"),
        ({"text": "a", "triple_list": [["a", "r"]]}, r"triple_list\.0\.2: is missing"),
        ({"text": "a", "triple_list": [["a", 5, "a"]]}, r"triple_list\.0\.1: .*valid string"),
        ([], "valid dictionary|object"),
    ],
)
def test_a_record_of_another_shape(tmp_path: Path, record: Any, cause: str) -> None:
    folder = triples(tmp_path, train=[PARIS, record])
    refused(folder, where="/train_triples.json, record 2", cause=cause)


def test_a_format_that_is_not_known(tmp_path: Path) -> None:
    folder = triples(tmp_path, test=[{"sentence": "a"}])
    refused(folder, where="/test_triples.json", cause=r"\['sentence'\], which no known format")


def test_a_record_without_words(tmp_path: Path) -> None:
    folder = triples(tmp_path, train=[PARIS, {"text": " ", "triple_list": []}])
    refused(folder, where="/train_triples.json, record 2", cause="the text has no words")


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    text = json.dumps([PARIS], indent=1).replace("Curie", "Curié").encode("latin-1")
    offset = text.index(b"\xe9")
    line = text[:offset].count(b"\n") + 1
    error = refused(
        triples(tmp_path, train=text),
        where=f"/train_triples.json, line {line}",
        cause=rf"byte {offset} \(0xe9\) is not UTF-8",
    )
    assert "iconv -f ENCODING -t UTF-8 train_triples.json" in str(error)


def spert(folder: Path, entities: Records, relations: Records = ()) -> Path:
    good = {"tokens": ["a", "b", "c"], "entities": [], "relations": []}
    bad = {"tokens": ["a", "b", "c"], "entities": entities, "relations": relations}
    return write(folder, {"train.json": [good, bad], "test.json": [good]})


@pytest.mark.parametrize(
    ("start", "end", "cause"),
    [
        (0, 4, "from 0 to 4 lies outside the 3 tokens"),
        (-1, 1, "from -1 to 1 lies outside the 3 tokens"),
        (1, 1, "from 1 to 1 is empty"),
        (2, 1, "from 2 to 1 is reversed"),
    ],
)
def test_a_wrong_span(tmp_path: Path, start: int, end: int, cause: str) -> None:
    folder = spert(tmp_path, [{"type": "A", "start": start, "end": end}])
    refused(folder, where="/train.json, record 2", cause=rf"entities\.0: the span {cause}")


@pytest.mark.parametrize(("head", "tail", "side"), [(1, 0, "head"), (0, -1, "tail")])
def test_a_relation_between_no_entities(tmp_path: Path, head: int, tail: int, side: str) -> None:
    entity = {"type": "A", "start": 0, "end": 1}
    folder = spert(tmp_path, [entity], [{"type": "r", "head": head, "tail": tail}])
    cause = rf"relations\.0\.{side}: -?1 is not an index of the 1 entities"
    refused(folder, where="/train.json, record 2", cause=cause)


@pytest.mark.parametrize(
    ("files", "where", "cause"),
    [
        ({"train.tup": "a ; b ; r\n"}, "/train.tup", "has 1 lines where train.sent has 2"),
        ({"train.pointer": "\n\n\n"}, "/train.pointer", "has 3 lines where train.sent has 2"),
        ({"train.tup": "\na ; b\n"}, "/train.tup, line 2", "'a ; b' has 2 parts"),
        ({"train.pointer": "\n0 0 1 5 r\n"}, "/train.pointer, line 2", "1 to 5 lies outside the 2"),
        ({"train.pointer": "\n0 0 r\n"}, "/train.pointer, line 2", "not four numbers"),
        ({}, "/train.sent", "has no triples beside it"),
    ],
)
def test_lines_that_do_not_fit(
    tmp_path: Path, files: dict[str, str], where: str, cause: str
) -> None:
    write(tmp_path, {"train.sent": "a b\na b\n", "test.sent": "a\n", "test.tup": "\n", **files})
    refused(tmp_path, where=where, cause=cause)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"pos": [2, 5]}, r"vertexSet\.1\.0\.pos: 2 to 5 lies outside the 4 words of sentence 0"),
        ({"pos": [2, 2]}, r"vertexSet\.1\.0\.pos: .* is empty or reversed"),
        ({"sent_id": 2}, r"vertexSet\.1\.0\.sent_id: 2 is not one of the 2 sentences"),
    ],
)
def test_a_mention_outside_its_sentence(tmp_path: Path, change: dict[str, Any], cause: str) -> None:
    record = json.loads(json.dumps(DOCUMENT))
    record["vertexSet"][1] = [{"name": "x", "pos": [0, 1], "sent_id": 0, "type": "A", **change}]
    write(tmp_path, {"train_annotated.json": [DOCUMENT, record], "test.json": [DOCUMENT]})
    refused(tmp_path, where="/train_annotated.json, record 2 ('Curie')", cause=cause)


@pytest.mark.parametrize(
    ("label", "cause"),
    [
        ({"h": 2, "t": 0, "r": "P1"}, r"labels\.0\.h: 2 is not an index of the 2 entities"),
        (
            {"h": 0, "t": 1, "r": "P1", "evidence": [5]},
            r"labels\.0\.evidence: 5 is not one of the 2",
        ),
    ],
)
def test_a_fact_between_no_entities(tmp_path: Path, label: dict[str, Any], cause: str) -> None:
    record = {**DOCUMENT, "labels": [label]}
    write(tmp_path, {"train.json": [DOCUMENT, record], "test.json": [DOCUMENT]})
    refused(tmp_path, where="/train.json, record 2 ('Curie')", cause=cause)


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("a B-PER\nb X-PER\n", 2, "'X-PER' is neither O, B-TYPE nor I-TYPE"),
        ("a O\n\nb\n", 3, "'b' has no tag"),
    ],
)
def test_columns_of_another_scheme(tmp_path: Path, text: str, line: int, cause: str) -> None:
    write(tmp_path, {"train.conll": text, "test.conll": "a O\n"})
    refused(tmp_path, where=f"/train.conll, line {line}", cause=cause)


def test_splits_of_two_tasks(tmp_path: Path) -> None:
    triples(tmp_path)
    (tmp_path / "test_triples.json").unlink()
    write(tmp_path, {"test.conll": "a O\n"})
    refused(tmp_path, where="/test.conll", cause="CoNLL's columns, which holds no data for")


def test_a_relation_that_the_type_map_lacks(tmp_path: Path) -> None:
    triples(tmp_path)
    types = '{"in": {"subject": "LOC", "object": "LOC"}}'
    write(tmp_path, {"type_relation.json": types})
    error = refused(tmp_path, where="/train_triples.json", cause="has the relation 'lived_in'")
    assert "type_relation.json" in str(error)


def test_a_type_map_of_another_shape(tmp_path: Path) -> None:
    triples(tmp_path)
    write(tmp_path, {"type_relation.json": '{"in": {"subject": "LOC"}}'})
    refused(tmp_path, where="/type_relation.json", cause=r"in\.object: is missing")


def test_too_little_to_cut_a_dev_set_from(tmp_path: Path) -> None:
    write(tmp_path, {"train.json": [OSLO, OSLO], "test.json": [LIMA]})
    refused(tmp_path, where="/train.json", cause="too few different texts")

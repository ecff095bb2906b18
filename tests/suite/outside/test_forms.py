"""Files of predictions: told by their content, read, or refused with file, record and cause."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from suite.errors import SuiteError
from suite.outside.forms import read_answers
from suite.tasks.claims import Claim
from suite.tasks.examples import Span

OWN = {
    "id": "test-1",
    "text": "Ada lives in Rome",
    "gold": [["Ada", "lives", "Rome"]],
    "predicted": [["Ada", "lives", "Rome", [0, 1], [3, 4], 0.75], ["Eve", "lives", "Rome", 0.5]],
    "correct": {},
}
CASREL = {
    "text": "Ada lives in Rome",
    "triple_list_gold": [],
    "triple_list_pred": [{"subject": "Ada", "relation": "lives", "object": "Rome"}],
    "new": [],
    "lack": [],
}
FACTS = [
    {"title": "A", "h_idx": 0, "t_idx": 1, "r": "P1", "evidence": [0]},
    {"title": "B", "h_idx": 2, "t_idx": 0, "r": "P2"},
    {"title": "A", "h_idx": 1, "t_idx": 0, "r": "P1"},
]
COLUMNS = "Ada NNP B-PER B-PER\nin IN O O\nRome NNP B-LOC B-ORG\n\nOslo NNP B-LOC O\n"


def written(tmp_path: Path, content: object, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_suites_own(tmp_path: Path) -> None:
    (answer,) = read_answers(written(tmp_path, OWN)).answers
    assert (answer.id, answer.text) == ("test-1", "Ada lives in Rome")
    assert answer.claims == (
        Claim("lives", (Span(0, 1), Span(3, 4)), 0.75),
        Claim("lives", ("Eve", "Rome"), 0.5),
    )
    assert answer.gold == (Claim("lives", ("Ada", "Rome")),)


@pytest.mark.parametrize("indent", [None, 4])
def test_what_casrels_code_writes(tmp_path: Path, indent: int | None) -> None:
    text = "".join(json.dumps(CASREL, indent=indent) + "\n" for _ in range(2))
    found = read_answers(written(tmp_path, text))
    assert found.form == "CasRel's results"
    assert [a.claims for a in found.answers] == [(Claim("lives", ("Ada", "Rome")),)] * 2
    assert found.answers[0].gold == ()


def test_docreds_result_is_one_answer_a_title(tmp_path: Path) -> None:
    found = read_answers(written(tmp_path, FACTS))
    assert found.silent
    assert {a.id: len(a.claims) for a in found.answers} == {"A": 2, "B": 1}
    assert found.answers[0].claims[1] == Claim("P1", (1, 0))


def test_the_last_column_is_the_prediction(tmp_path: Path) -> None:
    first, second = read_answers(written(tmp_path, COLUMNS)).answers
    assert first.words == ("Ada", "in", "Rome")
    assert first.claims == (Claim("PER", (Span(0, 1),)), Claim("ORG", (Span(2, 3),)))
    assert second.claims == ()


@pytest.mark.parametrize(
    ("record", "claim"),
    [
        ({"triples": [["Ada", "r", "Rome"]]}, Claim("r", ("Ada", "Rome"))),
        ({"triples": [["Ada", "r", "Rome", 0.5]]}, Claim("r", ("Ada", "Rome"), 0.5)),
        ({"triples": [[[0, 1], "r", [3, 4]]]}, Claim("r", (Span(0, 1), Span(3, 4)))),
        ({"triples": [{"head": "a", "relation": "r", "tail": "b"}]}, Claim("r", ("a", "b"))),
        (
            {"triples": [{"subject": "a", "predicate": "r", "object": "b", "score": 1}]},
            Claim("r", ("a", "b")),
        ),
        ({"facts": [[0, "P1", 3]]}, Claim("P1", (0, 3))),
        ({"entities": [["Rome", "LOC"]]}, Claim("LOC", ("Rome",))),
        ({"entities": [{"span": [3, 4], "type": "LOC"}]}, Claim("LOC", (Span(3, 4),))),
    ],
)
def test_json_lines(tmp_path: Path, record: dict[str, object], claim: Claim) -> None:
    (answer,) = read_answers(written(tmp_path, {"id": "x", **record})).answers
    assert answer.claims == (claim,)


def test_a_compressed_list_is_read_as_lines_are(tmp_path: Path) -> None:
    records = [{"text": "a b", "triples": []}, {"tokens": ["a", "c"], "triples": []}, {"id": 3}]
    plain = read_answers(written(tmp_path, "".join(f"{json.dumps(r)}\n" for r in records)))
    path = tmp_path / "list.json.gz"
    path.write_bytes(gzip.compress(json.dumps(records).encode()))
    assert read_answers(path).answers == plain.answers
    assert [a.letters for a in plain.answers] == ["ab", "ac", None]
    assert plain.answers[2].id == "3"


@pytest.mark.parametrize(
    ("content", "where", "cause"),
    [
        ({"id": "x", "answer": "y"}, "", "the first record has the fields answer, id"),
        ("[]", "", "holds no records"),
        ({"id": "x", "triples": [["a", "b"]]}, "record 1", "triples.0: ['a', 'b'] is neither"),
        ({"id": "x", "triples": [["", "r", "b"]]}, "record 1", "'' is neither words nor a place"),
        ({"id": "x", "triples": [["a", 3, "b"]]}, "record 1", "3 is not the name of a relation"),
        ({"id": "x", "triples": [["a", "r", "b", 7]]}, "record 1", "the score 7"),
        ({"id": "x", "triples": [["a", "r", [1, 2, 3]]]}, "record 1", "[1, 2, 3] is neither"),
        ({"id": "x", "entities": [["a"]]}, "record 1", "entities.0"),
        ('{"id": "x", "triples": []}\n{"triples": []}\n', "record 2", "names no example"),
        ('{"id": "x", "triples": []}\n{"id": "y", "trip', "line 2", "broken JSON"),
        ({"id": "x", "triples": 3}, "line 1", "triples: "),
        ({**OWN, "predicted": [["Ada", 3]]}, "record 1", "predicted.0: ['Ada', 3] is not an item"),
        ({**CASREL, "triple_list_pred": ["a"]}, "record 1", "triple_list_pred.0"),
        ([FACTS[0], {"title": "A", "h_idx": 0}], "record 2", "t_idx: is missing"),
        ("Ada B-PER\nRome\n", "line 2", "has no tag"),
        ("Ada B-PER\nRome X-LOC\n", "line 2", "the tag 'X-LOC'"),
        ("", "", "is empty"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, content: object, where: str, cause: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SuiteError) as refused:
        read_answers(path)
    assert cause in refused.value.cause
    assert str(path) in str(refused.value.where)
    assert where in str(refused.value.where)
    assert refused.value.remedy


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"Ada \xff\xfe O\n")
    with pytest.raises(SuiteError, match="is not UTF-8"):
        read_answers(path)

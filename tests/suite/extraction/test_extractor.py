"""A chunk of texts gives a chunk of rows: offsets of the original, every text answered once."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import SuiteError
from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Text
from suite.extraction.rows import Row
from suite.extraction.text import Splitter
from suite.tasks.examples import Document, DocumentEntity, Mention, Span
from tests.suite.extraction.fake import FAILS, Fake, extractor

WORDS = st.sampled_from(
    ["Ann", "in", "Rome", "at", "😀", "\ud83d", "x\x00y", "said.", "It's", FAILS]
)


def texts(*contents: str) -> list[Text]:
    return [Text(f"id{i}", "f", i, content) for i, content in enumerate(contents, 1)]


def surfaces(row: Any) -> Iterator[dict[str, Any]]:
    """Whatever in a row has a place in the text."""
    if isinstance(row, dict):
        if "start" in row and "text" in row:
            yield row
        for value in row.values():
            yield from surfaces(value)
    elif isinstance(row, list):
        for value in row:
            yield from surfaces(value)


def test_a_row_of_triples() -> None:
    (row,) = extractor("spacy:en")(texts('  "Ann in\r\nRome."'))
    assert row == {
        "id": "id1",
        "file": "f",
        "record": 1,
        "triples": [
            {
                "head": {"start": 3, "end": 6, "text": "Ann", "type": "THING"},
                "relation": "in",
                "tail": {"start": 11, "end": 15, "text": "Rome", "type": "PLACE"},
                "score": 0.166667,
            }
        ],
    }


def test_a_row_of_entities() -> None:
    (row,) = extractor(model=Fake("ner"))(texts("ann and Bob 😀 Cy"))
    assert row["entities"] == [
        {"start": 8, "end": 11, "text": "Bob", "type": "NAME", "score": 0.2},
        {"start": 14, "end": 16, "text": "Cy", "type": "NAME", "score": 0.2},
    ]


def test_a_type_that_is_not_known_is_none() -> None:
    (row,) = extractor()(texts("Ann at Rome"))
    assert row["triples"][0]["head"]["type"] is None


@pytest.mark.parametrize("model", [Fake(), Fake("ner"), Fake("docre")])
@given(contents=st.lists(st.lists(WORDS, max_size=20).map(" ".join), max_size=8))
def test_every_text_is_answered_and_every_offset_right(model: Fake, contents: list[str]) -> None:
    entities = Fake("ner") if model.task == "docre" else None
    answer = extractor("spacy:en", model=model, entities=entities)
    given = texts(*contents)
    try:
        rows = answer(given)
    except SuiteError:
        assert len(contents) >= 8
        assert all(FAILS in content for content in contents)
        return
    assert [row["id"] for row in rows] == [text.id for text in given]
    for text, row in zip(given, rows, strict=True):
        assert ("error" in row) == (FAILS in text.text.split())
        json.dumps(row, ensure_ascii=False).encode()
        for one in surfaces(row):
            said = text.text[one["start"] : one["end"]]
            assert said.replace("\ud83d", "\ufffd") == one["text"]


def test_pieces_of_many_texts_are_read_together() -> None:
    model = Fake()
    rows = extractor(model=model)(texts("a in b", "", "c in d x y z e in f", "g in h i"))
    assert model.asked == [[3, 6, 3, 4]]
    found = [[(t["head"]["text"], t["score"]) for t in row["triples"]] for row in rows]
    assert found == [
        [("a", 0.333333)],
        [],
        [("c", 0.166667), ("e", 0.333333)],
        [("g", 0.25)],
    ]


def test_what_scores_less_is_left_out() -> None:
    contents = texts("a in b", "a in b c")
    rows = extractor(min_score=0.3)(contents)
    assert [len(row["triples"]) for row in rows] == [1, 0]
    documents = extractor(model=Fake("docre"), entities=Fake("ner"), min_score=0.5)
    found = documents(texts("A and B", "A and B and C"))
    assert [(len(row["entities"]), len(row["facts"])) for row in found] == [(2, 1), (3, 0)]


def test_a_text_that_fails_does_not_take_others_with_it() -> None:
    given = texts("a in b", f"a {FAILS}", "c in d")
    given.insert(1, Text("bad", "f", 9, failure="not UTF-8"))
    rows = extractor(with_text=True)(given)
    assert [row.get("error") for row in rows] == [
        None,
        "not UTF-8",
        "RuntimeError: it went off",
        None,
    ]
    assert [row.get("text") for row in rows] == ["a in b", None, None, "c in d"]
    assert rows[3]["triples"][0]["head"]["text"] == "c"


def test_a_model_that_fails_at_everything_ends_the_work() -> None:
    with pytest.raises(SuiteError, match="failed at each of 8 texts: RuntimeError: it went off"):
        extractor()(texts(*[FAILS] * 8))
    assert len(extractor()(texts(*[FAILS] * 7))) == 7


def document() -> Document:
    entities = (
        DocumentEntity("Ann Lee", "PER", (Mention(Span(0, 2), 0), Mention(Span(3, 4), 1))),
        DocumentEntity("Rome", "LOC", (Mention(Span(5, 6), 1),)),
    )
    return Document("d", "d", ("Ann", "Lee", ".", "She", "saw", "Rome"), (0, 3), entities)


def test_facts_of_a_document() -> None:
    given = Text("d", "f", 1, "Ann Lee . She saw Rome", document())
    (row,) = extractor(model=Fake("docre"))([given])
    assert row["entities"] == [
        {
            "text": "Ann Lee",
            "type": "PER",
            "mentions": [{"start": 0, "end": 7}, {"start": 10, "end": 13}],
        },
        {"text": "Rome", "type": "LOC", "mentions": [{"start": 18, "end": 22}]},
    ]
    assert row["facts"] == [
        {
            "head": {"entity": 1, "start": 18, "end": 22, "text": "Rome", "type": "LOC"},
            "relation": "of",
            "tail": {"entity": 0, "start": 0, "end": 7, "text": "Ann Lee", "type": "PER"},
            "score": 0.5,
        }
    ]


def test_facts_of_a_text_whose_entities_are_found() -> None:
    """Spans that read the same are one entity; one alone has no facts."""
    answer = extractor("spacy:en", model=Fake("docre"), entities=Fake("ner"))
    first, second = answer(texts("Ann left. Later Ann saw Rome.", "nobody in Rome"))
    assert [e["text"] for e in first["entities"]] == ["Ann", "Later", "Rome"]
    assert first["entities"][0]["mentions"] == [{"start": 0, "end": 3}, {"start": 16, "end": 19}]
    assert first["facts"][0]["head"]["text"] == "Later"
    assert second["facts"] == []


def test_it_can_be_sent_to_another_process() -> None:
    answer = pickle.loads(pickle.dumps(extractor("spacy:en")))
    rows: list[Row] = answer(pickle.loads(pickle.dumps(texts("Ann in Rome"))))
    assert len(rows[0]["triples"]) == 1


def test_a_model_that_gives_too_few_answers_is_told() -> None:
    class Short(Fake):
        def predict(self, examples: Any, batch_size: Any = None) -> Any:
            return super().predict(examples, batch_size)[1:]

    (row,) = Extractor(Short(), Splitter(None, 6), 4)(texts("a in b"))
    assert row["error"] == "the model gave 0 answers to 1 pieces"

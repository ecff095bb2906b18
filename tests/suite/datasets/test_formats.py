"""Each reader on a few records, against examples written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.datasets import load_dataset
from suite.datasets.formats import detect
from suite.datasets.formats.tags import Scheme, decode
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Document, Entity, Example, Fact, Mention, Sentence, Span, Triple
from tests.suite.datasets.folders import write

SENTENCE = "Marie Curie lived in Paris"
LIVED = Triple(Span(0, 2), "lived_in", Span(4, 5))
ANY_ENTITIES = (Entity(Span(0, 2), "ANY"), Entity(Span(4, 5), "ANY"))
READ = Sentence("test-1", tuple(SENTENCE.split()), (LIVED,), ANY_ENTITIES)


def read(folder: Path, name: str, content: object, **beside: str) -> list[Example]:
    text = content if isinstance(content, str) else json.dumps(content)
    write(folder, {name: text, **{k.replace("_", "."): v for k, v in beside.items()}})
    file = TextFile.read(folder / name)
    return detect(file).read(file, "test", Reading(ProblemLog(folder / name)))


def test_triple_list(tmp_path: Path) -> None:
    records = [{"text": SENTENCE, "triple_list": [["Marie Curie", "lived_in", "Paris"]]}]
    assert read(tmp_path, "test.json", records) == [READ]


@pytest.mark.parametrize(
    "triple",
    [
        {"subject": "Marie Curie", "predicate": "lived_in", "object": "Paris"},
        ["Marie Curie", "lived_in", "Paris"],
    ],
    ids=["object", "list"],
)
def test_spo_list(tmp_path: Path, triple: object) -> None:
    assert read(tmp_path, "test.json", [{"text": SENTENCE, "spo_list": [triple]}]) == [READ]


def test_spo_list_keeps_the_types_of_the_file(tmp_path: Path) -> None:
    triple = {
        "subject": "Marie Curie",
        "subject_type": "PER",
        "predicate": "lived_in",
        "object": "Paris",
        "object_type": "LOC",
    }
    (sentence,) = read(tmp_path, "test.json", [{"text": SENTENCE, "spo_list": [triple]}])
    assert sentence.entities == (Entity(Span(0, 2), "PER"), Entity(Span(4, 5), "LOC"))


def test_json_lines_are_read_as_a_list_is(tmp_path: Path) -> None:
    record = {"text": SENTENCE, "triple_list": [["Marie Curie", "lived_in", "Paris"]]}
    lines = "\r\n".join([json.dumps(record), "", json.dumps(record), ""])
    listed = read(tmp_path, "test.json", [record, record])
    assert read(tmp_path, "test.jsonl", lines) == listed


def test_spert(tmp_path: Path) -> None:
    record = {
        "tokens": SENTENCE.split(),
        "entities": [
            {"type": "Peop", "start": 0, "end": 2},
            {"type": "Loc", "start": 4, "end": 5},
        ],
        "relations": [{"type": "lived_in", "head": 0, "tail": 1}],
        "orig_id": 7,
    }
    entities = (Entity(Span(0, 2), "Peop"), Entity(Span(4, 5), "Loc"))
    assert read(tmp_path, "test.json", [record]) == [
        Sentence("test-1", READ.words, (LIVED,), entities)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_nayak_tuples(tmp_path: Path, end: str) -> None:
    sentences = f"{SENTENCE} {end}Nobody lived there{end}"
    tuples = f"Marie Curie ; Paris ; lived_in{end}{end}"
    first, second = read(tmp_path, "test.sent", sentences, test_tup=tuples)
    assert first == READ
    assert second == Sentence("test-2", ("Nobody", "lived", "there"))


def test_nayak_pointers_have_inclusive_ends_and_precede_tuples(tmp_path: Path) -> None:
    again = Sentence(
        "test-1",
        tuple(f"{SENTENCE} near Paris".split()),
        (LIVED, Triple(Span(0, 2), "lived_in", Span(6, 7))),
        (*ANY_ENTITIES, Entity(Span(6, 7), "ANY")),
    )
    found = read(
        tmp_path,
        "test.sent",
        f"{SENTENCE} near Paris\n",
        test_pointer="0 1 4 4 lived_in | 0 1 6 6 lived_in\n",
        test_tup="Marie Curie ; Paris ; lived_in | Marie Curie ; Paris ; lived_in\n",
    )
    assert found == [again]


DOCUMENT = {
    "title": "Curie",
    "sents": [["Marie", "Curie", "moved", "."], ["She", "lived", "in", "Paris", "."]],
    "vertexSet": [
        [
            {"name": "Marie Curie", "pos": [0, 2], "sent_id": 0, "type": "PER"},
            {"name": "She", "pos": [0, 1], "sent_id": 1, "type": "PER", "index": "0_1"},
        ],
        [{"name": "Paris", "pos": [3, 4], "sent_id": 1, "type": "LOC", "global_pos": [7, 7]}],
    ],
    "labels": [{"h": 0, "t": 1, "r": "P551", "evidence": [0, 1]}, {"h": 0, "t": 1, "r": "P551"}],
}


def test_docred(tmp_path: Path) -> None:
    unlabelled = {k: v for k, v in DOCUMENT.items() if k != "labels"}
    first, second = read(tmp_path, "test.json", [DOCUMENT, unlabelled])
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert first.words[4:8] == ("She", "lived", "in", "Paris")
    assert first.sentence_starts == (0, 4)
    assert [e.name for e in first.entities] == ["Marie Curie", "Paris"]
    curie, she = first.entities[0].mentions
    assert (curie, she) == (Mention(Span(0, 2), 0, "Marie Curie"), Mention(Span(4, 5), 1, "She"))
    assert first.entities[1].mentions == (Mention(Span(7, 8), 1, "Paris"),)
    assert first.facts == (Fact(0, "P551", 1, (0, 1)),)
    assert second.facts == ()
    assert (first.id, second.id, second.title) == ("Curie", "Curie #2", "Curie")


COLUMNS = """-DOCSTART- -X- O O

EU NNP I-NP {0}-ORG
rejects VBZ I-VP O

Peter NNP I-NP {0}-PER
Blackburn NNP I-NP I-PER
Rome NNP I-NP B-LOC
Oslo NNP I-NP B-LOC
Times NNP I-NP {0}-ORG
"""


@pytest.mark.parametrize("opening", ["I", "B"], ids=["IOB1", "BIO"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns(tmp_path: Path, opening: str, end: str) -> None:
    text = COLUMNS.format(opening).replace("\n", end)
    first, second = read(tmp_path, "test.txt", text)
    assert first == Sentence("test-1", ("EU", "rejects"), entities=(Entity(Span(0, 1), "ORG"),))
    assert second == Sentence(
        "test-2",
        ("Peter", "Blackburn", "Rome", "Oslo", "Times"),
        entities=(
            Entity(Span(0, 2), "PER"),
            Entity(Span(2, 3), "LOC"),
            Entity(Span(3, 4), "LOC"),
            Entity(Span(4, 5), "ORG"),
        ),
    )


def _tags(entities: list[tuple[int, str]], scheme: str) -> tuple[list[str], list[Entity]]:
    """Tags of adjacent stretches, each of a length and a type (none: outside)."""
    tags: list[str] = []
    spans: list[Entity] = []
    previous = ""
    for length, kind in entities:
        start = len(tags)
        tags += [f"I-{kind}" if kind else "O"] * length
        if kind and (scheme == "BIO" or previous == kind):
            tags[start] = f"B-{kind}"
        if kind:
            spans.append(Entity(Span(start, start + length), kind))
        previous = kind
    return tags, spans


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", "PER", "LOC"]))),
    st.sampled_from(["IOB1", "BIO"]),
)
def test_decoding_undoes_either_scheme(entities: list[tuple[int, str]], scheme: str) -> None:
    tags, spans = _tags(entities, scheme)
    assert list(decode(tags, Scheme(prefixed=True), "here")) == spans


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    records = [{"text": SENTENCE, "triple_list": [["Paris", "r", "Paris"]]}] * 2
    plain = json.dumps(records).encode()
    write(tmp_path, {"train.json": b"\xef\xbb\xbf" + plain, "test.json": plain, "dev.json": plain})
    dataset = load_dataset(str(tmp_path))
    assert dataset.train.fingerprint == dataset.test.fingerprint


def test_white_space_of_any_kind_parts_words(tmp_path: Path) -> None:
    ragged = {"text": " Marie  Curie\tlived in\u00a0Paris \n", "triple_list": []}
    ragged["triple_list"] = [[" Marie  Curie", "lived_in", "Paris "]]
    assert read(tmp_path, "test.json", [ragged]) == [READ]

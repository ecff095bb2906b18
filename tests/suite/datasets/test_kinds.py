"""Forms in which people share data: read rightly, or refused with what helps."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from suite.datasets import Dataset, load_dataset
from suite.errors import SuiteError
from suite.tasks.examples import Document, Entity, Sentence, Span, Triple
from tests.suite.datasets.folders import write

WORDS = ("Ada", "Byron", "lives", "in", "New", "York", ".")
ADA, YORK = Span(0, 2), Span(4, 6)
ENTITIES = (Entity(ADA, "PER"), Entity(YORK, "LOC"))
TEXT = " ".join(WORDS)


def both(folder: Path, content: Any, ending: str, **more: Any) -> Dataset:
    """A dataset whose train and test hold the same; dev does, too."""
    files = {f"{split}.{ending}": content for split in ("train", "dev", "test")}
    return load_dataset(str(write(folder, {**files, **more})))


def only(dataset: Dataset) -> Sentence:
    (sentence,) = dataset.test.examples
    assert isinstance(sentence, Sentence)
    assert sentence.words == WORDS
    return sentence


COLUMNS = {
    "BIO": "Ada B-PER|Byron I-PER|lives O|in O|New B-LOC|York I-LOC|. O",
    "IOB1": "Ada I-PER|Byron I-PER|lives O|in O|New I-LOC|York I-LOC|. O",
    "BIOES": "Ada B-PER|Byron E-PER|lives O|in O|New B-LOC|York E-LOC|. O",
    "BILOU": "Ada B-PER|Byron L-PER|lives O|in O|New B-LOC|York L-LOC|. O",
    "BMES": "Ada B-PER|Byron E-PER|lives O|in O|New B-LOC|York E-LOC|. O",
    "lower case": "Ada b-PER|Byron i-PER|lives o|in o|New b-LOC|York i-LOC|. o",
    "underscores": "Ada B_PER|Byron I_PER|lives O|in O|New B_LOC|York I_LOC|. O",
    "plain types": "Ada PER|Byron PER|lives O|in O|New LOC|York LOC|. O",
    "index from 1": "1 Ada B-PER|2 Byron I-PER|3 lives O|4 in O|5 New B-LOC|6 York I-LOC|7 . O",
    "index from 0": "0 Ada B-PER|1 Byron I-PER|2 lives O|3 in O|4 New B-LOC|5 York I-LOC|6 . O",
    "chunks before": "Ada B-NP B-PER|Byron I-NP I-PER|lives B-VP O|in B-PP O|New B-NP B-LOC|"
    "York I-NP I-LOC|. O O",
    "prediction last": "Ada B-PER B-PER|Byron I-PER O|lives O O|in O O|New B-LOC B-LOC|"
    "York I-LOC I-LOC|. O O",
    "tabs, a cell of two words": "Ada Byron\tB-PER|lives\tO|in\tO|New York\tB-LOC|.\tO",
    "comments": "# id 1\tdomain=en|Ada _ _ B-PER|Byron _ _ I-PER|lives _ _ O|in _ _ O|"
    "New _ _ B-LOC|York _ _ I-LOC|. _ _ O",
    "document line": "-DOCSTART- -X- O O||Ada B-PER|Byron I-PER|lives O|in O|New B-LOC|"
    "York I-LOC|. O",
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns(tmp_path: Path, kind: str) -> None:
    dataset = both(tmp_path, COLUMNS[kind].replace("|", "\n") + "\n", "txt")
    assert only(dataset).entities == ENTITIES
    said = any("taken for a prediction" in note for note in dataset.notes)
    assert said is (kind == "prediction last")


def test_columns_of_a_csv_with_a_heading(tmp_path: Path) -> None:
    rows = COLUMNS["BIO"].replace(" ", ",").replace("|", "\n")
    assert only(both(tmp_path, f"Word,Tag\n{rows}\n", "csv")).entities == ENTITIES


def test_an_inner_level_of_tags(tmp_path: Path) -> None:
    """GermEval 2014: New York Times is an organisation with a place in it."""
    text = "1\tNew\tB-ORG\tB-LOC\n2\tYork\tI-ORG\tI-LOC\n3\tTimes\tI-ORG\tO\n"
    dataset = both(tmp_path, text, "tsv")
    (sentence,) = dataset.test.examples
    assert isinstance(sentence, Sentence)
    assert set(sentence.entities) == {Entity(Span(0, 3), "ORG"), Entity(Span(0, 2), "LOC")}
    assert dataset.schema.nested


def test_a_single_ends_its_entity() -> None:
    from suite.datasets.formats.tags import Scheme, decode

    tags = ["S-PER", "S-PER", "B-LOC", "E-LOC", "I-LOC", "O", "U-ORG", "M-ORG"]
    assert [e.span for e in decode(tags, Scheme(prefixed=True), "here")] == [
        *(Span(0, 1), Span(1, 2), Span(2, 4), Span(4, 5), Span(6, 7), Span(7, 8)),
    ]


def test_a_full_width_blank_is_a_word(tmp_path: Path) -> None:
    (sentence,) = both(tmp_path, "Ada B-PER\n\u3000 O\n", "bio").test.examples
    assert sentence.words == ("Ada", "\u3000")


TRIPLE = Triple(ADA, "lives_in", YORK)
NAMES = {"subject": "Ada Byron", "predicate": "lives_in", "object": "New York"}
SPANS = {"tokens": list(WORDS), "entities": [], "relations": []}
JSON: dict[str, Any] = {
    "an identifier beside": {
        "id": 7,
        "text": TEXT,
        "triple_list": [["Ada Byron", "lives_in", "New York"]],
    },
    "DuIE 2.0": {
        "text": TEXT,
        "spo_list": [{**NAMES, "object": {"@value": "New York"}, "object_type": {"@value": "LOC"}}],
        "postag": [],
    },
    "TPLinker": {"text": TEXT, "id": 1, "relation_list": [{**NAMES, "subj_char_span": [0, 9]}]},
    "sentText": {
        "sentText": TEXT,
        "relationMentions": [{"em1Text": "Ada Byron", "em2Text": "New York", "label": "lives_in"}],
        "entityMentions": [{"start": 0, "text": "Ada Byron", "label": "PER"}],
    },
    "OpenNRE": {
        "text": TEXT,
        "h": {"name": "Ada Byron", "pos": [0, 9]},
        "t": {"name": "New York", "id": "Q60"},
        "relation": "lives_in",
    },
    "TACRED": {
        "token": list(WORDS),
        "relation": "lives_in",
        **{"subj_start": 0, "subj_end": 1, "obj_start": 4, "obj_end": 5},
        **{"subj_type": "PER", "obj_type": "LOC", "stanford_pos": []},
    },
    "PURE": {
        "doc_key": "a",
        "sentences": [list(WORDS)],
        "ner": [[[0, 1, "PER"], [4, 5, "LOC"]]],
        "relations": [[[0, 1, 4, 5, "lives_in"]]],
    },
}


@pytest.mark.parametrize("kind", JSON)
@pytest.mark.parametrize("form", ["list", "lines", "data", "several lines each", "txt"])
def test_triples(tmp_path: Path, kind: str, form: str) -> None:
    record = JSON[kind]
    text = {
        "list": json.dumps([record]),
        "lines": json.dumps(record) + "\n",
        "data": json.dumps({"data": [record]}),
        "several lines each": json.dumps(record, indent=2) + "\n",
        "txt": json.dumps(record) + "\n",
    }[form]
    dataset = both(tmp_path, text, "txt" if form == "txt" else "json")
    assert only(dataset).triples == (TRIPLE,)
    unread = {"id", "postag", "doc_key", "stanford_pos"} & record.keys()
    assert any("fields that are not read" in note for note in dataset.notes) is bool(unread)


def test_sentences_of_a_document_count_through(tmp_path: Path) -> None:
    record = {
        "sentences": [["Hello", "."], list(WORDS)],
        "ner": [[], [[2, 3, "PER"], [6, 7, "LOC"]]],
        "relations": [[], [[2, 3, 6, 7, "lives_in"]]],
    }
    first, second = both(tmp_path, json.dumps([record]), "json").test.examples
    assert (first.words, second.words) == (("Hello", "."), WORDS)
    assert isinstance(second, Sentence)
    assert second.triples == (TRIPLE,)


ENTITY_JSON: dict[str, Any] = {
    "W2NER": {
        "sentence": WORDS,
        "ner": [{"index": [0, 1], "type": "PER"}, {"index": [5, 4], "type": "LOC"}],
    },
    "Hugging Face, named": {
        "tokens": WORDS,
        "ner_tags": ["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "O"],
    },
    "Hugging Face, numbered": {"tokens": WORDS, "ner_tags": [1, 2, 0, 0, 3, 4, 0]},
}


@pytest.mark.parametrize("kind", ENTITY_JSON)
def test_entities(tmp_path: Path, kind: str) -> None:
    labels = {"ner_tags.json": json.dumps(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])}
    dataset = both(tmp_path, json.dumps([ENTITY_JSON[kind]]), "json", **labels)
    assert only(dataset).entities == ENTITIES


def test_an_entity_of_words_apart_is_left_out_and_said(tmp_path: Path) -> None:
    record = {
        "sentence": WORDS,
        "ner": [{"index": [0, 5], "type": "X"}, {"index": [0, 1], "type": "PER"}],
    }
    dataset = both(tmp_path, json.dumps([record]), "json")
    assert only(dataset).entities == (Entity(ADA, "PER"),)
    assert any("1 entities of test.json are not of neighbouring words" in n for n in dataset.notes)


DOCUMENT = {
    "title": "Ada",
    "sents": [list(WORDS)],
    "vertexSet": [
        [{"name": "Ada Byron", "pos": [0, 2], "sent_id": 0, "type": "PER"}],
        [{"name": "New York", "pos": [4, 6], "sent_id": 0, "type": "LOC"}],
    ],
}
FACT = {"h": 0, "r": "lives_in", "t": 1}


@pytest.mark.parametrize(
    ("labels", "facts"),
    [
        ([FACT], 1),
        ({"head": [0], "tail": [1], "relation_id": ["lives_in"], "relation_text": ["x"]}, 1),
        (None, 0),
        ([], 0),
        ([FACT, {**FACT, "r": "Na"}], 1),
    ],
)
def test_documents(tmp_path: Path, labels: Any, facts: int) -> None:
    train = json.dumps([{**DOCUMENT, "labels": [FACT]}])
    test = json.dumps([{**DOCUMENT, "labels": labels}])
    write(tmp_path, {"train.json": train, "dev.json": train, "test.json": test})
    dataset = load_dataset(str(tmp_path))
    (document,) = dataset.test.examples
    assert isinstance(document, Document)
    assert len(document.facts) == facts
    assert dataset.schema.relations == ("lives_in",)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    record = {"text": "爱达 住 在 纽约", "triple_list": [["爱达", "住", "纽约"]]}
    content = json.dumps([record], ensure_ascii=False).encode(encoding)
    dataset = both(tmp_path, content, "json")
    (sentence,) = dataset.test.examples
    assert sentence.words == ("爱达", "住", "在", "纽约")
    assert any("is read as" in note for note in dataset.notes) is (encoding != "utf-8-sig")


def test_compressed_files_and_any_case_of_names(tmp_path: Path) -> None:
    content = json.dumps([{"text": TEXT, "triple_list": [["Ada Byron", "lives_in", "New York"]]}])
    files = ("Train.JSON.gz", "DEVEL.json", "My-Corpus.Test.json")
    write(
        tmp_path,
        {name: gzip.compress(content.encode()) if "gz" in name else content for name in files},
    )
    assert only(load_dataset(str(tmp_path))).triples == (TRIPLE,)


@pytest.mark.parametrize("joined", ["train_dev.txt", "corpus-train-dev.txt", "train+dev.txt"])
def test_two_splits_in_one_file_are_none(tmp_path: Path, joined: str) -> None:
    text = COLUMNS["BIO"].replace("|", "\n") + "\n"
    files = {"train.txt": text, "devel.txt": text * 1, "test.txt": text, joined: f"{text}\n{text}"}
    dataset = load_dataset(str(write(tmp_path, files)))
    assert dataset.dev.path == tmp_path / "devel.txt"
    assert f"not read: {joined}" in dataset.notes


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "numbers without names": (
        {"train.json": [ENTITY_JSON["Hugging Face, numbered"]], "test.json": []},
        "ner_tags are numbers",
    ),
    "no blank lines": ({"train.txt": "Ada B-PER\n" * 301, "test.txt": "a O\n"}, "no blank line"),
    "nothing tagged": ({"train.txt": "a O\n\nb O\n", "test.txt": "a O\n"}, "holds no entities"),
    "no triples": (
        {"train.json": [{"text": "a", "triple_list": []}], "test.json": [JSON["TPLinker"]]},
        "holds no triples",
    ),
    "gold or prediction": (
        {"train.txt": "a B-X O\n\nb B-X O\n", "test.txt": "a B-X O\n"},
        "either may be gold",
    ),
    "triples in test alone": (
        {
            "train.json": [{**SPANS, "entities": [{"type": "A", "start": 0, "end": 1}]}],
            "test.json": [
                {
                    **SPANS,
                    "entities": [{"type": "A", "start": 0, "end": 1}],
                    "relations": [{"type": "r", "head": 0, "tail": 0}],
                }
            ],
        },
        "has relations, as in test-1, and train",
    ),
    "words that are not there": (
        {
            "train.json": [{"text": "Ada.", "triple_list": [["Ada", "is", "Ada"]]}],
            "test.json": [JSON["TPLinker"]],
        },
        "no triple has its words in its text, as 'Ada' in 'Ada.'",
    ),
    "relations without a name": (
        {
            "train.json": [JSON["TPLinker"]],
            "test.json": [JSON["TPLinker"]],
            "rel_info.json": json.dumps({"born_in": "born in"}),
        },
        "1 relations that rel_info.json does not name: lives_in",
    ),
    "a misprint": (
        {
            "train.json": [{"tokens": ["a"], "entities": [], "relation": []}],
            "test.json": [JSON["TPLinker"]],
        },
        "'relation' is not known, and looks like 'relations'",
    ),
    "pointers with exclusive ends": (
        {
            **{f"{s}.sent": f"{TEXT}\n" for s in ("train", "test")},
            **{f"{s}.pointer": "0 2 4 6 lives_in\n" for s in ("train", "test")},
            **{f"{s}.tup": "Ada Byron ; New York ; lives_in\n" for s in ("train", "test")},
        },
        "names other words than train.tup on 1 of 1 lines",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path, kind: str) -> None:
    files, cause = REFUSED[kind]
    with pytest.raises(SuiteError) as caught:
        load_dataset(str(write(tmp_path, files)))
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_pointers_that_agree_with_their_words(tmp_path: Path) -> None:
    files = {}
    for split in ("train", "dev", "test"):
        files |= {
            f"{split}.sent": f"{TEXT}\n",
            f"{split}.pointer": "0 1 4 5 lives_in\n",
            f"{split}.tup": "Ada Byron ; New York ; lives_in\n",
        }
    assert only(load_dataset(str(write(tmp_path, files)))).triples == (TRIPLE,)


def test_what_says_that_nothing_holds_is_left_out(tmp_path: Path) -> None:
    names = [["Ada Byron", "lives_in", "New York"], ["New York", "no_relation", "Ada Byron"]]
    dataset = both(tmp_path, json.dumps([{"text": TEXT, "triple_list": names}]), "json")
    assert only(dataset).triples == (TRIPLE,)
    assert dataset.schema.relations == ("lives_in",)
    assert any(n.startswith("1 entries of train.json named no_relation") for n in dataset.notes)


def test_an_overlap_with_train_is_said(tmp_path: Path) -> None:
    dataset = both(tmp_path, json.dumps([JSON["TPLinker"]]), "json")
    assert any("100 % of the texts of test.json are in train too" in n for n in dataset.notes)


@pytest.mark.parametrize("rule", ["characters", "spacy:en"])
def test_words_are_made_as_asked(tmp_path: Path, rule: str) -> None:
    record = {"text": "Ada lives in Rome.", "triple_list": [["Ada", "lives_in", "Rome"]]}
    other = {"text": "Ada lives in Oslo .", "triple_list": [["Ada", "lives_in", "Oslo"]]}
    files = {f"{s}.json": json.dumps([record, other]) for s in ("train", "dev", "test")}
    folder = str(write(tmp_path, files))
    as_it_is = load_dataset(folder)
    assert any("50 % of the triples of train.json name words" in n for n in as_it_is.notes)
    dataset = load_dataset(folder, words=rule)
    for sentence in dataset.test.examples:
        assert isinstance(sentence, Sentence)
        (triple,) = sentence.triples
        tail = sentence.words[triple.tail.start : triple.tail.end]
        assert "".join(tail) in {"Rome", "Oslo"}
    assert f"texts are split into words by {rule}" in dataset.notes


@pytest.mark.parametrize("rule", ["spacy:", "nltk", "spacy:xxyy"])
def test_a_rule_that_there_is_not(tmp_path: Path, rule: str) -> None:
    write(tmp_path, {f"{s}.json": [JSON["TPLinker"]] for s in ("train", "test")})
    with pytest.raises(SuiteError, match="--words"):
        load_dataset(str(tmp_path), words=rule)

"""Other names for entities: offsets, determinism, what is left out, and files of names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.datasets import load_dataset
from suite.datasets.swapping import check_names, read_names, source_of, swap_entities
from suite.errors import SuiteError
from suite.tasks.examples import Entity, Example, Sentence, Span, SurfaceTriple, Triple
from suite.tasks.matching import in_words
from suite.tasks.registry import find_task
from suite.tasks.renaming import rename
from suite.tasks.schema import ANY, Schema
from tests.corpus import (
    DOCUMENTS,
    FACT_SCHEMA,
    LIVES,
    NESTED,
    SCHEMA,
    SENTENCES,
    SPAN_SCHEMA,
    dataset_of,
    sentence,
    spans,
)

UNTYPED = Schema("triples", (LIVES,), (ANY,), {LIVES: frozenset({ANY})})


def untyped(*examples: Sentence) -> list[Sentence]:
    return [
        replace(e, entities=tuple(entity._replace(type=ANY) for entity in e.entities))
        for e in examples
    ]


def assert_is_renamed(before: Example, after: Example) -> None:
    """Gold is the same but for its words, and words that are no name are as they were."""
    assert after.id == before.id
    assert list(after.relations()) == list(before.relations())
    assert list(after.types()) == list(before.types())
    assert after.related() == before.related()
    for old, new in zip(before.clusters(), after.clusters(), strict=True):
        assert len(old) == len(new)
        for one, other in zip(old, new, strict=True):
            assert 0 <= other.start < other.end <= len(after.words)
            assert in_words(before.words, one) != in_words(after.words, other)


@given(st.data())
def test_words_and_offsets_stay_together(data: st.DataObject) -> None:
    words = tuple("abcdefghij"[: data.draw(st.integers(1, 10))])
    cuts = sorted(data.draw(st.sets(st.integers(0, len(words)), max_size=6)))
    pairs = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    names = {span: tuple(data.draw(st.lists(st.sampled_from("XYZ"), min_size=1))) for span in pairs}
    found = rename(words, names)
    for span, name in names.items():
        moved = found.moved(span)
        assert found.words[moved.start : moved.end] == name
    inside = {i for span in pairs for i in range(span.start, span.end)}
    for old in set(range(len(words))) - inside:
        assert found.words[found.at[old]] == words[old]
    assert found.at[len(words)] == len(found.words)
    kept = [word for word in found.words if word not in "XYZ"]
    assert kept == [words[i] for i in range(len(words)) if i not in inside]


def test_by_hand() -> None:
    grace = ("Grace Hopper", LIVES, "Arlington")
    train = [sentence("t", "Grace Hopper lives in Arlington .", grace)]
    test = [sentence("e", "In Rome lives Ada , and Ada works .", ("Ada", LIVES, "Rome"))]
    found = swap_entities(dataset_of(train, test))
    (example,) = found.split.examples
    assert " ".join(example.words) == "In Arlington lives Grace Hopper , and Grace Hopper works ."
    assert isinstance(example, Sentence)
    assert example.triples == (Triple(Span(3, 5), LIVES, Span(1, 2)),)
    assert set(example.entities) == {Entity(Span(3, 5), "PER"), Entity(Span(1, 2), "LOC")}
    assert (found.entities, found.left, found.by_part) == (2, {}, False)


@pytest.mark.parametrize(
    ("examples", "schema"), [(SENTENCES, SCHEMA), (DOCUMENTS, FACT_SCHEMA), (NESTED, SPAN_SCHEMA)]
)
def test_every_task_can_be_swapped(examples: Sequence[Example], schema: Schema) -> None:
    dataset = dataset_of(SENTENCES if schema is SPAN_SCHEMA else examples, examples, schema)
    found = swap_entities(dataset)
    assert len(found.split.examples) + sum(found.left.values()) == len(examples)
    assert found.split.examples
    before = {example.id: example for example in examples}
    for example in found.split.examples:
        assert_is_renamed(before[example.id], example)


def test_draws_depend_on_the_seed_and_the_example_alone() -> None:
    dataset = dataset_of(SENTENCES, SENTENCES)
    whole = swap_entities(dataset).split
    assert swap_entities(dataset).split.fingerprint == whole.fingerprint
    assert swap_entities(dataset, seed=1).split.fingerprint != whole.fingerprint
    last = swap_entities(dataset_of(SENTENCES, SENTENCES[3:])).split
    assert set(last.examples) <= set(whole.examples)


def test_without_types_a_name_has_the_same_part() -> None:
    train = untyped(
        sentence("t", "Grace lives in Arlington .", ("Grace", LIVES, "Arlington")),
        sentence("u", "Emmy lives in Erlangen .", ("Emmy", LIVES, "Erlangen")),
    )
    test = untyped(sentence("e", "Ada lives in Rome .", ("Ada", LIVES, "Rome")))
    for seed in range(5):
        found = swap_entities(dataset_of(train, test, UNTYPED), seed=seed)
        (example,) = found.split.examples
        assert found.by_part
        assert example.words[0] in {"Grace", "Emmy"}
        assert example.words[3] in {"Arlington", "Erlangen"}


def test_what_cannot_be_swapped_is_counted() -> None:
    lost = Sentence("lost", ("Ada",), (), (Entity(Span(0, 1), "PER"),), (
        SurfaceTriple("Ada", LIVES, "Rome"),
    ))  # fmt: skip
    nested = spans("nested", "Bank of England", (0, 3, "LOC"), (2, 3, "LOC"))
    strange = spans("strange", "Ada flew", (0, 1, "PLANE"))
    taken = spans("taken", "Ada met Grace", (0, 1, "PER"), (2, 3, "PER"))
    train = [spans("t", "Ada and Grace", (0, 1, "PER"), (2, 3, "PER"))]
    test = [Sentence("none", ("Why", "?")), lost, nested, strange, taken]
    found = swap_entities(dataset_of(train, test))
    assert not found.split.examples
    assert found.left == {
        "entities that share words": 1,
        "gold that is not in the text": 1,
        "no entity": 1,
        "no other name of the kind": 2,
    }


def test_names_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    path.write_text("PER: [Zoe Quux]\nLOC: [Xanadu, Lower Xanadu]\n")
    test = [sentence("e", "Ada lives in Rome .", ("Ada", LIVES, "Rome"))]
    dataset = dataset_of(SENTENCES, test)
    (example,) = swap_entities(dataset, str(path)).split.examples
    assert " ".join(example.words).startswith("Zoe Quux lives in")
    assert "Xanadu" in example.words
    assert source_of(str(path)).startswith("names.yaml (SHA-256 ")
    assert source_of("train") == "train"
    check_names(dataset, str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[Ada]", "does not hold names by kind"),
        ("{}", "does not hold names by kind"),
        ("PER: Ada", "PER: is not followed by a list of names"),
        ("PER: []", "PER: is not followed by a list of names"),
        ("PER: [3]", "PER: '3' is not a name"),
        ("PER: ['  ']", "is not a name"),
        ("3: [Ada]", "3: is not a text"),
        ("PER: [", "is not YAML"),
        ("PLANE: [Concorde]", "has names of PLANE, and the entities of small are LOC, PER"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "names.yaml"
    path.write_text(text)
    test = [sentence("e", "Ada lives in Rome .", ("Ada", LIVES, "Rome"))]
    with pytest.raises(SuiteError) as caught:
        check_names(dataset_of(SENTENCES, test), str(path))
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for read in (lambda: read_names(tmp_path / "no.yaml"), lambda: source_of("nowhere.yaml")):
        with pytest.raises(SuiteError, match="cannot be read"):
            read()


@pytest.mark.parametrize("name", ["webnlg", "nyt10", "conll04", "conll03", "redocred"])
def test_real_data(shared_data: Path, name: str) -> None:
    dataset = load_dataset(name, shared_data)
    test = replace(dataset.test, examples=dataset.test.examples[:150])
    found = swap_entities(replace(dataset, test=test))
    before = {example.id: example for example in test.examples}
    assert found.by_part is (name == "webnlg")
    assert len(found.split.examples) + sum(found.left.values()) == 150
    assert len(found.split.examples) > 40, found.left
    task = find_task(dataset.task)
    for example in found.split.examples:
        assert_is_renamed(before[example.id], example)
        assert len(task.gold(example)) == len(task.gold(before[example.id]))

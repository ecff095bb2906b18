"""A handful of sentences, by hand, that show what tagging schemes have to cope with."""

from __future__ import annotations

from collections.abc import Sequence

from suite.datasets import Dataset, Split
from suite.datasets.fingerprint import fingerprint
from suite.modelling.parsers import Chain
from suite.modelling.pretrained import UNTRAINED, UNTRAINED_FREQUENCY, find_pretrained
from suite.modelling.word_vectors import WordVectors, random_vectors
from suite.systems.contract import Resources
from suite.tasks.examples import (
    Document,
    DocumentEntity,
    Entity,
    Example,
    Fact,
    Mention,
    Sentence,
    Span,
    TaskName,
    Triple,
)
from suite.tasks.matching import Match, Matching
from suite.tasks.reference import Reference
from suite.tasks.schema import Schema

LIVES, BORN, WORKS, PART = "lives in", "born in", "works for", "part of"
SCHEMA = Schema(
    "triples",
    (LIVES, BORN, WORKS, PART),
    ("LOC", "PER"),
    {
        LIVES: frozenset({"PER"}),
        BORN: frozenset({"PER"}),
        WORKS: frozenset({"PER"}),
        PART: frozenset({"LOC"}),
    },
)


def sentence(name: str, text: str, *triples: tuple[str, str, str]) -> Sentence:
    """A sentence whose triples are given by words, placed at their first occurrence."""
    words = tuple(text.split())

    def place(surface: str) -> Span:
        parts = tuple(surface.split())
        for start in range(len(words)):
            if words[start : start + len(parts)] == parts:
                return Span(start, start + len(parts))
        raise ValueError(f"{surface!r} is not in {text!r}")

    placed = tuple(Triple(place(h), r, place(t)) for h, r, t in triples)
    entities = []
    for triple in placed:
        kind = "LOC" if triple.relation == PART else "PER"
        entities += [Entity(triple.head, kind), Entity(triple.tail, "LOC")]
    return Sentence(name, words, placed, tuple(dict.fromkeys(entities)))


SENTENCES = [
    sentence("one", "Ada Lovelace lives in London .", ("Ada Lovelace", LIVES, "London")),
    sentence(
        "same pair",
        "Ada Lovelace was born and lives in London today .",
        ("Ada Lovelace", LIVES, "London"),
        ("Ada Lovelace", BORN, "London"),
    ),
    sentence(
        "two tails",
        "Grace Hopper lives in New York and Arlington .",
        ("Grace Hopper", LIVES, "New York"),
        ("Grace Hopper", LIVES, "Arlington"),
    ),
    sentence(
        "chain",
        "Alan lives in Wilmslow , a part of Cheshire .",
        ("Alan", LIVES, "Wilmslow"),
        ("Wilmslow", PART, "Cheshire"),
    ),
    sentence("none", "Nothing happens here ."),
    sentence("short", "Why ?"),
    sentence(
        "two heads",
        "Kurt and Emmy Noether both worked for Princeton while Kurt lived in Vienna , far away .",
        ("Kurt", WORKS, "Princeton"),
        ("Emmy Noether", WORKS, "Princeton"),
        ("Kurt", BORN, "Vienna"),
    ),
]

HARD = [
    sentence("edges, tail first", "Norway contains Oslo", ("Oslo", PART, "Norway")),
    sentence(
        "inverse",
        "Delft borders Leiden .",
        ("Delft", PART, "Leiden"),
        ("Leiden", PART, "Delft"),
    ),
    sentence(
        "nested heads",
        "New York City , America",
        ("New York", PART, "America"),
        ("New York City", PART, "America"),
    ),
    sentence("head is tail", "Rome lies within itself .", ("Rome", PART, "Rome")),
    sentence(
        "adjacent",
        "Ada Lovelace Emmy Noether live in London .",
        ("Ada Lovelace", LIVES, "London"),
        ("Emmy Noether", LIVES, "London"),
    ),
    sentence(
        "many",
        "Kurt and Alan were born and live in Vienna and Rome .",
        *((h, r, t) for h in ("Kurt", "Alan") for r in (BORN, LIVES) for t in ("Vienna", "Rome")),
    ),
]
"""What breaks a scheme, or one who hurries: entities on the first and on the last word, a tail
before its head, triples of one relation in both directions, a name within a name that starts with
it, a word that is head and tail, entities side by side, and more triples than a system may have
places for."""
NESTED_HEADS, HEAD_IS_TAIL, INVERSE = (
    frozenset({name}) for name in ("nested heads", "head is tail", "inverse")
)
"""Sentences that several schemes cannot cope with."""


SPAN_SCHEMA = Schema("ner", (), ("LOC", "ORG", "PER"), {})


def spans(name: str, text: str, *entities: tuple[int, int, str]) -> Sentence:
    """A sentence with entities from start to end."""
    found = tuple(Entity(Span(start, end), kind) for start, end, kind in entities)
    return Sentence(name, tuple(text.split()), (), found)


NESTED = [
    spans("flat", "Ada Lovelace lives in London .", (0, 2, "PER"), (4, 5, "LOC")),
    spans(
        "nested",
        "The Bank of England hired Ada Lovelace .",
        (1, 4, "ORG"),
        (3, 4, "LOC"),
        (5, 7, "PER"),
    ),
    spans(
        "same type within",
        "University of London College moved to Leeds .",
        (0, 3, "ORG"),
        (0, 4, "ORG"),
        (2, 3, "LOC"),
        (6, 7, "LOC"),
    ),
    spans("same span", "Washington slept .", (0, 1, "LOC"), (0, 1, "PER")),
    spans("none", "Nothing happens here ."),
    spans("one word", "Leeds", (0, 1, "LOC")),
]
"""Nested spans, of other and of equal types, and a span of two types."""

FLAT = [s for s in NESTED if s.id in ("flat", "none", "one word")]


FACT_SCHEMA = Schema("docre", (BORN, LIVES, PART), ("LOC", "PER"), {})


def document(
    name: str,
    text: str,
    entities: dict[str, tuple[str, list[tuple[int, int]]]],
    *facts: tuple[str, str, str],
) -> Document:
    """A document whose sentences end in a full stop.

    Args:
        name: its title.
        text: words apart.
        entities: name -> type and mentions, from start to end.
        facts: head, relation and tail by name.
    """
    words = tuple(text.split())
    starts = [0, *(i + 1 for i, word in enumerate(words) if word == "." and i + 1 < len(words))]
    index = {entity: i for i, entity in enumerate(entities)}
    clusters = []
    for entity, (kind, places) in entities.items():
        mentions = [Mention(Span(*p), sum(s <= p[0] for s in starts) - 1) for p in places]
        clusters.append(DocumentEntity(entity, kind, tuple(mentions)))
    found = tuple(Fact(index[h], r, index[t]) for h, r, t in facts)
    return Document(name, name, words, tuple(starts), tuple(clusters), found)


DOCUMENTS = [
    document(
        "across",
        "Ada Lovelace was born in London . Later Ada moved to Surrey , a part of England .",
        {
            "Ada Lovelace": ("PER", [(0, 2), (8, 9)]),
            "London": ("LOC", [(5, 6)]),
            "Surrey": ("LOC", [(11, 12)]),
            "England": ("LOC", [(16, 17)]),
        },
        ("Ada Lovelace", BORN, "London"),
        ("Ada Lovelace", LIVES, "Surrey"),
        ("Surrey", PART, "England"),
    ),
    document(
        "two relations",
        "Alan was born in Wilmslow . He stayed there .",
        {"Alan": ("PER", [(0, 1), (6, 7)]), "Wilmslow": ("LOC", [(4, 5), (8, 9)])},
        ("Alan", BORN, "Wilmslow"),
        ("Alan", LIVES, "Wilmslow"),
    ),
    document(
        "no fact",
        "Kurt spoke of Vienna .",
        {"Kurt": ("PER", [(0, 1)]), "Vienna": ("LOC", [(3, 4)])},
    ),
    document("one entity", "Emmy thought .", {"Emmy": ("PER", [(0, 1)])}),
    document("no entity", "Nothing happens here .", {}),
]
"""Facts across sentences, two of one pair, none, and too few entities for any."""


CORPUS: dict[TaskName, tuple[Schema, Sequence[Example]]] = {
    "triples": (SCHEMA, [*SENTENCES, *HARD]),
    "docre": (FACT_SCHEMA, DOCUMENTS),
    "ner": (SPAN_SCHEMA, NESTED),
}
"""Schema and examples of each task."""


def reference(
    examples: Sequence[Sentence], matching: Matching = "offsets", match: Match = "exact"
) -> Reference:
    """What a system is calibrated by where these are dev."""
    return Reference(examples, "triples", matching, match)


def vectors(examples: Sequence[Example] = SENTENCES) -> WordVectors:
    """Random vectors over the examples' words, all of which count as known."""
    return random_vectors([e.words for e in examples] * 2, width=20)


def resources(*, pretrained: bool, examples: Sequence[Example] = SENTENCES) -> Resources:
    """What systems are built from in tests: small, and nothing downloaded."""
    often = [e.words for e in examples] * UNTRAINED_FREQUENCY
    model = find_pretrained(UNTRAINED, often) if pretrained else None
    return Resources(vectors(examples), model, max_words=30, parser=Chain())


def dataset_of(
    train: Sequence[Example], test: Sequence[Example], schema: Schema = SCHEMA
) -> Dataset:
    """A dataset of examples without files; its dev is its test."""

    def split(name: str, examples: Sequence[Example]) -> Split:
        return Split(name, None, tuple(examples), fingerprint(examples), published=None)

    return Dataset(
        name="small",
        title="Small",
        task=schema.task,
        schema=schema,
        train=split("train", train),
        dev=split("dev", test),
        test=split("test", test),
        matching="offsets",
        synthetic=False,
        citation="",
        licence="",
    )

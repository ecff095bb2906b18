"""A handful of sentences, by hand, that show what tagging schemes have to cope with."""

from __future__ import annotations

from suite.encoders import WordVectors, random_vectors
from suite.examples import Entity, Sentence, Span, Triple
from suite.pretrained import UNTRAINED, UNTRAINED_FREQUENCY, find_pretrained
from suite.schema import Schema
from suite.system import Resources

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


def vectors() -> WordVectors:
    """Random vectors over the sentences' words, all of which count as known."""
    return random_vectors([s.words for s in SENTENCES] * 2, width=20)


def resources(*, pretrained: bool) -> Resources:
    """What systems are built from in tests: small, and nothing downloaded."""
    often = [s.words for s in SENTENCES] * UNTRAINED_FREQUENCY
    model = find_pretrained(UNTRAINED, often) if pretrained else None
    return Resources(vectors(), model, max_words=30)

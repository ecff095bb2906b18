"""Sentences of the synthetic corpora: the grammar's wordings put together, names left open."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from suite.datasets.synthetic.grammar import CUES, OVERLAPPING, PATTERNS, PHRASES, Phrasing
from suite.datasets.synthetic.names import NAME_FUNCTION_WORDS, Draws, Names, split_of
from suite.tasks.examples import Span

TYPES = ("PER", "ORG", "LOC", "OTH")
Kind = Callable[[Any], str]
"""A method of a writer that gives the main clause of a sentence."""

_PRONOUNS = {"PER": "who", "ORG": "which", "LOC": "which", "OTH": "which"}
_CHOICE = re.compile(r"\((?P<either>[^()]*)\)|\$(?P<phrase>\w+)")
_SLOT = re.compile(r"@(\w+)(!?)")
_ENTITY = re.compile(r"#(\d+)")


class Writer:
    """Writes one sentence, in which `#3` stands for entity 3.

    Args:
        draws: where the randomness comes from.
        names: what entities are called.
        kinds: what the sentence may be about; repetitions are weights.

    Attributes:
        entities: type and name of each entity.
        triples: what the sentence states: head, relation, tail.
        denials: what it says does not hold.
    """

    def __init__(self, draws: Draws, names: Names, kinds: Sequence[Kind]) -> None:
        self._draws = draws
        self._names = names
        self._kinds = kinds
        self.entities: list[tuple[str, tuple[str, ...]]] = []
        self.triples: list[tuple[str, str, str]] = []
        self.denials: list[tuple[str, str, str]] = []

    def write(self) -> list[str]:
        """The sentence's words; a writer writes one."""
        text = self._draws.pick(self._kinds)(self)
        if self._draws.chance(0.12):
            parts = [text, self._say("$encounter")]
            first, second = parts if self._draws.chance(0.6) else parts[::-1]
            text = f"{first} {self._say('$and')} {second}"
        if self._draws.chance(0.12):
            text = f"{self._say('$opener')} {text}"
        if self.triples and self._draws.chance(0.06):
            text += f" {self._say('$again', again=self.triples[0][0])}"
        elif self._draws.chance(0.12):
            text += f" {self._say('$closer')}"
        return f"{text} .".split()

    def single(self) -> str:
        """One triple."""
        return self._clause(self._draws.pick(PATTERNS))

    def separate(self) -> str:
        """Two triples without a common entity."""
        first, second = self._draws.sample(PATTERNS, 2)
        return f"{self._clause(first)} {self._say('$and')} {self._clause(second)}"

    def contrast(self) -> str:
        """One triple, and a relation of the same head that does not hold."""
        pattern = self._draws.pick(PATTERNS)
        head = self._entity(pattern.head)
        other = self._draws.pick([p for p in PATTERNS if p.head == pattern.head])
        first, second = self._verb(pattern, head), self._negation(other, head)
        if self._draws.chance(0.5):
            first, second = second, first
        return f"{self._cued(head)} {first} {self._draws.pick(('and', 'but'))} {second}"

    def shared_head(self) -> str:
        """Two or three triples with a common head (SEO)."""
        kind = self._draws.pick([t for t in TYPES if sum(p.head == t for p in PATTERNS) > 1])
        patterns = self._draws.sample([p for p in PATTERNS if p.head == kind], 2)
        head = self._entity(kind)
        first, second = (self._verb(p, head) for p in patterns)
        subject = self._cued(head)
        others = [p for p in PATTERNS if p.head == kind and p not in patterns]
        if others and self._draws.chance(0.3):
            noun = self._noun(self._draws.pick(others), head)
            return f"{subject} , {noun} , {first} and {second}"
        if self._draws.chance(0.5):
            return f"{subject} {first} and {second}"
        return f"{subject} , {_PRONOUNS[kind]} {first} , {second}"

    def several_tails(self) -> str:
        """One relation of a head with two or three tails (SEO)."""
        pattern = self._draws.pick([p for p in PATTERNS if p.several])
        head, tails = self._entity(pattern.head), self._list(pattern.tail)
        for tail in tails:
            self._state(pattern, head, tail)
        verb = self._say(self._draws.pick(pattern.several), t=_enumerate(tails))
        return f"{self._subject(pattern.head, head)} {verb}"

    def several_heads(self) -> str:
        """One relation of two or three heads with a tail (SEO)."""
        pattern = self._draws.pick([p for p in PATTERNS if p.plural])
        heads, tail = self._list(pattern.head), self._entity(pattern.tail)
        for head in heads:
            self._state(pattern, head, tail)
        verb = self._say(self._draws.pick(pattern.plural), t=tail)
        return f"{_enumerate([self._cued(head) for head in heads])} {verb}"

    def chain(self) -> str:
        """A tail that is the next triple's head (SEO)."""
        first = self._draws.pick(PATTERNS)
        second = self._draws.pick([p for p in PATTERNS if p.head == first.tail])
        head, middle = self._entity(first.head), self._entity(first.tail)
        self._state(first, head, middle)
        verb = self._say(self._draws.pick([v for v in first.verbs if v.endswith("@t")]), t=middle)
        text = f"{self._subject(first.head, head)} {verb} ,"
        if self._draws.chance(0.5):
            return f"{text} {self._noun(second, middle)}"
        return f"{text} {_PRONOUNS[second.head]} {self._verb(second, middle)}"

    def overlapping(self) -> str:
        """Two relations of the same pair (EPO), sometimes with a third triple of its head."""
        pattern = self._draws.pick(OVERLAPPING)
        others = [
            p
            for p in PATTERNS
            if p.head == pattern.head and p.relations[0] not in pattern.relations
        ]
        if not others or self._draws.chance(0.6):
            return self._clause(pattern)
        head = self._entity(pattern.head)
        noun = self._noun(self._draws.pick(others), head)
        return f"{self._cued(head)} , {noun} , {self._verb(pattern, head)}"

    def denied(self) -> str:
        """No triple: a relation that does not hold."""
        pattern = self._draws.pick(PATTERNS)
        head = self._entity(pattern.head)
        return f"{self._subject(pattern.head, head)} {self._negation(pattern, head)}"

    def encounter(self) -> str:
        """No triple: entities without a relation."""
        return self._say("$encounter")

    def nothing(self) -> str:
        """No triple, no entity."""
        # Where no name tells splits apart, the wording has to.
        while split_of(text := self._say("$nothing")) != self._names.split:
            pass
        return text

    def _clause(self, pattern: Phrasing) -> str:
        """A clause that states the pattern's relations of two new entities."""
        head = self._entity(pattern.head)
        form = self._draws.below(5)
        if form == 0 and pattern.nouns:
            subject = f"{self._cued(head)} , {self._noun(pattern, head)} ,"
            return f"{subject} {self._say(f'${pattern.head}_did')}"
        if form <= 2:
            tail = self._entity(pattern.tail)
            self._state(pattern, head, tail)
            return self._say(self._draws.pick(pattern.inverse), h=head, t=tail)
        return f"{self._subject(pattern.head, head)} {self._verb(pattern, head)}"

    def _subject(self, kind: str, entity: str) -> str:
        """The entity, now and then with an aside that keeps it away from its predicate."""
        subject = self._cued(entity)
        if self._draws.chance(0.15):
            return f"{subject} , {self._say(f'${kind}_aside')} ,"
        return subject

    def _verb(self, pattern: Phrasing, head: str) -> str:
        tail = self._entity(pattern.tail)
        self._state(pattern, head, tail)
        adverb = self._say("$adverb") if self._draws.chance(0.1) else ""
        return f"{adverb} {self._say(self._draws.pick(pattern.verbs), t=tail)}"

    def _noun(self, pattern: Phrasing, head: str) -> str:
        tail = self._entity(pattern.tail)
        self._state(pattern, head, tail)
        return self._say(self._draws.pick(pattern.nouns), t=tail)

    def _negation(self, pattern: Phrasing, head: str) -> str:
        wording = self._draws.pick(pattern.negations)
        other = self._entity(pattern.tail)
        self.denials += [(head, relation, other) for relation in pattern.relations]
        return self._say(wording, x=other)

    def _entity(self, kind: str) -> str:
        """A new entity."""
        self.entities.append((kind, self._name(kind)))
        return f"#{len(self.entities) - 1}"

    def _name(self, kind: str) -> tuple[str, ...]:
        """A name that shares no word with the others."""
        taken = {word for _, name in self.entities for word in name}
        return self._names.draw(kind, taken - NAME_FUNCTION_WORDS)

    def _list(self, kind: str) -> list[str]:
        return [self._entity(kind) for _ in range(2 + self._draws.below(2))]

    def _state(self, pattern: Phrasing, head: str, tail: str) -> None:
        self.triples += [(head, relation, tail) for relation in pattern.relations]

    def _cued(self, entity: str) -> str:
        """The entity, now and then after words that tell its type."""
        kind = self.entities[int(entity[1:])][0]
        if self._draws.chance(0.25):
            return f"{self._say(self._draws.pick(CUES[kind]))} {entity}"
        return entity

    def _say(self, wording: str, **slots: str) -> str:
        """The wording with its choices made and its slots filled."""

        def fill(match: re.Match[str]) -> str:
            name, bare = match.groups()
            entity = slots[name] if name in slots else self._entity(name)
            single = _ENTITY.fullmatch(entity)
            return self._cued(entity) if single and not bare and name != "again" else entity

        while _CHOICE.search(wording):
            wording = _CHOICE.sub(self._choose, wording)
        return _SLOT.sub(fill, wording)

    def _choose(self, match: re.Match[str]) -> str:
        phrase: str | None = match["phrase"]
        if phrase:
            return self._draws.pick(PHRASES[phrase])
        alternatives: str = match["either"]
        return self._draws.pick(alternatives.split("|"))


def _enumerate(mentions: list[str]) -> str:
    return f"{' , '.join(mentions[:-1])} and {mentions[-1]}"


KINDS: tuple[Kind, ...] = (
    *[Writer.single] * 8,
    *[Writer.separate] * 3,
    *[Writer.contrast] * 3,
    *[Writer.shared_head] * 5,
    *[Writer.several_tails] * 2,
    *[Writer.several_heads] * 3,
    *[Writer.chain] * 4,
    *[Writer.overlapping] * 6,
    *[Writer.denied] * 3,
    *[Writer.encounter] * 2,
    *[Writer.nothing] * 2,
)
"""What sentences are about."""


def put_names(
    tokens: Sequence[str], name_of: Callable[[int], tuple[str, ...]]
) -> tuple[list[str], list[tuple[int, Span]]]:
    """A sentence with names in the places of its entities.

    Args:
        tokens: words, and `#3` for entity 3.
        name_of: what an entity is called here; asked once a mention, from left to right.

    Returns:
        The words, and each mention's entity and place, from left to right.
    """
    words: list[str] = []
    mentions: list[tuple[int, Span]] = []
    for token in tokens:
        if not _ENTITY.fullmatch(token):
            words.append(token if words else token.capitalize())
            continue
        entity = int(token[1:])
        name = name_of(entity)
        mentions.append((entity, Span(len(words), len(words) + len(name))))
        words += name
    return words, mentions

"""The synthetic corpus: made by the suite, so that a run needs no download.

It tells whether systems and suite work, and nothing about real text. Sentences follow a grammar
(`synthetic_grammar`); names are made up (`synthetic_names`) and those of dev and test share no
word with train, so that only the context tells types, boundaries and relations.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import chain

from suite.datasets.dataset import Dataset, Problems, Split
from suite.datasets.fingerprint import fingerprint
from suite.datasets.synthetic_grammar import CUES, OVERLAPPING, PATTERNS, PHRASES, Pattern
from suite.datasets.synthetic_names import NAME_FUNCTION_WORDS, Draws, Names, split_of
from suite.errors import SuiteError
from suite.examples import Entity, Sentence, Span, Triple
from suite.schema import Schema

SHORTEST, LONGEST = 6, 45
"""Words of a sentence."""

_TYPES = ("PER", "ORG", "LOC", "OTH")
_PRONOUNS = {"PER": "who", "ORG": "which", "LOC": "which", "OTH": "which"}
_CHOICE = re.compile(r"\((?P<either>[^()]*)\)|\$(?P<phrase>\w+)")
_SLOT = re.compile(r"@(\w+)(!?)")
_ENTITY = re.compile(r"#(\d+)")


def make_dataset(seed: int = 0, train: int = 2000, dev: int = 250, test: int = 500) -> Dataset:
    """Makes the corpus of the task `triples`; equal arguments give it byte for byte.

    Splits are drawn apart: a larger train set begins with the smaller one, and changes neither dev
    nor test.

    Args:
        seed: any integer; another one gives other sentences and names.
        train: number of training sentences.
        dev: number of dev sentences.
        test: number of test sentences.

    Raises:
        SuiteError: a split of less than one sentence.
    """
    sizes = {"train": train, "dev": dev, "test": test}
    for name, size in sizes.items():
        if size < 1:
            raise SuiteError(
                f"the synthetic corpus cannot have {size} {name} sentences",
                remedy="Ask for at least one.",
            )
    splits = {name: _make_split(seed, name, size) for name, size in sizes.items()}
    return Dataset(
        name="synthetic",
        title="Synthetic (made by the suite)",
        task="triples",
        schema=_schema(),
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        matching="offsets",
        synthetic=True,
        citation="none needed: made by the suite",
        licence="Apache-2.0",
        notes=("synthetic: made by the suite; a figure of it says nothing about real text",),
    )


def _schema() -> Schema:
    return Schema(
        task="triples",
        relations=tuple(pattern.relations[0] for pattern in PATTERNS),
        entity_types=_TYPES,
        head_types={pattern.relations[0]: frozenset({pattern.head}) for pattern in PATTERNS},
    )


def _make_split(seed: int, name: str, size: int) -> Split:
    draws = Draws(f"triples {seed} {name}")
    names = Names(draws, name, _vocabulary())
    examples: list[Sentence] = []
    texts: set[tuple[str, ...]] = set()
    while len(examples) < size:
        sentence = _Writer(draws, names).sentence(f"{name}-{len(examples)}")
        fits = SHORTEST <= len(sentence.words) <= LONGEST
        if fits and sentence.words not in texts:
            texts.add(sentence.words)
            examples.append(sentence)
    made = tuple(examples)
    problems = Problems(empty=sum(not sentence.triples for sentence in made))
    return Split(name, None, made, fingerprint(made), published=None, problems=problems)


@cache
def _vocabulary() -> frozenset[str]:
    """All words of the grammar, lowercased; a name that had one could not be told from it."""
    wordings = [*chain(*CUES.values(), *PHRASES.values())]
    for p in PATTERNS + OVERLAPPING:
        wordings += [*p.verbs, *p.inverse, *p.nouns, *p.plural, *p.several, *p.negations]
    return frozenset(re.sub(r"[()|]", " ", " ".join(wordings)).lower().split())


class _Writer:
    """Writes one sentence: text in which `#3` stands for its entity 3, and the triples."""

    def __init__(self, draws: Draws, names: Names) -> None:
        self._draws = draws
        self._names = names
        self._entities: list[tuple[str, tuple[str, ...]]] = []
        self._triples: list[tuple[str, str, str]] = []

    def sentence(self, id: str) -> Sentence:
        """The sentence; a writer writes one."""
        text = self._draws.pick(_KINDS)(self)
        if self._draws.chance(0.12):
            parts = [text, self._say("$encounter")]
            first, second = parts if self._draws.chance(0.6) else parts[::-1]
            text = f"{first} {self._say('$and')} {second}"
        if self._draws.chance(0.12):
            text = f"{self._say('$opener')} {text}"
        if self._triples and self._draws.chance(0.06):
            text += f" {self._say('$again', again=self._triples[0][0])}"
        elif self._draws.chance(0.12):
            text += f" {self._say('$closer')}"
        return self._realise(id, f"{text} .".split())

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
        first, second = self._verb(pattern, head), self._negation(other)
        if self._draws.chance(0.5):
            first, second = second, first
        return f"{self._cued(head)} {first} {self._draws.pick(('and', 'but'))} {second}"

    def shared_head(self) -> str:
        """Two or three triples with a common head (SEO)."""
        kind = self._draws.pick([t for t in _TYPES if sum(p.head == t for p in PATTERNS) > 1])
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
        return (
            f"{self._subject(pattern.head, self._entity(pattern.head))} {self._negation(pattern)}"
        )

    def encounter(self) -> str:
        """No triple: entities without a relation."""
        return self._say("$encounter")

    def nothing(self) -> str:
        """No triple, no entity."""
        # Where no name tells splits apart, the wording has to.
        while split_of(text := self._say("$nothing")) != self._names.split:
            pass
        return text

    def _clause(self, pattern: Pattern) -> str:
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

    def _verb(self, pattern: Pattern, head: str) -> str:
        tail = self._entity(pattern.tail)
        self._state(pattern, head, tail)
        adverb = self._say("$adverb") if self._draws.chance(0.1) else ""
        return f"{adverb} {self._say(self._draws.pick(pattern.verbs), t=tail)}"

    def _noun(self, pattern: Pattern, head: str) -> str:
        tail = self._entity(pattern.tail)
        self._state(pattern, head, tail)
        return self._say(self._draws.pick(pattern.nouns), t=tail)

    def _negation(self, pattern: Pattern) -> str:
        return self._say(self._draws.pick(pattern.negations), x=self._entity(pattern.tail))

    def _entity(self, kind: str) -> str:
        taken = {word for _, name in self._entities for word in name}
        self._entities.append((kind, self._names.draw(kind, taken - NAME_FUNCTION_WORDS)))
        return f"#{len(self._entities) - 1}"

    def _list(self, kind: str) -> list[str]:
        return [self._entity(kind) for _ in range(2 + self._draws.below(2))]

    def _state(self, pattern: Pattern, head: str, tail: str) -> None:
        self._triples += [(head, relation, tail) for relation in pattern.relations]

    def _cued(self, entity: str) -> str:
        """The entity, now and then behind words that tell its type."""
        kind = self._entities[int(entity[1:])][0]
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

    def _realise(self, id: str, tokens: list[str]) -> Sentence:
        """Names put in the places of their entities; a name's first place is the gold one."""
        words: list[str] = []
        spans: dict[str, Span] = {}
        entities: list[Entity] = []
        for token in tokens:
            if not _ENTITY.fullmatch(token):
                words.append(token if words else token.capitalize())
                continue
            kind, name = self._entities[int(token[1:])]
            span = Span(len(words), len(words) + len(name))
            spans.setdefault(token, span)
            entities.append(Entity(span, kind))
            words += name
        triples = tuple(Triple(spans[h], relation, spans[t]) for h, relation, t in self._triples)
        return Sentence(id, tuple(words), triples, tuple(entities))


def _enumerate(mentions: list[str]) -> str:
    return f"{' , '.join(mentions[:-1])} and {mentions[-1]}"


_KINDS: tuple[Callable[[_Writer], str], ...] = (
    *[_Writer.single] * 8,
    *[_Writer.separate] * 3,
    *[_Writer.contrast] * 3,
    *[_Writer.shared_head] * 5,
    *[_Writer.several_tails] * 2,
    *[_Writer.several_heads] * 3,
    *[_Writer.chain] * 4,
    *[_Writer.overlapping] * 6,
    *[_Writer.denied] * 3,
    *[_Writer.encounter] * 2,
    *[_Writer.nothing] * 2,
)
"""What sentences are about; the repetitions are their weights."""

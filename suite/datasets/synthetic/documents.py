"""The synthetic corpus of the task `docre`: entities with several mentions, facts among them.

Sentences are those of the corpus for `triples` (`synthetic`), but entities come back, by their
whole name or by its first or last word, and some sentences speak of one without naming it: `This
firm is based in Lumis` states a fact of the only firm of the sentence before. Such words are no
mention, so that head and tail may have no sentence in common.

A document states a relation in one sentence, or again of the same pair: an encoder that was never
trained sees all names of dev and test as one unknown word, and can hardly tell two pairs apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from suite.datasets.dataset import Dataset
from suite.datasets.synthetic.grammar import PATTERNS, PHRASES, REFERENCES, vocabulary
from suite.datasets.synthetic.names import Draws, Names
from suite.datasets.synthetic.splits import make_corpus
from suite.datasets.synthetic.writer import TYPES, Kind, Writer, put_names
from suite.tasks.examples import Document, DocumentEntity, Fact, Mention, Span
from suite.tasks.schema import Schema

SENTENCES = (3, 8)
"""The fewest and the most sentences of a document."""
ENTITIES = (3, 10)
"""The fewest and the most entities of a document, but for those of a single one."""
LONGEST = 16
"""Words of a sentence."""

_AGAIN, _SHORT = 0.4, 0.6
"""Chances that an entity comes back where one can, and that it is then called by one word."""


def make_documents(seed: int = 0, train: int = 600, dev: int = 100, test: int = 200) -> Dataset:
    """Makes the corpus; equal arguments give it byte for byte.

    Splits are drawn apart: a larger train set begins with the smaller one, and changes neither dev
    nor test.

    Args:
        seed: any integer; another one gives other documents and names.
        train: number of training documents.
        dev: number of dev documents.
        test: number of test documents.

    Raises:
        SuiteError: a split of less than one document.
    """
    relations = tuple(pattern.relations[0] for pattern in PATTERNS)
    schema = Schema(task="docre", relations=relations, entity_types=TYPES, head_types={})
    sizes = {"train": train, "dev": dev, "test": test}
    return make_corpus(
        "synthetic-documents",
        "Synthetic documents",
        schema,
        seed,
        sizes,
        _document,
        vocabulary(REFERENCES.values()),
        names_again=False,
    )


def _document(draws: Draws, names: Names, id: str) -> Document | None:
    genre = draws.pick(_GENRES)
    few, many = genre.entities
    story = _Story(draws, most_entities=many)
    shortest, longest = SENTENCES
    # Most documents are short: what they cost to train on grows with their length.
    length = shortest + min(draws.below(longest - shortest + 1) for _ in range(3))
    while len(story.starts) < length:
        story.add(_Writer(draws, names, genre, story))
    return story.document(id) if len(story.entities) >= few else None


class _Story:
    """A document while it is written.

    Attributes:
        entities: type and name of each entity, in the order in which sentences drew them.
        starts: offset of each sentence's first word.
        only: entities of the last sentence that are the only ones of their type there.
    """

    def __init__(self, draws: Draws, most_entities: int) -> None:
        self._draws = draws
        self._most_entities = most_entities
        self._words: list[str] = []
        self._mentions: defaultdict[int, list[Mention]] = defaultdict(list)
        self._facts: dict[tuple[str, str, str], set[int]] = {}
        self._denied: set[tuple[str, str, str]] = set()
        self.entities: list[tuple[str, tuple[str, ...]]] = []
        self.starts: list[int] = []
        self.only: list[str] = []

    def add(self, writer: _Writer) -> None:
        """Appends a sentence, unless it is too long or does not agree with those before."""
        tokens = writer.write()
        words, mentions = put_names(tokens, self._names_of(writer))
        too_many = len(writer.entities) > self._most_entities
        if too_many or len(words) > LONGEST or self._repeated(writer) or self._contradicted(writer):
            return
        sentence, start = len(self.starts), len(self._words)
        evidence = {sentence} if writer.referent is None else {sentence - 1, sentence}
        for triple in writer.triples:
            self._facts.setdefault(triple, set()).update(evidence)
        for entity, span in mentions:
            place = Span(start + span.start, start + span.end)
            self._mentions[entity].append(Mention(place, sentence))
        self._denied.update(writer.denials)
        self._words += words
        self.entities = writer.entities
        self.starts.append(start)
        self.only = self._only({entity for entity, _ in mentions}, writer.referent)

    def _names_of(self, writer: _Writer) -> Callable[[int], tuple[str, ...]]:
        """What the sentence calls an entity: at its first mention by the whole name."""
        met = set(range(len(self.entities)))

        def name_of(entity: int) -> tuple[str, ...]:
            name = writer.entities[entity][1]
            if entity in met and len(name) > 1 and self._draws.chance(_SHORT):
                return (self._draws.pick((name[0], name[-1])),)
            met.add(entity)
            return name

        return name_of

    def _repeated(self, writer: _Writer) -> bool:
        """Whether the sentence states of other entities what one before it states."""
        stated = {relation for _, relation, _ in self._facts}
        new = set(writer.triples) - self._facts.keys()
        return any(relation in stated for _, relation, _ in new)

    def _contradicted(self, writer: _Writer) -> bool:
        """Whether the sentence states what is denied, or denies what is stated."""
        facts = self._facts.keys() | set(writer.triples)
        return not facts.isdisjoint(self._denied.union(writer.denials))

    def _only(self, mentioned: set[int], referent: str | None) -> list[str]:
        there = {*mentioned, int(referent[1:])} if referent else mentioned
        types = Counter(self.entities[entity][0] for entity in there)
        return [f"#{i}" for i in sorted(mentioned) if types[self.entities[i][0]] == 1]

    def document(self, id: str) -> Document:
        """The document; its entities in the order of their first mention."""
        order = sorted(self._mentions, key=lambda entity: self._mentions[entity][0].span)
        number = {f"#{entity}": i for i, entity in enumerate(order)}
        entities = [
            DocumentEntity(" ".join(name), kind, tuple(self._mentions[entity]))
            for entity in order
            for kind, name in [self.entities[entity]]
        ]
        facts = [
            Fact(number[head], relation, number[tail], tuple(sorted(evidence)))
            for (head, relation, tail), evidence in self._facts.items()
        ]
        words, starts = tuple(self._words), tuple(self.starts)
        return Document(id, id, words, starts, tuple(entities), tuple(facts))


class _Genre(NamedTuple):
    """What documents are about: kinds of sentences, share of references, number of entities."""

    kinds: Sequence[Kind]
    referring: float
    entities: tuple[int, int]


class _Writer(Writer):
    """Writes one sentence of a document.

    Attributes:
        referent: the entity of the sentence before that the sentence speaks of without naming it.
    """

    def __init__(self, draws: Draws, names: Names, genre: _Genre, story: _Story) -> None:
        super().__init__(draws, names, genre.kinds)
        self._referring = genre.referring
        self._only = story.only
        self._here: set[str] = set()
        self.entities = list(story.entities)
        self.referent: str | None = None

    def write(self) -> list[str]:
        """The sentence's words: a main clause alone, which often refers to the last sentence."""
        if self._only and self._draws.chance(self._referring):
            self.referent = self._draws.pick(self._only)
            text = self._reference(self.referent)
        else:
            text = self._draws.pick(self._kinds)(self)
        return f"{text} .".split()

    def solo(self) -> str:
        """No triple: a single entity."""
        kind = self._draws.pick(TYPES)
        deeds = [deed for deed in PHRASES[f"{kind}_did"] if "@" not in deed]
        return f"{self._cued(self._entity(kind))} {self._say(self._draws.pick(deeds))}"

    def _reference(self, referent: str) -> str:
        """A triple of an entity that is not named, as its head or as its tail."""
        self._here.add(referent)
        kind = self.entities[int(referent[1:])][0]
        words = self._say(REFERENCES[kind])
        pattern = self._draws.pick([p for p in PATTERNS if kind in (p.head, p.tail)])
        if pattern.head == kind and (pattern.tail != kind or self._draws.chance(0.5)):
            return f"{words} {self._verb(pattern, referent)}"
        head = self._entity(pattern.head)
        self._state(pattern, head, referent)
        first = [wording for wording in pattern.inverse if wording.startswith("@t ")]
        return self._say(self._draws.pick(first), h=head, t=words)

    def _entity(self, kind: str) -> str:
        """An entity that the sentence does not have yet: one of the document, or a new one."""
        known = [f"#{i}" for i, (other, _) in enumerate(self.entities) if other == kind]
        known = [entity for entity in known if entity not in self._here]
        again = known and self._draws.chance(_AGAIN)
        entity = self._draws.pick(known) if again else super()._entity(kind)
        self._here.add(entity)
        return entity


_NO_FACT = (
    *[_Writer.denied] * 3,
    *[_Writer.encounter] * 3,
    *[_Writer.solo] * 2,
    _Writer.nothing,
)
_FACTS = (
    *[_Writer.single] * 10,
    *[_Writer.contrast] * 3,
    *[_Writer.shared_head] * 2,
    _Writer.several_tails,
    _Writer.several_heads,
    *[_Writer.chain] * 2,
    *[_Writer.overlapping] * 3,
    *_NO_FACT,
)
_GENRES = (
    *[_Genre(_FACTS, 0.35, ENTITIES)] * 22,
    *[_Genre(_NO_FACT, 0.0, ENTITIES)] * 2,
    _Genre((_Writer.solo, _Writer.nothing), 0.0, (1, 1)),
)
"""Repetitions are weights."""

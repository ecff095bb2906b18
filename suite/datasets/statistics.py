"""What is counted of a dataset before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from pydantic import Field

from suite.datasets.dataset import Dataset, Split
from suite.datasets.make_schema import relations_of, types_of
from suite.datasets.problems import KINDS
from suite.files import StrictModel
from suite.tasks.examples import Document, Sentence, Task
from suite.tasks.matching import Wording, gold_items, wordings
from suite.tasks.overlap import PATTERNS, overlap_patterns

_Known = frozenset[Wording]


class _Counts(StrictModel):
    examples: int = Field(description="sentences or documents")
    words_mean: float = Field(description="words of an example")
    words_max: int
    seen_share: float | None = Field(
        description="share of the items that train has too, compared by their words as written; "
        "None for train itself, and where there are no items"
    )
    problems: dict[str, int] = Field(description="`Problems` by name, zeros left out")


class TripleCounts(_Counts):
    """A split of the task `triples`.

    Attributes:
        overlap: sentences by `suite.tasks.overlap`; one may be both EPO and SEO.
        by_triples: sentences by how many triples they have: 0, 1, 2, 3, 4, 5 or more.
        unplaced: triples whose head or tail is not among the words.
        beyond: sentences longer than the protocol's cut.
        triples_beyond: triples that the cut takes from a system's sight; they count as missed.
    """

    triples: int
    relations: int
    overlap: dict[str, int]
    by_triples: dict[str, int]
    entities_by_type: dict[str, int]
    unplaced: int
    beyond: int
    triples_beyond: int


class EntityCounts(_Counts):
    """A split of the task `ner`.

    Attributes:
        nested: entities that lie within another of their sentence, or share its span.
        beyond: sentences longer than the protocol's cut.
        entities_beyond: entities that the cut takes from a system's sight.
    """

    entities: int
    entities_by_type: dict[str, int]
    nested: int
    beyond: int
    entities_beyond: int


class DocumentCounts(_Counts):
    """A split of the task `docre`.

    Attributes:
        facts_across_sentences: facts whose head and tail have no mention in a common sentence.
    """

    sentences: int
    entities: int
    entities_by_type: dict[str, int]
    mentions: int
    facts: int
    relations: int
    facts_across_sentences: int


SplitCounts = TripleCounts | EntityCounts | DocumentCounts


class DatasetCounts(StrictModel):
    """The counts of the three splits; those of train are without a dev set cut from it."""

    train: SplitCounts
    dev: SplitCounts
    test: SplitCounts


def statistics(dataset: Dataset, max_words: int) -> DatasetCounts:
    """Counts what a dataset holds.

    What train has too is told as the `seen` slice of the scores tells it: a triple by its words,
    an entity by words and type, and a fact, as Ign F1 does, by any of its mentions' words.

    Args:
        dataset: of any task.
        max_words: the protocol's cut.
    """
    known = dataset.wordings_in_train
    counts = {split.name: _COUNT[dataset.task](split, known, max_words) for split in dataset.splits}
    return DatasetCounts(**counts)


def _common(split: Split, task: Task, known: _Known) -> dict[str, Any]:
    """The counts of every task."""
    lengths = [len(example.words) for example in split.examples]
    judged = () if split.name == "train" else split.examples
    seen = [
        not known.isdisjoint(wordings(example, item))
        for example in judged
        for item in gold_items(example, task)
    ]
    problems = {kind: getattr(split.problems, kind) for kind in KINDS}
    return {
        "examples": len(lengths),
        "words_mean": sum(lengths) / len(lengths),
        "words_max": max(lengths),
        "seen_share": sum(seen) / len(seen) if seen else None,
        "problems": {kind: count for kind, count in problems.items() if count},
    }


def _sentences(split: Split) -> list[Sentence]:
    return [example for example in split.examples if isinstance(example, Sentence)]


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _count_triples(split: Split, known: _Known, max_words: int) -> TripleCounts:
    sentences = _sentences(split)
    sizes = [len(s.triples) + len(s.unplaced) for s in sentences]
    patterns = Counter(pattern for s in sentences for pattern in overlap_patterns(s))
    by_triples = Counter(min(size, 5) for size in sizes)
    names = {0: "0", 1: "1", 2: "2", 3: "3", 4: "4", 5: "5 or more"}
    return TripleCounts(
        **_common(split, "triples", known),
        triples=sum(sizes),
        relations=len({r for s in sentences for r in relations_of(s)}),
        overlap={pattern: patterns[pattern] for pattern in PATTERNS},
        by_triples={name: by_triples[size] for size, name in names.items()},
        entities_by_type=_sorted(Counter(kind for s in sentences for kind in types_of(s))),
        unplaced=sum(len(s.unplaced) for s in sentences),
        beyond=sum(len(s.words) > max_words for s in sentences),
        triples_beyond=sum(len(s.triples) - len(s.cut(max_words).triples) for s in sentences),
    )


def _count_entities(split: Split, known: _Known, max_words: int) -> EntityCounts:
    sentences = _sentences(split)
    return EntityCounts(
        **_common(split, "ner", known),
        entities=sum(len(s.entities) for s in sentences),
        entities_by_type=_sorted(Counter(kind for s in sentences for kind in types_of(s))),
        nested=sum(_nested(s) for s in sentences),
        beyond=sum(len(s.words) > max_words for s in sentences),
        entities_beyond=sum(len(s.entities) - len(s.cut(max_words).entities) for s in sentences),
    )


def _nested(sentence: Sentence) -> int:
    """Entities that another one of the sentence covers."""
    return sum(
        any(
            other is not inner
            and other.span.start <= inner.span.start
            and inner.span.end <= other.span.end
            for other in sentence.entities
        )
        for inner in sentence.entities
    )


def _count_documents(split: Split, known: _Known, max_words: int) -> DocumentCounts:
    del max_words  # a document is not cut
    documents = [example for example in split.examples if isinstance(example, Document)]
    return DocumentCounts(
        **_common(split, "docre", known),
        sentences=sum(len(d.sentence_starts) for d in documents),
        entities=sum(len(d.entities) for d in documents),
        entities_by_type=_sorted(Counter(kind for d in documents for kind in types_of(d))),
        mentions=sum(len(e.mentions) for d in documents for e in d.entities),
        facts=sum(len(d.facts) for d in documents),
        relations=len({r for d in documents for r in relations_of(d)}),
        facts_across_sentences=sum(_across(d) for d in documents),
    )


def _across(document: Document) -> int:
    """Facts whose head and tail are mentioned in no common sentence."""
    where = [{mention.sentence for mention in e.mentions} for e in document.entities]
    return sum(where[fact.head].isdisjoint(where[fact.tail]) for fact in document.facts)


_COUNT: dict[Task, Callable[[Split, _Known, int], SplitCounts]] = {
    "triples": _count_triples,
    "ner": _count_entities,
    "docre": _count_documents,
}

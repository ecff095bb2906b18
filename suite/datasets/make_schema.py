"""The schema of a dataset, from its registry entry or its training examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from suite.datasets.dataset import TypeMap
from suite.tasks.examples import Document, Example, Sentence, Task
from suite.tasks.schema import Schema


def relations_of(example: Example) -> Iterable[str]:
    """The relation of each triple or fact of an example."""
    if isinstance(example, Document):
        return (fact.relation for fact in example.facts)
    return (t.relation for group in (example.triples, example.unplaced) for t in group)


def types_of(example: Example) -> Iterable[str]:
    """The type of each entity of an example."""
    return (entity.type for entity in example.entities)


def holds_nested(example: Example) -> bool:
    """Whether two entities of a sentence share words."""
    if isinstance(example, Document):
        return False
    spans = sorted(entity.span for entity in set(example.entities))
    return any(after.start < before.end for before, after in pairwise(spans))


def make_schema(
    task: Task,
    train: Iterable[Example],
    types: TypeMap | None,
    relations: tuple[str, ...] | None,
) -> Schema:
    """The schema that a training split and what is known of its dataset give.

    Args:
        task: the dataset's.
        train: the whole training split, before a dev set is cut from it.
        types: entity types of relations, if known; else those of the heads in train are taken.
        relations: in their order, if known; else those of `types`, else train's, sorted.
    """
    if types is not None:
        names = {name for pair in types.values() for name in pair}
        heads = {relation: frozenset({pair[0]}) for relation, pair in types.items()}
        return Schema(task, relations or tuple(types), tuple(sorted(names)), heads)
    train = list(train)
    if task == "ner":
        relations = ()
    elif relations is None:
        relations = tuple(sorted({r for example in train for r in relations_of(example)}))
    entity_types = tuple(sorted({t for example in train for t in types_of(example)}))
    if task != "triples":
        nested = task == "ner" and any(map(holds_nested, train))
        return Schema(task, relations, entity_types, {}, nested)
    observed: defaultdict[str, set[str]] = defaultdict(set)
    for example in train:
        assert isinstance(example, Sentence)
        for triple in example.triples:
            observed[triple.relation] |= {e.type for e in example.entities if e.span == triple.head}
    placed = tuple(relation for relation in relations if observed[relation])
    return Schema(task, placed, entity_types, {r: frozenset(observed[r]) for r in placed})

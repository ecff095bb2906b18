"""Examples by the names that they hold: what a memory of names keeps of each task and says."""

from __future__ import annotations

from typing import TypeAlias

from suite.tasks.examples import Document, Entity, Example, Fact, Span, Triple
from suite.tasks.items import Item
from suite.tasks.ranking import names_of
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema

Name: TypeAlias = tuple[str, ...]
"""The words of a name; of documents, whose names need not be found, the whole of it as one."""
Place: TypeAlias = tuple[int, int]
"""Start and end of a name; of documents, the number of the given entity twice."""


def facts_by_name(example: Example, schema: Schema) -> list[tuple[Name, str, Name]]:
    """Names of head and tail with the relation; of documents, every name of each entity."""
    ids = schema.relation_ids
    if isinstance(example, Document):
        names = _names(example)
        return [
            (head, f.relation, tail)
            for f in example.facts
            if f.relation in ids
            for head in names[f.head]
            for tail in names[f.tail]
        ]
    words = example.words
    return [
        (words[slice(*t.head)], t.relation, words[slice(*t.tail)])
        for t in example.triples
        if t.relation in ids
    ]


def _names(document: Document) -> list[list[Name]]:
    return [[(name,) for name in sorted(names_of(document, e))] for e in document.entities]


def types_by_name(example: Example, schema: Schema) -> list[tuple[Name, str]]:
    """Words and type of each entity, where entities are what is to be found."""
    if find_task(schema.task).has_relations or isinstance(example, Document):
        return []
    ids = schema.type_ids
    return [(example.words[slice(*e.span)], e.type) for e in example.entities if e.type in ids]


def given_names(example: Example) -> list[list[Name]] | None:
    """The names of each entity that the example gives; None where names have to be found."""
    return _names(example) if isinstance(example, Document) else None


def item_at(schema: Schema, head: Place, label: int, tail: Place) -> Item:
    """The item of a place and a type, or of two places and a relation.

    Args:
        schema: of the task.
        head: the entity, or the head.
        label: number of the type or of the relation.
        tail: the tail; of entities alone it is not read.
    """
    task = find_task(schema.task)
    if not task.has_relations:
        return Entity(Span(*head), schema.entity_types[label])
    relation = schema.relations[label]
    if task.entities_given:
        return Fact(head[0], relation, tail[0])
    return Triple(Span(*head), relation, Span(*tail))

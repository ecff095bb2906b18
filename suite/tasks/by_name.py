"""Examples by the names that they hold: what a memory of names keeps of each task and says."""

from __future__ import annotations

from typing import TypeAlias

from suite.tasks.examples import Document, Entity, Example, Fact, Span, Triple
from suite.tasks.items import Item
from suite.tasks.ranking import names_of
from suite.tasks.schema import Schema

Name: TypeAlias = tuple[str, ...]
"""The words of a name; of documents, whose names need not be found, the whole of it as one."""
Place: TypeAlias = tuple[int, int]
"""Start and end of a name; of documents, the number of the given entity twice."""


def facts_by_name(example: Example, schema: Schema) -> list[tuple[Name, str, Name]]:
    """Names of head and tail with the relation; of documents, every name of each entity."""
    ids = schema.relation_ids
    if isinstance(example, Document):
        names = [document_names(example, i) for i in range(len(example.entities))]
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


def document_names(document: Document, entity: int) -> list[Name]:
    """The names of an entity, by its number."""
    return [(name,) for name in sorted(names_of(document, document.entities[entity]))]


def types_by_name(example: Example, schema: Schema) -> list[tuple[Name, str]]:
    """Words and type of each entity, where entities are what is to be found."""
    if schema.task != "ner" or isinstance(example, Document):
        return []
    ids = schema.type_ids
    return [(example.words[slice(*e.span)], e.type) for e in example.entities if e.type in ids]


def given_names(example: Example) -> list[list[Name]] | None:
    """The names of each entity that the example gives; None where names have to be found."""
    if not isinstance(example, Document):
        return None
    return [document_names(example, i) for i in range(len(example.entities))]


def asks_types(schema: Schema) -> bool:
    """Whether entities and their types are asked for, and no relations."""
    return schema.task == "ner"


def gives_entities(schema: Schema) -> bool:
    """Whether entities are given, and every pair of two of them is scored."""
    return schema.task == "docre"


def item_at(schema: Schema, head: Place, label: int, tail: Place) -> Item:
    """The item of a place and a type, or of two places and a relation.

    Args:
        schema: of the task.
        head: the entity, or the head.
        label: number of the type or of the relation.
        tail: the tail; of entities alone it is not read.
    """
    if asks_types(schema):
        return Entity(Span(*head), schema.entity_types[label])
    relation = schema.relations[label]
    if gives_entities(schema):
        return Fact(head[0], relation, tail[0])
    return Triple(Span(*head), relation, Span(*tail))

"""Relation names, entity types, and which type can head which relation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from suite.tasks.examples import Document, Example, Sentence, TaskName, Triple
from suite.tasks.registry import find_task

ANY = "ANY"
"""The only entity type of a dataset that annotates none."""


@dataclass(frozen=True)
class Schema:
    """What a dataset's predictions are made of.

    Attributes:
        task: the dataset's task.
        relations: relation names, in a fixed order; what occurs in dev or test alone is not here.
        entity_types: names of the entity types, in a fixed order; `(ANY,)` where there are none.
        head_types: for each relation, the entity types that can head it (FastRE's type-relation
            map, section 2.3, read from the relation's side).
        nested: whether entities of one training sentence share words; told for the task `ner`.
    """

    task: TaskName
    relations: tuple[str, ...]
    entity_types: tuple[str, ...]
    head_types: Mapping[str, frozenset[str]]
    nested: bool = False

    def __post_init__(self) -> None:
        if find_task(self.task).heads_are_typed:
            missing = [r for r in self.relations if not self.head_types.get(r)]
            if missing:
                raise ValueError(f"relations without a head type: {missing}")

    @cached_property
    def relation_ids(self) -> dict[str, int]:
        """Index of each relation."""
        return {name: i for i, name in enumerate(self.relations)}

    @cached_property
    def type_ids(self) -> dict[str, int]:
        """Index of each entity type."""
        return {name: i for i, name in enumerate(self.entity_types)}

    def head_type(self, sentence: Sentence, triple: Triple) -> str:
        """The type under which the triple's head can head its relation.

        An entity that is annotated with several types is taken by the one that fits the relation.
        """
        fitting = self.head_types[triple.relation]
        if len(fitting) == 1:
            return next(iter(fitting))
        for entity in sentence.entities:
            if entity.span == triple.head and entity.type in fitting:
                return entity.type
        return min(fitting)

    def untyped(self) -> Schema:
        """The schema with one type that heads every relation (FastRE, Table 5, "- Mapping")."""
        heads = {relation: frozenset({ANY}) for relation in self.relations}
        return Schema(self.task, self.relations, (ANY,), heads, self.nested)


def end_types(examples: Iterable[Example]) -> dict[str, tuple[str | None, str | None]]:
    """For each relation the type of its heads and that of its tails; None where there are several.

    Args:
        examples: of train; entities of the type `ANY` have none.
    """
    found: defaultdict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for example in examples:
        for relation, ends in _ends(example):
            for known, types in zip(found[relation], ends, strict=True):
                known.update(types)
    return {
        relation: (_only(heads), _only(tails)) for relation, (heads, tails) in sorted(found.items())
    }


def _ends(example: Example) -> Iterable[tuple[str, tuple[set[str], set[str]]]]:
    """The relations of an example with the types of their heads and tails."""
    if isinstance(example, Document):
        types = [entity.type for entity in example.entities]
        return [(f.relation, ({types[f.head]}, {types[f.tail]})) for f in example.facts]
    at: defaultdict[object, set[str]] = defaultdict(set)
    for entity in example.entities:
        at[entity.span].add(entity.type)
    return [(t.relation, (at[t.head], at[t.tail])) for t in example.triples]


def _only(types: set[str]) -> str | None:
    return next(iter(types)) if len(types) == 1 and types != {ANY} else None

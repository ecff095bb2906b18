"""Relation names, entity types, and which type can head which relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from suite.tasks.examples import Sentence, TaskName, Triple
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

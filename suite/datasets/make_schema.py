"""The schema of a dataset, from its registry entry or its training examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from suite.datasets.dataset import TypeMap
from suite.tasks.examples import Example, TaskName
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema


def make_schema(
    task: TaskName,
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
    asked = find_task(task)
    if not asked.has_relations:
        relations = ()
    elif relations is None:
        relations = tuple(sorted({r for example in train for r in example.relations()}))
    entity_types = tuple(sorted({t for example in train for t in example.types()}))
    if not asked.heads_are_typed:
        nested = asked.nests and any(example.holds_nested() for example in train)
        return Schema(task, relations, entity_types, {}, nested)
    observed: defaultdict[str, set[str]] = defaultdict(set)
    for example in train:
        for relation, of_head in example.types_of_heads():
            observed[relation] |= of_head
    placed = tuple(relation for relation in relations if observed[relation])
    return Schema(task, placed, entity_types, {r: frozenset(observed[r]) for r in placed})

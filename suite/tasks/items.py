"""What is found in an example: a triple, a fact or an entity, gold or predicted."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from suite.tasks.examples import Entity, Fact, SurfaceEntity, SurfaceTriple, Triple

Item: TypeAlias = Triple | SurfaceTriple | Entity | SurfaceEntity | Fact
"""What an example of one of the tasks holds: gold or predicted."""


class Prediction(NamedTuple):
    """One predicted item with its confidence from 0 to 1.

    What has no place among the words is predicted by no system here, yet by those that write words.
    """

    item: Item
    score: float


def has_place(item: Item) -> bool:
    """Whether it names words of the text or given entities, and not words that are not there."""
    return not isinstance(item, SurfaceTriple | SurfaceEntity)


def label_of(item: Item) -> str:
    """Its relation or entity type."""
    return item.type if isinstance(item, Entity | SurfaceEntity) else item.relation

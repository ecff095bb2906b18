"""What is found in an example: a triple, a fact or an entity, gold or predicted."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from suite.tasks.examples import Entity, Fact, SurfaceTriple, Triple

Item: TypeAlias = Triple | SurfaceTriple | Entity | Fact
"""What an example of one of the tasks holds: gold or predicted."""


class Prediction(NamedTuple):
    """One predicted item with its confidence in (0, 1)."""

    item: Triple | Fact | Entity
    score: float

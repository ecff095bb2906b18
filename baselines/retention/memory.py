"""What train says of names, and the names that a text holds."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from suite.tasks.by_name import Name, facts_by_name, types_by_name
from suite.tasks.examples import Example
from suite.tasks.schema import Schema

Said: TypeAlias = tuple[int, float]
"""A relation or an entity type, by its number in the schema, and its share."""


@dataclass(frozen=True)
class Memory:
    """Names, by their number in `names`, and what train says of them.

    Attributes:
        names: each once.
        relations: head -> tail -> the relations of the two, each with its share of the examples
            that relate them.
        types: name -> its commonest entity type, with that type's share of its mentions.
    """

    names: tuple[Name, ...] = ()
    relations: Mapping[int, Mapping[int, Sequence[Said]]] = field(default_factory=dict)
    types: Mapping[int, Said] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> dict[Name, int]:
        """Number of each name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def _trie(self) -> dict[str | None, Any]:
        """Word -> what follows it; under None, where a name ends, its number."""
        root: dict[str | None, Any] = {}
        for number, name in enumerate(self.names):
            node = root
            for word in name:
                node = node.setdefault(word, {})
            node[None] = number
        return root

    def find(self, words: Sequence[str]) -> list[tuple[int, int, int]]:
        """Start, end and number of names, from left to right the longest that begins at a word."""
        found: list[tuple[int, int, int]] = []
        start = 0
        while start < len(words):
            node, end = self._trie, start
            longest: tuple[int, int, int] | None = None
            while end < len(words) and words[end] in node:
                node = node[words[end]]
                end += 1
                if None in node:
                    longest = start, end, node[None]
            if longest is not None:
                found.append(longest)
            start = start + 1 if longest is None else longest[1]
        return found

    def to_json(self) -> str:
        """The memory as text; in the order of train."""
        related = [
            (head, tail, *said)
            for head, tails in self.relations.items()
            for tail, several in tails.items()
            for said in several
        ]
        types = [(name, *said) for name, said in self.types.items()]
        return json.dumps({"names": self.names, "relations": related, "types": types})

    @classmethod
    def from_json(cls, text: str) -> Memory:
        """The inverse of `to_json`."""
        held = json.loads(text)
        relations: dict[int, dict[int, list[Said]]] = {}
        for head, tail, relation, share in held["relations"]:
            relations.setdefault(head, {}).setdefault(tail, []).append((relation, share))
        types = {name: (kind, share) for name, kind, share in held["types"]}
        return cls(tuple(map(tuple, held["names"])), relations, types)


def memory_of(examples: Iterable[Example], schema: Schema) -> Memory:
    """What examples say; relations and types that the schema lacks are left out."""
    numbers: dict[Name, int] = {}
    related: defaultdict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    together: Counter[tuple[int, int]] = Counter()
    typed: defaultdict[int, Counter[int]] = defaultdict(Counter)

    def number(name: Name) -> int:
        return numbers.setdefault(name, len(numbers))

    for example in examples:
        said = facts_by_name(example, schema)
        facts = {(number(h), schema.relation_ids[r], number(t)) for h, r, t in said}
        for head, relation, tail in sorted(facts):
            related[head, tail][relation] += 1
        together.update({(head, tail) for head, _, tail in facts})
        for name, kind in types_by_name(example, schema):
            typed[number(name)][schema.type_ids[kind]] += 1
    relations: dict[int, dict[int, list[Said]]] = {}
    for (head, tail), counts in related.items():
        whole = together[head, tail]
        shares = [(relation, _share(counts[relation], whole)) for relation in sorted(counts)]
        relations.setdefault(head, {})[tail] = shares
    types = {name: _commonest(counts) for name, counts in typed.items()}
    return Memory(tuple(numbers), relations, types)


def _commonest(counts: Counter[int]) -> Said:
    """Of types that are as common, the schema's first."""
    kind = min(counts, key=lambda kind: (-counts[kind], kind))
    return kind, _share(counts[kind], counts.total())


def _share(part: int, whole: int) -> float:
    """As float32 has it, which a theta is fitted in."""
    return float(np.float32(part / whole))

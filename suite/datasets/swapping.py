"""A test set whose entities have other names of the same kind, for what a system has by heart.

A kind is an entity type; where a dataset has none, it is the part that an entity has in relations:
a name stands in for one that is head or tail of the same relations.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from suite.datasets.dataset import Dataset, Split
from suite.datasets.fingerprint import fingerprint
from suite.errors import SuiteError
from suite.files import content_digest, readable
from suite.plain_yaml import read_yaml
from suite.tasks.examples import Example, any_meet
from suite.tasks.matching import find_words
from suite.tasks.registry import find_task
from suite.tasks.renaming import Name, Named
from suite.tasks.schema import ANY
from suite.tasks.task import Task

TRAIN = "train"
"""Whence names are taken where no file is named."""
SEED = 0
"""Of the draws: all systems and all runs meet the same names."""
NO_ENTITY = "no entity"
NOT_IN_TEXT = "gold that is not in the text"
SHARED_WORDS = "entities that share words"
NO_OTHER_NAME = "no other name of the kind"
FORM = (
    "Such a file is YAML, with a list of names for each entity type, as `PER: [Ada Lovelace]`; for "
    "data without entity types, for each part in a relation, as `birthPlace head: [Ada Lovelace]`."
)

Pools: TypeAlias = Mapping[str, frozenset[tuple[Name, ...]]]
"""Kind -> the entities of it, each by its names."""


@dataclass(frozen=True)
class SwappedSplit:
    """The examples of a split of which all entities have other names, and what became of the rest.

    Attributes:
        split: they alone, in their order, with the ids that they have in test.
        entities: that have other names; what one example calls by the same words counts once.
        left: why examples are left out -> how many.
        by_part: whether kinds are parts in relations.
    """

    split: Split
    entities: int
    left: Mapping[str, int]
    by_part: bool


def swap_entities(dataset: Dataset, names: str = TRAIN, seed: int = SEED) -> SwappedSplit:
    """The test set of a dataset with other names in place of its entities'.

    An example is swapped as a whole, or left out. An entity keeps its new name throughout an
    example (in a sentence also where its words stand again without being annotated; in a document
    its mentions alone are renamed), and gets none that the example has.

    Args:
        dataset: with its gold.
        names: `TRAIN`, or the path of a file of names.
        seed: of the draws; equal seeds give equal names, whatever else the test set holds.

    Raises:
        SuiteError: the file cannot be read, or has no name of any kind that the test set has.
    """
    task = find_task(dataset.task)
    by_part = _by_part(dataset)
    drawn = _Names(_pools(dataset, task, names, by_part=by_part), seed)
    swapped: list[Example] = []
    left: Counter[str] = Counter()
    entities = 0
    for example in dataset.test.examples:
        named = task.named(example, by_part=by_part)
        found = drawn.instead(example, named)
        if isinstance(found, str):
            left[found] += 1
            continue
        swapped.append(task.renamed(example, found))
        entities += len(named)
    split = Split(
        name="test",
        path=None,
        examples=tuple(swapped),
        fingerprint=fingerprint(swapped),
        published=False,
    )
    return SwappedSplit(split, entities, dict(sorted(left.items())), by_part)


@dataclass
class _Names:
    """Draws names.

    Attributes:
        pools: whence.
        seed: of the draws.
        fitting: kinds -> what is of all of them, in a fixed order.
    """

    pools: Pools
    seed: int
    fitting: dict[frozenset[str], Sequence[tuple[Name, ...]]] = field(default_factory=dict)

    def instead(self, example: Example, named: Sequence[Named]) -> dict[Any, Name] | str:
        """What takes the place of each name of an example, or why nothing does."""
        if not named:
            return NO_ENTITY
        if example.not_found():
            return NOT_IN_TEXT
        if any_meet(span for entity in named for span in entity.places):
            return SHARED_WORDS
        random = Random(f"{self.seed} {example.id}")
        taken: set[Name] = set()
        found: dict[Any, Name] = {}
        for entity in named:
            other = self._draw(entity.kinds, example.words, taken, random)
            if other is None:
                return NO_OTHER_NAME
            taken.update(other)
            called = {old: other[min(i, len(other) - 1)] for i, old in enumerate(entity.names)}
            found |= {span: called[name] for span, name in entity.places.items()}
        return found

    def _draw(
        self, kinds: frozenset[str], words: tuple[str, ...], taken: set[Name], random: Random
    ) -> tuple[Name, ...] | None:
        """An entity of all the kinds, none of whose names stands in the words or is taken."""
        fit = self._fitting(kinds)
        start = random.randrange(len(fit)) if fit else 0
        for place in range(len(fit)):
            other = fit[(start + place) % len(fit)]
            if taken.isdisjoint(other) and all(find_words(words, name) < 0 for name in other):
                return other
        return None

    def _fitting(self, kinds: frozenset[str]) -> Sequence[tuple[Name, ...]]:
        if kinds not in self.fitting:
            pools = [self.pools.get(kind, frozenset()) for kind in kinds]
            self.fitting[kinds] = sorted(frozenset.intersection(*pools)) if pools else []
        return self.fitting[kinds]


def _by_part(dataset: Dataset) -> bool:
    """Whether entities are told apart by their parts in relations, for want of types."""
    return set(dataset.schema.entity_types) <= {ANY}


def _pools(dataset: Dataset, task: Task[Any, Any], names: str, *, by_part: bool) -> Pools:
    if names == TRAIN:
        return pools_of(
            entity
            for example in dataset.train.examples
            for entity in task.named(example, by_part=by_part)
        )
    path = Path(names)
    found = read_names(path)
    kinds = {
        kind
        for example in dataset.test.examples
        for entity in task.named(example, by_part=by_part)
        for kind in entity.kinds
    }
    if kinds and kinds.isdisjoint(found):
        raise SuiteError(
            f"has names of {_shown(found)}, and the entities of {dataset.name} are {_shown(kinds)}",
            where=path,
            remedy=FORM,
        )
    return found


def check_names(dataset: Dataset, names: str) -> None:
    """Checks a file of names before anything is trained.

    Raises:
        SuiteError: as `swap_entities`.
    """
    by_part = _by_part(dataset)
    if names != TRAIN:
        _pools(dataset, find_task(dataset.task), names, by_part=by_part)


def pools_of(entities: Iterable[Named]) -> Pools:
    """Entities by each of their kinds."""
    found: defaultdict[str, set[tuple[Name, ...]]] = defaultdict(set)
    for entity in entities:
        for kind in entity.kinds:
            found[kind].add(entity.names)
    return {kind: frozenset(names) for kind, names in found.items()}


def read_names(path: Path) -> Pools:
    """The names of a user's file.

    Raises:
        SuiteError: it cannot be read, or is none of such names.
    """
    content = read_yaml(path, FORM)
    if not isinstance(content, dict) or not content:
        raise SuiteError("does not hold names by kind", where=path, remedy=FORM)
    found: dict[str, frozenset[tuple[Name, ...]]] = {}
    for kind, names in content.items():
        wrong = _wrong(kind, names)
        if wrong is not None:
            raise SuiteError(f"{str(kind)[:80]}: {wrong}", where=path, remedy=FORM)
        found[kind] = frozenset((tuple(name.split()),) for name in names)
    return found


def _wrong(kind: Any, names: Any) -> str | None:
    """What is wrong with an entry of a file; None where nothing is."""
    if not isinstance(kind, str):
        return "is not a text, as a kind of entities is"
    if not isinstance(names, list) or not names:
        return "is not followed by a list of names"
    for name in names:
        if not isinstance(name, str) or not name.split():
            return f"{str(name)[:80]!r} is not a name"
    return None


def _shown(kinds: Iterable[Hashable]) -> str:
    listed = sorted(map(str, kinds))
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")


def source_of(names: str) -> str:
    """Where names are from, as records say it: a file by its name and content.

    Raises:
        SuiteError: the file cannot be read.
    """
    if names == TRAIN:
        return TRAIN
    path = Path(names)
    with readable(path, FORM):
        return f"{path.name} (SHA-256 {content_digest(path)})"

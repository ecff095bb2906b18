"""What of a user's data is refused, dropped or said before anything is trained on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from suite.datasets.dataset import TypeMap
from suite.datasets.layout import Layout
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.errors import SuiteError
from suite.tasks.examples import Example, TaskName
from suite.tasks.registry import find_task

NO_RELATION = frozenset(
    {"no_relation", "no relation", "no-relation", "norelation", "na", "n/a", "none", "negative"}
)
"""What classifiers of pairs call it that two entities are not related, in lower case. Not `Other`,
which is a relation in some data."""
LEAKED, NOT_FOUND = 0.05, 0.05
"""Shares above which overlap with train, and words that are not in their text, are said."""


def without_no_relation(examples: list[Example], reading: Reading) -> list[Example]:
    """The examples without what says that there is no relation; a note counts it.

    Args:
        examples: of a split.
        reading: whose types may name such a relation, which is one then.
    """
    names = {r for e in examples for r in e.relations() if r.lower() in NO_RELATION}
    names -= set(reading.types)
    if not names:
        return examples
    dropped = sum(r in names for e in examples for r in e.relations())
    reading.problems.notes.append(
        f"{dropped:,} entries of {reading.problems.file} named {', '.join(sorted(names))} say that "
        "there is no relation, and are left out"
    )
    return [example.without(names) for example in examples]


def check_parts(
    task: TaskName,
    parts: Mapping[str, tuple[Path, Sequence[Example]]],
    types: TypeMap | None,
    relations: Sequence[str] | None,
) -> None:
    """Refuses what cannot be learnt from.

    Args:
        task: the dataset's.
        parts: split -> its file and examples.
        types: entity types of relations, where the folder names them.
        relations: the relations, where the folder names them.

    Raises:
        SuiteError: train has nothing to learn, another split has what train's task leaves out, or a
            list of relations lacks some of train's.
    """
    path, train = parts["train"]
    asked = find_task(task)
    for name, (other, examples) in parts.items():
        related = next((e for e in examples if next(iter(e.relations()), None)), None)
        if not asked.has_relations and related is not None:
            raise SuiteError(
                f"has relations, as in {related.id}, and train ({path.name}) has none",
                where=other,
                remedy="Give train its relations, or delete those of "
                f"{name} if entities are what is to be found.",
            )
    if not any(asked.gold(example) for example in train):
        raise SuiteError(
            f"holds no {asked.items}: there is nothing to learn",
            where=path,
            remedy="Check which column or field the annotation stands in.",
        )
    lacking = {r for e in train for r in e.relations()} - set(relations or ())
    if relations is not None and lacking:
        raise SuiteError(
            f"has {len(lacking)} relations that rel_info.json does not name: "
            f"{', '.join(sorted(lacking)[:5])}",
            where=path,
            remedy="Add them to rel_info.json (relation: its name in words), or delete that file.",
        )
    _refuse_unplaced(path, train)


def _refuse_unplaced(path: Path, train: Sequence[Example]) -> None:
    example = next((e for e in train if e.not_found()), None)
    if example is not None and not any(e.related() for e in train):
        raise SuiteError(
            f"no triple has its words in its text, as {example.not_found()[0].head!r} in "
            f"{_opening(example)!r}",
            where=path,
            remedy=WORDS,
        )


WORDS = (
    "Split the texts into words: --words spacy:en takes punctuation off words (or another "
    "language), --words characters is for text without blanks, as Chinese."
)


def notes_on(
    layout: Layout, parts: Mapping[str, tuple[Sequence[Example], ProblemLog]]
) -> list[str]:
    """What is said with every figure of a user's dataset.

    Args:
        layout: of the folder.
        parts: split -> its examples and problems.
    """
    notes = []
    if layout.unread:
        notes.append(f"not read: {', '.join(layout.unread)}")
    unread: dict[str, int] = {}
    for examples, problems in parts.values():
        notes += [note for note in problems.notes if note not in notes]
        for field, count in problems.unread.items():
            unread[field] = unread.get(field, 0) + count
        notes += _shares(examples, problems)
    if unread:
        named = ", ".join(f"{field} ({count:,} records)" for field, count in unread.items())
        notes.append(f"fields that are not read: {named}")
    return notes


def _shares(examples: Sequence[Example], problems: ProblemLog) -> list[str]:
    """What too large a part of a split is subject to."""
    notes = []
    leaked = problems.counts["leaked"] / len(examples)
    if leaked > LEAKED:
        notes.append(
            f"{100 * leaked:.0f} % of the texts of {problems.file} are in train too: a score on "
            "them tells what was learnt by heart"
        )
    unplaced = [(e, t) for e in examples for t in e.not_found()]
    gold = len(unplaced) + sum(len(e.related()) for e in examples)
    if unplaced and len(unplaced) > NOT_FOUND * gold:
        example, triple = unplaced[0]
        notes.append(
            f"{100 * len(unplaced) / gold:.0f} % of the triples of {problems.file} name words "
            f"that are not in their text (as {triple.head} and {triple.tail} in: "
            f"{_opening(example)}), and cannot be learnt or found. {WORDS}"
        )
    loops = sum(e.loops() for e in examples)
    if loops:
        notes.append(
            f"{loops:,} facts of {problems.file} are of an entity with itself, which no system "
            "here can predict: they count as missed"
        )
    return notes


def _opening(example: Example) -> str:
    words = " ".join(example.words[:12])
    return words if len(example.words) <= 12 else f"{words} …"

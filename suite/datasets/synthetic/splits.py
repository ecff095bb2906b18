"""What the synthetic corpora have in common: how splits are filled, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from suite.datasets.dataset import Dataset, Problems, Split
from suite.datasets.fingerprint import fingerprint
from suite.datasets.synthetic.names import Draws, Names
from suite.errors import SuiteError
from suite.tasks.examples import Example
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema

Make = Callable[[Draws, Names, str], Example | None]
"""Draws an example of the given id; None where it is not what the corpus promises."""


def make_corpus(
    name: str,
    title: str,
    schema: Schema,
    seed: int,
    sizes: Mapping[str, int],
    make: Make,
    reserved: Collection[str],
    *,
    names_again: bool = True,
) -> Dataset:
    """A corpus whose splits are drawn apart.

    Args:
        name: the dataset's.
        title: the dataset's, without saying who made it.
        schema: the dataset's.
        seed: any integer.
        sizes: examples of train, dev and test.
        make: draws an example.
        reserved: lowercased words that are not part of a name.
        names_again: whether examples may share names (`Names`).

    Raises:
        SuiteError: a split of less than one example.
    """
    for split, size in sizes.items():
        if size < 1:
            unit = f"{find_task(schema.task).unit}s"
            raise SuiteError(
                f"a synthetic corpus cannot have {size} {split} {unit}",
                remedy="Ask for at least one.",
            )
    splits = {}
    for split, size in sizes.items():
        draws = Draws(f"{schema.task} {seed} {split}")
        names = Names(draws, split, reserved, again=names_again)
        splits[split] = _fill(split, size, schema, draws, names, make)
    return Dataset(
        name=name,
        title=f"{title} (made by the suite)",
        task=schema.task,
        schema=schema,
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        matching="offsets",
        synthetic=True,
        citation="none needed: made by the suite",
        licence="Apache-2.0",
        notes=("synthetic: made by the suite; a figure of it says nothing about real text",),
    )


def _fill(split: str, size: int, schema: Schema, draws: Draws, names: Names, make: Make) -> Split:
    examples: list[Example] = []
    texts: set[tuple[str, ...]] = set()
    while len(examples) < size:
        example = make(draws, names, f"{split}-{len(examples)}")
        if example is not None and example.words not in texts:
            texts.add(example.words)
            examples.append(example)
    made = tuple(examples)
    problems = Problems(empty=sum(not find_task(schema.task).gold(example) for example in made))
    return Split(split, None, made, fingerprint(made), published=None, problems=problems)

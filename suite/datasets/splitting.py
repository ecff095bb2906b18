"""A dev set where none is published, and a part of train for learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from suite.datasets.dataset import Dataset
from suite.datasets.fingerprint import fingerprint, text_hash
from suite.errors import SuiteError
from suite.tasks.examples import Example


def cut_dev(train: Sequence[Example], where: object) -> tuple[list[Example], list[Example]]:
    """Train without, and with only, a tenth of it that is chosen by hash of the text.

    An example goes to dev where the SHA-256 of its words, taken as a number, divides by ten. So
    equal texts stay on one side, and a text that is dev in a part of a training set is dev in the
    whole of it. Where chance leaves a side without examples, the text of the lowest hash is dev.

    Args:
        train: all training examples.
        where: the file, for messages.

    Returns:
        what remains of train, and dev, both in the order of the file.

    Raises:
        SuiteError: there are fewer than two different texts.
    """
    hashes = [text_hash(example.words) for example in train]
    distinct = set(hashes)
    if len(distinct) < 2:
        raise SuiteError(
            "has too few different texts to cut a dev set from",
            where=where,
            remedy="Put a dev file beside it.",
        )
    chosen = {h for h in distinct if int(h, 16) % 10 == 0}
    if not 0 < len(chosen) < len(distinct):
        chosen = {min(distinct)}
    rest = [e for e, h in zip(train, hashes, strict=True) if h not in chosen]
    dev = [e for e, h in zip(train, hashes, strict=True) if h in chosen]
    return rest, dev


def with_part_of_train(dataset: Dataset, share: float) -> Dataset:
    """The dataset with a part of its training examples, chosen by hash of the text.

    A smaller part lies within every larger one. Schema, dev and test stay, and so does what Ign F1
    leaves out where a file names it.

    Args:
        dataset: whole.
        share: of the training examples, above 0 and up to 1, rounded up.
    """
    if share == 1:
        return dataset
    whole = dataset.train.examples
    order = sorted(range(len(whole)), key=lambda i: text_hash(whole[i].words))
    chosen = sorted(order[: math.ceil(share * len(whole))])
    part = tuple(whole[i] for i in chosen)
    published = None if dataset.train.published is None else False
    train = replace(
        dataset.train, examples=part, fingerprint=fingerprint(part), published=published
    )
    note = f"train is {len(part):,} of {len(whole):,} examples, chosen by hash of the text"
    return replace(dataset, train=train, notes=(*dataset.notes, note))

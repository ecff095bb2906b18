"""A dev set where none is published."""

from __future__ import annotations

from collections.abc import Sequence

from suite.datasets.fingerprint import text_hash
from suite.errors import SuiteError
from suite.examples import Example


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

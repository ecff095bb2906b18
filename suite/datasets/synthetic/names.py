"""Made-up names for synthetic corpora, with words that no two splits share."""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection, Sequence
from typing import TypeVar

T = TypeVar("T")

NAME_FUNCTION_WORDS = frozenset({"of", "de", "del", "&"})
"""The only words of names that all splits use."""

# Few syllables, and endings that hint at the type: subwords of unseen names have been seen.
_ONSETS = ("b", "d", "dr", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
_NUCLEI = ("a", "e", "i", "o")
_SYLLABLES = (1, 1, 1, 2, 2, 2, 2, 2, 2, 3)
_ENDINGS = {
    "PER": ("ko", "lina", "rek", "sin", "dulf", "nette"),
    "ORG": ("nix", "tek", "ron", "dax", "corp", "vex"),
    "LOC": ("stad", "burg", "lia", "mouth", "ven", "ford"),
    "OTH": ("nique", "dara", "leum", "mode", "rith", "tora"),
}
# One `_` a word that is made; the rest are function words. Longer shapes are rarer.
_SHAPES = {
    "PER": ("_", "_", "_", "_ _", "_ _", "_ _", "_ _", "_ de _", "_ _ _", "_ _ de _"),
    "ORG": ("_", "_", "_", "_", "_", "_ _", "_ _", "_ & _", "_ _ _", "_ _ & _"),
    "LOC": ("_", "_", "_", "_", "_", "_", "_ _", "_ _", "_ del _", "_ _ del _"),
    "OTH": ("_", "_", "_", "_", "_ _", "_ _", "_ of _", "_ of _", "_ _ _", "_ _ of _"),
}

_AGAIN = 0.05
"""Share of names, and of words within new names, that have been drawn before."""


class Draws:
    """Random choices that stay the same from one version of Python to the next.

    Only `random.Random.random` is promised to repeat, so everything is derived from it.

    Args:
        seed: any text; equal texts give equal sequences.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def below(self, n: int) -> int:
        """An integer from 0 up to, not including, `n`."""
        return int(self._random.random() * n)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], n: int) -> list[T]:
        """`n` different places of `items`, in random order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(n)]


def split_of(text: str) -> str:
    """The one split that may use a text: a hash decides, so that no split has to know another."""
    return ("dev", "test", "test", "train", "train", "train")[zlib.crc32(text.encode()) % 6]


class Names:
    """Draws names of entities, one to four words long; `split` is the split that they are for.

    A part of the names and of their words is drawn again, as in real text; most others are drawn
    once, so that a vocabulary of the training words learns what an unknown word is like. Where
    examples say a name several times, drawing it again would make it a known word.

    Args:
        draws: where the randomness comes from.
        split: `train`, `dev` or `test`.
        reserved: lowercased words that are not part of a name.
        again: whether a word may be drawn again.
    """

    def __init__(self, draws: Draws, split: str, reserved: Collection[str], *, again: bool) -> None:
        self._draws = draws
        self.split = split
        self._reserved = reserved
        self._again = again
        self._names: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in _SHAPES}
        self._words: dict[str, list[str]] = {kind: [] for kind in _SHAPES}
        self._drawn: set[str] = set()

    def draw(self, kind: str, taken: Collection[str]) -> tuple[str, ...]:
        """The words of a name.

        Args:
            kind: entity type: PER, ORG, LOC or OTH.
            taken: words that the name must not have, those of its sentence's other names.
        """
        while True:
            name = self._name(kind)
            own = [word for word in name if word not in NAME_FUNCTION_WORDS]
            if len(set(own)) == len(own) and not any(word in taken for word in own):
                return name

    def _name(self, kind: str) -> tuple[str, ...]:
        names = self._names[kind]
        if self._again and names and self._draws.chance(_AGAIN):
            return self._draws.pick(names)
        shape = self._draws.pick(_SHAPES[kind]).split()
        name = tuple(self._word(kind) if part == "_" else part for part in shape)
        names.append(name)
        return name

    def _word(self, kind: str) -> str:
        words = self._words[kind]
        if self._again and words and self._draws.chance(_AGAIN):
            return self._draws.pick(words)
        while True:
            pick = self._draws.pick
            syllables = range(pick(_SYLLABLES))
            stem = "".join(pick(_ONSETS) + pick(_NUCLEI) for _ in syllables)
            word = stem + pick(_ENDINGS[kind])
            allowed = word not in self._reserved and split_of(word) == self.split
            if allowed and (self._again or word not in self._drawn):
                self._drawn.add(word)
                words.append(word.capitalize())
                return words[-1]

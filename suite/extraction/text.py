"""Raw text as pieces that a model reads, each word with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from suite.datasets.words import CHARACTERS, SPACY, find_words_of, spacy_rules
from suite.errors import SuiteError

WINDOW = 100_000
"""Characters that spaCy is given at once: it refuses a million, and its documents are large."""
LONGEST_RUN = 500
"""Characters without a blank that are split as they are; longer runs are cut, for spaCy's time
grows with their square."""
MOST_STRINGS = 300_000
"""Different words that spaCy may remember before it begins anew; it forgets none by itself."""
BY_CHARACTER = ("zh", "ja")
"""Languages without blanks, whose characters are words unless the model's data had others."""
NO_CHARACTER = "\ufffd"
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_RUN = re.compile(r"\S+")
_LONG_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}")
_EMPTY_LINE = re.compile(r"\n\s*\n|\u2029")
_CHARACTER_SENTENCE = re.compile(r"[^。！？!?\n]*(?:[。！？!?]+[”’」』）)]*|\n|\Z)")


class Piece(NamedTuple):
    """Words that are read together: a sentence, or a part of a long one.

    Attributes:
        words: `text[starts[i]:ends[i]]` each.
        starts: offset of each word's first character in the text.
        ends: offset behind its last one.
    """

    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


Place: TypeAlias = tuple[int, int]
"""Start and end of a word in characters of the text."""


@dataclass(frozen=True)
class Splitter:
    """A way to split text, which can be sent to another process.

    Attributes:
        words: how text becomes words, as `find_words_of` names it: `spacy:LANG`, whose sentences
            end by spaCy's rules (its sentencizer) and at empty lines; `characters`, whose sentences
            end at 。！？!? and at the end of a line; None: words stand between white space, and a
            text is one sentence.
        max_words: of a piece; a longer sentence is read in several.

    Raises:
        SuiteError: there is no such way, or spaCy lacks what the language needs.
    """

    words: str | None
    max_words: int

    def __post_init__(self) -> None:
        find_words_of(self.words)

    def pieces(self, text: str) -> list[Piece]:
        """The pieces of a text, in order; every character but blanks lies in one word."""
        if self.words is None:
            return list(self._pieces_at_blanks(text))
        return [
            _piece(text, sentence[first : first + self.max_words])
            for sentence in _sentences(text, self.words)
            for first in range(0, len(sentence), self.max_words)
        ]

    def _pieces_at_blanks(self, text: str) -> Iterator[Piece]:
        words = tuple(text.split())
        piece = spaced(words)
        if piece.ends and (piece.ends[-1] != len(text) or " ".join(words) != text):
            places = [run.span() for run in _RUN.finditer(text)]
            piece = _piece(text, places)
        for first in range(0, len(words), self.max_words):
            part = slice(first, first + self.max_words)
            yield Piece(words[part], piece.starts[part], piece.ends[part])


def _sentences(text: str, words: str) -> Iterator[list[Place]]:
    if words == CHARACTERS:
        return _sentences_of_characters(text)
    return _rules(words.removeprefix(SPACY)).sentences(text)


def words_asked(language: str | None, *, pretokenised: bool, words: str | None) -> str | None:
    """How text becomes words, as `Splitter` takes it.

    Args:
        language: that was asked for, by its code.
        pretokenised: whether words stand between white space.
        words: how the text of the model's dataset became words; it holds unless another language is
            asked for. A dataset that came in words says nothing, and its language is taken to be
            English.

    Raises:
        SuiteError: both were asked for.
    """
    if language is not None and pretokenised:
        raise SuiteError(
            "--pretokenised leaves words as they are, and --language would split them",
            remedy="Give one of the two.",
        )
    if pretokenised:
        return None
    if language is None or words == f"{SPACY}{language}":
        return words or f"{SPACY}en"
    return CHARACTERS if language in BY_CHARACTER else f"{SPACY}{language}"


def _piece(text: str, places: list[Place]) -> Piece:
    starts, ends = zip(*places, strict=True)
    return Piece(tuple([text[start:end] for start, end in places]), starts, ends)


def spaced(words: tuple[str, ...]) -> Piece:
    """Words with their places in the text that has a single space between them."""
    bounds = (*accumulate(map((1).__add__, map(len, words)), initial=0),)
    return Piece(words, bounds[:-1], (*map((-1).__add__, bounds[1:]),))


def without_surrogates(text: str) -> str:
    """A text of the same length that UTF-8 has: each half of a character becomes U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub(NO_CHARACTER, text)


def _sentences_of_characters(text: str) -> Iterator[list[Place]]:
    for sentence in _CHARACTER_SENTENCE.finditer(text):
        start = sentence.start()
        yield [(i, i + 1) for i, c in enumerate(sentence[0], start) if not c.isspace()]


class _SpacyRules:
    """spaCy's tokenizer for a language with the rule of its sentencizer."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._begin(spacy_rules(language))

    def _begin(self, pipeline: Any) -> None:
        from spacy.attrs import IDX, IS_PUNCT, IS_SPACE, LENGTH  # noqa: PLC0415 - a second
        from spacy.pipeline import Sentencizer  # noqa: PLC0415

        self._attributes = [IDX, LENGTH, IS_SPACE, IS_PUNCT]
        self._marks = frozenset(Sentencizer.default_punct_chars)
        self._tokenize: Callable[[str], Any] = pipeline.tokenizer
        self._strings = pipeline.vocab.strings
        self._most_strings = len(self._strings) + MOST_STRINGS

    def sentences(self, text: str) -> Iterator[list[Place]]:
        """The words of each sentence.

        As `spacy.pipeline.Sentencizer` has it, a sentence ends before the first token after one of
        its marks that is neither a mark nor punctuation. Its own code needs the whole text at once.
        """
        sentence: list[Place] = []
        marked = False
        for start, end, is_space, is_punctuation in self._tokens(without_surrogates(text)):
            is_mark = text[start:end] in self._marks
            new_paragraph = is_space and _EMPTY_LINE.search(text, start, end) is not None
            if new_paragraph or (marked and not is_punctuation and not is_mark):
                yield sentence
                sentence, marked = [], False
            elif is_mark:
                marked = True
            if not is_space:
                sentence.append((start, end))
        yield sentence

    def _tokens(self, text: str) -> Iterator[tuple[int, int, int, int]]:
        """Start, end, whether it is white space and whether it is punctuation, of each token."""
        for first, last in windows(text, WINDOW):
            if len(self._strings) > self._most_strings:
                spacy_rules.cache_clear()
                self._begin(spacy_rules(self._language))
            found = self._tokenize(text[first:last]).to_array(self._attributes).tolist()
            for offset, length, is_space, is_punctuation in found:
                start = first + offset
                yield start, start + length, is_space, is_punctuation


@cache
def _rules(language: str) -> _SpacyRules:
    return _SpacyRules(language)


def windows(text: str, size: int) -> Iterator[Place]:
    """Parts of a text that a tokenizer splits as it splits the whole, but for endless runs.

    Args:
        text: of any length.
        size: of a part in characters, at most; more than `LONGEST_RUN`.

    Returns:
        Start and end of each; between two of them a single space may be left out.
    """
    place = 0
    for run in _LONG_RUN.finditer(text):
        yield from _at_blanks(text, place, run.start(), size)
        for start in range(run.start(), run.end(), LONGEST_RUN):
            yield start, min(start + LONGEST_RUN, run.end())
        place = run.end()
    yield from _at_blanks(text, place, len(text), size)


def _at_blanks(text: str, start: int, end: int, size: int) -> Iterator[Place]:
    while end - start > size:
        cut = start + size
        while not text[cut].isspace():
            cut -= 1
        while cut > start and text[cut - 1].isspace():
            cut -= 1
        if cut <= start:  # nothing but blanks
            cut = start + size
        yield start, cut
        # A single space is part of no token, unless a text begins with it.
        start = cut + (text[cut] == " " and not text[cut + 1 : cut + 2].isspace())
    if start < end:
        yield start, end

"""Words keep their place in the text, however it is split."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import SuiteError
from suite.extraction import text as splitting
from suite.extraction.text import LONGEST_RUN, Piece, Splitter, windows, words_asked

WAYS = ("spacy:en", "spacy:de", "characters", None)
MAX_WORDS = 7
TEXTS = (
    st.text()
    | st.text(alphabet="aB.'\"!? \n\r\t-)(1,\u00a0\u3000。中😀\ud83d\x00")
    | st.lists(
        st.sampled_from(["Don't", "U.S.", "said.", '"Yes!"', " ", "\n\n", "\r\n", "e.g.", "…", ")"])
    ).map(" ".join)
)


def words_of(pieces: list[Piece]) -> list[str]:
    return [word for piece in pieces for word in piece.words]


def sentences_of(text: str, way: str | None) -> list[str]:
    return [" ".join(piece.words) for piece in Splitter(way, 100).pieces(text)]


@pytest.mark.parametrize("way", WAYS)
@given(text=TEXTS)
def test_every_character_but_blanks_lies_in_one_word(way: str | None, text: str) -> None:
    pieces = Splitter(way, MAX_WORDS).pieces(text)
    assert "".join(words_of(pieces)) == "".join(text.split())
    last = 0
    for piece in pieces:
        assert 0 < len(piece.words) <= MAX_WORDS
        assert len(piece.words) == len(piece.starts) == len(piece.ends)
        for word, start, end in zip(*piece, strict=True):
            assert last <= start < end
            assert word == text[start:end]
            last = end


@pytest.fixture(scope="module")
def spacy_pipeline() -> Any:
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline


@given(text=TEXTS.filter(lambda text: "\ud83d" not in text and text.isprintable()))
def test_sentences_are_those_of_spacy(spacy_pipeline: Any, text: str) -> None:
    """But for empty lines, which end sentences here."""
    theirs = [[t.text for t in s if not t.is_space] for s in spacy_pipeline(text).sents]
    ours = [list(piece.words) for piece in Splitter("spacy:en", 10**6).pieces(text)]
    assert ours == [words for words in theirs if words]


@given(text=TEXTS)
def test_a_text_in_windows_has_the_same_pieces(text: str) -> None:
    long = text * 40
    whole = Splitter("spacy:en", 50).pieces(long)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "WINDOW", LONGEST_RUN + 1)
        if not any(len(run) > LONGEST_RUN for run in long.split()):
            assert Splitter("spacy:en", 50).pieces(long) == whole


@given(text=TEXTS.map(lambda text: text * 40))
def test_windows_leave_out_nothing_but_single_spaces(text: str) -> None:
    places = [*windows(text, LONGEST_RUN + 1), (len(text), len(text))]
    assert all(0 < end - start <= LONGEST_RUN + 1 for start, end in places[:-1])
    assert {text[a:b] for (_, a), (b, _) in itertools.pairwise([(0, 0), *places])} <= {"", " "}


def test_english() -> None:
    text = 'He said: "Don\'t go to St. Moritz!" She went.\r\n\r\nA headline\r\n\r\nSee x.org 😀 now'
    assert sentences_of(text, "spacy:en") == [
        'He said : " Do n\'t go to St. Moritz ! "',
        "She went .",
        "A headline",
        "See x.org 😀 now",
    ]


def test_characters() -> None:
    text = "张三住在 北京。“他来吗？”是！！\n日本"
    found = sentences_of(text, "characters")
    assert [s.replace(" ", "") for s in found] == [
        "张三住在北京。",
        "“他来吗？”",
        "是！！",
        "日本",
    ]


def test_white_space() -> None:
    assert sentences_of("a-b c.  d\u3000e\n", None) == ["a-b c. d e"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", ["", " ", "\r\n \n", "\u2028"])
def test_a_text_without_words_has_no_pieces(way: str | None, text: str) -> None:
    assert Splitter(way, 5).pieces(text) == []


def test_a_long_sentence_is_cut() -> None:
    pieces = Splitter(None, 3).pieces("a b c d e f g")
    assert [piece.words for piece in pieces] == [("a", "b", "c"), ("d", "e", "f"), ("g",)]
    assert pieces[2].starts == (12,)


@pytest.mark.parametrize("way", ["spacy:en", "characters", None])
@pytest.mark.parametrize(
    "text",
    ["word " * 50_000, ")" * 20_000, "It is so. " * 110_000, " " * 1_500_000],
    ids=["words", "run", "megabytes", "blanks"],
)
def test_a_text_of_any_size_is_split_in_time(way: str | None, text: str) -> None:
    """By itself, spaCy refuses a million characters, and takes a minute for 20,000 brackets."""
    started = time.process_time()
    pieces = Splitter(way, 100).pieces(text)
    assert time.process_time() - started < 20
    assert sum(len(word) for piece in pieces for word in piece.words) == len(text.replace(" ", ""))


def test_spacy_does_not_remember_every_word_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MOST_STRINGS", 100)
    splitting._rules.cache_clear()
    rules = splitting._rules("en")
    first = rules._strings
    for number in range(300):
        assert len(Splitter("spacy:en", 5).pieces(f"name{number} is here")) == 1
    assert rules._strings is not first
    assert len(rules._strings) < len(first) + 150
    splitting._rules.cache_clear()


@pytest.mark.parametrize("way", ["spacy:qq", "spacy:", "letters", "spacy:../en"])
def test_a_way_that_there_is_not_is_refused(way: str) -> None:
    with pytest.raises(SuiteError):
        Splitter(way, 5)


@pytest.mark.parametrize(
    ("language", "pretokenised", "words", "found"),
    [
        (None, False, None, "spacy:en"),
        (None, False, "characters", "characters"),
        (None, True, "characters", None),
        ("de", False, None, "spacy:de"),
        ("de", False, "spacy:en", "spacy:de"),
        ("zh", False, None, "characters"),
        ("zh", False, "spacy:zh", "spacy:zh"),
    ],
)
def test_how_text_becomes_words(
    language: str | None, pretokenised: bool, words: str | None, found: str | None
) -> None:
    assert words_asked(language, pretokenised=pretokenised, words=words) == found


def test_one_way_at_a_time() -> None:
    with pytest.raises(SuiteError, match="Give one of the two"):
        words_asked("en", pretokenised=True, words=None)

"""Parsers by name, what they make of odd words, and trees that are kept on disk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.datasets.catalogue.fetch import CACHE_DIR
from suite.errors import SuiteError
from suite.modelling.parsers import (
    BLANK,
    KEPT_FROM,
    Chain,
    DependencyParser,
    KeptTrees,
    SpacyParser,
    find_parser,
)
from tests.corpus import SENTENCES

MANY = [(f"w{i}", "and", f"v{i}")[: 1 + i % 3] for i in range(2 * KEPT_FROM)]
TEXT = ["Ada", "wrote", "the", "first", "program", "in", "London", "."]
TWO = ["Oslo", "is", "big", ".", "Bergen", "is", "small", "."]


class Counting(DependencyParser):
    """Every word depends on the last one; says how many sentences it was asked for."""

    source = "counting 1.0"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        self.asked.append(len(sentences))
        return [[len(words) - 1] * len(words) for words in sentences]


@pytest.fixture
def untrained(tmp_path: Path) -> Callable[..., Path]:
    """Writes small pipelines with fresh weights: real files, and nothing downloaded."""

    def write(name: str, *components: str) -> Path:
        pipeline = spacy.blank("en")
        pipeline.meta["name"] = name
        for component in components:
            made = pipeline.add_pipe(component)
            if component != "tok2vec":
                made.add_label("LABEL")
        if components:
            pipeline.initialize()
        folder = tmp_path / name
        pipeline.to_disk(folder)
        return folder

    return write


def test_a_chain_of_words() -> None:
    parser = find_parser("chain")
    assert parser.source == "no parser: a chain of words"
    assert parser.heads([("one",), ("Why", "not", "?")]) == [[0], [0, 0, 1]]


def test_a_real_parser_finds_subject_and_object(parser_folder: Path) -> None:
    parser = find_parser(str(parser_folder), cached=False)
    assert parser.source.startswith(f"en_ewt 1.0.0 (spaCy {spacy.__version__}, SHA-256 ")
    wrote, program, london = 1, 4, 6
    heads = [wrote, wrote, program, program, wrote, london, wrote, wrote]
    assert parser.heads([TEXT]) == [heads]


def test_what_the_parser_splits_is_a_forest(parser_folder: Path) -> None:
    (heads,) = find_parser(str(parser_folder), cached=False).heads([TWO])
    roots = [i for i, head in enumerate(heads) if i == head]
    assert len(roots) == 2
    assert min(heads[4:]) >= 4, "no edge from one sentence to the other"


def test_trees_do_not_depend_on_the_sentences_beside_them(parser_folder: Path) -> None:
    parser = find_parser(str(parser_folder), cached=False)
    sentences = [s.words for s in SENTENCES] + [TEXT, TWO]
    assert parser.heads(sentences) == [parser.heads([words])[0] for words in sentences]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.text(max_size=4), max_size=6), max_size=4))
def test_any_words_have_a_head_each(parser_folder: Path, sentences: list[list[str]]) -> None:
    parser = _parser(parser_folder)
    trees = parser.heads(sentences)
    assert [len(tree) for tree in trees] == [len(words) for words in sentences]
    assert all(0 <= head < len(tree) for tree in trees for head in tree)


_parsers: dict[Path, DependencyParser] = {}


def _parser(folder: Path) -> DependencyParser:
    if folder not in _parsers:
        _parsers[folder] = find_parser(str(folder), cached=False)
    return _parsers[folder]


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u00a0"])
def test_a_word_without_a_letter_is_read_as_a_blank(parser_folder: Path, blank: str) -> None:
    parser = _parser(parser_folder)
    assert parser.heads([["Oslo", blank, "grew"]]) == parser.heads([["Oslo", BLANK, "grew"]])


def test_half_a_character_does_not_stop_the_parser(parser_folder: Path) -> None:
    assert len(_parser(parser_folder).heads([["Oslo", "\ud800", "grew"]])[0]) == 3


def test_only_what_the_parser_reads_from_is_run(untrained: Callable[..., Path]) -> None:
    pipeline = spacy.load(untrained("full", "tok2vec", "tagger", "parser", "ner"))
    parser = SpacyParser(pipeline)
    assert pipeline.pipe_names == ["tok2vec", "parser"]
    assert len(parser.heads([TEXT])[0]) == len(TEXT)


def test_another_files_content_is_another_source(untrained: Callable[..., Path]) -> None:
    folder = untrained("small", "parser")
    before = find_parser(str(folder)).source
    assert find_parser(str(folder)).source == before
    # Meta data have no part in what the pipeline computes, and yet are part of the files.
    (folder / "meta.json").write_text((folder / "meta.json").read_text() + "\n")
    assert find_parser(str(folder)).source != before


def test_a_pipeline_without_a_parser_is_named(untrained: Callable[..., Path]) -> None:
    folder = untrained("tags", "tok2vec", "tagger")
    with pytest.raises(SuiteError, match="no dependency parser, only: tok2vec, tagger") as caught:
        find_parser(str(folder))
    assert "--parser chain" in str(caught.value)
    with pytest.raises(SuiteError, match="only: nothing"):
        find_parser(str(untrained("blank")))


def test_a_pipeline_that_is_not_installed_is_named() -> None:
    with pytest.raises(
        SuiteError, match="'en_no_such' is neither installed nor a folder"
    ) as caught:
        find_parser("en_no_such")
    for advice in ("python -m spacy download en_no_such", "--parser FOLDER", "--parser chain"):
        assert advice in str(caught.value)


@pytest.mark.parametrize("content", [{}, {"meta.json": "{"}, {"config.cfg": "[nlp]", "x": ""}])
def test_a_folder_that_is_no_pipeline_is_named(tmp_path: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SuiteError, match="does not load: ") as caught:
        find_parser(str(tmp_path))
    assert "config.cfg" in str(caught.value)


def test_missing_spacy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    assert isinstance(find_parser("chain"), Chain), "a chain needs no spaCy"
    with pytest.raises(SuiteError, match="pip install spacy"):
        find_parser("en_core_web_sm")


def test_a_split_is_parsed_once_and_then_read(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    trees = KeptTrees(first, tmp_path / "trees").heads(MANY)
    assert trees == Counting().heads(MANY)
    assert len(list((tmp_path / "trees").iterdir())) == 1
    assert KeptTrees(second, tmp_path / "trees").heads(MANY) == trees
    assert first.asked == [len(MANY)]
    assert second.asked == []


def test_another_text_or_parser_has_a_file_of_its_own(tmp_path: Path) -> None:
    KeptTrees(Counting(), tmp_path).heads(MANY)
    joined = [("".join(words),) for words in MANY]  # the same characters in other words
    other = Counting()
    KeptTrees(other, tmp_path).heads(joined)
    newer = Counting()
    newer.source = "counting 1.1"
    KeptTrees(newer, tmp_path).heads(MANY)
    assert other.asked
    assert newer.asked
    assert len(list(tmp_path.iterdir())) == 3


def test_small_calls_leave_nothing_on_disk(tmp_path: Path) -> None:
    parser = Counting()
    kept = KeptTrees(parser, tmp_path / "trees")
    kept.heads(MANY[: KEPT_FROM - 1])
    assert not (tmp_path / "trees").exists()
    kept.heads(MANY[:5])
    assert parser.asked == [KEPT_FROM - 1], "within a process they are not parsed again"


@pytest.mark.parametrize("damage", ["cut", "emptied", "changed", "lengthened"])
def test_a_damaged_file_is_parsed_anew_and_replaced(tmp_path: Path, damage: str) -> None:
    trees = KeptTrees(Counting(), tmp_path).heads(MANY)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    changed = whole[:-1] + bytes([whole[-1] ^ 1])
    broken = {"cut": whole[:-7], "emptied": b"", "changed": changed, "lengthened": whole + b"\0"}
    file.write_bytes(broken[damage])
    parser = Counting()
    assert KeptTrees(parser, tmp_path).heads(MANY) == trees
    assert parser.asked
    assert file.read_bytes() == whole


def test_what_is_given_back_is_the_callers_own(tmp_path: Path) -> None:
    kept = KeptTrees(Counting(), tmp_path)
    kept.heads(MANY)[0][0] = 99
    assert kept.heads(MANY) == Counting().heads(MANY)


def test_a_cache_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="dependency trees are not kept"):
        trees = KeptTrees(Counting(), tmp_path / "file").heads(MANY)
    assert trees == Counting().heads(MANY)


def test_trees_lie_in_the_users_cache_unless_they_are_timed(
    untrained: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_DIR, str(tmp_path / "cache"))
    folder = str(untrained("small", "parser"))
    timed = find_parser(folder, cached=False).heads(MANY)
    assert not (tmp_path / "cache").exists()
    assert find_parser(folder).heads(MANY) == timed
    (file,) = (tmp_path / "cache").rglob("*.*")
    assert file.parent.name == "trees"

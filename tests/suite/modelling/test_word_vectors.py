"""Word vectors: read alike from every packing, read once, and kept for the words of a dataset."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from suite.errors import SuiteError
from suite.files import content_digest
from suite.modelling import vector_lines as module
from suite.modelling.word_vectors import (
    PADDING,
    UNKNOWN,
    VectorsFile,
    WordVectors,
    random_vectors,
    vocabulary_of,
)

TRAIN = [("The", "cat", "sat"), ("a", "dog", "sat")]
LINES = "the 1 2\ncat 3 4\ndog 5 6\nbird 7 8\nThe 9 9\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache in which nothing is kept yet."""
    monkeypatch.setenv("RE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "vectors"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened as vectors, as often as they are."""
    names: list[str] = []

    class Counting(io.FileIO):
        def __init__(self, path: Path) -> None:
            names.append(path.name)
            super().__init__(path)

    monkeypatch.setattr(module.io, "FileIO", Counting)
    return names


def load(path: Path, others: Sequence[Sequence[str]] = (), *, trained: bool = False) -> WordVectors:
    return VectorsFile(path).load(vocabulary_of(TRAIN, others), trained)


@pytest.fixture(params=[".txt", ".txt.gz", ".zip"])
def vector_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"glove.2d{request.param}"
    if request.param == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("glove.2d.txt", LINES)
    elif request.param.endswith(".gz"):
        path.write_bytes(gzip.compress(LINES.encode()))
    else:
        path.write_text(LINES)
    return path


def test_vectors_are_read_alike_from_every_packing(vector_file: Path) -> None:
    found = load(vector_file, [("Dog", "fish")])
    assert found.matrix is not None
    rows = found.look_up(["The", "the", "CAT", "Dog", "bird", "fish", "sat"])
    assert found.matrix[rows].tolist() == [
        [9, 9],  # as written before lowercased
        [1, 2],
        [3, 4],
        [5, 6],
        [0, 0],  # in the file, but no word of the dataset
        [0, 0],
        [0, 0],
    ]
    assert rows[4:] == [UNKNOWN] * 3
    assert found.coverage == pytest.approx(3 / 6), "of the training tokens: The, cat, dog"
    assert not found.matrix[PADDING].any()


def test_word2vecs_heading_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "w2v.txt"
    path.write_text("2 2\ncat 3 4\ndog 5 6\n")
    assert load(path).width == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat 1 2\ndog 1 2 3\n", "line 2: 3 numbers where the lines before have 2"),
        (b"cat 1 x\n", "line 1: a field is not a number"),
        (b"bird 1 2\n", "holds no vector of any word of the dataset"),
        (b"caf\xe9 1 2\n", "is not UTF-8 text"),
        (b"", "holds no vector"),
        (b"cat nan 1\n", r"line 1: a number that is not finite \(NaN or infinite\)"),
        (b"cat 1 2\ndog 1 -inf\n", "line 2: a number that is not finite"),
        (b"cat 1 1e400\n", "line 1: a number that is not finite"),
        (b"cat 1  2\ndog 1 2 3\n", "line 1: 2 numbers where the lines before have 3"),
        (b"cat\ndog\n", "line 1: 0 numbers, where a word has 1 to 20000"),
        (b"cat" + b" 1" * 20_001, "line 1: 20001 numbers, where a word has 1 to 20000"),
        (b"cat 1 2\n" + b"dog 1 " * 2**18, "line 2: has 1,048,576 bytes or more"),
    ],
)
def test_broken_vectors_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=message) as caught:
        load(path)
    assert "vectors.txt" in str(caught.value)


def zipped(path: Path, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path.read_bytes()


def refused(path: Path, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value.where)
    assert caught.value.remedy


def test_odd_archives_are_named(tmp_path: Path) -> None:
    path = tmp_path / "v.zip"
    zipped(path, "v.csv", b"cat 1 2\n")
    refused(path, "holds no .txt file")
    whole = zipped(path, "v.txt", b"cat 1 2\n" * 50)
    local, central = 0, whole.index(b"PK\x01\x02")

    def changed(offset: int, value: int) -> None:
        content = bytearray(whole)
        content[local + 6 + offset] = content[central + 8 + offset] = value
        path.write_bytes(content)

    changed(0, 1)
    refused(path, "'v.txt' in it is encrypted")
    changed(2, 99)
    refused(path, "word vectors cannot be read: ")
    for end in range(1, len(whole), 5):
        path.write_bytes(whole[:end])
        refused(path, "word vectors cannot be read: ")
    packed = gzip.compress(b"cat 1 2\n" * 50)
    path = tmp_path / "v.gz"
    for end in range(1, len(packed), 5):
        path.write_bytes(packed[:end])
        refused(path, "word vectors cannot be read: ")


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "v.txt")
    refused(tmp_path / "v.txt", "is no regular file")


@pytest.mark.parametrize("packing", ["zip", "gz"])
@pytest.mark.parametrize("line", [b"cat 1 2 3 4 5 6 7 8 9\n", b"\0"])
def test_what_unpacks_without_end_is_refused_at_once(
    tmp_path: Path, packing: str, line: bytes
) -> None:
    """A hundred megabytes of a hundred kilobytes: neither its memory nor its time is taken."""
    path, block = tmp_path / f"v.{packing}", line * (2**20 // len(line))
    if packing == "zip":
        zipped(path, "v.txt", block * 100)
    else:
        path.write_bytes(gzip.compress(block * 100))
    tracemalloc.start()
    refused(path, "unpacks to more than 20 times its size|has 1,048,576 bytes or more")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize("name", ["vectors.zip", "vectors.txt.gz", "absent.txt"])
def test_unreadable_vectors_are_named(tmp_path: Path, name: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"not packed")
    with pytest.raises(SuiteError, match="word vectors cannot be read"):
        load(tmp_path / name)


def test_random_vectors_leave_rare_words_to_the_unknown_one() -> None:
    found = random_vectors([("a", "A", "b"), ("c", "c", "d")], width=4)
    assert sorted(found.ids) == ["a", "c"]
    assert found.look_up(["A", "b", "zzz"]) == [found.ids["a"], UNKNOWN, UNKNOWN]
    assert found.coverage == pytest.approx(4 / 6)


def test_a_file_is_read_once(vector_file: Path, opened: list[str]) -> None:
    first = load(vector_file)
    before = list(opened)
    second = load(vector_file)
    assert opened == before, "read again"
    assert first.matrix is not None
    assert second.matrix is not None
    assert torch.equal(first.matrix, second.matrix)
    assert (first.ids, first.source, first.coverage) == (second.ids, second.source, second.coverage)


def test_the_digest_is_that_of_the_whole_file(vector_file: Path) -> None:
    assert VectorsFile(vector_file).source is None, "nothing is known of it before"
    load(vector_file)
    assert VectorsFile(vector_file).digest == content_digest(vector_file)


def test_the_wanted_words_are_collected_once() -> None:
    """They are looked at for every line of a file: collecting them anew is quadratic."""
    vocabulary = vocabulary_of([["A", "b"]], [["C"]])
    assert vocabulary.wanted == {"A", "a", "b", "C", "c"}
    assert vocabulary.wanted is vocabulary.wanted


def test_several_vocabularies_are_kept_in_one_pass(tmp_path: Path, opened: list[str]) -> None:
    path = tmp_path / "v.txt"
    path.write_text(LINES)
    vocabularies = [vocabulary_of([[word]], []) for word in ("cat", "dog", "Bird")]
    VectorsFile(path).keep(vocabularies)
    VectorsFile(path).keep(vocabularies)
    found = [VectorsFile(path).load(v, trained=False) for v in vocabularies]
    assert opened == ["v.txt"]
    tables = [v.matrix.tolist() for v in found if v.matrix is not None]
    assert tables == [[[0, 0], [0, 0], vector] for vector in ([3, 4], [5, 6], [7, 8])]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_text(LINES)
    first = load(path)
    path.write_text(LINES.replace("3 4", "4 3"))
    os.utime(path, ns=(1, 1))
    second = load(path)
    assert second.source != first.source
    assert second.matrix is not None
    assert second.matrix[second.ids["cat"]].tolist() == [4, 3]


@pytest.mark.parametrize("damage", [b"", b"no safetensors", None])
def test_what_is_damaged_in_the_cache_is_read_anew(
    tmp_path: Path, cache: Path, opened: list[str], damage: bytes | None
) -> None:
    path = tmp_path / "v.txt"
    path.write_text(LINES)
    first = load(path)
    (kept,) = cache.glob("*.safetensors")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else damage)
    second = load(path)
    assert first.matrix is not None
    assert second.matrix is not None
    assert torch.equal(first.matrix, second.matrix)
    assert len(opened) == 2
    load(path)
    assert len(opened) == 2, "it was mended"


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_text(LINES)
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="word vectors are not kept: .*vectors"):
        assert load(path).width == 2

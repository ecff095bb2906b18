"""Every text is read once, with its id and place, or there is a reason why not."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import SuiteError
from suite.extraction import inputs as reading
from suite.extraction import lines as splitting
from suite.extraction.inputs import Form, Inputs, Text
from suite.extraction.lines import BadRecordError, lines, lines_as_they_come, list_items


def read(*paths: str | Path, **form: Any) -> list[Text]:
    chunks = Inputs([str(path) for path in paths], Form(**form)).chunks()
    return [text for chunk in chunks for text in chunk]


def told(texts: list[Text]) -> list[tuple[str, str]]:
    """Id, and text or why there is none."""
    return [(text.id, text.failure or text.text) for text in texts]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True, parents=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.md.gz", "a"])
def test_lines_of_text(name: str) -> None:
    write(name, "\ufeffone\r\n\ntwo \u2028 parts\x00\nend")
    assert told(read(name)) == [
        (f"{name}:1", "one"),
        (f"{name}:2", ""),
        (f"{name}:3", "two \u2028 parts\x00"),
        (f"{name}:4", "end"),
    ]


def test_whole_files() -> None:
    write("d/b.txt", "one\r\ntwo\n")
    write("d/a.txt.gz", "\ufeffthree")
    write("d/c.jsonl", '{"text": "four"}\n')
    assert told(read("d", whole_files=True)) == [
        ("d/a.txt.gz", "three"),
        ("d/b.txt", "one\r\ntwo\n"),
        ("d/c.jsonl:1", "four"),
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json.gz", "a.ndjson"])
def test_json_lines(name: str) -> None:
    records = [
        '{"id": "x", "t": "one"}',
        "",
        '{"id": 7, "t": "two"}',
        '{"id": null, "t": "\\ud83d"}',
    ]
    write(name, "\n".join(records))
    assert told(read(name, field="t")) == [("x", "one"), ("7", "two"), (f"{name}:4", "\ud83d")]
    assert [text.record for text in read(name, field="t")] == [1, 3, 4]


BAD = {
    b'{"text": "a': "broken JSON: Unterminated string starting at at column 10",
    b'{"id": "k"}': "the field 'text' is missing",
    b'{"text": 5}': "the field 'text' is no text",
    b'"text"': "is no JSON object",
    b'{"text": "a", "id": [1]}': "its id is neither text nor a number",
    b'{"text": "\xff"}': "byte 10 (0xff) is not UTF-8",
    b"[" * 100_000: "JSON that is nested too deeply or has a number of thousands of digits",
    b'{"id": ' + b"1" * 5000 + b"}": "JSON that is nested too deeply or has a number of thousands",
}


@pytest.mark.parametrize("record", BAD)
def test_a_bad_record_is_a_failure_and_the_others_are_read(record: bytes) -> None:
    write("a.jsonl", b'{"text": "one"}\n' + record + b'\n{"text": "two"}\n')
    first, bad, last = read("a.jsonl")
    assert (first.text, last.text, last.record) == ("one", "two", 3)
    assert (bad.file, bad.record) == ("a.jsonl", 2)
    assert bad.id == ("k" if b'"k"' in record else "a.jsonl:2")
    assert bad.failure is not None
    assert bad.failure.startswith(BAD[record])


def test_text_that_is_not_utf8() -> None:
    write("a.txt", b"one\ntw\xe9\nthree")
    assert told(read("a.txt"))[1:] == [
        ("a.txt:2", "byte 2 (0xe9) is not UTF-8"),
        ("a.txt:3", "three"),
    ]
    assert told(read("a.txt", whole_files=True)) == [("a.txt", "byte 6 (0xe9) is not UTF-8")]


def test_a_list_of_json() -> None:
    write("a.json", '\ufeff [\n {"text": "one"} , 5,\n{"id": "x", "text": "two"}]')
    assert told(read("a.json")) == [
        ("a.json:1", "one"),
        ("a.json:2", "is no JSON object"),
        ("x", "two"),
    ]


def test_a_broken_list_ends_with_a_failure_and_other_files_are_read() -> None:
    write("a.json", '[{"text": "one"}, {"text": tw')
    write("b.txt", "two")
    first, bad, last = read("a.json", "b.txt")
    assert (first.text, last.text) == ("one", "two")
    assert (bad.id, bad.record) == ("a.json:2", 2)
    assert bad.failure == (
        "broken JSON: Expecting value, and the file ends; what follows it in the file is not read"
    )


@given(
    items=st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.none()))),
    indent=st.sampled_from([None, 1]),
    block=st.integers(1, 50),
)
def test_a_list_is_read_in_parts_of_any_size(
    items: list[Any], indent: int | None, block: int
) -> None:
    content = json.dumps(items, indent=indent, ensure_ascii=False).encode("utf-8", "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "BLOCK", block)
        assert list(list_items(io.BytesIO(content))) == json.loads(content)


@given(content=st.binary() | st.text(alphabet="a\r\n").map(str.encode), block=st.integers(1, 20))
def test_lines_as_they_come_are_those_of_a_file(content: bytes, block: int) -> None:
    reading_end, writing_end = os.pipe()
    os.write(writing_end, content)
    os.close(writing_end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "BLOCK", block)
        found = [line for some in lines_as_they_come(reading_end) for line in some]
    os.close(reading_end)
    assert found == list(lines(io.BytesIO(content)))


def test_what_is_too_large_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "LARGEST", 5)
    monkeypatch.setattr(reading, "LARGEST", 5)
    content = b"12345\n123456\nab\n" + b"x" * 100
    write("a.txt", content)
    expected = ["12345", splitting.TOO_LARGE, "ab", splitting.TOO_LARGE]
    assert [text.failure or text.text for text in read("a.txt")] == expected
    assert [text.failure for text in read("a.txt", whole_files=True)] == [splitting.TOO_LARGE]
    reading_end, writing_end = os.pipe()
    os.write(writing_end, content)
    os.close(writing_end)
    (found,) = lines_as_they_come(reading_end)
    os.close(reading_end)
    assert found == [b"12345", None, b"ab", None]
    monkeypatch.setattr(splitting, "BLOCK", 5)
    with pytest.raises(BadRecordError, match="or broken JSON"):
        list(list_items(io.BytesIO(b'["' + b"x" * 100)))


def write_parquet(path: str, **columns: list[Any]) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return Path(path)


def test_parquet() -> None:
    write_parquet("a.parquet", id=[5, None], body=["one", None], other=[1.5, 2.5])
    assert told(read("a.parquet", field="body")) == [
        ("5", "one"),
        ("a.parquet:2", "the field 'body' is no text"),
    ]


def test_parquet_without_the_column() -> None:
    write_parquet("a.parquet", body=["one"], size=[1])
    with pytest.raises(SuiteError, match=r"a.parquet: has no column 'text'. Name one with .*body"):
        read("a.parquet")
    with pytest.raises(SuiteError, match="the column 'size' is of the type int64, and texts are"):
        read("a.parquet", field="size")


def test_a_compressed_file_that_is_cut_off() -> None:
    texts = "".join(f"{os.urandom(16).hex()}\n" for _ in range(9000))
    whole = write("a.txt.gz", texts).read_bytes()
    Path("a.txt.gz").write_bytes(whole[: len(whole) // 2])
    write("b.txt", "last")
    found = read("a.txt.gz", "b.txt")
    assert [text.text for text in found[:-2]] == texts.split("\n")[: len(found) - 2]
    assert 1000 < len(found) < 9000
    assert found[-2].failure is not None
    assert found[-2].failure.startswith("from here on the file cannot be read: Compressed file")
    assert found[-1].text == "last"


def test_a_folder_is_read_in_order() -> None:
    for name in ("d/2.txt", "d/10.txt", "d/a/x.jsonl", "d/.hidden.txt", "d/b.pdf", "d/.git/y.txt"):
        write(name, '{"text": "t"}')
    assert [text.file for text in read("d")] == ["d/10.txt", "d/2.txt", "d/a/x.jsonl"]


def refused(path: str, *others: str, **form: Any) -> str:
    with pytest.raises(SuiteError) as error:
        read(path, *others, **form)
    return str(error.value)


def test_what_cannot_be_read_is_refused_before_anything_is() -> None:
    write("a.txt", "one")
    assert "nowhere.txt: cannot be read: No such file" in refused("a.txt", "nowhere.txt")
    write("b.docx", "PK")
    assert "b.docx: is of no kind that is known by its ending. Rename it" in refused("b.docx")
    Path("empty").mkdir()
    assert "empty: holds no file that can be read. Such files end in" in refused("empty")
    os.mkfifo("pipe.txt")
    assert "cannot be read: it is no regular file" in refused("pipe.txt")
    write("c.parquet", "no")
    assert "c.parquet: is no whole parquet file" in refused("c.parquet")
    write("d.txt", "one".encode("utf-16"))
    assert "d.txt: is UTF-16 or UTF-32" in refused("d.txt")
    assert "empty/../a.txt: is read already, as a.txt. Name each" in refused(
        "a.txt", "./empty/../a.txt"
    )
    assert "standard input (-) is named beside" in refused("-", "a.txt")
    assert "--whole-files asks for files" in refused("-", whole_files=True)
    assert "a.txt: holds text, and this model needs the entities" in refused(
        "a.txt", documents=True
    )


DOCUMENT: dict[str, Any] = {
    "title": "T",
    "sents": [["Ann", "left", "."], ["She", "saw", "Rome"]],
    "vertexSet": [
        [{"name": "Ann", "pos": [0, 1], "sent_id": 0, "type": "PER"}],
        [{"name": "Rome", "pos": [2, 3], "sent_id": 1, "type": "LOC"}],
    ],
    "labels": "left out, whatever they are",
}


@pytest.mark.parametrize("form", ["list", "lines"])
def test_documents(form: str) -> None:
    bad = {**DOCUMENT, "vertexSet": [[]]}
    records = [DOCUMENT, bad, {"text": "one"}, {**DOCUMENT, "id": "own"}]
    content = json.dumps(records) if form == "list" else "\n".join(map(json.dumps, records))
    write("a.json", content)
    first, second, third, last = read("a.json", documents=True)
    assert (first.id, first.text, last.id) == ("T", "Ann left . She saw Rome", "own")
    assert first.document is not None
    assert first.document.entities[1].mentions[0].span == (5, 6)
    assert (second.id, second.failure) == ("T", "vertexSet.0: the entity has no mention")
    assert (third.id, third.failure) == ("a.json:3", "sents: Field required")


def test_chunks_go_on_where_an_earlier_command_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK_TEXTS", 4)
    monkeypatch.setattr(reading, "CHUNK_CHARACTERS", 30)
    write("a.txt", "\n".join(["1", "2", "3" * 30, "4", "5", "6", "7", "8", "9"]))
    inputs = Inputs(["a.txt"], Form())
    chunks = [[text.record for text in chunk] for chunk in inputs.chunks()]
    assert chunks == [[1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert inputs.bytes_read == inputs.bytes_in_all == Path("a.txt").stat().st_size
    rest = [[text.record for text in chunk] for chunk in inputs.chunks(leave_out=3)]
    assert rest == chunks[1:]


def test_another_content_or_form_is_another_input() -> None:
    path = write("a.txt", "one")

    def fingerprint(**form: Any) -> str:
        return Inputs(["a.txt"], Form(**form)).fingerprint()

    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(whole_files=True) != first
    os.utime(path, ns=(1, 1))
    assert fingerprint() != first


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.txt.gz"])
def test_memory_does_not_grow_with_a_file(name: str) -> None:
    def content(count: int) -> Iterator[str]:
        yield from (f'{{"text": "{number:0100}"}}' for number in range(count))

    def peak(count: int) -> int:
        text = "\n".join(content(count))
        write(name, f"[{','.join(content(count))}]" if name == "a.json" else text)
        del text
        tracemalloc.start()
        read_now = sum(len(chunk) for chunk in Inputs([name], Form()).chunks())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert read_now == count
        return most

    assert peak(30_000) < 1.2 * peak(10_000)

"""The command `extract-relations` as a process, with a model that needs no training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.cli.extract_progress import Pace
from suite.extraction.extract import Progress
from tests import tiny
from tests.suite.extraction import fake

COUNT = 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "a.txt").write_text("".join(f"Ann{i} in Rome.\n" for i in range(COUNT)))
    return folder


def run(
    folder: Path,
    *arguments: str,
    stdin: Path | None = None,
    english: bool = False,
    **env: str,
) -> tiny.Ended:
    """How the command ends; only where the text is English, spaCy is waited for."""
    ways = {"--language", "--pretokenised"} & {*arguments}
    given = arguments if english or ways else (*arguments, "--pretokenised")
    environment = tiny.environment(**env)
    return tiny.forked(fake.command, given, stdin, folder=folder, env=environment, seconds=60)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rows_of_a_file(folder: Path) -> None:
    ended = run(folder, "triples", "a.txt", "--out", "rows.jsonl")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    assert ended.err.startswith(f"{COUNT} texts in ")
    found = rows(folder / "rows.jsonl")
    assert [row["id"] for row in found] == [f"a.txt:{i}" for i in range(1, COUNT + 1)]
    assert all(len(row["triples"]) == 1 for row in found)
    assert {path.name for path in folder.iterdir()} == {"a.txt", "rows.jsonl"}


def test_a_real_text(folder: Path) -> None:
    """Every surface stands where its row says."""
    text = (
        'The "state-of-the-art" lab (see https://x.org/a?b=c) lies in Bern—said Dr. Lee—at night. '
        "She'd moved in 2019, at home in Rome 😀, to the U.S.\r\n\r\n"
        "\r\n« Où? » in Paris\u00a0!\r\n" + "word in place " * 17_000
    )
    (folder / "a.txt").write_bytes(text.encode())
    options = ["--whole-files", "--with-text", "--out", "rows.jsonl"]
    ended = run(folder, "triples", "a.txt", *options, english=True)
    assert ended.code == 0, ended.err
    (row,) = rows(folder / "rows.jsonl")
    assert row["text"] == text
    assert len(row["triples"]) > 10_000
    for triple in row["triples"]:
        for side in (triple["head"], triple["tail"]):
            assert text[side["start"] : side["end"]] == side["text"]


def test_failures_are_listed(folder: Path) -> None:
    (folder / "b.jsonl").write_text(
        f'{{"id": 1, "t": "a in b"}}\n{{"t": "{fake.FAILS}"}}\n{{"id": 3'
    )
    ended = run(folder, "triples", "b.jsonl", "--text-field", "t", "--out", "out/rows.jsonl")
    assert ended.code == 1
    assert ended.err.endswith("failed: 2 texts: out/rows.jsonl.errors.jsonl\n")
    assert [row["id"] for row in rows(folder / "out/rows.jsonl")] == ["1"]
    assert [
        (row["id"], row["error"][:11]) for row in rows(folder / "out/rows.jsonl.errors.jsonl")
    ] == [
        ("b.jsonl:2", "RuntimeErro"),
        ("b.jsonl:3", "broken JSON"),
    ]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_killed_and_given_again(folder: Path, name: str) -> None:
    """By SIGKILL, at five moments; no row is lost or doubled, and about one pass is made."""
    command = ["triples", "a.txt", "--out", name]
    for moment in (2, 1, 3, 2, 4):
        killed = run(folder, *command, CHUNK_TEXTS="9", KILLED_AT=str(moment))
        assert killed.code == -9
        assert not (folder / name).exists()
    ended = run(folder, *command, CHUNK_TEXTS="9")
    assert ended.code == 0, ended.err
    # A process answers one chunk less than it is killed at.
    done = 9 * (1 + 0 + 2 + 1 + 3)
    assert f"{done} texts were read before; going on after them" in ended.err
    assert f"{COUNT - done} texts in" in ended.err
    if name.endswith(".parquet"):
        import pyarrow.parquet

        found = pyarrow.parquet.read_table(folder / name).to_pylist()
    else:
        found = rows(folder / name)
    assert [row["record"] for row in found] == list(range(1, COUNT + 1))
    assert {path.name for path in folder.iterdir()} == {"a.txt", name}


def test_another_model_begins_anew(folder: Path) -> None:
    command = ["triples", "a.txt", "--out", "rows.jsonl"]
    assert run(folder, *command, CHUNK_TEXTS="9", KILLED_AT="3").code == -9
    ended = run(folder, *command, DIGEST="other")
    assert ended.code == 0
    assert (
        "rows.jsonl: what .rows.jsonl.partial holds is not used: the model was another" in ended.err
    )
    assert f"{COUNT} texts in" in ended.err
    assert len(rows(folder / "rows.jsonl")) == COUNT


def test_standard_input_to_standard_output(folder: Path) -> None:
    (folder / "in").write_bytes(b"Ann in Rome\r\n\nBo\xff\nBob in Bern")
    ended = run(folder, "triples", stdin=folder / "in")
    assert ended.code == 1
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["id"] for row in found] == ["stdin:1", "stdin:2", "stdin:4"]
    assert [len(row["triples"]) for row in found] == [1, 0, 1]
    assert "failed: stdin:3: byte 2 (0xff) is not UTF-8" in ended.err


def test_json_on_standard_input(folder: Path) -> None:
    (folder / "in").write_text('{"t": "Ann in Rome", "id": "x"}\n')
    ended = run(folder, "triples", "-", "--text-field", "t", stdin=folder / "in")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == ["x"]


@pytest.mark.slow
def test_rows_come_as_lines_do(folder: Path) -> None:
    """Each before the next line is given."""
    code = "import sys; from tests.suite.extraction import fake; fake.command(['triples', '-'])"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tiny.ROOT,
        env=tiny.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(1, 4):
            process.stdin.write(b"Ann in Rome\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == f"stdin:{number}"
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize("documents", [True, False])
def test_facts(folder: Path, documents: bool) -> None:
    if documents:
        mention = {"name": "Ann", "pos": [0, 1], "sent_id": 0, "type": "PER"}
        clusters = [[mention], [{**mention, "name": "Rome", "pos": [2, 3]}]]
        record = {"title": "T", "sents": [["Ann", "saw", "Rome"]], "vertexSet": clusters}
        (folder / "b.json").write_text(json.dumps([record]))
        ended = run(folder, "docre", "b.json", "--out", "rows.jsonl")
    else:
        (folder / "b.txt").write_text("Ann saw Rome")
        ended = run(folder, "docre", "b.txt", "--entities", "ner", "--out", "rows.jsonl")
    assert ended.code == 0, ended.err
    (row,) = rows(folder / "rows.jsonl")
    assert [(f["head"]["text"], f["tail"]["text"]) for f in row["facts"]] == [("Rome", "Ann")]


def test_scores(folder: Path) -> None:
    """Of a piece of three words: 0.33."""
    for number, (asked, found) in enumerate({"0.33": 1, "0.34": 0}.items()):
        name = f"{number}.jsonl"
        run(folder, "triples", "a.txt", "--min-score", asked, "--out", name)
        assert {len(row["triples"]) for row in rows(folder / name)} == {found}
    run(folder, "triples", "a.txt", "--min-precision", "0.8", "--out", "p.jsonl")
    assert {len(row["triples"]) for row in rows(folder / "p.jsonl")} == {0}


BAD: dict[str, tuple[list[str], str]] = {
    "model": (["nowhere", "a.txt"], "nowhere: holds no model."),
    "file": (["triples", "b.txt"], "b.txt: cannot be read: No such file or directory."),
    "language": (["triples", "a.txt", "--language", "qq"], "spaCy's rules for the language 'qq'"),
    "both": (["triples", "a.txt", "--language", "en", "--pretokenised"], "Give one of the two."),
    "scores": (
        ["triples", "a.txt", "--min-score", "0.5", "--min-precision", "0.5"],
        "Give one of the two.",
    ),
    "precision": (["triples", "a.txt", "--min-precision", "0.95"], "no score has a precision of"),
    "engine": (
        ["triples", "a.txt", "--engine", "onx"],
        "unknown engine 'onx'. Did you mean 'onnx'",
    ),
    "out": (["triples", "a.txt", "--out", "rows.csv"], "Name it rows.jsonl, or rows.parquet."),
    "there": (["triples", "a.txt", "--out", "a.json"], "a.json: is there already."),
    "unwritable": (["triples", "a.txt", "--out", "/proc/a.jsonl"], "/proc/a.jsonl: cannot be wr"),
    "entities": (["docre", "a.txt"], "a.txt: holds text, and this model needs the entities of"),
    "finder": (["docre", "a.txt", "--entities", "triples"], "triples: finds triples, and --entiti"),
    "given": (["triples", "a.txt", "--entities", "ner"], "finds triples by itself"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_answered(folder: Path, case: str) -> None:
    arguments, message = BAD[case]
    (folder / "a.json").write_text("{}")
    ended = run(folder, *arguments)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert message in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_standard_output_on_a_full_disk(folder: Path) -> None:
    code = "from tests.suite.extraction import fake; fake.command(['triples', %r])"
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code % str(folder / "a.txt")],
            cwd=tiny.ROOT,
            env=tiny.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: standard output: cannot be written: No space left")


def test_the_pace_is_told() -> None:
    now = iter([0.0, 5.0, 10.0, 20.0])
    pace = Pace(lambda: next(now))
    assert pace.line(Progress(1000, 0, 100, 1000)) == "1,000 texts, 200 per second, 10 %"
    assert pace.line(Progress(3000, 2, 200, 1000)) == (
        "3,000 texts, 300 per second, 20 %, 0:40 left, 2 failed"
    )
    assert pace.line(Progress(4000, 0, 0, 0)) == "4,000 texts, 200 per second"


@pytest.mark.slow
def test_lines_are_printed_where_there_is_no_terminal(folder: Path) -> None:
    code = (
        "from runners.cli import extract_progress; extract_progress.SECONDS = 0;"
        "from tests.suite.extraction import fake;"
        f"fake.command(['triples', {str(folder / 'a.txt')!r}])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tiny.ROOT,
        env=tiny.environment(CHUNK_TEXTS="40"),
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, third, last = ended.stderr.splitlines()
    assert first.startswith("40 texts, ")
    assert second.startswith("80 texts, ")
    assert "left" in second
    assert "100 %" in third
    assert last.startswith("100 texts in ")

"""Rows appear whole, once each, whatever ends the command, and at whatever moment."""

from __future__ import annotations

import errno
import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from suite.errors import SuiteError
from suite.extraction import inputs as reading
from suite.extraction import outputs
from suite.extraction.extract import Progress, extract, one_by_one
from suite.extraction.inputs import Form, Inputs
from suite.extraction.outputs import Work, opened_output
from tests.suite.extraction.fake import FAILS, Fake, extractor

TEXTS = ["Ann in Rome", "", "nobody", f"it {FAILS}", "Bob at home 😀", "a in b", "c in d", "e"]
NAMES = ("rows.jsonl", "rows.parquet")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "CHUNK_TEXTS", 3)
    Path("a.txt").write_text("\n".join(TEXTS))


def work(**changes: Any) -> Work:
    values: dict[str, Any] = {
        "model": "d1",
        "options": {"min-score": "0.0"},
        "inputs": Inputs(["a.txt"], Form()).fingerprint(),
        "found": "triples",
        **changes,
    }
    return Work(**values)


def answered(name: str, reader: Fake | None = None, **changes: Any) -> list[str]:
    """Does all the work that is left; what the user is told."""
    with opened_output(Path(name), work(**changes)) as output:
        extract(Inputs(["a.txt"], Form()), one_by_one(extractor(model=reader)), output)
        return output.notes


def rows_of(name: str) -> list[dict[str, Any]]:
    if name.endswith(".parquet"):
        found: list[dict[str, Any]] = pyarrow.parquet.read_table(name).to_pylist()
        return found
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def files() -> set[str]:
    return {path.name for path in Path().iterdir()}


def assert_all_is_there(name: str) -> None:
    records = [row["record"] for row in rows_of(name)]
    assert records == [1, 2, 3, 5, 6, 7, 8]
    assert [len(row["triples"]) for row in rows_of(name)] == [1, 0, 0, 1, 1, 1, 0]
    (failure,) = rows_of(f"{name}.errors.jsonl")
    assert failure == {
        "id": "a.txt:4",
        "file": "a.txt",
        "record": 4,
        "error": "RuntimeError: it went off",
    }
    assert files() == {"a.txt", name, f"{name}.errors.jsonl"}


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_failures(name: str) -> None:
    assert answered(name) == []
    assert_all_is_there(name)
    assert rows_of(name)[3]["triples"][0]["head"] == {
        "start": 0,
        "end": 3,
        "text": "Bob",
        "type": None,
    }


def test_both_kinds_of_file_hold_the_same() -> None:
    for name in NAMES:
        answered(name)
    first, second = map(rows_of, NAMES)
    assert first == second


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["ner", "docre"])
def test_parquet_has_columns_for_every_task(name: str, task: Any) -> None:
    entities = Fake("ner") if task == "docre" else None
    answer = extractor(model=Fake(task), entities=entities, with_text=True)
    Path("a.txt").write_text("Ann and Bob and Ann\n\nCy")
    with opened_output(Path(name), work(found=answer.found, with_text=True)) as output:
        extract(Inputs(["a.txt"], Form()), one_by_one(answer), output)
    assert rows_of(name) == answer(next(Inputs(["a.txt"], Form()).chunks()))


class Killed(BaseException):
    """The end of a process, as far as one process can show it."""


def killed_at(moment: int, patch: pytest.MonkeyPatch, *, half: bool) -> Callable[[], int]:
    """Has the work end at a call of the system; gives how many calls there were."""
    calls = itertools.count(1)
    made = [0]

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if made[0] >= moment:
                raise Killed  # the dead do nothing more
            made[0] = next(calls)
            if made[0] == moment:
                if half and real is real_write:
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise Killed
            return real(*arguments, **named)

        return call

    real_write = os.write
    for name in ("write", "fsync", "ftruncate"):
        patch.setattr(os, name, counted(getattr(os, name)))
    for name in ("replace", "unlink"):
        patch.setattr(Path, name, counted(getattr(Path, name)))
    patch.setattr(outputs, "write_rows", counted(outputs.write_rows))
    return lambda: made[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("half", [False, True])
def test_killed_at_every_moment(name: str, half: bool) -> None:
    for moment in itertools.count(1):
        with pytest.MonkeyPatch.context() as patch:
            calls = killed_at(moment, patch, half=half)
            try:
                answered(name)
            except Killed:
                pass
            else:
                break
            assert calls() == moment
        if Path(name).exists() and not Path(f".{name}.partial.json").exists():
            # All was done, but for the lock.
            assert refused(name).startswith(f"{name}: is there already")
        else:
            answered(name)
        assert_all_is_there(name)
        for path in (name, f"{name}.errors.jsonl"):
            Path(path).unlink()
    assert moment > 20


def test_killed_again_and_again() -> None:
    """About one pass of work in all: no chunk that was noted is read again."""
    model, ends = Fake(), 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            killed_at(14, patch, half=True)
            try:
                answered("rows.jsonl", model)
                break
            except Killed:
                ends += 1
    assert_all_is_there("rows.jsonl")
    assert ends > 2
    pieces = sum(len(some) for some in model.asked if len(some) > 1)
    assert pieces < 3 * len(TEXTS)


def half_done(name: str = "rows.jsonl") -> None:
    """Ends after the second of three chunks."""
    seen = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), opened_output(Path(name), work()) as output:
        extract(Inputs(["a.txt"], Form()), one_by_one(extractor()), output, stop)
    assert (seen[1].texts, seen[1].failed) == (6, 1)
    assert not Path(name).exists()


def test_it_goes_on_and_says_so() -> None:
    half_done()
    model = Fake()
    assert answered("rows.jsonl", model) == ["6 texts were read before; going on after them"]
    assert model.asked == [[3, 1]]
    assert_all_is_there("rows.jsonl")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"model": "d2"}, "the model was another one"),
        ({"options": {"min-score": "0.5"}}, "options were others: --min-score"),
        ({"inputs": "else"}, "the input was another, or has changed"),
    ],
)
def test_another_work_begins_anew_and_says_so(changes: dict[str, Any], note: str) -> None:
    half_done()
    assert answered("rows.jsonl", **changes) == [
        f"what .rows.jsonl.partial holds is not used: {note}"
    ]
    assert_all_is_there("rows.jsonl")


@pytest.mark.parametrize(
    ("damage", "note"),
    [
        (lambda: os.truncate(".rows.jsonl.partial", 5), "a part of it is missing"),
        (Path(".rows.jsonl.partial.errors").unlink, "a part of it is missing"),
        (Path(".rows.jsonl.partial.json").unlink, "has no journal: all is read anew"),
        (lambda: Path(".rows.jsonl.partial.json").write_text("{"), "not a journal of this version"),
        (lambda: Path(".rows.jsonl.partial.json").write_text('{"format": 9}'), "of format 9"),
    ],
)
def test_what_is_damaged_is_read_anew(damage: Callable[[], object], note: str) -> None:
    half_done()
    damage()
    (said,) = answered("rows.jsonl")
    assert note in said
    assert_all_is_there("rows.jsonl")


def test_what_a_killed_write_left_is_cut() -> None:
    half_done()
    for end in ("", ".errors"):
        with Path(f".rows.jsonl.partial{end}").open("a") as file:
            file.write('{"id": "a.txt:7", "tri')
    answered("rows.jsonl")
    assert_all_is_there("rows.jsonl")


@pytest.mark.parametrize("full", ["write", "fsync"])
def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch, full: str) -> None:
    half_done()
    before = {name: Path(name).read_bytes() for name in files()}

    def refuse(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, full, refuse)
        with pytest.raises(SuiteError) as error:
            answered("rows.jsonl")
    assert str(error.value) == (
        "rows.jsonl: cannot be written: No space left on device. Free some space, or name another "
        "--out; the same command goes on where it stopped."
    )
    assert Path(".rows.jsonl.partial.json").read_bytes() == before[".rows.jsonl.partial.json"]
    assert answered("rows.jsonl") == ["6 texts were read before; going on after them"]
    assert_all_is_there("rows.jsonl")


def refused(name: str) -> str:
    with pytest.raises(SuiteError) as error:
        answered(name)
    return str(error.value)


def test_what_cannot_be_written_is_refused() -> None:
    Path("there.jsonl").write_text("mine")
    assert refused("there.jsonl").startswith("there.jsonl: is there already. Move or delete it")
    assert Path("there.jsonl").read_text() == "mine"
    Path("folder.jsonl").mkdir()
    assert refused("folder.jsonl").startswith("folder.jsonl: is there already.")
    assert refused("rows.csv").endswith("Name it rows.jsonl, or rows.parquet.")
    assert "a.txt/rows.jsonl: cannot be written: " in refused("a.txt/rows.jsonl")
    assert "cannot be written: " in refused("/proc/rows.jsonl")


def test_one_process_at_a_time() -> None:
    with opened_output(Path("rows.jsonl"), work()):
        assert refused("rows.jsonl").startswith("rows.jsonl: another process writes it.")
    answered("rows.jsonl")


def test_standard_input_to_a_file_begins_anew() -> None:
    half_done()
    (note,) = answered("rows.jsonl", inputs=None)
    assert note.endswith("standard input cannot be read again")
    assert_all_is_there("rows.jsonl")


def test_failures_of_an_earlier_work_do_not_stay() -> None:
    answered("rows.jsonl")
    Path("rows.jsonl").unlink()
    Path("a.txt").write_text("Ann in Rome")
    answered("rows.jsonl")
    assert files() == {"a.txt", "rows.jsonl"}


def test_without_pyarrow_json_lines_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    answered("rows.jsonl")
    assert_all_is_there("rows.jsonl")
    assert refused("rows.parquet") == (
        "parquet needs pyarrow, which is not installed. `pip install 'relation-suite[parquet]'`; "
        "JSON lines need nothing."
    )
    Path("b.parquet").write_text("any")
    with pytest.raises(SuiteError, match="parquet needs pyarrow"):
        Inputs(["b.parquet"], Form())

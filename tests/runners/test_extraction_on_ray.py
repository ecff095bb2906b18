"""Extraction by actors: the same rows as one process gives, whatever happens to an actor."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from suite.errors import SuiteError
from suite.extraction.extract import extract, one_by_one
from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Form, Inputs
from suite.extraction.outputs import Work, opened_output
from suite.extraction.text import Splitter
from tests import tiny
from tests.suite.extraction.fake import Fake

ray = pytest.importorskip("ray", reason="Ray is not installed: extraction on it is not checked")

from runners.extraction_on_ray import Pool, actors_of  # noqa: E402

pytestmark = pytest.mark.slow
TEXTS = 400


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    """Chunks of fifty texts, in the actors' processes, too."""
    from suite.extraction import inputs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "CHUNK_TEXTS", 50)
        patch.setenv("PYTHONPATH", str(tiny.ROOT))
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one, with a file of texts of which one is no UTF-8."""
    lines = [f"word{i} in Place{i} .".encode() for i in range(TEXTS)]
    lines[7] = b"\xff\xfe in x"
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines) + b"\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Slow(Fake):
    """Leaves the number of its process, and takes its time."""

    def predict(self, examples: Any, batch_size: int | None = None) -> Any:
        Path(f"pid-{os.getpid()}").touch()
        time.sleep(0.1)
        return super().predict(examples, batch_size)


def make() -> Extractor:
    return Extractor(Slow(), Splitter(None, 6), 4)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def work(inputs: Inputs) -> Work:
    return Work("d1", {}, inputs.fingerprint(), "triples")


def by_actors(out: Path, after_chunk: Any = lambda progress: None) -> None:
    inputs = Inputs(["a.txt"], Form())
    with (
        opened_output(out, work(inputs)) as output,
        actors_of(Pool(None, 2, 1), make) as answers,
    ):
        extract(inputs, answers, output, after_chunk)


def by_one(out: Path) -> None:
    inputs = Inputs(["a.txt"], Form())
    with opened_output(out, work(inputs)) as output:
        extract(inputs, one_by_one(make()), output)


def test_the_rows_are_those_of_one_process_though_an_actor_is_killed(folder: Path) -> None:
    by_one(folder / "one.jsonl")
    for path in folder.glob("pid-*"):
        path.unlink()
    killed: list[int] = []

    def kill_one(progress: Any) -> None:
        if not killed:
            killed.append(int(sorted(folder.glob("pid-*"))[0].name.removeprefix("pid-")))
            os.kill(killed[0], signal.SIGKILL)

    by_actors(folder / "two.jsonl", kill_one)
    assert killed
    for ending in ("jsonl", "jsonl.errors.jsonl"):
        two, one = (folder / f"{name}.{ending}" for name in ("two", "one"))
        assert two.read_bytes() == one.read_bytes()
    assert len(rows(folder / "two.jsonl")) == TEXTS - 1
    assert [row["record"] for row in rows(folder / "two.jsonl.errors.jsonl")] == [8]
    assert len(list(folder.glob("pid-*"))) >= 2, "one actor did all of the work"


def test_it_goes_on_where_it_was_stopped(folder: Path) -> None:
    by_one(folder / "one.jsonl")

    class StopError(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress.texts >= 100:
            raise StopError

    with pytest.raises(StopError):
        by_actors(folder / "two.jsonl", stop)
    assert not (folder / "two.jsonl").exists()
    answered = []
    by_actors(folder / "two.jsonl", lambda p: answered.append(p.texts))
    assert answered[-1] == TEXTS - 100
    assert (folder / "two.jsonl").read_bytes() == (folder / "one.jsonl").read_bytes()


def test_more_than_there_is_room_for_is_refused() -> None:
    with (
        pytest.raises(SuiteError, match="does not answer"),
        actors_of(Pool("127.0.0.1:1", 1, 1), make),
    ):
        pass


def test_what_the_command_says(folder: Path) -> None:
    ended = tiny.command("extract_relations", "nowhere", "-", "--ray", folder=folder)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    ended = tiny.command("extract_relations", "nowhere", "a.txt", "--actors", "2", folder=folder)
    assert ended.code == 2

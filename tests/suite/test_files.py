"""Files are written whole or not at all, wherever a link was planted and whoever was killed."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from suite.errors import SuiteError
from suite.files import (
    StrictModel,
    read_lines,
    read_model,
    remove_leftovers,
    write_atomically,
    write_together,
)
from tests import tiny


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """Neither where the file beside goes, nor where the file itself does."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    for planted in (f".file.{os.getpid()}", "file"):
        (tmp_path / planted).symlink_to(mine)
    write_atomically(tmp_path / "file", "new")
    assert mine.read_text() == "mine"
    assert (tmp_path / "file").read_text() == "new"
    assert not (tmp_path / "file").is_symlink()
    assert {p.name for p in tmp_path.iterdir()} == {"mine", "file"}


def test_half_a_character_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"'caf\\udce9' holds half a character\. Take it out"):
        write_atomically(tmp_path / "file", "caf\udce9")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from suite.files import *\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(Path(sys.argv[1]), 'x' * 100_000)"
    )
    path = tmp_path / "deep" / "record.json"
    subprocess.run([sys.executable, "-c", code, path], cwd=tiny.ROOT, check=False)
    (left,) = path.parent.iterdir()
    assert left.name.startswith(".record.json.")
    kept = [tmp_path / n for n in (".lock", ".gitignore", "v1.2", ".search.journal.lock")]
    kept += [tmp_path / tracker / ".theirs.1" for tracker in ("wandb", "mlflow", "tensorboard")]
    for one in kept:
        one.parent.mkdir(exist_ok=True)
        one.write_text("")
    held = path.with_name(".report.md.1")
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remove_leftovers(tmp_path)
        assert held.exists(), "it is being written"
    remove_leftovers(tmp_path)
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == set(kept)


def test_a_planted_link_or_pipe_is_no_leftover_that_stops_anything(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".pipe.1")
    (tmp_path / ".link.1").symlink_to(tmp_path / "nowhere")
    remove_leftovers(tmp_path)
    assert (tmp_path / ".link.1").is_symlink()


def test_a_file_that_a_cleaner_took_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its making and its lock."""
    flock, taken = fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        if not taken:
            taken.append(next(tmp_path.glob(".file.*")))
            taken[0].unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    write_atomically(tmp_path / "file", "whole")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["whole"]


class Counted(StrictModel):
    count: int
    more: dict[str, Any] = {}


@pytest.mark.parametrize("number", [2**63, -(10**30), 10**400])
def test_a_number_that_nothing_counts_is_no_record(tmp_path: Path, number: int) -> None:
    path = tmp_path / "record.json"
    for content in ({"count": number}, {"count": 1, "more": {"a": [[number]]}}):
        path.write_text(json.dumps(content) + "\n")
        with pytest.raises(SuiteError, match="number of more than 63 bits") as caught:
            read_model(path, Counted, "record", "Delete it.")
        assert (caught.value.where, caught.value.remedy) == (str(path), "Delete it.")
        with pytest.raises(SuiteError, match="line 1 is not a line of this version: it holds"):
            list(read_lines(path, Counted, "a line"))
    path.write_text(json.dumps({"count": 2**63 - 1, "more": {str(10**30): 0.12345678901234567890}}))
    assert read_model(path, Counted, "record", "").count == 2**63 - 1


TOGETHER = {"figures/one.png": b"new", "two.csv": "new", "report.md": "new"}


def test_several_files_are_written_together(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("old")
    write_together(tmp_path, TOGETHER)
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} == {
        *TOGETHER
    }
    assert (tmp_path / "two.csv").read_text() == "new"


@pytest.mark.parametrize("trouble", ["full disk", "folder in the way", "half a character"])
def test_of_several_files_none_is_written_where_one_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    (tmp_path / "two.csv").write_text("old")
    files: dict[str, str | bytes] = dict(TOGETHER)
    if trouble == "folder in the way":
        (tmp_path / "report.md").mkdir()
    elif trouble == "half a character":
        files["report.md"] = "caf\udce9"
    else:
        synced: list[int] = []

        def fsync(descriptor: int) -> None:
            synced.append(descriptor)
            if len(synced) == len(files):
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(SuiteError, match=r"report\.md") as caught:
        write_together(tmp_path, files)
    assert caught.value.remedy
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")} - {"report.md"}
    assert left == {"two.csv"}
    assert (tmp_path / "two.csv").read_text() == "old"


def test_a_killed_process_leaves_all_files_or_none_and_its_folder_goes(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from suite.files import *\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_together(Path(sys.argv[1]), {'a': 'x', 'b': 'y'})"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=tiny.ROOT, check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".together.")
    (tmp_path / ".cache.1").mkdir()
    descriptor = os.open(left, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    remove_leftovers(tmp_path)
    assert left.exists(), "it is being written"
    os.close(descriptor)
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [".cache.1"]


def test_a_link_planted_for_several_files_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / f".together.{os.getpid()}").symlink_to(mine)
    (out / "two.csv").symlink_to(mine / "theirs")
    write_together(out, TOGETHER)
    assert list(mine.iterdir()) == []
    assert not (out / "two.csv").is_symlink()

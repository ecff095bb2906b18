"""Output folders that cannot be written, are full, or hold what earlier commands left."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.runs.train import PROGRESS
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records.run import read_record
from tests import tiny

pytestmark = pytest.mark.slow


def run_suite(dataset: Path, *more: str, folder: Path, env: dict[str, str]) -> tiny.Ended:
    """A command of one system and seed."""
    words = ["--dataset", str(dataset), "--system", "gazetteer", "--seeds", "1", "--epochs", "2"]
    words += ["--threads", "1", *more]
    return tiny.forked(tiny.suite_without_measuring, words, folder=folder, env=env)


@pytest.mark.parametrize("broken", ["fsync", "replace", "write"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomically(path, "old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if broken == "write":
            full = os.open("/dev/full", os.O_WRONLY)
            patch.setattr(os, "open", lambda *_: full)
        else:
            patch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[broken], fail)
        with pytest.raises(
            SuiteError, match=r"file\.json: cannot be written: No space left"
        ) as info:
            write_atomically(path, "new" * 100_000)
    assert "Free some space or name another --out" in str(info.value)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_an_output_folder_that_is_a_file(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/below"):
        ended = run_suite(dataset, "--out", out, "--tracker", "none", folder=tmp_path, env=env)
        assert ended.code == 2, ended
        assert f"error: {out}/suite.json: cannot be written: " in ended.err
        assert len(ended.err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; skips aloud where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_in_a_line_and_space_is_all_it_takes(
    dataset: Path, env: dict[str, str], tmp_path: Path, small_disk: Path
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(200 * 1024))
    out = ("--out", str(small_disk / "out"), "--tracker", "none")
    ended = run_suite(dataset, *out, folder=tmp_path, env=env)
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: ")
    assert "cannot be written: No space left on device. Free some space" in last
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    ended = run_suite(dataset, *out, folder=tmp_path, env=env)
    assert ended.code == 0, ended


def test_what_is_complete_is_not_run_again_and_another_configuration_is(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "out" / "runs" / "gazetteer" / "tiny" / "0" / "record.json"
    out = ("--out", "out", "--tracker", "none")

    def again(*more: str) -> str:
        ended = run_suite(dataset, *out, *more, folder=tmp_path, env=env)
        assert ended.code == 0, ended
        return ended.out

    assert "gazetteer · tiny · seed 0: starts" in again()
    first, written = read_record(path), path.stat().st_mtime_ns
    said = again()
    assert "gazetteer · tiny · seed 0: done before" in said
    assert "1 of 1 done" in said
    assert path.stat().st_mtime_ns == written
    assert "gazetteer · tiny · seed 0: starts" in again("--set", "gazetteer.score=0.8", "--replace")
    second = read_record(path)
    assert path.stat().st_mtime_ns > written
    assert second.configuration != first.configuration
    assert second.system.settings == {"score": 0.8}
    assert second.status == "complete"
    assert second.training is not None
    assert second.training.resumed == 0

    report = tmp_path / "out" / "report.md"
    text = report.read_text()
    report.unlink()
    ended = tiny.command("build_report", "out", folder=tmp_path)
    assert (ended.code, ended.out, ended.err) == (0, "report: out/report.md\n", "")
    assert report.read_text() == text, "not the same from the records alone"


def test_measuring_again_trains_nothing(dataset: Path, env: dict[str, str], tmp_path: Path) -> None:
    command = ("--out", "out", "--tracker", "none")
    run = tmp_path / "out" / "runs" / "gazetteer" / "tiny" / "0"
    said = []
    for more in ((), (), ("--remeasure",)):
        ended = run_suite(dataset, *command, *more, folder=tmp_path, env=env)
        assert ended.code == 0, ended.err
        times = {p.name: p.stat().st_mtime_ns for p in (run / "model").iterdir()}
        written = (run / "record.json").stat().st_mtime_ns
        said.append(("done before" in ended.out, times, written))
    (_, first, _), (before, second, kept), (again, third, new) = said
    assert (before, again) == (True, False)
    assert first == second == third
    assert new > kept, "the record has no new measurements"


def test_wandb_that_cannot_write_warns_once_and_stops_nothing(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """A file stands where W&B's folder of the run should be."""
    plan = tiny.make_plan(dataset, "gazetteer", batch_size=32, tracker="wandb")
    folder = tiny.write_plan(tmp_path / "run", plan)
    (folder / "wandb").write_text("in the way")
    ended = tiny.forked(tiny.train, folder, folder=tmp_path, env=env)
    assert ended.code == 0, ended
    assert read_record(folder / "record.json").status == "complete"
    told = [line for line in ended.out.splitlines() if not line.startswith(PROGRESS)]
    assert len(told) == 1, told
    assert told[0].startswith("W&B does not track this run: ")
    assert told[0].endswith("The run goes on without it.")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (None, "holds no suite.json. Name the output folder of a run-suite command"),
        ("{}", "suite.json: not a plan of this version: "),
        ("not JSON", "suite.json: not a plan of this version: "),
    ],
)
def test_a_folder_without_results_has_no_report(
    tmp_path: Path, prepare: str | None, message: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    if prepare is not None:
        (folder / "suite.json").write_text(prepare)
    for arguments in ((folder,), () if prepare is None else (folder,)):
        ended = tiny.command("build_report", *arguments, folder=tmp_path)
        assert ended.code == 2
        assert message in ended.err
        assert len(ended.err.splitlines()) == 1


def test_a_broken_record_is_named(dataset: Path, env: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "out" / "runs" / "gazetteer" / "tiny" / "0" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"status": 0}')
    ended = run_suite(dataset, "--out", "out", "--tracker", "none", folder=tmp_path, env=env)
    assert ended.code == 2
    assert "0/record.json: not a run record of this version: " in ended.err
    assert "Delete its folder" in ended.err
    assert path.read_text() == '{"status": 0}'


def test_a_folder_of_an_older_version_is_refused_with_what_to_do(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "out" / "runs" / "gazetteer" / "tiny" / "0" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 1}')
    ended = run_suite(dataset, "--out", "out", "--tracker", "none", folder=tmp_path, env=env)
    assert ended.code == 2
    assert (
        "0/record.json: is a run record of format 1, and this version reads format 2." in ended.err
    )
    assert "name another --out" in ended.err
    assert path.read_text() == '{"format": 1}'

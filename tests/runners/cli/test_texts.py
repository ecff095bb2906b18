"""What the shell can give and nothing can hold: answered in a line, and never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runners.cli.texts import refuse_what_cannot_be
from runners.runs.workbench import load_part
from suite.errors import SuiteError
from tests import tiny

LONG = "n" * 300


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--out", Path(LONG), "--out 'n+': File name too long"),
        ("--dataset", ["tiny", f"./{LONG}"], "--dataset './n+': File name too long"),
        (
            "--dataset",
            [os.fsdecode(b"caf\xe9")],
            r"--dataset 'caf\\udce9' holds bytes that are not",
        ),
        ("--name", os.fsdecode(b"caf\xe9"), r"--name 'caf\\udce9' holds bytes that are not UTF-8"),
        ("--out", Path("a\0b"), "holds a NUL"),
        ("FOLDER", Path("s3://b/x"), "FOLDER takes a path of this machine, and s3://b/x is a URL"),
        ("--vectors", Path("sftp://me:pw@b/x"), r"and sftp://\.\.\.@b/x is a URL"),
        ("FOLDER", Path("loop"), "FOLDER 'loop': Its links lead in a circle"),
        ("--out", Path("link"), r"--out 'd\\udce9' holds bytes"),
    ],
)
def test_what_cannot_be_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: object, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("link").symlink_to(os.fsdecode(b"d\xe9"))
    with pytest.raises(SuiteError, match=said) as caught:
        refuse_what_cannot_be(option, value)
    assert caught.value.remedy
    str(caught.value).encode()


@pytest.mark.parametrize("value", [None, 3, True, "", Path("new/folder"), ["a", "b"], LONG])
def test_what_can_be_passes(value: object) -> None:
    refuse_what_cannot_be("--name", value)


@pytest.mark.parametrize(
    ("name", "said"),
    [("~nosuchuser/x", "there is no user of that name"), (f"./{LONG}", "File name too long")],
)
def test_a_dataset_that_cannot_be_there(name: str, said: str) -> None:
    with pytest.raises(SuiteError, match=f"cannot be loaded: {said}") as caught:
        load_part(name, None, 1.0)
    assert caught.value.remedy


def test_a_command_that_cannot_be_ends_with_2(tmp_path: Path) -> None:
    for words in (["--out", os.fsdecode(b"\xff")], ["--config", os.fsdecode(b"\xff.yaml")]):
        ended = tiny.command("run_suite", "--dry-run", *words, folder=tmp_path)
        assert ended.code == 2
        assert ended.err.startswith("error: --")
        assert len(ended.err.splitlines()) == 1
    os.mkfifo(tmp_path / "pipe.yaml")
    ended = tiny.command("run_suite", "--config", "pipe.yaml", folder=tmp_path, seconds=20)
    assert (ended.code, "it is no regular file" in ended.err) == (2, True)

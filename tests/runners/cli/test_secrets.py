"""Planted passwords, users and folders stand in no file that a command leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.files import TRACKED
from tests import tiny

pytestmark = pytest.mark.slow

USER, PASSWORD, HOST = "planted-user", "planted/pass#word", "planted-host"


def files_with(folder: Path, *secrets: str) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        for secret in secrets:
            if secret.encode() in content or secret in str(path.relative_to(folder)):
                yield f"{path.relative_to(folder)}: {secret}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / USER
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, USER)
    for name in ("HOSTNAME", "HOST"):
        monkeypatch.setenv(name, HOST)
    monkeypatch.setattr("socket.gethostname", lambda: HOST)
    monkeypatch.setattr("platform.node", lambda: HOST)
    return home


@pytest.mark.parametrize("tracker", sorted(TRACKED))
def test_a_suite_leaves_no_name(home: Path, dataset: Path, tracker: str) -> None:
    data = home / "my-data"
    data.symlink_to(dataset)
    out = home / "out"
    small = [f"--set=fastre.{field}" for field in ("width=16", "attention_heads=2")]
    place = ["--dataset", str(data), "--out", str(out), "--system", "fastre", *small]
    ended = tiny.forked(
        tiny.suite_without_measuring,
        [*place, "--epochs", "1", "--seeds", "1", "--threads", "1", "--tracker", tracker],
        folder=home,
    )
    assert ended.code == 0, ended.err
    assert "does not" not in ended.out + ended.err, "it was not tracked"
    left = {"wandb": "*.wandb", "mlflow": "mlflow.db", "tensorboard": "events.out.tfevents.*"}
    for folder in (out, out / "runs/fastre/tiny/0"):
        assert list((folder / tracker).rglob(left[tracker])), "nothing was tracked"
    assert list(files_with(out, USER, HOST)) == []


def test_a_search_leaves_no_password(home: Path, dataset: Path) -> None:
    out = home / "search"
    url = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/trials?application_name={USER}"
    for option in ([f"--storage={url}"], ["--storage", url]):
        words = ["--dataset", str(dataset), "--out", str(out), "--trials", "1", *option]
        ended = tiny.command("search_structure", *words, folder=home)
        assert ended.code == 2, ended
        assert "cannot be used" in ended.err
        assert PASSWORD not in ended.err + ended.out
        assert "planted/pass" not in ended.err + ended.out
    assert list(files_with(out, USER, PASSWORD)) == []

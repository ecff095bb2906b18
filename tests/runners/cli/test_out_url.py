"""`run-suite --out URL`, as a user meets it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from runners.remote.lease import NAME, Lease
from tests import tiny


@pytest.fixture(scope="module")
def held(dataset: Path) -> list[str]:
    settings = (f"--set=fastre.{n}={v}" for n, v in (("width", 16), ("attention_heads", 2)))
    command = ["--dataset", str(dataset), "--system", "fastre", *settings, "--tracker", "none"]
    return [*command, "--epochs", "1", "--seeds", "1", "--threads", "1"]


@pytest.mark.slow
def test_two_machines_share_a_suite(held: list[str], tmp_path: Path) -> None:
    """Each has a cache of its own; what the first has done is done for the second."""
    store = tmp_path / "store" / "mine"
    url = f"file://{store}"
    first = _suite([*held, "--out", url], tmp_path, "a")
    assert first.code == 0, first.err
    assert f"output: {url}\n" in first.out
    assert f"report: {url}/report.md\n" in first.out
    record = store / "runs" / "fastre" / "tiny" / "0" / "record.json"
    done = json.loads(record.read_text())
    assert done["status"] == "complete"
    assert "mine" in (store / "report.md").read_text()
    assert json.loads((store / "suite.json").read_text())["options"]["out"] == url
    names = {path.name for path in store.rglob("*") if path.is_file()}
    assert {"predictions.jsonl", "history.jsonl", "run.json", "results.csv"} <= names
    assert not [name for name in names if name.startswith(".")], "neither lock nor lease stays"

    plan = _suite([*held, "--out", url, "--dry-run"], tmp_path, "b")
    assert "1 of 1 done" in plan.out, plan.err
    assert not (tmp_path / "b").exists()
    second = _suite(["--config", str(store / "suite.json")], tmp_path, "b")
    assert second.code == 0, second.err
    assert json.loads(record.read_text()) == done, "it was not done again"


def test_a_second_command_is_refused(held: list[str], tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    lease = Lease(id="1", command=("run-suite",), since="noon", renewed=time.time())
    (store / NAME).write_text(lease.model_dump_json())
    ended = _suite([*held, "--out", f"file://{store}"], tmp_path, "a")
    assert ended.code == 2
    assert "error: file://" in ended.err
    assert "another command works there since noon" in ended.err
    assert [path.name for path in store.iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("run_suite", ("--out", "nowhere://me:pw@b/x"), "nowhere://...@b/x: Protocol not known"),
        ("run_suite", ("--out", "cache::s3://b/x"), "cache::s3://b/x is neither a folder nor"),
        (
            "run_suite",
            ("--out", "s3://b/x", "--ray-address", "ray://host:1"),
            "needs this command on a node of the cluster",
        ),
        ("build_report", ("s3://b/x",), "FOLDER takes a path of this machine, and s3://b/x is a"),
    ],
)
def test_a_mistake_is_answered(
    tmp_path: Path, name: str, arguments: tuple[str, ...], message: str
) -> None:
    ended = tiny.command(name, *arguments, folder=tmp_path, env=_env(tmp_path, "a"))
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert message in ended.err
    assert not list(tmp_path.glob("[!a]*:"))


def _suite(arguments: list[str], folder: Path, machine: str) -> tiny.Ended:
    env = _env(folder, machine)
    return tiny.forked(tiny.suite_without_measuring, arguments, folder=folder, env=env)


def _env(folder: Path, machine: str) -> dict[str, str]:
    return tiny.environment(RE_CACHE_DIR=str(folder / machine))

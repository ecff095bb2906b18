"""Reaching Ray: what is said where it is not there, does not answer, or is another one."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runners import api, cluster
from runners.cluster import connected
from runners.executors.ray_cluster import Cluster, cluster_at
from suite.errors import SuiteError


class FakeRay:
    """Ray as far as it is reached."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self._private = SimpleNamespace(worker=SimpleNamespace(print_to_stdstream=print))
        self.refusal, self.started, self.ended = refusal, {}, False

    def init(self, **options: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.started = options

    def shutdown(self) -> None:
        self.ended = True


def reached(monkeypatch: pytest.MonkeyPatch, fake: FakeRay, address: str | None) -> None:
    monkeypatch.setitem(sys.modules, "ray", fake)
    with connected(address, 3):
        pass


def test_without_an_address_the_cluster_is_the_commands_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeRay()
    reached(monkeypatch, fake, None)
    assert (fake.started["address"], fake.started["num_cpus"]) == ("local", 3)
    assert fake.ended
    fake._private.worker.print_to_stdstream({"lines": ["a node has died"]}, ignore_prefix=False)
    assert capsys.readouterr().out == "", "rows may go to standard output"


def test_of_a_cluster_that_is_there_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRay()
    reached(monkeypatch, fake, "auto")
    assert (fake.started["address"], fake.started["num_cpus"]) == ("auto", None)


def test_another_version_is_said_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.50.0\n    Python: 3.12.1\nThis"
    )
    with pytest.raises(SuiteError, match=r"another version.*Ray: 2\.50\.0 Python: 3\.12\.1") as e:
        reached(monkeypatch, FakeRay(RuntimeError(said)), "auto")
    assert "the same Ray and the same Python" in str(e.value)


def test_a_refusal_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SuiteError, match=r"Ray does not answer: no cluster\. Start it"):
        reached(monkeypatch, FakeRay(ConnectionError("no cluster\nand a page more")), "auto")


def test_nobody_at_the_address_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SuiteError, match=r"127\.0\.0\.1:1: Ray does not answer"):
        reached(monkeypatch, FakeRay(), "127.0.0.1:1")


def test_without_ray_the_remedy_is_an_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_ray(name: str, *rest: Any) -> Any:
        if name == "ray":
            raise ImportError("No module named 'ray'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ray)
    with pytest.raises(SuiteError, match=r"pip install '\.\[ray\]'"), connected(None, 1):
        pass


def test_the_patch_has_something_to_patch() -> None:
    """Ray's private name; where it goes, what daemons say reaches standard output again."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: its names are not checked")
    assert callable(ray._private.worker.print_to_stdstream)
    assert cluster.DIFFERS == "Version mismatch"


@pytest.mark.parametrize(
    ("memory", "address", "asked", "on_node"),
    [
        (None, None, 2.0, True),
        (0.5, "auto", 0.5, True),
        (0.0, "10.0.0.1:6379", 0.0, True),
        (None, "ray://first:10001", 2.0, False),
    ],
)
def test_where_runs_are_carried_out(
    memory: float | None, address: str | None, asked: float, on_node: bool
) -> None:
    ray = object()
    assert cluster_at(ray, address, memory) == Cluster(ray, on_node, asked)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ray": True}, "train is of this machine, and Ray's nodes are asked for"),
        ({"ray_address": "auto"}, "train is of this machine, and Ray's nodes are asked for"),
        ({"memory": 4.0}, "--memory is what a run asks a node of Ray for"),
    ],
)
def test_from_python_no_node_is_asked(tmp_path: Path, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        api.train("nowhere", "fastre", out=tmp_path / "out", **asked)
    assert not list(tmp_path.iterdir())

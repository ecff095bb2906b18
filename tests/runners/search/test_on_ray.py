"""A search on Ray: nodes die, and no trial is lost or done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runners.runs.environment import environment
from runners.search.on_ray import _Crew, _room
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import JOURNAL, open_storage
from runners.suite import Request
from suite.errors import SuiteError
from suite.protocol import Protocol
from suite.records.run import Environment
from suite.records.search import Limits, read_search
from tests import tiny

NO_GRPC = "grpcio is not installed: a search on Ray is not checked"
TRIALS = 5
"""As many as there are published structures, which are tried in any case."""
SMALL = (
    *("--dataset", "tiny", "--epochs", "2", "--tracker", "none", "--out", "out"),
    *("--finalists", "0", "--seeds", "1", "--trade-offs", "0", "--trials", str(TRIALS)),
)
QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 4,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The current one of a command, with a dataset."""
    tiny.write_dataset(tmp_path / "tiny")
    return tmp_path


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two nodes of one CPU each, of which `other` is not the head."""
    pytest.importorskip("ray", reason="Ray is not installed: a search on it is not checked")
    pytest.importorskip("grpc", reason=NO_GRPC)
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": QUICK_TO_NOTICE}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tiny.ROOT))
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            made.other = made.add_node(num_cpus=1)
            yield made
        finally:
            made.shutdown()


def begun(folder: Path, *more: str) -> subprocess.Popen[str]:
    code = (
        "import sys; from runners.cli.search_structure import search_structure\n"
        f"sys.argv = ['search-structure', *{(*SMALL, *more)!r}]; search_structure()"
    )
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        env=tiny.environment(PYTHONPATH=str(tiny.ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until_both_have_worked(command: subprocess.Popen[str]) -> str:
    """What it says up to there."""
    assert command.stdout is not None
    said = ""
    for line in command.stdout:
        said += line
        if "worker 0)" in said and "worker 1)" in said:
            return said
    raise AssertionError(said)


@pytest.mark.slow
def test_a_node_that_is_lost_costs_no_trial(cluster: Any, folder: Path) -> None:
    """It is lost while both workers are at theirs."""
    words = ("--workers", "2", "--threads", "2", "--ray-address", cluster.address)
    command = begun(folder, *words)
    said = until_both_have_worked(command)
    cluster.remove_node(cluster.other, allow_graceful=False)
    rest, _ = command.communicate(timeout=600)
    said += rest
    assert command.returncode == 0, said
    assert "Traceback" not in said
    assert " died: its node was lost; its trial goes back into the queue" in said
    out = folder / "out"
    record = read_search(out / "search.json")
    own = [trial for trial in record.trials if trial.duplicate_of is None]
    assert len(own) == len({trial.key for trial in own}) == TRIALS
    assert {trial.key for trial in own} == {path.name for path in (out / "trials").iterdir()}
    assert all(trial.state == "complete" for trial in own), [t.failure for t in own]
    for trial in own:
        history = (out / "trials" / trial.key / "history.jsonl").read_text().splitlines()
        assert [json.loads(line)["epoch"] for line in history] == [1, 2]
    assert all(map(json.loads, (out / JOURNAL).read_text().splitlines()))


@pytest.mark.slow
def test_a_cluster_that_does_not_answer(folder: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: no cluster to look for")
    ended = tiny.command("search_structure", *SMALL, "--ray-address", "127.0.0.1:1", folder=folder)
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert "127.0.0.1:1: Ray does not answer" in ended.err


def test_what_is_not_installed_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runners.cluster import connected
    from runners.search.proxy import served

    for missing in ("ray", "grpc"):
        monkeypatch.setitem(sys.modules, missing, None)
    for needed, said in (
        (connected(None, 1), "--ray needs Ray, which cannot be imported"),
        (served(folder, "127.0.0.1"), "a search on Ray needs grpcio, which cannot be imported"),
    ):
        with pytest.raises(SuiteError, match=said) as caught, needed:
            pass
        assert "pip install '.[ray]'" in str(caught.value)


def test_an_address_at_which_nothing_can_be_served(folder: Path) -> None:
    pytest.importorskip("grpc", reason=NO_GRPC)
    from runners.search.proxy import served

    with (
        pytest.raises(SuiteError, match="the trials cannot be served to workers") as caught,
        served(folder, "192.0.2.77"),
    ):
        pass
    assert "keep the trials in a database with --storage" in str(caught.value)


def test_a_command_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("grpc", reason=NO_GRPC)
    from runners.search import proxy

    monkeypatch.setattr(proxy, "REACH_SECONDS", 0.1)
    with pytest.raises(SuiteError, match=r"127\.0\.0\.1:1: the command, which keeps"):
        proxy.reached(("127.0.0.1", 1))


def request_of(folder: Path, workers: int = 3) -> SearchRequest:
    suite = Request((str(folder / "tiny"),), ("fastre",), (0,), Protocol(epochs=2), folder / "out")
    return SearchRequest(suite, 4, 0, 0, Limits(), "begun", workers=workers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"command": "other"}, "an OUT that workers cannot see"),
        ({"folder": "/nowhere"}, None),
        ({"version": "0"}, "the suite is of version "),
        ({"dataset": "nowhere/tiny"}, "nowhere/tiny"),
    ],
)
def test_what_a_node_lacks_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str | None
) -> None:
    from dataclasses import replace

    from pydantic import TypeAdapter

    from runners.search.actor import SearchActor, Start
    from runners.search.deaths import driven

    asked = request_of(folder)
    if "dataset" in change:
        datasets = (change.pop("dataset"),)
        asked = replace(asked, suite=replace(asked.suite, datasets=datasets))
    monkeypatch.setattr("runners.search.actor.open_storage", lambda *_: None)
    monkeypatch.setattr(SearchActor, "_storage", lambda *_: open_storage(None, asked.suite.out))
    asked.suite.out.mkdir()
    with driven(asked.suite.out, "this"), monkeypatch.context() as patch:
        patch.delattr(sys.modules["__main__"], "__file__", raising=False)
        line = TypeAdapter(SearchRequest).dump_json(asked)
        start = Start(line, 0, "worker 0", "this", str(folder), None)
        found = SearchActor(replace(start, **change)).look()
    if said is None:
        assert isinstance(found, Environment)
    else:
        assert isinstance(found, SuiteError)
        assert said in str(found)


class Nodes:
    """Ray as far as a crew asks it, and actors that answer from a list.

    Args:
        answers: by worker and act (`look`, `work`): given in turn; an `OSError` is raised.
    """

    exceptions = SimpleNamespace(ActorDiedError=OSError)

    def __init__(self, answers: dict[str, list[Any]], cpus: int = 3) -> None:
        self.answers, self.cpus = answers, cpus
        self.killed: list[str] = []

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": "n", "Alive": True, "Resources": {"CPU": self.cpus}}]

    def remote(self, _: type) -> Any:
        ray = self

        class Made:
            def __init__(self, **about: Any) -> None:
                self.name = about["name"]

            options = classmethod(lambda cls, **about: cls(**about))

            def remote(self, _: Any) -> Any:
                return self

            def __getattr__(self, act: str) -> Any:
                answer = {"where": lambda: (self.name, "host")}
                take = answer.get(act, lambda: ray.answers[f"{self.name} {act}"].pop(0))
                return type("Act", (), {"remote": staticmethod(lambda: Answer(take))})

        return Made

    def wait(self, answers: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return answers, []

    def get(self, answer: Any, timeout: float = 0) -> Any:
        found = answer.take()
        if isinstance(found, OSError):
            raise found
        return found

    def kill(self, actor: Any) -> None:
        self.killed.append(actor.name)


class Answer:
    """What an actor will have said."""

    def __init__(self, take: Callable[[], Any]) -> None:
        self.take = take


def crew(folder: Path, answers: dict[str, list[Any]], workers: int = 3) -> tuple[_Crew, list[str]]:
    asked = request_of(folder, workers)
    search = Search(asked, open_storage(None, asked.suite.out), here=False)
    said: list[str] = []
    ray = Nodes({f"begun worker {name}": given for name, given in answers.items()})
    resources = {"num_cpus": 1.0, "num_gpus": 0.0}
    return _Crew(ray, search, lambda number, name: name, resources, said.append), said  # type: ignore[arg-type, return-value]


HERE = environment("cpu")
OTHER = HERE.model_copy(update={"processor": "another processor"})


def test_a_node_of_another_kind_is_refused_and_others_go_on(folder: Path) -> None:
    answers = {"0 look": [OTHER], "1 look": [HERE], "2 look": [HERE]}
    made, said = crew(folder, {**answers, "1 work": [None], "2 work": [None]})
    made.run("this", 3)
    (line,) = said
    assert line.startswith(
        "begun worker 0 on node begun wo (host) does not work: its machine is of"
    )
    assert "another processor, cpu" in line
    assert made._search.planned.environment == HERE
    assert made._search.noted_kind() == (HERE.processor, "cpu")
    # A later command keeps to that kind, whatever most of its nodes are.
    made, said = crew(folder, {"0 look": [OTHER], "1 look": [OTHER], "2 look": [HERE],
                               "2 work": [None]})  # fmt: skip
    made.run("that", 3)
    assert [line.split(" on ")[0] for line in said] == ["begun worker 0", "begun worker 1"]


def test_one_that_dies_is_replaced(folder: Path) -> None:
    lost = OSError("gone")
    answers = {"0 look": [HERE], "0 work": [lost], "0 (2) look": [HERE], "0 (2) work": [None]}
    made, said = crew(folder, answers, workers=1)
    made.run("this", 1)
    assert said == [
        "begun worker 0 on node begun wo (host) died: its process ended; its trial goes back into "
        "the queue, and another takes its place"
    ]


def test_where_all_die_one_after_another_the_command_ends(folder: Path) -> None:
    names = ["0", *(f"0 ({n})" for n in range(2, 9))]
    answers = {f"{name} look": [OSError("gone")] for name in names}
    made, said = crew(folder, answers, workers=1)
    with pytest.raises(SuiteError, match="workers die one after another, and no trial ends"):
        made.run("this", 1)
    assert len(said) == 4


def test_where_none_can_work_the_command_ends_with_the_reason(folder: Path) -> None:
    unseen = SuiteError("an OUT that workers cannot see", where="out")
    made, said = crew(folder, {f"{n} look": [unseen] for n in range(3)})
    with pytest.raises(SuiteError, match="no worker is left: begun worker 2 on node"):
        made.run("this", 3)
    assert len(said) == 3
    assert not made._search.begun(), "a search was begun that nobody could do"


def test_resources_that_no_node_has() -> None:
    ray = Nodes({}, cpus=2)
    assert _room(ray, 1, 0) == 2
    with pytest.raises(SuiteError, match=r"needs, 4 CPUs, and the largest has 2 CPUs"):
        _room(ray, 4, 0)
    with pytest.raises(SuiteError, match=r"needs, 1 CPUs and a GPU: 0 have one"):
        _room(ray, 1, 1)

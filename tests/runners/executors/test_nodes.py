"""What nodes have, what runs ask for, and what becomes of those that no node can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runners.executors.nodes import (
    GIB,
    Waiting,
    device_of,
    needs_of,
    nodes_of,
    refuse_the_impossible,
    waiting_list,
)
from suite.errors import SuiteError
from tests import tiny


class FakeRay:
    """A cluster as Ray tells of it."""

    def __init__(self, *resources: dict[str, float]) -> None:
        self._nodes: list[dict[str, Any]] = [
            {
                "NodeID": f"{number:056x}",
                "Alive": True,
                "NodeName": f"n{number}",
                "NodeManagerAddress": "10.0.0.1",
                "NodeManagerHostname": "host",
                "Resources": one,
            }
            for number, one in enumerate(resources)
        ]

    def nodes(self) -> list[dict[str, Any]]:
        return self._nodes


CPU = {"CPU": 4.0, "memory": 8.0 * GIB}
GPU = {**CPU, "GPU": 1.0}


def test_an_address_is_no_name() -> None:
    cluster = FakeRay(CPU, CPU, CPU)
    cluster.nodes()[0]["NodeName"] = "10.0.0.1"
    cluster.nodes()[1]["NodeName"] = "host"
    names = [node.name for node in nodes_of(cluster).values()]
    assert names == ["node 00000000", "node 00000000", "n2"]


def test_the_dead_are_none() -> None:
    cluster = FakeRay(CPU, CPU)
    cluster.nodes()[0]["Alive"] = False
    assert [node.name for node in nodes_of(cluster).values()] == ["n1"]


def test_a_run_asks_for_its_threads_its_device_and_memory(dataset: Path) -> None:
    plan = tiny.make_plan(dataset, threads=3)
    assert needs_of(plan, 2.0) == {"CPU": 3.0, "memory": 2.0 * GIB}
    on_gpu = plan.model_copy(update={"device": "cuda"})
    assert needs_of(on_gpu, 2.0) == {"CPU": 3.0, "memory": 2.0 * GIB, "GPU": 1.0}


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"CPU": 5.0}, r"asks for 5 CPUs.*n0 has 4 CPUs; n1 has 4 CPUs"),
        ({"CPU": 1.0, "memory": 9.0 * GIB}, r"1 CPUs, 9 GiB of memory.*4 CPUs, 8 GiB of memory"),
        ({"GPU": 2.0}, r"2 GPUs.*n0 has 0 GPUs; n1 has 1 GPUs"),
    ],
)
def test_what_no_node_has_is_said(needs: dict[str, float], said: str) -> None:
    nodes = nodes_of(FakeRay(CPU, GPU)).values()
    with pytest.raises(SuiteError, match=said):
        refuse_the_impossible(nodes, needs)


def test_one_node_that_has_it_is_enough() -> None:
    refuse_the_impossible(nodes_of(FakeRay(CPU, GPU)).values(), {"CPU": 4.0, "GPU": 1.0})


def test_what_waits_is_listed_by_the_node_that_is_not_there() -> None:
    nodes = nodes_of(FakeRay(CPU))
    large = [Waiting(f"run {number} to be trained", {"CPU": 8.0}) for number in range(7)]
    here, gpu = Waiting("a run", {"CPU": 4.0}), Waiting("another", {"CPU": 1.0, "GPU": 1.0})
    named = "; ".join(f"run {number} to be trained" for number in range(5))
    assert waiting_list([here, *large[:4], gpu, *large[4:]], nodes) == [
        f"no node has 8 CPUs; for such a one wait: {named}, and 2 more",
        "no node has 1 CPUs, 1 GPUs; for such a one wait: another",
    ]
    assert waiting_list([here], nodes) == []
    assert len(waiting_list([here], {})) == 1


def test_the_device_is_that_of_the_nodes() -> None:
    assert device_of(FakeRay(CPU, GPU), "auto") == "cuda"
    assert device_of(FakeRay(CPU), "auto") == "cpu"
    assert device_of(FakeRay(CPU, GPU), "cuda") == "cuda"
    assert device_of(FakeRay(CPU, GPU), "cpu") == "cpu"


def test_a_device_that_no_node_has_is_refused() -> None:
    with pytest.raises(SuiteError, match="no node of the cluster has a GPU"):
        device_of(FakeRay(CPU), "cuda")
    with pytest.raises(SuiteError, match="Ray hands out devices"):
        device_of(FakeRay(GPU), "cuda:1")

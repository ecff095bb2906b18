"""The nodes of a Ray cluster: what they have, and which of them can do what a run asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runners.runs.plan import RunPlan
from suite.errors import SuiteError

SHOWN = {"CPU": "CPUs", "GPU": "GPUs", "memory": "GiB of memory"}
GIB = 2**30
SHOWN_WAITING = 5
"""Runs that a line of the waiting list names."""


@dataclass(frozen=True)
class Node:
    """A node that is alive.

    Attributes:
        id: Ray's.
        name: that its starter gave it; else the beginning of its id.
        resources: Ray's names -> amounts; memory in bytes.
    """

    id: str
    name: str
    resources: Mapping[str, float]

    def has(self, needs: Mapping[str, float]) -> bool:
        """Whether it could do what needs so much, if it did nothing else."""
        return all(self.resources.get(name, 0.0) >= much for name, much in needs.items())


def nodes_of(ray: Any) -> dict[str, Node]:
    """The living nodes of the cluster by id."""
    return {
        found["NodeID"]: Node(found["NodeID"], _name(found), found["Resources"])
        for found in ray.nodes()
        if found["Alive"]
    }


def _name(found: Mapping[str, Any]) -> str:
    """The starter's name for the node; Ray's own is its address, which no record is to hold."""
    name = str(found.get("NodeName") or "")
    own = name in {"", found.get("NodeManagerAddress"), found.get("NodeManagerHostname")}
    return f"node {found['NodeID'][:8]}" if own else name


def needs_of(plan: RunPlan, memory: float) -> dict[str, float]:
    """What a run asks a node for: its threads, a GPU where it computes on one, and memory.

    Args:
        plan: of the run.
        memory: in GiB.
    """
    needs = {"CPU": float(plan.protocol.threads), "memory": memory * GIB}
    return {**needs, "GPU": 1.0} if plan.device.startswith("cuda") else needs


def refuse_the_impossible(nodes: Iterable[Node], needs: Mapping[str, float]) -> None:
    """Checks that some node has what a run asks for, which would else wait for ever.

    Raises:
        SuiteError: none has.
    """
    found = list(nodes)
    if any(node.has(needs) for node in found):
        return
    there = "; ".join(f"{node.name} has {_amounts(node.resources, needs)}" for node in found[:5])
    raise SuiteError(
        f"a run asks for {_amounts(needs, needs)}, and no node of the cluster has that: {there}",
        remedy="Add such a node, or ask for less by --threads, --memory or --device.",
    )


@dataclass(frozen=True)
class Waiting:
    """What waits for a node.

    Attributes:
        what: a phrase.
        needs: Ray's names -> amounts.
    """

    what: str
    needs: Mapping[str, float]


def waiting_list(waiting: Iterable[Waiting], nodes: Mapping[str, Node]) -> list[str]:
    """Lines on what waits in vain, for each kind of node that is not there: the kind, then what.

    Args:
        waiting: all that waits or is under way; what some node could do is left out.
        nodes: that are there.
    """
    kinds: dict[str, list[str]] = {}
    for one in waiting:
        if not any(node.has(one.needs) for node in nodes.values()):
            kinds.setdefault(_amounts(one.needs, one.needs), []).append(one.what)
    lines = []
    for kind, found in kinds.items():
        more = f", and {len(found) - SHOWN_WAITING} more" if len(found) > SHOWN_WAITING else ""
        lines.append(f"no node has {kind}; for such a one wait: ")
        lines[-1] += "; ".join(found[:SHOWN_WAITING]) + more
    return lines


def _amounts(held: Mapping[str, float], names: Iterable[str]) -> str:
    amounts = {name: held.get(name, 0.0) / (GIB if name == "memory" else 1) for name in names}
    return ", ".join(f"{much:.3g} {SHOWN.get(name, name)}" for name, much in amounts.items())


def device_of(ray: Any, asked: str) -> str:
    """The device that runs are planned for: that of the cluster's nodes, not of this machine.

    Args:
        ray: connected.
        asked: as `--device` has it.

    Raises:
        SuiteError: no node has it, or it names one of several, which Ray hands out.
    """
    there = sum(node.resources.get("GPU", 0.0) for node in nodes_of(ray).values())
    if asked == "auto":
        return "cuda" if there else "cpu"
    if asked.startswith("cuda:"):
        raise SuiteError(
            f"Ray hands out devices, and --device {asked} names one", remedy="Give --device cuda."
        )
    if asked == "cuda" and not there:
        raise SuiteError(
            "no node of the cluster has a GPU, and --device cuda asks for one",
            remedy="Start nodes that have one (`ray start --num-gpus`), or give --device cpu.",
        )
    return asked

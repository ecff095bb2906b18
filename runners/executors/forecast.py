"""How long runs would take on more nodes, from what they took here and the executor's own order.

    python -m runners.executors.forecast TABLE ... [--repeat 3] [--nodes 1 4 16 64]

Each table is a report's `results.csv`. Nodes do one run at a time and are as fast as the machine
that was measured on; nothing is added for starting a run on a node.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.errors import SuiteError


@dataclass(frozen=True)
class Took:
    """Seconds of wall clock of one run: until it was tested, and measuring it."""

    training: float
    measuring: float


@dataclass(frozen=True)
class Forecast:
    """What a number of nodes would make of runs.

    Attributes:
        seconds: until the last run has been measured.
        idle: share of the nodes' time until then in which they did nothing.
    """

    nodes: int
    seconds: float
    idle: float


def read(paths: Iterable[Path]) -> list[Took]:
    """What the complete runs of reports took.

    Raises:
        SuiteError: a file cannot be read, or has no such columns.
    """
    found = []
    for path in paths:
        try:
            with path.open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["status"] == "complete"]
            found += [_took(row) for row in rows]
        except (OSError, KeyError, ValueError) as error:
            raise SuiteError(
                f"is no table of runs ({type(error).__name__}: {error})",
                where=path,
                remedy="Name the results.csv of a report.",
            ) from error
    return found


def _took(row: dict[str, str]) -> Took:
    training = ("training_seconds", "training_evaluation_seconds", "training_encode_seconds")
    sizes = [n.removesuffix("_passes") for n in row if n.endswith("_passes")]
    passes = [float(row[f"{s}_passes"] or 0) * float(row[f"{s}_total_seconds"] or 0) for s in sizes]
    return Took(sum(float(row[name] or 0) for name in training), sum(passes))


def forecast(runs: Sequence[Took], nodes: int) -> Forecast:
    """Trainings in the order that is given, each as soon as a node is free; then what is measured.

    As `RayExecutor` does it: what a node has trained is measured there, one after the other, when
    it has no training left and no training waits for a node.

    Args:
        runs: at least one.
        nodes: as many as there are, at least one.
    """
    free = [(0.0, node) for node in range(nodes)]
    measuring = [0.0] * nodes
    waited = 0.0
    for run in runs:
        since, node = heapq.heappop(free)
        waited = max(waited, since)
        heapq.heappush(free, (since + run.training, node))
        measuring[node] += run.measuring
    ends = max(
        max(since, waited) + measuring[node] if measuring[node] else since for since, node in free
    )
    busy = sum(run.training + run.measuring for run in runs)
    return Forecast(nodes, ends, max(0.0, 1 - busy / (nodes * ends)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a forecast for each number of nodes, in the order of the files and longest first."""
    asked = _arguments(arguments)
    try:
        runs = read(asked.tables) * asked.repeat
    except SuiteError as error:
        sys.exit(f"error: {error}")
    longest = max(run.training + run.measuring for run in runs)
    print(f"{len(runs)} runs; the longest takes {longest / 60:.0f} minutes")
    print(f"{'nodes':>5}{'as listed':>15}{'idle':>7}{'longest first':>15}{'idle':>7}")
    by_length = sorted(runs, key=lambda run: run.training, reverse=True)
    for nodes in asked.nodes:
        both = forecast(runs, nodes), forecast(by_length, nodes)
        print(f"{nodes:>5}" + "".join(f"{f.seconds / 3600:>13.2f} h{f.idle:>7.0%}" for f in both))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m runners.executors.forecast")
    parser.add_argument("tables", nargs="+", type=Path, help="results.csv of reports")
    parser.add_argument(
        "--repeat", type=int, default=1, help="how often each run is done, as seeds"
    )
    parser.add_argument("--nodes", nargs="+", type=int, default=[1, 4, 16, 64])
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

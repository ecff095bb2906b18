"""Inference cost of a trained run at one batch size.

A process of its own, so that neither caches nor peak memory are those of training or of another
batch size. Gold is taken away first: encoding it is not part of inference.
"""

from __future__ import annotations

import statistics
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from runners.runs.checkpoint import Checkpoints
from runners.runs.energy import EnergyMeter
from runners.runs.environment import load_average, peak_memory_bytes, place
from runners.runs.failures import in_a_line, memory_ran_out
from runners.runs.workbench import Workbench
from suite.artifact import Artifact
from suite.artifact.facts import OF_A_RUN
from suite.errors import SuiteError
from suite.files import AGAIN, write_atomically
from suite.modelling.device import autocast, synchronise
from suite.records.run import InferenceCost, Latency, read_record
from suite.systems.contract import System, given, predict
from suite.tasks.examples import Example
from suite.tasks.items import Prediction

PASSES = 3
"""Passes over the test split, unless they take longer than `BUDGET_SECONDS`."""
BUDGET_SECONDS = 60.0
WARM_UP_BATCHES = 20


def stage_seconds(
    system: System, examples: Sequence[Example], device: torch.device
) -> dict[str, float]:
    """Wall clock from words to predictions, whole and by stage, the device idle between them."""
    synchronise(device)
    begun = time.perf_counter()
    batch = system.encode(examples).to(device)
    synchronise(device)
    encoded = time.perf_counter()
    scored = system(batch)
    synchronise(device)
    computed = time.perf_counter()
    system.decode(batch, scored)
    synchronise(device)
    decoded = time.perf_counter()
    return {
        "encode": encoded - begun,
        "forward": computed - encoded,
        "decode": decoded - computed,
        "total": decoded - begun,
    }


def batches(examples: Sequence[Example], size: int) -> Iterator[list[Example]]:
    """In the order of the file for single examples, of similar length otherwise."""
    ordered = list(examples)
    if size > 1:
        ordered.sort(key=lambda e: len(e.words), reverse=True)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def predict_once(
    system: System, examples: Sequence[Example], device: torch.device
) -> list[list[Prediction]]:
    """From words to predictions."""
    return predict(system, system.encode(examples).to(device))


def measure_inference(bench: Workbench, system: System, batch_size: int) -> InferenceCost:
    """Times whole passes over test (dev, where the plan spares test) and the stages of each batch.

    Args:
        bench: of the run.
        system: with the selected weights, on its device.
        batch_size: sentences at once.
    """
    device = bench.device
    system.eval()
    split = bench.dataset.test if bench.plan.test else bench.dataset.dev
    examples = [given(system, example) for example in bench.examples(split)]
    held = list(batches(examples, batch_size))
    latencies: defaultdict[str, list[float]] = defaultdict(list)
    passes: list[float] = []
    with torch.inference_mode(), autocast(bench.protocol.precision, device):
        for group in held[:: max(1, len(held) // WARM_UP_BATCHES)]:
            predict_once(system, group, device)
        with EnergyMeter(device) as meter:
            while len(passes) < PASSES and sum(passes) < BUDGET_SECONDS:
                started = time.perf_counter()
                for group in held:
                    for name, seconds in stage_seconds(system, group, device).items():
                        latencies[name].append(1000 * seconds / len(group))
                passes.append(time.perf_counter() - started)
    return InferenceCost(
        batch_size=batch_size,
        sentences=len(examples),
        passes=len(passes),
        total_seconds=statistics.median(passes),
        stages={name: _latency(values) for name, values in latencies.items()},
        peak_memory_bytes=peak_memory_bytes(device),
        place=place(device),
        energy=meter.energy,
    )


def _latency(values: Sequence[float]) -> Latency:
    ordered = sorted(values)
    return Latency(
        median=statistics.median(ordered),
        p95=ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)],
    )


def load_system(folder: Path, bench: Workbench) -> System:
    """The run's system with its selected weights: its model, or where it was pruned, a checkpoint.

    Raises:
        SuiteError: the weights are gone, damaged or another run's.
    """
    record = read_record(folder / "record.json")
    if record.model is not None:
        return Artifact.read(folder / OF_A_RUN, record.model).system(bench.device)
    system = bench.build().to(bench.device)
    if not Checkpoints(folder / "checkpoint", record.configuration).load_best(system):
        raise SuiteError(
            "the selected weights are missing, damaged or of another configuration",
            where=folder / "checkpoint",
            remedy=AGAIN,
        )
    return system


def measured_file(folder: Path, batch_size: int) -> Path:
    """Where a measurement's process leaves its figures."""
    return folder / f"inference-{batch_size}.json"


def leave_cost(folder: Path, size: int, make_bench: Callable[[], Workbench]) -> None:
    """Leaves the figures at a batch size in the run's folder, or the reason why there are none."""
    load = load_average()
    try:
        bench = make_bench()
        cost = measure_inference(bench, load_system(folder, bench), size)
        cost = cost.model_copy(update={"load_average": (load, load_average())})
    except SuiteError as error:
        cost = InferenceCost(batch_size=size, failure=str(error))
    except Exception as error:  # a system's own mistake must not end the suite
        traceback.print_exc()
        reason = "out of memory" if memory_ran_out(error) else in_a_line(error)
        cost = InferenceCost(batch_size=size, failure=reason)
    write_atomically(measured_file(folder, size), cost.model_dump_json())

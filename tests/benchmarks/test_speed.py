"""Speed as a share of the floor, every system in one run, on real data.

`pytest tests/benchmarks/test_speed.py -s` prints the table. Threads are torch's default, one a
core; `OMP_NUM_THREADS` changes them. The systems have seen a few steps, and may decode more
candidates than trained ones do; `--runs OUT` measures inference with the weights of an output
folder of `run-suite` where it has them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from runners.runs.inference import batches, predict_once
from runners.runs.train import Trainer, parameters
from suite.datasets.catalogue.entries import CATALOGUE
from suite.datasets.formats import detect
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.extraction.model import Model
from suite.systems.contract import given
from tests.benchmarks.floor import matrix_rate, operations, share, timed
from tests.benchmarks.trainers import CASES, Trainers, step

CPU = torch.device("cpu")


CLAIMS = "training 3-10 times, inference 7-15 times, 1/100 of the parameters (FastRE, abstract)"
TRAINING = "training, batch 32"


@dataclass
class Figures:
    """What was measured of each system, by name of the measure."""

    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    milliseconds: dict[str, dict[str, float]] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    work: dict[str, float] = field(default_factory=dict)
    """Operations of inference, which are the same in batches of any size."""

    def note(self, measure: str, system: str, work: float, seconds: float, count: int) -> None:
        self.rates.append(matrix_rate())
        self.shares.setdefault(measure, {})[system] = share(work, seconds, self.rates[-1])
        self.milliseconds.setdefault(measure, {})[system] = 1000 * seconds / count


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures()


@pytest.mark.parametrize("name", CASES)
def test_training_step(
    benchmark: BenchmarkFixture, trainers: Trainers, figures: Figures, name: str
) -> None:
    """An epoch as trained: batches, loss, backward, clipping and optimiser."""
    trainer = trainers[name]
    examples = trainer.bench.examples(trainer.bench.dataset.train)
    work = operations(trainer.system, examples, backward=True)
    step(trainer)  # the first one takes memory that all others have
    first = benchmark.pedantic(lambda: timed(trainer.train_epoch), rounds=1)
    # Other work beside one epoch is no cost of the system.
    seconds = min([first, *(timed(trainer.train_epoch) for _ in range(1, CASES[name].epochs))])
    figures.note(TRAINING, name, work, seconds, len(examples))
    figures.parameters[name] = parameters(trainer.system).total
    benchmark.extra_info["share of the floor"] = figures.shares[TRAINING][name]


@pytest.mark.parametrize(
    ("name", "size"), [(name, size) for name, case in CASES.items() for size in case.sizes]
)
def test_inference(
    benchmark: BenchmarkFixture,
    trainers: Trainers,
    figures: Figures,
    request: pytest.FixtureRequest,
    name: str,
    size: int,
) -> None:
    """From words to predictions: encoding, forward and decoding."""
    trainer, case = trainers[name], CASES[name]
    _take_weights(trainer, request.config.getoption("--runs", None), case.dataset)
    system = trainer.system.eval()
    test = trainer.bench.examples(trainer.bench.dataset.test)
    examples = [given(system, e) for e in test[:: max(1, len(test) // case.tested)][: case.tested]]
    groups = list(batches(examples, size))

    def predict_all() -> None:
        with torch.inference_mode():
            for group in groups:
                predict_once(system, group, CPU)

    if name not in figures.work:
        figures.work[name] = operations(system, examples, backward=False)
    # The first pass warms up.
    seconds = min(timed(predict_all), benchmark.pedantic(lambda: timed(predict_all), rounds=1))
    measure = f"inference, batch {size}"
    figures.note(measure, name, figures.work[name], seconds, len(examples))
    benchmark.extra_info["share of the floor"] = figures.shares[measure][name]


def _take_weights(trainer: Trainer, out: Path | None, dataset: str) -> None:
    """The weights that a run of the same system and seed has selected, where there is one."""
    folder = (out or Path()) / "runs" / trainer.system.name / dataset / "0"
    if out is not None and (folder / "record.json").exists():
        trainer.system.load_state_dict(Model.load(folder, "cpu").system.state_dict())


def test_reading_and_encoding(
    benchmark: BenchmarkFixture, shared_data: Path, trainers: Trainers
) -> None:
    """NYT10's test file from disk to tensors, against the parsing of its JSON alone."""
    path = shared_data / "nyt10" / "test_triples.json"
    system = trainers["fastre"].system
    types = CATALOGUE["nyt10"].types or {}

    def read_and_encode() -> int:
        file = TextFile.read(path)
        return len(system.encode(detect(file).read(file, "test", Reading(ProblemLog(path), types))))

    floor = min(timed(lambda: json.loads(path.read_bytes())) for _ in range(5))
    assert benchmark.pedantic(read_and_encode, rounds=4, warmup_rounds=1) == 4006
    if benchmark.stats:  # None where benchmarks are disabled
        benchmark.extra_info["times the parsing of JSON"] = benchmark.stats["median"] / floor


def test_fastre_is_faster_than_casrel(figures: Figures, capsys: pytest.CaptureFixture[str]) -> None:
    """The order that the paper claims; how far it goes is printed, not asserted."""
    spent = figures.milliseconds
    if not all({"fastre", "casrel"} <= spent.get(m, {}).keys() for m in (TRAINING, *_inference())):
        pytest.skip("the measurements before this one did not all run")
    lines = [
        f"{'':22}{'system':14}{'share of the floor':>20}{'ms per sentence':>16}{'/ FastRE':>10}"
    ]
    for measure, by_system in spent.items():
        for name, taken in by_system.items():
            times = taken / by_system["fastre"] if CASES[name].dataset == "nyt10" else None
            lines.append(
                f"{measure:22}{name:14}{figures.shares[measure][name]:>20.0%}{taken:>16.3f}"
                f"{'-' if times is None else f'{times:.1f}':>10}"
            )
    sizes = figures.parameters
    lines.append(f"parameters: CasRel has {sizes['casrel'] / sizes['fastre']:.1f} times FastRE's")
    low, high = min(figures.rates) / 1e9, max(figures.rates) / 1e9
    lines.append(f"floor: {low:.0f} to {high:.0f} billion operations per second")
    lines.append(f"claimed, on an RTX 2080 Ti against BERT-base: {CLAIMS}")
    with capsys.disabled():
        print("", f"{torch.get_num_threads()} threads, float32", *lines, sep="\n")
    for measure in (TRAINING, *_inference()):
        assert spent[measure]["fastre"] < spent[measure]["casrel"], measure


def _inference() -> list[str]:
    return [f"inference, batch {size}" for size in CASES["casrel"].sizes]

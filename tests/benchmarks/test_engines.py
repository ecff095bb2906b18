"""FastRE by onnxruntime against torch, from words to predictions, in turns in one run.

`pytest tests/benchmarks/test_engines.py -s` prints the table. Both have one thread, so that neither
waits for a core that other work has. The system is trained first, for half a minute: one that is
not finds a head in every word, and mostly scores tails.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from runners.runs.inference import batches
from runners.runs.plan import RunPlan
from runners.runs.train import Trainer
from runners.runs.workbench import Workbench
from suite.datasets import load_dataset
from suite.protocol import Protocol
from suite.systems.contract import given, predict
from suite.systems.onnx_graphs import OnnxEngine, export_onnx
from suite.tasks.examples import Example
from tests.benchmarks.floor import timed

EPOCHS = 5
SIZES = (1, 8, 128)
ROUNDS = 3
SAMPLE = 3
"""Of so many test sentences, one is predicted."""
WORTHWHILE = 1.2
"""Times as fast as torch at which an engine is worth its export."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Puts back what torch had."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trainer(
    shared_data: Path, static_vectors: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trainer:
    for package in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason="the packages of the extra `onnx` are not installed")
    plan = RunPlan(
        suite="engines", dataset="conll04", data_dir=shared_data, system="fastre", settings={},
        protocol=Protocol(threads=1, epochs=EPOCHS), seed=0,
        vectors=static_vectors, train_vectors=False, pretrained=None, tracker="none",
        batch_sizes=(1,),
    )  # fmt: skip
    bench = Workbench(plan, load_dataset("conll04", shared_data))
    made = Trainer(bench, tmp_path_factory.mktemp("engines"), "engines")
    for _ in range(EPOCHS):
        made.train_epoch()
    return made


class Engines:
    """Both engines of a trained system."""

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        self.system = trainer.system.eval()
        export_onnx(self.system, folder)
        self.onnx = OnnxEngine(self.system, folder, threads=1)

    def torch(self, groups: Sequence[Sequence[Example]]) -> None:
        for group in groups:
            predict(self.system, self.system.encode(group))

    def onnxruntime(self, groups: Sequence[Sequence[Example]]) -> None:
        for group in groups:
            self.onnx.predict(self.system.encode(group))

    def milliseconds(self, groups: Sequence[Sequence[Example]]) -> tuple[float, float]:
        """Of a sentence, by torch and by onnxruntime: medians over rounds taken in turns."""
        taken: tuple[list[float], list[float]] = [], []
        for _ in range(1 + ROUNDS):  # the first warms up
            for seconds, engine in zip(taken, (self.torch, self.onnxruntime), strict=True):
                seconds.append(timed(lambda engine=engine: engine(groups)))
        sentences = sum(map(len, groups))
        one, other = (1000 * statistics.median(seconds[1:]) / sentences for seconds in taken)
        return one, other


def test_onnxruntime_is_worthwhile_for_single_sentences(
    trainer: Trainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In larger batches both engines near the processor's rate: their ratio is printed alone."""
    engines = Engines(trainer, tmp_path)
    test = trainer.bench.examples(trainer.bench.dataset.test)[::SAMPLE]
    examples = [given(engines.system, example) for example in test]
    ratios, lines = {}, [f"{'batch':>8}{'torch':>10}{'onnxruntime':>14}{'ratio':>8}"]
    with torch.inference_mode():
        for size in SIZES:
            one, other = engines.milliseconds(list(batches(examples, size)))
            ratios[size] = one / other
            lines.append(f"{size:>8}{one:>10.3f}{other:>14.3f}{ratios[size]:>8.2f}")
    with capsys.disabled():
        heading = "one thread, milliseconds per sentence"
        print("", heading, *lines, sep="\n")
    assert ratios[1] >= WORTHWHILE

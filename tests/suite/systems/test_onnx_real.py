"""A trained FastRE over a real test set, by onnxruntime and by torch."""

from __future__ import annotations

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
from tests.suite.systems.test_onnx_graphs import assert_same

EPOCHS = 5


@pytest.mark.slow
def test_conll04s_whole_test_set(shared_data: Path, static_vectors: Path, tmp_path: Path) -> None:
    for package in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason="the packages of the extra `onnx` are not installed")
    from suite.systems.onnx_graphs import OnnxEngine, export_onnx

    plan = RunPlan(
        suite="onnx", dataset="conll04", data_dir=shared_data, system="fastre", settings={},
        protocol=Protocol(threads=1, epochs=EPOCHS), seed=0, vectors=static_vectors,
        train_vectors=False, pretrained=None, tracker="none", batch_sizes=(1,),
    )  # fmt: skip
    bench = Workbench(plan, load_dataset("conll04", shared_data))
    trainer = Trainer(bench, tmp_path, "onnx")
    for _ in range(EPOCHS):
        trainer.train_epoch()
    system = trainer.system.eval()
    export_onnx(system, tmp_path / "graphs")
    engine = OnnxEngine(system, tmp_path / "graphs", threads=1)
    examples = [given(system, e) for e in bench.examples(bench.dataset.test)]
    assert len(examples) == 288
    for size in (1, 8, 128):
        found = 0
        with torch.inference_mode():
            for group in batches(examples, size):
                batch = system.encode(group)
                found += assert_same(engine.predict(batch), predict(system, batch))
        assert found > 30, "a system that has learnt nothing shows nothing"

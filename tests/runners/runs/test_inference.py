"""What is measured of inference, and what is not part of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from functools import partialmethod
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from runners.runs import inference as measuring
from runners.runs.checkpoint import Checkpoints
from runners.runs.environment import environment
from runners.runs.inference import PASSES, batches, load_system, measure_inference, stage_seconds
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from suite.errors import SuiteError
from suite.fastre.system import FastRE
from suite.modelling.cascade import CascadeBatch
from suite.records.energy import Energy
from suite.records.run import InferenceCost, Latency
from suite.tasks.examples import Example, Sentence
from tests import tiny
from tests.runners.runs.powercap import moved, zone


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    dataset = tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")
    return Workbench(tiny.make_plan(dataset))


@pytest.fixture(scope="module", params=[1, 4, 128])
def measured(
    bench: Workbench, request: pytest.FixtureRequest
) -> tuple[InferenceCost, dict[str, list[float]], list[Example]]:
    """The costs at one batch size, the raw times behind each latency, and all that was encoded."""
    raw: list[list[float]] = []
    encoded: list[Example] = []
    summarise, encode = measuring._latency, FastRE.encode

    def noted(values: Sequence[float]) -> Latency:
        raw.append(list(values))
        return summarise(values)

    def spied(system: FastRE, examples: Sequence[Example]) -> CascadeBatch:
        encoded.extend(examples)
        return encode(system, examples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "_latency", noted)
        patch.setattr(FastRE, "encode", spied)
        cost = measure_inference(bench, bench.build(), request.param)
    return cost, dict(zip(cost.stages, raw, strict=True)), encoded


def test_the_record_says_what_was_measured(
    measured: tuple[InferenceCost, dict[str, list[float]], list[Example]],
) -> None:
    cost, raw, _ = measured
    size = tiny.SIZES["test"]
    assert cost.failure is None
    assert cost.sentences == size
    assert cost.passes == PASSES
    assert set(cost.stages) == {"encode", "forward", "decode", "total"}
    groups = -(-size // cost.batch_size)
    assert {len(values) for values in raw.values()} == {PASSES * groups}
    assert cost.peak_memory_bytes is not None
    assert cost.peak_memory_bytes > 50 * 2**20
    assert cost.place == environment("cpu").place


def test_stages_are_parts_of_the_total(
    measured: tuple[InferenceCost, dict[str, list[float]], list[Example]],
) -> None:
    """They make it up in every batch; and whole passes take as long as their batches."""
    cost, raw, _ = measured
    totals = raw.pop("total")
    for parts in zip(*raw.values(), totals, strict=True):
        *stages, total = parts
        assert all(part > 0 for part in stages)
        assert sum(stages) == pytest.approx(total)
    for latency in cost.stages.values():
        assert 0 < latency.median <= latency.p95
    assert cost.total_seconds is not None
    if cost.batch_size == 1:
        milliseconds = statistics.fmean(totals) * cost.sentences
        assert 0.3 * milliseconds < 1000 * cost.total_seconds < 3 * milliseconds + 50


def test_gold_is_out_of_sight(
    bench: Workbench, measured: tuple[InferenceCost, dict[str, list[float]], list[Example]]
) -> None:
    _, _, encoded = measured
    assert {e.id for e in encoded} == {e.id for e in bench.dataset.test.examples}
    for example in encoded:
        assert isinstance(example, Sentence)
        assert example == Sentence(example.id, example.words)
    words = {e.id: e.words for e in bench.examples(bench.dataset.test)}
    assert all(words[e.id] == e.words for e in encoded if isinstance(e, Sentence))


def test_each_stage_has_the_time_that_it_took(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delays of known length are put into each of the three calls."""
    delays = {"encode": 0.01, "forward": 0.04, "decode": 0.02}
    for name, delay in delays.items():

        def slowed(*arguments: Any, call: Any, delay: float = delay) -> Any:
            time.sleep(delay)
            return call(*arguments)

        call = getattr(FastRE, name)
        monkeypatch.setattr(FastRE, name, partialmethod(slowed, call=call))
    system = bench.build().eval()
    with torch.inference_mode():
        taken = stage_seconds(system, bench.dataset.test.examples[:1], torch.device("cpu"))
    assert all(taken[name] >= delay for name, delay in delays.items())
    assert taken["total"] == pytest.approx(sum(taken[name] for name in delays))


def test_energy_is_that_of_the_timed_passes(
    bench: Workbench, powercap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch draws a joule; those of the warm-up are drawn as well, and not counted."""
    package = zone(powercap, "intel-rapl:0", "package-0", 0)
    encode, calls = FastRE.encode, count(1)

    def drawing(system: FastRE, examples: Sequence[Example]) -> CascadeBatch:
        moved(package, 10**6 * next(calls))
        return encode(system, examples)

    monkeypatch.setattr(FastRE, "encode", drawing)
    cost = measure_inference(bench, bench.build(), 4)
    groups = -(-tiny.SIZES["test"] // 4)
    assert next(calls) - 1 > PASSES * groups
    assert cost.energy == Energy(package_joules=PASSES * groups)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 50))
def test_every_sentence_stands_in_one_batch(lengths: list[int], size: int) -> None:
    sentences = [Sentence(str(i), ("w",) * n) for i, n in enumerate(lengths)]
    held = list(batches(sentences, size))
    assert sorted(s.id for group in held for s in group) == sorted(s.id for s in sentences)
    assert [len(group) for group in held[:-1]] == [size] * (len(held) - 1)
    assert 1 <= len(held[-1]) <= size
    if size == 1:
        assert [group[0] for group in held] == sentences


def test_only_the_runs_own_weights_are_measured(bench: Workbench, tmp_path: Path) -> None:
    system = bench.build()
    record = planned_record(bench, started="")
    record.write(tmp_path)
    with pytest.raises(SuiteError, match="selected weights are missing"):
        load_system(tmp_path, bench)
    Checkpoints(tmp_path / "checkpoint", "another configuration").save_best(system)
    with pytest.raises(SuiteError, match="of another configuration"):
        load_system(tmp_path, bench)
    with torch.no_grad():
        for parameter in system.parameters():
            parameter.fill_(0.5)
    Checkpoints(tmp_path / "checkpoint", record.configuration).save_best(system)
    loaded = load_system(tmp_path, bench)
    assert all(bool((p == 0.5).all()) for p in loaded.parameters())

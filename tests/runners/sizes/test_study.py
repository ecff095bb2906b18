"""A study of cost by size: what is measured, what is not, and what is said of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch

from reports.report import write_report
from runners.executors.base import OnProgress
from runners.executors.processes import Work
from runners.sizes.measure import EncoderClock, _build, _infer, _train, measured_file
from runners.sizes.study import SizeRequest, SizeSuite
from suite.errors import SuiteError
from suite.files import read_model
from suite.records.sizes import (
    Kind,
    Measurement,
    SizePoint,
    SizeRecord,
    folder_of,
    read_size_plan,
    read_size_record,
)
from suite.studies.sizes import SizeStudy, find_size_study
from suite.systems.contract import predict
from suite.systems.registry import find_system, learning, system_names
from tests import tiny

STUDY = """
title: Small
question: How?
source: Li et al., FastRE, IJCAI 2022
table: Table 3
words: [8, 12, 16]
relations: [3, 6]
where: {words: 8, relations: 3}
sentences: 2
steps: 2
seconds: 5
fit_seconds: 30
limit_seconds: 60
limit_gigabytes: 8
stated:
  fastre: {text: O(n), words: 1, relations: 0}
"""


@pytest.fixture
def study(tmp_path: Path) -> SizeStudy:
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    found = find_size_study(str(path))
    assert found is not None
    return found


class Pretended:
    """Processes that leave what the test wants, and note what was asked of them."""

    def __init__(self, outcomes: dict[tuple[int, int, Kind], Any] | None = None) -> None:
        self.outcomes = outcomes or {}
        self.asked: list[tuple[str, int, int, Kind]] = []

    def call(
        self,
        work: Work,
        folder: Path,
        *arguments: object,
        lock: int,
        encoder: bool = False,
        on_progress: OnProgress | None = None,
    ) -> int:
        point = read_model(folder / "point.json", SizePoint, "point", "")
        kind: Any = arguments[0]
        size = point.size
        self.asked.append((point.system.variant, size.words, size.relations, kind))
        found = self.outcomes.get((size.words, size.relations, kind), "figures")
        if isinstance(found, BaseException):
            raise found
        if isinstance(found, int):
            return found
        if found == "figures":
            found = Measurement(kind=kind, seconds=size.words**2 / 1e3, memory_bytes=size.words)
        measured_file(folder, kind).write_text(found.model_dump_json())
        return 0

    def stop(self) -> None:
        """Nothing is under way."""


def carried_out(
    study: SizeStudy, out: Path, processes: Pretended, **changes: Any
) -> list[SizeRecord]:
    records: list[SizeRecord] = []
    request = SizeRequest(study, out, **{"systems": ("fastre",), **changes})
    SizeSuite(request).run(records.append, processes)
    return records


def test_every_system_of_triples_is_measured_at_every_size(
    study: SizeStudy, tmp_path: Path
) -> None:
    suite = SizeSuite(SizeRequest(study, tmp_path / "out"))
    wanted = {
        name
        for name in system_names()
        if "triples" in find_system(name).tasks
        and find_system(name).upper_bound is None
        and name != "retention"
    }
    assert {system.name for system in suite.systems} == wanted > {"fastre", "casrel", "grte"}
    sizes = {(point.size.words, point.size.relations) for point in suite.points}
    assert sizes == {(8, 3), (12, 3), (16, 3), (8, 6)}
    assert len(suite.points) == 4 * len(wanted)


def test_each_measurement_has_a_process_and_is_made_once(study: SizeStudy, tmp_path: Path) -> None:
    first, again = Pretended(), Pretended()
    records = carried_out(study, tmp_path, first)
    assert len(first.asked) == len(set(first.asked)) == 8
    assert carried_out(study, tmp_path, again) == records
    assert not again.asked
    other = Pretended()
    carried_out(study, tmp_path, other, threads=2)
    assert len(other.asked) == 8, "other threads, other figures"
    left = {path.name for path in (tmp_path / "sizes" / "fastre" / "8-3").iterdir()}
    assert left <= {"record.json", ".lock", "log.txt"}


def test_after_a_limit_larger_sizes_are_not_tried(study: SizeStudy, tmp_path: Path) -> None:
    failure = Measurement(kind="training", failure="takes more than 60 s", reason="time")
    processes = Pretended({(12, 3, "training"): failure, (16, 3, "inference"): -9})
    records = carried_out(study, tmp_path, processes)
    by_size = {(r.point.size.words, r.point.size.relations): r for r in records}
    assert by_size[12, 3].of("training").reason == "time"
    skipped = by_size[16, 3].of("training")
    assert skipped.reason == "not tried"
    assert skipped.failure == "not tried: takes more than 60 s at 12 words and 3 relations"
    assert by_size[16, 3].of("inference").reason == "memory"
    assert by_size[8, 6].of("training").seconds, "the other axis has no larger size"
    assert ("fastre", 16, 3, "training") not in processes.asked
    text = (tmp_path / "report.md").read_text()
    assert "FastRE, training step, 12 words, 3 relations: takes more than 60 s" in text
    assert "killed by signal 9, as when memory runs out" in text


def test_an_interruption_leaves_a_report_of_what_was_finished(
    study: SizeStudy, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        carried_out(study, tmp_path, Pretended({(16, 3, "training"): KeyboardInterrupt()}))
    assert "**2 of 4 sizes are not measured yet.**" in (tmp_path / "report.md").read_text()
    again = Pretended()
    carried_out(study, tmp_path, again)
    assert {asked[1:3] for asked in again.asked} == {(16, 3), (8, 6)}


def test_a_mistake_is_made_again_and_a_limit_is_not(study: SizeStudy, tmp_path: Path) -> None:
    carried_out(study, tmp_path, Pretended({(8, 3, "inference"): 1, (16, 3, "training"): -9}))
    again = Pretended()
    records = carried_out(study, tmp_path, again)
    assert {asked[1:3] for asked in again.asked} == {(8, 3)}
    assert records[0].of("inference").seconds


def test_the_report_is_made_from_records_alone(study: SizeStudy, tmp_path: Path) -> None:
    carried_out(study, tmp_path, Pretended())
    text = (tmp_path / "report.md").read_text()
    (tmp_path / "report.md").unlink()
    assert write_report(tmp_path).read_text() == text
    assert read_size_plan(tmp_path / "sizes.json").study == study
    record = folder_of(tmp_path, *_first(tmp_path)) / "record.json"
    record.write_text("{}")
    with pytest.raises(SuiteError, match=r"record\.json"):
        write_report(tmp_path)


def _first(out: Path) -> tuple[Any, Any]:
    plan = read_size_plan(out / "sizes.json")
    return plan.systems[0], plan.study.sizes[0]


def test_systems_and_settings_are_checked_before(study: SizeStudy, tmp_path: Path) -> None:
    for changes, message in (
        ({"systems": ("fastner",)}, "does not do the task"),
        ({"settings": {"casrel": {}}}, "casrel"),
        ({"settings": {"fastre": {"breadth": 3}}}, "breadth"),
        ({"device": "cuda:9"}, "no device"),
    ):
        with pytest.raises(SuiteError, match=message):
            SizeSuite(SizeRequest(study, tmp_path, **{"systems": ("fastre",), **changes}))


def test_inference_says_whether_training_fitted_the_system(
    study: SizeStudy, tmp_path: Path
) -> None:
    """Two steps leave it finding nothing, or far too much; more make it find what is there."""
    small = {"fastre": {"width": 16, "type_width": 4, "dilations": [1]}}
    hurried = study.model_copy(update={"fit_seconds": 0.0})
    short, point = (
        SizeSuite(SizeRequest(one, tmp_path, systems=("fastre",), settings=small)).points[2]
        for one in (hurried, study)
    )
    assert not _infer(tmp_path, point).fitted
    assert _train(tmp_path, short).repeats == 1
    assert not _infer(tmp_path, point).fitted
    trained = _train(tmp_path, point)
    assert trained.repeats == 1, "what fits besides is not timed"
    found = _infer(tmp_path, point)
    assert found.fitted
    assert trained.gold == found.gold
    assert found.predicted is not None
    assert found.gold is not None
    assert found.gold / 2 <= found.predicted <= 2 * found.gold
    assert found.seconds is not None
    assert found.decoding_seconds is not None
    assert 0 < found.decoding_seconds < 0.95 * found.seconds, "FastRE's encoder takes its part"


class Slow(torch.nn.Module):
    def forward(self, seconds: float) -> None:
        time.sleep(seconds)


class Whole(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Slow()


def test_the_clock_of_an_encoder_counts_its_calls_alone() -> None:
    whole = Whole()
    clock = EncoderClock(whole, torch.device("cpu"))
    assert not clock.found, "what is not called has no time"
    begun = time.perf_counter()
    for _ in range(2):
        whole.encoder(0.02)
    assert clock.found
    assert 0.04 <= clock.seconds <= time.perf_counter() - begun
    assert not EncoderClock(Slow(), torch.device("cpu")).found


@pytest.mark.parametrize("name", learning("triples"))
def test_every_system_calls_its_encoder(name: str, study: SizeStudy, tmp_path: Path) -> None:
    """One that called parts of it would have its encoder counted as decoding."""
    point = SizeSuite(SizeRequest(study, tmp_path, systems=(name,))).points[0]
    system, sentences, device = _build(point)
    clock = EncoderClock(system, device)
    with torch.inference_mode():
        predict(system.eval(), system.encode([s.bare() for s in sentences]))
    assert clock.found


@pytest.mark.slow
def test_the_command_measures_a_system(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(STUDY.replace("[8, 12, 16]", "[8]").replace("[3, 6]", "[3]"))
    ended = tiny.command(
        "run_suite", "--study", path, "--system", "fastre", "--out", tmp_path / "out", "--threads",
        "1", "--set", "fastre.width=16", "--set", "fastre.type_width=4", folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "[1 of 1] fastre · 8 words · 3 relations: training" in ended.out
    record = read_size_record(tmp_path / "out" / "sizes" / "fastre" / "8-3" / "record.json")
    for found in record.measured:
        assert found.failure is None
        assert found.seconds
        assert found.memory_bytes is not None
        assert found.held_bytes
    assert record.parameters
    assert (tmp_path / "out" / "figures" / "cost-by-size.png").exists()


@pytest.mark.slow
def test_limits_end_a_process_and_are_said(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    text = STUDY.replace("[8, 12, 16]", "[8]").replace("[3, 6]", "[3]")
    path.write_text(text.replace("limit_gigabytes: 8", "limit_gigabytes: 0.01"))
    ended = tiny.command(
        "run_suite",
        "--study",
        path,
        "--system",
        "fastre",
        "--out",
        tmp_path / "out",
        folder=tmp_path,
    )
    assert ended.code == 0, ended.err
    assert "takes more than 0.01 GB of memory" in ended.out
    assert "out of memory" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "nyt10"), "--dataset means nothing"),
        (("--epochs", "3"), "--epochs means nothing"),
        (("--system", "fastner"), "does not do the task"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    ended = tiny.command(
        "run_suite", "--study", "cost-by-size", "--dry-run", *arguments, folder=tmp_path
    )
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err

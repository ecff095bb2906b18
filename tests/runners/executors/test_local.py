"""Runs in processes of their own: several at a time leave what one at a time does."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from runners.executors.base import Ended, Event, Measured, PlannedRun, Progressed, Started
from runners.executors.local import LocalExecutor
from runners.executors.processes import ProcessesOf, Work
from runners.executors.server import ENCODERS_NEED, served
from runners.runs.environment import peak_memory_bytes
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from suite.records.evidence import RUN_EVIDENCE
from suite.records.run import RunRecord, read_record
from tests import tiny

pytestmark = pytest.mark.slow


def planned(dataset: Path, out: Path, seeds: Sequence[int], **changes: Any) -> list[PlannedRun]:
    runs = []
    for seed in seeds:
        plan = tiny.make_plan(dataset, seed=seed, epochs=2, **changes)
        runs.append(PlannedRun(plan, out / str(seed), planned_record(Workbench(plan), "")))
    return runs


def carried_out(executor: LocalExecutor, runs: list[PlannedRun]) -> list[Event]:
    heard: list[Event] = []
    executor.run_all(runs, heard.append)
    return heard


@pytest.fixture(scope="module")
def one_at_a_time(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PlannedRun]:
    runs = planned(dataset, tmp_path_factory.mktemp("one"), (0, 1, 2))
    carried_out(LocalExecutor(), runs)
    return runs


def scored(record: RunRecord) -> dict[str, Any]:
    """What of a record must not depend on what ran beside it."""
    fields = {"configuration", "seed", "status", "parameters", "dev", "test", "ceiling", "system"}
    return record.model_dump(include=fields)


def test_several_at_a_time_leave_the_same_records(
    one_at_a_time: list[PlannedRun], dataset: Path, tmp_path: Path
) -> None:
    together = planned(dataset, tmp_path, (0, 1, 2))
    events = carried_out(LocalExecutor(2), together)
    for one, other in zip(one_at_a_time, together, strict=True):
        ours, theirs = (read_record(run.folder / "record.json") for run in (one, other))
        assert scored(ours) == scored(theirs)
        predictions = [(run.folder / "predictions.jsonl").read_bytes() for run in (one, other)]
        assert predictions[0] == predictions[1]
    places = {type(event): i for i, event in enumerate(events)}
    first_measured = next(i for i, event in enumerate(events) if isinstance(event, Measured))
    assert places[Progressed] < first_measured, "measured while another run was trained"
    assert sum(isinstance(event, Started) for event in events) == 3
    assert sum(isinstance(event, Ended) for event in events) == 3


def test_a_record_says_whether_it_was_timed_alone(
    one_at_a_time: list[PlannedRun], dataset: Path, tmp_path: Path
) -> None:
    together = planned(dataset, tmp_path, (0, 1))
    carried_out(LocalExecutor(2), together)
    for runs, alone in ((one_at_a_time, True), (together, False)):
        for run in runs:
            record = read_record(run.folder / "record.json")
            assert record.training is not None
            assert record.training.alone is alone
            assert [cost.alone for cost in record.inference] == [True], "measured by itself"


def test_a_run_whose_weights_were_damaged_is_trained_again(
    dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where they are needed for measuring; its scores are the same."""
    (run,) = planned(dataset, tmp_path, (0,))
    carried_out(LocalExecutor(), [run])
    first = read_record(run.folder / "record.json")
    best = run.folder / "model" / "model.safetensors"
    content = bytearray(best.read_bytes())
    content[len(content) // 2] ^= 1
    best.write_bytes(content)
    carried_out(LocalExecutor(), [run])
    assert f"{best}: is damaged (" in capfd.readouterr().err
    again = read_record(run.folder / "record.json")
    assert scored(again) == scored(first)
    assert [cost.failure for cost in again.inference] == [None]


def test_a_run_that_came_as_evidence_is_trained_where_it_is_to_be_measured(
    one_at_a_time: list[PlannedRun],
    dataset: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Its model did not come along; what is trained is no longer told by evidence."""
    (run,) = planned(dataset, tmp_path, (0,))
    first = read_record(one_at_a_time[0].folder / "record.json")
    first.write(run.folder)
    (run.folder / RUN_EVIDENCE).write_text("{}")
    assert run.done() is not None, "unless it is to be measured, there is nothing to do"
    carried_out(LocalExecutor(), [run])
    assert "is trained again" in capfd.readouterr().err
    assert scored(read_record(run.folder / "record.json")) == scored(first)
    assert not (run.folder / RUN_EVIDENCE).exists()
    assert (run.folder / "predictions.jsonl").is_file()


def test_what_is_done_on_another_machine_is_done(
    one_at_a_time: list[PlannedRun], dataset: Path, tmp_path: Path
) -> None:
    (run,) = planned(dataset, tmp_path, (0,))
    record = read_record(one_at_a_time[0].folder / "record.json")
    elsewhere = {"processor": "Another CPU", "machine": "Linux aarch64", "device": "NVIDIA H100"}
    there = record.environment.model_copy(update=elsewhere)
    record.model_copy(update={"environment": there}).write(run.folder)
    done = run.done()
    assert done is not None
    assert done.environment.processor == "Another CPU"


def test_what_on_event_raises_ends_the_runs(dataset: Path, tmp_path: Path) -> None:
    """Each leaves the record of an interrupted run, and nothing is left under way."""
    runs = planned(dataset, tmp_path, (0, 1, 2), patience=100_000)
    runs = [
        PlannedRun(
            run.plan.model_copy(
                update={"protocol": run.plan.protocol.model_copy(update={"epochs": 100_000})}
            ),
            run.folder,
            run.planned,
        )
        for run in runs
    ]
    begun: set[Path] = set()

    def on_event(event: Event) -> None:
        if isinstance(event, Progressed):
            begun.add(event.run.folder)
            if len(begun) == 2:
                raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        LocalExecutor(2).run_all(runs, on_event)
    assert time.monotonic() - started < 60
    assert {read_record(folder / "record.json").status for folder in begun} == {"interrupted"}
    assert not (runs[2].folder / "record.json").exists(), "it had not begun"


def _hold(folder: Path, bench: Workbench | None, mebibytes: int) -> int:
    """Holds memory for a moment and leaves the peak of its process."""
    block = torch.ones(mebibytes * 2**20, dtype=torch.uint8)
    del block
    (folder / f"{mebibytes}.peak").write_text(str(peak_memory_bytes(torch.device("cpu"))))
    return 0


@pytest.mark.parametrize("encoder", [False, True])
def test_the_peak_memory_of_a_process_is_its_own(tmp_path: Path, *, encoder: bool) -> None:
    """Neither that of the process before it, nor that of the command that started both."""
    block = torch.ones(700 * 2**20, dtype=torch.uint8)
    for mebibytes in (400, 1):
        lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
        assert served().call(_hold, tmp_path, mebibytes, lock=lock, encoder=encoder) == 0
        os.close(lock)
    del block
    large, small = (int((tmp_path / f"{n}.peak").read_text()) / 2**20 for n in (400, 1))
    assert 350 < large - small < 450
    assert small < 600, "some of the 700 of the command are in it"


def _leave_libraries(folder: Path, bench: Workbench | None) -> int:
    """Leaves what its process has imported before it did anything."""
    (folder / "libraries.json").write_text(json.dumps(sorted(sys.modules)))
    return 0


@pytest.mark.parametrize("encoder", [False, True])
def test_a_system_without_an_encoder_does_not_hold_the_library_of_encoders(
    tmp_path: Path, *, encoder: bool
) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    assert served().call(_leave_libraries, tmp_path, lock=lock, encoder=encoder) == 0
    os.close(lock)
    imported = json.loads((tmp_path / "libraries.json").read_text())
    assert "torch" in imported
    # A server passes over what it cannot import, and each process would import it again.
    assert set(ENCODERS_NEED) <= set(imported) if encoder else "transformers" not in imported


@pytest.mark.parametrize("way", ["served", "fork"])
@pytest.mark.parametrize("work", ["sleeps", "never lets go of the interpreter"])
def test_a_measurement_ends_with_the_command_that_started_it(
    tmp_path: Path, way: str, work: str
) -> None:
    """It was killed, so that it could tell no one; nothing goes on beside the next command."""
    step = _sleep if work == "sleeps" else _hold_the_interpreter
    ended = tiny.forked(_kill_oneself_while_a_child_works, tmp_path, way, step, folder=tmp_path)
    assert ended.code == -9, ended.err
    child = json.loads((tmp_path / "child.json").read_text())
    ends = time.monotonic() + 10
    while _works(child) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _works(child)


def _works(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _sleep(folder: Path, bench: Workbench | None) -> int:
    (folder / "child.json").write_text(json.dumps(os.getpid()))
    print('progress: {"epoch": 1}', flush=True)
    time.sleep(300)
    return 0


def _hold_the_interpreter(folder: Path, bench: Workbench | None) -> int:
    """In C, as where a tokenizer reads a whole split: no other thread of the process has a turn."""
    (folder / "child.json").write_text(json.dumps(os.getpid()))
    print('progress: {"epoch": 1}', flush=True)
    ctypes.PyDLL(None).usleep(300_000_000)
    return 0


def _kill_oneself_while_a_child_works(folder: Path, way: str, work: Work) -> None:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    processes = served() if way == "served" else ProcessesOf(multiprocessing.get_context(way))

    def die(_: object) -> None:
        time.sleep(0.2)  # until the child is in the midst of it
        os.kill(os.getpid(), 9)

    processes.call(work, folder, lock=lock, on_progress=die)

"""A run that was killed and went on ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from runners.runs.plan import RunPlan
from suite.records.run import RunRecord, read_record
from tests import tiny
from tests.runners.faults import HALF, WHOLE, train_until

pytestmark = pytest.mark.slow

KINDS = ("step", f"best.pt {HALF}", f"history.jsonl {HALF}", f"last.pt {HALF}", f"last.pt {WHOLE}")


@pytest.fixture(scope="module", params=[1, 2], ids=["one thread", "two threads"])
def plan(dataset: Path, request: pytest.FixtureRequest) -> RunPlan:
    """Of FastRE, on so many threads."""
    return tiny.make_plan(dataset, threads=request.param)


@pytest.fixture(scope="module")
def whole(plan: RunPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FastRE, never interrupted; its moments stand in `moments.txt`."""
    folder = tiny.write_plan(tmp_path_factory.mktemp("whole") / "run", plan)
    ended = tiny.forked(train_until, folder, folder / "moments.txt", None, folder=folder)
    assert ended.code == 0, ended.err
    return folder


def outcome(folder: Path) -> tuple[RunRecord, dict[str, Any]]:
    """The record, and all that must not differ by a digit."""
    record = read_record(folder / "record.json")
    assert record.status == "complete", record.failure
    assert record.training is not None
    history = [
        {k: v for k, v in line.items() if "seconds" not in k}
        for line in map(json.loads, (folder / "history.jsonl").read_text().splitlines())
    ]
    counted = ("epochs", "best_epoch", "steps", "steps_to_best")
    return record, {
        "dev": record.dev,
        "test": record.test,
        "ceiling": record.ceiling,
        "parameters": record.parameters,
        "training": [getattr(record.training, name) for name in counted],
        "predictions": (folder / "predictions.jsonl").read_bytes(),
        "history": history,
    }


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def assert_equal(folder: Path, whole: Path) -> RunRecord:
    record, found = outcome(folder)
    _, expected = outcome(whole)
    for name, value in expected.items():
        assert found[name] == value, f"{name} differ from those of the uninterrupted run"
    ours, theirs = weights(folder), weights(whole)
    assert ours.keys() == theirs.keys()
    differ = [name for name, tensor in ours.items() if not torch.equal(tensor, theirs[name])]
    assert not differ, f"weights differ: {differ}"
    assert record.model == read_record(whole / "record.json").model
    assert not (folder / "checkpoint").exists()
    return record


def went_on(moments: list[str], kills: list[str]) -> int:
    """From how many different checkpoints a run of these kills goes on."""
    saved = [[m for m in moments[: moments.index(k) + 1] if "last.pt w" in m] for k in kills]
    return len({len(before) for before in saved} - {0})


def resumed(record: RunRecord) -> int:
    assert record.training is not None
    return record.training.resumed


def test_the_uninterrupted_run_is_worth_comparing_with(whole: Path) -> None:
    """Else scores might be equal because nothing was learnt."""
    record, found = outcome(whole)
    assert resumed(record) == 0
    assert record.test is not None
    assert 0.3 < record.test.exact.f1 < 1
    assert sum(line["best"] for line in found["history"]) > 1
    assert not (whole / "checkpoint" / "last.pt").exists()
    assert [p.name for p in whole.rglob(".*")] == []


def test_five_kills_change_no_digit(whole: Path, plan: RunPlan, tmp_path: Path) -> None:
    """One at a drawn step, the others at drawn epochs while a file is half written or just so."""
    moments = (whole / "moments.txt").read_text().splitlines()
    draw = random.Random(2)
    kills = [draw.choice([m for m in moments if kind in m]) for kind in KINDS]
    kills.sort(key=moments.index)
    folder = tiny.write_plan(tmp_path / "run", plan)
    for kill in kills:
        ended = tiny.forked(train_until, folder, tmp_path / "moments", kill, folder=tmp_path)
        assert ended.code == -signal.SIGKILL, f"{kill}: {ended}"
        assert not (folder / "record.json").exists()
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert resumed(assert_equal(folder, whole)) == went_on(moments, kills)


def test_killed_while_its_record_is_half_written(
    whole: Path, plan: RunPlan, tmp_path: Path
) -> None:
    """Nothing is trained again."""
    folder = tiny.write_plan(tmp_path / "run", plan)
    for fatal, code in ((f"5: record.json {HALF}", -signal.SIGKILL), (None, 0)):
        ended = tiny.forked(train_until, folder, tmp_path / "moments", fatal, folder=tmp_path)
        assert ended.code == code, ended
    assert resumed(assert_equal(folder, whole)) == 1


@pytest.mark.parametrize("file", ["last.pt", "best.pt"])
def test_a_damaged_checkpoint_changes_no_digit(
    whole: Path, plan: RunPlan, tmp_path: Path, file: str
) -> None:
    folder = tiny.write_plan(tmp_path / "run", plan)
    kill = f"3: last.pt {WHOLE}"
    tiny.forked(train_until, folder, tmp_path / "moments", kill, folder=tmp_path)
    damaged = folder / "checkpoint" / file
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert f"{file} is damaged (" in ended.out
    assert_equal(folder, whole)


def test_casrel_goes_on(dataset: Path, tmp_path: Path) -> None:
    settings = {"epochs": 2, "batch_size": 8, "learning_rate": 5e-3, "threads": 2}
    plan = tiny.make_plan(dataset, "casrel", **settings)
    whole = tiny.write_plan(tmp_path / "whole", plan)
    folder = tiny.write_plan(tmp_path / "run", plan)
    for one, fatal, code in (
        (whole, None, 0),
        (folder, f"2: history.jsonl {HALF}", -signal.SIGKILL),
        (folder, None, 0),
    ):
        ended = tiny.forked(train_until, one, tmp_path / "moments", fatal, folder=tmp_path)
        assert ended.code == code, ended
    assert resumed(assert_equal(folder, whole)) == 1


def test_the_command_killed_from_outside(whole: Path, plan: RunPlan, tmp_path: Path) -> None:
    """A training that another process kills in its third epoch."""
    folder = tiny.write_plan(tmp_path / "run", plan)
    code = "import sys; from tests import tiny; tiny.train(tiny.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(folder)]
    env = tiny.environment(PYTHONPATH=str(tiny.ROOT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=env) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if b'"epoch": 2.' in line:
                first.kill()
    assert first.returncode == -signal.SIGKILL
    subprocess.run(command, check=True, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL)
    assert resumed(assert_equal(folder, whole)) == 1


def test_a_checkpoint_of_another_configuration_is_not_gone_on_with(
    whole: Path, plan: RunPlan, tmp_path: Path
) -> None:
    protocol = plan.protocol.model_copy(update={"batch_size": 8})
    other = plan.model_copy(update={"protocol": protocol})
    folder = tiny.write_plan(tmp_path / "run", other)
    kill = f"3: history.jsonl {HALF}"
    tiny.forked(train_until, folder, tmp_path / "moments", kill, folder=tmp_path)
    assert (folder / "checkpoint" / "last.pt").exists()
    (folder / "run.json").write_text(plan.model_dump_json())
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert resumed(assert_equal(folder, whole)) == 0


def test_a_history_that_is_shorter_than_its_checkpoint_is_said(
    dataset: Path, tmp_path: Path
) -> None:
    folder = tiny.write_plan(tmp_path / "run", tiny.make_plan(dataset))
    kill = f"3: last.pt {WHOLE}"
    tiny.forked(train_until, folder, tmp_path / "moments", kill, folder=tmp_path)
    history = folder / "history.jsonl"
    history.write_text(history.read_text().splitlines(keepends=True)[0])
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 2
    assert "history.jsonl: holds 1 of the 3 epochs of its checkpoint" in ended.err
    assert "Traceback" not in ended.err

"""One process at a time works on a run, and none outlives the command that started it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from runners.executors.lock import NAME, locked
from suite.errors import SuiteError
from suite.records.run import read_record
from tests import tiny

COMMAND = """
import sys
from pathlib import Path
from runners.runs.plan import read_run_plan
from runners.runs.workbench import Workbench
from runners.executors.base import PlannedRun
from runners.executors.local import LocalExecutor
from runners.runs.run import planned_record

folder = Path(sys.argv[1])
plan = read_run_plan(folder)
run = PlannedRun(plan, folder, planned_record(Workbench(plan), ""))
LocalExecutor().run_all([run], lambda event: print(event, flush=True))
"""


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run"),
        pytest.raises(SuiteError, match=r"run: another process works on this run\. Wait until"),
        locked(tmp_path / "run", wait=0),
    ):
        pass
    with locked(tmp_path / "run", wait=0):
        pass


@pytest.mark.parametrize("name", ["file/run", "n" * 300, "planted"])
def test_a_folder_that_cannot_be_held_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / NAME).symlink_to(tmp_path / "file")
    with pytest.raises(SuiteError, match="cannot be worked in: "), locked(tmp_path / name):
        pass


def test_a_training_ends_with_the_command_that_started_it(dataset: Path, tmp_path: Path) -> None:
    """It was killed, so that it could tell no one; the training leaves its record all the same."""
    folder = tiny.write_plan(tmp_path / "run", tiny.make_plan(dataset, epochs=100_000))
    command = subprocess.Popen(
        [sys.executable, "-P", "-c", COMMAND, str(folder)],
        stdout=subprocess.PIPE,
        env=tiny.environment(PYTHONPATH=str(tiny.ROOT)),
    )
    assert command.stdout is not None
    command.stdout.readline()  # it has started
    command.stdout.readline()  # it trains
    started_by_it = psutil.Process(command.pid).children(recursive=True)
    training = max(started_by_it, key=lambda process: process.create_time())
    with pytest.raises(SuiteError, match="another process works on this run"), locked(folder, 0):
        pass
    command.kill()
    with command.stdout:
        command.wait()
    started = time.monotonic()
    with locked(folder):
        assert time.monotonic() - started < 20
        assert not training.is_running() or training.status() == psutil.STATUS_ZOMBIE
    assert read_record(folder / "record.json").status == "interrupted"

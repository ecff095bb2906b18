"""How a run ends that does not complete, and what the suite makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from suite.records.run import RunRecord, read_record
from tests import tiny

pytestmark = pytest.mark.slow


def record_of(out: Path, system: str) -> RunRecord:
    return read_record(out / "runs" / system / "tiny" / "0" / "record.json")


@pytest.mark.parametrize(
    ("system", "status", "failure"),
    [
        ("nan", "diverged", "not a finite number: loss nan"),
        ("no-memory", "out of memory", "MemoryError"),
        ("no-device-memory", "out of memory", "CUDA out of memory. Tried to allocate 2 GiB"),
        ("huge", "out of memory", "allocate"),
        ("wrong", "failed", "KeyError: 'no such key'"),
        ("silent", "failed", "RuntimeError"),
        ("stopped-twice", "interrupted", "stopped by the user"),
    ],
)
def test_a_run_records_how_it_ended(
    dataset: Path, env: dict[str, str], tmp_path: Path, system: str, status: str, failure: str
) -> None:
    """Each comes after an epoch; the record has no scores, and the history has the epoch."""
    folder = tiny.write_plan(tmp_path / "run", tiny.make_plan(dataset, system, batch_size=32))
    ended = tiny.forked(tiny.train, folder, folder=tmp_path, env=env)
    assert ended.code == 0, ended.err
    record = read_record(folder / "record.json")
    assert record.status == status
    assert failure in str(record.failure)
    assert record.test is None
    assert len((folder / "history.jsonl").read_text().splitlines()) == 1
    assert ("Traceback" in ended.err) == (status in {"failed", "out of memory"})


def test_a_learning_rate_beyond_reason_diverges(dataset: Path, tmp_path: Path) -> None:
    plan = tiny.make_plan(dataset, learning_rate=1e30, max_gradient_norm=None)
    folder = tiny.write_plan(tmp_path / "run", plan)
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    record = read_record(folder / "record.json")
    assert record.status == "diverged"
    assert "in epoch 1" in str(record.failure)
    assert record.test is None


def test_a_stopped_run_goes_on(dataset: Path, env: dict[str, str], tmp_path: Path) -> None:
    plan = tiny.make_plan(dataset, "stopped", batch_size=32, epochs=2)
    folder = tiny.write_plan(tmp_path / "run", plan)
    for status in ("interrupted", "complete"):
        tiny.forked(tiny.train, folder, folder=tmp_path, env=env)
        record = read_record(folder / "record.json")
        assert record.status == status, record.failure
    assert record.training is not None
    assert record.training.resumed == 1
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2


@pytest.fixture(scope="module")
def troubled(
    dataset: Path, env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, tiny.Ended]:
    """One command over a run that is killed, one that diverges, and one that completes.

    Its current directory holds folders named as the suite's packages are.
    """
    folder = tmp_path_factory.mktemp("troubled")
    (folder / "runners").mkdir()
    (folder / "random.py").write_text("raise ImportError('this is not the standard library')\n")
    systems = ("killed", "nan", "unmeasurable")
    ended = tiny.command(
        "run_suite",
        *("--dataset", dataset, "--seeds", "1", "--epochs", "2", "--tracker", "none"),
        *("--out", "suite", "--threads", "1"),
        *(word for system in systems for word in ("--system", system)),
        folder=folder,
        env=env,
        seconds=120,
    )
    return folder / "suite", ended


def test_the_suite_goes_on_with_the_next_run(troubled: tuple[Path, tiny.Ended]) -> None:
    out, ended = troubled
    assert ended.code == 1, ended
    assert "Traceback" not in ended.err
    assert [record_of(out, name).status for name in ("killed", "nan", "unmeasurable")] == [
        "out of memory",
        "diverged",
        "complete",
    ]
    assert "killed by signal 9" in str(record_of(out, "killed").failure)


def test_the_suite_says_what_is_missing(troubled: tuple[Path, tiny.Ended]) -> None:
    *doubts, one, two, three, four = troubled[1].err.splitlines()
    assert [doubt.partition(":")[0] for doubt in doubts] == [
        "Too small a dev set",
        "Few training steps, under 300",
    ]
    lines = (one, two, three, four)
    assert lines[0].startswith("killed · tiny · seed 0: out of memory: its process was killed")
    assert lines[1].startswith("nan · tiny · seed 0: diverged: not a finite number: loss nan")
    inference = "unmeasurable · tiny · seed 0: inference at batch size "
    assert lines[2].startswith(f"{inference}1: out of memory: its process was killed")
    assert lines[3] == f"{inference}8: ValueError: eight is too many"


def test_a_measurement_that_fails_says_why_and_leaves_the_others(
    troubled: tuple[Path, tiny.Ended],
) -> None:
    record = record_of(troubled[0], "unmeasurable")
    assert [cost.batch_size for cost in record.inference] == [1, 8, 128]
    assert [cost.total_seconds is None for cost in record.inference] == [True, True, False]
    log = (troubled[0] / "runs" / "unmeasurable" / "tiny" / "0" / "log.txt").read_text()
    assert 'raise ValueError("eight is too many")' in log


def test_a_plug_in_is_trained_measured_and_reported(troubled: tuple[Path, tiny.Ended]) -> None:
    record = record_of(troubled[0], "unmeasurable")
    assert record.status == "complete"
    assert record.test is not None
    # It knows the names, and nothing of which relation holds.
    assert record.test.partial.recall > 0.5 > record.test.partial.precision > 0
    assert record.parameters is not None
    assert record.parameters.trainable > 1
    assert record.inference[2].failure is None
    assert record.inference[2].sentences == tiny.SIZES["test"]
    assert set(record.inference[2].stages) == {"encode", "forward", "decode", "total"}
    report = (troubled[0] / "report.md").read_text()
    row = [line for line in report.splitlines() if line.startswith("| Gazetteer")]
    assert any(f"{100 * record.test.partial.f1:.1f}" in line for line in row), row


def test_the_report_tells_what_did_not_complete(troubled: tuple[Path, tiny.Ended]) -> None:
    report = (troubled[0] / "report.md").read_text()
    assert "diverged" in report
    assert "killed by signal 9" in report
    assert "eight is too many" in report


def test_a_system_that_cannot_be_found_again_is_said(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """A message of the run's own process reaches whoever waits for it."""
    folder = tiny.write_plan(tmp_path / "run", tiny.make_plan(dataset, "gazetter"))
    ended = tiny.forked(tiny.train, folder, folder=tmp_path, env=env)
    assert ended.code == 2
    assert "unknown system 'gazetter'. Did you mean 'gazetteer'?" in ended.err
    assert "Traceback" not in ended.err


def start(words: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
    """`run-suite` in a process group of its own."""
    # Started in the background of a shell, the tests would hand on that Ctrl-C is ignored.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from tests import tiny; tiny.suite_without_measuring(sys.argv[1:])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        cwd=tiny.ROOT,
        start_new_session=True,
    )


def test_ctrl_c_reports_what_is_finished_and_the_same_command_goes_on(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["--dataset", str(dataset), "--seeds", "1", "--epochs", "4", "--tracker", "none"]
    words += ["--system", "gazetteer", "--system", "slow", "--out", str(out), "--threads", "1"]
    with start(words, {**env, "SLOW": "0.1"}) as first:
        assert first.stdout is not None
        running = ""
        for line in first.stdout:
            running = line if "starts" in line else running
            if "  epoch 2 of 4" in line and "slow" in running:
                os.killpg(first.pid, signal.SIGINT)
                break
        _, err = first.communicate(timeout=60)
    assert first.returncode == 130, err
    assert "interrupted: the same command goes on where it stopped" in err
    assert "Traceback" not in err
    assert "KeyboardInterrupt" not in err
    assert "{'said': 'by a system'}" in err
    assert record_of(out, "slow").status == "interrupted"
    before = record_of(out, "gazetteer")
    assert before.status == "complete"
    assert "| Gazetteer" in (out / "report.md").read_text()
    second = tiny.forked(tiny.suite_without_measuring, words, folder=tmp_path, env=env)
    assert second.code == 0, second
    assert "gazetteer · tiny · seed 0: done before" in second.out
    assert record_of(out, "gazetteer") == before
    training = record_of(out, "slow").training
    assert training is not None
    assert training.resumed == 1


def test_sigterm_ends_the_suite_with_its_run(
    dataset: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """Sent to the suite alone, as service managers do; no run goes on without it."""
    out = tmp_path / "out"
    ended = tiny.forked(
        _terminate_during_slow, dataset, out, folder=tmp_path, env={**env, "SLOW": "0.1"}
    )
    assert ended.code == 130, ended
    assert "interrupted: the same command goes on where it stopped" in ended.err
    assert record_of(out, "slow").status == "interrupted"
    assert "slow" in (out / "report.md").read_text()


def _terminate_during_slow(dataset: Path, out: Path) -> None:
    """Terminates its own process when the run has told of half an epoch."""
    from runners.cli import run_suite as cli
    from runners.executors.base import Event, OnEvent, PlannedRun, Progressed
    from runners.executors.local import LocalExecutor

    run_all = LocalExecutor.run_all

    def for_a_while(self: LocalExecutor, runs: list[PlannedRun], on_event: OnEvent) -> None:
        def terminate(event: Event) -> None:
            on_event(event)
            if isinstance(event, Progressed) and event.line["epoch"] > 0.5:
                os.kill(os.getpid(), signal.SIGTERM)

        run_all(self, runs, terminate)

    LocalExecutor.run_all = for_a_while  # type: ignore[assignment, method-assign]
    sys.argv = ["run-suite", "--dataset", str(dataset), "--system", "slow", "--out", str(out)]
    sys.argv += ["--no-estimate"]
    sys.argv += ["--seeds", "1", "--tracker", "none"]
    cli.run_suite()

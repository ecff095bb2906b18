from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.runs import tracking as track
from runners.runs.tracking import Tracker
from suite.protocol import Protocol
from suite.records.run import (
    DatasetFacts,
    Environment,
    Epoch,
    InferenceCost,
    Latency,
    Parameters,
    RunRecord,
    SystemFacts,
    TrainingCost,
)
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation, Scores

ROOT = Path(__file__).resolve().parents[3]
TRIPLES = find_task("triples")
NAMES = {"project": "relation-suite", "group": "quick", "name": "fastre/toy/1"}
CONFIG = {"configuration": "0123abcd", "seed": 1, "settings": {"kernel": 3, "betas": (0.9, 0.99)}}


@pytest.fixture(autouse=True)
def private_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No account, no setting and no folder of the user's; ends W&B's service after each test."""
    for name in [n for n in os.environ if n.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "home" / name))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    yield
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


@pytest.fixture
def warnings() -> list[str]:
    return []


def start(folder: Path, warnings: list[str], mode: track.Mode = "offline", **more: Any) -> Tracker:
    return Tracker(
        mode,
        folder,
        **{**NAMES, "config": CONFIG, "metrics": TRIPLES.metrics, "warn": warnings.append, **more},
    )


def scores(correct: int) -> Scores:
    return Scores(correct=correct, predicted=200, gold=250)


def an_epoch(number: int, parts: int = 2) -> Epoch:
    return Epoch(
        epoch=number,
        step=10 * number,
        seconds=1.5 * number,
        evaluation_seconds=0.25 * number,
        step_seconds=0.125,
        loss=1 / (number + 1),
        parts={f"part{i}": number + i / 64 for i in range(parts)},
        gradient_norm=2.0,
        learning_rate=1e-3,
        dev=Evaluation(partial=scores(number), exact=scores(number // 2)),
        best=True,
    )


def a_record() -> RunRecord:
    evaluation = Evaluation(
        partial=scores(100), exact=scores(80), slices={"overlap": {"EPO": scores(20)}}
    )
    return RunRecord(
        configuration="0123abcd",
        suite="quick",
        system=SystemFacts(
            name="fastre",
            title="FastRE",
            citation="x",
            departures=(),
            settings={},
            vectors=None,
            vector_coverage=None,
            pretrained=None,
        ),
        dataset=DatasetFacts(
            name="toy",
            title="Toy",
            task="triples",
            fingerprints={},
            published={},
            matching="offsets",
            synthetic=True,
            notes=(),
        ),
        protocol=Protocol(),
        seed=1,
        environment=Environment(
            machine="m",
            processor="p",
            cores=1,
            memory_bytes=1,
            device="cpu",
            python="3",
            versions={},
            git="g",
        ),
        started="2025-01-01T00:00:00Z",
        status="complete",
        parameters=Parameters(total=30, word_vectors=20, trainable=10),
        training=TrainingCost(
            epochs=3,
            best_epoch=2,
            steps=30,
            steps_to_best=20,
            training_seconds=4.5,
            evaluation_seconds=0.75,
            seconds_to_best=3.5,
            step_seconds=0.125,
            seconds_to_target={"0.5": 3.5, "0.9": None},
            encode_seconds=0.1,
            peak_memory_bytes=1024,
            load_average=(0.5, 0.75),
            resumed=0,
        ),
        dev=evaluation,
        test=evaluation,
        inference=(
            InferenceCost(batch_size=8, stages={"total": Latency(median=1.5, p95=2.5)}),
            InferenceCost(batch_size=128, failure="out of memory"),
        ),
    )


def files_of(folder: Path) -> list[Path]:
    # W&B's service closes a finished run's file in its own time, or before it ends.
    sys.modules["wandb"].teardown()
    return sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))


def read_only(folder: Path) -> list[Any]:
    from tests.runners.wandb_file import read_records

    [file] = files_of(folder)
    return read_records(file)


def of_kind(records: list[Any], kind: str) -> list[Any]:
    return [getattr(r, kind) for r in records if r.WhichOneof("record_type") == kind]


def test_offline_run_holds_all_that_was_logged(
    tmp_path: Path, warnings: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.runners.wandb_file import history, run_config, run_summary

    report = tmp_path / "report.md"
    report.write_text("# Report")
    tracker = start(tmp_path, warnings)
    for number in (1, 2, 3):
        tracker.log(an_epoch(number))
    tracker.summarise(a_record())
    tracker.keep([report])
    tracker.finish(failed=False)

    assert warnings == []
    assert capfd.readouterr() == ("", ""), "W&B is not silent"
    records = read_only(tmp_path)
    rows = history(records)
    for number, row in enumerate(rows, start=1):
        expected = {
            "epoch": number,
            "step": 10 * number,
            "seconds": 1.5 * number,
            "train/loss": 1 / (number + 1),
            "train/part0": number,
            "train/part1": number + 1 / 64,
            "train/gradient_norm": 2.0,
            "train/learning_rate": 1e-3,
            "time/evaluation_seconds": 0.25 * number,
            "time/step_seconds": 0.125,
            "dev/partial/precision": number / 200,
            "dev/partial/recall": number / 250,
            "dev/partial/f1": 2 * number / 450,
            "dev/exact/precision": number // 2 / 200,
            "dev/exact/recall": number // 2 / 250,
            "dev/exact/f1": 2 * (number // 2) / 450,
        }
        assert {k: v for k, v in row.items() if not k.startswith("_")} == expected
        assert row["_step"] == number
    assert len(rows) == 3

    [run, *_] = of_kind(records, "run")
    assert (run.project, run.run_group, run.display_name) == tuple(NAMES.values())
    assert run.job_type == "train"
    config = run_config(records)
    assert config.pop("_wandb") == {}
    assert config == json.loads(json.dumps(CONFIG))

    final = run_summary(records)
    assert final["test/partial/f1"] == pytest.approx(2 * 100 / 450)
    assert final["test/overlap/EPO/recall"] == 20 / 250
    assert final["dev/exact/precision"] == 80 / 200, "the last epoch's, not the selected one's"
    assert final["cost/seconds_to_target/0.5"] == 3.5
    assert "cost/seconds_to_target/0.9" not in final
    assert final["inference/8/stages/total/p95"] == 2.5
    assert final["inference/128/failure"] == "out of memory"
    assert final["parameters/total"] == 30
    assert final["status"] == "complete"

    kept = [file.path for found in of_kind(records, "files") for file in found.files]
    assert "report.md" in kept
    [copy] = (tmp_path / "wandb").rglob("report.md")
    assert copy.read_text() == "# Report"

    metrics = {m.name or m.glob_name: m for m in of_kind(records, "metric")}
    assert set(metrics) == {*track.AXES, "*"}
    assert metrics["*"].step_metric == "epoch"
    assert of_kind(records, "exit")[0].exit_code == 0


def test_no_name_of_host_user_or_folder_is_kept_for_the_upload(
    tmp_path: Path, warnings: list[str]
) -> None:
    tracker = start(tmp_path, warnings)
    tracker.log(an_epoch(1))
    tracker.finish(failed=False)
    [run, *_] = of_kind(read_only(tmp_path), "run")
    assert run.host == ""
    content = files_of(tmp_path)[0].read_bytes()
    for private in (str(ROOT), str(tmp_path), sys.executable):
        assert private.encode() not in content, private
    assert list(tmp_path.glob("wandb/*/files/*")) == []


def test_history_over_several_blocks_reads_back_whole(tmp_path: Path, warnings: list[str]) -> None:
    from tests.runners.wandb_file import BLOCK, history

    tracker = start(tmp_path, warnings)
    for number in range(1, 61):
        tracker.log(an_epoch(number, parts=600 if number == 30 else 40))
    tracker.finish(failed=False)
    assert files_of(tmp_path)[0].stat().st_size > 4 * BLOCK
    rows = history(read_only(tmp_path))
    assert [row["epoch"] for row in rows] == list(range(1, 61))
    assert rows[29]["train/part599"] == 30 + 599 / 64
    assert rows[59]["train/part39"] == 60 + 39 / 64


@pytest.mark.parametrize(
    ("at", "message"), [(40, "wrong checksum"), (-3, "wrong checksum"), (2, "header")]
)
def test_the_reader_finds_a_flipped_bit(
    tmp_path: Path, warnings: list[str], at: int, message: str
) -> None:
    from tests.runners.wandb_file import read_records

    tracker = start(tmp_path, warnings)
    tracker.finish(failed=False)
    [file] = files_of(tmp_path)
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(AssertionError, match=message):
        read_records(file)
    file.write_bytes(content[:-3])
    with pytest.raises(AssertionError):
        read_records(file)


def test_a_failed_run_is_marked(tmp_path: Path, warnings: list[str]) -> None:
    tracker = start(tmp_path, warnings)
    tracker.finish(failed=True)
    assert of_kind(read_only(tmp_path), "exit")[0].exit_code == 1


def test_exit_and_excepthook_stay_as_they_were(tmp_path: Path, warnings: list[str]) -> None:
    before = sys.exit, sys.excepthook
    tracker = start(tmp_path, warnings)
    tracker.finish(failed=False)
    assert (sys.exit, sys.excepthook) == before


def test_a_killed_run_goes_on_under_its_id_and_its_last_file_is_whole(
    tmp_path: Path, warnings: list[str]
) -> None:
    from tests.runners.wandb_file import history, read_records

    code = f"""
        import os, signal
        from pathlib import Path
        from tests.runners.runs.test_tracking import *
        tracker = start(Path({str(tmp_path)!r}), [])
        for number in (1, 2):
            tracker.log(an_epoch(number))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code).returncode == -signal.SIGKILL
    tracker = start(tmp_path, warnings)
    for number in (1, 2, 3):
        tracker.log(an_epoch(number))
    tracker.finish(failed=False)

    assert warnings == []
    files = files_of(tmp_path)
    assert len(files) == 2
    assert files[0].name == files[1].name, "the id changed"
    assert [row["epoch"] for row in history(read_records(files[-1]))] == [1, 2, 3]


def test_runs_of_one_process_do_not_mix(tmp_path: Path, warnings: list[str]) -> None:
    from tests.runners.wandb_file import history, read_records

    for seed in (1, 2, 1):
        tracker = start(tmp_path / str(seed), warnings, config={"seed": seed})
        tracker.log(an_epoch(seed))
        tracker.finish(failed=False)
    assert warnings == []
    found = [[row["epoch"] for row in history(read_records(f))] for f in files_of(tmp_path / "1")]
    assert found == [[1], [1]]
    assert [row["epoch"] for row in history(read_only(tmp_path / "2"))] == [2]


@pytest.mark.parametrize("changed", ["project", "group", "name", "job_type", "config"])
def test_the_id_differs_wherever_a_run_does(changed: str) -> None:
    names = {**NAMES, "job_type": "train"}
    base = track.run_id(names, CONFIG)
    assert track.run_id(dict(reversed(names.items())), CONFIG) == base
    if changed == "config":
        assert track.run_id(names, {**CONFIG, "seed": 2}) != base
    else:
        assert track.run_id({**names, changed: "other"}, CONFIG) != base


def use_after_failure(tracker: Tracker) -> None:
    tracker.log(an_epoch(1))
    tracker.summarise(a_record())
    tracker.keep([Path(__file__)])
    tracker.finish(failed=False)
    tracker.finish(failed=False)


@pytest.mark.parametrize("kind", ["a file", "below a file", "read-only"])
def test_a_folder_that_cannot_be_written_warns_once(
    tmp_path: Path, warnings: list[str], kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    if kind == "read-only":
        folder = Path("/proc/relation-suite")  # which refuses root as well
        if not folder.parent.is_dir():
            pytest.skip("no /proc here, the one folder that nobody can write")
    else:
        folder.write_text("")
        folder = folder / "below" if kind == "below a file" else folder
    tracker = start(folder, warnings)
    assert len(warnings) == 1, "W&B has moved to the folder for temporary files"
    assert str(folder) in warnings[0]
    use_after_failure(tracker)
    assert len(warnings) == 1
    assert capfd.readouterr() == ("", "")


def test_no_wandb_warns_once(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    use_after_failure(start(tmp_path, warnings))
    monkeypatch.undo()
    assert len(warnings) == 1
    assert "wandb" in warnings[0]


@pytest.mark.parametrize("broken", ["init", "Settings", "setup"])
def test_a_wandb_that_does_not_start_warns_once(
    tmp_path: Path, warnings: list[str], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    def fail(*_: object, **__: object) -> None:
        raise TypeError("no such\n argument")

    monkeypatch.setattr(wandb, broken, fail)
    use_after_failure(start(tmp_path, warnings))
    assert len(warnings) == 1
    assert "no such argument" in warnings[0]


@pytest.mark.parametrize("broken", ["log", "save", "finish"])
def test_a_wandb_that_breaks_within_the_run_warns_once(
    tmp_path: Path, warnings: list[str], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    tracker = start(tmp_path, warnings)
    with monkeypatch.context() as patch:
        patch.setattr(wandb.Run, broken, fail)
        use_after_failure(tracker)
    assert len(warnings) == 1
    assert "broken" in warnings[0]


def test_a_file_that_is_not_there_warns_once(tmp_path: Path, warnings: list[str]) -> None:
    tracker = start(tmp_path, warnings)
    tracker.keep([tmp_path / "missing.md"])
    use_after_failure(tracker)
    assert len(warnings) == 1
    assert "missing.md" in warnings[0]


def test_a_dead_service_warns_once_and_the_next_run_has_a_new_one(tmp_path: Path) -> None:
    code = f"""
        import time
        import psutil
        from pathlib import Path
        from tests.runners.runs.test_tracking import *
        warnings = []
        tracker = start(Path({str(tmp_path)!r}, "first"), warnings)
        tracker.log(an_epoch(1))
        for service in psutil.Process().children(recursive=True):
            service.kill()
            service.wait()
        for number in range(2, 200):
            tracker.log(an_epoch(number))
            time.sleep(0.01)
            if warnings:
                break
        use_after_failure(tracker)
        assert len(warnings) == 1, warnings
        tracker = start(Path({str(tmp_path)!r}, "second"), warnings)
        tracker.log(an_epoch(1))
        tracker.finish(failed=False)
        assert len(warnings) == 1, warnings
    """
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    from tests.runners.wandb_file import history

    assert len(history(read_only(tmp_path / "second"))) == 1


def test_a_disk_that_fills_up_warns_once(tmp_path: Path) -> None:
    code = f"""
        import resource
        from pathlib import Path
        from tests.runners.runs.test_tracking import *
        warnings = []
        tracker = start(Path({str(tmp_path)!r}), warnings)
        tracker.log(an_epoch(1))
        assert warnings == []
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
        tracker.log(an_epoch(2))
        use_after_failure(tracker)
        assert len(warnings) == 1, warnings
        assert "File too large" in warnings[0], warnings
    """
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_online_without_an_account_is_offline_and_does_not_ask(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.errors import term

    from tests.runners.wandb_file import history

    def ask(*_: object, **__: object) -> str:
        raise AssertionError("asked the user")

    monkeypatch.setattr(term, "can_use_terminput", lambda: True)
    monkeypatch.setattr(term, "terminput", ask)
    monkeypatch.setattr("builtins.input", ask)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    tracker = start(tmp_path, warnings, mode="online")
    tracker.log(an_epoch(1))
    tracker.finish(failed=False)
    assert len(warnings) == 1
    assert "no account" in warnings[0]
    assert "wandb sync" in warnings[0]
    assert len(history(read_only(tmp_path))) == 1


def test_online_with_a_key_that_no_server_takes_is_offline(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "too short")
    start(tmp_path, warnings, mode="online").finish(failed=False)
    assert len(warnings) == 1
    assert "API key" in warnings[0]
    assert len(files_of(tmp_path)) == 1


def test_off_imports_no_wandb_and_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "untouched"
    code = f"""
        import sys
        from pathlib import Path
        from tests.runners.runs.test_tracking import *
        assert not [name for name in sys.modules if name.split(".")[0] == "wandb"], "on import"
        warnings = []
        use_after_failure(start(Path({str(folder)!r}), warnings, mode="off"))
        assert not [name for name in sys.modules if name.split(".")[0] == "wandb"], "when off"
        assert warnings == []
    """
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert not folder.exists()


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

"""A tracked run leaves all that was logged in W&B's file, under an id of its own."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from runners.tracking.base import PROJECT
from runners.tracking.flatten import AXES, run_id
from tests.runners.tracking.tracked import (
    CONFIG,
    NAMES,
    ROOT,
    a_record,
    an_answer,
    an_epoch,
    files_of,
    of_kind,
    read_only,
    run_python,
    start,
    tracked,
)

pytestmark = pytest.mark.usefixtures("private_wandb")


def test_offline_run_holds_all_that_was_logged(
    tmp_path: Path, warnings: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.runners.tracking.wandb_file import history, run_config, run_summary

    report = tmp_path / "report.md"
    report.write_text("# Report")
    tracker = start(tmp_path, warnings)
    for number in (1, 2, 3):
        tracker.log(an_epoch(number))
    tracker.tabulate([an_answer()])
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
    assert (run.project, run.run_group, run.display_name) == (PROJECT, *NAMES.values())
    assert list(run.tags) == ["fastre", "toy", "cpu", "seed 1"]
    assert run.job_type == "train"
    config = run_config(records)
    assert config.pop("_wandb") == {}
    assert config == json.loads(json.dumps(CONFIG))

    final = run_summary(records)
    [folder] = tmp_path.glob("wandb/*/files")
    assert final["test/partial/f1"] == pytest.approx(2 * 100 / 450)
    assert final["test/overlap/EPO/recall"] == 20 / 250
    assert final["dev/exact/precision"] == 80 / 200, "the last epoch's, not the selected one's"
    assert final["cost/seconds_to_target/0.5"] == 3.5
    assert "cost/seconds_to_target/0.9" not in final
    assert final["inference/8/stages/total/p95"] == 2.5
    assert final["inference/128/failure"] == "out of memory"
    assert final["parameters/total"] == 30
    assert final["status"] == "complete"

    table = json.loads((folder / final["test/answers"]["path"]).read_text())
    assert table["columns"] == ["id", "gold", "predicted", "correct_partial", "correct_exact"]
    assert table["data"] == [["test/7", 2, 1, 1, 0]]

    kept = [file.path for found in of_kind(records, "files") for file in found.files]
    assert "report.md" in kept
    [copy] = (tmp_path / "wandb").rglob("report.md")
    assert copy.read_text() == "# Report"

    metrics = {m.name or m.glob_name: m for m in of_kind(records, "metric")}
    assert set(metrics) == {*AXES, "*"}
    assert metrics["*"].step_metric == "epoch"
    assert of_kind(records, "exit")[0].exit_code == 0


def test_no_name_of_host_user_or_folder_is_kept_for_the_upload(
    tmp_path: Path, warnings: list[str]
) -> None:
    tracker = start(tmp_path, warnings)
    tracker.log(an_epoch(1))
    tracker.tabulate([an_answer()])
    tracker.finish(failed=False)
    [run, *_] = of_kind(read_only(tmp_path), "run")
    assert run.host == ""
    content = files_of(tmp_path)[0].read_bytes()
    for private in (str(ROOT), str(tmp_path), sys.executable):
        assert private.encode() not in content, private
    assert [path.name for path in tmp_path.glob("wandb/*/files/*")] == ["media"]


def test_history_over_several_blocks_reads_back_whole(tmp_path: Path, warnings: list[str]) -> None:
    from tests.runners.tracking.wandb_file import BLOCK, history

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
    from tests.runners.tracking.wandb_file import read_records

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
    from tests.runners.tracking.wandb_file import history, read_records

    code = f"""
        import os, signal
        from pathlib import Path
        from tests.runners.tracking.test_wandb import *
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
    from tests.runners.tracking.wandb_file import history, read_records

    for seed in (1, 2, 1):
        tracker = start(tmp_path / str(seed), warnings, config={"seed": seed})
        tracker.log(an_epoch(seed))
        tracker.finish(failed=False)
    assert warnings == []
    found = [[row["epoch"] for row in history(read_records(f))] for f in files_of(tmp_path / "1")]
    assert found == [[1], [1]]
    assert [row["epoch"] for row in history(read_only(tmp_path / "2"))] == [2]


@pytest.mark.parametrize("changed", ["group", "name", "job_type", "config"])
def test_the_id_differs_wherever_a_run_does(tmp_path: Path, changed: str) -> None:
    base = run_id(tracked(tmp_path))
    assert run_id(tracked(tmp_path / "moved", tags={}, online=True)) == base
    value = {**CONFIG, "seed": 2} if changed == "config" else "other"
    assert run_id(tracked(tmp_path, **{changed: value})) != base


def test_the_id_is_that_of_earlier_versions(tmp_path: Path) -> None:
    """Whoever goes on with a run of theirs goes on with its W&B run."""
    assert run_id(tracked(tmp_path)) == "35023f734d213b5c"

"""The command line `build-report`, as a user meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from reports.claims.collect import collect
from suite.records.evidence import read_evidence, write_evidence
from tests import tiny
from tests.runners.joining.outputs import OTHER, plan_of, run_of, write

SMALL = ("--set=fastre.width=16", "--set=fastre.attention_heads=2")


def build_report(*arguments: str | Path, folder: Path) -> tiny.Ended:
    ended = tiny.command("build_report", *arguments, folder=folder)
    assert "Traceback" not in ended.err, ended.err
    return ended


def test_one_folder_is_as_ever(tmp_path: Path) -> None:
    out = write(tmp_path / "runs", run_of(0))
    ended = build_report(folder=tmp_path)  # the default
    assert ended.code == 0, ended.err
    assert ended.out == "report: runs/report.md\n"
    assert "Joined" not in (out / "report.md").read_text()


def test_prices_make_a_section_of_costs(tmp_path: Path) -> None:
    out = write(tmp_path / "runs", run_of(0))
    (tmp_path / "prices.yaml").write_text(
        "currency: EUR\nmachines:\n  - {processor: Example CPU @ 2.0 GHz, device: cpu, "
        "price_per_hour: 3.6, source: mine, date: '2026-11-01'}\n"
    )
    ended = build_report("--prices", "prices.yaml", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "FastRE takes 2.00 EUR for a million sentences" in (out / "report.md").read_text()
    assert (out / "costs.csv").is_file()


def test_several_folders(tmp_path: Path) -> None:
    write(tmp_path / "one", run_of(0, alone=False))
    write(tmp_path / "two", run_of(0, alone=True), run_of(1))
    ended = build_report("one", "two", "--out", "new", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "in several folders, and kept once: 1",
        "  fastre · webnlg-star · seed 0: the one of two, which was measured alone",
        "report: new/report.md",
    ]
    assert "Suite `new` of" in (tmp_path / "new" / "report.md").read_text()
    assert (tmp_path / "new" / "figures" / "webnlg-star-convergence.png").is_file()
    assert not (tmp_path / "one" / "report.md").exists()


def test_a_folder_and_evidence(tmp_path: Path) -> None:
    write(tmp_path / "one", run_of(0))
    write_evidence(collect(write(tmp_path / "two", run_of(1))), tmp_path / "two.json.gz")
    ended = build_report(
        *("one", "two.json.gz", "--out", "new", "--evidence", "new.json.gz"), folder=tmp_path
    )
    assert ended.code == 0, ended.err
    text = (tmp_path / "new" / "report.md").read_text()
    assert "Joined from 2 folders, named with their commands. " in text
    assert "# two of 2026-01-02T03:00:00+00:00, as evidence, which keeps no command\n" in text
    assert "Told by evidence alone: 1 of 2 runs." in text
    assert len(read_evidence(tmp_path / "new.json.gz").runs) == 2


def test_a_file_names_the_folders(tmp_path: Path) -> None:
    write(tmp_path / "one", run_of(0))
    write(tmp_path / "two", run_of(0, protocol=OTHER))
    (tmp_path / "join.yaml").write_text("folder: [one, two]\nout: new\napart: true\n")
    ended = build_report("--config", "join.yaml", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "FastRE (two)" in (tmp_path / "new" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("one", "two"), "2 folders are named, and none to join them in. Name a new folder"),
        (("one", "--apart"), "--apart is of several folders that are joined"),
        (("one", "two", "--out", "one"), "one: is one of the folders that are to be joined"),
        (("one", "two", "--out", "two/new"), "two/new: lies within two, which is to be joined"),
        (("one", "nowhere", "--out", "new"), "nowhere: is no output folder of run-suite"),
        (("one.json.gz",), "one.json.gz: is a file of evidence, whose report takes a folder. Name"),
        (("two.json.gz", "--out", "new"), "two.json.gz: is not evidence: it is no whole gzip file"),
        (("one", "two", "--out", "new"), "seed 0 is not the same in one and two (epochs 8 in one"),
        (("one", "--out", "new", "--prices", "nowhere.yaml"), "nowhere.yaml: cannot be read: No"),
        (
            ("one", "--out", "new", "--predictions", "gpt=nowhere.jsonl"),
            "nowhere.jsonl: cannot be read",
        ),
    ],
)
def test_a_mistake_is_answered(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    write(tmp_path / "one", run_of(0))
    write(tmp_path / "two", run_of(0, protocol=OTHER))
    write_evidence(collect(tmp_path / "one"), tmp_path / "one.json.gz")
    (tmp_path / "two.json.gz").write_text("cut")
    ended = build_report(*arguments, folder=tmp_path)
    assert ended.code == 2
    assert message in ended.err
    assert not (tmp_path / "new").exists()


def test_a_plan_of_other_options_is_no_command(tmp_path: Path) -> None:
    for out, seed, epochs in (("one", 0, 8), ("two", 1, 9)):
        run = run_of(seed)
        write(tmp_path / out, run, planned=plan_of(run, options={"epochs": epochs}))
    assert build_report("one", "two", "--out", "new", folder=tmp_path).code == 0
    ended = tiny.command("run_suite", "--config", "new/suite.json", "--dry-run", folder=tmp_path)
    assert ended.code == 2
    assert "new/suite.json: was joined from commands whose options differ. Give" in ended.err


@pytest.mark.slow
def test_run_suite_goes_on_with_a_joined_folder(tmp_path: Path) -> None:
    dataset = tiny.write_dataset(tmp_path / "data" / "tiny")
    fixed = ["--dataset", dataset, "--system", "fastre", *SMALL, "--epochs", "1", "--threads", "1"]

    def run_suite(*arguments: str | Path) -> str:
        ended = tiny.forked(tiny.suite_without_measuring, arguments, folder=tmp_path)
        assert ended.code == 0, ended.err
        return ended.out

    run_suite(*fixed, "--tracker", "none", "--seeds", "4,", "--out", "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    ended = build_report("one", "two", "--out", "new", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "seed 4: the one of one, the first" in ended.out
    assert "done before" in run_suite("--config", "new/suite.json")
    records = [tmp_path / out / "runs/fastre/tiny/4/record.json" for out in ("one", "new")]
    assert json.loads(records[0].read_text()) == json.loads(records[1].read_text())

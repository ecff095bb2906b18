"""Runs of several machines: scores join, times do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.load import Results, load_results
from reports.report import write_report
from reports.tables_csv import results_frame
from reports.times import ONE_SHARED
from suite.records.run import RunRecord
from tests.reports.folder import ENVIRONMENT, epochs, plan, record, write_run
from tests.reports.markdown import rows, section, tables

ELSEWHERE = ENVIRONMENT.model_copy(
    update={
        "machine": "Linux aarch64",
        "processor": "Another CPU",
        "cores": 64,
        "memory_bytes": 2**36,
        "device": "cuda",
    }
)


def moved(run: RunRecord) -> RunRecord:
    """A copy of the record, its environment edited to another machine."""
    return run.model_copy(update={"environment": ELSEWHERE})


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FastRE's seeds 0 and 1 and CasRel's seed 0 here, FastRE's seed 2 and CasRel's 1 elsewhere."""
    folder = tmp_path_factory.mktemp("machines")
    plan(datasets=("nyt11",), systems=("fastre", "casrel")).write(folder)
    for seed in (0, 1):
        write_run(folder, record("fastre", "nyt11", seed), epochs(0.5, 1, seed))
    write_run(folder, moved(record("fastre", "nyt11", 2, slowness=0.1)), epochs(0.5, 0.1, 2))
    write_run(folder, record("casrel", "nyt11", 0, slowness=8), epochs(0.5, 8, 0))
    run = moved(record("casrel", "nyt11", 1, slowness=0.4))
    assert run.training is not None
    beside = run.training.model_copy(update={"alone": False})
    write_run(folder, run.model_copy(update={"training": beside}), epochs(0.5, 0.4, 1))
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def text(out: Path) -> str:
    return (out / "report.md").read_text()


@pytest.fixture(scope="module")
def results(out: Path) -> Results:
    return load_results(out)


def test_scores_stand_in_one_table(results: Results, text: str) -> None:
    (group,) = results.groups
    assert [(row.name, row.n) for row in group.rows] == [
        ("fastre", "n=3"),
        ("casrel", "2 of 3 seeds"),
    ]
    main = section(text, "Main results", "NYT11")
    assert "Scores of 2 machines stand in one table" in main
    assert "Machine 1: Example CPU @ 2.0 GHz (4 cores), device cpu, Linux x86_64 (3 runs)" in main
    assert "Machine 2: Another CPU (64 cores), device cuda, Linux aarch64 (2 runs)" in main
    headings, _, fastre, casrel = tables(main)[0]
    assert fastre[:2] == ["FastRE", "n=3"]
    assert casrel[:2] == ["CasRel", "2 of 3 seeds (seed 2: no record)"]
    assert any("F1" in heading for heading in headings)
    assert not [heading for heading in headings if "(min)" in heading or "(s)" in heading]


def test_times_stand_in_a_table_of_each_machine(results: Results, text: str) -> None:
    (group,) = results.groups
    here, there = group.machines
    assert [(row.name, row.n) for row in here.rows] == [("fastre", "n=2"), ("casrel", "n=1")]
    assert [(row.name, row.n) for row in there.rows] == [("fastre", "n=1"), ("casrel", "n=1")]
    heading = "Training in all (min)"
    _, *parts = section(text, "Main results", "NYT11").split("**Machine ")
    minutes = [[row[heading] for row in rows(part, heading)] for part in parts]
    assert minutes == [["4.00 ± 0.00", "32.0"], ["0.400", "1.60 (shared)"]]


def test_no_ratio_is_taken_across_machines(text: str) -> None:
    for part, multiple in zip(
        section(text, "Inference efficiency", "NYT11").split("**Machine ")[1:],
        ("8.00", ONE_SHARED),
        strict=True,
    ):
        assert [row["training in all"] for row in rows(part, "training in all")] == [multiple]


def test_curves_against_the_clock_are_drawn_for_each_machine(out: Path) -> None:
    drawn = {path.stem for path in (out / "figures").glob("*.png")}
    assert {f"nyt11-machine-{n}-convergence" for n in (1, 2)} <= drawn
    assert "nyt11-slices" in drawn
    assert "nyt11-convergence" not in drawn


def test_warnings_name_machines_and_runs_that_were_not_alone(text: str) -> None:
    warnings = section(text, "What to know first")
    assert "NYT11: scores of 2 machines stand in one table" in warnings
    assert "Trained beside other runs of the suite: 1 of 5 runs" in warnings
    assert "1 of 2 runs trained beside other runs of the suite" in section(
        text, "Inference efficiency", "NYT11"
    )


def test_results_csv_tells_where_each_run_was(results: Results) -> None:
    frame = results_frame(results)
    assert set(frame["processor"]) == {"Example CPU @ 2.0 GHz", "Another CPU"}
    assert set(frame["device"]) == {"cpu", "cuda"}
    assert set(frame["table"]) == {"nyt11"}


def test_what_a_gpu_leaves_undetermined_is_said(text: str) -> None:
    known = section(text, "What to know first")
    assert "Runs on cuda: a GPU adds up the gradients" in known

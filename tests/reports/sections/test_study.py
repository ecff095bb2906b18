"""A paper's table beside what was measured of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.load import Results, group_runs
from reports.run_files import RecordedRun
from reports.sections import study as study_report
from reports.times import SHARED
from suite.records.run import RunRecord
from suite.records.suite import SuitePlan
from suite.studies.study import find_study
from suite.tasks.scores import Scores
from tests.reports.folder import plan, record
from tests.reports.markdown import rows


def variant(name: str, settings: dict[str, object], f1: float, seed: int) -> RunRecord:
    """A run of a study's variant with so many of 1,000 gold triples found, and as many wrong."""
    run = record("fastre", "nyt11", seed=seed)
    assert run.test is not None
    scores = Scores(correct=round(1000 * f1), predicted=1000, gold=1000)
    test = run.test.model_copy(update={"partial": scores, "exact": scores})
    own = None if name == "fastre" else name
    system = run.system.model_copy(
        update={"variant": own, "title": name, "settings": {**run.system.settings, **settings}}
    )
    return run.model_copy(update={"system": system, "test": test})


def results(study: str, runs: list[RunRecord]) -> Results:
    found = find_study(study)
    names = tuple(dict.fromkeys(run.system.key for run in runs))
    written: SuitePlan = plan(datasets=("nyt11",), systems=names, seeds=(0, 1))
    written = written.model_copy(update={"study": found})
    return Results(written, group_runs([RecordedRun(run, Path()) for run in runs], written))


@pytest.fixture
def ablation() -> Results:
    runs = [
        variant(name, settings, f1 + 0.002 * seed, seed)
        for name, settings, f1 in (
            ("fastre", {}, 0.70),
            ("fastre-no-gate", {"gate": "none"}, 0.66),
            ("fastre-no-residual", {"residual": False}, 0.71),
        )
        for seed in (0, 1)
    ]
    return results("fastre-table5", runs)


def row(text: str, name: str) -> list[str]:
    (line,) = re.findall(rf"^\| {re.escape(name)} \|.*$", text, re.MULTILINE)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_paper_and_ours_stand_side_by_side(ablation: Results) -> None:
    text = study_report.section(ablation)
    full, gate, residual = (
        row(text, n) for n in ("fastre", "fastre-no-gate", "fastre-no-residual")
    )
    assert full[2].startswith("70.1 ±")
    assert gate[2].startswith("66.1 ±")
    assert "56.3 test" in full
    assert ("53.2 test" in gate, "-3.1" in gate) == (True, True)
    assert ("54.4 test" in residual, "-1.9" in residual) == (True, True)


def test_what_was_not_measured_is_said(ablation: Results) -> None:
    text = study_report.section(ablation)
    assert "Not measured here: FastRE, rates all 1; FastRE, no mapping; FastRE, one global" in text


def test_a_dataset_that_the_paper_lacks_has_the_papers_own_differences(ablation: Results) -> None:
    runs = [
        run.record.model_copy(
            update={"dataset": run.record.dataset.model_copy(update={"name": "webnlg"})}
        )
        for run in ablation.runs
    ]
    text = study_report.section(results("fastre-table5", runs))
    assert "The paper does not report on `webnlg`" in text
    gate = row(text, "fastre-no-gate")
    assert gate[-3:] == ["-4.4", "-3.1", "-3.7"], "nyt10, nyt11, nyt24"


def test_costs_and_rows_of_others(ablation: Results) -> None:
    text = study_report.section(results("fastre-table2", [run.record for run in ablation.runs]))
    assert "the paper's device: NVIDIA RTX 2080 Ti" in text
    assert re.search(r"\| WDec \| nyt10 \| partial \|.*71\.6", text)
    assert "| TPLinker | nyt10 |" not in text, "a system of the suite"
    assert "| NovelTagging | nyt24 |" in text


def test_costs_of_two_machines_stand_apart(ablation: Results) -> None:
    there = ablation.runs[0].record.environment.model_copy(update={"processor": "Another CPU"})
    runs = [
        run.record.model_copy(update={"environment": there} if run.record.seed else {})
        for run in ablation.runs
    ]
    text = study_report.section(results("fastre-table2", runs))
    assert text.count("Costs; the paper's device") == 2
    assert "**Another CPU (4 cores" in text
    assert "**Example CPU @ 2.0 GHz (4 cores" in text
    assert re.findall(r"^\| fastre \| (n=\d)", text, re.MULTILINE) == ["n=2", "n=1", "n=1"]


def test_costs_of_a_shared_machine_are_marked(ablation: Results) -> None:
    runs = []
    for run in ablation.runs:
        assert run.record.training is not None
        shared = run.record.training.model_copy(update={"alone": False})
        own = run.record.system.key == "fastre"
        runs.append(run.record.model_copy(update={"training": shared} if own else {}))
    written = results("fastre-table2", runs)
    text = study_report.section(written)
    title = "Training to the chosen epoch (min)"
    assert [found[title] for found in rows(text, title)] == ["3.50 ± 0.00 (shared)"]
    assert SHARED in text
    assert SHARED not in study_report.section(
        results("fastre-table2", [r.record for r in ablation.runs])
    )


def test_a_suite_without_study_has_no_such_section() -> None:
    written = plan(datasets=("nyt11",), systems=("fastre",), seeds=(0,))
    runs = [RecordedRun(record("fastre", "nyt11", seed=0), Path())]
    assert study_report.section(Results(written, group_runs(runs, written))) == ""

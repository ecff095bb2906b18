"""The order in which runs begin, and what it is worth."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.executors.base import PlannedRun
from runners.executors.forecast import Took, forecast, main, read
from runners.executors.order import longest_first
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from suite.errors import SuiteError
from tests import tiny

SECONDS = st.lists(
    st.builds(Took, st.integers(1, 100).map(float), st.integers(0, 9).map(float)),
    min_size=1,
    max_size=12,
)


def test_the_longest_begins_first(dataset: Path, tmp_path: Path) -> None:
    plan = tiny.make_plan(dataset)
    run = PlannedRun(plan, tmp_path, planned_record(Workbench(plan), ""), examples=100)
    short, long = replace(run, examples=99), replace(run, examples=101)
    encoder = replace(run, plan=plan.model_copy(update={"pretrained": "untrained"}))
    assert longest_first([short, run, encoder, long]) == [encoder, long, run, short]


@given(SECONDS)
def test_one_node_does_one_after_the_other(runs: list[Took]) -> None:
    found = forecast(runs, 1)
    assert found.seconds == pytest.approx(sum(r.training + r.measuring for r in runs))
    assert found.idle == pytest.approx(0.0, abs=1e-9)


@given(SECONDS, st.integers(1, 8))
def test_no_forecast_is_shorter_than_it_can_be(runs: list[Took], nodes: int) -> None:
    """Nor longer than the list schedule's bound: twice the best for trainings (Graham, 1966)."""
    found = forecast(runs, nodes)
    trained = sum(r.training for r in runs)
    measured = sum(r.measuring for r in runs)
    longest = max(r.training + r.measuring for r in runs)
    assert found.seconds >= max(longest, (trained + measured) / nodes) - 1e-9
    assert found.seconds <= trained / nodes + max(r.training for r in runs) + measured + 1e-9
    assert 0.0 <= found.idle < 1.0


def test_by_hand() -> None:
    runs = [Took(1, 0), Took(1, 0), Took(4, 1)]
    assert forecast(runs, 2).seconds == 6.0
    by_length = [runs[2], runs[0], runs[1]]
    assert forecast(by_length, 2).seconds == 5.0
    assert forecast(by_length, 2).idle == pytest.approx(0.3)


def test_a_report_is_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "results.csv"
    row = {
        "status": "complete", "training_seconds": 3000, "training_evaluation_seconds": 500,
        "training_encode_seconds": 100, "inference_batch1_passes": 5,
        "inference_batch1_total_seconds": 720,
    }  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerows([row, {**row, "status": "failed"}])
    assert read([path]) == [Took(3600.0, 3600.0)]
    main([str(path), "--repeat", "4", "--nodes", "1", "4"])
    said = capsys.readouterr().out
    assert "4 runs; the longest takes 120 minutes" in said
    assert [line.split() for line in said.splitlines()[2:]] == [
        ["1", "8.00", "h", "0%", "8.00", "h", "0%"],
        ["4", "2.00", "h", "0%", "2.00", "h", "0%"],
    ]


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SuiteError, match="is no table of runs"):
        read([path])

"""Which runs may share a table, and which rows they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.load import load_results
from suite.records.run import RunRecord
from tests.reports.folder import ENVIRONMENT, PROTOCOL, epochs, plan, record, stopped, write_run


def changed(run: RunRecord, part: str, **fields: Any) -> RunRecord:
    return run.model_copy(update={part: getattr(run, part).model_copy(update=fields)})


FIRST = record("fastre", "nyt11", 0)
OTHERS = {
    "SHA-256 of train": changed(
        FIRST, "dataset", fingerprints={**FIRST.dataset.fingerprints, "train": "f" * 64}
    ),
    "train is the published one": changed(
        FIRST, "dataset", published={"train": True, "dev": False, "test": True}
    ),
    "matching": changed(FIRST, "dataset", matching="offsets"),
    "match": changed(FIRST, "protocol", match="exact"),
    "settings": changed(FIRST, "protocol", settings="published"),
    "threads": changed(FIRST, "protocol", threads=2),
    "git": changed(FIRST, "environment", git="fedcba9"),
    "version of torch": changed(
        FIRST, "environment", versions={**ENVIRONMENT.versions, "torch": "2.6"}
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_runs_that_differ_share_no_table_and_the_difference_is_named(
    tmp_path: Path, name: str
) -> None:
    plan(datasets=("nyt11",), systems=("fastre", "casrel")).write(tmp_path)
    write_run(tmp_path, FIRST, [])
    write_run(tmp_path, OTHERS[name].model_copy(update={"seed": 1, "started": "2027"}), [])
    groups = load_results(tmp_path).groups
    assert [len(group.runs) for group in groups] == [1, 1]
    assert groups[0].differences == ()
    (difference,) = groups[1].differences
    assert difference.startswith(f"{name}: ")
    assert [group.key for group in groups] == ["nyt11-1", "nyt11-2"]
    assert all(set(group.rows[0].seeds) <= {0, 1, 2} for group in groups)


def test_settings_of_one_system_are_not_averaged(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre",)).write(tmp_path)
    write_run(tmp_path, FIRST, [])
    write_run(tmp_path, changed(record("fastre", "nyt11", 1), "system", settings={"layers": 3}), [])
    (group,) = load_results(tmp_path).groups
    assert [(row.label, row.n) for row in group.rows] == [
        ("FastRE, settings 1", "n=1"),
        ("FastRE, settings 2", "n=1"),
    ]


def test_a_planned_seed_without_a_record_is_missing(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre",)).write(tmp_path)
    write_run(tmp_path, FIRST, [])
    write_run(tmp_path, stopped(record("fastre", "nyt11", 2), "interrupted", "killed"), [])
    results = load_results(tmp_path)
    (row,) = results.groups[0].rows
    assert row.missing == {1: "no record", 2: "interrupted"}
    assert row.n == "1 of 3 seeds"
    assert results.absent == [("fastre", "nyt11", 1)]


def test_seeds_of_an_earlier_command_are_not_held_against_the_plan(tmp_path: Path) -> None:
    plan(datasets=("webnlg-star",), systems=("fastre",)).write(tmp_path)
    write_run(tmp_path, FIRST, [])
    results = load_results(tmp_path)
    (group,) = results.groups
    assert group.rows[0].n == "n=1"
    assert group.plan is None


def test_rows_follow_the_plan(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("graphs", "fastre"), seeds=(0,)).write(tmp_path)
    for system in ("casrel", "fastre", "graphs"):
        write_run(tmp_path, record(system, "nyt11", 0), [])
    (group,) = load_results(tmp_path).groups
    assert [row.name for row in group.rows] == ["graphs", "fastre", "casrel"]


def test_the_history_of_a_diverged_run_can_be_read(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre",), seeds=(0,)).write(tmp_path)
    write_run(tmp_path, stopped(FIRST, "diverged", "NaN"), epochs(0.5, 1, 0, stop=3))
    (run,) = load_results(tmp_path).runs
    assert [epoch.epoch for epoch in run.history] == [1, 2, 3]
    assert run.history[-1].loss != run.history[-1].loss
    assert run.record.protocol == PROTOCOL

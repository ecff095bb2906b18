"""Dev F1 at equal minutes and updates, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.budgets import NO_EPOCH, Budget, budgets, leaders
from reports.load import Group, load_results
from reports.report import write_report
from tests.reports.folder import plan, record, write_run
from tests.reports.markdown import rows, section
from tests.reports.test_converged import history
from tests.reports.test_times import trained_beside

QUICK = [0.40, 0.50, 0.45, 0.52]
"""An epoch a minute, of 100 steps."""
SLOW = [0.30, 0.60, 0.70, 0.80]
"""An epoch in four minutes, of 200 steps."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("budgets")
    plan(datasets=("nyt11",), systems=("fastre", "casrel"), seeds=(0,)).write(folder)
    write_run(folder, record("fastre", "nyt11", 0), history(QUICK))
    slow = trained_beside(record("casrel", "nyt11", 0))
    write_run(folder, slow, history(SLOW, minutes=4, steps=200))
    return folder


@pytest.fixture(scope="module")
def group(out: Path) -> Group:
    (found,) = load_results(out).groups
    return found


def test_budgets_are_shares_of_the_longest_training(group: Group) -> None:
    assert [b.amount for b in budgets(group, "min")] == [2, 4, 8, None]
    assert [b.amount for b in budgets(group, "updates")] == [100, 200, 400, None]
    names = [b.name for b in (Budget("min", 2.5), Budget("updates", 1_200), Budget("min"))]
    assert names == ["at 2.5 min", "at 1,200 updates", "at the end"]


@pytest.mark.parametrize(
    ("budget", "quick", "slow"),
    [
        (Budget("min", 0.5), NO_EPOCH, NO_EPOCH),
        (Budget("min", 2), 50, NO_EPOCH),
        (Budget("min", 3.5), 50, NO_EPOCH),  # the third epoch is worse than the second
        (Budget("min", 8), 52, 60),
        (Budget("min"), 52, 80),
        (Budget("updates", 200), 50, 30),
        (Budget("updates", 400), 52, 60),
    ],
)
def test_the_best_of_the_epochs_that_had_ended(
    group: Group, budget: Budget, quick: float | str, slow: float | str
) -> None:
    found = [budget.of(row, group.match)[0] for row in group.rows]
    assert found == [
        value if isinstance(value, str) else pytest.approx(value) for value in (quick, slow)
    ]


def test_who_leads_depends_on_the_budget(group: Group) -> None:
    found = leaders(group, budgets(group, "updates"))
    assert [(b.amount, row.name) for b, row, _ in found] == [
        (100, "fastre"),
        (200, "fastre"),
        (400, "casrel"),
        (None, "casrel"),
    ]


def test_the_section_begins_with_it_and_marks_minutes_of_a_shared_machine(out: Path) -> None:
    text = write_report(out).read_text()
    assert (
        "By dev F1, FastRE leads at 100 updates (40.0 %), and CasRel at the end (80.0 %)."
        in section(text, "Convergence").split("###")[0]
    )
    part = section(text, "Convergence", "NYT11")
    minutes = {row["System"]: row for row in rows(part, "dev F1 at 8.0 min")}
    assert minutes["FastRE"]["dev F1 at 8.0 min"] == "52.0"
    assert minutes["CasRel"]["dev F1 at 8.0 min"] == "60.0 (shared)"
    assert minutes["CasRel"]["dev F1 at the end"] == "80.0"
    assert minutes["CasRel"]["dev F1 at 2.0 min"] == NO_EPOCH
    steps = {row["System"]: row for row in rows(part, "dev F1 at 400 updates")}
    assert steps["CasRel"]["dev F1 at 400 updates"] == "60.0"


def test_without_a_history_there_is_no_table(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre",), seeds=(0,)).write(tmp_path)
    write_run(tmp_path, record("fastre", "nyt11", 0), [])
    (group,) = load_results(tmp_path).groups
    assert budgets(group, "min") == []
    assert "equal budgets" not in write_report(tmp_path).read_text()


def test_one_system_that_leads_throughout_is_named_once(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre", "casrel"), seeds=(0,)).write(tmp_path)
    for system, scores in (("fastre", SLOW), ("casrel", QUICK[:1])):
        write_run(tmp_path, record(system, "nyt11", 0), history(scores[::-1]))
    text = write_report(tmp_path).read_text()
    assert "By dev F1, FastRE leads at 100 updates (80.0 %) and at the end (80.0 %)." in text

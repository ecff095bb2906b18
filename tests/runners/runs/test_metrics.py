"""A metric is one declaration: it then stands in results.csv, in the report and in the W&B file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reports.report import write_report
from suite.tasks.metric import Metric
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation
from tests.reports.folder import epochs, plan, record, write_run
from tests.reports.markdown import rows, section
from tests.reports.tasks import document_epochs, document_run, plan_of
from tests.runners.tracking.tracked import read_only, start

pytestmark = pytest.mark.usefixtures("private_wandb")
SENTENCE = "Unseen recall: recall of the gold items that train does not have."


def recall_of_unseen(evaluation: Evaluation) -> float | None:
    unseen = evaluation.slices.get("seen", {}).get("not seen")
    return None if unseen is None else unseen.recall


UNSEEN = Metric("unseen_recall", "Unseen recall", SENTENCE, recall_of_unseen)


def declare(patch: pytest.MonkeyPatch, task: str, metric: Metric) -> None:
    found = find_task(task)
    patch.setattr(found, "metrics", [*found.metrics, metric])


def test_a_metric_is_one_declaration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.runners.tracking.wandb_file import history, run_summary

    declare(monkeypatch, "triples", UNSEEN)
    run = record("fastre", "webnlg-star", 0, (150, 170, 200, 150))
    assert run.test is not None
    expected = run.test.slices["seen"]["not seen"].recall
    assert expected == pytest.approx(0.75)
    plan(("webnlg-star",), ("fastre",), (0,)).write(tmp_path)
    write_run(tmp_path, run, epochs(0.8, 1, 0))
    text = write_report(tmp_path).read_text()

    results = pd.read_csv(tmp_path / "results.csv")
    assert results["test_unseen_recall"].tolist() == [expected]
    assert results["dev_unseen_recall"].tolist() == [expected]
    main = section(text, "Main results")
    [row] = rows(main, "Unseen recall (%)")
    assert row["Unseen recall (%)"] == "75.0"
    assert SENTENCE in main

    epoch = epochs(0.8, 1, 0)[0]
    scored = epoch.model_copy(update={"dev": run.dev})
    warnings: list[str] = []
    tracker = start(tmp_path / "wandb", warnings, metrics=find_task("triples").metrics)
    tracker.log(scored)
    tracker.log(epoch.model_copy(update={"epoch": 2}))
    tracker.summarise(run)
    tracker.finish(failed=False)
    assert warnings == []
    records = read_only(tmp_path / "wandb")
    first, second = history(records)
    assert first["dev/unseen_recall"] == expected
    assert "dev/unseen_recall" not in second, "its slices were not taken"
    assert run_summary(records)["test/unseen_recall"] == expected


def test_a_metric_of_dev_and_test_has_a_column_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Metric("unseen", "Unseen", SENTENCE, recall_of_unseen, columns=("dev", "test"))
    declare(monkeypatch, "docre", both)
    plan_of(("redocred",), ("bert_docred",), (0,)).write(tmp_path)
    write_run(tmp_path, document_run("redocred", 0), document_epochs(0))
    [row] = rows(section(write_report(tmp_path).read_text(), "Main results"), "dev Unseen (%)")
    assert list(row)[3:15] == [
        "dev F1 (%)", "dev Ign F1 (%)", "dev AUC (%)", "dev Unseen (%)",
        "test P (%)", "test R (%)", "test F1 (%)", "test Ign F1 (%)", "test AUC (%)",
        "test Ign AUC (%)", "test Unseen (%)", "theta (from dev)",
    ]  # fmt: skip
    assert row["test Unseen (%)"] == "53.0"


def test_what_an_evaluation_does_not_hold_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, "triples", Metric("novel", "Novel", "Novel: of no run."))
    plan(("webnlg-star",), ("fastre",), (0,)).write(tmp_path)
    write_run(tmp_path, record("fastre", "webnlg-star", 0), epochs(0.8, 1, 0))
    [row] = rows(section(write_report(tmp_path).read_text(), "Main results"), "Novel (%)")
    assert row["Novel (%)"] == "not recorded"

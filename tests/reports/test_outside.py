"""Rows that were not trained here: in tables of scores alone, and never among measured costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.load import load_results
from reports.report import write_report
from suite.records.outside import About, BroughtIn, OutsideRecord, StatedLatency
from suite.records.run import RunRecord
from suite.tasks.scores import Scores
from tests.reports.folder import SENTENCES, full, outcomes, record
from tests.reports.markdown import rows, section, tables
from tests.reports.test_machines import moved

NAME = "Prompt (outside)"
ABOUT = About(
    title="Prompt",
    parameters=123_456,
    latency=(StatedLatency(milliseconds=0.25, batch_size=1, machine="a GPU"),),
    notes=("Made of [links](http://a) and <b>",),
)


def bring(out: Path, run: RunRecord, number: int = 0, **changes: object) -> None:
    """Leaves a file of predictions as if it had been scored on the run's dataset."""
    assert run.test is not None
    found = OutsideRecord(
        name="prompt",
        number=number,
        file="answers.jsonl",
        sha256="0" * 64,
        form="JSON lines",
        about=ABOUT,
        dataset=run.dataset,
        match=run.protocol.match,
        gold="the dataset's files",
        scored="2026-01-02T03:04:05+00:00",
        version="0.1.0",
        brought=BroughtIn(examples=SENTENCES, records=SENTENCES),
        test=run.test,
    ).model_copy(update=changes)
    folder = out / "outside" / "prompt" / run.dataset.name / str(number)
    found.write(folder)
    lines = "".join(f"{outcome.model_dump_json()}\n" for outcome in outcomes(run))
    (folder / "predictions.jsonl").write_text(lines)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of one system on NYT11, whose runs stand in two tables."""
    folder = full(tmp_path_factory.mktemp("brought"))
    bring(folder, record("fastre", "nyt11", 0, (110, 180, 200, 100)))
    brought = BroughtIn(
        examples=SENTENCES,
        records=SENTENCES,
        items=200,
        ambiguous=3,
        by_words=Scores(correct=150, predicted=200, gold=200),
        strange={"<i>likes</i>": 7},
        strange_items=7,
    )
    bring(folder, record("fastre", "nyt11", 1, (120, 180, 200, 100)), 1, brought=brought)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def text(out: Path) -> str:
    return (out / "report.md").read_text()


def test_it_stands_beside_every_run_on_the_same_test_set(text: str) -> None:
    for part in ("NYT11, part 1", "NYT11, part 2"):
        table = rows(section(text, "Main results", part), "F1, partial/surface (%)")
        assert [row["System"] for row in table][-1] == NAME
        # 220/380 and 240/380: 57.895 and 63.158.
        assert table[-1]["F1, partial/surface (%)"] == "60.5 ± 3.7"
        assert table[-1]["Seeds"] == "scored here, not trained here (2 files)"
    assert NAME not in section(text, "Main results", "WebNLG*")
    assert NAME in section(text, "Slices", "NYT11, part 1")


def test_it_is_compared_over_all_of_its_files(text: str) -> None:
    pairs = {
        row["Systems"]: row
        for row in rows(section(text, "Differences", "NYT11, part 1"), "Systems")
    }
    row = pairs[f"FastRE minus {NAME}"]
    assert row["Seeds"] == "3 seeds against 2 files"
    # 630 of 540 + 600 against 460 of 360 + 400.
    assert row["Difference in F1 (points)"] == f"{100 * (630 / 1140 - 460 / 760):+.1f}"
    assert f"CasRel minus {NAME}" in pairs


def test_what_is_stated_stands_among_nothing_measured(text: str) -> None:
    costs = section(text, "Inference efficiency")
    for table in tables(costs):
        names = {row[0] for row in table[2:]}
        assert NAME not in names or names == {NAME}, f"{NAME} among measured systems: {table}"
    assert "123,456" in costs
    assert "As stated, not measured here" in costs
    for title in ("Convergence", "Data"):
        assert NAME not in section(text, title)


def test_what_others_wrote_is_quoted(text: str) -> None:
    assert "<b>" not in text
    assert "<i>" not in text
    assert "[links](http" not in text
    assert "&lt;i&gt;likes&lt;/i&gt;: 7" in section(text, "What to know first")
    assert "by their words, F1 would be 75.0 %" in section(text, "What to know first")


def test_scores_of_machines_join_with_it(tmp_path: Path) -> None:
    folder = full(tmp_path)
    run = record("fastre", "webnlg-star", 0, (150, 170, 200, 150))
    moved(run).write(folder / "runs" / "fastre" / "webnlg-star" / "0")
    bring(folder, run)
    text = write_report(folder).read_text()
    main, *times = tables(section(text, "Main results", "WebNLG*"))[:3]
    assert NAME in {row[0] for row in main[2:]}
    assert all(NAME not in {row[0] for row in table[2:]} for table in times)


def test_other_data_and_another_rule_share_no_row(tmp_path: Path) -> None:
    folder = full(tmp_path)
    run = record("fastre", "nyt11", 0)
    other = run.dataset.model_copy(update={"fingerprints": {"test": "1" * 64}})
    bring(folder, run, dataset=other)
    bring(folder, run, 1, match="exact")
    assert not any(group.outside for group in load_results(folder).groups)
    said = section(write_report(folder).read_text(), "What to know first")
    assert said.count("**not shown**: the predictions of Prompt on NYT11, `answers.jsonl`") == 2


def test_a_record_that_is_broken_is_named(tmp_path: Path) -> None:
    from suite.errors import SuiteError

    folder = full(tmp_path)
    bring(folder, record("fastre", "nyt11", 0))
    path = folder / "outside" / "prompt" / "nyt11" / "0" / "record.json"
    path.write_text(path.read_text()[:300])
    with pytest.raises(SuiteError, match=r"outside/prompt/nyt11/0/record.json: not a record of"):
        load_results(folder)

"""The mark of a row that still rises, and what the report says of rankings with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reports.converged import ending, why_not_told
from reports.load import load_results
from reports.report import write_report
from suite.records.run import Epoch
from suite.tasks.scores import Evaluation, Scores
from tests.reports.folder import epochs, plan, record, write_run
from tests.reports.markdown import rows, section

FLAT = [0.1, 0.3, 0.5, *[0.6, 0.601] * 6]
RISING = [0.04 * epoch for epoch in range(1, 16)]
ROUGH = [0.1, 0.3, 0.5, *[0.4, 0.6] * 6]


def history(scores: Sequence[float], *, minutes: float = 1.0, steps: int = 100) -> list[Epoch]:
    """An epoch for each dev F1; each takes so many minutes and steps."""
    (first, *_) = epochs(0.5, 1, 0)
    found = []
    for number, f1 in enumerate(scores, start=1):
        dev = Scores(correct=round(1000 * f1), predicted=1000, gold=1000)
        found.append(
            first.model_copy(
                update={
                    "epoch": number,
                    "step": steps * number,
                    "seconds": 50 * minutes * number,
                    "evaluation_seconds": 10 * minutes * number,
                    "dev": Evaluation(partial=dev, exact=dev),
                }
            )
        )
    return found


def reported(out: Path, curves: dict[str, Sequence[float]], seeds: int = 3) -> str:
    plan(datasets=("nyt11",), systems=tuple(curves), seeds=range(seeds)).write(out)
    for place, (system, scores) in enumerate(curves.items()):
        for seed in range(seeds):
            test = (150 - 40 * place + 2 * seed, 180, 200, 90)
            write_run(out, record(system, "nyt11", seed, test), history(scores))
    return write_report(out).read_text()


def verdicts(out: Path) -> list[tuple[str, str]]:
    (group,) = load_results(out).groups
    found = [(row.name, ending(row, group.match)) for row in group.rows]
    return [(name, end.verdict) for name, end in found if end is not None]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converged")
    reported(folder, {"fastre": FLAT, "casrel": RISING, "graphs": ROUGH})
    return folder


@pytest.fixture(scope="module")
def text(out: Path) -> str:
    return (out / "report.md").read_text()


def test_every_row_of_the_main_table_is_marked(out: Path, text: str) -> None:
    expected = ["converged", "still rising", "not told"]
    assert [verdict for _, verdict in verdicts(out)] == expected
    for title, heading in (
        ("Main results", "Converged"),
        ("Convergence", "95 % interval of the gain"),
        ("Differences", "Best in"),
    ):
        found = rows(section(text, title, "NYT11"), heading)
        assert [row["Converged"] for row in found] == expected, title


def test_the_gain_stands_beside_the_mark(text: str) -> None:
    found = rows(section(text, "Convergence", "NYT11"), "Gain of as many epochs again (points)")
    # Five epochs of four points each.
    assert found[1]["Gain of as many epochs again (points)"] == "+20.0"
    assert found[1]["95 % interval of the gain"] == "+20.0 to +20.0"


def test_no_ranking_with_a_row_that_rises_is_called_final(text: str) -> None:
    sentence = "CasRel still rises at the end of training: no ranking with it is final."
    assert f"**Not converged**: on NYT11, {sentence}" in section(text, "What to know first")
    for title in ("Convergence", "Differences"):
        first = section(text, title).split("###")[0]
        assert sentence in first, f"the finding of section {title}"
    assert "1 of 3 systems had converged." in section(text, "Convergence")


def test_where_nothing_rises_nothing_is_said(tmp_path: Path) -> None:
    text = reported(tmp_path, {"fastre": FLAT, "casrel": FLAT})
    assert "still ris" not in text.replace("some and maybe a point (still rising)", "")
    assert "no ranking" not in text


def test_too_few_epochs_and_no_history_are_not_told(tmp_path: Path) -> None:
    text = reported(tmp_path, {"fastre": RISING[:6], "casrel": []}, seeds=1)
    assert verdicts(tmp_path) == [("fastre", "not told"), ("casrel", "not told")]
    found = rows(section(text, "Convergence", "NYT11"), "95 % interval of the gain")
    assert {row["95 % interval of the gain"] for row in found} == {
        "fewer than 3 epochs in the last third"
    }


def test_a_rough_curve_says_why_it_is_not_told(out: Path) -> None:
    (group,) = load_results(out).groups
    found = ending(group.rows[2], group.match)
    assert found is not None
    assert why_not_told(found) == "its dev F1 moves too much from epoch to epoch"


def test_a_seed_that_did_not_complete_does_not_count(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre",), seeds=(0, 1)).write(tmp_path)
    write_run(tmp_path, record("fastre", "nyt11", 0), history(FLAT))
    broken = record("fastre", "nyt11", 1).model_copy(update={"status": "diverged"})
    write_run(tmp_path, broken, history(RISING))
    assert verdicts(tmp_path) == [("fastre", "converged")]

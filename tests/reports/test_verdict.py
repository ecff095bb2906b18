"""What a suite found in a few lines, and what is said of a system that has nothing to train."""

from __future__ import annotations

from pathlib import Path

from reports.doubts import doubts
from reports.report import write_report
from reports.verdict import verdicts
from suite.records.run import RunRecord
from suite.tasks.scores import Evaluation, Scores
from tests.reports.folder import epochs, plan, record, stopped, write_run
from tests.reports.markdown import rows

SYSTEMS = ("fastre", "casrel", "graphs")


def left(out: Path, *runs: RunRecord) -> Path:
    plan(datasets=("webnlg-star",), systems=SYSTEMS, seeds=(0,)).write(out)
    for run in runs:
        write_run(out, run, epochs(0.5, 1, 0))
    return out


def scored(system: str, correct: int, **more: float) -> RunRecord:
    return record(system, "webnlg-star", 0, (correct, 185, 200, correct), **more)  # type: ignore[arg-type]


def test_systems_stand_by_f1_and_those_one_seed_tells_nothing_apart(tmp_path: Path) -> None:
    runs = scored("fastre", 100), scored("graphs", 168), scored("casrel", 170, slowness=2.0)
    (found,) = verdicts(left(tmp_path, *runs))
    assert found.title == "WebNLG*"
    assert [s.system for s in found.standings] == ["CasRel", "Graphs", "FastRE"]
    assert [s.f1 for s in found.standings] == ["88.3", "87.3", "51.9"]
    assert found.standings[0][3:] == ("420", "20.0"), "seconds of training, milliseconds of one"
    assert found.sentence == (
        "CasRel has the highest F1 (88.3 %); with one seed no difference can be told from chance."
    )


def test_what_has_no_score_stands_last_and_is_compared_with_nothing(tmp_path: Path) -> None:
    broken = stopped(record("casrel", "webnlg-star", 0), "diverged", "the loss is NaN")
    (found,) = verdicts(left(tmp_path, broken, scored("fastre", 100)))
    assert [s.system for s in found.standings] == ["FastRE", "CasRel"]
    assert found.standings[1].f1 == "diverged"
    assert found.sentence == "FastRE is compared with none (F1 51.9 %)."


def without_training() -> RunRecord:
    """A run of a system that memorises, which found next to nothing."""
    run = scored("graphs", 1)
    assert run.training is not None
    none = {"epochs": 0, "best_epoch": 0, "steps": 0, "steps_to_best": 0, "step_seconds": None}
    return run.model_copy(update={"training": run.training.model_copy(update=none)})


def test_nothing_to_train_is_said_and_raises_no_doubt(tmp_path: Path) -> None:
    run = without_training()
    few = Scores(correct=1, predicted=9, gold=900)
    low = Evaluation(partial=few, exact=few)
    assert doubts([run.model_copy(update={"dev": low, "test": low})], lambda _: "it") == []
    out = left(tmp_path, scored("fastre", 100), run)
    (out / "runs/graphs/webnlg-star/0/history.jsonl").write_text("")
    report = write_report(out).read_text()
    assert "Graphs has nothing to train: no epoch was run or chosen" in report
    assert "FastRE has nothing to train" not in report
    (row,) = (x for x in report.splitlines() if x.startswith("| Graphs | n=1 | none: nothing"))
    assert row.count("none: nothing to train") == 5
    marks = {r["System"].strip("*"): r["Converged"] for r in rows(report, "95 % interval")}
    assert marks == {"FastRE": "not told", "Graphs": "-"}

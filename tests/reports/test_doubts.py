"""What makes a score say little is said first."""

from __future__ import annotations

from pathlib import Path

from reports.doubts import doubts
from reports.report import write_report
from suite.records.run import RunRecord
from suite.tasks.scores import Evaluation, Scores
from tests.reports.folder import epochs, plan, record, write_run
from tests.reports.markdown import section

NAMED = "casrel on nyt11"


def changed(**training: int) -> RunRecord:
    run = record("casrel", "nyt11", 0)
    assert run.training is not None
    sound = {"epochs": 9, "best_epoch": 5, "steps": 5000, **training}
    return run.model_copy(update={"training": run.training.model_copy(update=sound)})


def scored(correct: int, gold: int) -> Evaluation:
    scores = Scores(correct=correct, predicted=gold, gold=gold)
    return Evaluation(partial=scores, exact=scores)


def kinds(run: RunRecord) -> list[str]:
    return [line.split("**")[1] for line in doubts([run], lambda _: NAMED)]


def test_a_sound_run_raises_none() -> None:
    run = changed().model_copy(update={"dev": scored(300, 400), "test": scored(300, 400)})
    assert kinds(run) == []


def test_each_kind_has_its_figure() -> None:
    run = changed(steps=299, best_epoch=9)
    run = run.model_copy(update={"dev": scored(1, 3), "test": scored(4, 100)})
    assert doubts([run], lambda _: NAMED) == [
        "**Too small a dev set**: it chooses the epoch, and one more right answer moves its F1 by "
        f"points: {NAMED} (3 gold items).",
        "**Next to nothing was learnt**: train longer (`--epochs`), or with more data: "
        f"{NAMED} (test F1 4.0 %).",
        "**Few training steps**, under 300: the scores tell how quickly systems begin to learn, "
        f"not how good they are: {NAMED} (299).",
        "**The last epoch was the best on dev**: the score may have gone on rising: "
        f"{NAMED} (epoch 9).",
    ]


def test_the_report_begins_with_them(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("casrel",)).write(tmp_path)
    write_run(tmp_path, changed(steps=20), epochs(0.5, 1, 0))
    write_report(tmp_path)
    _, _, doubt, *_ = section((tmp_path / "report.md").read_text(), "What to know first").split(
        "\n- "
    )
    assert doubt.startswith("**Few training steps**"), "after what has no record"

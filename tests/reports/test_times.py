"""Times of shared machines are marked, and no ratio is taken of times that were taken unlike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from reports.load import Group, Results, Row, group_runs, load_results
from reports.report import write_report
from reports.run_files import RecordedRun
from reports.search import report as search_report
from reports.sections import efficiency
from reports.times import (
    ONE_SHARED,
    OTHER_MACHINE,
    SHARED,
    Taken,
    latency,
    ratio_cell,
    training_time,
    why_no_ratio,
)
from suite.records.run import InferenceCost, RunRecord
from suite.records.search import Spent, TrialRecord
from tests.reports.folder import ENVIRONMENT, epochs, plan, record, write_run
from tests.reports.markdown import rows, section
from tests.reports.tasks import curve, ner_run, plan_of

ELSEWHERE = ENVIRONMENT.model_copy(update={"processor": "Another CPU"}).place
HERE = ENVIRONMENT.place
TRAINING = "training in all"
LATENCY = "ms per sentence at batch 128"


def trained_beside(run: RunRecord) -> RunRecord:
    """The run, trained while others were."""
    assert run.training is not None
    return run.model_copy(update={"training": run.training.model_copy(update={"alone": False})})


def measured(run: RunRecord, **how: object) -> RunRecord:
    """The run with its inference measured in another way."""
    costs = tuple(cost.model_copy(update=how) for cost in run.inference)
    return run.model_copy(update={"inference": costs})


def report(out: Path, *runs: RunRecord) -> str:
    seeds = sorted({run.seed for run in runs})
    plan(datasets=("nyt11",), systems=("fastre", "casrel"), seeds=seeds).write(out)
    for run in runs:
        write_run(out, run, epochs(0.5, 1, run.seed))
    return write_report(out).read_text()


def ratio(text: str) -> dict[str, str]:
    return rows(section(text, "Inference efficiency", "NYT11"), TRAINING)[0]


def group_of(*runs: RunRecord) -> Group:
    planned = plan(datasets=("nyt11",), systems=("fastre", "casrel"), seeds=(0,))
    recorded = [RecordedRun(run, Path(run.system.name, str(run.seed))) for run in runs]
    (group,) = Results(planned, group_runs(recorded, planned)).groups
    return group


def rows_of(*runs: RunRecord) -> tuple[Row, Row]:
    fastre, casrel = group_of(*runs).rows
    return fastre, casrel


@pytest.mark.parametrize(
    ("ways", "why"),
    [
        ((), None),
        ((Taken(HERE, False), Taken(HERE, False)), None),
        ((Taken(HERE, True), Taken(HERE, True)), None),
        ((Taken(HERE, True), Taken(HERE, False)), ONE_SHARED),
        ((Taken(HERE, False), Taken(ELSEWHERE, False)), OTHER_MACHINE),
        ((Taken(HERE, True), Taken(ELSEWHERE, False)), OTHER_MACHINE),
    ],
)
def test_the_rule(ways: tuple[Taken, ...], why: str | None) -> None:
    assert why_no_ratio(ways) == why


def test_no_ratio_of_training_times_is_taken_between_shared_and_alone(tmp_path: Path) -> None:
    text = report(
        tmp_path,
        record("fastre", "nyt11", 0),
        trained_beside(record("casrel", "nyt11", 0, slowness=8)),
    )
    found = ratio(text)
    assert found[TRAINING] == ONE_SHARED
    assert found["training and dev evaluation to chosen epoch"] == ONE_SHARED
    assert found[LATENCY] == "8.00", "inference was measured alone"
    assert found["parameters"] == "8.00"


def test_ratios_of_times_that_were_shared_alike_are_marked(tmp_path: Path) -> None:
    text = report(
        tmp_path,
        trained_beside(record("fastre", "nyt11", 0)),
        trained_beside(record("casrel", "nyt11", 0, slowness=8)),
    )
    found = ratio(text)
    assert found[TRAINING] == "8.00 (shared)"
    assert found["training and dev evaluation to chosen epoch"] == "8.00 (shared)"
    assert found[LATENCY] == "8.00"


def test_a_row_of_both_kinds_is_marked_and_in_no_ratio(tmp_path: Path) -> None:
    text = report(
        tmp_path,
        trained_beside(record("fastre", "nyt11", 0)),
        record("fastre", "nyt11", 1),
        *(trained_beside(record("casrel", "nyt11", seed, slowness=8)) for seed in (0, 1)),
    )
    assert ratio(text)[TRAINING] == ONE_SHARED
    main = {
        row["System"]: row
        for row in rows(section(text, "Main results", "NYT11"), "Training in all (min)")
    }
    assert main["FastRE"]["Training in all (min)"] == "4.00 ± 0.00 (1 of 2 shared)"
    assert main["CasRel"]["Training in all (min)"] == "32.0 ± 0.0 (shared)"


def test_no_ratio_of_inference_is_taken_between_shared_and_alone(tmp_path: Path) -> None:
    text = report(
        tmp_path,
        measured(record("fastre", "nyt11", 0), alone=False),
        measured(record("casrel", "nyt11", 0, slowness=8), alone=True),
    )
    found = ratio(text)
    assert {found[f"ms per sentence at batch {size}"] for size in (1, 8, 128)} == {ONE_SHARED}
    assert found[TRAINING] == "8.00"


def test_ratios_of_inference_that_was_shared_alike_are_marked(tmp_path: Path) -> None:
    runs = (record("fastre", "nyt11", 0), record("casrel", "nyt11", 0, slowness=8))
    text = report(tmp_path, *(measured(run, alone=False) for run in runs))
    assert ratio(text)[LATENCY] == "8.00 (shared)"


@pytest.mark.parametrize(
    ("timed", "change"),
    [
        (
            training_time("training_seconds"),
            lambda run: run.model_copy(
                update={"environment": ENVIRONMENT.model_copy(update=dict(ELSEWHERE))}
            ),
        ),
        (latency(1), lambda run: measured(run, place=ELSEWHERE)),
    ],
)
def test_no_ratio_is_taken_between_kinds_of_machine(
    timed: object, change: Callable[[RunRecord], RunRecord]
) -> None:
    """Whatever table two rows meet in."""
    fastre, casrel = rows_of(record("fastre", "nyt11", 0), change(record("casrel", "nyt11", 0)))
    assert ratio_cell(casrel, fastre, timed) == OTHER_MACHINE  # type: ignore[arg-type]


def test_no_ratio_stands_in_for_a_time_that_is_missing() -> None:
    fastre, casrel = rows_of(
        trained_beside(record("fastre", "nyt11", 0)),
        record("casrel", "nyt11", 0, out_of_memory_at=128),
    )
    assert ratio_cell(casrel, fastre, latency(128)) == "CasRel: out of memory"
    cells = efficiency.ratios(group_of(record("fastre", "nyt11", 0)))
    assert "it is the only system of this table" in cells


def test_every_table_of_training_times_marks_them(tmp_path: Path) -> None:
    text = report(
        tmp_path,
        trained_beside(record("fastre", "nyt11", 0)),
        record("casrel", "nyt11", 0, slowness=8),
    )
    main, convergence = (
        section(text, "Main results", "NYT11"),
        section(text, "Convergence", "NYT11"),
    )
    for part, headings in (
        (
            main,
            (
                "Training and dev evaluation to chosen epoch (min)",
                "Training in all (min)",
                "Dev evaluation (min)",
            ),
        ),
        (
            convergence,
            ("ms per step (median)", "Encoding train and dev (s)", "to dev F1 30 % (s)"),
        ),
    ):
        for heading in headings:
            found = {row["System"]: row[heading] for row in rows(part, heading)}
            assert found["FastRE"].endswith(" (shared)"), heading
            assert "shared" not in found["CasRel"], heading
        assert SHARED in part
    assert "shared" not in rows(convergence, "Epochs run")[0]["Epochs run"]
    assert "to dev F1 90 % (s)" in convergence
    assert "not reached (shared)" not in convergence
    assert "marked *shared* where they stand" in section(text, "What to know first")


def test_times_that_nobody_shared_are_not_marked(text: str) -> None:
    assert "shared" not in text


def test_every_table_of_inference_marks_it(tmp_path: Path) -> None:
    text = report(tmp_path, measured(record("fastre", "nyt11", 0), alone=False))
    for title, heading in (
        ("Main results", "Inference, whole test set at batch 128 (s)"),
        ("Inference efficiency", "Batch 8: ms per sentence, 95th percentile"),
        ("Inference efficiency", "decode (ms per sentence)"),
        ("Inference efficiency", "whole test set (s)"),
    ):
        (found, *_) = rows(section(text, title, "NYT11"), heading)
        assert found[heading].endswith(" (shared)"), heading
        assert SHARED in section(text, title, "NYT11")


def test_speed_ups_of_a_shared_machine_are_marked(tmp_path: Path) -> None:
    """A speed-up is a ratio of times of one process: shared alike, whatever else was."""
    plan_of(("conll03",), ("fastner",), seeds=(0, 1)).write(tmp_path)
    for seed, alone in enumerate((False, True)):
        run = ner_run(seed, operating=curve().model_copy(update={"alone": alone}))
        write_run(tmp_path, run, epochs(0.8, 2, seed))
    part = section(write_report(tmp_path).read_text(), "Accuracy against speed")
    found = {(row["Rule"], row["Threshold"]): row for row in rows(part, "Threshold")}
    at = found["confidence", "0.9"]
    assert at["speed-up in wall clock"] == "1.60 ± 0.00 (1 of 2 shared)"
    assert at["speed-up by layers"] == "2.00 ± 0.00"
    assert "1.60 times as fast in wall clock (1 of 2 shared) and 2.00 times by layers" in part
    frame = pd.read_csv(tmp_path / "operating.csv")
    assert dict(zip(frame["seed"], frame["alone"], strict=True)) == {0: False, 1: True}


def test_what_another_kind_of_machine_measured_stands_in_its_table(tmp_path: Path) -> None:
    runs = [record(system, "nyt11", 0, slowness=s) for system, s in (("fastre", 1), ("casrel", 8))]
    fastre = measured(runs[0], place=ELSEWHERE, node="node-b")
    text = report(tmp_path, fastre, runs[1])
    here, there = load_results(tmp_path).groups[0].machines
    assert [len(part.runs) for part in (here, there)] == [2, 1]
    assert here.environment.place == HERE
    assert there.environment.place == ELSEWHERE
    part = section(text, "Inference efficiency", "NYT11")
    assert "Another CPU (4 cores), device cpu, Linux x86_64** (1 run measured there alone)" in part
    _, first, second = part.split("**Machine ")
    heading = "Batch 128: ms per sentence, median"
    ours = {row["System"]: row[heading] for row in rows(first, heading)}
    assert ours == {"FastRE": "on another machine", "CasRel": "16.0"}
    assert [row[heading] for row in rows(second, heading)] == ["2.00"]
    found = rows(first, TRAINING)[0]
    assert found[LATENCY] == "FastRE: on another machine"
    assert found[TRAINING] == "8.00"
    _, _, times = section(text, "Main results", "NYT11").split("**Machine ")
    assert rows(times, "Training in all (min)")[0]["Training in all (min)"] == "on another machine"
    assert section(text, "Convergence", "NYT11").count("| ms per step (median) |") == 1
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert "nyt11-machine-1-convergence" in drawn
    assert "nyt11-machine-2-convergence" not in drawn


def test_a_place_that_is_the_environments_makes_no_second_machine() -> None:
    assert len(group_of(measured(record("fastre", "nyt11", 0), place=HERE)).machines) == 1


def test_operating_points_of_another_machine_stand_in_its_table(tmp_path: Path) -> None:
    plan_of(("conll03",), ("fastner",), seeds=(0,)).write(tmp_path)
    run = ner_run(0, operating=curve().model_copy(update={"place": ELSEWHERE}))
    write_run(tmp_path, run, epochs(0.8, 2, 0))
    part = section(write_report(tmp_path).read_text(), "Accuracy against speed")
    first, second = part.split("**Machine ")[1:]
    assert "the operating points were not measured: on another machine" in first
    assert rows(second, "Threshold")[0]["speed-up in wall clock"] == "1.00"


def test_nodes_are_named_where_records_have_them(tmp_path: Path) -> None:
    runs = [record("fastre", "nyt11", seed) for seed in range(3)]
    runs[0] = measured(runs[0].model_copy(update={"node": "node-a"}), node="node-b")
    runs[1] = measured(runs[1].model_copy(update={"node": "node-a"}), node="node-a")
    runs[2] = runs[2].model_copy(
        update={"inference": (InferenceCost(batch_size=1, failure="out of memory"),)}
    )
    text = report(tmp_path, *runs)
    (found,) = rows(text, "Trained on")
    assert found["System"] == "FastRE"
    assert found["Trained on"] == "seeds 0, 1: node-a; seed 2: the command's machine"
    assert found["Measured on"] == "seed 0: node-b; seed 1: node-a; seed 2: -"
    frame = pd.read_csv(tmp_path / "results.csv")
    assert list(frame["node"])[:2] == ["node-a", "node-a"]
    assert list(frame["inference_batch8_node"])[:2] == ["node-b", "node-a"]


def test_no_node_is_named_where_none_is_recorded(text: str) -> None:
    assert "Trained on" not in text


def test_a_searchs_finals_are_marked() -> None:
    fastre, _ = rows_of(trained_beside(record("fastre", "nyt11", 0)), record("casrel", "nyt11", 0))
    assert search_report.finalist_times(fastre, [8]) == {
        "Training (min)": "4.00 (shared)",
        "Latency, batch 8 (ms)": "4.00",
    }


def test_trials_of_a_shared_machine_are_marked() -> None:
    trial = TrialRecord(
        **{"phase": "accuracy", "number": 0, "key": "k", "label": None, "state": "complete"},
        **{"choices": {}, "settings": {}, "structure": {}, "spent": Spent(training=120)},
        **{"latency_ms": {1: 4.0}, "alone": False, "measured_alone": True},
    )
    (found,) = rows(search_report.trial_table([1], [trial]), "Training (min)")
    assert found["Training (min)"] == "2.00 (shared)"
    assert found["Latency, batch 1 (ms)"] == "4.00"
    trial = trial.model_copy(update={"alone": True, "measured_alone": False})
    (found,) = rows(search_report.trial_table([1], [trial]), "Training (min)")
    assert found["Training (min)"] == "2.00"
    assert found["Latency, batch 1 (ms)"] == "4.00 (shared)"

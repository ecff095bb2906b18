"""What `run-suite` shows before, while and after it works, in processes as a user starts them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from reports.verdict import verdicts
from runners.api import Model, read_results
from runners.executors.estimate import Estimate, Whole, estimate_of, whole
from runners.executors.forecast import Took
from runners.runs.plan import read_run_plan
from runners.runs.probe import Probe, probe
from runners.runs.workbench import Workbench
from suite.records.run import read_record
from tests import tiny

SCREEN = (24, 80)
"""Lines and columns of the terminal that everybody has."""
SMALL = [f"--set=fastre.{n}={v}" for n, v in (("width", 16), ("attention_heads", 2))]


def lines_of(text: str) -> int:
    """Lines of a terminal that a text takes."""
    return sum(max(1, math.ceil(len(line) / SCREEN[1])) for line in text.splitlines())


def whole_command(arguments: Sequence[str | Path]) -> None:
    """The command line with its estimate, and one measurement of inference per run."""
    from runners import suite as schedule
    from runners.cli import run_suite as cli

    schedule.Request = partial(schedule.Request, batch_sizes=(8,))  # type: ignore[misc, assignment]
    sys.argv = ["run-suite", *map(str, arguments)]
    cli.run_suite()


def planned_alone(out: Path) -> None:
    """The plan of the command without arguments, with an estimate that was not taken."""
    from runners.cli import run_suite as cli
    from runners.executors import estimate

    estimate.estimate = lambda run, processes: Estimate(Took(1234.0, 567.0), 345.0)
    sys.argv = ["run-suite", "--dry-run", "--out", str(out)]
    cli.run_suite()


@pytest.fixture(scope="module")
def command(dataset: Path) -> list[str]:
    systems = ["--system", "fastre", "--system", "retention", *SMALL]
    held = ["--dataset", str(dataset), *systems, "--tracker", "none", "--threads", "1"]
    return [*held, "--epochs", "4", "--seeds", "1", "--out", "out"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command works."""
    folder = tmp_path_factory.mktemp("screens") / "here"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def carried_out(command: list[str], place: Path) -> tiny.Ended:
    """The command, carried out once for all."""
    ended = tiny.forked(whole_command, command, folder=place, seconds=120)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def folder(carried_out: tiny.Ended, place: Path) -> Path:
    """What it left."""
    del carried_out
    return place / "out"


def test_the_default_plan_fits_on_a_screen(tmp_path: Path) -> None:
    ended = tiny.forked(planned_alone, tmp_path / "runs", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert lines_of(ended.out) <= SCREEN[0], ended.out
    rows = [re.split(" {2,}", line)[:2] for line in ended.out.splitlines()]
    trained = {(system, dataset) for system, dataset, *_ in (r for r in rows if len(r) > 1)}
    assert trained >= {
        ("fastre", "synthetic"),
        ("casrel", "synthetic"),
        ("bert_docred", "synthetic-documents"),
        ("fastner", "synthetic-spans"),
        ("retention", "synthetic-spans"),
    }
    assert ("bert_docred", "synthetic") not in trained
    assert "time: about 3.5 h (2.8 h to 4.2 h)" in ended.out, "seven runs of half an hour"
    assert not list(tmp_path.iterdir())


def test_the_plan_of_many_systems_fits_too(tmp_path: Path) -> None:
    held = ("--dry-run", "--system", "all", "--pretrained", "untrained", "--parser", "chain")
    ended = tiny.command("run_suite", *held, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert lines_of(ended.out) <= SCREEN[0] - 3, "three are left for the time"


@pytest.mark.slow
def test_the_time_is_told_before_anything_is_trained(carried_out: tiny.Ended) -> None:
    first, _, rest = carried_out.out.partition("[1 of 2] ")
    told = r"^time: about [\d.]+ \w+ \(.* to .*\) if every training runs all its epochs: "
    assert re.search(told, first, re.M)
    assert "fastre · tiny · seed 0: starts" in rest
    assert "nothing to train" in first


@pytest.mark.slow
def test_a_dry_run_tells_the_time_and_leaves_nothing(command: list[str], tmp_path: Path) -> None:
    ended = tiny.forked(whole_command, [*command, "--dry-run"], folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "time: about " in ended.out
    assert not list(tmp_path.iterdir())
    again = tiny.forked(whole_command, [*command, "--dry-run", "--no-estimate"], folder=tmp_path)
    assert "time: " not in again.out


@pytest.mark.slow
def test_the_result_is_the_last_that_is_seen(carried_out: tiny.Ended, folder: Path) -> None:
    (found,) = verdicts(folder)
    scores = [float(standing.f1) for standing in found.standings]
    assert {standing.system for standing in found.standings} == {"FastRE", "Retention"}
    assert scores == sorted(scores, reverse=True)
    *_, table, sentence, empty, report = carried_out.out.splitlines()
    assert report == "report: out/report.md"
    assert (sentence, empty) == (found.sentence, "")
    assert table.split() == list(found.standings[-1])


@pytest.mark.slow
def test_what_has_nothing_to_train_says_so(folder: Path) -> None:
    record = read_record(folder / "runs/retention/tiny/0/record.json")
    assert (record.status, record.failure) == ("complete", None)
    assert record.training is not None
    assert (record.training.epochs, record.training.steps) == (0, 0)
    assert record.training.step_seconds is None
    assert record.parameters is not None
    assert record.parameters.total == 0
    assert [cost.failure for cost in record.inference] == [None]
    report = (folder / "report.md").read_text()
    assert "Retention has nothing to train: no epoch was run or chosen" in report
    (row,) = (x for x in report.splitlines() if x.startswith("| Retention | n=1 | none: nothing"))
    assert row.count("none: nothing to train") == 5
    runs = read_results(folder).runs.set_index("system")
    assert pd.isna(runs.loc["retention", "training_step_seconds"])


@pytest.mark.slow
def test_a_memory_is_a_model(folder: Path) -> None:
    model = Model.load(folder / "runs/retention/tiny/0", "cpu")
    (row,) = model.extract(["Emmy Noether went from Berlin to Lagos ."])
    triples = [(t["head"]["text"], t["relation"], t["tail"]["text"]) for t in row["triples"]]
    assert triples == [("Emmy Noether", "born in", "Lagos")], "as the tenth sentence of train says"


PROBE = Probe(
    epochs=10,
    steps_per_epoch=20,
    examples={"train": 640, "dev": 100, "test": 200, "measured": 200},
    encode=1e-4,
    memorise=0.0,
    ceiling=1e-4,
    evaluate=2e-3,
    steps=(0.09, 0.1, 0.11),
    inference={1: (0.01, 0.012), 8: (0.02, 0.02)},
    operating=None,
    points=0,
    seconds=1.0,
)


def test_an_estimate_adds_up() -> None:
    found = estimate_of(PROBE, start=3.0)
    steps, evaluation = 10 * 20 * 0.1, 2e-3 * (11 * 100 + 200)
    assert found.took.training == pytest.approx(3 + 940 * 2e-4 + steps + evaluation)
    warm_up = {1: 20, 8: 25}
    passes = {1: 0.011 * (3 * 200 + warm_up[1]), 8: 0.02 * (3 * 25 + warm_up[8])}
    assert found.took.measuring == pytest.approx(2 * 3 + sum(passes.values()))
    error = 0.01 / math.sqrt(3), 0.001
    assert found.spread == pytest.approx(2 * math.hypot(200 * error[0], 620 * error[1]))


def test_twice_the_epochs_take_twice_the_time() -> None:
    once, twice = (
        estimate_of(PROBE.model_copy(update={"epochs": epochs}), start=0.0).took.training
        for epochs in (50, 100)
    )
    assert twice / once == pytest.approx(2, rel=0.05)


def test_trainings_side_by_side_take_less_and_measurements_do_not() -> None:
    runs = [Estimate(Took(100.0, 10.0), 11.0)] * 4
    assert whole(runs, 1) == Whole(440.0, pytest.approx(396), pytest.approx(484))
    assert whole(runs, 2).seconds == 240.0


@pytest.mark.slow
def test_an_estimate_is_of_the_size_of_the_run(command: list[str], folder: Path) -> None:
    """Its steps are the trainer's, so that only other work on the machine sets them apart."""
    record = read_record(folder / "runs/fastre/tiny/0/record.json")
    found = probe(Workbench(read_run_plan(folder / "runs/fastre/tiny/0")), folder.parent / "probe")
    assert record.training is not None
    assert found.epochs * found.steps_per_epoch == record.training.steps
    estimated = record.training.steps * sum(found.steps) / len(found.steps)
    assert 1 / 8 < estimated / record.training.training_seconds < 8

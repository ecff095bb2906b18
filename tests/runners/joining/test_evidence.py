"""Evidence is joined as the folders that it is of, and reported without what it leaves out."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from reports.answer import find_answers
from reports.claims.collect import collect
from reports.load import load_results
from runners.joining.join import join
from suite.errors import SuiteError
from suite.records.evidence import read_evidence, write_evidence
from suite.studies.study import find_study
from tests.reports.claims.cases import TABLE5, variant_run, write_folder
from tests.reports.claims.test_forms import line
from tests.reports.folder import ENVIRONMENT
from tests.reports.markdown import rows, section
from tests.runners.joining.outputs import joined, kept, plan_of, write

SEEDS = {"one": (0, 1), "two": (2,)}


@pytest.fixture
def outs(tmp_path: Path) -> dict[str, Path]:
    """Two folders of one system's seeds, and the evidence of each beside it."""
    found = {}
    for name, seeds in SEEDS.items():
        out = write_folder(tmp_path / name, *(variant_run("fastre", seed) for seed in seeds))
        for folder in sorted(out.glob("runs/*/*/*")):
            seed = int(folder.name)
            lines = "".join(line(n, right=(7 * n + seed**2) % 5 < 2 + seed % 2) for n in range(12))
            (folder / "predictions.jsonl").write_text(lines)
        write_evidence(collect(out), tmp_path / f"results-{name}" / "evidence.json.gz")
        found[name] = out
    return found


def evidence(tmp_path: Path, name: str) -> Path:
    return tmp_path / f"results-{name}" / "evidence.json.gz"


def scores_of(out: Path) -> list[tuple[float, float, float]]:
    """F1 and its interval of each system."""
    answers = find_answers(load_results(out).groups)
    return [
        (c.f1, c.standing.f1.low, c.standing.f1.high)
        for answer in answers.values()
        for c in answer.candidates
    ]


def test_seeds_of_folders_and_of_evidence_make_one_row(
    outs: dict[str, Path], tmp_path: Path
) -> None:
    whole, *_ = joined(list(outs.values()), tmp_path / "whole")
    out, said, text = joined([outs["one"], evidence(tmp_path, "two")], tmp_path / "new")
    assert said == []
    (row,) = rows(section(text, "Main results", "NYT11"), "Seeds")
    assert row["Seeds"] == "n=3"
    ((f1, low, high),) = scores_of(whole)
    assert low < f1 < high
    assert scores_of(out) == [(f1, low, high)], "the same draws of the same examples"
    assert "Told by evidence alone: 1 of 3 runs. Their predictions did" in text
    assert "# one of 2026" in text
    assert "# results-two of 2026" in text, "a file called evidence is named by its folder"


def test_a_report_of_evidence_alone(outs: dict[str, Path], tmp_path: Path) -> None:
    whole, *_ = joined(list(outs.values()), tmp_path / "whole")
    files = [evidence(tmp_path, name) for name in outs]
    out, _, text = joined(files, tmp_path / "new")
    assert scores_of(out) == scores_of(whole)
    assert "Told by evidence alone: 3 of 3 runs." in text
    departures = re.findall(r"Departures from its paper:\n\n(.+)", text)
    (facts,) = {run.system.departures for run in kept(outs["one"]).values()}
    assert facts
    assert departures == [f"- {facts[0]}"], "they are ours, and come along"


def test_evidence_of_joined_evidence_is_that_of_the_runs(
    outs: dict[str, Path], tmp_path: Path
) -> None:
    joined([evidence(tmp_path, name) for name in outs], tmp_path / "new")
    first, second = (
        {run.folder: run.model_dump() for run in found.runs}
        for found in (
            collect(tmp_path / "new"),
            collect(joined(list(outs.values()), tmp_path / "w")[0]),
        )
    )
    for run in (*first.values(), *second.values()):
        del run["digest"]  # of records, which say in the one folder what evidence leaves out
    assert first == second


def test_a_run_is_kept_with_its_predictions(outs: dict[str, Path], tmp_path: Path) -> None:
    out, said, text = joined([evidence(tmp_path, "one"), outs["one"]], tmp_path / "new")
    assert said == [
        f"fastre · nyt11 · seed {seed}: the one of one, whose predictions are there"
        for seed in (0, 1)
    ]
    assert "evidence alone" not in text
    assert (out / "runs/fastre/nyt11/0/predictions.jsonl").is_file()


def test_other_scores_of_one_run_are_refused_by_the_names_of_files(
    outs: dict[str, Path], tmp_path: Path
) -> None:
    other = write_folder(tmp_path / "other", variant_run("fastre", 0, (99, 200, 200, 90)))
    with pytest.raises(SuiteError, match="seed 0 is not the same in") as caught:
        joined([evidence(tmp_path, "one"), other], tmp_path / "new")
    assert str(evidence(tmp_path, "one")) in str(caught.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("folder", ["runs/fastre/nyt11/../../../../0", "/runs/fastre/nyt11/0", ""])
def test_evidence_that_names_a_folder_elsewhere_is_refused(
    outs: dict[str, Path], tmp_path: Path, folder: str
) -> None:
    path = evidence(tmp_path, "one")
    held = json.loads(gzip.decompress(path.read_bytes()))
    held["runs"][0]["folder"] = folder
    path.write_bytes(gzip.compress(json.dumps(held).encode()))
    with pytest.raises(SuiteError, match=f"names a folder that no run has: '{folder}'"):
        join([path], tmp_path / "new", apart=False, finish=lambda _: None)
    assert not (tmp_path / "new").exists()


def test_times_of_another_machine_stay_evidence(outs: dict[str, Path], tmp_path: Path) -> None:
    run = variant_run("fastre", 0)
    elsewhere = ENVIRONMENT.model_copy(update={"processor": "Another CPU"})
    moved = run.model_copy(
        update={
            "inference": tuple(
                cost.model_copy(update={"place": elsewhere.place}) for cost in run.inference
            )
        }
    )
    out = write_folder(tmp_path / "moved", moved)
    write_evidence(collect(out), tmp_path / "moved.json.gz")
    joined([tmp_path / "moved.json.gz"], tmp_path / "new")
    (group,) = load_results(tmp_path / "new").groups
    assert [len(machine.runs) for machine in group.machines] == [1, 1]
    assert [len(machine.runs[0].history) for machine in group.machines] == [8, 0]


def test_a_study_comes_along_and_has_its_table(tmp_path: Path) -> None:
    run, study = variant_run("fastre", 0), find_study(TABLE5)
    out = write(tmp_path / "out", run, planned=plan_of(run, study=study))
    path = tmp_path / "table.json.gz"
    write_evidence(collect(out), path)
    assert read_evidence(path).plan.study == study
    _, _, text = joined([path], tmp_path / "new")
    assert study.title in section(text, "The paper's table")

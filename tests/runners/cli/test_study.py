"""`run-suite --study`: a paper's table, run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runners.suite import Request, Suite
from suite.protocol import Protocol
from suite.studies.study import find_study, study_names
from tests import tiny

pytestmark = pytest.mark.slow

STUDY = """
title: "Toy: ablation"
citation: Nobody, Nowhere, 2020.
source: Nobody 2020
table: Table 1
task: triples
datasets: [nyt10]
measures: [f1]
reference: toy
question: What does the gate add?
variants:
  - {name: toy, system: fastre, title: Toy, settings: &small {width: 16, attention_heads: 2}}
  - name: toy-no-gate
    system: fastre
    title: Toy, no gate
    settings: {<<: *small, gate: none}
  - name: toy-small-batch
    system: fastre
    title: Toy, batches of 8
    settings: {width: 16, attention_heads: 2}
    protocol: {batch_size: 8}
  - name: toy-half
    system: fastre
    title: Toy, half of train
    settings: {width: 16, attention_heads: 2}
    train_share: 0.5
  - name: toy-encoder
    system: casrel
    title: Toy, another encoder
    pretrained: no/such-model
rows:
  Toy: {variant: toy}
  "- gate": {variant: toy-no-gate}
printed:
  - match: partial
    lines:
      - [Toy, 70.0]
      - ["- gate", 66.5]
      - [Theirs, 71.0]
"""


def run_suite(folder: Path, *arguments: str | Path) -> tiny.Ended:
    held = ["--threads", "1", "--tracker", "none", "--epochs", "1", "--seeds", "1", *arguments]
    env = tiny.environment(HF_HUB_OFFLINE="1")
    return tiny.forked(tiny.suite_without_measuring, held, folder=folder, env=env)


def test_variants_run_and_stand_beside_the_paper(dataset: Path, tmp_path: Path) -> None:
    study = tmp_path / "toy.yaml"
    study.write_text(STUDY)
    out = tmp_path / "out"
    ended = run_suite(tmp_path, "--study", study, "--dataset", dataset, "--out", out)
    assert ended.code == 0, ended.err
    plans = {
        name: json.loads((out / "runs" / name / "tiny" / "0" / "run.json").read_text())
        for name in ("toy", "toy-no-gate", "toy-small-batch", "toy-half")
    }
    assert plans["toy-no-gate"]["settings"]["gate"] == "none"
    sizes = [plan["protocol"]["batch_size"] for plan in plans.values()]
    assert sizes == [32, 32, 8, 32]
    assert [plan["train_share"] for plan in plans.values()] == [1, 1, 1, 0.5]
    assert not (out / "runs" / "toy-encoder").exists()
    report = (out / "report.md").read_text()
    assert "**What does the gate add?**" in report
    assert "The paper does not report on `tiny`" in report
    assert "Not measured here: Toy, another encoder." in report
    assert "the pretrained encoder 'no/such-model' is neither a folder" in report
    assert "| Theirs | nyt10 | partial |" in report
    held = json.loads((out / "suite.json").read_text())["study"]
    assert held["path"] == "toy.yaml"


def test_settings_of_one_dataset_are_those_of_its_runs_alone(tmp_path: Path) -> None:
    text = STUDY.partition("  - name: toy-no-gate")[0].replace(
        "title: Toy, ", "title: Toy, settings_on: {nyt11: {width: 32, type_width: 4}}, "
    )
    study = tmp_path / "toy.yaml"
    study.write_text(text.replace("datasets: [nyt10]", "datasets: [nyt10, nyt11]"))
    folders = tuple(str(tiny.write_dataset(tmp_path / name)) for name in ("nyt10", "nyt11"))
    asked = Request(
        *(folders, (), (0,), Protocol(epochs=1), tmp_path / "out"),
        settings={"toy": {"type_width": 6}},  # of the command line, which holds on every dataset
        study=find_study(str(study)),
        dry_run=True,
    )
    found = {run.planned.dataset.name: run.plan.settings for run in Suite(asked).runs}
    shared = {"attention_heads": 2, "type_width": 6}
    assert found == {"nyt10": {**shared, "width": 16}, "nyt11": {**shared, "width": 32}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--study", "fastre-table6"), "unknown study 'fastre-table6'. Did you mean 'fastre-table"),
        (("--study", "fastre-table5", "--system", "pmei"), "--system names others. Give one of"),
        (("--study", "bert-docred-table2"), "is of the task 'docre', and 'tiny' is for 'triples'"),
        (("--study", "none.yaml"), "none.yaml: cannot be read: No such file"),
    ],
)
def test_a_mistake_is_answered(
    dataset: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = tiny.command(
        "run_suite", "--dry-run", "--dataset", dataset, *arguments, folder=tmp_path
    )
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_a_study_with_an_unknown_setting_names_file_and_variant(
    dataset: Path, tmp_path: Path
) -> None:
    study = tmp_path / "toy.yaml"
    study.write_text(STUDY.replace("gate: none", "gait: none"))
    ended = tiny.command(
        "run_suite", "--dry-run", "--dataset", dataset, "--study", study, folder=tmp_path
    )
    assert ended.code == 2
    assert f"{study}: variants.1, 'toy-no-gate': unknown setting of fastre 'gait'" in ended.err


def test_the_list_shows_every_study(tmp_path: Path) -> None:
    ended = tiny.command(
        "run_suite", "--list", folder=tmp_path, env=tiny.environment(COLUMNS="200")
    )
    assert ended.code == 0, ended.err
    for name in study_names():
        assert f" {name} " in ended.out

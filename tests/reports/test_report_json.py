"""The figures for programs: those of the tables, in numbers."""

from __future__ import annotations

import inspect
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from reports.cells import cell, number
from reports.differences import find_differences
from reports.forms import schema
from reports.forms.schema import GroupFigures, OverSeeds, ReportFigures
from reports.load import load_results
from reports.report_json import report_figures
from tests.reports import folder
from tests.reports.markdown import rows, section

UNITS = re.compile(
    r"(seconds|milliseconds|bytes|percent|points|theta|epoch|epochs|steps|layers|speed_up|"
    r"parameters)"
)


def figures_of(out: Path) -> ReportFigures:
    loaded = load_results(out)
    return report_figures(loaded, {group.key: find_differences(group) for group in loaded.groups})


@pytest.fixture(scope="module")
def told(reported: Path) -> ReportFigures:
    return ReportFigures.model_validate_json((reported / "report.json").read_bytes())


@pytest.fixture(scope="module")
def first(told: ReportFigures) -> GroupFigures:
    (group,) = [g for g in told.groups if g.key == "nyt11-1"]
    return group


def test_scores_by_hand(first: GroupFigures) -> None:
    fastre, casrel = first.rows
    f1 = fastre.figures["test_partial_f1_percent"]
    # As the main table: 100/180/200, 110/190/200, 105/170/200.
    assert f1.values == pytest.approx({0: 52.632, 1: 56.410, 2: 56.757}, abs=1e-3)
    assert (f1.mean, f1.standard_deviation) == pytest.approx((55.266, 2.288), abs=1e-3)
    assert f1.missing == {}
    broken = casrel.figures["test_partial_f1_percent"]
    assert broken.values == pytest.approx({0: 100 * 180 / 390, 1: 100 * 200 / 390})
    assert (broken.mean, broken.standard_deviation, broken.missing) == (None, None, {2: "diverged"})
    assert fastre.slices["seen"]["not seen"].mean is not None
    (machine,) = first.machines
    assert machine.times["FastRE"]["training_seconds"].mean == 240
    batch = "inference_batch_8_forward_milliseconds_per_sentence_95th_percentile"
    assert machine.times["CasRel"][batch].values == pytest.approx({0: 50.4, 1: 50.4})


def test_every_score_of_the_text_is_there(told: ReportFigures, text: str) -> None:
    """The cells of the main tables, made again from the numbers."""
    compared = 0
    for group in told.groups:
        table = rows(section(text, "Main results", group.title), "F1, partial/surface (%)")
        for shown, row in zip(table, group.rows, strict=True):
            found = row.figures["test_partial_f1_percent"]
            again = {**found.values, **found.missing}
            if found.mean is not None:
                assert shown["F1, partial/surface (%)"] == cell(again, 1)
                compared += 1
    assert compared == 4


def test_what_is_compared_and_published(told: ReportFigures, first: GroupFigures) -> None:
    (pair,) = first.comparisons
    assert (pair.first, pair.second, pair.match) == ("FastRE", "CasRel", "partial")
    assert pair.counts_seeds
    by_seed = {row.label: row.figures["test_partial_f1_percent"].values for row in first.rows}
    both = [by_seed["FastRE"][seed] - by_seed["CasRel"][seed] for seed in by_seed["CasRel"]]
    assert pair.difference_f1_points == pytest.approx(sum(both) / len(both))
    assert pair.low_f1_points < pair.difference_f1_points < pair.high_f1_points
    (star,) = [g for g in told.groups if g.key == "webnlg-star"]
    (beside,) = star.published
    assert (beside.label, beside.published_f1_percent) == ("CasRel", 91.8)
    assert number(beside.difference_f1_points or 0, 1) == "-3.0"
    assert any("diverged" in line for line in told.warnings)


def test_its_json_has_neither_nan_nor_names_without_a_unit(reported: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    content = json.loads((reported / "report.json").read_text(), parse_constant=refuse)
    figures: list[tuple[str, Any]] = []
    for group in content["groups"]:
        for row in group["rows"]:
            figures += row["figures"].items()
        for machine in group["machines"]:
            figures += [pair for row in machine["times"].values() for pair in row.items()]
    assert len(figures) > 300
    assert not [name for name, _ in figures if not UNITS.search(name)]
    for name, figure in figures:
        assert figure["values"].keys() | figure["missing"].keys(), name
        assert all(math.isfinite(value) for value in figure["values"].values())


def test_it_is_the_same_when_made_again(reported: Path, told: ReportFigures) -> None:
    assert figures_of(reported) == told
    assert told.model_dump_json(indent=1) + "\n" == (reported / "report.json").read_text()


def test_what_is_not_finite_is_missing(tmp_path: Path) -> None:
    run = folder.record("fastre", "synthetic", 0)
    assert run.training is not None
    training = run.training.model_copy(update={"step_seconds": math.inf})
    folder.plan(datasets=("synthetic",), systems=("fastre",), seeds=(0,)).write(tmp_path)
    folder.write_run(tmp_path, run.model_copy(update={"training": training}), [])
    found = figures_of(tmp_path).groups[0].machines[0].times["FastRE"]["median_step_seconds"]
    assert found == OverSeeds(
        mean=None, standard_deviation=None, values={}, missing={0: "no finite number"}
    )


def test_every_task_has_its_scores(tasks_reported: Path) -> None:
    content = ReportFigures.model_validate_json((tasks_reported / "report.json").read_bytes())
    names = {group.task: set(group.rows[0].figures) for group in content.groups}
    assert {"theta", "dev_ign_f1_percent", "test_auc_percent"} <= names["docre"]
    assert names.keys() == {"triples", "docre", "ner"}
    points = [p for g in content.groups for m in g.machines for p in m.operating_points]
    assert {p.rule for p in points} > {None}
    for point in points:
        assert "speed_up_in_wall_clock" in point.figures


def test_every_field_is_documented() -> None:
    models = [
        m for _, m in inspect.getmembers(schema, inspect.isclass) if m.__module__ == schema.__name__
    ]
    assert len(models) == 8
    for model in models:
        assert issubclass(model, BaseModel)
        told = re.findall(r"^ {4}(\w+): ", inspect.getdoc(model) or "", re.MULTILINE)
        assert sorted(told) == sorted(model.model_fields), model.__name__

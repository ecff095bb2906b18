"""Published figures, and when they may stand beside measured ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.comparison import published_rows, why_not
from reports.load import Group, Run, group_runs
from reports.published import EFFICIENCY, SCORES, PublishedScore, form_of
from suite.datasets.catalogue import CATALOGUE
from suite.records import RunRecord
from suite.system import system_names
from tests.reports.folder import dataset_facts, plan, record


@pytest.mark.parametrize("score", SCORES, ids=lambda s: f"{s.source[:4]}-{s.row}-{s.dataset}")
def test_precision_and_recall_give_the_printed_f1(score: PublishedScore) -> None:
    # Means over three seeds of each column need not fit exactly; a slip of the pen would not.
    harmonic = 2 * score.precision * score.recall / (score.precision + score.recall)
    assert score.f1 == pytest.approx(harmonic, abs=0.25)


def test_the_rows_that_the_papers_turn_on() -> None:
    by_name = {(s.source[:2], s.row, s.dataset): s for s in SCORES}
    fastre = [by_name["Li", "FastRE", name] for name in ("nyt10", "nyt11", "nyt24")]
    assert [(s.f1, s.train_minutes, s.inference_seconds) for s in fastre] == [
        (73.8, 100, 18.4),
        (56.3, 87, 1.6),
        (87.9, 96, 23.0),
    ]
    casrel = {name: by_name["We", "CasRel", name].f1 for name in ("nyt24-star", "webnlg-star")}
    assert casrel == {"nyt24-star": 89.6, "webnlg-star": 91.8}
    assert (by_name["We", "CasRel", "nyt10"].f1, by_name["We", "CasRel", "nyt11"].f1) == (
        73.0,
        53.9,
    )
    sizes = {e.dataset: (e.parameters, e.milliseconds) for e in EFFICIENCY if e.row == "FastRE"}
    assert sizes["nyt10"] == (1_096, {1: 12.9, 8: 5.9, 128: 4.6})


def test_names_are_those_of_the_suite() -> None:
    assert {s.system for s in SCORES if s.system} <= set(system_names())
    assert {s.dataset for s in SCORES} | {e.dataset for e in EFFICIENCY} <= set(CATALOGUE)


def group(run: RunRecord) -> Group:
    (found,) = group_runs([Run(run, Path())], plan(systems=("casrel", "fastre"), seeds=(0,)))
    return found


def on(name: str, published: bool, system: str = "casrel") -> RunRecord:
    run = record(system, "webnlg-star", 0)
    facts = dataset_facts("webnlg-star").model_copy(
        update={"name": name, "published": dict.fromkeys(("train", "dev", "test"), published)}
    )
    return run.model_copy(update={"dataset": facts})


def test_a_figure_of_one_form_is_never_set_beside_the_other() -> None:
    star = next(s for s in SCORES if s.dataset == "nyt24-star" and s.pretrained)
    assert why_not(group(on("nyt24-star", published=True)), star) is None
    assert "published on last words, measured on whole names" in str(
        why_not(group(on("nyt24", published=True)), star)
    )
    whole = group(on("nyt24", published=True))
    (unstated,) = published_rows(whole, whole.rows[0])
    assert "does not say" in str(why_not(whole, unstated))


def test_a_figure_of_other_data_is_never_set_beside_ours() -> None:
    for published in (False, None):
        found = group(on("nyt11", published=published))
        for score in published_rows(found, found.rows[0]):
            assert "train is not the published split" in str(why_not(found, score))
    synthetic = group(record("casrel", "synthetic", 0))
    assert why_not(synthetic, SCORES[0]) == "the data are synthetic"


def test_only_figures_with_the_same_kind_of_encoder_are_considered() -> None:
    found = group(on("webnlg-star", published=True))
    assert {s.row for s in published_rows(found, found.rows[0])} == {"CasRel"}
    run = on("webnlg-star", published=True)
    lstm = run.model_copy(update={"system": run.system.model_copy(update={"pretrained": None})})
    found = group(lstm)
    assert {s.row for s in published_rows(found, found.rows[0])} == {"CasRel (LSTM)"}


def test_forms() -> None:
    assert form_of("webnlg") == form_of("nyt24") == "whole names"
    assert form_of("webnlg-star") == form_of("nyt24-star") == "last words"

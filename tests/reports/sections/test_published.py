"""Published figures, and when they may stand beside measured ones."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from reports.comparison import (
    accepted,
    form_of,
    published_rows,
    refusals,
    shortfalls,
    why_not,
)
from reports.load import Group, group_runs
from reports.run_files import RecordedRun
from reports.sections import efficiency
from reports.sections.published import beside_published, published_section
from suite.datasets.catalogue.entries import CATALOGUE
from suite.records.run import RunRecord
from suite.studies import study as studies
from suite.studies.figures import Figure
from suite.studies.published import published_figures
from tests.reports.folder import PROTOCOL, dataset_facts, plan, record
from tests.reports.tasks import BERT_DOCRED, RELU_NET, document_run, of

FIGURES = [f for f in published_figures() if "f1" in f.numbers]
BY_SYSTEM = [f for f in FIGURES if f.compared_by == "system"]
SCORES = [f for f in BY_SYSTEM if f.match is not None]
DOCUMENT_SCORES = [f for f in BY_SYSTEM if f.match is None]
EFFICIENCY = [f for f in published_figures() if "milliseconds_1" in f.numbers]
NAMES = [f"{s.source[:4]}-{s.row}-{s.dataset}-{s.match}" for s in FIGURES if s.match]


@pytest.mark.parametrize("score", SCORES, ids=lambda s: f"{s.row}-{s.dataset}-{s.match}")
def test_precision_and_recall_give_the_printed_f1(score: Figure) -> None:
    precision, recall = score.numbers.get("precision"), score.numbers.get("recall")
    if precision is None or recall is None:
        assert precision is recall is None
        assert any(name in score.source for name in ("PRGC", "TPLinker", "GRTE"))
        return
    # Means over three seeds of each column need not fit exactly; a slip of the pen would not.
    harmonic = 2 * precision * recall / (precision + recall)
    assert score.numbers["f1"] == pytest.approx(harmonic, abs=0.25)


def test_no_row_stands_twice() -> None:
    assert len(set(NAMES)) == len(NAMES)


COSTS = ("f1", "train_minutes", "inference_seconds")


def test_the_rows_that_the_papers_turn_on() -> None:
    by_name = {(s.source[:2], s.row, s.dataset): s for s in SCORES}
    fastre = [by_name["Li", "FastRE", name] for name in ("nyt10", "nyt11", "nyt24")]
    assert [tuple(map(s.numbers.get, COSTS)) for s in fastre] == [
        (73.8, 100, 18.4),
        (56.3, 87, 1.6),
        (87.9, 96, 23.0),
    ]
    casrel = {
        name: by_name["We", "CasRel", name].numbers["f1"] for name in ("nyt24-star", "webnlg-star")
    }
    assert casrel == {"nyt24-star": 89.6, "webnlg-star": 91.8}
    assert (
        by_name["We", "CasRel", "nyt10"].numbers["f1"],
        by_name["We", "CasRel", "nyt11"].numbers["f1"],
    ) == (
        73.0,
        53.9,
    )
    sizes = {e.dataset: e.numbers for e in EFFICIENCY if e.row == "FastRE"}
    assert sizes["nyt10"] == {
        "parameters_thousands": 1_096,
        "milliseconds_1": 12.9,
        "milliseconds_8": 5.9,
        "milliseconds_128": 4.6,
    }


def test_rows_of_pmei() -> None:
    found = {
        (s.dataset, s.match, s.row): tuple(map(s.numbers.get, ("precision", "recall", "f1")))
        for s in SCORES
        if s.source == "Sun et al., PMEI, AAAI 2021"
    }
    # Tables 3 and 4 have 7 + 9 and 5 + 11 rows; three of the last stand for NYT11 alone.
    assert len(found) == 2 * (7 + 9 + 5 + 11) - 3
    assert found["nyt24-star", "partial", "PMEI"] == (88.7, 86.8, 87.8)
    assert found["webnlg-star", "partial", "PMEI-BERT"] == (91.0, 92.9, 92.0)
    assert found["webnlg", "exact", "MTL"] == (76.7, 74.8, 75.7)
    assert found["nyt24", "exact", "CopyMTL-Mul"] == (75.7, 68.7, 72.0)
    assert found["nyt10", "partial", "PMEI-BERT"] == (79.1, 70.4, 74.5)
    assert found["nyt11", "exact", "PMEI-BERT"] == (54.9, 58.9, 56.8)


def test_rows_of_relu_net() -> None:
    printed = [f for f in FIGURES if "RelU-Net" in f.source and "Table 2" in f.tables]
    found = {(s.dataset, s.row): s for s in printed}
    own = {key: s.numbers["f1"] for key, s in found.items() if s.system == "relu_net"}
    assert len(found) == 2 * 18
    assert {s.system for s in printed if s.compared_by == "system"} == {"relu_net"}
    assert own == {
        ("nyt24-star", "RelU-Net, full tree, no pooling"): 87.6,
        ("nyt24-star", "RelU-Net, randomly initialised"): 88.5,
        ("nyt24-star", "RelU-Net, BERT"): 93.1,
        ("nyt24-star", "RelU-Net, RoBERTa"): 93.7,
        ("webnlg-star", "RelU-Net, full tree, no pooling"): 89.7,
        ("webnlg-star", "RelU-Net, randomly initialised"): 91.1,
        ("webnlg-star", "RelU-Net, BERT"): 94.3,
        ("webnlg-star", "RelU-Net, RoBERTa"): 94.9,
    }


def test_rows_of_bert_docred() -> None:
    dev = {
        (s.encoder, s.batch_size, round(100 * s.train_share)): tuple(
            map(s.numbers.get, ("theta", "f1", "ign_f1", "auc", "ign_auc"))
        )
        for s in DOCUMENT_SCORES
        if s.split == "dev"
    }
    assert dev == {
        ("bert-base-cased", 4, 100): (0.2294, 56.82, 54.36, 54.37, 51.07),
        ("bert-base-cased", 8, 100): (0.3779, 57.50, 55.18, 54.52, 51.30),
        ("bert-base-cased", 16, 100): (0.5817, 57.38, 55.17, 54.95, 51.66),
        ("bert-base-cased", 8, 10): (0.3810, 45.29, 43.10, 40.11, 37.47),
        ("bert-base-cased", 8, 50): (0.3384, 54.88, 52.55, 52.25, 49.10),
        ("roberta-base", 8, 100): (0.4267, 58.54, 56.23, 55.12, 51.78),
    }
    test = {s.encoder: s.numbers["f1"] for s in DOCUMENT_SCORES if s.split == "test"}
    assert test == {"bert-base-cased": 56.99, "roberta-base": 58.73}


def test_names_are_those_of_the_suite() -> None:
    systems = {*("fastre", "casrel", "pmei", "tplinker", "relu_net", "prgc", "spn", "grte")}
    assert {s.system for s in FIGURES if s.system} == systems | {"bert_docred"}
    assert {s.dataset for s in published_figures()} <= set(CATALOGUE)


@pytest.mark.parametrize(
    "name", ["fastre", "casrel", "pmei", "tplinker", "relu_net", "prgc", "spn", "grte"]
)
def test_settings_that_a_published_row_asks_for_are_those_of_its_system(name: str) -> None:
    module, settings = {
        "fastre": ("suite.fastre.settings", "FastRESettings"),
        "casrel": ("baselines.casrel.system", "CasRelSettings"),
        "pmei": ("baselines.pmei.system", "PMEISettings"),
        "tplinker": ("baselines.tplinker.system", "TPLinkerSettings"),
        "relu_net": ("baselines.relu_net.system", "RelUNetSettings"),
        "prgc": ("baselines.prgc.system", "PRGCSettings"),
        "spn": ("baselines.spn.system", "SPNSettings"),
        "grte": ("baselines.grte.system", "GRTESettings"),
    }[name]
    own = asdict(getattr(importlib.import_module(module), settings)())
    asked = [s.settings for s in SCORES if s.system == name]
    assert {field for settings in asked for field in settings} <= own.keys()
    defaults = [
        all(json.dumps(own[f]) in map(json.dumps, allowed) for f, allowed in settings.items())
        for settings in asked
    ]
    assert any(defaults), "under its defaults the system is none of the published rows"


def group(run: RunRecord) -> Group:
    (found,) = group_runs(
        [RecordedRun(run, Path())], plan(systems=("casrel", "fastre"), seeds=(0,))
    )
    return found


def on(name: str, published: bool, system: str = "casrel") -> RunRecord:
    run = record(system, "webnlg-star", 0)
    facts = dataset_facts("webnlg-star").model_copy(
        update={"name": name, "published": dict.fromkeys(("train", "dev", "test"), published)}
    )
    return run.model_copy(update={"dataset": facts})


def test_a_figure_of_one_form_is_never_set_beside_the_other() -> None:
    star = next(s for s in SCORES if s.dataset == "nyt24-star" and s.system == "casrel")
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


UNTRAINED = {"pretrained": "untrained ModernBERT", "encoder_kind": "untrained transformer"}
NO_TRANSFORMER = {"pretrained": None, "encoder_kind": "word vectors", "encoder_family": None}
ROBERTA = {"pretrained": "FacebookAI/roberta-base (1)", "encoder_family": "roberta"}


def changed(run: RunRecord, **fields: object) -> RunRecord:
    return run.model_copy(update={"system": run.system.model_copy(update=fields)})


def rows_beside(run: RunRecord) -> set[str]:
    found = group(run)
    return {s.row for s in published_rows(found, found.rows[0])}


def test_only_figures_with_the_same_kind_of_encoder_and_settings_are_considered() -> None:
    run = on("webnlg-star", published=True)
    assert rows_beside(run) == {"CasRel"}
    assert rows_beside(changed(run, **UNTRAINED)) == set()
    lstm = changed(run, **NO_TRANSFORMER, settings={"encoder": "lstm"})
    assert rows_beside(lstm) == {"CasRel (LSTM)"}
    other = changed(run, **NO_TRANSFORMER, settings={"encoder": "convolution"})
    assert rows_beside(other) == set()
    (line,) = refusals(group(other))
    assert 'with these settings (encoder: "convolution") it is not what was published' in line


@pytest.mark.parametrize(
    ("encoder", "settings", "expected"),
    [
        ({}, {}, "RelU-Net, BERT"),
        (ROBERTA, {}, "RelU-Net, RoBERTa"),
        (
            {"encoder_kind": "untrained transformer", "fresh_weights": True},
            {"encoder": "random"},
            "RelU-Net, randomly initialised",
        ),
        (UNTRAINED, {}, "RelU-Net, randomly initialised"),
        ({}, {"pooling": False}, "RelU-Net, full tree, no pooling"),
    ],
)
def test_variants_of_relu_net_stand_beside_their_own_rows(
    encoder: dict[str, object], settings: dict[str, object], expected: str
) -> None:
    full = {"pooling": True, "clusters": [16, 8], "graph": "sage", "encoder": "pretrained"}
    run = of(on("webnlg-star", published=True), RELU_NET)
    assert rows_beside(changed(run, **encoder, settings={**full, **settings})) == {expected}


def test_whole_names_that_pmei_tagged_itself_are_no_other_data() -> None:
    pmei = {"encoder": "bilstm", "early": True, "stochastic": True}
    run = changed(on("webnlg", published=True), name="pmei", settings=pmei, **NO_TRANSFORMER)
    found = group(run)
    (score,) = published_rows(found, found.rows[0])
    assert (score.row, score.numbers["f1"]) == ("PMEI", 78.2)
    assert "tagged by the paper, measured on whole names" in str(why_not(found, score))
    mtl = changed(run, settings={"encoder": "bilstm", "early": False, "stochastic": False})
    assert rows_beside(mtl) == {"MTL"}


@pytest.mark.parametrize(
    ("batch", "encoder", "expected"),
    [
        (4, {}, {("dev", 56.82), ("test", 56.99)}),
        (8, {}, {("dev", 57.50), ("test", 56.99)}),
        (2, {}, {("dev", 57.50), ("test", 56.99)}),
        (4, ROBERTA, {("dev", 58.54), ("test", 58.73)}),
    ],
)
def test_documents_stand_beside_the_row_of_their_batch(
    batch: int, encoder: dict[str, object], expected: set[tuple[str, float]]
) -> None:
    protocol = PROTOCOL.model_copy(update={"document_batch_size": batch})
    run = changed(document_run("docred", 0, protocol=protocol), **encoder)
    found = group(run)
    rows = published_rows(found, found.rows[0])
    assert {(s.split, s.numbers["f1"]) for s in rows} == expected


def test_documents_without_labels_are_held_against_dev_alone() -> None:
    found = group(document_run("docred", 0, labelled=False))
    ((row, score),) = accepted(found)
    assert (row.name, score.split, score.numbers["f1"]) == ("bert_docred", "dev", 56.82)
    (line,) = refusals(found)
    assert "the test set is not labelled here" in line
    assert len(accepted(group(document_run("docred", 0)))) == 2
    assert accepted(group(of(document_run("redocred", 0), BERT_DOCRED))) == []


def several(*corrects: int, planned: int) -> Group:
    """CasRel's runs on WebNLG*, a seed each; 185 predicted, 200 gold."""
    runs = [
        RecordedRun(record("casrel", "webnlg-star", seed, (correct, 185, 200, correct)), Path())
        for seed, correct in enumerate(corrects)
    ]
    (found,) = group_runs(
        runs, plan(("webnlg-star",), systems=("casrel",), seeds=tuple(range(planned)))
    )
    return found


def test_who_is_far_under_the_published_figure_is_named() -> None:
    # 167 of 185 and 200 are 86.75 %, 5.05 under 91.8; 168 are 87.27 %.
    (line,) = shortfalls(several(167, 167, planned=2))
    assert "CasRel on WebNLG*: 5.0 under the published 91.8 (F1, partial match" in line
    assert "encoder there: bert-base-cased; here: all-MiniLM-L6-v2" in line
    assert shortfalls(several(168, 168, planned=2)) == []
    # Of seeds that are there without the others no mean is taken: the best one counts.
    (line,) = shortfalls(several(100, 160, planned=3))
    assert "at least 8.7 under" in line  # 160: 83.12 %
    assert shortfalls(several(100, 168, planned=3)) == []


def test_who_is_far_under_on_other_data_is_not_named() -> None:
    run = on("webnlg-star", published=False)
    assert shortfalls(group(run)) == []


def test_forms() -> None:
    assert form_of("webnlg") == form_of("nyt24") == "whole names"
    assert form_of("webnlg-star") == form_of("nyt24-star") == "last words"


def test_a_figure_of_several_tables_stands_once_with_all_its_places() -> None:
    (full,) = (f for f in FIGURES if f.row == "FastRE" and f.dataset == "nyt10")
    assert full.tables == ("Table 2", "Table 5")
    assert set(full.numbers) == {"precision", "recall", *COSTS}
    assert full.compared_by == "system"
    assert full.settings
    (whole,) = (f for f in FIGURES if f.row == "BERT, batch 8, 100 % of train" and f.split == "dev")
    assert whole.tables == ("section 3.1", "section 3.2", "section 3.3")


def test_rows_of_an_ablation_are_compared_by_variant_alone() -> None:
    rows = {f.row for f in FIGURES if f.compared_by == "variant"}
    assert {"- Gated Unit", "w/o GraphSAGE", "PMEI w/o GRU", "PMEI-BERT*", "L=3, d=1, 2, 4"} <= rows
    run = on("nyt11", published=True, system="fastre")
    assert rows_beside(run) <= {"FastRE"}


NEW = """\
title: A table of tomorrow
citation: "Somebody: Graphs. 2026."
source: Somebody, 2026
table: Table 9
task: triples
datasets: [webnlg-star]
measures: [f1, parameters_thousands, milliseconds_1]
question: How good is it?
device: an abacus
variants:
  - {name: graphs, system: graphs, title: Graphs}
rows:
  Graphs: {variant: graphs, encoder: GloVe, kind: word vectors}
forms: {webnlg-star: last words}
printed:
  - match: partial
    lines:
      - [Graphs, 87.25, 1234, 5.5]
"""


def test_a_new_study_file_stands_wherever_published_figures_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = on("webnlg-star", published=True, system="graphs")
    before = beside_published(group(run))
    assert "Table 9" not in before
    (tmp_path / "tomorrow.yaml").write_text(NEW)
    monkeypatch.setattr(studies, "FOLDER", tmp_path)
    found = group(run)
    assert "87.25" in beside_published(found)
    assert "| Somebody, 2026, Table 9 |" in beside_published(found)
    assert "| Graphs | Somebody, 2026, Table 9 |" in published_section([found])
    costs = efficiency.published_section([found])
    assert "| 1,234 | 5.5 | an abacus |" in costs

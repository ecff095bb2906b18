"""The papers' tables as studies, and files that are none."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from suite.datasets.catalogue.entries import CATALOGUE
from suite.errors import SuiteError
from suite.studies.figures import MEASURES, PER_CENT
from suite.studies.study import Study, checked, find_study, study_names
from suite.studies.study_variant import StudyVariant
from suite.systems.contract import Resources
from suite.systems.registry import find_system, make_settings, system_names
from suite.tasks.examples import TaskName
from tests.corpus import CORPUS, resources

STUDIES = [find_study(name) for name in study_names()]
EVERY = pytest.mark.parametrize("study", STUDIES, ids=study_names())
FIGURES = [(study, figure) for study in STUDIES for figure in study.figures]


def settings_of(variant: StudyVariant, dataset: str) -> dict[str, Any]:
    """All settings of its system on a dataset, defaults among them, as JSON holds them."""
    made = asdict(make_settings(find_system(variant.system), variant.settings_of(dataset)))
    return dict(json.loads(json.dumps(made)))


def test_the_papers_tables_are_there() -> None:
    assert set(study_names()) >= {
        *(f"fastre-{what}" for what in ("table2", "table3", "table4", "table5", "figure2")),
        "fastre-encoder-swap",
        *(f"pmei-{what}" for what in ("table3", "table4", "table5", "table6", "figure3")),
        *(f"relu-net-{what}" for what in ("table2", "table3", "table4", "figure3")),
        *(f"bert-docred-table{number}" for number in (1, 2, 3)),
        *(f"prgc-{what}" for what in ("table3", "table6", "table7")),
        *("spn-results", "spn-ablation"),
        *(f"grte-{what}" for what in ("main", "ablation", "rounds")),
        "fastner-claims",
        "tplinker-main",
    }


def test_the_page_lists_every_study_at_its_place() -> None:
    page = (Path(__file__).parents[3] / "docs" / "studies.md").read_text()
    listed = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert sorted(listed) == study_names()
    numbered = {study.name: study.table for study in STUDIES if study.table[-1].isdigit()}
    assert {name: listed[name] for name in numbered} == numbered


@EVERY
def test_settings_exist(study: Study) -> None:
    assert checked(study) is study


@EVERY
def test_every_variant_differs_under_its_systems_defaults(study: Study) -> None:
    seen: dict[str, str] = {}
    for variant in study.variants:
        other = {"system", "protocol", "train_share", "pretrained"}
        settings = [settings_of(variant, dataset) for dataset in study.datasets]
        content = json.dumps([settings, variant.model_dump(include=other)])
        assert content not in seen, f"{variant.name} is {seen[content]}"
        seen[content] = variant.name


@EVERY
def test_a_variant_accepts_its_own_settings(study: Study) -> None:
    for variant in study.variants:
        for dataset in study.datasets_of(variant):
            own = settings_of(variant, dataset)
            for name, values in variant.accepted_on(dataset).items():
                assert own[name] in values, f"{variant.name}: {name} on {dataset}"


@EVERY
def test_datasets_are_those_of_the_suite(study: Study) -> None:
    assert {CATALOGUE[name].task for name in study.datasets} == {study.task}


@EVERY
def test_texts(study: Study) -> None:
    assert study.question.endswith("?")
    assert all(note.endswith(".") for note in study.notes)
    assert any(year in study.citation for year in map(str, range(2015, 2030)))
    assert study.figures or any("none are held" in note for note in study.notes)


@EVERY
def test_the_papers_protocol_is_that_of_its_systems_published_settings(study: Study) -> None:
    assert study.reference is not None
    published = find_system(study.variant(study.reference).system).published
    assert study.protocol.items() <= published.protocol.items()
    for dataset, fields in study.protocol_on.items():
        assert fields.items() <= published.on[dataset].items()
    batches = {name for name, fields in published.on.items() if "batch_size" in fields}
    if "batch_size" in study.protocol:
        assert batches & set(study.datasets) <= study.protocol_on.keys()


def test_a_paper_is_cited_in_one_way() -> None:
    cited = defaultdict(set)
    for study in STUDIES:
        cited[study.source].add(study.citation)
    assert len(cited) > 5
    assert all(len(citations) == 1 for citations in cited.values())


def test_a_name_means_one_variant_in_all_studies() -> None:
    contents: dict[tuple[str, str], set[str]] = defaultdict(set)
    for study in STUDIES:
        for variant in study.variants:
            kept = {"system", "protocol", "train_share", "pretrained"}
            other = variant.model_dump_json(include=kept)
            for dataset in study.datasets_of(variant):
                settings = json.dumps(variant.settings_of(dataset), sort_keys=True)
                contents[variant.name, dataset].add(settings + other)
    assert not [name for name, found in contents.items() if len(found) > 1]


def tiny_settings() -> list[tuple[TaskName, str, str]]:
    """TaskName, system and settings (JSON) of all variants, each once."""
    found = {
        (study.task, variant.system, json.dumps(variant.settings_of(dataset), sort_keys=True))
        for study in STUDIES
        for variant in study.variants
        for dataset in study.datasets_of(variant)
    }
    return sorted(found)


@cache
def tiny_resources(task: TaskName) -> Resources:
    return resources(pretrained=True, examples=CORPUS[task][1])


@pytest.mark.parametrize(("task", "name", "settings"), tiny_settings())
def test_every_variant_builds_and_has_a_loss(task: TaskName, name: str, settings: str) -> None:
    schema, examples = CORPUS[task]
    system = find_system(name)
    torch.manual_seed(0)
    built = system.build(make_settings(system, json.loads(settings)), schema, tiny_resources(task))
    with torch.no_grad():
        loss = built.loss(built.encode(examples)).total
    assert math.isfinite(loss.item())


@EVERY
def test_figures_lie_in_range(study: Study) -> None:
    for figure in study.figures:
        assert figure.numbers.keys() <= MEASURES.keys()
        for measure, value in figure.numbers.items():
            if MEASURES[measure] == PER_CENT:
                assert 1 < value < 100, f"{figure.row}: a share, or no per cent: {value}"
            elif measure == "theta":
                assert 0 < value < 1
            elif measure != "f1_difference":
                assert value > 0
        precision, recall = (figure.numbers.get(name) for name in ("precision", "recall"))
        if precision is not None and recall is not None:
            # Means over seeds need not fit exactly; a slip of the pen would not.
            harmonic = 2 * precision * recall / (precision + recall)
            assert figure.numbers["f1"] == pytest.approx(harmonic, abs=0.25), figure.row


@EVERY
def test_figures_of_triples_say_their_form_and_match(study: Study) -> None:
    for figure in study.figures:
        if study.task == "triples" and {"f1", "f1_difference"} & figure.numbers.keys():
            assert figure.form is not None, figure.row
            assert figure.match is not None, figure.row
        elif study.task != "triples":
            assert (figure.form, figure.match) == (None, None)


def test_a_figure_that_stands_in_two_tables_is_the_same() -> None:
    found: dict[tuple[object, ...], set[float]] = defaultdict(set)
    tables: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for study, figure in FIGURES:
        if figure.variant and "f1" in figure.numbers:
            key = (figure.source, figure.variant, figure.dataset, figure.split, figure.match)
            found[key].add(figure.numbers["f1"])
            tables[key].add(study.name)
    assert {key: values for key, values in found.items() if len(values) > 1} == {}
    assert sum(len(names) > 1 for names in tables.values()) > 10


def table(name: str, *measures: str) -> list[tuple[float | None, ...]]:
    return [tuple(f.numbers.get(m) for m in measures) for f in find_study(name).figures]


def test_what_the_ablations_say() -> None:
    cost = ("parameters_thousands", "train_minutes", "inference_seconds", "f1")
    assert table("fastre-table4", *cost) == [
        (1096, 100, 18.4, 73.8),
        (800, 50, 13.7, 68.6),
        (1096, 100, 17.5, 71.5),
        (1096, 100, 18.9, 70.9),
        (1392, 150, 28.3, 74.1),
    ]
    assert table("relu-net-table4", "f1") == [(93.1,), (91.6,), (92.3,), (91.2,), (90.6,)]
    assert table("pmei-table6", "f1") == [
        *((84.2,), (76.9,), (77.8,), (82.7,), (78.7,), (83.4,)),  # NYT
        *((78.2,), (75.7,), (76.7,), (76.9,), (77.7,), (77.5,)),  # WebNLG
    ]
    assert table("prgc-table7", "f1") == [
        *((92.6,), (91.6,), (75.2,), (80.2,)),  # NYT*
        *((93.0,), (83.9,), (48.7,), (69.4,)),  # WebNLG*
    ]
    assert table("spn-ablation", "f1") == [(92.5,), (92.0,), (91.4,), (84.0,)]
    assert table("grte-ablation", "f1") == [
        *((75.3,), (73.1,), (74.8,), (74.2,), (75.3,)),  # NYT29
        *((93.0,), (91.5,), (92.7,), (92.4,), (92.8,)),  # NYT24*
        *((93.4,), (92.2,), (92.8,), (93.0,), (93.1,)),  # NYT24
        *((93.9,), (91.7,), (93.0,), (92.5,), (93.7,)),  # WebNLG*
        *((90.0,), (87.5,), (89.0,), (89.0,), (89.4,)),  # WebNLG
    ]
    assert table("fastre-encoder-swap", "f1_difference") == [(-1.8,), (-0.7,), (-3.3,)]


def differences(name: str, dataset: str) -> dict[str, float | None]:
    study = find_study(name)
    return {f.row: study.difference(f) for f in study.figures if f.dataset == dataset}


def test_differences_to_the_full_model() -> None:
    assert differences("fastre-table5", "nyt24") == {
        "FastRE": 0.0,
        "- Dilated Convolution": -1.6,
        "- Gated Unit": -3.7,
        "- Residual Connection": -2.0,
        "- Mapping Mechanism": -1.5,
        "- Adaptive Thresholding": -0.9,
    }
    # The paper's own sums (section on the bias of BERT): 0.4 and 3.7 points.
    assert differences("pmei-table5", "nyt24-star") == {
        "MTL-BERT": -0.4,
        "PMEI-BERT": 0.0,
        "MTL-BERT*": -3.7,
        "PMEI-BERT*": 0.0,
    }
    assert differences("fastre-encoder-swap", "nyt11") == {"CasRel, FastRE's encoder": -0.7}
    study = find_study("fastre-table4")
    minutes = [study.difference(figure, "train_minutes") for figure in study.figures]
    assert minutes == [0, -50, 0, 0, 50]
    assert study.difference(study.figures[1], "recall") is None


def test_a_row_of_a_system_that_the_suite_has_is_run() -> None:
    titles = {s.title for s in map(find_system, system_names())}
    unanswered = {
        (study.name, figure.row)
        for study, figure in FIGURES
        if figure.variant is None and any(title in figure.row for title in titles)
    }
    assert not unanswered


def test_costs_name_their_device_and_scores_none() -> None:
    by_row = {f.row: f.device for f in find_study("fastre-table2").figures}
    assert by_row["FastRE"] == by_row["GRTE"] == "NVIDIA RTX 2080 Ti"
    assert by_row["HRL"] is None


STUDY = """\
title: Gates
citation: "Nobody: Nothing. 2024."
source: Nobody, 2024
table: Table 1
task: triples
datasets: [nyt11, nyt24]
measures: [f1]
reference: fastre
question: Does it take a gate?
variants:
  - {name: fastre, system: fastre, published: {batch_size: 6}}
  - {name: gateless, system: fastre, title: No gate, settings: {gate: none}}
rows:
  Full: {variant: fastre}
  None: {variant: gateless}
printed:
  - match: partial
    lines:
      - [Full, 56.3, ~]
      - [None, 53.2, 84.2]
"""


def written(folder: Path, text: str = STUDY, name: str = "gates.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_study_of_ones_own(tmp_path: Path) -> None:
    study = checked(find_study(written(tmp_path, name="my gates.yaml")))
    assert (study.name, study.table) == ("my-gates", "Table 1")
    full, gateless = study.variants
    assert study.datasets_of(gateless) == ("nyt11", "nyt24")
    assert study.reference_of("gateless") == study.reference_of(None) == full.name
    assert [(f.row, f.dataset, f.numbers) for f in study.figures] == [
        ("Full", "nyt11", {"f1": 56.3}),
        ("None", "nyt11", {"f1": 53.2}),
        ("None", "nyt24", {"f1": 84.2}),
    ]
    assert study.difference(study.figures[1]) == -3.1
    assert study.difference(study.figures[2]) is None


def test_settings_and_batches_that_are_others_on_a_dataset(tmp_path: Path) -> None:
    text = STUDY.replace(
        "published: {batch_size: 6}}",
        "settings_on: {nyt24: {width: 64}}, accepts: {width: [128], gate: [highway]}, title: Full}",
    ).replace("name: fastre", "name: full")
    text = text.replace("variant: fastre", "variant: full").replace(
        "reference: fastre",
        "protocol: {batch_size: 32}\nprotocol_on: {nyt24: {batch_size: 8}}\nreference: full",
    )
    study = find_study(written(tmp_path, text.replace("[Full, 56.3, ~]", "[Full, 56.3, 87.9]")))
    full = study.variant("full")
    assert not full.as_it_is
    assert (full.settings_of("nyt11"), full.settings_of("nyt24")) == ({}, {"width": 64})
    found = {f.dataset: (f.settings, f.batch_size) for f in study.figures if f.row == "Full"}
    assert found == {
        "nyt11": ({"width": (128,), "gate": ("highway",)}, 32),
        "nyt24": ({"width": (64,), "gate": ("highway",)}, 8),
    }
    wider = full.with_settings({"width": 256})
    assert wider.settings_of("nyt11") == wider.settings_of("nyt24") == {"width": 256}


def test_without_a_full_model_there_is_no_difference(tmp_path: Path) -> None:
    text = STUDY.replace("reference: fastre\n", "").replace("  Full: {variant: fastre}\n", "")
    study = find_study(written(tmp_path, text))
    assert [figure.variant for figure in study.figures] == [None, "gateless", "gateless"]
    assert [study.difference(figure) for figure in study.figures] == [None] * 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Gates", "subtitle: Gates", "title: Field required"),
        ("title: Gates", "title: Gates\nsubtitle: x", "subtitle: Extra inputs are not permitted"),
        ("title: Gates", "title: Gates\nname: gates", "name: the file's name says it"),
        ("title: Gates", "title: [Gates", "is not YAML"),
        (STUDY, "- gates", "holds no table of fields"),
        ("task: triples", "task: triple", "task: Input should be 'triples'"),
        ("[nyt11, nyt24]", "nyt11", "datasets: Input should be a valid tuple"),
        ("[f1]", "[f2]", "measures.0: unknown measure 'f2'. Did you mean 'f1'?"),
        ("reference: fastre", "reference: fast", "reference: unknown variant 'fast'. Did you"),
        ("question: ", "protocol: {bach_size: 4}\nquestion: ", "protocol: unknown field 'bach_s"),
        ("title: No gate", "title: No gate, published: {epochs: 0}", "1.published: epochs: Input"),
        ("title: No gate", "title: No gate, train_share: 2", "variants.1.train_share: Input"),
        ("title: No gate", "title: No gate, setings: {}", "variants.1.setings: Extra inputs"),
        ("title: No gate", "title: No gate, datasets: [nyt10]", "'gateless': unknown dataset"),
        (
            "settings: {gate: none}}",
            "settings: {gate: none}, settings_on: {nyt10: {}}}",
            "variants: settings_on of 'gateless': unknown dataset of the study 'nyt10'",
        ),
        ("question: ", "protocol_on: {nyt10: {}}\nquestion: ", "protocol_on: unknown dataset of"),
        ("question: ", "protocol_on: {nyt11: {bach_size: 4}}\nquestion: ", "unknown field 'bach_s"),
        ("title: No gate", "title: No gate, reference: full", "reference: unknown variant 'full'"),
        (", title: No gate", "", "variants: 'gateless' needs a title of its own"),
        ("name: gateless, ", "name: fastre, ", "variants: two are called 'fastre'"),
        (
            ", published: {batch_size: 6}}",
            "}\n  - {name: again, system: fastre, title: Again}",
            "variants: 'fastre' and 'again' do not differ",
        ),
        ("None: {variant: gateless}", "None: {variant: gate}", "rows.None.variant: unknown vari"),
        ("None: {variant", "Nonne: {variant", "rows: unknown row of `printed` 'Nonne'. Did you"),
        ("printed:", "forms: {nyt10: whole names}\nprinted:", "forms: unknown dataset of the"),
        ("printed:", "forms: {nyt11: whole}\nprinted:", "forms.nyt11: Input should be 'whole"),
        ("printed:", "compared_by: row\nprinted:", "compared_by: Input should be 'system' or"),
        ("printed:", "same_texts: {a: nyt10}\nprinted:", "same_texts: unknown dataset of the"),
        ("match: partial", "match: partly", "printed.0.match: Input should be"),
        ("match: partial", "datasets: [nyt10]", "printed.0.datasets: unknown dataset of the"),
        ("match: partial", "measures: [recall]", "printed.0.measures: unknown measure of the"),
        ("[Full, 56.3, ~]", "[Full, 56.3]", "printed.0.lines: 'Full' has 1 numbers where"),
        ("[Full, 56.3, ~]", "[Full, high, ~]", "printed.0.lines.0.numbers.0: Input should be"),
        ("[Full, 56.3, ~]", "Full", "printed.0.lines.0: is not a list of a row's name"),
        ("- [Full, 56.3, ~]", "- [Full, 1, 1]\n      - [Full, 1, 1]", "lines: 'Full' stands twice"),
        ("[Full, 56.3, ~]", "[Full, 563, ~]", "f1 of 'Full' on nyt11 is 563, which lies outside"),
    ],
)
def test_what_is_no_study(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert STUDY.count(old) == 1
    path = written(tmp_path, STUDY.replace(old, new))
    with pytest.raises(SuiteError) as caught:
        find_study(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{gate: none}", "{gait: none}", "unknown setting of fastre 'gait'. Did you mean 'gate'?"),
        ("{gate: none}", "{gate: nun}", "fastre.gate: Input should be"),
        (
            "{gate: none}",
            "{gate: none}, settings_on: {nyt24: {gait: none}}",
            "unknown setting of fastre 'gait'. Did you mean 'gate'?",
        ),
        ("{gate: none}", "{gate: none}, accepts: {gait: [none]}", "unknown setting of fastre"),
        ("gateless, system: fastre", "gateless, system: fastr", "unknown system 'fastr'. Did"),
        (
            "gateless, system: fastre, title: No gate, settings: {gate: none}",
            "gateless, system: fastner, title: No gate",
            "FastNER does not do the task 'triples'",
        ),
    ],
)
def test_what_no_system_can_do(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert STUDY.count(old) == 1
    path = written(tmp_path, STUDY.replace(old, new))
    with pytest.raises(SuiteError) as caught:
        checked(find_study(path))
    assert str(caught.value).startswith(f"{path}: variants.1, 'gateless': ")
    assert message in str(caught.value)


def test_a_variant_is_not_called_as_a_system_is(tmp_path: Path) -> None:
    study = find_study(written(tmp_path, STUDY.replace("gateless", "pmei")))
    with pytest.raises(SuiteError, match=r"variants\.1, 'pmei': is called as the system 'pmei'"):
        checked(study)


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"gates\.yaml: cannot be read: No such file"):
        find_study(str(tmp_path / "gates.yaml"))
    with pytest.raises(SuiteError, match=r"'fastre-tabel5'\. Did you mean 'fastre-table5'"):
        find_study("fastre-tabel5")
    with pytest.raises(SuiteError, match="unknown variant of the study fastre-table5 'fastr'"):
        find_study("fastre-table5").variant("fastr")

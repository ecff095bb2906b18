"""Whatever a file holds: it is read, or refused by the suite's own error. No other exception.

A hundred examples a reader; RE_FUZZ_EXAMPLES asks for more.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.prices import read_prices
from runners.cli.command import script
from runners.cli.run_suite import make_request
from runners.options.commands import SuiteOptions
from runners.runs.plan import read_run_plan
from runners.suite import _find_variants
from suite.datasets import Dataset, load_dataset
from suite.errors import SuiteError
from suite.modelling.word_vectors import VectorsFile, vocabulary_of
from suite.outside.about import read_about
from suite.outside.forms import read_answers
from suite.outside.gold import gold_of
from suite.outside.scoring import score
from suite.records.run import read_history, read_record
from suite.records.search import Limits, SearchRecord, read_search
from suite.records.suite import read_suite_plan
from suite.studies.study import FOLDER, checked, read_study, study_names
from suite.systems.variants import read_variant
from tests import tiny
from tests.fuzz.mutations import MUTATIONS, VALUES, Mutation, mutated
from tests.reports import folder as reports_folder
from tests.suite.datasets.folders import LIMA, OSLO, PARIS, ROME
from tests.suite.datasets.test_formats import DOCUMENT
from tests.suite.datasets.test_kinds import COLUMNS as TAGGED
from tests.suite.datasets.test_kinds import ENTITY_JSON, JSON

fuzzed = settings(
    max_examples=int(os.environ.get("RE_FUZZ_EXAMPLES", "100")),
    deadline=timedelta(seconds=10),
    suppress_health_check=list(HealthCheck),
)
"""As many as asked for, none longer than what counts as hanging."""


def _spo(record: dict[str, Any]) -> dict[str, Any]:
    triples = [
        {"subject": h, "predicate": r, "object": t, "subject_type": "A", "object_type": "B"}
        for h, r, t in record["triple_list"]
    ]
    return {"text": record["text"], "spo_list": triples}


SPERT = {
    "tokens": ["Rome", "is", "in", "Italy"],
    "entities": [{"type": "A", "start": 0, "end": 1}, {"type": "B", "start": 3, "end": 4}],
    "relations": [{"type": "in", "head": 0, "tail": 1}],
}
COLUMNS = "-DOCSTART- -X- O O\n\nRome NNP B-NP B-LOC\nis VBZ O O\n\nItaly NNP B-NP I-LOC\n"
SENTENCES = "Rome is in Italy\nOslo is in Norway\n"
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
FOLDERS: dict[str, dict[str, str]] = {
    "triple_list": {
        "train.json": json.dumps([PARIS, ROME]),
        "dev.json": json.dumps([OSLO]),
        "test.json": json.dumps([LIMA]),
        "type_relation.json": json.dumps(
            {r: {"subject": "A", "object": "B"} for r in ("lived_in", "in")}
        ),
    },
    "lines": {name: f"{json.dumps(PARIS)}\n{json.dumps(ROME)}\n" for name in ("train.jsonl",)}
    | {"test.jsonl": json.dumps(LIMA)},
    "spo_list": {n: json.dumps([_spo(PARIS), _spo(ROME)]) for n in ("train.json", "test.json")},
    "spert": {n: json.dumps([SPERT, SPERT]) for n in ("train.json", "dev.json", "test.json")},
    "docred": {n: json.dumps([DOCUMENT]) for n in ("train_annotated.json", "dev.json", "test.json")}
    | {
        "rel_info.json": json.dumps({"P551": "residence"}),
        "train_annotated.fact": json.dumps([["Marie Curie", "Paris", "P551"]]),
    },
    "columns": dict.fromkeys(("train.conll", "test.conll"), COLUMNS),
    **{
        kind: dict.fromkeys(("train.json", "dev.json", "test.json"), json.dumps([record]))
        | ({"ner_tags.json": json.dumps(TAGS)} if "ner_tags" in record else {})
        for kind, record in {**JSON, **ENTITY_JSON}.items()
    },
    **{
        kind: dict.fromkeys(("train.txt", "dev.txt", "test.txt"), TAGGED[kind].replace("|", "\n"))
        for kind in ("index from 1", "prediction last", "comments")
    },
    "tup": {f"{n}.sent": SENTENCES for n in ("train", "test")}
    | {f"{n}.tup": "Rome ; Italy ; in\nOslo ; Norway ; in\n" for n in ("train", "test")},
    "pointer": {f"{n}.sent": SENTENCES for n in ("train", "test")}
    | {f"{n}.pointer": "0 0 3 3 in\n0 0 3 3 in | 3 3 0 0 of\n" for n in ("train", "test")},
}


def refused_or_read(read: Callable[[], object]) -> None:
    """Whoever reads it gets a value, or an error that says where and what to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read()
        except SuiteError as error:
            str(error)


@pytest.mark.parametrize("name", FOLDERS)
@given(data=st.data(), mutations=MUTATIONS)
@fuzzed
def test_datasets(
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    mutations: list[Mutation],
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"fuzzed-{name}"
    folder.mkdir(exist_ok=True)
    changed = data.draw(st.sampled_from(sorted(FOLDERS[name])))
    for file, text in FOLDERS[name].items():
        content = text.encode()
        (folder / file).write_bytes(mutated(content, mutations) if file == changed else content)
    refused_or_read(lambda: load_dataset(str(folder)))


def _packed(content: bytes, packing: str) -> bytes:
    if packing == ".gz":
        return gzip.compress(content, mtime=0)
    if packing == ".zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("v.300d.txt", content)
        return archive.getvalue()
    return content


@pytest.mark.parametrize("inside", [True, False], ids=["within", "the file"])
@pytest.mark.parametrize("packing", [".txt", ".gz", ".zip"])
@given(mutations=MUTATIONS)
@fuzzed
def test_vectors(
    tmp_path_factory: pytest.TempPathFactory, packing: str, inside: bool, mutations: list[Mutation]
) -> None:
    content = b"4 3\nthe 1 2 3\ncat 4 5 6\ndog 0.5 -1e-3 7\nof 1 1 1\n"
    path = tmp_path_factory.getbasetemp() / f"fuzzed{packing}"
    if inside:
        path.write_bytes(_packed(mutated(content, mutations), packing))
    else:
        path.write_bytes(mutated(_packed(content, packing), mutations))
    vocabulary = vocabulary_of([["the", "cat"], ["dog", "of"]], [])

    def read() -> None:
        matrix = VectorsFile(path).load(vocabulary, trained=False).matrix
        assert matrix is not None
        assert matrix.isfinite().all()

    refused_or_read(read)


RECORDS: dict[str, Callable[[Path], object]] = {
    "record.json": read_record,
    "history.jsonl": lambda path: read_history(path.parent),
    "run.json": lambda path: read_run_plan(path.parent),
    "suite.json": read_suite_plan,
    "search.json": read_search,
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of each file that a command leaves."""
    folder = tmp_path_factory.mktemp("records")
    run = reports_folder.record("fastre", "nyt11", 0, (100, 180, 200, 90))
    run.write(folder)
    epochs = reports_folder.epochs(0.5, 1, 0)
    (folder / "history.jsonl").write_text("".join(f"{e.model_dump_json()}\n" for e in epochs))
    plan = tiny.make_plan(folder)
    (folder / "run.json").write_text(plan.model_dump_json())
    reports_folder.plan().write(folder)
    SearchRecord(
        name="search",
        version="1",
        created="",
        command=(),
        system=run.system,
        dataset=run.dataset,
        protocol=run.protocol,
        environment=run.environment,
        limits=Limits(),
        default_key="k",
        trials=(),
        finalists=(),
        importances={"width": 1.0},
        workers=(),
    ).write(folder)
    return folder


@pytest.mark.parametrize("name", RECORDS)
@given(mutations=MUTATIONS)
@fuzzed
def test_records(
    tmp_path_factory: pytest.TempPathFactory, records: Path, name: str, mutations: list[Mutation]
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(mutated((records / name).read_bytes(), mutations))
    refused_or_read(lambda: RECORDS[name](path))


@given(name=st.sampled_from(study_names()), mutations=MUTATIONS)
@fuzzed
def test_studies(
    tmp_path_factory: pytest.TempPathFactory, name: str, mutations: list[Mutation]
) -> None:
    path = tmp_path_factory.getbasetemp() / "study.yaml"
    path.write_bytes(mutated((FOLDER / f"{name}.yaml").read_bytes(), mutations))
    refused_or_read(lambda: checked(read_study(path)))


@given(mutations=MUTATIONS)
@fuzzed
def test_variants(tmp_path_factory: pytest.TempPathFactory, mutations: list[Mutation]) -> None:
    path = tmp_path_factory.getbasetemp() / "variant.yaml"
    content = b"system: fastre\ntitle: Mine\nsettings: {width: 64, dilations: [1, 2], gate: none}\n"
    path.write_bytes(mutated(content, mutations))
    refused_or_read(lambda: read_variant(path))


PREDICTIONS = {
    "own": json.dumps(
        {"id": "test-1", "text": "Rome is in Italy", "gold": [], "correct": {}}
        | {"predicted": [["Rome", "in", "Italy", [0, 1], [3, 4], 0.75], ["a", "in", "b", 1.0]]}
    ),
    "casrel": json.dumps(
        {"text": "Rome is in Italy", "triple_list_gold": [["Rome", "in", "Italy"]]}
        | {"triple_list_pred": [{"subject": "Rome", "relation": "in", "object": "Italy"}]}
    ),
    "result": json.dumps([{"title": "test-1", "h_idx": 0, "t_idx": 1, "r": "in"}]),
    "lines": '{"id": "test-1", "triples": [["Rome", "in", "Italy"], [[0, 1], "in", [3, 4], 1]]}\n'
    '{"tokens": ["Rome"], "entities": [["Rome", "LOC"], {"span": [0, 1], "type": "LOC"}]}\n',
    "columns": "Rome NNP B-LOC B-LOC\nis VBZ O O\n\nItaly NNP O I-LOC\n",
}


@pytest.fixture(scope="module")
def italy(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("italy")
    for split in ("train", "dev", "test"):
        (folder / f"{split}.json").write_text(json.dumps([SPERT]))
    return load_dataset(str(folder))


@pytest.mark.parametrize("name", PREDICTIONS)
@given(mutations=MUTATIONS)
@fuzzed
def test_predictions(
    tmp_path_factory: pytest.TempPathFactory, italy: Dataset, name: str, mutations: list[Mutation]
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed-predictions"
    path.write_bytes(mutated(PREDICTIONS[name].encode(), mutations))
    refused_or_read(lambda: score(read_answers(path), gold_of(italy), "exact"))


@given(mutations=MUTATIONS)
@fuzzed
def test_what_is_stated(
    tmp_path_factory: pytest.TempPathFactory, mutations: list[Mutation]
) -> None:
    path = tmp_path_factory.getbasetemp() / "about.yaml"
    content = b"title: Mine\nparameters: 7\ntraining: {minutes: 3, machine: mine}\nnotes: [a]\n"
    path.write_bytes(mutated(content, mutations))
    refused_or_read(lambda: read_about(path))


PRICES = (
    b"currency: EUR\nmachines:\n  - {processor: A CPU, device: cpu, cores: 4, price_per_hour: 0.2,"
    b" source: mine, date: '2026-11-01'}\n"
)


@given(mutations=MUTATIONS)
@fuzzed
def test_prices(tmp_path_factory: pytest.TempPathFactory, mutations: list[Mutation]) -> None:
    path = tmp_path_factory.getbasetemp() / "prices.yaml"
    path.write_bytes(mutated(PRICES, mutations))
    refused_or_read(lambda: read_prices(path))


def command_ends(patch: pytest.MonkeyPatch, *words: str) -> None:
    """A command line up to its variants: 0, or 2 and a line of error; never a traceback."""

    def ask(options: SuiteOptions) -> None:
        _find_variants(make_request(options))

    patch.setattr(sys, "argv", ["run-suite", *words])
    with pytest.raises(SystemExit) as ended:
        script(SuiteOptions, ask)()
    assert ended.value.code in {0, 2, None}, ended.value.code


CONFIGURATION = (
    b"dataset: [synthetic]\nsystem: [fastre]\nseeds: [4, 5]\ntrain_share: 0.5\ntracker: none\n"
    b"set: {fastre: {dilations: [1, 2], width: 64}}\nprotocol: {batch_size: 8}\nepochs: 7\n"
    b"threads: 1\nout: out\n"
)


@given(mutations=MUTATIONS)
@fuzzed
def test_configurations(
    tmp_path_factory: pytest.TempPathFactory, mutations: list[Mutation]
) -> None:
    path = tmp_path_factory.getbasetemp() / "command.yaml"
    path.write_bytes(mutated(CONFIGURATION, mutations))
    with pytest.MonkeyPatch.context() as patch:
        command_ends(patch, "--config", str(path))


SETTINGS = ("width", "dilations", "gate", "thresholds", "dropout", "nothing")


@given(
    system=st.sampled_from(("fastre", "casrel", "pmei", "relu_net", "fastner", "none")),
    setting=st.one_of(st.sampled_from(SETTINGS), st.text(max_size=5)),
    value=st.one_of(st.sampled_from(VALUES), st.text(max_size=20)),
    option=st.sampled_from(("set", "protocol", "seeds")),
)
@fuzzed
def test_assignments(system: str, setting: str, value: str, option: str) -> None:
    words = {"set": f"{system}.{setting}={value}", "protocol": f"epochs={value}", "seeds": value}
    with pytest.MonkeyPatch.context() as patch:
        command_ends(patch, "--system", "fastre", f"--{option}={words[option]}")


def test_what_is_sound_is_read(
    tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all that is refused above might be refused for the same reason."""
    for name, files in FOLDERS.items():
        folder = tmp_path / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
        assert load_dataset(str(folder)).train.examples
    for name, read in RECORDS.items():
        assert read(records / name)
    for content in PREDICTIONS.values():
        path = tmp_path / "predictions"
        path.write_text(content)
        assert read_answers(path).answers
    path = tmp_path / "prices.yaml"
    path.write_bytes(PRICES)
    assert read_prices(path).machines
    path = tmp_path / "command.yaml"
    path.write_bytes(CONFIGURATION)
    monkeypatch.setattr(sys, "argv", ["run-suite", "--config", str(path)])
    asked = []
    with suppress(SystemExit):
        script(SuiteOptions, asked.append)()
    assert asked[0].epochs == 7
